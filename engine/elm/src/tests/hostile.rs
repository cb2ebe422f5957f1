//! Logic that would run for ever, or take all memory: a fault of the budget, never a hang, a panic or
//! an overflow of the stack.

use super::*;

fn nothing() -> Json {
    json!({"type": "Null"})
}

fn two(name: &str, a: Json, b: Json) -> Json {
    node(name, json!([a, b]))
}

fn list(items: &[Json]) -> Json {
    json!({"type": "List", "element": items})
}

fn interval(low: Json, high: Json) -> Json {
    json!({"type": "Interval", "lowClosed": true, "highClosed": true, "low": low, "high": high})
}

/// `1` to `n`.
fn numbers(n: i64) -> Json {
    two("Expand", interval(integer(1), integer(n)), nothing())
}

fn current() -> Json {
    json!({"type": "Current", "scope": "$this"})
}

fn total() -> Json {
    json!({"type": "Total", "scope": "$this"})
}

/// `iteration` of the running total, so many times.
fn times(n: i64, initial: Json, iteration: Json) -> Json {
    json!({"type": "Aggregate", "scope": "$this", "source": numbers(n), "initialValue": initial, "iteration": iteration})
}

#[test]
fn a_function_that_calls_itself_for_ever() {
    let call = json!({"type": "FunctionRef", "name": "f", "operand": [integer(1)]});
    let mut library = library("L", &[("A", call.clone())]);
    let more = json!({"type": "FunctionDef", "name": "f", "operand": [{"name": "x", "operandType": "{urn:hl7-org:elm-types:r1}Integer"}],
        "expression": two("Add", call, integer(1))});
    let definitions = library.pointer_mut("/library/statements/def").unwrap();
    definitions.as_array_mut().unwrap().push(more);
    assert_eq!(run(&[library]).budget("A"), "the logic is nested too deep");
}

/// A frame of very many names, over and over.
#[test]
fn a_recursion_over_many_names() {
    let lets: Vec<Json> = (0..50_000)
        .map(|i| json!({"identifier": format!("v{i}"), "expression": nothing()}))
        .collect();
    let call = json!({"type": "FunctionRef", "name": "f", "operand": []});
    let query = json!({"type": "Query", "source": [{"alias": "X", "expression": integer(1)}], "let": lets,
        "relationship": [], "return": {"expression": call}});
    let mut library = library("L", &[("A", call)]);
    let more = json!({"type": "FunctionDef", "name": "f", "operand": [], "expression": query});
    let definitions = library.pointer_mut("/library/statements/def").unwrap();
    definitions.as_array_mut().unwrap().push(more);
    assert!(run(&[library]).budget("A").contains("memory"));
}

#[test]
fn iterations_without_end() {
    let repeat = json!({"type": "Repeat", "scope": "$this", "source": list(&[integer(1)]),
        "element": list(&[two("Add", current(), integer(1))])});
    assert!(run_one(repeat).budget("A").contains("steps"));
    // What is there already ends it.
    let repeat = json!({"type": "Repeat", "scope": "$this", "source": list(&[integer(1)]), "element": list(&[current()])});
    assert_eq!(run_one(repeat).value("A").as_deref(), Ok("{1}"));
}

/// Whichever was first.
fn used_up(what: &str) -> bool {
    what.contains("steps") || what.contains("memory")
}

#[test]
fn huge_expansions() {
    assert!(used_up(run_one(numbers(1_000_000_000)).budget("A")));
    let full = run_with(
        &[library("L", &[("A", numbers(1_000_000_000))])],
        Options::default(),
        STEPS,
    );
    assert!(full.budget("A").contains("memory"));
    let days = interval(
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}DateTime"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}DateTime"}),
    );
    assert!(used_up(run_one(two("Expand", days, nothing())).budget("A")));
    let tiny = json!({"type": "Quantity", "value": 0.000_000_01, "unit": "1"});
    let decimals = interval(
        node("ToDecimal", integer(0)),
        node("ToDecimal", integer(2_000_000_000)),
    );
    assert!(used_up(run_one(two("Expand", decimals, tiny)).budget("A")));
}

