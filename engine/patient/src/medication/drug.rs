//! Which drug it is: from a request, a statement or a Medication to substances.

use std::borrow::Cow;
use std::sync::Arc;

use super::standing::Reason;
use crate::fhir::names::Name;
use crate::record::{Element, PatientRecord};
use crate::requirements::{choice, reference_target, referenced};
use crate::system::codes::codings;
use crate::terminology::{
    DrugDictionary, DrugMeaning, Meant, Substances, canonical_system, eleven_digits,
};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const NDC: &str = "http://hl7.org/fhir/sid/ndc";

/// What a drug is made of, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drug {
    /// The substances that are known.
    pub substances: Substances,
    /// What is coded as a class: of each it has one, and which is not known. What the known members are made of.
    pub one_of: Vec<Arc<[Substances]>>,
    /// Why there may be others.
    pub missing: Option<Reason>,
    /// Whether a name told it, as no code is known.
    pub by_name: bool,
}

impl Drug {
    /// Whether something holds of what is known of it; of a class, whichever of its members it is.
    pub fn surely(&self, holds: impl Fn(&Substances) -> bool) -> bool {
        let mut classes = self.one_of.iter();
        holds(&self.substances) || classes.any(|members| members.iter().all(&holds))
    }
}

/// The drug of a resource that has a `medication`, or of a Medication. References are followed within its
/// own record, then in the others.
///
/// Of several codes of one concept each says what the drug is; those that the dictionary does not know
/// change nothing. Where it knows none, a display or text tells that is a name as RxNorm writes it: see
/// [`DrugDictionary::drug_named`]. A Medication whose own code it does not know is what its `ingredient`s are.
pub fn drug<'r>(
    resource: Element<'r>,
    others: &[&'r PatientRecord],
    drugs: &DrugDictionary,
) -> Drug {
    let ty = type_of(resource);
    let unknown = |missing: String| Drug {
        missing: Some(missing.into()),
        ..Drug::default()
    };
    let found = match medication(resource, others) {
        Found::Concept(concept) => {
            of_concept(concept, drugs).or_else(|| of_name(concept, ty, drugs))
        }
        Found::Medication(medication) => of_medication(medication, resource, others, drugs),
        Found::NotGiven => {
            return unknown(format!(
                "a {ty} refers to its code in a resource that was not given"
            ));
        }
        Found::Nothing => return unknown(format!("`{ty}.medication` is missing")),
    };
    found.unwrap_or_else(|| unknown(no_code(ty)))
}

pub(super) fn no_code(ty: &str) -> String {
    let article = match ty.starts_with('A') {
        true => "an",
        false => "a",
    };
    format!("{article} {ty} has no code that the drug dictionary knows")
}

/// What a drug is called: as the dictionary has it, else as the data does, else by the ingredients of its
/// Medication.
pub fn name<'r>(
    resource: Element<'r>,
    others: &[&'r PatientRecord],
    drugs: &'r DrugDictionary,
) -> Option<Cow<'r, str>> {
    let from = |concept: Element<'r>| {
        let known = codings(concept).find_map(|coding| drugs.name(&rxcui(coding, drugs)?));
        let display = || codings(concept).find_map(|coding| filled(coding, "display"));
        let known = known.map(Cow::Borrowed).or_else(display);
        known.or_else(|| filled(concept, "text"))
    };
    match medication(resource, others) {
        Found::Concept(concept) => from(concept),
        Found::Medication(medication) => medication.get_named("code").and_then(from),
        Found::NotGiven | Found::Nothing => None,
    }
    .or_else(|| filled(choice(resource, "medication")?, "display"))
    .or_else(|| {
        let Found::Medication(medication) = medication(resource, others) else {
            return None;
        };
        let parts = medication.get_named("ingredient")?.items();
        let names = parts.map(|part| from(ingredient(part, medication, resource, others)?));
        // Some of its ingredients would be another drug.
        let names: Vec<Cow<'r, str>> = names.collect::<Option<_>>()?;
        (!names.is_empty()).then(|| Cow::Owned(names.join(" / ")))
    })
}

fn filled<'r>(element: Element<'r>, name: &str) -> Option<Cow<'r, str>> {
    element.get_str(name).filter(|text| !text.trim().is_empty())
}

