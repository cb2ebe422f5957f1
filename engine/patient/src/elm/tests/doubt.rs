//! Doubt: where an outcome rests on something that is there and cannot be read, on an undecided
//! comparison, or on a value set that is not here; and where it does not.

use super::*;

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}")})
}

fn of_set(ty: &str, set: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}"), "codeProperty": "code",
        "codeComparator": "in", "codes": {"type": "ValueSetRef", "name": set}})
}

fn boolean(value: bool) -> Json {
    json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": value.to_string()})
}

fn of(source: Json, path: &str) -> Json {
    json!({"type": "Property", "path": path, "source": source})
}

fn item() -> Json {
    json!({"type": "AliasRef", "name": "A"})
}

fn query(source: Json, condition: Json) -> Json {
    json!({"type": "Query", "source": [{"alias": "A", "expression": source}], "relationship": [], "where": condition})
}

fn two(name: &str, a: Json, b: Json) -> Json {
    node(name, json!([a, b]))
}

fn year(n: i64) -> Json {
    json!({"type": "DateTime", "year": integer(n), "month": integer(1), "day": integer(1), "hour": integer(0),
        "minute": integer(0), "second": integer(0), "millisecond": integer(0)})
}

fn period() -> Json {
    let bound = |name: &str| of(of(of(item(), "period"), name), "value");
    json!({"type": "Interval", "lowClosed": true, "highClosed": true, "low": bound("start"), "high": bound("end")})
}

fn in_2025() -> Json {
    json!({"type": "Interval", "lowClosed": true, "highClosed": false, "low": year(2025), "high": year(2026)})
}

/// What a definition came to, and why it is in doubt.
fn told(
    resources: &[&str],
    definitions: &[(&str, Json)],
    name: &str,
) -> (String, Option<String>, BTreeMap<String, u64>) {
    let mut document = library("L", definitions);
    document["library"]["valueSets"]["def"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "Missing", "id": "urn:missing"}));
    let libraries = read(&[document]);
    let options = Options {
        allow_missing_value_sets: true,
        ..Options::default()
    };
    let (unit, issues) = link(&libraries, options);
    assert!(
        issues.iter().all(|i| i.family == Family::Warning),
        "{issues:#?}"
    );
    let record = record(resources);
    let time = |text| DateTime::parse(text).unwrap();
    let settings = Settings::of(&EvaluationContext::for_period(
        time("2025"),
        time("2025-12"),
        0,
    ));
    with_evaluator(&unit, &record, &settings, |evaluator| {
        let expression = unit.expression(0, name).unwrap();
        let value = evaluator
            .expression(expression)
            .map(|v| show(&v, 0))
            .unwrap();
        let doubt = evaluator.in_doubt(expression).map(|d| d.why.to_string());
        let unreadable = evaluator.cx.notes.unreadable.borrow().clone();
        (value, doubt, unreadable)
    })
    .unwrap()
}

fn doubt_of(resources: &[&str], expression: Json) -> (String, Option<String>) {
    let (value, doubt, _) = told(resources, &[("A", expression)], "A");
    (value, doubt)
}

const ENDS: [&str; 10] = [
    r#""end":"2019-06-04T11:00:00-0500""#,
    r#""end":"2019-06-04T11:00:00z""#,
    r#""end":"2019-06-04 11:00:00""#,
    r#""end":"06/04/2019""#,
    r#""end":"""#,
    r#""end":20190604"#,
    r#""end":"2019-06-04T24:00:00Z""#,
    r#""end":"2019-02-30""#,
    r#""end":["2019-06-04"]"#,
    r#""_end":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#,
];

fn encounter(id: &str, period: &str) -> String {
    format!(
        r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","period":{{{period}}}}}"#
    )
}