/// Rows of a cross join and items of lists of lists are not the arena's, and still bounded.
#[test]
fn cross_joins_and_lists_of_lists() {
    let source = |alias: &str| json!({"alias": alias, "expression": definition("N")});
    let sources = [source("A"), source("B"), source("C")];
    let join = json!({"type": "Query", "source": sources, "relationship": [], "return": {"distinct": false, "expression": integer(1)}});
    let pairs = json!({"type": "Query", "source": sources, "relationship": []});
    let lists = json!({"type": "ForEach", "scope": "$this", "source": numbers(10_000), "element": definition("N")});
    let outcome = run(&[library(
        "L",
        &[
            ("N", numbers(5000)),
            ("Join", join),
            ("Pairs", pairs),
            ("Flat", node("Flatten", lists)),
        ],
    )]);
    for name in ["Join", "Pairs", "Flat"] {
        assert!(outcome.budget(name).contains("memory"), "{name}");
    }
}

#[test]
fn a_text_that_doubles() {
    let doubled = node("Concatenate", json!([total(), total()]));
    let outcome = run(&[library(
        "L",
        &[("A", times(60, string("x"), doubled.clone()))],
    )]);
    assert!(outcome.budget("A").contains("16 MiB"));
    // Many operands of a long one, at once.
    let long = times(23, string("x"), doubled);
    let many: Vec<Json> = (0..1000).map(|_| definition("Long")).collect();
    let outcome = run(&[library(
        "L",
        &[
            ("Long", long),
            ("Concatenated", node("Concatenate", json!(many))),
            (
                "Combined",
                json!({"type": "Combine", "source": list(&many)}),
            ),
            ("Chars", node("ToChars", definition("Long"))),
            (
                "Replaced",
                node(
                    "ReplaceMatches",
                    json!([definition("Long"), string("x"), string("$0$0$0$0")]),
                ),
            ),
        ],
    )]);
    for name in ["Concatenated", "Combined", "Chars", "Replaced"] {
        outcome.budget(name);
    }
}

/// Comparing long texts is work: 200 million comparisons of 8 MiB would take days.
#[test]
fn comparisons_of_long_texts() {
    let long = |last: &str| {
        let doubled = node("Concatenate", json!([total(), total()]));
        node(
            "Concatenate",
            json!([times(23, string("x"), doubled), string(last)]),
        )
    };
    let each = |condition: Json| json!({"type": "Filter", "scope": "$this", "source": numbers(100_000), "condition": condition});
    let outcome = run_with(
        &[library(
            "L",
            &[
                ("P", long("p")),
                ("Q", long("q")),
                (
                    "Equal",
                    each(two("Equal", definition("P"), definition("Q"))),
                ),
                ("Less", each(two("Less", definition("P"), definition("Q")))),
                (
                    "In",
                    each(two(
                        "In",
                        definition("P"),
                        list(&[definition("Q"), definition("Q")]),
                    )),
                ),
                (
                    "Equivalent",
                    each(two("Equivalent", definition("P"), definition("Q"))),
                ),
            ],
        )],
        Options {
            hoist: false,
            ..Options::default()
        },
        5_000_000,
    );
    for name in ["Equal", "Less", "In", "Equivalent"] {
        outcome.budget(name);
    }
}

