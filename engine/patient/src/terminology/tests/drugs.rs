use super::super::{DrugDictionary, DrugFiles, DrugKind, DrugSet, Ingredient};

const INGREDIENTS: &str = "rxcui,tty,name,in_rxcui\n28004,PIN,isosorbide mononitrate,6057\n6057,IN,isosorbide,\n\
    5487,IN,hydrochlorothiazide,\n29046,IN,lisinopril,\n777,PIN,lonely salt,\n";
const PRODUCTS: &str = "rxcui,tty,name,ingredients,precise_ingredients\n\
    197886,SCD,hydrochlorothiazide 12.5 MG / lisinopril 20 MG Oral Tablet,29046|5487,\n\
    900,SCD,\"isosorbide mononitrate 10 MG, Oral Tablet\",6057,28004\n";
const CLASSES: &str = "class_id,class_name,rxcui\nnitrate,Organic nitrates,28004\nraas,ACE inhibitors,29046\nany,Any,29046\n";

fn read(
    ingredients: &str,
    products: &str,
    classes: &str,
    ndc: Option<&str>,
) -> Result<DrugDictionary, Vec<String>> {
    DrugDictionary::from_csv(&DrugFiles {
        ingredients: ("i.csv", ingredients.as_bytes()),
        products: ("p.csv", products.as_bytes()),
        classes: Some(("c.csv", classes.as_bytes())),
        ndc: ndc.map(|text| ("n.csv", text.as_bytes())),
    })
    .map_err(|errors| {
        errors
            .iter()
            .map(|one| format!("{}:{} {}", one.file, one.line, one.message))
            .collect()
    })
}

fn codes<'d>(list: Vec<Ingredient<'d>>) -> Vec<&'d str> {
    list.iter().map(|one| one.rxcui).collect()
}

#[test]
fn products_ingredients_and_classes() {
    let drugs = read(
        INGREDIENTS,
        PRODUCTS,
        CLASSES,
        Some("ndc,rxcui\n00093172101,900\n"),
    )
    .unwrap();
    assert_eq!(codes(drugs.ingredients("197886")), ["5487", "29046"]);
    assert_eq!(drugs.ingredients("197886")[0].name, "hydrochlorothiazide");
    assert_eq!(codes(drugs.ingredients("29046")), ["29046"]);
    assert_eq!(codes(drugs.ingredients("28004")), ["6057"]);
    assert_eq!(codes(drugs.precise_ingredients("28004")), ["28004"]);
    assert_eq!(codes(drugs.ingredients("777")), ["777"]);
    assert_eq!(drugs.substances("777").len(), 1);
    assert!(drugs.ingredients("1").is_empty() && drugs.kind("1").is_none());
    assert_eq!(codes(drugs.precise_ingredients("900")), ["28004"]);
    assert_eq!(
        drugs.name("900"),
        Some("isosorbide mononitrate 10 MG, Oral Tablet")
    );
    assert_eq!(
        (drugs.tty("900"), drugs.kind("900")),
        (Some("SCD"), Some(DrugKind::Product))
    );
    assert_eq!(
        drugs
            .classes("29046")
            .iter()
            .map(|one| &**one)
            .collect::<Vec<_>>(),
        ["any", "raas"]
    );
    assert_eq!(drugs.classes("6057").len(), 0);
    // The class of the salt reaches the product; that of the base does not exist.
    assert_eq!(
        drugs
            .classes_of("900")
            .iter()
            .map(|one| &**one)
            .collect::<Vec<_>>(),
        ["nitrate"]
    );
    assert_eq!(drugs.members("nitrate").len(), 1);
    assert_eq!(drugs.members("none").len(), 0);
    assert_eq!(drugs.rxcui_of_ndc("00093172101"), Some("900"));
    assert_eq!(drugs.all(DrugKind::Ingredient), ["5487", "6057", "29046"]);
    let (bare, _) = (
        read(INGREDIENTS, PRODUCTS, "class_id,class_name,rxcui\n", None).unwrap(),
        (),
    );
    assert_eq!(bare.classes_of("900").len(), 0);
    assert_eq!(bare.with_classes_from(&drugs).classes_of("900").len(), 1);
}

