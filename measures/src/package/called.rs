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
    // Digits alone are the number of a measure of CMS, and no beginning of a title or of a number of
    // another numbering (`30-day …`, `0083e`).
    let digits = word.bytes().all(|b| b.is_ascii_digit());
    let begins = begins(word, name) && !digits;
    (begins || has_number(word, name)).then_some(Fit::Begins)
}

/// Whether a name has the number of CMS that a word says, and goes on as the word does. A word with `CMS`
/// is of names with `CMS`; one without also of those that FHIR's editions begin with: `122FHIR`.
fn has_number(word: &str, name: &str) -> bool {
    let (Some(word), Some(name)) = (numbered(word), numbered(name)) else {
        return false;
    };
    let edition = || {
        let head = name.rest.get(..EDITION.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(EDITION))
    };
    let of_cms = name.cms || (!word.cms && edition());
    of_cms && word.number == name.number && (word.rest.is_empty() || begins(word.rest, name.rest))
}

/// What follows the number in the names of editions in FHIR.
const EDITION: &str = "FHIR";

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

/// A number at the beginning of a text.
struct Numbered<'t> {
    /// `CMS` stands before it.
    cms: bool,
    /// Without leading zeros: `CMS0334FHIR` is number 334.
    number: &'t str,
    /// What follows.
    rest: &'t str,
}

fn numbered(text: &str) -> Option<Numbered<'_>> {
    let head = text.get(..3).filter(|h| h.eq_ignore_ascii_case("cms"));
    let digits = text.get(head.map_or(0, str::len)..)?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let (number, rest) = digits.split_at(end.unwrap_or(digits.len()));
    let number = number.trim_start_matches('0');
    (!number.is_empty()).then_some(Numbered {
        cms: head.is_some(),
        number,
        rest,
    })
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
        // A number of another numbering, and a title, are not of CMS.
        for (word, name) in [
            ("CMS83", "0083e"),
            ("83", "0083e"),
            ("0083", "0083e"),
            ("CMS30", "30-day readmission"),
            ("30", "30-day readmission"),
            ("CMS122", "122FHIR"),
        ] {
            assert_eq!(fit(word, name), None, "{word} {name}");
        }
        assert_eq!(fit("0083e", "0083e"), Some(Fit::Exact));
        assert_eq!(fit("0122", "122FHIR"), Some(Fit::Begins));
        assert_eq!(fit("30-day", "30-day readmission"), Some(Fit::Begins));
        assert_eq!(fit("http://x", "http://x.org/Measure/A"), None);
        assert_eq!(
            best("cms2", ["CMS22", "CMS2FHIR", "cms2"]),
            Some(Fit::Exact)
        );
    }
}