/// A list in a list in a list …: no operator may follow it to the end of the stack.
#[test]
fn values_nested_without_end() {
    let deep = times(200_000, nothing(), list(&[total()]));
    let tuple = json!({"type": "Tuple", "element": [{"name": "a", "value": total()}]});
    let in_set =
        |code: Json| json!({"type": "AnyInValueSet", "codes": code, "valueset": {"name": "V"}});
    let retrieve = |codes: Json| json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation", "codeProperty": "code", "codeComparator": "in", "codes": codes});
    let outcome = run(&[library(
        "L",
        &[
            ("Deep", deep.clone()),
            ("Again", deep),
            ("Tuple", times(200_000, nothing(), tuple.clone())),
            ("Tuple again", times(200_000, nothing(), tuple)),
            (
                "Equal",
                two("Equal", definition("Deep"), definition("Again")),
            ),
            (
                "Equivalent",
                two("Equivalent", definition("Deep"), definition("Again")),
            ),
            (
                "Tuples equal",
                two("Equal", definition("Tuple"), definition("Tuple again")),
            ),
            (
                "Tuples equivalent",
                two("Equivalent", definition("Tuple"), definition("Tuple again")),
            ),
            (
                "Distinct",
                node("Distinct", list(&[definition("Deep"), definition("Again")])),
            ),
            ("In set", in_set(definition("Deep"))),
            ("Retrieve", retrieve(definition("Deep"))),
        ],
    )]);
    for name in [
        "Equal",
        "Equivalent",
        "Tuples equal",
        "Tuples equivalent",
        "Distinct",
        "In set",
        "Retrieve",
    ] {
        assert_eq!(outcome.budget(name), "a value is nested too deep", "{name}");
    }
    // Operators that do not go into their items do not mind.
    let descendants =
        json!({"type": "Count", "source": {"type": "Descendants", "source": definition("Deep")}});
    let outcome = run(&[library(
        "L",
        &[
            ("Deep", times(1000, integer(1), list(&[total()]))),
            ("Count", descendants),
        ],
    )]);
    assert_eq!(outcome.value("Count").as_deref(), Ok("1000"));
}

/// 60 lists, each of the one before twice: 2^60 items for who goes through all.
#[test]
fn values_that_share_their_parts() {
    let doubled = times(60, integer(1), list(&[total(), total()]));
    let ty = (0..60).fold(
        json!({"type": "NamedTypeSpecifier", "name": "{urn:hl7-org:elm-types:r1}Integer"}),
        |of, _| json!({"type": "ListTypeSpecifier", "elementType": of}),
    );
    let retrieve = json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation", "codeProperty": "code", "codeComparator": "in", "codes": definition("D")});
    let outcome = run_with(
        &[library(
            "L",
            &[
                ("D", doubled.clone()),
                ("E", doubled),
                ("Equal", two("Equal", definition("D"), definition("E"))),
                (
                    "Equivalent",
                    two("Equivalent", definition("D"), definition("E")),
                ),
                (
                    "Is",
                    json!({"type": "Is", "operand": definition("D"), "isTypeSpecifier": ty}),
                ),
                ("Retrieve", retrieve),
                (
                    "In set",
                    json!({"type": "AnyInValueSet", "codes": definition("D"), "valueset": {"name": "V"}}),
                ),
                (
                    "Descendants",
                    json!({"type": "Descendants", "source": definition("D")}),
                ),
            ],
        )],
        Options::default(),
        5_000_000,
    );
    for name in ["Equal", "Equivalent", "Is", "Retrieve", "Descendants"] {
        outcome.budget(name);
    }
}

#[test]
fn patterns() {
    for pattern in [
        "(a*)*b",
        "(a|aa)+$",
        "((a{100}){100}){100}",
        "(",
        "(?=a)",
        "a{99999999}",
        "\\p{Greek",
    ] {
        let text = string(&"a".repeat(50_000));
        match run_one(two("Matches", text, string(pattern))).value("A") {
            Ok(value) => assert!(value == "false" || value == "true", "{pattern}"),
            Err(Fault::Raised(why)) => assert!(why.contains("pattern"), "{why}"),
            Err(other) => panic!("{pattern}: {other:?}"),
        }
    }
    // A pattern of its own for every row.
    let pattern = node(
        "Concatenate",
        json!([string("(a{20}){20}"), node("ToString", current())]),
    );
    let rows = json!({"type": "Filter", "scope": "$this", "source": numbers(1_000_000), "condition": two("Matches", string("a"), pattern)});
    assert!(run_one(rows).budget("A").contains("steps"));
}

