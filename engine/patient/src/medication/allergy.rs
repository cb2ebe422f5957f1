//! Allergies and intolerances: whether one is current, and to which drug it is.

use std::borrow::Cow;

use super::drug::{Drug, no_code, of_concept};
use super::standing::{Told, all, begun};
use crate::fhir::clinical_time::clinical_time;
use crate::record::Element;
use crate::system::codes::codings;
use crate::system::date_time::DateTime;
use crate::system::zone::Zone;
use crate::terminology::DrugDictionary;

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
    let clinical = status(allergy, "clinicalStatus");
    let active = match clinical.first().map(AsRef::as_ref) {
        Some("active") => Ok(true),
        Some("inactive" | "resolved") => Ok(false),
        Some(_) => Err("`AllergyIntolerance.clinicalStatus` cannot be read".into()),
        None => Err("`AllergyIntolerance.clinicalStatus` is missing".into()),
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

/// The drug that an allergy is to: by its code and by the substances of its reactions. Nothing where it
/// says that it is to no drug: by its categories, or as an entry that no allergies are known.
pub fn allergen(allergy: Element<'_>, drugs: &DrugDictionary) -> Drug {
    let mut found = Drug::default();
    let mut unknown = true;
    if let Some(code) = allergy.get_named("code") {
        if is_none_known(code) {
            return found;
        }
        if let Some(drug) = of_concept(code, drugs) {
            found = drug;
            unknown = false;
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

/// `food` or `environment` alone.
fn is_of_other_category(allergy: Element<'_>) -> bool {
    let categories = allergy.get_named("category");
    let mut categories = categories.into_iter().flat_map(Element::items).peekable();
    categories.peek().is_some() && categories.all(|c| c.is_str("food") || c.is_str("environment"))
}

/// "No known allergies" is an entry of a list, in many codes: by what it is called.
fn is_none_known(code: Element<'_>) -> bool {
    let says = |text: &str| {
        let text = text.trim_start().to_lowercase();
        text.starts_with("no known") || matches!(text.trim_end(), "nka" | "nkda")
    };
    let mut displays = codings(code).filter_map(|coding| coding.get_str("display"));
    displays.any(|display| says(&display)) || code.get_str("text").is_some_and(|text| says(&text))
}
