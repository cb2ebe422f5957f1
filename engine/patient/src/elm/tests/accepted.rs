//! What `measure check` accepts runs: each operator is compiled and evaluated on typical operands, on
//! intervals, lists and nulls of them too. Where it raises an error, that error is the one that CQL
//! has there, and is listed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::table::{How, NODES};
use super::*;

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

#[test]
fn explore() {
    let pool = pool();
    let mut raised: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut works: BTreeSet<&str> = BTreeSet::new();
    for (name, how) in NODES {
        let How::Op(_, fields) = how else { continue };
        let count = match *fields {
            [] => 0,
            [one] => match one.split_once('*') {
                None => 1,
                Some((_, "")) => 2,
                Some((_, n)) => n.parse().unwrap(),
            },
            more => more.len(),
        };
        let mut definitions: Vec<(String, Json)> = vec![];
        match count {
            0 => definitions.push((String::new(), node_of(name, fields, &[]))),
            1 => {
                for (what, a) in &pool {
                    definitions.push(((*what).into(), node_of(name, fields, &[a])));
                }
            }
            n => {
                for (what, a) in &pool {
                    for (other, b) in &pool {
                        let operands: Vec<&Json> = [a, b]
                            .into_iter()
                            .chain(std::iter::repeat_n(b, n - 2))
                            .collect();
                        definitions
                            .push((format!("{what}, {other}"), node_of(name, fields, &operands)));
                    }
                }
            }
        }
        let named: Vec<(&str, Json)> = definitions
            .iter()
            .map(|(n, j)| (n.as_str(), j.clone()))
            .collect();
        let outcome = run(&[library("L", &named)]);
        for issue in &outcome.issues {
            println!("ISSUE {name}: {}", issue.message);
        }
        for (operands, value) in &outcome.values {
            match value {
                Ok(value) if value != "null" => {
                    works.insert(name);
                }
                Ok(_) => {}
                Err(fault) => {
                    raised
                        .entry(((*name).to_owned(), fault.to_string()))
                        .or_default()
                        .insert(operands.clone());
                }
            }
        }
    }
    for (name, how) in NODES {
        if matches!(how, How::Op(..)) && !works.contains(name) {
            println!("NOTHING {name}");
        }
    }
    for ((name, fault), operands) in &raised {
        let some: Vec<&String> = operands.iter().take(6).collect();
        println!("RAISED {name}: {fault}: {} {some:?}", operands.len());
    }
}