pub(super) fn type_of(resource: Element<'_>) -> &'static str {
    resource.resource_type().map_or("resource", Name::as_str)
}

/// Where a resource says what its drug is.
enum Found<'r> {
    Concept(Element<'r>),
    Medication(Element<'r>),
    /// In a resource that is not here.
    NotGiven,
    Nothing,
}

fn medication<'r>(resource: Element<'r>, others: &[&'r PatientRecord]) -> Found<'r> {
    if type_of(resource) == "Medication" {
        return Found::Medication(resource);
    }
    let Some(concept) = choice(resource, "medication") else {
        return Found::Nothing;
    };
    follow(resource, concept, others)
}

/// The concept that a drug is coded in: in the resource, or in the Medication that it refers to.
pub(super) fn concept<'r>(
    resource: Element<'r>,
    others: &[&'r PatientRecord],
) -> Option<Element<'r>> {
    match medication(resource, others) {
        Found::Concept(concept) => Some(concept),
        Found::Medication(medication) => medication.get_named("code"),
        Found::NotGiven | Found::Nothing => None,
    }
}

/// A CodeableConcept, or what a Reference refers to.
fn follow<'r>(owner: Element<'r>, concept: Element<'r>, others: &[&'r PatientRecord]) -> Found<'r> {
    let is_reference = concept.name().as_str().ends_with("Reference");
    match concept.get_str("reference") {
        Some(reference) => match target(owner, &reference, others) {
            Some(medication) => Found::Medication(medication),
            None => Found::NotGiven,
        },
        None if is_reference => Found::NotGiven,
        None => Found::Concept(concept),
    }
}

fn target<'r>(
    owner: Element<'r>,
    reference: &str,
    others: &[&'r PatientRecord],
) -> Option<Element<'r>> {
    if let Some(found) = referenced(owner, reference) {
        return Some(found);
    }
    // A Bundle may name its resources by `urn:uuid:` and their id.
    let unnamed = reference.strip_prefix("urn:uuid:");
    let unnamed = unnamed.map(|id| ("Medication", id));
    let (ty, id) = unnamed.or_else(|| reference_target(reference))?;
    let records = std::iter::once(owner.record).chain(others.iter().copied());
    let mut all = records.flat_map(|record| record.of_type_named(ty));
    all.find(|one| one.get_named("id").is_some_and(|own| own.is_str(id)))
}

/// The RxCUI of a Coding of RxNorm, or of an NDC that the dictionary has.
pub(super) fn rxcui<'r>(coding: Element<'r>, drugs: &DrugDictionary) -> Option<Cow<'r, str>> {
    let (system, code) = (coding.get_str("system")?, coding.get_str("code")?);
    match canonical_system(&system) {
        RXNORM => Some(code),
        NDC => {
            let known = drugs.rxcui_of_ndc(&eleven_digits(&code)?)?;
            Some(Cow::Owned(known.to_owned()))
        }
        _ => None,
    }
}

/// The drug of a CodeableConcept; `None` where the dictionary knows none of its codes.
pub(super) fn of_concept(concept: Element<'_>, drugs: &DrugDictionary) -> Option<Drug> {
    let all = meant_by(concept, drugs);
    let mut found = Drug {
        missing: of_salts(&all, drugs),
        ..Drug::default()
    };
    for (number, meant) in all.iter().enumerate() {
        found.substances.add(&meant.substances);
        // Another code of the same drug may say which of a class it is.
        let told = |members: &[Substances]| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != number);
            let mut others = others.map(|(_, other)| &other.substances);
            others.any(|other| members.iter().any(|one| one.share_ingredient(other)))
        };
        let classes = meant.classes.iter().filter(|members| !told(members));
        found.one_of.extend(classes.cloned());
    }
    if !found.one_of.is_empty() {
        found.missing = Some("a code stands for a drug class, not for one drug of it".into());
    }
    (!all.is_empty()).then_some(found)
}

/// What the codes of a concept stand for that are known to be drugs.
pub(super) fn meant_by(concept: Element<'_>, drugs: &DrugDictionary) -> Vec<Meant> {
    codings(concept)
        .filter_map(|coding| meant(coding, drugs))
        .collect()
}

/// Why drugs are not known where each code names a salt of which it is not known which drug it is of.
pub(super) fn of_salts(all: &[Meant], drugs: &DrugDictionary) -> Option<Reason> {
    let mut meant = all.iter();
    let only = meant.all(|one| one.substances.has_salt_of_unknown(drugs));
    only.then(|| "of a salt it is not known which drug it is of".into())
}

