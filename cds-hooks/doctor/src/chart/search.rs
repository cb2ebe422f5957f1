//! A FHIR search over the chart, good enough for prefetch templates: reads; searches by reference, token
//! and date, `_id`, `_count`, `_sort`, `_include`. What it does not know it says, as a client that
//! cannot satisfy a template leaves the key out.

use serde_json::Value;

use super::{Chart, kind, searchset};

/// Entries of an answer, where the query does not say how many.
const PAGE: usize = 1000;

/// Answers `Type/id` with the resource (null where there is none), `Type?…` with a searchset.
///
/// # Errors
/// What of the query is not known here.
pub(crate) fn ask(chart: &Chart, query: &str) -> Result<Value, String> {
    let (path, parameters) = query.split_once('?').unwrap_or((query, ""));
    if let Some((ty, id)) = path.split_once('/') {
        let is = |r: &&Value| kind(r) == ty && text_of(r, "id") == Some(id);
        let found = chart.resources.iter().find(is);
        return Ok(found.cloned().unwrap_or(Value::Null));
    }
    let mut matches: Vec<&Value> = chart.resources.iter().filter(|r| kind(r) == path).collect();
    let (mut count, mut includes) = (PAGE, vec![]);
    for parameter in parameters.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = parameter
            .split_once('=')
            .ok_or_else(|| format!("`{parameter}` is no parameter"))?;
        let value = decode(value);
        match name {
            "_count" | "_maxresults" => count = value.parse().unwrap_or(PAGE),
            // Who sorts wants the latest first: the chart has few of each.
            "_sort" | "_summary" | "_total" | "_format" => {}
            "_include" | "_include:iterate" => includes.push(value),
            _ => {
                let test = Test::of(name, &value)?;
                matches.retain(|resource| test.holds(resource));
            }
        }
    }
    matches.truncate(count);
    let matches: Vec<Value> = matches.into_iter().cloned().collect();
    let along = included(chart, &matches, &includes);
    Ok(searchset(&matches, &along))
}

/// Percent-decoding; what is no escape stays.
fn decode(text: &str) -> String {
    let bytes = text.replace('+', " ");
    let decoded = url::form_urlencoded::parse(format!("v={bytes}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned());
    decoded.unwrap_or(bytes)
}

fn text_of<'r>(resource: &'r Value, name: &str) -> Option<&'r str> {
    resource.get(name).and_then(Value::as_str)
}

