use super::*;

/// The mended members, what is open, what is unread; or why it is not taken.
fn of(ty: &str, members: &str) -> Result<(String, Vec<String>, Vec<String>), String> {
    let mut document = PatientRecord::new();
    let json = format!(r#"{{"resourceType":"{ty}",{members}}}"#);
    let mut mended = mended(document.push_document(&json).unwrap(), ty)?;
    // Most members are looked at alone: see `what_lacks_its_code_may_be_any`.
    mended.open.retain(|open| !open.ends_with("is missing"));
    let start = format!(r#"{{"resourceType":"{ty}""#);
    let rest = mended.text.strip_prefix(&start).unwrap();
    let rest = rest.strip_suffix('}').unwrap().trim_start_matches(',');
    Ok((rest.to_owned(), mended.open, mended.unread))
}

#[test]
fn what_is_empty_is_not_there() {
    for (ty, members, left) in [
        (
            "Patient",
            r#""name":[],"birthDate":"1960""#,
            r#""birthDate":"1960""#,
        ),
        (
            "Patient",
            r#""name":[{"family":"","given":[null]},null,{"text":"A"}],"gender":"""#,
            r#""name":[{"text":"A"}]"#,
        ),
        (
            "Patient",
            r#""gender":"male","photo":[{}],"address":null"#,
            r#""gender":"male""#,
        ),
        (
            "Patient",
            r#""deceasedDateTime":null,"own":{"a":[]}"#,
            r#""own":{"a":[]}"#,
        ),
        (
            "Patient",
            r#""name":[{"given":["A",null],"_given":[null,{"id":"x"}]}],"telecom":[null]"#,
            r#""name":[{"given":["A",null],"_given":[null,{"id":"x"}]}]"#,
        ),
        (
            "Observation",
            r#""code":{"coding":[{"system":"s","code":"c","display":""},{},null],"text":null}"#,
            r#""code":{"coding":[{"system":"s","code":"c"}]}"#,
        ),
        // Nothing is said of it: that is how charts have it.
        (
            "Condition",
            r#""code":{"text":"x"},"verificationStatus":{}"#,
            r#""code":{"text":"x"}"#,
        ),
        (
            "Observation",
            r#""valueQuantity":{"value":1.50,"unit":""}"#,
            r#""valueQuantity":{"value":1.50}"#,
        ),
    ] {
        let whole = (left.to_owned(), vec![], vec![]);
        assert_eq!(of(ty, members), Ok(whole), "{members}");
    }
}

#[test]
fn what_may_be_any_is_told() {
    for (ty, members, open) in [
        ("Observation", r#""code":{}"#, "`code` has no code"),
        (
            "Observation",
            r#""code":{"coding":[{}]}"#,
            "`code` has no code",
        ),
        (
            "Observation",
            r#""code":{"coding":[],"text":"x"}"#,
            "`code` has no code",
        ),
        (
            "Observation",
            r#""code":{"coding":[{"system":"s","code":""}]}"#,
            "`code` has no code",
        ),
        ("Observation", r#""code":null"#, "`code` has no code"),
        ("Observation", r#""status":"""#, "`status` is empty"),
        ("MedicationRequest", r#""intent":null"#, "`intent` is empty"),
        (
            "MedicationRequest",
            r#""medicationCodeableConcept":{}"#,
            "`medicationCodeableConcept` has no code",
        ),
        (
            "MedicationRequest",
            r#""medicationReference":{"reference":"","display":"x"}"#,
            "`medicationReference` has no code",
        ),
    ] {
        let (_, told, unread) = of(ty, members).unwrap();
        assert_eq!((told, unread), (vec![open.to_owned()], vec![]), "{members}");
    }
}

/// Where R4 requires a code, one that never came is told as one that is empty.
#[test]
fn what_lacks_its_code_may_be_any() {
    for (ty, members, open) in [
        (
            "Observation",
            r#""status":"final""#,
            Some("`code` is missing"),
        ),
        (
            "Observation",
            r#""code":{"extension":[{"url":"x"}]}"#,
            Some("`code` has no code"),
        ),
        (
            "MedicationRequest",
            r#""intent":"order""#,
            Some("`medication` is missing"),
        ),
        (
            "Immunization",
            r#""status":"completed""#,
            Some("`vaccineCode` is missing"),
        ),
        ("Observation", r#""code":{"coding":[{"code":"c"}]}"#, None),
        // As for a retrieve anywhere.
        ("Observation", r#""code":{"text":"x"}"#, None),
        (
            "MedicationRequest",
            r#""medicationReference":{"display":"x"}"#,
            None,
        ),
        // R4 requires none.
        ("Condition", r#""recordedDate":"2024""#, None),
        ("Encounter", r#""status":"finished""#, None),
    ] {
        let mut document = PatientRecord::new();
        let json = format!(r#"{{"resourceType":"{ty}",{members}}}"#);
        let resource = document.push_document(&json).unwrap();
        assert_eq!(uncoded(resource, ty).as_deref(), open, "{members}");
        let mended = mended(resource, ty).unwrap();
        assert_eq!(mended.open.first().map(String::as_str), open, "{members}");
        assert!(mended.open.len() < 2, "{:?}", mended.open);
    }
}

/// It stays, where evaluation sees that it is none, and goes where nobody asks.
#[test]
fn what_is_of_another_kind_is_unread() {
    for (ty, members, left, unread) in [
        (
            "Patient",
            r#""birthDate":1960"#,
            r#""birthDate":1960"#,
            "`birthDate` is a number where R4 has a text",
        ),
        ("Patient", r#""birthDate":"""#, r#""birthDate":"""#, ""),
        (
            "Patient",
            r#""deceasedDateTime":"""#,
            r#""deceasedDateTime":"""#,
            "",
        ),
        (
            "Patient",
            r#""active":"true""#,
            r#""active":"true""#,
            "`active` is a text where R4 has true or false",
        ),
        (
            "Patient",
            r#""name":"Doe""#,
            "",
            "`name` is a text where R4 has an object",
        ),
        (
            "Patient",
            r#""name":[{"family":["A"],"text":"B"}]"#,
            r#""name":[{"text":"B"}]"#,
            "`name.family` is a list where R4 has one value",
        ),
        (
            "Patient",
            r#""contact":[{"gender":7}]"#,
            r#""contact":[{}]"#,
            "`contact.gender` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""bodySite":"left""#,
            r#""bodySite":"left""#,
            "`bodySite` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""valueQuantity":{"value":"7"}"#,
            r#""valueQuantity":{"value":"7"}"#,
            "`valueQuantity.value` is a text where R4 has a number",
        ),
        (
            "Observation",
            r#""effectivePeriod":[{"start":"2024"}]"#,
            r#""effectivePeriod":[{"start":"2024"}]"#,
            "`effectivePeriod` is a list where R4 has one value",
        ),
        (
            "Observation",
            r#""note":"x""#,
            "",
            "`note` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":"smoker""#,
            r#""valueCodeableConcept":"smoker""#,
            "`valueCodeableConcept` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":[{"code":"c","display":7}]}"#,
            r#""valueCodeableConcept":{"coding":[{"code":"c","display":7}]}"#,
            "`valueCodeableConcept.coding.display` is a number where R4 has a text",
        ),
        (
            "Patient",
            r#""maritalStatus":{"coding":[{"code":7}]}"#,
            r#""maritalStatus":{"coding":[{"code":7}]}"#,
            "`maritalStatus.coding.code` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""meta":{"tag":[{"code":7}]}"#,
            r#""meta":{"tag":[{}]}"#,
            "`meta.tag.code` is a number where R4 has a text",
        ),
    ] {
        let (found, open, told) = of(ty, members).unwrap();
        assert_eq!((found.as_str(), open.len()), (left, 0), "{members}");
        assert_eq!(told.join(", "), unread, "{members}");
    }
}

#[test]
fn what_decides_must_be_readable() {
    for (ty, members, flaw) in [
        (
            "Observation",
            r#""code":"4548-4""#,
            "`code` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""code":{"coding":[{"code":7}]}"#,
            "`code.coding.code` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""code":{"coding":"x"}"#,
            "`code.coding` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":[{"code":77176002}]}"#,
            "`valueCodeableConcept.coding.code` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":[{"code":["7717"]}]}"#,
            "`valueCodeableConcept.coding.code` is a list where R4 has one value",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":[{"system":7,"code":"c"}]}"#,
            "`valueCodeableConcept.coding.system` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":"7717"}"#,
            "`valueCodeableConcept.coding` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""valueCodeableConcept":{"coding":["7717"]}"#,
            "`valueCodeableConcept.coding` is a text where R4 has an object",
        ),
        (
            "Encounter",
            r#""class":{"code":7}"#,
            "`class.code` is a number where R4 has a text",
        ),
        (
            "Observation",
            r#""status":"Final""#,
            "`status` is no code of R4: those are small letters and hyphens",
        ),
        (
            "Observation",
            r#""status":["final"]"#,
            "`status` is a list where R4 has one value",
        ),
        (
            "Observation",
            r#""component":["x"]"#,
            "`component` is a text where R4 has an object",
        ),
        (
            "Observation",
            r#""component":[{"code":"x"}]"#,
            "`component.code` is a text where R4 has an object",
        ),
        (
            "Condition",
            r#""verificationStatus":"refuted""#,
            "`verificationStatus` is a text where R4 has an object",
        ),
        (
            "AllergyIntolerance",
            r#""reaction":["hives"]"#,
            "`reaction` is a text where R4 has an object",
        ),
        (
            "MedicationRequest",
            r#""dosageInstruction":"daily""#,
            "`dosageInstruction` is a text where R4 has an object",
        ),
        (
            "MedicationRequest",
            r#""medicationReference":"Medication/1""#,
            "`medicationReference` is a text where R4 has an object",
        ),
    ] {
        assert_eq!(of(ty, members), Err(flaw.to_owned()), "{members}");
    }
}
