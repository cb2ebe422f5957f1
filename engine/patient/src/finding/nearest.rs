//! What was meant by a word that is not known.

/// The candidate nearest to `word`, if it is near enough to be what was meant. Never one of which only
/// the digits are others (`only_digits_differ`).
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer than any name there is.
    if word.len() > 200 || is_oid(word) {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    let could = candidates.into_iter();
    let could = could.filter(|c| !is_oid(c) && !only_digits_differ(word, c));
    let near = could.map(|c| (distance(word, c), c));
    let near = near.filter(|(d, _)| *d <= limit);
    near.min_by_key(|(d, c)| (*d, *c)).map(|(_, c)| c)
}

/// Edits between two words, a swap of neighbours counting one; letter case counts nothing.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let (a, b) = differing(&a, &b);
    strsim::osa_distance(a, b)
}

/// Whether it is an OID, alone or at the end of a url: `urn:oid:2.16.840.1.113883`, `…/ValueSet/2.16.840.1`.
/// Its digits mean nothing to a reader, and one that is near is another thing.
pub(crate) fn is_oid(text: &str) -> bool {
    let last = text.rsplit(['/', ':']).next().unwrap_or(text);
    let digits = |arc: &str| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
    last.split('.').count() > 2 && last.split('.').all(digits)
}

/// Whether two words differ in their numbers only, of two digits or more: `CMS122` and `CMS124`, or two
/// urls that end in numbers. Numbers are not misspelt into each other, they name other things.
pub(crate) fn only_digits_differ(a: &str, b: &str) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(|c| !c.is_ascii_digit());
        letters.flat_map(char::to_lowercase).collect()
    };
    digits(a) > 1 && digits(b) > 1 && !a.eq_ignore_ascii_case(b) && letters(a) == letters(b)
}

/// Without what both begin and end with, which takes no edits: canonical urls are nearly the same, and
/// the time goes by the product of the lengths.
fn differing<'t>(a: &'t str, b: &'t str) -> (&'t str, &'t str) {
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y);
    let same: usize = same.map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (a.get(same..).unwrap_or(a), b.get(same..).unwrap_or(b));
    let ends = a.chars().rev().zip(b.chars().rev());
    let ends = ends.take_while(|(x, y)| x == y);
    let ends: usize = ends.map(|(x, _)| x.len_utf8()).sum();
    let cut = |text: &'t str| text.get(..text.len() - ends).unwrap_or(text);
    (cut(a), cut(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word() {
        let words = ["diabetes", "hypertension", "a1c"];
        assert_eq!(did_you_mean("diabetis", words), Some("diabetes"));
        assert_eq!(did_you_mean("daibetes", words), Some("diabetes"));
        assert_eq!(did_you_mean("asthma", words), None);
        assert_eq!(did_you_mean("a1b", words), Some("a1c"));
    }

    #[test]
    fn a_number_is_not_meant_by_another() {
        let vsac = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1046.279";
        for (word, other) in [
            (
                vsac,
                "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1046.278",
            ),
            (
                "urn:oid:2.16.840.1.113883.6.238",
                "urn:oid:2.16.840.1.113883.6.239",
            ),
            ("2.16.840.1.113883.6.238", "2.16.840.1.113883.6.23"),
            ("http://x.org/ValueSet/1001", "http://x.org/ValueSet/1002"),
            ("CMS122FHIR", "CMS124FHIR"),
        ] {
            assert_eq!(did_you_mean(word, [other]), None, "{word}");
        }
        assert_eq!(
            did_you_mean("CMS122FHRI", ["CMS124FHIR", "CMS122FHIR"]),
            Some("CMS122FHIR")
        );
        assert!(is_oid(vsac) && !is_oid("http://x.org/ValueSet/v1.2-a") && !is_oid("0.5"));
    }

    #[test]
    fn what_both_begin_and_end_with_changes_no_distance() {
        let parts = ["", "a", "b", "ab", "ba", "aab", "abb", "bab", "é", "aéb"];
        let words = || parts.iter().flat_map(|x| parts.map(|y| format!("{x}{y}")));
        for a in words() {
            for b in words() {
                assert_eq!(distance(&a, &b), strsim::osa_distance(&a, &b), "{a} {b}");
            }
        }
    }
}
