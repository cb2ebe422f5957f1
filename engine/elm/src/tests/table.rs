//! Every node of the ELM schema is in the table, once, and what the table says of it is so.

use engine_patient::finding::{Blame, Code};
use std::collections::BTreeSet;

use super::*;
use crate::operators::nodes::{How, nodes};
use crate::operators::operator::{Spelling, WhenEmpty};
use crate::operators::table::OPERATORS;

/// The nodes of the ELM schema r1 (CQL 1.5), and `TimezoneFrom`, `Descendents` as they stand there.
const SCHEMA: &str = include_str!("nodes.txt");

#[test]
fn all_nodes_once() {
    let schema: Vec<&str> = SCHEMA.lines().collect();
    let schema_set: BTreeSet<&str> = schema.iter().copied().collect();
    assert_eq!(schema.len(), schema_set.len(), "the list has a node twice");
    let table: BTreeSet<&str> = nodes().map(|(name, _)| name).collect();
    assert_eq!(table.len(), nodes().count(), "the table has a node twice");
    let missing: Vec<_> = schema_set.difference(&table).collect();
    let more: Vec<_> = table.difference(&schema_set).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    assert!(more.is_empty(), "not in the schema: {more:?}");
}

fn types(json: &Json, into: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) => {
            if let Some(name) = map.get("type").and_then(Json::as_str) {
                into.insert(name.to_owned());
            }
            map.values().for_each(|v| types(v, into));
        }
        Json::Array(items) => items.iter().for_each(|i| types(i, into)),
        _ => {}
    }
}

/// `nodes.json` has every node that is implemented, and it compiles without a finding.
#[test]
fn implemented_nodes_compile() {
    let document: Json = serde_json::from_str(NODES_JSON).unwrap();
    let mut used = BTreeSet::new();
    types(&document["library"]["statements"], &mut used);
    for (name, how) in nodes() {
        let used = used.contains(name);
        match how {
            How::Operator(_) | How::Special => assert!(used, "`{name}` is not in nodes.json"),
            How::Unsupported(_) | How::Abstract => assert!(!used, "{name}"),
            How::Part => {}
        }
    }
    let outcome = run(&[document]);
    assert!(outcome.issues.is_empty(), "{:#?}", outcome.issues);
    for (name, value) in &outcome.values {
        assert!(!matches!(value, Err(Fault::Budget(_))), "{name}: {value:?}");
    }
}

/// A node of which nothing but the name is right: whatever is found, it is not that the compiler
/// forgot it.
#[test]
fn every_special_form_is_handled() {
    for (name, how) in nodes() {
        let outcome = run_one(json!({"type": name, "localId": "7"}));
        for issue in &outcome.issues {
            assert!(!issue.message.contains("has no implementation"), "{issue}");
            assert_eq!(issue.local_id(), Some("7"), "{issue}");
        }
        match how {
            How::Part | How::Abstract => {
                let issue = outcome.error();
                assert_eq!(issue.code, Code::ElmWrongForm);
                assert!(
                    issue.message.contains("cannot stand as an expression"),
                    "{issue}"
                );
            }
            How::Unsupported(why) => {
                let issue = outcome.error();
                assert!(why.len() > 20, "`{name}` has no reason");
                assert_eq!(
                    (issue.code, issue.blame),
                    (Code::ElmUnsupportedNode, Blame::Unsupported)
                );
                assert!(issue.message.ends_with(why), "{issue}");
            }
            How::Operator(_) | How::Special => {}
        }
    }
}

#[test]
fn operands_are_counted() {
    for (name, how) in nodes() {
        let How::Operator(operator) = how else {
            continue;
        };
        for field in operator.operands {
            let Some(count) = field
                .split_once('*')
                .and_then(|(_, n)| n.parse::<usize>().ok())
            else {
                continue;
            };
            for given in [0, 1, count + 1] {
                if given == count {
                    continue;
                }
                let outcome = run_one(node(name, json!(vec![json!({"type": "Null"}); given])));
                assert_eq!(outcome.error().code, Code::ElmWrongForm);
                assert!(
                    outcome
                        .error()
                        .message
                        .contains(&format!("{given} operands")),
                    "{name}"
                );
            }
        }
    }
}

/// What a row says of an operator goes with its operands.
#[test]
fn rows_say_what_their_operands_can_be() {
    for row in OPERATORS {
        let name = row.name;
        assert!(
            row.section
                .parse::<u8>()
                .is_ok_and(|n| (12..=23).contains(&n)),
            "{name}"
        );
        let one = row.takes(1) && !row.takes(2);
        let two = row.takes(2) && !row.takes(1);
        let any = row.takes(0) && row.takes(7);
        match row.spelling {
            Spelling::Infix(_) => assert!(two || any, "{name}"),
            Spelling::Prefix(_) | Spelling::Suffix(_) | Spelling::Nothing => assert!(one, "{name}"),
            Spelling::Call => {}
        }
        assert!(!row.is_comparison || two, "{name}");
        assert!(!row.is_pairwise || any, "{name}");
        match row.when_empty {
            WhenEmpty::AsAll | WhenEmpty::AsAny => assert!(row.is_pairwise, "{name}"),
            WhenEmpty::Negation
            | WhenEmpty::TrueOfNull
            | WhenEmpty::FalseOfFalse
            | WhenEmpty::FalseOfEmpty
            | WhenEmpty::NullOfEmpty => assert!(one, "{name}"),
            WhenEmpty::FalseOfNoCode => assert!(two, "{name}"),
            WhenEmpty::NullOfNull | WhenEmpty::AsFirst | WhenEmpty::Unknown => {}
        }
    }
}

/// Operators of one function, which a comparison of functions cannot tell apart, keep their names.
#[test]
fn operators_of_one_function_keep_their_names() {
    let names = [
        "Descendants",
        "Descendents",
        "TimezoneFrom",
        "TimezoneOffsetFrom",
    ];
    let definitions: Vec<(&str, Json)> = names
        .iter()
        .map(|name| {
            let operand = if name.starts_with('D') {
                "source"
            } else {
                "operand"
            };
            (*name, json!({"type": name, operand: {"type": "Null"}}))
        })
        .collect();
    let libraries = read(&[library("L", &definitions)]);
    let (compiled, issues) = link(&libraries, Options::default());
    assert!(issues.is_empty(), "{issues:?}");
    for name in names {
        let statement = compiled
            .statement(compiled.expression(0, name).unwrap())
            .unwrap();
        assert_eq!(statement.body.name(), name);
    }
}

use super::NODES as NODES_JSON;
