use std::fs;
use std::path::{Path, PathBuf};

use engine_patient::terminology::{DrugDictionary, DrugFiles, DrugKind, Ingredient};

use super::{RxNormError, RxNormImport, import_rxnorm, write_csv};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rxnorm/testdata")
}

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tandem-rxnorm-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with_sample(name: &str) -> Self {
        let folder = Self::new(name);
        for file in ["RXNCONSO.RRF", "RXNREL.RRF"] {
            fs::copy(testdata().join(file), folder.0.join(file)).unwrap();
        }
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sample() -> RxNormImport {
    import_rxnorm(&testdata()).unwrap()
}

fn codes(list: Vec<Ingredient<'_>>) -> String {
    let codes: Vec<&str> = list.iter().map(|one| one.rxcui).collect();
    codes.join(" ")
}

#[test]
fn products_have_the_expected_ingredients() {
    let drugs = sample().dictionary;
    for (rxcui, ingredients, precise) in [
        ("855332", "11289", "114194"),  // SCD of warfarin sodium
        ("855336", "11289", "114194"),  // its SBD: not the BN
        ("855331", "11289", "114194"),  // its SCDC
        ("197886", "5487 29046", ""),   // hydrochlorothiazide and lisinopril
        ("823982", "5487 29046", ""),   // its SBD
        ("214618", "5487 29046", ""),   // its MIN
        ("993687", "42347", "203204"),  // bupropion hydrochloride
        ("11289", "11289", ""),         // IN
        ("114194", "11289", "114194"),  // PIN
        ("405155", "11289", "114194"),  // BN: Jantoven
        ("9900001", "4450 36567", ""),  // GPCK
        ("9900002", "4450", ""),        // BPCK of SBD
        ("9900003", "4450 36567", ""),  // BPCK of GPCK
        ("9900004", "11289", "114194"), // quantified SCD
        ("9900005", "11289", "114194"), // quantified SBD
        ("9900006", "11289", "114194"), // SCDF
        ("9900007", "11289", "114194"), // SBDC
        ("9900009", "42347", "203204"), // IN known through the PIN only
        ("9900012", "", ""),            // one component unknown: nothing
        ("9900019", "", ""),            // obsolete
        ("9900021", "", ""),            // other source
    ] {
        assert_eq!(codes(drugs.ingredients(rxcui)), ingredients, "{rxcui}");
        assert_eq!(codes(drugs.precise_ingredients(rxcui)), precise, "{rxcui}");
    }
    assert_eq!(
        drugs.name("855332"),
        Some("warfarin sodium 5 MG Oral Tablet")
    );
    assert_eq!(drugs.tty("214618"), Some("MIN"));
    assert_eq!(drugs.rxcui_of_ndc("00093172101"), Some("855332"));
    assert_eq!(drugs.all_ndcs().count(), 1);
}

#[test]
fn the_ledger_accounts_for_every_line() {
    let ledger = sample().ledger;
    let shown: Vec<String> = ledger.files.iter().map(ToString::to_string).collect();
    assert!(
        ledger.files.iter().all(super::FileLedger::adds_up),
        "{shown:#?}"
    );
    assert_eq!(
        shown[0],
        "RXNCONSO.RRF: 77 lines, 66 used\n  2 skipped: another source\n  \
         4 skipped: not a structural term type\n  3 skipped: suppressed or obsolete\n  2 malformed:\n    \
         RXNCONSO.RRF:76 it has 4 columns, not 18\n    RXNCONSO.RRF:77 `99x` is not an RxCUI\n"
    );
    assert_eq!(
        shown[2],
        "RXNSAT.RRF: 7 lines, 1 used\n  1 skipped: another source\n  1 skipped: not an NDC\n  \
         1 skipped: of a concept that is not used\n  1 skipped: of an unresolved product, or of a second product\n  \
         1 skipped: suppressed or obsolete\n  1 malformed:\n    RXNSAT.RRF:3 NDC `00093-1721` has not 11 digits\n"
    );
    let relations = &ledger.files[1];
    assert_eq!(relations.malformed_lines.len(), 1);
    assert_eq!(relations.skipped["between atoms, not concepts"], 1);
    assert_eq!(relations.skipped["of a concept that is not used"], 1);
    assert_eq!(relations.skipped["a relation that is not needed"], 1);
    assert_eq!(relations.skipped["suppressed or obsolete"], 1);
    assert_eq!(relations.skipped["another source"], 1);
    assert_eq!(ledger.concepts["SCD"], ledger.products["SCD"] + 4);
}

#[test]
fn unresolved_products_are_named() {
    let ledger = sample().ledger;
    let shown: Vec<String> = ledger
        .unresolved
        .iter()
        .map(|one| format!("{} {}: {}", one.rxcui, one.tty, one.reason))
        .collect();
    assert_eq!(
        shown,
        [
            "9900010 SCD: no relation leads to an ingredient",
            "9900011 SCDC: component 9900011 has no ingredient",
            "9900012 SCD: through 9900011: component 9900011 has no ingredient",
            "9900013 GPCK: through 9900012: through 9900011: component 9900011 has no ingredient",
            "9900014 BN: its SBD have different ingredients",
            "9900017 SCD: its relations go round in a circle",
            "9900018 SCD: its relations go round in a circle",
        ]
    );
    assert!(
        ledger
            .to_string()
            .contains("not resolved: 9900010 SCD `made tablet without relations`")
    );
}

#[test]
fn what_is_written_reads_back_the_same() {
    let folder = Folder::new("write");
    let drugs = sample().dictionary;
    write_csv(&drugs, &folder.0).unwrap();
    let read = |name: &str| fs::read(folder.0.join(name)).unwrap();
    let (ingredients, products, classes, ndc) = (
        read("ingredients.csv"),
        read("products.csv"),
        read("classes.csv"),
        read("ndc.csv"),
    );
    let back = DrugDictionary::from_csv(&DrugFiles {
        ingredients: ("ingredients.csv", &ingredients),
        products: ("products.csv", &products),
        classes: Some(("classes.csv", &classes)),
        ndc: Some(("ndc.csv", &ndc)),
    })
    .unwrap();
    for kind in [
        DrugKind::Ingredient,
        DrugKind::PreciseIngredient,
        DrugKind::Product,
    ] {
        assert_eq!(back.all(kind), drugs.all(kind));
        for rxcui in drugs.all(kind) {
            assert_eq!(back.ingredients(rxcui), drugs.ingredients(rxcui));
            assert_eq!(
                back.precise_ingredients(rxcui),
                drugs.precise_ingredients(rxcui)
            );
            assert_eq!(
                (back.name(rxcui), back.tty(rxcui)),
                (drugs.name(rxcui), drugs.tty(rxcui))
            );
        }
    }
    assert_eq!(
        back.all_ndcs().collect::<Vec<_>>(),
        drugs.all_ndcs().collect::<Vec<_>>()
    );
    write_csv(&back, &folder.0).unwrap();
    assert_eq!(read("products.csv"), products);
}

#[test]
fn missing_files_are_told() {
    let folder = Folder::with_sample("missing");
    let without_ndc = import_rxnorm(&folder.0).unwrap();
    assert_eq!(without_ndc.ledger.files.len(), 2);
    assert_eq!(without_ndc.dictionary.all_ndcs().count(), 0);
    for file in ["RXNREL.RRF", "RXNCONSO.RRF"] {
        fs::remove_file(folder.0.join(file)).unwrap();
        let error = import_rxnorm(&folder.0).unwrap_err();
        assert!(
            matches!(&error, RxNormError::Missing { path } if path.ends_with(file)),
            "{error}"
        );
        assert!(
            error.to_string().contains("is missing; give the folder"),
            "{error}"
        );
    }
}

#[test]
fn other_files_are_refused() {
    for (text, expected) in [
        (b"a,b,c\n".as_slice(), "line 1: it does not end with `|`"),
        (b"1|2|3|\n", "line 1: it has 3 columns, not 18"),
        (b"PK  \xff\xfe\n", "line 1: byte 5 is not UTF-8"),
        (b"PK\x03\x04\xff\xfe\n", "this is a zip archive: unpack it"),
        (b"", "holds no active concept of source RXNORM in 0 lines"),
    ] {
        let folder = Folder::with_sample("other");
        fs::write(folder.0.join("RXNCONSO.RRF"), text).unwrap();
        let error = import_rxnorm(&folder.0).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_line_that_is_not_utf8_and_a_cut_line_are_in_the_ledger() {
    let folder = Folder::with_sample("latin1");
    let path = folder.0.join("RXNREL.RRF");
    let mut bytes = fs::read(&path).unwrap();
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    bytes.extend_from_slice(b"1||CUI|RO|\xe9\n11289||CUI|RO|114");
    fs::write(&path, bytes).unwrap();
    let ledger = import_rxnorm(&folder.0).unwrap().ledger;
    let malformed = &ledger.files[1].malformed_lines;
    assert_eq!(
        (malformed[1].line, malformed[1].reason.as_str()),
        (lines + 1, "byte 11 is not UTF-8")
    );
    assert_eq!(malformed[2].reason, "it does not end with `|`");
    assert!(ledger.files[1].adds_up());
}

/// A release may stay packed.
#[test]
fn packed_files_are_read() {
    let folder = Folder::with_sample("packed");
    let path = folder.0.join("RXNCONSO.RRF");
    let packed = zstd::encode_all(&*fs::read(&path).unwrap(), 1).unwrap();
    fs::write(folder.0.join("RXNCONSO.RRF.zst"), packed).unwrap();
    fs::remove_file(&path).unwrap();
    let read = import_rxnorm(&folder.0).unwrap();
    let wanted = import_rxnorm(&Folder::with_sample("unpacked").0).unwrap();
    assert_eq!(read.ledger.to_string(), wanted.ledger.to_string());
    let count = |import: &RxNormImport| import.dictionary.count(DrugKind::Product);
    assert!(count(&read) > 0 && count(&read) == count(&wanted));
}
