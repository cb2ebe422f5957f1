//! A resource in the words that a reader knows it by: its code, its date, its value.

use std::borrow::Cow;
use std::fmt::{Display, Formatter};

use crate::record::{Element, Kind};
use crate::requirements::{choice, referenced};

/// What tells a resource from the others of a patient.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Described {
    /// `Observation/123`
    pub resource: String,
    /// Display, text or code.
    pub code: Option<String>,
    /// That it was not done or does not count, as it says itself: `not done`, `entered in error`.
    pub negated: Option<&'static str>,
    /// As written; of a period both ends.
    pub date: Option<String>,
    /// With its unit; of components each.
    pub value: Option<String>,
}

/// `Observation/123, Hemoglobin A1c, 2020-06-03, 9.6 %`
impl Display for Described {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.resource)?;
        let negated = self.negated.map(str::to_owned);
        let parts = [&self.code, &negated, &self.date, &self.value];
        for part in parts.into_iter().flatten() {
            write!(f, ", {part}")?;
        }
        Ok(())
    }
}

/// Elements that hold a code, the telling first.
const CODES: [&str; 7] = [
    "code",
    "vaccineCode",
    "type",
    "serviceType",
    "category",
    "class",
    "productOrService",
];
/// Elements that hold a date or period, the telling first. A choice goes by its stem.
const DATES: [&str; 17] = [
    "effective",
    "performed",
    "onset",
    "occurrence",
    "period",
    "authoredOn",
    "administered",
    "whenHandedOver",
    "recordedDate",
    "recorded",
    "dateAsserted",
    "started",
    "issued",
    "created",
    "sent",
    "birthDate",
    "billablePeriod",
];

/// A resource; `None` of an element that is none.
pub fn described(resource: Element<'_>) -> Option<Described> {
    let ty = resource.resource_type()?.as_str();
    let resource_name = match resource.get_str("id") {
        Some(id) => format!("{ty}/{id}"),
        None => ty.to_owned(),
    };
    Some(Described {
        resource: resource_name,
        code: code_of(resource),
        negated: negated(resource),
        date: date_of(resource),
        value: value_of(resource),
    })
}

/// What a resource says of itself where it is no record of something done, ordered or diagnosed.
fn negated(resource: Element<'_>) -> Option<&'static str> {
    let is_true = |e: Element<'_>, name: &str| {
        let found = e.get_named(name);
        found.is_some_and(|e| e.kind() != Kind::Object && e.raw() == "true")
    };
    // Where R4 has no element for it, an extension of that name stands in.
    let extended = resource.get_named("modifierExtension").is_some_and(|all| {
        all.items().any(|e| {
            let url = e.get_str("url").unwrap_or_default();
            url.ends_with("doNotPerform") && is_true(e, "valueBoolean")
        })
    });
    if extended || is_true(resource, "doNotPerform") {
        return Some("not ordered");
    }
    let status = resource.get_str("status").unwrap_or_default();
    let found = match &*status {
        "not-done" => Some("not done"),
        "not-taken" => Some("not taken"),
        "cancelled" => Some("cancelled"),
        "declined" => Some("declined"),
        "rejected" => Some("rejected"),
        "revoked" => Some("revoked"),
        "entered-in-error" => Some("entered in error"),
        _ => None,
    };
    found.or_else(|| {
        let status = resource.get_named("verificationStatus")?;
        let mut codings = status.get_named("coding")?.items();
        codings.find_map(|c| match &*c.get_str("code")? {
            "refuted" => Some("refuted"),
            "entered-in-error" => Some("entered in error"),
            _ => None,
        })
    })
}

fn code_of(resource: Element<'_>) -> Option<String> {
    if let Some(medication) = choice(resource, "medication") {
        return medication_name(resource, medication);
    }
    let mut found = CODES.iter().filter_map(|name| resource.get_named(name));
    found.find_map(text_of)
}

/// A medication by its codes, which stand in another resource where it is referred to.
fn medication_name(resource: Element<'_>, medication: Element<'_>) -> Option<String> {
    let named = medication.get_str("reference").and_then(|reference| {
        let target = referenced(resource, &reference)?;
        text_of(target.get_named("code")?)
    });
    named.or_else(|| text_of(medication))
}

/// Its date or period, as written.
pub fn date_of(resource: Element<'_>) -> Option<String> {
    let mut found = DATES
        .iter()
        .filter_map(|name| resource.get_named(name).or_else(|| choice(resource, name)));
    found.find_map(text_of)
}

