//! Units as authors and charts write them: whether a text is of UCUM, and what it is in UCUM where it is not.
//!
//! The spellings are those of UCUM's table of example codes (FHIR `ucum-common`); the habits beside them
//! are what laboratories and charts print.

use super::expression::Meaning;
use crate::finding::did_you_mean;

/// Parts of units, in small letters, as they are written, and in UCUM.
const PARTS: &[(&str, &str)] = &[
    ("%", "%"),
    ("1.73m2", "{1.73_m2}"),
    ("1.73sqm", "{1.73_m2}"),
    ("24h", "(24.h)"),
    ("24hours", "(24.h)"),
    ("24hr", "(24.h)"),
    ("24hrs", "(24.h)"),
    ("a", "a"),
    ("beat", "{beats}"),
    ("beats", "{beats}"),
    ("breath", "{breaths}"),
    ("breaths", "{breaths}"),
    ("cc", "mL"),
    ("cell", "{cells}"),
    ("cells", "{cells}"),
    ("centimeter", "cm"),
    ("centimeters", "cm"),
    ("cm", "cm"),
    ("cmh2o", "cm[H2O]"),
    ("copies", "{copies}"),
    ("d", "d"),
    ("day", "d"),
    ("days", "d"),
    ("dl", "dL"),
    ("eq", "eq"),
    ("fl", "fL"),
    ("g", "g"),
    ("gcr", "g{creat}"),
    ("gcreat", "g{creat}"),
    ("gcreatinine", "g{creat}"),
    ("gm", "g"),
    ("gram", "g"),
    ("grams", "g"),
    ("h", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("hpf", "[HPF]"),
    ("hr", "h"),
    ("hrs", "h"),
    ("iu", "[iU]"),
    ("kcal", "kcal"),
    ("kg", "kg"),
    ("kilo", "kg"),
    ("kilogram", "kg"),
    ("kilograms", "kg"),
    ("kilos", "kg"),
    ("kiu", "k[iU]"),
    ("kpa", "kPa"),
    ("ku", "kU"),
    ("l", "L"),
    ("liter", "L"),
    ("liters", "L"),
    ("litre", "L"),
    ("litres", "L"),
    ("lpf", "[LPF]"),
    ("m", "m"),
    ("m2", "m2"),
    ("mcg", "ug"),
    ("mci", "mCi"),
    ("mciu", "u[iU]"),
    ("mcl", "uL"),
    ("mcmol", "umol"),
    ("meq", "meq"),
    ("mg", "mg"),
    ("mgcr", "mg{creat}"),
    ("mgcreat", "mg{creat}"),
    ("mgcreatinine", "mg{creat}"),
    ("min", "min"),
    ("mins", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("miu", "m[iU]"),
    ("ml", "mL"),
    ("mm", "mm"),
    ("mm[hg]", "mm[Hg]"),
    ("mmhg", "mm[Hg]"),
    ("mmol", "mmol"),
    ("mo", "mo"),
    ("mol", "mol"),
    ("month", "mo"),
    ("months", "mo"),
    ("mosm", "mosm"),
    ("ms", "ms"),
    ("mu", "mU"),
    ("ng", "ng"),
    ("nmol", "nmol"),
    ("osm", "osm"),
    ("pg", "pg"),
    ("pmol", "pmol"),
    ("s", "s"),
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("secs", "s"),
    ("u", "U"),
    ("ug", "ug"),
    ("uiu", "u[iU]"),
    ("ul", "uL"),
    ("um", "um"),
    ("umol", "umol"),
    ("unit", "U"),
    ("units", "U"),
    ("week", "wk"),
    ("weeks", "wk"),
    ("wk", "wk"),
    ("year", "a"),
    ("years", "a"),
    ("yr", "a"),
    ("yrs", "a"),
    ("{1.73_m2}", "{1.73_m2}"),
    ("{1.73m2}", "{1.73_m2}"),
];

/// Whole units, in the same way.
const WHOLE: &[(&str, &str)] = &[
    ("#/ul", "/uL"),
    ("bpm", "/min"),
    ("c", "Cel"),
    ("cel", "Cel"),
    ("celsius", "Cel"),
    ("count", "1"),
    ("counts", "1"),
    ("degc", "Cel"),
    ("degf", "[degF]"),
    ("f", "[degF]"),
    ("fahrenheit", "[degF]"),
    ("feet", "[ft_i]"),
    ("foot", "[ft_i]"),
    ("ft", "[ft_i]"),
    ("in", "[in_i]"),
    ("inch", "[in_i]"),
    ("inches", "[in_i]"),
    ("index", "{index}"),
    ("inhg", "[in_i'Hg]"),
    ("inr", "{INR}"),
    ("k/mcl", "10*3/uL"),
    ("k/mm3", "10*3/uL"),
    ("k/ul", "10*3/uL"),
    ("lb", "[lb_av]"),
    ("lbs", "[lb_av]"),
    ("m/mcl", "10*6/uL"),
    ("m/mm3", "10*6/uL"),
    ("m/ul", "10*6/uL"),
    ("mil/mm3", "10*6/uL"),
    ("mil/ul", "10*6/uL"),
    ("mill/ul", "10*6/uL"),
    ("million/mcl", "10*6/uL"),
    ("million/ul", "10*6/uL"),
    ("millions/ul", "10*6/uL"),
    ("ounce", "[oz_av]"),
    ("oz", "[oz_av]"),
    ("pack", "{packs}"),
    ("packs", "{packs}"),
    ("packyears", "{pack-years}"),
    ("pct", "%"),
    ("per", "%"),
    ("percent", "%"),
    ("percentage", "%"),
    ("point", "{points}"),
    ("points", "{points}"),
    ("pound", "[lb_av]"),
    ("pounds", "[lb_av]"),
    ("ppm", "[ppm]"),
    ("ratio", "{ratio}"),
    ("score", "{score}"),
    ("scores", "{score}"),
    ("thou/mcl", "10*3/uL"),
    ("thou/mm3", "10*3/uL"),
    ("thou/ul", "10*3/uL"),
    ("thousand/mcl", "10*3/uL"),
    ("thousand/ul", "10*3/uL"),
    ("thousands/ul", "10*3/uL"),
    ("titer", "{titer}"),
    ("titre", "{titer}"),
];

/// Units of blood counts that are of UCUM, letter by letter, and mean a field of magnets there.
const GIGA: &[(&str, &str)] = &[("G/L", "10*9/L"), ("T/L", "10*12/L")];

/// Molar, letter by letter: in small letters some would be lengths.
const MOLAR: &[(&str, &str)] = &[
    ("M", "mol/L"),
    ("mM", "mmol/L"),
    ("nM", "nmol/L"),
    ("pM", "pmol/L"),
    ("uM", "umol/L"),
];

/// Longer than any unit that is in use.
const LONGEST: usize = 60;

/// Whether it is a unit of UCUM, letter by letter: UCUM is case-sensitive.
pub fn is_ucum(unit: &str) -> bool {
    Meaning::of(unit).is_some()
}

/// The unit of UCUM that was probably meant by a text that is none.
pub fn meant(written: &str) -> Option<String> {
    if written.len() > LONGEST {
        return None;
    }
    let plain = plain(written);
    let found = whole(&plain)
        .map(str::to_owned)
        .or_else(|| match has_molar(written) {
            true => molar(written),
            false => parts(&plain).or_else(|| near(&plain)),
        });
    found.filter(|unit| unit != written && is_ucum(unit))
}

/// The units of UCUM that a text of a chart, which is none, is a usual spelling of: by the tables alone, not by
/// what it looks like. `IU` of an enzyme is its `U`, of anything else `[iU]`.
pub(super) fn spelled(written: &str) -> Vec<String> {
    if written.len() > LONGEST {
        return vec![];
    }
    let plain = plain(written);
    let found = whole(&plain)
        .map(str::to_owned)
        .or_else(|| match has_molar(written) {
            true => molar(written),
            false => parts(&plain),
        });
    let Some(unit) = found.filter(|unit| is_ucum(unit)) else {
        return vec![];
    };
    let of_enzymes = unit.contains("[iU]").then(|| unit.replace("[iU]", "U"));
    std::iter::once(unit).chain(of_enzymes).collect()
}

/// The usual unit where a text is of UCUM and means another there: `mL` for `ML`, a megalitre;
/// `10*3/uL` for `K/uL`, kelvins.
pub fn mistaken(unit: &str) -> Option<String> {
    if let Some(usual) = lookup(GIGA, unit) {
        return Some(usual.to_owned());
    }
    if unit.len() > LONGEST {
        return None;
    }
    let plain = plain(unit);
    let same_letters = |usual: &String| usual.eq_ignore_ascii_case(unit);
    let usual = lookup(WHOLE, &plain).map(str::to_owned);
    let usual = usual.or_else(|| parts(&plain).filter(same_letters))?;
    let (a, b) = (Meaning::of(&usual)?, Meaning::of(unit)?);
    (a != b).then_some(usual)
}

/// A text without spaces, with `u` for micro.
fn letters(written: &str) -> String {
    let letters = written.chars().filter(|c| !c.is_whitespace());
    letters
        .map(|c| if matches!(c, 'µ' | 'μ') { 'u' } else { c })
        .collect()
}

/// Whether a part of it is molar.
fn has_molar(written: &str) -> bool {
    let letters = letters(written);
    let mut parts = letters.split(['/', '.']);
    parts.any(|part| lookup(MOLAR, part).is_some())
}

/// `mM`, and `mM/L`, which says the volume twice. Any other unit with it, such as `M/L`, may be of moles or
/// of millions.
fn molar(written: &str) -> Option<String> {
    let letters = letters(written);
    let alone = letters.strip_suffix("/L").filter(|unit| *unit != "M");
    let unit = lookup(MOLAR, alone.unwrap_or(&letters))?;
    Some(unit.to_owned())
}

/// In small letters, without the ways to print a small µ, a raised 2, a power and spaces.
fn plain(written: &str) -> String {
    let mut plain = String::new();
    for c in written.chars().filter(|c| !c.is_whitespace()) {
        match c {
            'µ' | 'μ' => plain.push('u'),
            '²' => plain.push('2'),
            '³' => plain.push('3'),
            '°' | 'º' => plain.push_str("deg"),
            '^' => plain.push('*'),
            '×' => plain.push('x'),
            other => plain.extend(other.to_lowercase()),
        }
    }
    plain
}

fn lookup(table: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    let found = table.iter().find(|(written, _)| *written == text);
    found.map(|(_, unit)| *unit)
}

fn whole(plain: &str) -> Option<&'static str> {
    let degrees = plain
        .trim_start_matches("degrees")
        .trim_start_matches("deg");
    lookup(WHOLE, plain).or_else(|| lookup(WHOLE, degrees).filter(|_| degrees != plain))
}

/// One letter too many or too few in a long word. A quotient is no word: `mIU/mL` is not `mil/uL`.
fn near(plain: &str) -> Option<String> {
    let is_word = |text: &str| text.len() > 5 && text.chars().all(char::is_alphabetic);
    let words = WHOLE.iter().map(|(written, _)| *written);
    let near = did_you_mean(plain, words.filter(|w| is_word(w) && is_word(plain)))?;
    lookup(WHOLE, near).map(str::to_owned)
}

/// Each part between `/` and `.` for itself.
fn parts(plain: &str) -> Option<String> {
    let text = plain.replace("per", "/").replace("1.73m*2", "1.73m2");
    let mut unit = String::new();
    for (number, over) in text.split('/').enumerate() {
        if number > 0 {
            unit.push('/');
        }
        if over.is_empty() && number == 0 {
            continue;
        }
        unit.push_str(&product(over)?);
    }
    Some(unit)
}

/// A part without `/`.
fn product(text: &str) -> Option<String> {
    if let Some(unit) = lookup(PARTS, text) {
        return Some(unit.to_owned());
    }
    // `x10*3`, `10*9`, `10(3)`: powers of ten.
    let power = text.strip_prefix('x').unwrap_or(text);
    let power = power
        .strip_prefix("10(")
        .and_then(|rest| rest.strip_suffix(')'));
    let power = power.map(|exponent| format!("10*{exponent}"));
    let power = power
        .as_deref()
        .unwrap_or(text.strip_prefix('x').unwrap_or(text));
    if let Some(exponent) = power
        .strip_prefix("10*")
        .or_else(|| power.strip_prefix("10e"))
    {
        let digits = !exponent.is_empty() && exponent.chars().all(|c| c.is_ascii_digit());
        return digits.then(|| format!("10*{exponent}"));
    }
    // `m*2`, `cm2`, `mm3`
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '*');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if letters.len() < text.len() && letters.chars().all(char::is_alphabetic) {
        return lookup(PARTS, letters).map(|unit| format!("{unit}{digits}"));
    }
    let (first, rest) = text.split_once('.')?;
    Some(format!("{}.{}", product(first)?, product(rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_by_a_text_that_is_no_unit() {
        for (written, unit) in [
            ("ml/min/1.73m2", "mL/min/{1.73_m2}"),
            ("mL/min/1.73 m2", "mL/min/{1.73_m2}"),
            ("mL/min/1.73m²", "mL/min/{1.73_m2}"),
            ("mL/min/1.73m^2", "mL/min/{1.73_m2}"),
            ("MG/DL", "mg/dL"),
            ("Mg/Dl", "mg/dL"),
            ("mmHg", "mm[Hg]"),
            ("mm Hg", "mm[Hg]"),
            ("mm[hg]", "mm[Hg]"),
            ("MM[HG]", "mm[Hg]"),
            ("percent", "%"),
            ("precent", "%"),
            ("Percent", "%"),
            ("pct", "%"),
            ("kg/m^2", "kg/m2"),
            ("kg/m²", "kg/m2"),
            ("KG", "kg"),
            ("mcg/mL", "ug/mL"),
            ("µg/L", "ug/L"),
            ("lbs", "[lb_av]"),
            ("inches", "[in_i]"),
            ("bpm", "/min"),
            ("beats/min", "{beats}/min"),
            ("°F", "[degF]"),
            ("degrees C", "Cel"),
            ("IU/L", "[iU]/L"),
            ("uIU/mL", "u[iU]/mL"),
            ("x10^3/uL", "10*3/uL"),
            ("years", "a"),
            ("months", "mo"),
            ("mmol per mol", "mmol/mol"),
            ("mIU/mL", "m[iU]/mL"),
            ("mIU/L", "m[iU]/L"),
            ("mM", "mmol/L"),
            ("uM", "umol/L"),
            ("µM", "umol/L"),
            ("nM", "nmol/L"),
            ("M", "mol/L"),
            ("mM/L", "mmol/L"),
            ("M/mm3", "10*6/uL"),
            ("M/uL", "10*6/uL"),
            ("MM", "mm"),
            ("KG/M2", "kg/m2"),
            ("pionts", "{points}"),
            ("points", "{points}"),
            ("pounds", "[lb_av]"),
            ("INR", "{INR}"),
            ("score", "{score}"),
            ("count", "1"),
            ("titer", "{titer}"),
            ("ratio", "{ratio}"),
            ("packs", "{packs}"),
            ("mg/24h", "mg/(24.h)"),
            ("mg/24 hours", "mg/(24.h)"),
            ("cmH2O", "cm[H2O]"),
        ] {
            assert!(!is_ucum(written), "{written}");
            assert_eq!(meant(written).as_deref(), Some(unit), "{written}");
        }
        for unit in ["furlongs", "M/L", "mM/min", "M", "mil/mL", "point/uL"] {
            assert_ne!(meant(unit).as_deref(), Some("m"), "{unit}");
        }
        for unit in ["furlongs", "M/L", "mM/min", "mil/mL", "(score)"] {
            assert_eq!(meant(unit), None, "{unit}");
        }
        assert_eq!(meant(&"m".repeat(100)), None);
    }

    #[test]
    fn what_is_of_ucum() {
        for unit in [
            "%",
            "mg/dL",
            "mg/dl",
            "mL/min/{1.73_m2}",
            "mL/min",
            "mm[Hg]",
            "kg/m2",
            "/min",
            "1",
            "{score}",
            "mmol/mol",
            "[iU]/L",
            "10*3/uL",
            "Cel",
            "[degF]",
            "a",
            "mo",
            "Roe",
            "mRoe",
            "g/(8.h){shift}",
            "U/(10.g){feces}",
            "mg/(24.h){a}/(1.m){b}",
        ] {
            assert!(is_ucum(unit), "{unit}");
            assert_eq!(mistaken(unit), None, "{unit}");
        }
    }

    #[test]
    fn what_is_not_of_ucum() {
        for unit in [
            "(score)",
            "score",
            "g/(8.h){}",
            "g/(8.h){a",
            "g/(8.h){a{b}}",
            "(8.h){a b}",
            "(8.h){x}2",
            "roe",
            "){x}",
        ] {
            assert!(!is_ucum(unit), "{unit}");
        }
        let convert = |a, b| super::super::shared().convert(rust_decimal::Decimal::ONE, a, b);
        assert_eq!(convert("Roe", "R"), Ok(rust_decimal::Decimal::ONE));
        assert_eq!(
            convert("g/(8.h){shift}", "g/(8.h)"),
            Ok(rust_decimal::Decimal::ONE)
        );
    }

    #[test]
    fn units_of_the_same_letters() {
        assert_eq!(mistaken("ML").as_deref(), Some("mL"));
        assert_eq!(mistaken("MG").as_deref(), Some("mg"));
        assert_eq!(mistaken("Mg/dL").as_deref(), Some("mg/dL"));
        assert_eq!(mistaken("K/uL").as_deref(), Some("10*3/uL"));
        assert_eq!(mistaken("G/L").as_deref(), Some("10*9/L"));
        assert_eq!(mistaken("T/L").as_deref(), Some("10*12/L"));
        assert_eq!(mistaken("ml"), None);
        assert_eq!(mistaken("g/L"), None);
    }

    #[test]
    fn every_unit_of_the_tables_is_of_ucum() {
        for (written, unit) in PARTS.iter().chain(WHOLE) {
            assert!(is_ucum(unit), "{written}: {unit}");
            assert_eq!(*written, written.to_lowercase());
        }
    }
}
