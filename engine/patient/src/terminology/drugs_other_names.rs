//! What a name that RxNorm has not may stand for: the name of a drug elsewhere, a brand, a slip of the pen.
//!
//! Drugs have names that differ in few letters and are other drugs: piracetam is no paracetamol. So a name
//! is only taken for misspelt where it is very near to one drug and to no other.

use std::collections::BTreeSet;

use super::drugs_catalog::{Catalog, DrugKind};
use crate::finding::distance;

/// International and older names and common short forms, in small letters, and what RxNorm calls the drug.
const NAMES: &[(&str, &str)] = &[
    ("acetylsalicylic acid", "aspirin"),
    ("aciclovir", "acyclovir"),
    ("actinomycin d", "dactinomycin"),
    ("adrenaline", "epinephrine"),
    ("adriamycin", "doxorubicin"),
    ("alimemazine", "trimeprazine"),
    ("amethocaine", "tetracaine"),
    ("amfetamine", "amphetamine"),
    ("amylobarbitone", "amobarbital"),
    ("apap", "acetaminophen"),
    ("asa", "aspirin"),
    ("beclometasone", "beclomethasone"),
    ("bendrofluazide", "bendroflumethiazide"),
    ("benzatropine", "benztropine"),
    ("benzhexol", "trihexyphenidyl"),
    ("benzylpenicillin", "penicillin G"),
    ("cefalexin", "cephalexin"),
    ("cefalotin", "cephalothin"),
    ("cefapirin", "cephapirin"),
    ("cefradine", "cephradine"),
    ("chlormethine", "mechlorethamine"),
    ("chlorphenamine", "chlorpheniramine"),
    ("chlortalidone", "chlorthalidone"),
    ("ciclosporin", "cyclosporine"),
    ("cinchocaine", "dibucaine"),
    ("clomethiazole", "chlormethiazole"),
    ("clomifene", "clomiphene"),
    ("colecalciferol", "cholecalciferol"),
    ("cromoglicate", "cromolyn"),
    ("cromoglicic acid", "cromolyn"),
    ("cyanocobalamin", "vitamin B12"),
    ("cyclosporin", "cyclosporine"),
    ("daunomycin", "daunorubicin"),
    ("dexamfetamine", "dextroamphetamine"),
    ("dextropropoxyphene", "propoxyphene"),
    ("diamorphine", "heroin"),
    ("dicycloverine", "dicyclomine"),
    ("dimeticone", "dimethicone"),
    ("diphenylhydantoin", "phenytoin"),
    ("dosulepin", "dothiepin"),
    ("ergometrine", "ergonovine"),
    ("etamsylate", "ethamsylate"),
    ("ethinylestradiol", "ethinyl estradiol"),
    ("flupentixol", "flupenthixol"),
    ("folinic acid", "leucovorin"),
    ("frusemide", "furosemide"),
    ("glibenclamide", "glyburide"),
    ("glyceryl trinitrate", "nitroglycerin"),
    ("guaiphenesin", "guaifenesin"),
    ("hctz", "hydrochlorothiazide"),
    ("hexamine", "methenamine"),
    ("hydroxycarbamide", "hydroxyurea"),
    ("hyoscine", "scopolamine"),
    ("hyoscine butylbromide", "butylscopolamine"),
    ("indometacin", "indomethacin"),
    ("isoprenaline", "isoproterenol"),
    ("l-dopa", "levodopa"),
    ("levomepromazine", "methotrimeprazine"),
    ("levosalbutamol", "levalbuterol"),
    ("lignocaine", "lidocaine"),
    ("mecillinam", "amdinocillin"),
    ("mepacrine", "quinacrine"),
    ("mepyramine", "pyrilamine"),
    ("mercaptamine", "cysteamine"),
    ("mesalazine", "mesalamine"),
    ("metamizole", "dipyrone"),
    ("methylthioninium chloride", "methylene blue"),
    ("meticillin", "methicillin"),
    ("mitozantrone", "mitoxantrone"),
    ("mustine", "mechlorethamine"),
    ("nicoumalone", "acenocoumarol"),
    ("noradrenaline", "norepinephrine"),
    ("norethisterone", "norethindrone"),
    ("oestradiol", "estradiol"),
    ("oestriol", "estriol"),
    ("orciprenaline", "metaproterenol"),
    ("oxpentifylline", "pentoxifylline"),
    ("oxybuprocaine", "benoxinate"),
    ("paracetamol", "acetaminophen"),
    ("pentobarbitone", "pentobarbital"),
    ("pethidine", "meperidine"),
    ("phenobarbitone", "phenobarbital"),
    ("phenoxymethylpenicillin", "penicillin V"),
    ("phytomenadione", "vitamin K1"),
    ("phytonadione", "vitamin K1"),
    ("pizotifen", "pizotyline"),
    ("procaine benzylpenicillin", "penicillin G procaine"),
    ("quinalbarbitone", "secobarbital"),
    ("rifampicin", "rifampin"),
    ("salazosulfapyridine", "sulfasalazine"),
    ("salbutamol", "albuterol"),
    ("simeticone", "simethicone"),
    // As Synthea writes it, with a code that RxNorm has retired.
    ("simvistatin", "simvastatin"),
    ("sodium cromoglicate", "cromolyn sodium"),
    ("stilboestrol", "diethylstilbestrol"),
    ("sulfadimidine", "sulfamethazine"),
    ("sulphamethoxazole", "sulfamethoxazole"),
    ("sulphasalazine", "sulfasalazine"),
    ("suxamethonium", "succinylcholine"),
    ("tetracosactide", "cosyntropin"),
    ("thiamazole", "methimazole"),
    ("thiopentone", "thiopental"),
    ("thyroxine", "levothyroxine"),
    ("torasemide", "torsemide"),
    ("tribavirin", "ribavirin"),
    ("trinitrin", "nitroglycerin"),
    ("ursodeoxycholic acid", "ursodiol"),
    ("vitamin c", "ascorbic acid"),
    ("vitamin d2", "ergocalciferol"),
    ("vitamin d3", "cholecalciferol"),
];

