//! What `measure check` accepts runs: each operator is compiled and evaluated on typical operands, on
//! intervals, lists and nulls of them too. Where it raises an error, that error is the one that CQL
//! has there, and is listed.

use engine_patient::finding::Code;
use std::collections::BTreeSet;

use super::*;
use crate::operators::table::OPERATORS;

fn literal(ty: &str, value: &str) -> Json {
    json!({"type": "Literal", "valueType": format!("{{urn:hl7-org:elm-types:r1}}{ty}"), "value": value})
}

fn interval(low: &Json, high: &Json) -> Json {
    json!({"type": "Interval", "low": low, "high": high, "lowClosed": true, "highClosed": true})
}

fn list(items: &[&Json]) -> Json {
    json!({"type": "List", "element": items})
}

/// Operands by name: of each type a value, an interval and lists.
fn pool() -> Vec<(&'static str, Json)> {
    let date = |month: i64| json!({"type": "Date", "year": integer(2024), "month": integer(month), "day": integer(1)});
    let date_time = |month: i64| {
        json!({"type": "DateTime", "year": integer(2024), "month": integer(month), "day": integer(1),
            "hour": integer(10), "minute": integer(0), "second": integer(0), "millisecond": integer(0)})
    };
    let time = |hour: i64| json!({"type": "Time", "hour": integer(hour), "minute": integer(0), "second": integer(0), "millisecond": integer(0)});
    let quantity = |value: i64| json!({"type": "Quantity", "value": value, "unit": "mg"});
    let code = json!({"type": "CodeRef", "name": "X"});
    let null = json!({"type": "Null"});
    let points = [
        ("integer", integer(2), integer(5)),
        (
            "decimal",
            literal("Decimal", "2.50"),
            literal("Decimal", "5.0"),
        ),
        ("long", literal("Long", "2"), literal("Long", "5")),
        ("quantity", quantity(2), quantity(5)),
        ("date", date(1), date(3)),
        ("datetime", date_time(1), date_time(3)),
        ("time", time(9), time(12)),
    ];
    let mut pool = vec![
        ("null", null.clone()),
        ("boolean", literal("Boolean", "true")),
        ("string", string("2.5")),
        ("code", code.clone()),
        ("list<boolean>", list(&[&literal("Boolean", "true"), &null])),
        ("list<string>", list(&[&string("a"), &null, &string("b")])),
        ("list<code>", list(&[&code, &null])),
        ("list<>", list(&[])),
        ("list<null>", list(&[&null])),
        ("interval<null>", interval(&null, &null)),
        ("interval<point>", interval(&integer(2), &integer(2))),
        ("valueset", json!({"type": "ValueSetRef", "name": "V"})),
        (
            "tuple",
            json!({"type": "Tuple", "element": [{"name": "a", "value": integer(1)}]}),
        ),
        (
            "ratio",
            json!({"type": "Ratio", "numerator": {"value": 1, "unit": "mg"}, "denominator": {"value": 2, "unit": "mL"}}),
        ),
        (
            "resources",
            json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation"}),
        ),
    ];
    for (name, low, high) in &points {
        let span = interval(low, high);
        let open = interval(low, &null);
        pool.push((*name, low.clone()));
        let named = |what: &str| -> &'static str { format!("{what}<{name}>").leak() };
        pool.push((named("interval"), span.clone()));
        pool.push((named("open"), open.clone()));
        pool.push((named("list"), list(&[low, &null, high])));
        pool.push((named("list<interval"), list(&[&span, &null, &open])));
    }
    pool
}

/// A node with such operands for its fields.
fn node_of(name: &str, fields: &[&str], operands: &[&Json]) -> Json {
    let mut out = json!({"type": name, "localId": "7", "precision": "Day"});
    // `precision` is an operand of Round.
    if name == "Round" || name == "LowBoundary" || name == "HighBoundary" {
        out.as_object_mut().unwrap().remove("precision");
    }
    let mut operands = operands.iter();
    for field in fields {
        match field.split_once('*') {
            Some((field, _)) => out[field] = operands.by_ref().copied().cloned().collect(),
            None => {
                let value = operands.next().copied().cloned();
                if let Some(value) = value {
                    out[field.trim_end_matches('?')] = value;
                }
            }
        }
    }
    out
}

/// Errors at run time that CQL has, by node and how they begin: what cannot be told at load.
const RAISED: &[(&str, &str)] = &[
    // An operand that no translator writes: not a Decimal.
    ("DateTime", "a timezone offset is not a number"),
    // §19.17, §20.26
    ("PointFrom", "point from an interval of more than one point"),
    ("SingletonFrom", "`singleton from` a list of"),
    // Two months in milliseconds.
    ("Expand", "stopped: "),
];

/// What check refuses, by node and how it begins.
const REFUSED: &[(&str, &str)] = &[
    // §19.30, §19.31: not defined of dates and times.
    (
        "Size",
        "`Size` is not defined of intervals of dates or times",
    ),
    (
        "Width",
        "`Width` is not defined of intervals of dates or times",
    ),
];

/// The type of the points or items.
fn kind_of(name: &str) -> &str {
    let of = name.rsplit('<').next().unwrap_or(name);
    of.trim_end_matches('>')
}

