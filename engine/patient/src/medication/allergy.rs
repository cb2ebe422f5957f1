//! Allergies and intolerances: whether one is current, and to which drug it is.

use std::borrow::Cow;

use super::drug::{Drug, meaning, meant_by, names, no_code, of_salts};
use super::standing::{Told, all, begun};
use crate::fhir::clinical_time::clinical_time;
use crate::now::Now;
use crate::record::Element;
use crate::system::codes::codings;
use crate::terminology::{DrugDictionary, DrugMeaning, canonical_system};

const ALLERGY: &str = "AllergyIntolerance";

/// Whether an AllergyIntolerance stands at a moment: clinically active, neither refuted nor entered in
/// error, and its date not later.
///
/// # Errors
/// Why it cannot be told.
pub fn is_current(allergy: Element<'_>, now: Now<'_>) -> Told {
    let refuted = status(allergy, "verificationStatus");
    let refuted = refuted
        .iter()
        .any(|s| matches!(s.as_ref(), "refuted" | "entered-in-error"));
    // Of several codings those of others, as of the EHR itself, say nothing.
    let clinical = status(allergy, "clinicalStatus");
    let says = |codes: &[&str]| clinical.iter().any(|code| codes.contains(&&**code));
    let active = match (says(&["active"]), says(&["inactive", "resolved"])) {
        (true, false) => Ok(true),
        (false, true) => Ok(false),
        (true, true) => Err("`AllergyIntolerance.clinicalStatus` contradicts itself".into()),
        (false, false) if clinical.is_empty() => {
            Err("`AllergyIntolerance.clinicalStatus` is missing".into())
        }
        (false, false) => Err("`AllergyIntolerance.clinicalStatus` cannot be read".into()),
    };
    let start = clinical_time(ALLERGY, allergy).start;
    let begun = start.map_or(Ok(true), |start| {
        begun("AllergyIntolerance.onset", start, now)
    });
    all([Ok(!refuted), active, begun])
}

fn status<'r>(allergy: Element<'r>, element: &str) -> Vec<Cow<'r, str>> {
    let concept = allergy.get_named(element);
    let all = concept.into_iter().flat_map(codings);
    all.filter_map(|coding| coding.get_str("code")).collect()
}

/// The drug that an allergy is to, and those that its reactions were to: each by its code, or by what it is called
/// where the code is not known. Nothing where it says that it is to no drug: by its code or its categories, or as
/// an entry that no allergies are known.
pub fn allergen(allergy: Element<'_>, drugs: &DrugDictionary) -> Drug {
    let is_other = is_of_other_category(allergy);
    let mut found = match allergy.get_named("code") {
        Some(code) => allergen_of(code, is_other, drugs),
        None => Drug {
            missing: (!is_other).then(|| no_code(ALLERGY).into()),
            ..Drug::default()
        },
    };
    let reactions = allergy.get_named("reaction");
    for reaction in reactions.into_iter().flat_map(Element::items) {
        if let Some(substance) = reaction.get_named("substance") {
            let more = allergen_of(substance, is_other, drugs);
            found.substances.add(&more.substances);
            found.missing = found.missing.or(more.missing);
            found.by_name |= more.by_name;
        }
    }
    found
}

/// The drug that a concept names. Of an allergy to no drug (`is_other`) what is not understood is none.
fn allergen_of(concept: Element<'_>, is_other: bool, drugs: &DrugDictionary) -> Drug {
    const OF_CLASS: &str =
        "an AllergyIntolerance is to a drug class, and not every drug of it is known";
    let mut found = Drug::default();
    let all = meant_by(concept, drugs);
    if !all.is_empty() {
        found.missing = of_salts(&all, drugs);
        for meant in &all {
            found.substances.add(&meant.substances);
            // It is to all of a class, of which others may be than the dictionary has.
            for one in meant.classes.iter().flat_map(|members| members.iter()) {
                found.substances.add(one);
                found.missing = Some(OF_CLASS.into());
            }
        }
        return found;
    }
    if is_none_known(concept, drugs) || is_no_drug(concept, drugs) {
        return found;
    }
    let (mut names, mut understood, mut whole) = (0, 0, true);
    for name in other_names(concept, drugs) {
        names += 1;
        if let Some(named) = drugs.allergen_named(&name) {
            understood += 1;
            found.substances.add(&named.substances);
            whole &= named.is_whole;
        }
    }
    found.by_name = !found.substances.is_empty();
    found.missing = match names > 0 && understood == names {
        true if whole => None,
        true => Some(OF_CLASS.into()),
        false if is_other => None,
        false => Some(no_code(ALLERGY).into()),
    };
    found
}