#[test]
fn numbers_at_their_ends() {
    let decimal = |v: &str| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Decimal", "value": v});
    let values = [
        integer(0),
        integer(1),
        integer(-1),
        integer(i64::from(i32::MAX)),
        decimal("0.00000001"),
        decimal("-0.5"),
        decimal("99999999999999999999.99999999"),
        decimal("-99999999999999999999.99999999"),
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}Integer"}),
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}Long"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}Long"}),
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}Decimal"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}Quantity"}),
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}DateTime"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}DateTime"}),
        json!({"type": "MinValue", "valueType": "{urn:hl7-org:elm-types:r1}Date"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}Date"}),
        json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}Time"}),
        json!({"type": "Quantity", "value": 1, "unit": "year"}),
        json!({"type": "Quantity", "value": -9_999_999_999_i64, "unit": "days"}),
        json!({"type": "Quantity", "value": "9999999999999999999", "unit": "milliseconds"}),
        interval(
            nothing(),
            json!({"type": "MaxValue", "valueType": "{urn:hl7-org:elm-types:r1}DateTime"}),
        ),
        interval(integer(i64::from(i32::MAX)), nothing()),
        nothing(),
        string("x"),
        list(&[integer(1), nothing()]),
    ];
    let binary = [
        "Add",
        "Subtract",
        "Multiply",
        "Divide",
        "TruncatedDivide",
        "Modulo",
        "Power",
        "Log",
        "Equal",
        "Less",
        "Equivalent",
        "DurationBetween",
        "DifferenceBetween",
        "SameAs",
        "Before",
        "In",
        "Contains",
        "Collapse",
        "Expand",
        "Union",
        "Except",
        "Intersect",
        "Overlaps",
        "Meets",
        "Starts",
        "Includes",
        "ProperIncludes",
        "LowBoundary",
        "HighBoundary",
        "Indexer",
        "CalculateAgeAt",
    ];
    let unary = [
        "Exp",
        "Ln",
        "Negate",
        "Abs",
        "Successor",
        "Predecessor",
        "Truncate",
        "Round",
        "Ceiling",
        "Floor",
        "Width",
        "Size",
        "Start",
        "End",
        "ToString",
        "ToDecimal",
        "ToQuantity",
        "ToDateTime",
        "ToDate",
        "ToTime",
        "DateFrom",
        "TimeFrom",
        "Precision",
        "CalculateAge",
        "PointFrom",
        "ToConcept",
    ];
    let mut all = vec![];
    for operator in binary {
        for a in &values {
            for b in &values {
                let mut node = two(operator, a.clone(), b.clone());
                node["precision"] = json!("Millisecond");
                all.push(node);
            }
        }
    }
    all.extend(
        unary
            .iter()
            .flat_map(|operator| values.iter().map(|v| node(operator, v.clone()))),
    );
    let years = [-1_i64, 0, 1, 9999, 10_000, i64::from(i32::MAX)];
    for year in years {
        for month in [-1, 0, 2, 13] {
            all.push(json!({"type": "DateTime", "year": integer(year), "month": integer(month), "day": integer(30), "timezoneOffset": decimal("99999999999")}));
            all.push(json!({"type": "Date", "year": integer(year), "month": integer(month), "day": integer(i64::from(i32::MAX))}));
            all.push(json!({"type": "Time", "hour": integer(year), "minute": integer(month)}));
        }
    }
    let names: Vec<String> = (0..all.len()).map(|i| format!("D{i}")).collect();
    let definitions: Vec<(&str, Json)> = names.iter().map(String::as_str).zip(all).collect();
    let outcome = run_with(&[library("L", &definitions)], Options::default(), 20_000);
    assert_eq!(outcome.values.len(), names.len());
}

/// `Union` of very many: neither the tree of it nor its end may be deep.
#[test]
fn very_many_operands() {
    let outcome = run_one(node("Union", json!(vec![list(&[integer(1)]); 200_000])));
    assert_eq!(outcome.value("A").as_deref(), Ok("{1}"));
    let mut except = vec![list(&[integer(1), integer(2), integer(3)])];
    except.extend([list(&[integer(2)]), list(&[integer(3)])]);
    assert_eq!(
        run_one(node("Except", json!(except))).value("A").as_deref(),
        Ok("{1}")
    );
}
