//! Words that stand beside or in place of the names of drugs in charts: dose forms as people write them,
//! what groups of drugs are called for short, and what allergies are to that is surely no drug.

/// Words of dose forms. None of them says what is in it.
const FORMS: [&str; 54] = [
    "auto-injector",
    "cap",
    "caps",
    "capsule",
    "capsules",
    "chewable",
    "coated",
    "cream",
    "delayed",
    "disintegrating",
    "dr",
    "drops",
    "ear",
    "ec",
    "elixir",
    "enteric",
    "enteric-coated",
    "er",
    "extended",
    "eye",
    "film",
    "film-coated",
    "for",
    "gel",
    "inhaler",
    "inhalation",
    "injectable",
    "injection",
    "iv",
    "lotion",
    "nasal",
    "ointment",
    "ophthalmic",
    "oral",
    "otic",
    "patch",
    "po",
    "powder",
    "prefilled",
    "rectal",
    "release",
    "solution",
    "spray",
    "sr",
    "suppository",
    "suspension",
    "syringe",
    "syrup",
    "tab",
    "tablet",
    "tablets",
    "tabs",
    "topical",
    "xr",
];

/// Whether a text is of words of dose forms only, in small letters.
pub(super) fn is_form(text: &str) -> bool {
    let words = text.split([' ', ',', '-']);
    let mut words = words.filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && (words.all(|word| FORMS.contains(&word)) || FORMS.contains(&text))
}

/// The text without words of dose forms at its end; `None` where there are none, or nothing is left.
pub(super) fn without_form(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((before, word)) = rest.rsplit_once(' ') {
        match is_form(word.trim_matches([',', '.'])) {
            true => rest = before.trim_end_matches([' ', ',']),
            false => break,
        }
    }
    (rest.len() < text.len() && !rest.is_empty()).then_some(rest)
}

/// What people call groups of drugs that they are allergic to, in small letters, and the classes that are meant:
/// each name means one thing only in a list of allergies.
const GROUPS: &[(&[&str], &[&str])] = &[
    (&["pcn", "pcns", "penicillin antibiotics"], &["penicillin"]),
    (
        &[
            "sulfa",
            "sulfas",
            "sulfa drugs",
            "sulfa antibiotics",
            "sulfa (sulfonamide antibiotics)",
            "sulfonamide",
            "sulfonamides",
            "sulphonamides",
            "sulpha",
        ],
        &["sulfonamide_abx"],
    ),
    (
        &[
            "nsaid",
            "nsaids",
            "nsaids (non-steroidal anti-inflammatory drug)",
            "non-steroidal anti-inflammatory drugs",
            "nonsteroidal anti-inflammatory drug",
            "nonsteroidal anti-inflammatory drugs",
        ],
        &["nsaid", "nsaid_cox1"],
    ),
    (&["ace-inhibitors", "acei", "ace inhibitor"], &["acei"]),
    (
        &["beta-lactams", "beta lactams"],
        &["penicillin", "cephalosporin", "carbapenem"],
    ),
    (&["quinolones", "quinolone"], &["fluoroquinolone"]),
    (&["statin", "statins"], &["statin"]),
    (&["ssri", "ssris"], &["ssri"]),
    (&["opioid", "opioids"], &["opioid"]),
];

/// The classes that a name in small letters stands for.
pub(super) fn group(name: &str) -> Option<&'static [&'static str]> {
    let found = GROUPS.iter().find(|(names, _)| names.contains(&name));
    found.map(|(_, classes)| *classes)
}

/// What allergies are to that is surely no drug, in small letters: the major food allergens of the United States
/// (21 U.S.C. 321(qq), as the FASTER Act of 2021 left it; with the examples that the FDA gives of nuts, fish and
/// crustaceans), those of Annex II of Regulation (EU) 1169/2011, natural rubber latex (21 CFR 801.437), and the
/// common allergens of the surroundings that the National Institute of Environmental Health Sciences names
/// (<https://www.niehs.nih.gov/health/topics/agents/allergens>). Sulfites stand in these lists, too, and are not
/// here, nor venoms and nickel: drugs have them.
const NOT_DRUGS: [&str; 75] = [
    "almond",
    "almonds",
    "animal dander",
    "barley",
    "brazil nut",
    "brazil nuts",
    "cashew",
    "cashews",
    "cat dander",
    "celery",
    "cockroach",
    "cockroaches",
    "cod",
    "cow milk",
    "cow's milk",
    "cows milk",
    "crab",
    "crustacean",
    "crustacean shellfish",
    "crustaceans",
    "dairy",
    "dog dander",
    "dust",
    "dust mite",
    "dust mites",
    "egg",
    "eggs",
    "fish",
    "flounder",
    "gluten",
    "grass pollen",
    "hazelnut",
    "hazelnuts",
    "house dust",
    "house dust mite",
    "house dust mites",
    "lobster",
    "lupin",
    "macadamia nuts",
    "milk",
    "mold",
    "molds",
    "molluscs",
    "mollusks",
    "mould",
    "mustard",
    "natural rubber latex",
    "nuts",
    "oats",
    "peanut",
    "peanuts",
    "pecan",
    "pecans",
    "pet dander",
    "pistachio",
    "pistachios",
    "pollen",
    "pollens",
    "ragweed",
    "rye",
    "sesame",
    "sesame seed",
    "sesame seeds",
    "shellfish",
    "shrimp",
    "soy",
    "soya",
    "soybean",
    "soybeans",
    "tree nut",
    "tree nuts",
    "tree pollen",
    "walnut",
    "walnuts",
    "wheat",
];

/// Whether what a name in small letters says is surely no drug.
pub(super) fn is_no_drug(name: &str) -> bool {
    NOT_DRUGS.contains(&name)
}
