//! Codes that a spreadsheet changed, and codes that cannot be of their system.

use super::value_set::ValueSet;

/// What is wrong with a code as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// A spreadsheet made it of another text: in words.
    Spoiled(String),
    /// No code of its system looks so, though data that was spoiled may have it: in words, and what to do.
    Doubtful(String, String),
}

impl ValueSet {
    /// Codes that cannot be of their code system, by their digits, check digits and what spreadsheets make of
    /// codes: each with why, in the order of the codes.
    pub fn misshapen(&self) -> impl Iterator<Item = String> {
        let all = self.entries().iter();
        all.filter_map(|code| match damage(&code.system, &code.code)? {
            Damage::Spoiled(why) | Damage::Doubtful(why, _) => Some(why),
        })
    }
}

const SNOMED: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";
const CVX: &str = "http://hl7.org/fhir/sid/cvx";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// What is wrong with a code of a system, given by its url.
pub(super) fn damage(system: &str, code: &str) -> Option<Damage> {
    let spoiled = |what: &str| Some(Damage::Spoiled(format!("`{code}` is {what}, not a code")));
    let doubtful = |what: &str, help: &str| {
        let message = format!("`{code}` is no code of this system: {what}");
        Some(Damage::Doubtful(message, help.to_owned()))
    };
    if is_error_value(code) {
        return spoiled("what a spreadsheet shows where it cannot calculate");
    }
    if is_rounded(code) {
        return spoiled("a number as spreadsheets round it");
    }
    let numbers = [SNOMED, LOINC, CVX, RXNORM].contains(&system);
    if is_date(code) {
        const DATE: &str = "a date that a spreadsheet made of it";
        if numbers {
            return spoiled(DATE);
        }
        let help =
            "format the column as text, and put the code in again, if a spreadsheet changed it";
        let message = format!("`{code}` looks like {DATE}");
        return Some(Damage::Doubtful(message, help.to_owned()));
    }
    // `250.0` is a code of ICD-9; a long one, or one of these systems, is none.
    if let Some((whole, rest)) = code.split_once(['.', ','])
        && digits(whole)
        && !rest.is_empty()
        && rest.bytes().all(|b| b == b'0')
        && (numbers || whole.len() >= 6)
    {
        return spoiled("a number as spreadsheets write it");
    }
    let help = "look the code up, and write it as it is there";
    match system {
        // An expression of several codes is none that can be checked.
        SNOMED if code.contains([':', '+', '=', '|', '{']) => None,
        SNOMED if !digits(code) => doubtful("SNOMED CT has digits only", help),
        SNOMED if !(6..=18).contains(&code.len()) || code.starts_with('0') => {
            doubtful("SNOMED CT has 6 to 18 digits, the first not 0", help)
        }
        SNOMED if !verhoeff(code) => match code.len() > 15 && code.ends_with('0') {
            true => spoiled("a number whose last digits a spreadsheet lost (it keeps 15)"),
            false => doubtful("its last digit does not fit the others", help),
        },
        LOINC => match code.split_once('-') {
            // Parts and answers: LP…, LA…
            _ if code.starts_with(|c: char| c.is_ascii_alphabetic()) => None,
            Some((number, check)) if digits(number) && digits(check) && check.len() == 1 => {
                match mod_10(number) == check.bytes().next().map(|b| u32::from(b - b'0')) {
                    true => None,
                    false => doubtful("its last digit does not fit the others", help),
                }
            }
            _ => doubtful("LOINC is digits, a stroke and one digit: 4548-4", help),
        },
        CVX if digits(code) && code.len() == 1 => doubtful(
            "CVX has two digits or more, and spreadsheets drop a leading 0",
            &format!("write `0{code}`"),
        ),
        CVX | RXNORM if !digits(code) => doubtful("it has digits only", help),
        _ => None,
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `#N/A`, `#REF!`, `#####`
fn is_error_value(code: &str) -> bool {
    const ERRORS: [&str; 8] = [
        "#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#num!", "#null!", "#spill!",
    ];
    let small = code.to_ascii_lowercase();
    ERRORS.contains(&&*small) || (code.len() > 1 && code.bytes().all(|b| b == b'#'))
}

/// `1.11E+14`, `2.0e5`; `2E65` is a code of ICD-11.
fn is_rounded(code: &str) -> bool {
    let Some((number, exponent)) = code.split_once(['E', 'e']) else {
        return false;
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let mut parts = number.split(['.', ',']);
    let whole = parts.next().is_some_and(digits);
    let broken = parts.next();
    whole
        && broken.is_none_or(digits)
        && parts.next().is_none()
        && digits(unsigned)
        && (broken.is_some() || exponent.starts_with('+'))
}

/// `May-48`, `4-May`, `4-May-48`, `2048-05-01`, `5/1/2048`
fn is_date(code: &str) -> bool {
    let month = |text: &str| MONTHS.contains(&&*text.to_ascii_lowercase());
    let number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        digits(text) && lengths.contains(&text.len())
    };
    let parts = |by: char| code.split(by).collect::<Vec<_>>();
    match parts('-').as_slice() {
        [name, year] if month(name) => return number(year, 1..=4),
        [day, name] if month(name) => return number(day, 1..=2),
        [day, name, year] if month(name) => return number(day, 1..=2) && number(year, 2..=4),
        [year, month, day] => {
            return number(year, 4..=4) && number(month, 2..=2) && number(day, 2..=2);
        }
        _ => {}
    }
    match parts('/').as_slice() {
        [a, b, year] => number(a, 1..=2) && number(b, 1..=2) && number(year, 4..=4),
        _ => false,
    }
}

/// Whether the last digit is the check digit of the others (Verhoeff, as SNOMED CT has it).
fn verhoeff(code: &str) -> bool {
    // The product in the dihedral group of order 10, and the permutation of a digit by its place.
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (5 + a - b) % 5,
    };
    let permuted = |digit: u8, times: usize| {
        const ONCE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        (0..times % 8).fold(digit, |digit, _| {
            ONCE.get(usize::from(digit)).copied().unwrap_or_default()
        })
    };
    let places = code.bytes().rev().enumerate();
    let check = places.fold(0, |check, (place, byte)| {
        product(check, permuted(byte.wrapping_sub(b'0'), place))
    });
    check == 0
}

/// The check digit of a LOINC number: from the right every second digit doubled, the digits summed.
fn mod_10(number: &str) -> Option<u32> {
    let mut sum = 0;
    for (place, c) in number.chars().rev().enumerate() {
        let digit = c.to_digit(10)?;
        sum += match (place % 2 == 0, digit > 4) {
            (true, true) => digit * 2 - 9,
            (true, false) => digit * 2,
            (false, _) => digit,
        };
    }
    Some((10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::Code;

    #[test]
    fn codes_of_a_value_set_that_are_of_no_system() {
        let codes = vec![
            Code::new(LOINC, "4548-4"),
            Code::new(LOINC, "4548-5"),
            Code::new(SNOMED, "44054006"),
            Code::new(SNOMED, "44054007"),
            Code::new(RXNORM, "warfarin"),
            Code::new("urn:local", "anything"),
        ];
        let set = ValueSet::from_codes("urn:vs", None, codes, "test");
        let mut found: Vec<String> = set.misshapen().collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "`44054007` is no code of this system: its last digit does not fit the others",
                "`4548-5` is no code of this system: its last digit does not fit the others",
                "`warfarin` is no code of this system: it has digits only",
            ]
        );
    }

    #[test]
    fn real_codes_are_left_alone() {
        for (system, codes) in [
            (
                SNOMED,
                &[
                    "44054006",
                    "38341003",
                    "73211009",
                    "22298006",
                    "840539006",
                    "10509002",
                    "900000000000207008",
                    "44054006:246112005=24484000",
                ][..],
            ),
            (
                LOINC,
                &[
                    "4548-4", "8480-6", "8462-4", "2160-0", "33914-3", "94500-6", "39156-5",
                    "718-7", "LA6576-8",
                ],
            ),
            (CVX, &["03", "140", "208"]),
            (RXNORM, &["197361"]),
            (
                "http://hl7.org/fhir/sid/icd-9-cm",
                &["250.0", "401.9", "E850.0"],
            ),
            (
                "http://id.who.int/icd/release/11/mms",
                &["2E65", "1E50.0", "5A11"],
            ),
            ("urn:local", &["1", "a", "2E5", "12-3", "MAY", "#1"]),
        ] {
            for code in codes {
                assert_eq!(damage(system, code), None, "{system} {code}");
            }
        }
    }

    #[test]
    fn what_a_spreadsheet_made_of_codes() {
        for (system, code) in [
            (SNOMED, "1.11E+14"),
            (SNOMED, "38341003.0"),
            (SNOMED, "900000000000207000"),
            (LOINC, "May-48"),
            (LOINC, "5-May"),
            (LOINC, "5/1/2048"),
            (LOINC, "2048-05-01"),
            (CVX, "3.0"),
            ("urn:local", "2.0e5"),
            ("urn:local", "1,5E+7"),
            ("urn:local", "#N/A"),
            ("urn:local", "#REF!"),
            ("urn:local", "########"),
            ("urn:local", "38341003.0"),
        ] {
            let found = damage(system, code);
            assert!(
                matches!(&found, Some(Damage::Spoiled(text)) if text.contains(code)),
                "{code}: {found:?}"
            );
        }
    }

    #[test]
    fn what_no_code_of_the_system_is() {
        for (system, code) in [
            (SNOMED, "44054007"),
            (SNOMED, "44504006"),
            (SNOMED, "E11.9"),
            (SNOMED, "4405"),
            (LOINC, "4548-5"),
            (LOINC, "4584-4"),
            (LOINC, "4548"),
            (CVX, "3"),
            (RXNORM, "metformin"),
            ("urn:local", "May-48"),
        ] {
            let found = damage(system, code);
            assert!(
                matches!(&found, Some(Damage::Doubtful(text, _)) if text.contains(code)),
                "{code}: {found:?}"
            );
        }
    }
}