/// How many operands a node takes, of a list of any number two.
fn count(fields: &[&str]) -> usize {
    match fields {
        [] => 0,
        [one] => match one.split_once('*') {
            None => 1,
            Some((_, "")) => 2,
            Some((_, n)) => n.parse().unwrap(),
        },
        more => more.len(),
    }
}

#[test]
fn what_is_accepted_runs() {
    let pool = pool();
    let listed = |list: &[(&str, &str)], name: &str, text: &str| {
        let mut all = list.iter();
        all.any(|(node, begin)| *node == name && text.starts_with(begin))
    };
    let (mut wrong, mut works) = (vec![], BTreeSet::new());
    let operators = OPERATORS.iter().map(|row| (row.name, row.operands));
    for (name, fields) in operators.clone() {
        // Each alone: what check refuses does not run.
        let mut operands: Vec<(String, Vec<&Json>)> = vec![];
        match count(fields) {
            0 => operands.push((String::new(), vec![])),
            1 => operands.extend(pool.iter().map(|(what, a)| ((*what).to_owned(), vec![a]))),
            n => {
                for (what, a) in &pool {
                    // Of the same kind, and a few others.
                    let near = |other: &str| {
                        kind_of(other) == kind_of(what)
                            || matches!(
                                other,
                                "null" | "integer" | "string" | "list<>" | "valueset"
                            )
                            || matches!(*what, "null" | "list<>")
                    };
                    for (other, b) in pool.iter().filter(|(other, _)| near(other)) {
                        let all = std::iter::once(a).chain(std::iter::repeat_n(b, n - 1));
                        operands.push((format!("{what}, {other}"), all.collect()));
                    }
                }
            }
        }
        let definitions: Vec<(String, Json)> = operands
            .iter()
            .map(|(what, all)| (what.clone(), node_of(name, fields, all)))
            .collect();
        let named: Vec<(&str, Json)> = definitions
            .iter()
            .map(|(what, json)| (what.as_str(), json.clone()))
            .collect();
        let outcome = run(&[library("L", &named)]);
        let mut refused = BTreeSet::new();
        for issue in &outcome.issues {
            refused.insert(issue.definition().unwrap_or_default());
            if !listed(REFUSED, name, &issue.message) {
                wrong.push(format!("{name} is refused: {issue}"));
            }
        }
        for (what, value) in &outcome.values {
            match value {
                Ok(value) if value != "null" => {
                    works.insert(name);
                }
                Err(fault)
                    if !refused.contains(what.as_str())
                        && !listed(RAISED, name, &fault.to_string()) =>
                {
                    wrong.push(format!("{name}({what}) is accepted and fails: {fault}"));
                }
                _ => {}
            }
        }
    }
    for (name, _) in operators.filter(|(name, _)| !works.contains(name)) {
        wrong.push(format!("{name} gives nothing for any of the operands"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Width and size of dates are refused wherever the text tells the type: by a literal, a parameter, a
/// definition, or the FHIR element that is converted.
#[test]
fn width_of_dates_is_refused_at_load() {
    let period = json!({"type": "Property", "path": "period", "scope": "E"});
    let of_element = |element: Json| {
        let converted = json!({"type": "FunctionRef", "libraryName": "FHIRHelpers", "name": "ToInterval", "operand": [element]});
        json!({"type": "Query", "source": [{"alias": "E", "expression":
            {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Encounter"}}],
            "return": {"expression": {"type": "Size", "operand": converted, "localId": "9"}}})
    };
    let cast =
        json!({"type": "As", "asType": "{http://hl7.org/fhir}Period", "operand": {"type": "Null"}});
    let dates = pool()
        .into_iter()
        .find(|(name, _)| *name == "interval<date>")
        .unwrap()
        .1;
    let mut logic = library(
        "L",
        &[
            ("Dates", dates),
            (
                "by definition",
                json!({"type": "Width", "operand": definition("Dates"), "localId": "9"}),
            ),
            (
                "by parameter",
                json!({"type": "Size", "operand": {"type": "ParameterRef", "name": "Measurement Period"}, "localId": "9"}),
            ),
            ("by element", of_element(period)),
            ("by cast", of_element(cast)),
        ],
    );
    logic["library"]["includes"] = json!({"def": [{"localIdentifier": "FHIRHelpers", "path": "FHIRHelpers", "version": "4.4.000"}]});
    logic["library"]["parameters"] = json!({"def": [{"name": "Measurement Period", "parameterTypeSpecifier":
        {"type": "IntervalTypeSpecifier", "pointType": {"type": "NamedTypeSpecifier", "name": "{urn:hl7-org:elm-types:r1}DateTime"}}}]});
    let helpers = json!({"library": {
        "identifier": {"id": "FHIRHelpers", "version": "4.4.000"},
        "statements": {"def": [{"name": "ToInterval", "type": "FunctionDef", "expression": {"type": "Null"},
            "operand": [{"name": "period", "operandTypeSpecifier": {"type": "NamedTypeSpecifier", "name": "{http://hl7.org/fhir}Period"}}]}]},
    }});
    let outcome = run(&[logic, helpers]);
    let mut refused: Vec<&str> = vec![];
    for issue in &outcome.issues {
        assert_eq!(
            (issue.code, issue.local_id()),
            (Code::ElmNoOverload, Some("9")),
            "{issue}"
        );
        refused.extend(issue.definition());
    }
    refused.sort_unstable();
    assert_eq!(
        refused,
        ["by cast", "by definition", "by element", "by parameter"]
    );
}
