//! Short forms in cases: one word or text for a FHIR datatype.
//!
//! | Written | For | Becomes |
//! |---|---|---|
//! | `loinc\|4548-4` | Coding, CodeableConcept | system and code; the system by name or in full |
//! | `active` | a CodeableConcept with a required binding, such as `clinicalStatus` | the code in FHIR's own system |
//! | `7.1 %`, `< 5 mg/dL` | Quantity | value, comparator, UCUM unit |
//! | `2025-01-01/2025-02-01` | Period | start and end; either may be empty |
//! | `Patient/1` | Reference | the reference |

use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::system::date_time::DateTime;

use super::slips;
use crate::template::{Part, parse};
use crate::yaml::{Scalar, Style};

/// Names of code systems.
pub(crate) const SYSTEMS: &[(&str, &str)] = &[
    ("cpt", "http://www.ama-assn.org/go/cpt"),
    ("cvx", "http://hl7.org/fhir/sid/cvx"),
    (
        "hcpcs",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    ),
    ("icd10cm", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("loinc", "http://loinc.org"),
    ("rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("snomed", "http://snomed.info/sct"),
];

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The type that a choice element probably has.
pub(super) fn guess(text: &str) -> Option<&'static str> {
    // Of what is made of expressions, what stands around them says what it is.
    if let Ok(parts) = parse(text)
        && parts.iter().any(|p| matches!(p, Part::Expression(..)))
    {
        let fixed = parts.iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Expression(..) => "1",
        });
        let fixed: String = fixed.collect();
        return (parts.len() > 1).then(|| guess(&fixed)).flatten();
    }
    if DateTime::parse(text).is_some() {
        return Some("dateTime");
    }
    if text.contains('/') && period(text).is_some() {
        return Some("Period");
    }
    if concept(text, None).is_ok() {
        return Some("CodeableConcept");
    }
    quantity(text).map(|_| "Quantity")
}

/// The JSON of a scalar for an element of a type; what to write instead where it does not fit.
pub(crate) fn expand(
    scalar: &Scalar,
    ty: &str,
    codes: Option<&RequiredCodes>,
) -> Result<String, String> {
    let text = scalar.text.trim();
    match ty {
        "boolean" => match text {
            "true" | "false" => Ok(text.to_owned()),
            _ => Err("`true` or `false`".into()),
        },
        "decimal" => number(text).ok_or_else(|| "a number, as in `7.1`".into()),
        "integer" | "positiveInt" | "unsignedInt" => {
            let least = match ty {
                "positiveInt" => 1,
                "unsignedInt" => 0,
                _ => i64::from(i32::MIN),
            };
            let most = i64::from(i32::MAX);
            let whole = number(text).filter(|n| !n.contains(['.', 'e', 'E']));
            let Some(whole) = whole else {
                return Err("a whole number, as in `7`".into());
            };
            let fits = whole
                .parse::<i64>()
                .is_ok_and(|n| (least..=most).contains(&n));
            match fits {
                true => Ok(whole),
                false => Err(format!("a whole number from {least} to {most}")),
            }
        }
        "date" if text.contains('T') && DateTime::parse(text).is_some() => {
            Err("a date without a time, as in `2025-12-31`".into())
        }
        "instant" if !text.contains('T') && DateTime::parse(text).is_some() => {
            Err("a date and a time, as in `2025-12-31T10:00:00Z`".into())
        }
        "date" | "dateTime" | "instant" => {
            let known = DateTime::parse(text).map(|_| quoted(text));
            known.ok_or_else(|| match slips::of(text) {
                Some(("dateTime", _, help)) => help,
                _ => "a date as in FHIR: `2025`, `2025-12-31` or `2025-12-31T10:00:00Z`".into(),
            })
        }
        "Coding" => concept(text, codes),
        "CodeableConcept" => {
            let coding = concept(text, codes)?;
            Ok(format!("{{\"coding\":[{coding}]}}"))
        }
        "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "SimpleQuantity" => quantity(text)
            .ok_or_else(|| match slips::of(text) {
                Some(("Quantity", _, help)) => help,
                _ => "a number and a UCUM unit, as in `7.1 %`".into(),
            }),
        "Period" => period(text)
            .ok_or_else(|| "two dates with `/` between, as in `2025-01-01/2025-02-01`".into()),
        "Reference" => Ok(format!("{{\"reference\":{}}}", quoted(text))),
        _ if ty.starts_with(|c: char| c.is_ascii_lowercase()) => Ok(quoted(&scalar.text)),
        _ if scalar.style == Style::Plain && text.is_empty() => {
            Err("write it out as `key: value`, or leave it away".into())
        }
        _ => Err("write it out as `key: value`".into()),
    }
}

