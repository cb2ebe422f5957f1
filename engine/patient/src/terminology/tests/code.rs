use xxhash_rust::xxh3::xxh3_64;

use super::super::{Code, canonical_system, code_key, compare_versions};
use crate::finding::distance;

#[test]
fn key_is_xxh3_of_system_bar_code_for_any_length() {
    for length in [0, 1, 100, 253, 254, 255, 256, 257, 5000] {
        let system = "s".repeat(length);
        let expected = xxh3_64(format!("{system}|c").as_bytes()).cast_signed();
        assert_eq!(code_key(&system, "c"), expected, "system of {length} bytes");
    }
    // Pinned: lakes on disk hold these keys.
    assert_eq!(
        code_key("http://loinc.org", "4548-4"),
        xxh3_64(b"http://loinc.org|4548-4").cast_signed()
    );
}

#[test]
fn known_oids_give_the_key_of_the_url() {
    let cases = [
        ("2.16.840.1.113883.6.1", "http://loinc.org"),
        ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
        (
            "2.16.840.1.113883.6.88",
            "http://www.nlm.nih.gov/research/umls/rxnorm",
        ),
        (
            "2.16.840.1.113883.6.90",
            "http://hl7.org/fhir/sid/icd-10-cm",
        ),
        ("2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"),
        (
            "2.16.840.1.113883.6.285",
            "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        ),
        ("2.16.840.1.113883.6.12", "http://www.ama-assn.org/go/cpt"),
    ];
    for (oid, url) in cases {
        let urn = format!("urn:oid:{oid}");
        assert_eq!(canonical_system(&urn), url);
        assert_eq!(code_key(&urn, "x"), code_key(url, "x"));
    }
}

#[test]
fn nothing_else_is_normalised() {
    for (left, right) in [
        (("http://loinc.org", "A"), ("http://loinc.org", "a")),
        (("http://loinc.org", "A"), ("http://loinc.org", "A ")),
        (("http://loinc.org", "A"), ("http://loinc.org/", "A")),
        (("http://loinc.org", "A"), ("https://loinc.org", "A")),
        (("http://loinc.org", "A"), ("", "A")),
        (("http://loinc.org", "A"), ("2.16.840.1.113883.6.1", "A")),
    ] {
        assert_ne!(code_key(left.0, left.1), code_key(right.0, right.1));
    }
    assert_eq!(canonical_system("urn:oid:1.2.3"), "urn:oid:1.2.3");
}

#[test]
fn code_shows_itself() {
    let code = Code::new("urn:oid:2.16.840.1.113883.6.1", "4548-4").with_display("A1c");
    assert_eq!(code.to_string(), "http://loinc.org|4548-4 (A1c)");
    assert_eq!(code.key(), code_key("http://loinc.org", "4548-4"));
}

#[test]
fn versions_have_the_documented_order() {
    let ascending = [
        None,
        Some("0.9"),
        Some("1.0.0-draft"),
        Some("1.0.0-rc1"),
        Some("1.0.0"),
        Some("1.0.0.1"),
        Some("1.9"),
        Some("1.10"),
        Some("1.10-2"),
        Some("20241231"),
        Some("20250108"),
        Some("99999999999999999999999999"),
        Some("100000000000000000000000000"),
    ];
    for pair in ascending.windows(2) {
        assert!(compare_versions(pair[0], pair[1]).is_lt(), "{pair:?}");
        assert!(compare_versions(pair[1], pair[0]).is_gt(), "{pair:?}");
    }
    assert!(compare_versions(Some("1.0"), Some("1.0")).is_eq());
    assert!(compare_versions(Some("1.0"), Some("1.00")).is_ne());
}

#[test]
fn edit_distance() {
    for (left, right, expected) in [
        ("", "", 0),
        ("", "abc", 3),
        ("diabetis", "diabetes", 1),
        ("kitten", "sitting", 3),
        ("ä", "a", 1),
    ] {
        assert_eq!(distance(left, right), expected);
        assert_eq!(distance(right, left), expected);
    }
}
