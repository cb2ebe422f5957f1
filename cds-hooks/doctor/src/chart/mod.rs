//! The patient that the doctor calls about: built in, or the user's own.

pub(crate) mod context;
pub(crate) mod drafts;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod template;

use serde_json::{Value, json};

use crate::options::DoctorError;

/// The data of one patient.
#[derive(Clone)]
pub(crate) struct Chart {
    pub(crate) resources: Vec<Value>,
    pub(crate) patient: String,
    pub(crate) user: String,
    pub(crate) encounter: String,
}

impl Chart {
    /// The built-in patient, with dates counted from the day of `now` (seconds since 1970).
    pub(crate) fn built_in(now: i64) -> Result<Self, DoctorError> {
        let text = dated(include_str!("patient.json"), now);
        let bundle = serde_json::from_str(&text).map_err(|_| DoctorError::Patient)?;
        Self::of(&bundle)
    }

    /// Of a Bundle with one Patient.
    pub(crate) fn of(bundle: &Value) -> Result<Self, DoctorError> {
        let entries = bundle.get("entry").and_then(Value::as_array);
        let entries = entries.ok_or(DoctorError::Patient)?;
        let resources: Vec<Value> = entries
            .iter()
            .filter_map(|entry| entry.get("resource").cloned())
            .collect();
        let ids = |ty: &str| -> Vec<String> {
            let of = |r: &&Value| kind(r) == ty;
            let id = |r: &Value| Some(r.get("id")?.as_str()?.to_owned());
            resources.iter().filter(of).filter_map(id).collect()
        };
        let [patient] = &ids("Patient")[..] else {
            return Err(DoctorError::Patient);
        };
        let first = |ty: &str, other: &str| {
            let found = ids(ty).into_iter().next();
            found.unwrap_or_else(|| other.to_owned())
        };
        Ok(Chart {
            patient: patient.clone(),
            user: format!("Practitioner/{}", first("Practitioner", "doctor-d1")),
            encounter: first("Encounter", "doctor-e1"),
            resources,
        })
    }

    /// The same with text that a careless service would turn into a page: in each display and text.
    pub(crate) fn hostile(&self) -> Self {
        let mut chart = self.clone();
        // What is not recognised is likely to be shown in its own words.
        chart.resources.push(json!({
            "resourceType": "AllergyIntolerance", "id": "doctor-a2", "code": {"text": "Remedy of the aunt"},
            "clinicalStatus": {"coding": [{"code": "active",
                "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"}]},
            "patient": {"reference": format!("Patient/{}", self.patient)},
        }));
        chart.resources.iter_mut().for_each(taint);
        chart
    }
}

/// What must not come back as HTML.
pub(crate) const HTML: &str = "<img src=x onerror=doctor(1)>";

/// What must not come back as a link.
pub(crate) const LINK: &str = "[doctor](https://doctor.example/stolen)";

/// Puts hostile text behind each display and text of a resource.
pub(crate) fn taint(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(taint),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text)
                        if matches!(name.as_str(), "display" | "text" | "family") =>
                    {
                        *text = format!("{text} {HTML} {LINK}");
                    }
                    other => taint(other),
                }
            }
        }
        _ => {}
    }
}

/// The type of a resource.
pub(crate) fn kind(resource: &Value) -> &str {
    let ty = resource.get("resourceType").and_then(Value::as_str);
    ty.unwrap_or_default()
}

/// A searchset with these.
pub(crate) fn searchset(matches: &[Value], along: &[Value]) -> Value {
    let entry = |mode: &'static str| move |resource: &Value| json!({"resource": resource, "search": {"mode": mode}});
    let entries: Vec<Value> = matches
        .iter()
        .map(entry("match"))
        .chain(along.iter().map(entry("include")))
        .collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": matches.len()});
    if let (false, Some(members)) = (entries.is_empty(), bundle.as_object_mut()) {
        members.insert("entry".to_owned(), Value::Array(entries));
    }
    bundle
}

/// An answer that says that a search failed.
pub(crate) fn failure() -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "timeout", "diagnostics": "the search took too long"}]})
}

/// Fills in days: `{{-30}}` is the day 30 days before `now`.
pub(crate) fn dated(text: &str, now: i64) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{-") {
        out.push_str(before);
        match after.split_once("}}") {
            Some((days, after)) => {
                let days: i64 = days.parse().unwrap_or(0);
                out.push_str(&day(now.div_euclid(86_400) - days));
                rest = after;
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

/// The date of a day counted from 1970-01-01 (proleptic Gregorian calendar).
pub(crate) fn day(days: i64) -> String {
    // Years that begin in March, as leap days then come last (Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms").
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

/// A moment in seconds since 1970, as RFC 3339 has it.
pub(crate) fn moment(now: i64) -> String {
    let (days, of_day) = (now.div_euclid(86_400), now.rem_euclid(86_400));
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}Z", day(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_787, "2026-11-30"),
        ] {
            assert_eq!(day(days), expected);
        }
        assert_eq!(
            dated("a {{-1}}T1 {{-0}}", 86_400),
            "a 1970-01-01T1 1970-01-02"
        );
    }

    #[test]
    fn the_built_in_patient_is_there_and_can_be_tainted() {
        let chart = Chart::built_in(1_796_000_000).unwrap();
        assert_eq!(chart.patient, "doctor-p1");
        let hostile = chart.hostile();
        let text = serde_json::to_string(&hostile.resources).unwrap();
        assert!(text.contains("warfarin sodium 5 MG Oral Tablet <img"));
        assert!(Chart::of(&json!({"entry": []})).is_err());
    }
}