/// A number as JSON has it, with all its digits.
fn number(text: &str) -> Option<String> {
    let valid = serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
    let number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    (number && valid.get() == text).then(|| text.to_owned())
}

/// The Coding of `system|code`. `Err` has what to write instead.
fn concept(text: &str, codes: Option<&RequiredCodes>) -> Result<String, String> {
    let coding = |system: &str, code: &str| {
        format!(
            "{{\"system\":{},\"code\":{}}}",
            quoted(system),
            quoted(code)
        )
    };
    let Some((system, code)) = text.rsplit_once('|') else {
        // Elements whose codes are of one system.
        let system = codes
            .filter(|_| !text.is_empty())
            .and_then(|codes| codes.urls().next());
        return match system {
            Some(system) => Ok(coding(system, text)),
            None => Err("a system and a code, as in `loinc|4548-4`".into()),
        };
    };
    let (system, code) = (system.trim(), code.trim());
    match system_of(system) {
        Some(url) if !code.is_empty() => Ok(coding(url, code)),
        Some(_) => Err("the code is missing after `|`".into()),
        None if system_meant(system).is_some() => {
            let name = system_meant(system).unwrap_or_default();
            Err(format!("write `{name}|{code}`"))
        }
        None => {
            let names: Vec<&str> = SYSTEMS.iter().map(|(name, _)| *name).collect();
            Err(format!(
                "the system is one of `{}`, or written in full",
                names.join("`, `")
            ))
        }
    }
}

/// `LOINC`, `ICD-10-CM`, `SNOMED CT`: the short name of a system that is written otherwise.
fn system_meant(system: &str) -> Option<&'static str> {
    let plain: String = system.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let meant = match plain.as_str() {
        "icd10" | "icd" => "icd10cm",
        "sct" | "snomedct" => "snomed",
        other => other,
    };
    SYSTEMS
        .iter()
        .map(|(name, _)| *name)
        .find(|name| *name == meant)
}

/// The url of a code system that is named, or written in full.
pub(super) fn system_of(system: &str) -> Option<&str> {
    let named = SYSTEMS.iter().find(|(name, _)| *name == system);
    let named = named.map(|(_, url)| *url);
    named.or_else(|| system.contains(':').then_some(system))
}

/// The unit in the short form of a quantity.
pub(super) fn unit_of(text: &str) -> &str {
    let rest = text.trim().trim_start_matches(['<', '>', '=']).trim();
    rest.split_once(' ').map_or("", |(_, unit)| unit.trim())
}

fn quantity(text: &str) -> Option<String> {
    let comparator = ["<=", ">=", "<", ">"]
        .into_iter()
        .find(|c| text.starts_with(c));
    let rest = comparator
        .and_then(|c| text.strip_prefix(c))
        .unwrap_or(text)
        .trim();
    let (value, unit) = rest
        .split_once(' ')
        .map_or((rest, ""), |(v, u)| (v, u.trim()));
    let value = number(value)?;
    let mut json = format!("{{\"value\":{value}");
    if let Some(comparator) = comparator {
        json.push_str(&format!(",\"comparator\":{}", quoted(comparator)));
    }
    if !unit.is_empty() {
        let unit = quoted(unit);
        json.push_str(&format!(
            ",\"unit\":{unit},\"system\":\"http://unitsofmeasure.org\",\"code\":{unit}"
        ));
    }
    json.push('}');
    Some(json)
}

fn period(text: &str) -> Option<String> {
    let (start, end) = text.split_once('/')?;
    let mut parts = vec![];
    for (name, date) in [("start", start.trim()), ("end", end.trim())] {
        if !date.is_empty() {
            DateTime::parse(date)?;
            parts.push(format!("\"{name}\":{}", quoted(date)));
        }
    }
    (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(",")))
}
