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

/// The value of a definition, and why it is in doubt.
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
    let (compiled, issues) = link(&libraries, options);
    assert!(issues.iter().all(|i| !i.is_error()), "{issues:#?}");
    let record = record(resources);
    let time = |text| DateTime::parse(text).unwrap();
    let settings = Settings::of(&EvaluationContext::for_period(
        time("2025"),
        time("2025-12"),
        UTC.clone(),
    ));
    with_evaluator(&compiled, &record, &settings, |evaluator| {
        let expression = compiled.expression(0, name).unwrap();
        let value = evaluator
            .expression(expression)
            .map(|v| show(&v, 0))
            .unwrap();
        let doubt = evaluator.in_doubt(expression).map(|d| d.why.to_string());
        let unreadable = evaluator.cx.metrics.unreadable.borrow().clone();
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
            None,
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
    // Who has no Condition has none of that set, whatever it holds.
    assert_eq!(
        doubt_of(&[RESOURCES[0]], doubtful()),
        ("false".into(), None)
    );
}

/// Conditions that are there in any case, and a visit that is there unless the set holds a Condition.
fn sure_and_doubtful() -> Json {
    let doubtful = node("Exists", of_set("Condition", "Missing"));
    let visits = query(retrieve("Encounter"), node("Not", doubtful));
    two("Union", of_set("Condition", "V"), visits)
}

/// What is certain of an operand and not in the result does not make it certain that there is any.
#[test]
fn what_is_no_longer_in_a_list_is_no_witness() {
    let why = || Some("the value set \"Missing\" was not loaded".to_owned());
    let exists = |list: Json| doubt_of(&RESOURCES, node("Exists", list));
    assert_eq!(exists(sure_and_doubtful()), ("true".into(), None));
    let rest = |ty: &str| two("Except", sure_and_doubtful(), retrieve(ty));
    assert_eq!(exists(rest("Condition")), ("true".into(), why()));
    assert_eq!(exists(rest("Encounter")), ("true".into(), None));
    // The list of a Condition is there in any case, and empty.
    let is_visit = json!({"type": "Is", "operand": {"type": "AliasRef", "name": "B"},
        "isTypeSpecifier": {"type": "NamedTypeSpecifier", "name": "{http://hl7.org/fhir}Encounter"}});
    let own = json!({"type": "Query", "source": [{"alias": "B", "expression": {"type": "List", "element": [item()]}}],
        "relationship": [], "where": is_visit});
    let lists = json!({"type": "Query", "source": [{"alias": "A", "expression": sure_and_doubtful()}],
        "relationship": [], "return": {"distinct": false, "expression": own}});
    assert_eq!(exists(node("Flatten", lists)), ("true".into(), why()));
}

/// CQL 1.5 Author's Guide, "Uncertainty": from some moment of January to one of 15 May are 103 to 134 days.
#[test]
fn a_duration_that_is_not_certain_is_unknown_where_that_matters() {
    let visit = encounter("e", r#""start":"2025-01","end":"2025-05-15""#);
    let bound = |name: &str| of(of(of(item(), "period"), name), "value");
    let days = || json!({"type": "DurationBetween", "precision": "Day", "operand": [bound("start"), bound("end")]});
    let why = || Some("a date is too imprecise to compare".to_owned());
    let any = |condition: Json| {
        let found = query(retrieve("Encounter"), condition);
        doubt_of(&[&visit], node("Exists", found))
    };
    for (name, limit, value, doubt) in [
        ("LessOrEqual", 120, "false", why()),
        ("Less", 120, "false", why()),
        ("Greater", 120, "false", why()),
        ("GreaterOrEqual", 120, "false", why()),
        ("Equal", 120, "false", why()),
        ("NotEqual", 120, "false", why()),
        ("LessOrEqual", 134, "true", None),
        ("LessOrEqual", 102, "false", None),
        ("Equal", 102, "false", None),
    ] {
        let told = any(two(name, days(), integer(limit)));
        assert_eq!(told, (value.into(), doubt), "{name} {limit}");
    }
    let case = |limit: i64| {
        let item = json!({"when": integer(limit), "then": boolean(true)});
        any(
            json!({"type": "Case", "comparand": days(), "caseItem": [item], "else": boolean(false)}),
        )
    };
    assert_eq!(case(120), ("false".into(), why()));
    assert_eq!(case(10), ("false".into(), None));
}

/// Each union names what may be missing once: forty of them would fill any memory otherwise.
#[test]
fn unions_of_what_may_be_missing_do_not_grow() {
    let names: Vec<String> = (0..=40).map(|i| format!("D{i}")).collect();
    let mut definitions = vec![(names[0].as_str(), of_set("Condition", "Missing"))];
    for pair in names.windows(2) {
        let before = || definition(&pair[0]);
        definitions.push((pair[1].as_str(), two("Union", before(), before())));
    }
    let (value, doubt, _) = told(&RESOURCES, &definitions, "D40");
    assert_eq!(value, "{}");
    assert!(doubt.is_some());
}

/// A medication's code stands in the request, in what it contains, or in another resource.
#[test]
fn codes_in_resources_that_are_not_here() {
    let request = |medication: &str| {
        format!(r#"{{"resourceType":"MedicationRequest","id":"r","status":"active",{medication}}}"#)
    };
    let medication = r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:s","code":"z"}]}}"#;
    let why = || {
        Some("a MedicationRequest refers to its code in a resource that was not given".to_owned())
    };
    let asked = || {
        node(
            "Exists",
            json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}MedicationRequest", "codeProperty": "medication",
                "codeComparator": "in", "codes": {"type": "ValueSetRef", "name": "V"}}),
        )
    };
    for (element, doubt) in [
        (
            r#""medicationReference":{"reference":"Medication/m"}"#,
            None,
        ),
        (
            r#""medicationReference":{"reference":"http://x.org/Medication/m/_history/1"}"#,
            None,
        ),
        (
            r#""medicationReference":{"reference":"Medication/n"}"#,
            why(),
        ),
        (r#""medicationReference":{"reference":"urn:uuid:1"}"#, why()),
        (r##""medicationReference":{"reference":"#c"}"##, why()),
        (
            r##""contained":[{"resourceType":"Medication","id":"c"}],"medicationReference":{"reference":"#c"}"##,
            None,
        ),
    ] {
        let request = request(element);
        let told = doubt_of(&[&request, medication], asked());
        assert_eq!(told, ("false".into(), doubt), "{element}");
    }
}

/// CQL 1.5, "Sort": what cannot be told apart keeps its order, and so what is last is not certain.
#[test]
fn what_is_last_of_keys_that_do_not_tell_is_unknown() {
    let start = || json!([{"type": "ByColumn", "direction": "asc", "path": "period.start.value"}]);
    let sorted = || {
        json!({"type": "Query", "source": [{"alias": "A", "expression": retrieve("Encounter")}],
        "relationship": [], "sort": {"by": start()}})
    };
    let listed = || json!({"type": "Sort", "source": retrieve("Encounter"), "by": start()});
    let last = |list: Json| of(json!({"type": "Last", "source": list}), "id.value");
    let why = || Some("a date is too imprecise to compare".to_owned());
    let visit = |id: &str, start: &str| encounter(id, &format!(r#""start":"{start}""#));
    for (first, second, value, doubt) in [
        ("2025-02", "2025-02-10", "'b'", why()),
        ("2025-02-10", "2025-02", "'a'", why()),
        ("2025-02", "2025-03-10", "'b'", None),
        ("2025-02", "2025-02", "'b'", None),
        ("2025-02-10", "2025-02-10", "'b'", None),
    ] {
        let (a, b) = (visit("a", first), visit("b", second));
        for list in [sorted(), listed()] {
            let told = doubt_of(&[&a, &b], last(list.clone()));
            assert_eq!(
                told,
                (value.into(), doubt.clone()),
                "{first} {second} {list}"
            );
            // That there is one is certain.
            let any = doubt_of(&[&a, &b], node("Exists", list));
            assert_eq!(any, ("true".into(), None), "{first} {second}");
        }
    }
    // A visit without a start is no visit whose start does not tell.
    let none = encounter("b", r#""end":"2025-02-10""#);
    let told = doubt_of(&[&visit("a", "2025-02"), &none], last(sorted()));
    assert_eq!(told, ("'a'".into(), None));
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
    let required_retrieves = |mut document: Json| {
        document["library"]["valueSets"]["def"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "Missing", "id": "urn:missing"}));
        let (compiled, _) = link(&read(&[document]), options);
        compiled
            .required_retrieves(compiled.expression(0, "A").unwrap())
            .len()
    };
    assert_eq!(required_retrieves(document("V")), 1);
    assert_eq!(required_retrieves(document("Missing")), 0);
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
