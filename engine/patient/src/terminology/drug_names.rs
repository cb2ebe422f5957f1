//! Which drug a name stands for: that of RxNorm, in full, a brand, what people write of allergies.
//!
//! A name is read only where every word of it is understood. So no drug is taken for another that is called
//! much the same, and no part of a combination for the whole: `acetaminophen 300 MG / codeine phosphate 30 MG
//! Oral Tablet` is both, `acetaminophen with codeine` is nothing that is known.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::drug_meaning::Substances;
use super::drug_words;
use super::drugs::{DrugClass, DrugDictionary};
use super::drugs_catalog::{Catalog, DrugKind};
use super::drugs_other_names::rxnorm_name;

/// The drug that a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDrug {
    /// What is in it.
    pub substances: Substances,
    /// Whether that is all. Of a drug that needs the strength of each ingredient: of an ingredient alone there may
    /// be more in what was meant. Of an allergen that none is a class, as no list of a class has all its members.
    pub is_whole: bool,
}

/// Units of strengths in names of RxNorm, in capitals.
const STRENGTHS: [&str; 18] = [
    "ACTUAT", "AMB", "AU", "BAU", "CELLS", "G", "HR", "IR", "L", "MCG", "MCI", "MEQ", "MG", "ML",
    "MMOL", "PNU", "SQCM", "UNT",
];

impl DrugDictionary {
    /// The drug of a name as RxNorm writes it: ingredients or salts, each with its strength, then perhaps a dose
    /// form of RxNorm and in brackets a brand that has just these (`diazepam 5 MG Oral Tablet [Valium]`); or the
    /// names of ingredients alone. Also a brand of which all products have the same in them, with a strength or
    /// without (`Lasix 40mg`), strengths without a blank, and dose forms as people write them (`tab`, `capsule ER`).
    /// `None` where a part of it is anything else.
    #[must_use]
    pub fn drug_named(&self, name: &str) -> Option<NamedDrug> {
        let name = with_blanks(&name.trim().to_lowercase());
        let (name, brand) = match name.strip_suffix(']') {
            Some(rest) => {
                let (name, brand) = rest.rsplit_once(" [")?;
                (name.trim_end(), Some(brand))
            }
            None => (name.as_str(), None),
        };
        let name = without_amount(name);
        let mut found = NamedDrug {
            substances: Substances::default(),
            is_whole: true,
        };
        let parts: Vec<&str> = name.split(" / ").map(str::trim).collect();
        for (number, part) in parts.iter().enumerate() {
            let is_last = number + 1 == parts.len();
            let (ingredient, rest) = match strength(part) {
                Some((ingredient, rest)) => (ingredient, rest),
                None => {
                    found.is_whole = false;
                    (*part, "")
                }
            };
            let is_form =
                |rest: &str| self.catalog.has_dose_form(rest) || drug_words::is_form(rest);
            let form_fits = rest.is_empty() || is_last && is_form(rest);
            if !form_fits {
                return None;
            }
            let without_form = drug_words::without_form(ingredient).filter(|_| is_last);
            let mut names = [Some(ingredient), without_form].into_iter().flatten();
            if let Some(ingredient) = names.clone().find_map(|name| self.ingredient_named(name)) {
                found.substances.add(&ingredient);
                continue;
            }
            // A brand is all that is in it, and stands alone.
            let of_brand = names.find_map(|name| self.brand_named(name));
            found
                .substances
                .add(&of_brand.filter(|_| parts.len() == 1)?);
            found.is_whole = true;
        }
        let made_of = &found.substances.ingredients;
        let fits = brand.is_none_or(|brand| self.catalog.is_brand_of(brand, made_of));
        fits.then_some(found)
    }