/// What a Coding stands for.
fn meant(coding: Element<'_>, drugs: &DrugDictionary) -> Option<Meant> {
    if let Some(DrugMeaning::Drug(meant)) = meaning(coding, drugs) {
        return Some(meant.clone());
    }
    let substances = drugs.substances_of(&rxcui(coding, drugs)?)?;
    Some(Meant {
        substances,
        classes: vec![],
    })
}

/// What a code of another system than RxNorm stands for, where a table says so.
pub(super) fn meaning<'d>(
    coding: Element<'_>,
    drugs: &'d DrugDictionary,
) -> Option<&'d DrugMeaning> {
    let (system, code) = (coding.get_str("system")?, coding.get_str("code")?);
    drugs.meaning(&system, &code)
}

/// The names of a CodeableConcept: its displays and its text.
pub(super) fn names<'r>(concept: Element<'r>) -> impl Iterator<Item = Cow<'r, str>> {
    let displays = codings(concept).filter_map(|coding| filled(coding, "display"));
    displays.chain(filled(concept, "text"))
}

/// The drug of the names of a CodeableConcept, where each is one of RxNorm. Of one that is not, or that says no
/// strength, there may be more in it.
fn of_name(concept: Element<'_>, ty: &str, drugs: &DrugDictionary) -> Option<Drug> {
    let mut found = Drug {
        by_name: true,
        ..Drug::default()
    };
    let mut whole = true;
    for name in names(concept) {
        match drugs.drug_named(&name) {
            Some(named) => {
                found.substances.add(&named.substances);
                whole &= named.is_whole;
            }
            None => whole = false,
        }
    }
    if !whole {
        found.missing = Some(no_code(ty).into());
    }
    (!found.substances.is_empty()).then_some(found)
}

/// The concept of an ingredient of a Medication. `owner` is what refers to the Medication: one that it
/// contains refers to others that it contains, for nothing contained contains anything.
fn ingredient<'r>(
    part: Element<'r>,
    medication: Element<'r>,
    owner: Element<'r>,
    others: &[&'r PatientRecord],
) -> Option<Element<'r>> {
    let item = choice(part, "item")?;
    let found = match follow(medication, item, others) {
        Found::NotGiven if is_contained(medication, owner) => follow(owner, item, others),
        found => found,
    };
    match found {
        Found::Concept(concept) => Some(concept),
        // Not its ingredients: a Medication must not go on for ever.
        Found::Medication(inner) => inner.get_named("code"),
        Found::NotGiven | Found::Nothing => None,
    }
}

fn is_contained(inner: Element<'_>, owner: Element<'_>) -> bool {
    let contained = owner.get_named("contained");
    let mut all = contained.into_iter().flat_map(Element::items);
    all.any(|one| one == inner)
}

/// The drug of a Medication: by its code, else by its ingredients, else by its name.
fn of_medication<'r>(
    medication: Element<'r>,
    owner: Element<'r>,
    others: &[&'r PatientRecord],
    drugs: &DrugDictionary,
) -> Option<Drug> {
    let code = medication.get_named("code");
    if let Some(drug) = code.and_then(|code| of_concept(code, drugs)) {
        return Some(drug);
    }
    let by_parts = of_parts(medication, owner, others, drugs);
    by_parts.or_else(|| of_name(code?, type_of(owner), drugs))
}

fn of_parts<'r>(
    medication: Element<'r>,
    owner: Element<'r>,
    others: &[&'r PatientRecord],
    drugs: &DrugDictionary,
) -> Option<Drug> {
    let parts = medication.get_named("ingredient")?;
    let mut whole = Drug::default();
    let mut known = 0;
    for part in parts.items() {
        let concept = ingredient(part, medication, owner, others);
        match concept.and_then(|concept| of_concept(concept, drugs)) {
            Some(drug) => {
                whole.substances.add(&drug.substances);
                whole.one_of.extend(drug.one_of);
                whole.missing = whole.missing.or(drug.missing);
                known += 1;
            }
            None => {
                let why =
                    "an ingredient of a Medication has no code that the drug dictionary knows";
                whole.missing = Some(why.into());
            }
        }
    }
    (known > 0).then_some(whole)
}