/// What RxNorm calls a drug of this name, in small letters, of another country.
pub(super) fn rxnorm_name(name: &str) -> Option<&'static str> {
    let known = NAMES.iter().find(|(other, _)| *other == name);
    known.map(|(_, name)| *name)
}

/// A name of this many letters may have two slips in it, a shorter one has one.
const LONG: usize = 10;

/// What to write instead of a name that is none of an ingredient.
pub(super) fn other_name(catalog: &Catalog, term: &str) -> Option<String> {
    let wanted = term.to_lowercase();
    let known = NAMES.iter().find(|(other, _)| *other == wanted);
    let known = known.filter(|(_, name)| catalog.by_name().contains_key(&name.to_lowercase()));
    if let Some((_, name)) = known {
        return Some(format!("RxNorm calls it `{name}`: write that"));
    }
    brand(catalog, term).or_else(|| near(catalog, &wanted))
}

/// By the brand in the names of products: `ibuprofen 200 MG Oral Tablet [Advil]`.
fn brand(catalog: &Catalog, term: &str) -> Option<String> {
    let brand_of = |name| -> Option<&str> {
        let (_, brand) = str::rsplit_once(name, '[')?;
        brand.strip_suffix(']')
    };
    let mut written = None;
    let mut ingredients = BTreeSet::new();
    for drug in catalog.all().filter(|one| one.kind == DrugKind::Product) {
        let brand = brand_of(catalog.name(drug));
        let Some(brand) = brand.filter(|brand| brand.eq_ignore_ascii_case(term)) else {
            continue;
        };
        written = written.or(Some(brand));
        let named = catalog.named(catalog.ingredients(drug));
        ingredients.extend(named.into_iter().map(|one| one.name));
    }
    let brand = written?;
    let all: Vec<&str> = ingredients.into_iter().collect();
    Some(match all.as_slice() {
        [name] => format!("write `{name}`: {brand} is a brand of it"),
        names => format!(
            "{brand} is a brand of products with `{}`: name which you mean",
            names.join("`, `")
        ),
    })
}

/// The one ingredient that the name may be a misspelling of.
fn near(catalog: &Catalog, wanted: &str) -> Option<String> {
    let letters = wanted.chars().count();
    let limit = if letters < LONG { 1 } else { 2 };
    let mut found = vec![];
    for name in catalog.by_name().keys() {
        let length = name.chars().count();
        if length.abs_diff(letters) > limit || name.chars().next() != wanted.chars().next() {
            continue;
        }
        let slips = distance(wanted, name);
        if slips <= limit {
            found.push((slips, name));
        }
    }
    found.sort_unstable();
    match found.as_slice() {
        [(_, name)] => Some(format!("did you mean `{name}`?")),
        [(first, name), (second, _), ..] if first < second => {
            Some(format!("did you mean `{name}`?"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::DrugDictionary;

    #[test]
    fn names_of_other_countries_and_brands() {
        let drugs = DrugDictionary::built_in_arc();
        let help = |term: &str| drugs.set_of(term).unwrap_err().help;
        // Each is needed, and what it stands for is there.
        for (other, name) in NAMES {
            assert_eq!(help(other), format!("RxNorm calls it `{name}`: write that"));
            assert!(drugs.set_of(name).is_ok(), "{name}");
        }
        assert!(NAMES.is_sorted());
        assert_eq!(help("Advil"), "write `ibuprofen`: Advil is a brand of it");
        let augmentin = help("augmentin");
        assert!(
            augmentin.contains("`amoxicillin`, `clavulanate`"),
            "{augmentin}"
        );
        assert_eq!(help("warfarine"), "did you mean `warfarin`?");
        assert_eq!(
            help("hydrochlorotiazid"),
            "did you mean `hydrochlorothiazide`?"
        );
    }

    /// A drug that is not there is not taken for another whose name looks like it.
    #[test]
    fn no_drug_for_another() {
        let drugs = DrugDictionary::built_in_arc();
        for term in [
            "paracetamole",
            "gliclazid mr",
            "clonazidine",
            "acarb",
            "tea",
            "x",
        ] {
            let help = drugs.set_of(term).unwrap_err().help;
            assert!(help.starts_with("name an ingredient"), "{term}: {help}");
        }
    }
}