fn value_of(resource: Element<'_>) -> Option<String> {
    if let Some(value) = choice(resource, "value").and_then(text_of) {
        return Some(value);
    }
    let parts = resource.get_named("component")?.items();
    let told = parts.filter_map(|part| {
        let value = choice(part, "value").and_then(text_of)?;
        let code = part.get_named("code").and_then(text_of);
        Some(code.map_or_else(|| value.clone(), |code| format!("{code} {value}")))
    });
    let told: Vec<String> = told.take(4).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// A primitive, code, quantity, period or reference for people.
pub fn text_of(element: Element<'_>) -> Option<String> {
    let first = element.items().next()?;
    if first.kind() != Kind::Object {
        let text = match first.as_str() {
            Some(text) => text.into_owned(),
            None => first.raw().to_owned(),
        };
        return Some(text);
    }
    let get = |name: &str| first.get_str(name).map(Cow::into_owned);
    if let Some(coding) = first.get_named("coding").and_then(|c| c.items().next()) {
        let own = |name: &str| coding.get_str(name).map(Cow::into_owned);
        return own("display")
            .or_else(|| get("text"))
            .or_else(|| own("code"));
    }
    if let Some(value) = first.get_named("value") {
        let unit = get("unit").or_else(|| get("code")).unwrap_or_default();
        let comparator = get("comparator").unwrap_or_default();
        let value = match value.as_str() {
            Some(text) => text.into_owned(),
            None => value.raw().to_owned(),
        };
        return Some(format!("{comparator}{value} {unit}").trim().to_owned());
    }
    if let (low, high) = (first.get_named("low"), first.get_named("high"))
        && (low.is_some() || high.is_some())
    {
        let bound = |e: Option<Element<'_>>| e.and_then(text_of).unwrap_or_default();
        return Some(format!("{} – {}", bound(low), bound(high)));
    }
    if first.get_named("start").is_some() || first.get_named("end").is_some() {
        let bound = |name: &str| get(name).unwrap_or_default();
        return Some(
            format!("{} – {}", bound("start"), bound("end"))
                .trim()
                .to_owned(),
        );
    }
    ["display", "text", "code", "reference", "family"]
        .iter()
        .find_map(|name| get(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PatientRecord;

    fn told(resources: &[&str]) -> Vec<String> {
        let mut record = PatientRecord::new();
        for resource in resources {
            record.push(resource).unwrap();
        }
        record.seal();
        let all = record.resources().filter_map(described);
        all.map(|d| d.to_string()).collect()
    }

    #[test]
    fn a_resource_is_known_by_code_date_and_value() {
        let observation = r#"{"resourceType":"Observation","id":"o","code":{"coding":[{"code":"4548-4","display":"Hemoglobin A1c"}]},"effectiveDateTime":"2020-06-03","valueQuantity":{"value":9.60,"unit":"%"}}"#;
        assert_eq!(
            told(&[observation]),
            ["Observation/o, Hemoglobin A1c, 2020-06-03, 9.60 %"]
        );
        let pressure = r#"{"resourceType":"Observation","id":"p","code":{"text":"BP"},"effectivePeriod":{"start":"2020-06-03"},"component":[{"code":{"text":"Systolic"},"valueQuantity":{"value":120,"code":"mm[Hg]"}},{"code":{"text":"Diastolic"},"valueQuantity":{"value":80,"code":"mm[Hg]"}}]}"#;
        assert_eq!(
            told(&[pressure]),
            ["Observation/p, BP, 2020-06-03 –, Systolic 120 mm[Hg]; Diastolic 80 mm[Hg]"]
        );
    }

    #[test]
    fn what_was_not_done_is_told_as_not_done() {
        let of = |ty: &str, more: &str| {
            told(&[&format!(
                r#"{{"resourceType":"{ty}","id":"a","code":{{"text":"X"}},{more}}}"#
            )])
        };
        let error = r#""verificationStatus":{"coding":[{"code":"entered-in-error"}]}"#;
        let extended = r#""modifierExtension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DeviceRequest.doNotPerform","valueBoolean":true}]"#;
        for (ty, more, expected) in [
            ("ServiceRequest", r#""doNotPerform":true"#, ", not ordered"),
            ("ServiceRequest", r#""doNotPerform":false"#, ""),
            ("DeviceRequest", extended, ", not ordered"),
            ("Procedure", r#""status":"not-done""#, ", not done"),
            ("Procedure", r#""status":"completed""#, ""),
            ("Observation", r#""status":"cancelled""#, ", cancelled"),
            ("Condition", error, ", entered in error"),
        ] {
            assert_eq!(of(ty, more), [format!("{ty}/a, X{expected}")]);
        }
    }

    #[test]
    fn a_medication_has_its_name_where_it_is_referred_to() {
        let request = r#"{"resourceType":"MedicationRequest","id":"r","medicationReference":{"reference":"Medication/m"},"authoredOn":"2020-01-01"}"#;
        let medication = r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"code":"1","display":"Warfarin"}]}}"#;
        let all = told(&[request, medication]);
        assert!(
            all.contains(&"MedicationRequest/r, Warfarin, 2020-01-01".to_owned()),
            "{all:?}"
        );
        // What is not there is told as it is referred to.
        assert_eq!(
            told(&[request]),
            ["MedicationRequest/r, Medication/m, 2020-01-01"]
        );
    }
}