    /// What an allergy is to, by what people call it: `Penicillin allergy`, `Allergy to penicillin V (finding)`,
    /// `Cephalosporins`, `Sulfa`, `PCN`, `Bactrim`. Nothing is in what is surely no drug: `Peanuts`. `None` where
    /// these are no names of ingredients, classes, brands or such things, letter by letter.
    #[must_use]
    pub fn allergen_named(&self, text: &str) -> Option<NamedDrug> {
        let text = text.trim().to_lowercase();
        if let Some(classes) = drug_words::group(&text) {
            return self.all_of(classes);
        }
        let text = match text.strip_suffix(')') {
            Some(rest) => {
                let (rest, kind) = rest.rsplit_once(" (")?;
                KINDS.contains(&kind).then_some(rest)?
            }
            None => text.as_str(),
        };
        let text = BEFORE
            .iter()
            .find_map(|words| text.strip_prefix(words))
            .unwrap_or(text);
        let text = BEHIND
            .iter()
            .find_map(|words| text.strip_suffix(words))
            .unwrap_or(text);
        let mut found = NamedDrug {
            substances: Substances::default(),
            is_whole: true,
        };
        for part in text.split(" / ").map(str::trim) {
            if drug_words::is_no_drug(part) {
                continue;
            }
            if let Some(known) = self
                .ingredient_named(part)
                .or_else(|| self.brand_named(part))
            {
                found.substances.add(&known);
                continue;
            }
            found.is_whole = false;
            let members = match drug_words::group(part) {
                Some(classes) => self.all_of(classes).map(|all| all.substances),
                None => self.class_named(part),
            };
            found.substances.add(&members?);
        }
        Some(found)
    }

    /// The known members of classes; there are others. `None` where the dictionary does not have them.
    fn all_of(&self, classes: &[&str]) -> Option<NamedDrug> {
        let mut substances = Substances::default();
        for class in classes {
            for member in &self.class(class)?.members {
                substances.add(&self.substances_of(member)?);
            }
        }
        Some(NamedDrug {
            substances,
            is_whole: false,
        })
    }

    /// What is in all products of a brand, in small letters; `None` where they differ.
    fn brand_named(&self, name: &str) -> Option<Substances> {
        let all = self.catalog.brands().get(name)?;
        let mut compositions = all.iter();
        let (Some(ingredients), None) = (compositions.next(), compositions.next()) else {
            return None;
        };
        let mut found = Substances::default();
        for number in ingredients {
            let code = self.catalog.code(self.catalog.get(*number)?);
            found.add(&self.substances_of(code)?);
        }
        (!found.is_empty()).then_some(found)
    }

    fn ingredient_named(&self, name: &str) -> Option<Substances> {
        let by_name = self.catalog.by_name();
        let number = by_name
            .get(name)
            .or_else(|| by_name.get(&rxnorm_name(name)?.to_lowercase()));
        let code = self.catalog.code(self.catalog.get(*number?)?);
        let found = self.substances_of(code);
        found.filter(|found| !found.has_salt_of_unknown(self))
    }

    /// The known members of a class, by its name, also of one member: `penicillin`. There are others: a list is as
    /// long as the rules need it, and what stands in brackets behind its name is left out of it.
    fn class_named(&self, name: &str) -> Option<Substances> {
        let fits = |class: &&DrugClass| {
            let full = class.name.to_lowercase();
            let plain = full.split(" (").next().unwrap_or_default();
            plain == name || plain.strip_suffix('s') == Some(name)
        };
        let class = self.all_classes().find(fits)?;
        let mut found = Substances::default();
        for member in &class.members {
            found.add(&self.substances_of(member)?);
        }
        Some(found)
    }
}

/// What stands before the name of what an allergy is to.
const BEFORE: [&str; 8] = [
    "food allergy to ",
    "drug allergy to ",
    "allergy to ",
    "allergic to ",
    "allergic reaction to ",
    "hypersensitivity to ",
    "intolerance to ",
    "propensity to adverse reactions to ",
];
/// And behind it.
const BEHIND: [&str; 5] = [
    " food allergy",
    " allergy",
    " hypersensitivity",
    " intolerance",
    " sensitivity",
];
/// What a name in SNOMED CT is of.
const KINDS: [&str; 7] = [
    "disorder",
    "finding",
    "medicinal product",
    "product",
    "situation",
    "substance",
    "organism",
];