/// CQL 1.5, "Interval values": an open null bound is unknown, a closed one the end of the type. What is
/// there and cannot be read is unknown.
#[test]
fn an_end_that_cannot_be_read_is_not_ongoing() {
    let overlaps = || {
        node(
            "Exists",
            query(retrieve("Encounter"), two("Overlaps", period(), in_2025())),
        )
    };
    let starts = || {
        node(
            "Exists",
            query(
                retrieve("Encounter"),
                two("In", node("Start", period()), in_2025()),
            ),
        )
    };
    for end in ENDS {
        let old = encounter(
            "old",
            &format!(r#""start":"2019-06-04T10:00:00-05:00",{end}"#),
        );
        let why = Some("`Encounter.period.end` cannot be read".to_owned());
        // Counted as CQL does: null is not true.
        assert_eq!(
            doubt_of(&[&old], overlaps()),
            ("false".into(), why),
            "{end}"
        );
        // Its start decides.
        assert_eq!(doubt_of(&[&old], starts()), ("false".into(), None), "{end}");
        let new = encounter(
            "new",
            &format!(r#""start":"2025-06-04T10:00:00-05:00",{end}"#),
        );
        assert_eq!(
            doubt_of(&[&new], overlaps()),
            ("true".into(), None),
            "{end}"
        );
        // Another visit decides.
        let sure = encounter("sure", r#""start":"2025-02-01","end":"2025-02-02""#);
        assert_eq!(
            doubt_of(&[&old, &sure], overlaps()),
            ("true".into(), None),
            "{end}"
        );
    }
    for ongoing in ["", r#","end":null"#, r#","_end":{"id":"x"}"#] {
        let visit = encounter("e", &format!(r#""start":"2019-06-04"{ongoing}"#));
        assert_eq!(
            doubt_of(&[&visit], overlaps()),
            ("true".into(), None),
            "{ongoing}"
        );
    }
}

#[test]
fn unreadable_elements_are_counted_once_by_where_they_stand() {
    let visits: Vec<String> = (0..3)
        .map(|i| encounter(&format!("e{i}"), r#""start":"2019","end":"?""#))
        .collect();
    let resources: Vec<&str> = visits.iter().map(String::as_str).collect();
    let overlaps = || {
        node(
            "Exists",
            query(retrieve("Encounter"), two("Overlaps", period(), in_2025())),
        )
    };
    let both = two("Or", definition("A"), overlaps());
    let (_, doubt, unreadable) = told(&resources, &[("A", overlaps()), ("B", both)], "B");
    assert!(doubt.is_some());
    assert_eq!(
        unreadable,
        BTreeMap::from([("Encounter.period.end".to_owned(), 3)])
    );
}

#[test]
fn what_decides_without_it_takes_a_doubt_back() {
    let doubtful = || node("Exists", of_set("Condition", "Missing"));
    let why = || Some("the value set \"Missing\" was not loaded".to_owned());
    let has = |ty: &str| node("Exists", retrieve(ty));
    let union = |a: Json, b: Json| node("Exists", two("Union", a, b));
    let cases = [
        (doubtful(), "false", why()),
        (node("Not", doubtful()), "true", why()),
        (two("And", doubtful(), boolean(false)), "false", None),
        (two("And", boolean(false), doubtful()), "false", None),
        (two("And", boolean(true), doubtful()), "false", why()),
        (two("And", doubtful(), has("Condition")), "false", why()),
        (two("Or", doubtful(), has("Condition")), "true", None),
        (two("Or", has("Condition"), doubtful()), "true", None),
        (two("Or", doubtful(), boolean(false)), "false", why()),
        (two("Implies", doubtful(), boolean(true)), "true", None),
        (two("Implies", doubtful(), boolean(false)), "true", why()),
        (
            union(of_set("Condition", "Missing"), of_set("Condition", "V")),
            "true",
            None,
        ),
        (
            union(of_set("Condition", "V"), of_set("Condition", "Missing")),
            "true",
            None,
        ),
        (
            union(of_set("Condition", "Missing"), retrieve("Procedure")),
            "false",
            why(),
        ),
        // A condition that nothing of the source meets.
        (
            node(
                "Exists",
                query(of_set("Condition", "Missing"), boolean(false)),
            ),
            "false",
            why(),
        ),
        (
            node(
                "Exists",
                query(
                    retrieve("Condition"),
                    two("And", doubtful(), boolean(false)),
                ),
            ),
            "false",
            None,
        ),
        (
            node(
                "Exists",
                query(retrieve("Condition"), node("Not", doubtful())),
            ),
            "true",
            why(),
        ),
        // Both branches of a doubtful condition: what is in the list is not certain.
        (
            node(
                "Exists",
                json!({"type": "If", "condition": doubtful(), "then": {"type": "List"}, "else":
            two("Union", of_set("Condition", "Missing"), retrieve("Condition"))}),
            ),
            "true",
            why(),
        ),
        (definition("Doubtful"), "false", why()),
    ];
    for (expression, value, doubt) in cases {
        let shown = expression.to_string();
        let definitions = [("A", expression), ("Doubtful", doubtful())];
        let (told, found, _) = told(&RESOURCES, &definitions, "A");
        assert_eq!((told.as_str(), found), (value, doubt), "{shown}");
    }
}

#[test]
fn membership_in_a_set_that_is_not_here() {
    let codes = of(item(), "code");
    let set = |name: &str| json!({"type": "InValueSet", "code": codes, "valueset": {"name": name}});
    let with = |name: &str| node("Exists", query(retrieve("Condition"), set(name)));
    assert_eq!(doubt_of(&RESOURCES, with("V")), ("true".into(), None));
    let why = Some("the value set \"Missing\" was not loaded".to_owned());
    assert_eq!(doubt_of(&RESOURCES, with("Missing")), ("false".into(), why));
    // Without a Condition it is no, whatever the set holds.
    assert_eq!(
        doubt_of(&[RESOURCES[0]], with("Missing")),
        ("false".into(), None)
    );
}

#[test]
fn retrieves_by_a_set_that_is_not_here_decide_nothing() {
    let document = |set: &str| library("L", &[("A", node("Exists", of_set("Condition", set)))]);
    let options = Options {
        allow_missing_value_sets: true,
        ..Options::default()
    };
    let decisive = |mut document: Json| {
        document["library"]["valueSets"]["def"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "Missing", "id": "urn:missing"}));
        let (unit, _) = link(&read(&[document]), options);
        unit.decisive(unit.expression(0, "A").unwrap()).len()
    };
    assert_eq!(decisive(document("V")), 1);
    assert_eq!(decisive(document("Missing")), 0);
}

/// FHIR R4 "JSON representation of primitive elements": `_birthDate` holds its id and extensions.
#[test]
fn ids_and_extensions_of_primitives() {
    let patient = r#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01","_birthDate":{"id":"b","extension":[{"url":"urn:time","valueDateTime":"1970-01-01T10:00:00Z"}]},"name":[{"given":["Ann",null],"_given":[null,{"extension":[{"url":"urn:x","valueCode":"y"}]}]}]}"#;
    let masked = r#"{"resourceType":"Observation","id":"o","status":"final","_effectiveDateTime":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}}"#;
    let one = |ty: &str| node("SingletonFrom", retrieve(ty));
    let first = |list: Json| json!({"type": "First", "source": list});
    let birth = || of(one("Patient"), "birthDate");
    let cases = [
        (of(birth(), "id.value"), "'b'"),
        (of(birth(), "value"), "@1970-01-01"),
        (
            of(first(of(birth(), "extension")), "url.value"),
            "'urn:time'",
        ),
        (
            of(first(of(birth(), "extension")), "value.value"),
            "@1970-01-01T10:00:00.000Z",
        ),
        (
            of(
                first(of(of(one("Observation"), "effective"), "extension")),
                "value.value",
            ),
            "'masked'",
        ),
        (of(of(one("Observation"), "effective"), "value"), "null"),
        (
            of(
                first(of(
                    of(first(of(one("Patient"), "name")), "given[1]"),
                    "extension",
                )),
                "value.value",
            ),
            "'y'",
        ),
    ];
    for (expression, expected) in cases {
        let shown = expression.to_string();
        let (value, _) = doubt_of(&[patient, masked], expression);
        assert_eq!(
            value.replace("@1970-01-01T10:00:00Z", "@1970-01-01T10:00:00.000Z"),
            expected,
            "{shown}"
        );
    }
}

#[test]
fn a_value_of_another_json_type_is_unknown() {
    let observation = |value: &str| {
        format!(r#"{{"resourceType":"Observation","id":"o","status":"final",{value}}}"#)
    };
    let value = |path: &str| {
        of(
            of(node("SingletonFrom", retrieve("Observation")), "value"),
            path,
        )
    };
    let unreadable = |path: &str| Some(format!("`Observation.{path}` cannot be read"));
    let cases = [
        (r#""valueInteger":5"#, "value", "5", None),
        (
            r#""valueInteger":"5""#,
            "value",
            "null",
            unreadable("valueInteger"),
        ),
        (
            r#""valueInteger":1.5"#,
            "value",
            "null",
            unreadable("valueInteger"),
        ),
        (
            r#""valueString":5"#,
            "value",
            "null",
            unreadable("valueString"),
        ),
        (
            r#""valueBoolean":"true""#,
            "value",
            "null",
            unreadable("valueBoolean"),
        ),
        (
            r#""valueDateTime":20250101"#,
            "value",
            "null",
            unreadable("valueDateTime"),
        ),
        (
            r#""valueTime":"25:00:00""#,
            "value",
            "null",
            unreadable("valueTime"),
        ),
        (
            r#""valuePeriod":"2025""#,
            "start",
            "null",
            unreadable("valuePeriod"),
        ),
        (
            r#""valueQuantity":{"value":"7"}"#,
            "value.value",
            "null",
            unreadable("valueQuantity.value"),
        ),
        (r#""valueQuantity":{}"#, "value.value", "null", None),
    ];
    for (json, path, expected, doubt) in cases {
        let resource = observation(json);
        assert_eq!(
            doubt_of(&[&resource], value(path)),
            (expected.into(), doubt),
            "{json}"
        );
    }
}
