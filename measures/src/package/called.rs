//! What people call a measure: its id, name, title or url, or the beginning of one of them.
//!
//! Official names are long: `CMS122` is what is said of `CMS122FHIRDiabetesAssessGreaterThan9Percent`,
//! or `122`. A beginning ends where a number ends: `CMS12` begins no `CMS122`, which is another measure.

/// How well a word fits a name, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// It is the name.
    Exact,
    /// It is the name in other letter case.
    AnyCase,
    /// The name begins with it, in any letter case.
    Begins,
}

/// How well a word fits a name.
#[must_use]
pub fn fit(word: &str, name: &str) -> Option<Fit> {
    if word == name {
        return Some(Fit::Exact);
    }
    if word.eq_ignore_ascii_case(name) {
        return Some(Fit::AnyCase);
    }
    // Urls of one publisher all begin alike.
    if word.is_empty() || name.contains("://") {
        return None;
    }
    let begins = begins(word, name);
    let numbered = || {
        let ((a, rest), (b, name)) = (numbered(word)?, numbered(name)?);
        (a == b && (rest.is_empty() || self::begins(rest, name))).then_some(())
    };
    (begins || numbered().is_some()).then_some(Fit::Begins)
}

/// How well a word fits the names of something: the best of them.
pub fn best<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<Fit> {
    names.into_iter().filter_map(|name| fit(word, name)).min()
}

fn begins(word: &str, name: &str) -> bool {
    let head = name.get(..word.len());
    let rest = name.get(word.len()..).unwrap_or_default();
    let digit = |c: char| c.is_ascii_digit();
    let cut = word.ends_with(digit) && rest.starts_with(digit);
    head.is_some_and(|head| head.eq_ignore_ascii_case(word)) && !cut
}

/// The number that a measure of CMS goes by, without `CMS` and leading zeros, and what follows it:
/// `CMS0334FHIR` is number 334.
fn numbered(text: &str) -> Option<(&str, &str)> {
    let head = text.get(..3).filter(|h| h.eq_ignore_ascii_case("cms"));
    let text = text.get(head.map_or(0, str::len)..)?;
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    let number = number.trim_start_matches('0');
    (!number.is_empty()).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_measures() {
        let name = "CMS122FHIRDiabetesAssessGreaterThan9Percent";
        for (word, wanted) in [
            (name, Some(Fit::Exact)),
            (
                "cms122fhirdiabetesassessgreaterthan9percent",
                Some(Fit::AnyCase),
            ),
            ("CMS122", Some(Fit::Begins)),
            ("cms122fhir", Some(Fit::Begins)),
            ("122", Some(Fit::Begins)),
            ("0122FHIR", Some(Fit::Begins)),
            ("CMS12", None),
            ("12", None),
            ("CMS122v14", None),
            ("Diabetes", None),
            ("", None),
        ] {
            assert_eq!(fit(word, name), wanted, "{word}");
        }
        assert_eq!(fit("CMS334", "CMS0334FHIR"), Some(Fit::Begins));
        assert_eq!(fit("http://x", "http://x.org/Measure/A"), None);
        assert_eq!(
            best("cms2", ["CMS22", "CMS2FHIR", "cms2"]),
            Some(Fit::Exact)
        );
    }
}