#[test]
fn every_wrong_row_is_told_with_its_line() {
    let ingredients = format!(
        "{INGREDIENTS}x1,IN,bad,\n5487,IN,twice,\n8,SCD,no,\n9,PIN,salt,404\n10,IN,in,5487\n11,IN\n"
    );
    let products = format!(
        "{PRODUCTS}901,SCD,none,,\n902,SCD,unknown,404,\n903,SCD,salt as base,28004,\n904,SCD,,5487,\n"
    );
    let classes = format!(
        "{CLASSES}nitrate,Nitrates,6057\nnitrate,Organic nitrates,28004\nraas,ACE inhibitors,197886\nraas,ACE inhibitors,404\n"
    );
    let ndc = "ndc,rxcui\n0009-3172,900\n00093172101,900\n00093172101,197886\n00093172102,404\n";
    assert_eq!(
        read(&ingredients, &products, &classes, Some(ndc)).unwrap_err(),
        [
            "c.csv:5 class `nitrate` is named `Organic nitrates` and `Nitrates`",
            "c.csv:6 `28004` is in class `nitrate` twice",
            "c.csv:7 `197886` is a product, not an ingredient",
            "c.csv:8 ingredient `404` is unknown",
            "i.csv:7 `x1` is not an RxCUI",
            "i.csv:8 code `5487` stands for `hydrochlorothiazide` and for `twice`",
            "i.csv:9 `8` has term type `SCD`",
            "i.csv:10 ingredient `404` is unknown",
            "i.csv:11 ingredient `10` has an `in_rxcui`",
            "i.csv:12 the row has 2 fields",
            "n.csv:2 `0009-3172` is not an NDC of 11 digits",
            "n.csv:4 NDC `00093172101` belongs to `900` and to `197886`",
            "n.csv:5 code `404` is not in the dictionary",
            "p.csv:4 product `901` has no ingredients",
            "p.csv:5 ingredient `404` is unknown",
            "p.csv:6 `28004` is a PIN, not what is expected here",
            "p.csv:7 code `904` has no name",
        ]
    );
}

#[test]
fn wrong_files_are_told() {
    assert_eq!(
        read("", "a,b\n1,2\n", CLASSES, None).unwrap_err()[3..],
        ["i.csv:1 the file is empty", "p.csv:1 the header is `a,b`"]
    );
    let latin1 = b"rxcui,tty,name,in_rxcui\n1,IN,\xe9,\n2,IN,ok,\n";
    let errors = DrugDictionary::from_csv(&DrugFiles {
        ingredients: ("i.csv", latin1),
        products: ("p.csv", b"rxcui,tty,name,ingredients,precise_ingredients\n"),
        classes: None,
        ndc: None,
    })
    .unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].to_string(),
        "error: the row is not UTF-8\n  --> i.csv:2\n   = help: the columns are `rxcui,tty,name,in_rxcui`"
    );
}

#[test]
fn the_built_in_dictionary_is_whole() {
    let drugs = DrugDictionary::built_in().unwrap();
    assert_eq!(
        drugs.count(DrugKind::Ingredient) + drugs.count(DrugKind::PreciseIngredient),
        8588
    );
    assert_eq!(drugs.count(DrugKind::Product), 20_344);
    let types = ["SCD", "SBD", "GPCK", "BPCK"].map(|tty| drugs.count_of_type(tty));
    assert_eq!(types, [12_244, 7846, 232, 22]);
    assert_eq!(drugs.all_classes().count(), 89);
    // warfarin sodium 5 MG Oral Tablet
    assert_eq!(codes(drugs.ingredients("855332")), ["11289"]);
    assert_eq!(codes(drugs.precise_ingredients("855332")), ["114194"]);
    // Jantoven 5 MG, its brand.
    let brand = drugs.all(DrugKind::Product).into_iter();
    let brand = brand.filter(|one| drugs.tty(one) == Some("SBD"));
    let mut jantoven = brand.filter(|one| drugs.name(one).unwrap().contains("[Jantoven]"));
    assert_eq!(
        codes(drugs.ingredients(jantoven.next().unwrap())),
        ["11289"]
    );
    // Every class member that is an ingredient, alone or in a salt, stands in a product or is known.
    for class in drugs.all_classes() {
        for member in &class.members {
            assert!(drugs.name(member).is_some(), "{member} of {}", class.id);
        }
    }
}

