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
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
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
}