/// The name without the amount in a package before it: `200 ACTUAT albuterol …`, `NDA020800 0.3 ML …`,
/// `24 HR metformin …`.
fn without_amount(name: &str) -> &str {
    let approval = |word: &str| {
        let digits = word
            .strip_prefix("nda")
            .or_else(|| word.strip_prefix("anda"));
        digits
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let name = match name.split_once(' ') {
        Some((word, rest)) if approval(word) => rest,
        _ => name,
    };
    let mut words = name.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(number), Some(unit), Some(rest)) if is_number(number) && is_strength(unit) => rest,
        _ => name,
    }
}

/// `simvastatin`, `Oral Tablet` of `simvastatin 10 MG Oral Tablet`: by the last number with a unit.
fn strength(part: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    let words: Vec<(usize, &str)> = part
        .split(' ')
        .map(|word| {
            let start = at;
            at += word.len() + 1;
            (start, word)
        })
        .collect();
    let found = words.windows(2).rev().find_map(|pair| match pair {
        [(start, number), (unit_start, unit)] if is_number(number) && is_strength(unit) => {
            Some((*start, unit_start + unit.len()))
        }
        _ => None,
    });
    let (start, end) = found?;
    let (ingredient, rest) = (part.get(..start)?.trim(), part.get(end..)?.trim());
    (!ingredient.is_empty()).then_some((ingredient, rest))
}