/// Whether a table knows a code as something else than a drug.
fn is_no_drug_coding(coding: Element<'_>, drugs: &DrugDictionary) -> bool {
    meaning(coding, drugs) == Some(&DrugMeaning::NoDrug)
}

/// What a concept is called, but for what its codes of no drug are called.
fn other_names<'r>(concept: Element<'r>, drugs: &DrugDictionary) -> Vec<Cow<'r, str>> {
    let none = codings(concept).filter(|coding| is_no_drug_coding(*coding, drugs));
    let none: Vec<String> = none
        .filter_map(|coding| coding.get_str("display"))
        .map(|label| label.trim().to_lowercase())
        .collect();
    let other = |name: &Cow<'_, str>| !none.contains(&name.trim().to_lowercase());
    names(concept).filter(other).collect()
}

/// A code that a table knows as something else than a drug, beside nothing that may be a drug: other codes and
/// names say the same, or that none is known.
fn is_no_drug(concept: Element<'_>, drugs: &DrugDictionary) -> bool {
    let is_none = |coding| {
        let meaning = meaning(coding, drugs);
        let by_table = matches!(meaning, Some(DrugMeaning::NoDrug | DrugMeaning::NoneKnown));
        by_table || is_coded_none_known(coding)
    };
    let is_named = |coding: Element<'_>| {
        let display = coding.get_str("display");
        display.is_some_and(|text| !text.trim().is_empty())
    };
    codings(concept).any(|coding| is_no_drug_coding(coding, drugs))
        && codings(concept).all(|coding| is_none(coding) || is_named(coding))
        && other_names(concept, drugs)
            .iter()
            .all(|name| says_none_known(name))
}

/// `food` or `environment` alone.
fn is_of_other_category(allergy: Element<'_>) -> bool {
    let categories = allergy.get_named("category");
    let mut categories = categories.into_iter().flat_map(Element::items).peekable();
    categories.peek().is_some() && categories.all(|c| c.is_str("food") || c.is_str("environment"))
}

/// Codes of the International Patient Summary of HL7 that say that no allergies are known, of some kind or
/// of any. Those of SNOMED CT are no part of the program: an entry with such a code has to say it in words, or a
/// table of the user's knows it.
const NONE_KNOWN: (&str, &[&str]) = (
    "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
    &[
        "no-known-allergies",
        "no-known-environmental-allergies",
        "no-known-food-allergies",
        "no-known-medication-allergies",
    ],
);

/// "No known allergies" is an entry of a list, by its code or by what it is called. A text beside it that
/// says anything else takes that back.
fn is_none_known(code: Element<'_>, drugs: &DrugDictionary) -> bool {
    let (mut none, mut other) = (false, false);
    let mut label = |text: Option<Cow<'_, str>>| {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            match says_none_known(&text) {
                true => none = true,
                false => other = true,
            }
        }
    };
    let mut coded = false;
    for coding in codings(code) {
        let by_table = meaning(coding, drugs) == Some(&DrugMeaning::NoneKnown);
        match by_table || is_coded_none_known(coding) {
            true => coded = true,
            false => label(coding.get_str("display")),
        }
    }
    label(code.get_str("text"));
    (none || coded) && !other
}

fn is_coded_none_known(coding: Element<'_>) -> bool {
    let (Some(system), Some(code)) = (coding.get_str("system"), coding.get_str("code")) else {
        return false;
    };
    let (of, codes) = NONE_KNOWN;
    of == canonical_system(&system) && codes.contains(&&*code)
}

/// Whether a text says this and nothing else: "No known drug allergies", not "No known severity: aspirin".
fn says_none_known(text: &str) -> bool {
    /// What may be unknown.
    const WHAT: [&str; 8] = [
        "allergy",
        "allergies",
        "hypersensitivity",
        "hypersensitivities",
        "intolerance",
        "intolerances",
        "reaction",
        "reactions",
    ];
    /// Of which kind; and the words between.
    const KINDS: [&str; 25] = [
        "active",
        "adverse",
        "allergic",
        "and",
        "animal",
        "any",
        "current",
        "drug",
        "drugs",
        "environment",
        "environmental",
        "finding",
        "food",
        "foods",
        "insect",
        "latex",
        "medication",
        "medications",
        "medicine",
        "medicines",
        "or",
        "other",
        "situation",
        "substance",
        "to",
    ];
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["nka" | "nkda" | "nkma" | "nkfa"] | ["no", "known"] | ["none", "known"] => true,
        ["no", "known", rest @ ..] => {
            let fits = |word: &&str| WHAT.contains(word) || KINDS.contains(word);
            rest.iter().all(fits) && rest.iter().any(|word| WHAT.contains(word))
        }
        _ => false,
    }
}
