//! What was meant by a word that is not known.

/// The candidate nearest to `word`, if it is near enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer than any name there is.
    if word.len() > 200 {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    let near = candidates.into_iter().map(|c| (distance(word, c), c));
    let near = near.filter(|(d, _)| *d <= limit);
    near.min_by_key(|(d, c)| (*d, *c)).map(|(_, c)| c)
}

/// Edits between two words, a swap of neighbours counting one; letter case counts nothing.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let (a, b) = differing(&a, &b);
    strsim::osa_distance(a, b)
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
