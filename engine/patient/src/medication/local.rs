//! Whether a medicine acts where it is put, on skin, eye or ear, and not on the whole body.

use super::drug::{concept, drug, rxcui};
use super::standing::Told;
use crate::record::{Element, PatientRecord};
use crate::system::codes::codings;
use crate::terminology::{DrugDictionary, DrugKind};

/// How the RxNorm name of a product ends that acts where it is put: its dose form, in small letters.
///
/// Not among them: transdermal systems, which are made to reach the blood; what goes into nose, mouth,
/// rectum, vagina or lungs, of which much does; packs, which may hold anything.
const LOCAL_FORMS: [&str; 38] = [
    "topical cake",
    "topical cream",
    "topical foam",
    "topical gel",
    "topical liquefied gas",
    "topical lotion",
    "topical oil",
    "topical ointment",
    "topical paste",
    "topical powder",
    "topical product",
    "topical solution",
    "topical spray",
    "topical suspension",
    "medicated bar soap",
    "medicated liquid soap",
    "medicated pad",
    "medicated patch",
    "medicated shampoo",
    "medicated tape",
    "powder spray",
    "shampoo",
    "shampoo product",
    "soap product",
    "ophthalmic cream",
    "ophthalmic gel",
    "ophthalmic irrigation solution",
    "ophthalmic ointment",
    "ophthalmic product",
    "ophthalmic solution",
    "ophthalmic suspension",
    "otic cream",
    "otic gel",
    "otic ointment",
    "otic product",
    "otic solution",
    "otic suspension",
    "ophthalmic emulsion",
];

/// What goes through mucous membranes reaches the blood, although its dose form ends as a local one.
const NOT_LOCAL: &str = "mucous membrane topical solution";

/// Ingredients that act on the whole body also from skin or eye, as the labels of such products say:
/// nitrates and hormones that are given so, eye drops that slow the heart or must not be used with MAO
/// inhibitors, and what must not be used in pregnancy also on the skin. By their RxNorm names.
const ABSORBED: [&str; 20] = [
    "apraclonidine",
    "atropine",
    "betaxolol",
    "brimonidine",
    "carteolol",
    "clonidine",
    "doxepin",
    "estradiol",
    "fentanyl",
    "fluorouracil",
    "levobunolol",
    "metipranolol",
    "nitroglycerin",
    "oxybutynin",
    "phenylephrine",
    "podofilox",
    "progesterone",
    "tazarotene",
    "testosterone",
    "timolol",
];

/// Whether the drug of a resource acts only where it is put: every product that its codes name has a dose
/// form for skin, eye or ear, and no ingredient that acts on the whole body from there. One that is coded
/// by its ingredients alone may be a tablet: it does not.
///
/// # Errors
/// Why it cannot be told: the dictionary knows no code of it.
pub fn is_local<'r>(
    resource: Element<'r>,
    others: &[&'r PatientRecord],
    drugs: &DrugDictionary,
) -> Told {
    let made_of = drug(resource, others, drugs);
    if made_of.substances.is_empty() {
        let unknown = made_of.missing;
        return unknown.map_or(Ok(false), Err);
    }
    let (mut products, mut local) = (0, 0);
    for coding in concept(resource, others).into_iter().flat_map(codings) {
        let Some(code) = rxcui(coding, drugs) else {
            continue;
        };
        if drugs.kind(&code) == Some(DrugKind::Product) {
            products += 1;
            local += usize::from(drugs.name(&code).is_some_and(has_local_form));
        }
    }
    if products == 0 || local < products {
        return Ok(false);
    }
    let names = made_of.substances.names(drugs);
    Ok(!names.iter().any(|name| ABSORBED.contains(name)))
}

/// Whether the RxNorm name of a product ends in a local dose form, before the brand in brackets.
fn has_local_form(name: &str) -> bool {
    let generic = name.rsplit_once(" [").filter(|_| name.ends_with(']'));
    let name = generic.map_or(name, |(generic, _)| generic).to_lowercase();
    let ends = |form: &str| {
        let before = name.strip_suffix(form);
        before.is_some_and(|before| before.ends_with(' '))
    };
    !ends(NOT_LOCAL) && LOCAL_FORMS.iter().any(|form| ends(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ingredients_that_are_absorbed_are_in_the_dictionary() {
        let drugs = DrugDictionary::built_in_arc();
        for name in ABSORBED {
            let set = drugs.set_of(name).unwrap();
            assert_eq!(&*set.name, name);
        }
    }

    #[test]
    fn the_dose_form_says_whether_it_is_local() {
        let drugs = DrugDictionary::built_in_arc();
        let by_end = |end: &str, ingredient: &str| {
            let all = drugs.all(DrugKind::Product).into_iter();
            let mut found = all.filter(|code| {
                let name = drugs.name(code).unwrap();
                name.starts_with(ingredient) && name.ends_with(end)
            });
            found.next_back().unwrap().to_owned()
        };
        for (ingredient, end, local) in [
            ("ketoconazole", "Medicated Shampoo", "true"),
            ("ketoconazole", "Topical Cream", "true"),
            ("ketoconazole", "Oral Tablet", "false"),
            ("diclofenac", "Topical Gel", "true"),
            ("diclofenac", "Ophthalmic Solution", "true"),
            ("lidocaine", "Medicated Patch", "true"),
            ("lidocaine", "Mucous Membrane Topical Solution", "false"),
            ("ciprofloxacin", "Otic Solution", "true"),
            ("nitroglycerin", "Topical Ointment", "false"),
            ("", "Transdermal System", "false"),
            ("timolol", "Ophthalmic Solution", "false"),
            ("sumatriptan", "Nasal Spray", "false"),
        ] {
            let code = by_end(end, ingredient);
            assert_eq!(told(&[&code], &drugs), local, "{ingredient} {end}");
        }
        // Also with a brand, beside its ingredient; not where another code is of a tablet.
        let shampoo = by_end("Medicated Shampoo [Nizoral]", "ketoconazole");
        let tablet = by_end("Oral Tablet", "ketoconazole");
        assert_eq!(told(&[&shampoo], &drugs), "true");
        assert_eq!(told(&[&shampoo, "6135"], &drugs), "true");
        assert_eq!(told(&[&shampoo, &tablet], &drugs), "false");
        assert_eq!(told(&["6135"], &drugs), "false");
        assert_eq!(
            told(&["1"], &drugs),
            "a MedicationRequest has no code that the drug dictionary knows"
        );
    }

    fn told(codes: &[&str], drugs: &DrugDictionary) -> String {
        let coding = |code: &&str| {
            format!(r#"{{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"{code}"}}"#)
        };
        let codings: Vec<String> = codes.iter().map(coding).collect();
        let mut record = PatientRecord::new();
        let json = format!(
            r#"{{"resourceType":"MedicationRequest","id":"m","medicationCodeableConcept":{{"coding":[{}]}}}}"#,
            codings.join(",")
        );
        record.push(&json).unwrap();
        match is_local(record.resources().next().unwrap(), &[], drugs) {
            Ok(local) => local.to_string(),
            Err(reason) => reason.into_owned(),
        }
    }
}