/// A condition on a resource.
enum Test<'q> {
    Reference(&'q str, &'q str),
    Token(&'q str, &'q str),
    Date(&'q str),
    Id(&'q str),
}

impl<'q> Test<'q> {
    fn of(name: &'q str, value: &'q str) -> Result<Self, String> {
        if name.contains(':') || name.contains('.') || name.starts_with("_has") {
            return Err(format!("`{name}` has a modifier or a chain"));
        }
        match name {
            "_id" => Ok(Test::Id(value)),
            "patient" | "subject" | "encounter" | "beneficiary" | "medication" | "requester" => {
                Ok(Test::Reference(name, value))
            }
            "date" | "authoredon" | "recorded-date" | "onset-date" | "issued" | "_lastUpdated"
            | "effective" | "authored" => Ok(Test::Date(value)),
            "code"
            | "status"
            | "clinical-status"
            | "verification-status"
            | "category"
            | "intent"
            | "type"
            | "vaccine-code"
            | "class"
            | "criticality"
            | "combo-code"
            | "identifier" => Ok(Test::Token(name, value)),
            other => Err(format!("`{other}` is no parameter that it knows")),
        }
    }

    fn holds(&self, resource: &Value) -> bool {
        match self {
            Test::Id(ids) => ids.split(',').any(|id| text_of(resource, "id") == Some(id)),
            Test::Reference(name, values) => {
                let elements: &[&str] = match *name {
                    "patient" | "subject" => &["subject", "patient", "beneficiary", "for"],
                    "medication" => &["medicationReference"],
                    _ => std::slice::from_ref(name),
                };
                let names = |element: &&str| {
                    let reference = resource.get(*element)?.get("reference")?.as_str()?;
                    values.split(',').find(|value| {
                        reference == *value || reference.rsplit('/').next() == Some(value)
                    })
                };
                elements.iter().any(|element| names(element).is_some())
            }
            Test::Token(name, values) => {
                let elements = elements_of_token(name);
                let found = elements.iter().filter_map(|e| resource.get(*e));
                found.flat_map(codes).any(|(system, code)| {
                    values.split(',').any(|value| match value.split_once('|') {
                        Some((s, "")) => s == system,
                        Some((s, c)) => s == system && c == code,
                        None => value == code,
                    })
                })
            }
            Test::Date(values) => {
                let date = date_of(resource);
                date.is_some_and(|date| values.split(',').any(|value| compares(date, value)))
            }
        }
    }
}

fn elements_of_token(name: &str) -> Vec<&str> {
    match name {
        "code" | "combo-code" => vec!["code", "medicationCodeableConcept"],
        "clinical-status" => vec!["clinicalStatus"],
        "verification-status" => vec!["verificationStatus"],
        "vaccine-code" => vec!["vaccineCode"],
        other => vec![other],
    }
}

/// System and code of what an element holds: a code, codings, concepts, identifiers.
fn codes(element: &Value) -> Vec<(&str, &str)> {
    match element {
        Value::String(code) => vec![("", code)],
        Value::Array(items) => items.iter().flat_map(codes).collect(),
        Value::Object(members) => {
            if let Some(codings) = members.get("coding") {
                return codes(codings);
            }
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            let code = text("code").or_else(|| text("value"));
            code.map(|code| (text("system").unwrap_or_default(), code))
                .into_iter()
                .collect()
        }
        _ => vec![],
    }
}

/// The date that a search by date is about.
fn date_of(resource: &Value) -> Option<&str> {
    const ELEMENTS: [&str; 9] = [
        "effectiveDateTime",
        "performedDateTime",
        "occurrenceDateTime",
        "authoredOn",
        "onsetDateTime",
        "recordedDate",
        "issued",
        "date",
        "start",
    ];
    let plain = ELEMENTS.iter().find_map(|e| text_of(resource, e));
    let period = || {
        let period = ["period", "effectivePeriod", "performedPeriod"]
            .iter()
            .find_map(|e| resource.get(*e))?;
        text_of(period, "start")
    };
    plain.or_else(period)
}

/// `ge2025-01-01` and the like, by the characters that both have: dates in UTC sort as text.
fn compares(date: &str, value: &str) -> bool {
    let (prefix, bound) = match value.get(..2) {
        Some(p) if p.bytes().all(|b| b.is_ascii_lowercase()) => (p, value.get(2..).unwrap_or("")),
        _ => ("eq", value),
    };
    let shared = date.len().min(bound.len());
    let (date, bound) = (
        date.get(..shared).unwrap_or(date),
        bound.get(..shared).unwrap_or(bound),
    );
    match prefix {
        "eq" => date == bound,
        "ge" => date >= bound,
        "gt" | "sa" => date > bound,
        "le" => date <= bound,
        "lt" | "eb" => date < bound,
        _ => true,
    }
}

/// What comes along by `_include=Type:parameter`.
fn included(chart: &Chart, matches: &[Value], includes: &[String]) -> Vec<Value> {
    let mut out: Vec<Value> = vec![];
    for include in includes {
        let mut parts = include.split(':');
        let (Some(ty), Some(parameter)) = (parts.next(), parts.next()) else {
            continue;
        };
        for resource in matches.iter().filter(|r| kind(r) == ty) {
            for reference in references(resource, parameter) {
                let named = |r: &&Value| {
                    text_of(r, "id").is_some_and(|id| reference == format!("{}/{id}", kind(r)))
                };
                if let Some(found) = chart.resources.iter().find(named)
                    && !out.contains(found)
                    && !matches.contains(found)
                {
                    out.push(found.clone());
                }
            }
        }
    }
    out
}

/// References of a resource under the element that a search parameter names.
fn references(resource: &Value, parameter: &str) -> Vec<String> {
    let squeezed = parameter.replace('-', "");
    let Some(members) = resource.as_object() else {
        return vec![];
    };
    let mut out = vec![];
    for (name, value) in members {
        let name = name.to_ascii_lowercase();
        if name != squeezed && name != format!("{squeezed}reference") {
            continue;
        }
        let items = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        let texts = items.iter().filter_map(|item| text_of(item, "reference"));
        out.extend(texts.map(str::to_owned));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<String> {
        let chart = Chart::built_in(1_796_000_000).unwrap();
        let bundle = ask(&chart, query).unwrap();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let id = |entry: &Value| entry["resource"]["id"].as_str().unwrap().to_owned();
        entries.iter().map(id).collect()
    }

    #[test]
    fn searches() {
        let p = "patient=doctor-p1";
        for (query, expected) in [
            (format!("Condition?{p}"), &["doctor-c1", "doctor-c2"][..]),
            (
                format!("Condition?{p}&code=http://snomed.info/sct|44054006"),
                &["doctor-c1"],
            ),
            (
                format!("Condition?{p}&code=x%7Cy,http%3A%2F%2Fsnomed.info%2Fsct%7C44054006"),
                &["doctor-c1"],
            ),
            (format!("Condition?{p}&clinical-status=inactive"), &[]),
            (format!("Condition?{p}&_count=1"), &["doctor-c1"]),
            ("Condition?patient=other".to_owned(), &[]),
            (
                "Observation?subject=Patient/doctor-p1&category=laboratory".to_owned(),
                &["doctor-o1", "doctor-o3"],
            ),
            (
                format!("Observation?{p}&date=ge2026-10-01"),
                &["doctor-o2", "doctor-o3"],
            ),
            (
                format!(
                    "MedicationRequest?{p}&status=active&_include=MedicationRequest:medication"
                ),
                &["doctor-m1", "doctor-m2", "doctor-med1"],
            ),
            (
                "AllergyIntolerance?patient=Patient/doctor-p1".to_owned(),
                &["doctor-a1"],
            ),
        ] {
            assert_eq!(found(&query), expected, "{query}");
        }
        let chart = Chart::built_in(0).unwrap();
        assert_eq!(ask(&chart, "Patient/doctor-p1").unwrap()["id"], "doctor-p1");
        assert_eq!(ask(&chart, "Patient/x").unwrap(), Value::Null);
        for unknown in [
            "Condition?code:not=x",
            "Condition?frob=1",
            "Condition?_has:a=1",
        ] {
            assert!(ask(&chart, unknown).is_err(), "{unknown}");
        }
    }
}