#[test]
fn what_authors_write_for_drugs() {
    let drugs = DrugDictionary::built_in_arc();
    let members = |term: &str| -> Vec<String> {
        let set = drugs.set_of(term).unwrap();
        set.members().iter().map(ToString::to_string).collect()
    };
    assert_eq!(members("warfarin"), ["11289"]);
    assert_eq!(members(" Warfarin "), ["11289"]);
    assert_eq!(members("11289"), ["11289"]);
    assert_eq!(&*drugs.set_of("114194").unwrap().name, "warfarin sodium");
    assert!(members("class:maoi").len() > 3);
    for (term, message, help) in [
        (
            "warfarine",
            "no ingredient of RxNorm is named `warfarine`",
            "did you mean `warfarin`?",
        ),
        (
            "class:mao",
            "there is no drug class `mao`",
            "did you mean `maoi`?",
        ),
        (
            "maoi",
            "no ingredient of RxNorm is named `maoi`",
            "for the class write `class:maoi`",
        ),
        (
            "855332",
            "`855332` is a product (warfarin sodium 5 MG Oral Tablet), not an ingredient",
            "name what is in it: `11289` (warfarin)",
        ),
        (
            "1",
            "the drug dictionary does not know the RxCUI `1`",
            "take the RxCUI of an ingredient, or load the RxNorm release that has it",
        ),
    ] {
        let error = drugs.set_of(term).unwrap_err();
        assert_eq!((&*error.message, &*error.help), (message, help));
    }
    let cell = DrugSet::parse_cell("class:maoi| warfarin |5640", &drugs).unwrap();
    assert!(cell.contains("11289") && cell.contains("5640") && cell.contains("8123"));
    assert!(
        cell.name.ends_with(", warfarin, ibuprofen"),
        "{}",
        cell.name
    );
    assert!(DrugSet::parse_cell("  ", &drugs).unwrap().is_empty());
    let wrong = DrugSet::parse_cell("class:mao|warfarin| é|", &drugs).unwrap_err();
    let places: Vec<_> = wrong.iter().map(|(place, _)| place.clone()).collect();
    assert_eq!(places, [0..9, 20..21, 22..23]);
}

#[test]
fn classes_of_an_author() {
    let mut drugs = DrugDictionary::clone(&DrugDictionary::built_in_arc());
    let members = ["warfarin", "class:doac", "5640"];
    drugs.add_class("ours", "Our class", &members).unwrap();
    let set = drugs.set_of("class:ours").unwrap();
    assert_eq!(set.has_code(&drugs, "855332"), Some(true));
    assert_eq!(set.has_code(&drugs, "29046"), Some(false));
    assert!(drugs.classes("5640").iter().any(|class| &**class == "ours"));
    let wrong = drugs
        .add_class("maoi", "x", &["warfarine", "5640"])
        .unwrap_err();
    let places: Vec<_> = wrong.iter().map(|(index, _)| *index).collect();
    assert_eq!(places, [None, Some(0)]);
    assert!(drugs.add_class("Ours!", "x", &[]).unwrap_err().len() == 2);
}

#[test]
fn a_salt_that_is_not_known_is_unclear() {
    let drugs = DrugDictionary::built_in_arc();
    let nitrate = drugs.set_of("28004").unwrap();
    // The salt, a base of which no salt is known, another salt of the base, something else.
    assert_eq!(nitrate.has_code(&drugs, "28004"), Some(true));
    assert_eq!(nitrate.has_code(&drugs, "6057"), None);
    assert_eq!(nitrate.has_code(&drugs, "6058"), Some(false));
    assert_eq!(nitrate.has_code(&drugs, "11289"), Some(false));
    assert_eq!(nitrate.has_code(&drugs, "1"), None);
    let (mono, base) = ("28004", "6057");
    let (mono, base) = (
        drugs.substances_of(mono).unwrap(),
        drugs.substances_of(base).unwrap(),
    );
    assert!(mono.share_ingredient(&base) && mono.share_class(&mono, &drugs));
    assert_eq!(mono.names(&drugs), ["isosorbide"]);
}
