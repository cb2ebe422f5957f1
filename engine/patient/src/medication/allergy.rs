//! Allergies and intolerances: whether one is current, and to which drug it is.

use std::borrow::Cow;

use super::drug::{Drug, meaning, names, no_code, of_concept};
use super::standing::{Told, all, begun};
use crate::fhir::clinical_time::clinical_time;
use crate::record::Element;
use crate::system::codes::codings;
use crate::system::date_time::DateTime;
use crate::system::zone::Zone;
use crate::terminology::{DrugDictionary, DrugMeaning, Substances, canonical_system};

const ALLERGY: &str = "AllergyIntolerance";

/// Whether an AllergyIntolerance stands at a moment: clinically active, neither refuted nor entered in
/// error, and its date not later.
///
/// # Errors
/// Why it cannot be told.
pub fn is_current(allergy: Element<'_>, at: DateTime, zone: &Zone) -> Told {
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
        begun("AllergyIntolerance.onset", start, at, zone)
    });
    all([Ok(!refuted), active, begun])
}

fn status<'r>(allergy: Element<'r>, element: &str) -> Vec<Cow<'r, str>> {
    let concept = allergy.get_named(element);
    let all = concept.into_iter().flat_map(codings);
    all.filter_map(|coding| coding.get_str("code")).collect()
}

/// The drug that an allergy is to: by its code, by what it is called where the code is not known, and by the
/// substances of its reactions. Nothing where it says that it is to no drug: by its code or its categories, or as
/// an entry that no allergies are known.
pub fn allergen(allergy: Element<'_>, drugs: &DrugDictionary) -> Drug {
    let mut found = Drug::default();
    let mut unknown = true;
    if let Some(code) = allergy.get_named("code") {
        match of_concept(code, drugs) {
            Some(drug) => {
                found = drug;
                unknown = false;
            }
            None if is_none_known(code, drugs) || is_no_drug(code, drugs) => unknown = false,
            None => {
                let named = by_name(code, drugs);
                found.by_name = !named.substances.is_empty();
                (found.substances, unknown) = (named.substances, !named.whole);
            }
        }
    }
    let reactions = allergy.get_named("reaction");
    for reaction in reactions.into_iter().flat_map(Element::items) {
        let substance = reaction.get_named("substance");
        if let Some(drug) = substance.and_then(|substance| of_concept(substance, drugs)) {
            found.substances.add(&drug.substances);
        }
    }
    if unknown && !is_of_other_category(allergy) {
        found.missing = Some(no_code(ALLERGY).into());
    }
    found
}

/// What names say.
struct Named {
    substances: Substances,
    /// Whether each is understood, and there is one.
    whole: bool,
}

/// By what people call it: see [`DrugDictionary::allergen_named`].
fn by_name(code: Element<'_>, drugs: &DrugDictionary) -> Named {
    let mut found = Named {
        substances: Substances::default(),
        whole: true,
    };
    let mut several = 0;
    for name in names(code) {
        several += 1;
        match drugs.allergen_named(&name) {
            Some(substances) => found.substances.add(&substances),
            None => found.whole = false,
        }
    }
    found.whole &= several > 0;
    found
}

/// A code that a table knows as something else than a drug, and none that is a drug.
fn is_no_drug(code: Element<'_>, drugs: &DrugDictionary) -> bool {
    codings(code).any(|coding| meaning(coding, drugs) == Some(&DrugMeaning::NoDrug))
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
