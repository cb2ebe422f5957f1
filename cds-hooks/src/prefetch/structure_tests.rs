use engine_patient::record::PatientRecord;

use super::*;

fn sound(ty: &str, members: &str) -> bool {
    let mut document = PatientRecord::new();
    let json = format!(r#"{{"resourceType":"{ty}",{members}}}"#);
    flaw(document.push_document(&json).unwrap(), ty).is_none()
}

#[test]
fn objects_and_primitives_stand_where_they_belong() {
    for members in [
        r#""id":"1","code":{"coding":[{"system":"s","code":"c"}],"text":"t"}"#,
        r#""code":{"coding":{"system":"s","code":"c"}}"#,
        r#""category":{"text":"a list it should be"}"#,
        r#""valueQuantity":{"value":7.1,"unit":"%"},"effectiveDateTime":"2024""#,
        r#""component":[{"code":{"text":"x"},"valueString":"x"}]"#,
        r#""status":"entered-in-error""#,
        r#""issued":"2024-01-01T00:00:00Z","note":[{"text":""}]"#,
        r#""valueBoolean":false,"code":{"text":"x","coding":[{"userSelected":true}]}"#,
        r#""valueSampledData":{"origin":{"value":0},"period":1e3,"dimensions":1}"#,
        r#""unknown":{"a":[1,{"b":2}]},"_status":{"extension":[{"url":"u","valueCode":"c"}]}"#,
        r#""contained":[{"resourceType":"Patient","id":"p"}],"meta":{"versionId":"1"}"#,
        r#""extension":[{"url":"u","valueReference":{"reference":"Patient/1"}}]"#,
    ] {
        assert!(sound("Observation", members), "{members}");
    }
    for members in [
        r#""code":{}"#,
        r#""code":[]"#,
        r#""code":[{}]"#,
        r#""code":[{"text":"x"}]"#,
        r#""code":{"coding":[{"code":["4548-4"]}]}"#,
        r#""status":["final"]"#,
        r#""valueQuantity":[{"value":7.1}]"#,
        r#""code":{"coding":[]}"#,
        r#""code":{"coding":{}}"#,
        r#""code":{"coding":[{}]}"#,
        r#""code":{"coding":[null]}"#,
        r#""code":{"coding":null}"#,
        r#""code":{"coding":[{"code":4548}]}"#,
        r#""code":{"coding":[{"code":true}]}"#,
        r#""code":{"coding":[{"code":null}]}"#,
        r#""code":{"coding":[{"code":""}]}"#,
        r#""code":{"coding":[{"code":[]}]}"#,
        r#""code":{"coding":[{"system":5}]}"#,
        r#""code":{"coding":[{"system":null,"code":"c"}]}"#,
        r#""code":{"coding":[{"userSelected":"true"}]}"#,
        r#""status":5"#,
        r#""status":"Final""#,
        r#""status":"final ""#,
        r#""status":"fin\u200bal""#,
        r#""status":true"#,
        r#""status":null"#,
        r#""status":[]"#,
        r#""status":[null]"#,
        r#""effectiveDateTime":2024"#,
        r#""effectiveDateTime":"""#,
        r#""valueQuantity":{"value":"7.1"}"#,
        r#""valueQuantity":{"value":null}"#,
        r#""valueQuantity":{}"#,
        r#""valueBoolean":"true""#,
        r#""valueBoolean":1"#,
        r#""valueInteger":"1""#,
        r#""valueString":1"#,
        r#""category":[]"#,
        r#""component":[{"code":{},"valueString":"x"}]"#,
        r#""code":"4548-4""#,
        r#""code":{"coding":"4548-4"}"#,
        r#""code":{"coding":["4548-4"]}"#,
        r#""code":{"coding":[{"code":{"value":"c"}}]}"#,
        r#""code":null"#,
        r#""id":{"value":"1"}"#,
        r#""status":["final",["x"]]"#,
        r#""valueQuantity":7.1"#,
        r#""effectiveDateTime":{"start":"2024"}"#,
        r#""effectivePeriod":"2024""#,
        r#""component":[{"code":"x"}]"#,
    ] {
        assert!(!sound("Observation", members), "{members}");
    }
    assert!(sound(
        "Patient",
        r#""deceasedBoolean":false,"name":[{"given":["A"]}]"#
    ));
    assert!(sound(
        "Patient",
        r#""name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"u","valueString":"x"}]}]}],
           "multipleBirthInteger":2,"_birthDate":{"id":"x"},"active":true"#
    ));
    assert!(!sound("Patient", r#""name":[{"given":["A",null]}]"#));
    assert!(!sound("Patient", r#""deceasedBoolean":"false""#));
    assert!(!sound("Patient", r#""deceasedDateTime":{}"#));
}
