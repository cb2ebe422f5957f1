use super::super::{ContentHash, ManifestDifference, TerminologyManifest};
use super::{expansion, load};

#[test]
fn same_content_gives_the_same_bytes() {
    let a = expansion("http://x/a", "1", &["1", "2"], "");
    let a_turned = expansion(
        "http://x/a",
        "1",
        &["2", "1", "1"],
        r#""timestamp": "2026","#,
    );
    let b = expansion("http://x/b", "1", &["1"], r#""total": 9,"#);
    let first = TerminologyManifest::of(&load(&[("a", &a), ("b", &b)]).0);
    let second = TerminologyManifest::of(&load(&[("c", &b), ("d", &a_turned)]).0);
    assert_eq!(first.to_json().unwrap(), second.to_json().unwrap());
    assert_eq!(first.differences(&second), []);
    let back: TerminologyManifest = serde_json::from_str(&first.to_json().unwrap()).unwrap();
    assert_eq!(back, first);
    assert_eq!(first.value_sets[1].completeness, "partial");
    assert!(first.algorithm.starts_with("xxh3-128"));
}

#[test]
fn hash_is_over_sorted_lines() {
    let (store, _) = load(&[("a", &expansion("a", "1", &["2", "1"], ""))]);
    let expected = xxhash_rust::xxh3::xxh3_128(b"s|1\ns|2\n");
    assert_eq!(
        TerminologyManifest::of(&store).value_sets[0].hash,
        ContentHash(expected)
    );
}

#[test]
fn differences_are_named() {
    let pinned = TerminologyManifest::of(
        &load(&[
            ("a", &expansion("a", "1", &["1"], "")),
            ("b", &expansion("b", "1", &["1"], "")),
        ])
        .0,
    );
    let loaded = TerminologyManifest::of(
        &load(&[
            ("a", &expansion("a", "1", &["1", "2"], "")),
            ("c", &expansion("c", "1", &["1"], "")),
        ])
        .0,
    );
    let found = pinned.differences(&loaded);
    assert!(matches!(found[0], ManifestDifference::Changed { .. }));
    assert!(
        found[0]
            .to_string()
            .contains("pinned with 1 codes (complete, ")
    );
    assert_eq!(
        found[1].to_string(),
        "value set `b|1` is pinned but not loaded"
    );
    assert_eq!(
        found[2].to_string(),
        "value set `c|1` is loaded but not pinned"
    );
    assert_ne!(pinned.hash, loaded.hash);
}

#[test]
fn a_bad_hash_is_refused() {
    for text in ["\"xyz\"", "\"12\"", "7"] {
        assert!(serde_json::from_str::<ContentHash>(text).is_err(), "{text}");
    }
}