/// `40 mg` of `40mg`.
fn with_blanks(name: &str) -> String {
    let words = name.split(' ').map(|word| {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
        let parts = end.and_then(|end| word.split_at_checked(end));
        match parts {
            Some((number, unit)) if is_number(number) && is_strength(unit) => {
                format!("{number} {unit}")
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
}

/// `mg`, `mg/ml`, `mg/5ml`, `%`
fn is_strength(word: &str) -> bool {
    let known = |unit: &str| {
        STRENGTHS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(unit))
    };
    let amount = |(place, unit): (usize, &str)| match place {
        0 => known(unit),
        // `mg/5ml`
        _ => known(unit.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')),
    };
    word == "%" || word.split('/').enumerate().all(amount)
}

impl Catalog {
    /// Whether it is a dose form of RxNorm, in small letters: one that the name of a product ends in.
    fn has_dose_form(&self, form: &str) -> bool {
        self.dose_forms().contains(form)
    }

    /// Whether a product of this brand, in small letters, has just these ingredients.
    fn is_brand_of(&self, brand: &str, ingredients: &[u32]) -> bool {
        let of_brand = self.brands().get(brand);
        of_brand.is_some_and(|all| all.contains(ingredients))
    }

    /// What products of a brand are made of. Packs are called as what is in them, too.
    pub(super) fn find_brands(&self) -> FxHashMap<String, BTreeSet<Vec<u32>>> {
        let mut found: FxHashMap<String, BTreeSet<Vec<u32>>> = FxHashMap::default();
        for product in self.all().filter(|one| one.kind == DrugKind::Product) {
            let name = self.name(product).strip_suffix(']');
            if let Some((_, brand)) = name.and_then(|name| name.rsplit_once(" [")) {
                let all = found.entry(brand.to_lowercase()).or_default();
                all.insert(self.ingredients(product).to_vec());
            }
        }
        found
    }

    pub(super) fn find_dose_forms(&self) -> BTreeSet<String> {
        let products = self.all().filter(|one| one.kind == DrugKind::Product);
        let mut found = BTreeSet::new();
        for product in products {
            // Packs are no dose forms, though they end in brackets, too.
            let name = self.name(product);
            if name.starts_with('{') || !matches!(self.term_type(product), "SCD" | "SBD") {
                continue;
            }
            let name = name.rsplit_once(" [").map_or(name, |(generic, _)| generic);
            let last = name.rsplit(" / ").next().unwrap_or_default();
            let form = strength(last).map_or("", |(_, form)| form);
            if !form.is_empty() && !found.contains(form) {
                found.insert(form.to_lowercase());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        let drugs = DrugDictionary::built_in_arc();
        match drugs.drug_named(name) {
            None => "-".to_owned(),
            Some(found) => {
                let names = found.substances.names(&drugs).join(", ");
                let whole = if found.is_whole { "" } else { ", perhaps more" };
                format!("{names}{whole}")
            }
        }
    }

    #[test]
    fn names_of_rxnorm() {
        for (name, expected) in [
            ("Hydrochlorothiazide 25 MG", "hydrochlorothiazide"),
            ("Verapamil Hydrochloride 40 MG", "verapamil"),
            ("Acetaminophen 160 MG Oral Tablet", "acetaminophen"),
            (
                "Acetaminophen 300 MG / HYDROcodone Bitartrate 5 MG",
                "acetaminophen, hydrocodone",
            ),
            (
                "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
                "albuterol",
            ),
            (
                "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
                "metformin",
            ),
            (
                "NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector",
                "epinephrine",
            ),
            // Without a strength there may be more in it.
            ("Diazepam [Valium]", "diazepam, perhaps more"),
            ("diazepam 5 MG Oral Tablet [Valium]", "diazepam"),
            ("warfarin", "warfarin, perhaps more"),
            ("paracetamol", "acetaminophen, perhaps more"),
            (
                "Sulfamethoxazole / Trimethoprim",
                "sulfamethoxazole, trimethoprim, perhaps more",
            ),
            ("Simvistatin 10 MG", "simvastatin"),
            // A brand says all that is in it.
            ("Lasix 40mg", "furosemide"),
            ("Lasix", "furosemide"),
            ("Lasix tablets", "furosemide"),
            ("LASIX 40 mg oral tablet", "furosemide"),
            ("Bactrim", "sulfamethoxazole, trimethoprim"),
            ("Lasix 40mg / warfarin 5 mg", "-"),
            ("Lasix with warfarin", "-"),
            ("Lasix pm", "-"),
            ("no Lasix", "-"),
            // As people write them.
            ("clarithromycin 500 mg tablet", "clarithromycin"),
            ("clarithromycin 500mg tabs", "clarithromycin"),
            ("Clarithromycin tablet 500 mg", "clarithromycin"),
            ("amoxicillin 250mg/5mL oral suspension", "amoxicillin"),
            ("metoprolol ER", "metoprolol, perhaps more"),
            ("clarithromycin tablet", "clarithromycin, perhaps more"),
            ("acetaminophen 300mg/codeine 30mg tab", "-"),
            ("clarithromycin 500 mg tablet warfarin", "-"),
            ("warfarin tablet daily", "-"),
            ("tablet", "-"),
            // A part that is not understood leaves nothing.
            ("Simvustatin 10 MG", "-"),
            ("acetaminophen 300 MG with codeine", "-"),
            ("acetaminophen 300 MG / codein 30 MG Oral Tablet", "-"),
            ("acetaminophen 300 MG Oral Tablet plus codeine", "-"),
            ("stop warfarin 5 MG Oral Tablet", "-"),
            ("no warfarin", "-"),
            ("warfarin 5 MG daily", "-"),
            ("", "-"),
            ("[Valium]", "-"),
            // In brackets nothing is known but brands, and each of its own drugs.
            ("amoxicillin 250 MG Oral Capsule [plus warfarin]", "-"),
            ("amoxicillin 250 MG Oral Capsule [warfarin]", "-"),
            ("amoxicillin 250 MG Oral Capsule [Valium]", "-"),
            ("diazepam 5 MG / codeine 30 MG [Valium]", "-"),
            ("warfarin []", "-"),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }

    /// The names of all products of the dictionary, read as if their codes were not known: never another
    /// ingredient than it has.
    #[test]
    fn no_name_of_rxnorm_is_read_as_another_drug() {
        let drugs = DrugDictionary::built_in_arc();
        let (mut read, mut all, mut other) = (0, 0, BTreeSet::new());
        for code in drugs.all(DrugKind::Product) {
            all += 1;
            let Some(found) = drugs.drug_named(drugs.name(code).unwrap()) else {
                continue;
            };
            read += 1;
            let joined = |substances: &Substances| {
                let mut names = substances.names(&drugs);
                names.sort_unstable();
                names.join(", ")
            };
            let names = joined(&found.substances);
            let known = joined(&drugs.substances_of(code).unwrap());
            if names != known {
                other.insert((names, known));
            }
        }
        // The relations of RxNorm and its names tell different ingredients.
        let other: Vec<_> = other
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            other,
            [
                (
                    "salicylic acid, sodium thiosulfate",
                    "salicylic acid, thiosulfate"
                ),
                ("sodium thiosulfate", "thiosulfate")
            ]
        );
        // Most can be read: the test is about something.
        assert!(read * 10 > all * 8, "{read} of {all}");
    }

    #[test]
    fn what_people_call_an_allergy() {
        let drugs = DrugDictionary::built_in_arc();
        let told = |text: &str| drugs.allergen_named(text).map(|found| found.substances);
        let amoxicillin = drugs.substances_of("723").unwrap();
        for text in [
            "Penicillin",
            "PENICILLINS",
            "Allergy to penicillin",
            "Penicillin allergy",
            "Allergy to penicillin (finding)",
            "Amoxicillin",
            "Allergy to amoxicillin",
            "Amoxicillin / Clavulanate",
            "PCN",
            "pcn allergy",
            "Augmentin",
            "Allergy to beta-lactams",
            "Penicillins / Peanuts",
        ] {
            let found = told(text).unwrap();
            assert!(found.share_ingredient(&amoxicillin), "{text}");
        }
        for text in [
            "no penicillin allergy",
            "penicillin allergy ruled out",
            "Allergy to penicillin (mother)",
            "family history of penicillin allergy",
            "penicilin",
            "sulfates",
            "sulfites",
            "bee venom",
            "peanuts and penicillin",
            "milk of magnesia",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
        assert!(
            !told("Cephalosporins")
                .unwrap()
                .share_ingredient(&amoxicillin)
        );
    }

    #[test]
    fn short_names_of_groups_and_what_is_no_drug() {
        let drugs = DrugDictionary::built_in_arc();
        let has = |text: &str, rxcui: &str| {
            let found = drugs.allergen_named(text).unwrap();
            let one = drugs.substances_of(rxcui).unwrap();
            assert!(!found.is_whole, "{text}");
            found.substances.share_ingredient(&one)
        };
        let (smx, ibuprofen, aspirin, glyburide) = ("10180", "5640", "1191", "4815");
        for text in [
            "Sulfa",
            "SULFA DRUGS",
            "Sulfa (Sulfonamide Antibiotics)",
            "Allergy to sulfonamides",
        ] {
            assert!(has(text, smx) && !has(text, glyburide), "{text}");
        }
        assert!(has("NSAIDs", ibuprofen) && has("NSAIDs", aspirin) && !has("NSAIDs", smx));
        // All of them are classes of the dictionary.
        for text in [
            "ACE-inhibitors",
            "quinolones",
            "statins",
            "SSRIs",
            "opioids",
            "nsaid",
        ] {
            assert!(
                !drugs.allergen_named(text).unwrap().substances.is_empty(),
                "{text}"
            );
        }
        for text in [
            "Peanut",
            "Peanuts",
            "Allergy to peanut (finding)",
            "Shellfish allergy",
            "Shellfish (substance)",
            "Tree nuts / Eggs",
            "Cow's milk (substance)",
            "Natural rubber latex",
            "House dust mite (organism)",
        ] {
            let found = drugs.allergen_named(text).unwrap();
            assert!(found.is_whole && found.substances.is_empty(), "{text}");
        }
    }

    /// No list of a class has all its members: there may be more, whatever the class.
    #[test]
    fn a_class_is_never_known_in_full() {
        let drugs = DrugDictionary::built_in_arc();
        let (mut read, mut all) = (0, 0);
        for class in drugs.all_classes() {
            all += 1;
            let plain = class.name.split(" (").next().unwrap();
            // ` / ` in a name is read as between two.
            let Some(found) = drugs.allergen_named(plain) else {
                continue;
            };
            read += 1;
            assert!(!found.is_whole, "{}", class.name);
        }
        assert!(read * 10 > all * 9, "{read} of {all}");
        let whole = |text: &str| drugs.allergen_named(text).unwrap().is_whole;
        assert!(!whole("Penicillin / Warfarin") && whole("Amoxicillin / Clavulanate"));
    }
}
