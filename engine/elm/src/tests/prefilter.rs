//! What decides: without a match of a group, an expression is not true and has no members.

use std::collections::BTreeSet;

use super::*;

const TYPES: [&str; 3] = ["Condition", "Observation", "Encounter"];

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}")})
}

struct Choices(u64);

impl Choices {
    fn of(&mut self, n: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % n) as usize
    }

    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.of(from.len() as u64)]
    }
}

fn two(name: &str, a: Json, b: Json) -> Json {
    node(name, json!([a, b]))
}

/// A list of resources.
fn items(c: &mut Choices, depth: u32) -> Json {
    if depth == 0 {
        return retrieve(c.pick(&TYPES));
    }
    match c.of(8) {
        0 => {
            let name = c.pick(&["Union", "Intersect", "Except"]);
            two(name, items(c, depth - 1), items(c, depth - 1))
        }
        1 => node(c.pick(&["Distinct", "Flatten"]), items(c, depth - 1)),
        2 | 3 => {
            let mut query = json!({"type": "Query", "source": [{"alias": "A", "expression": items(c, depth - 1)}], "relationship": []});
            if c.of(2) == 0 {
                query["relationship"] = json!([{"type": c.pick(&["With", "Without"]), "alias": "B", "expression": items(c, depth - 1), "suchThat": truth(c, depth - 1)}]);
            }
            if c.of(2) == 0 {
                query["where"] = truth(c, depth - 1);
            }
            query
        }
        4 => json!({"type": "FunctionRef", "name": "g", "operand": [items(c, depth - 1)]}),
        5 => node("ToList", one(c, depth - 1)),
        6 => {
            json!({"type": "Filter", "scope": "$this", "source": items(c, depth - 1), "condition": truth(c, depth - 1)})
        }
        _ => retrieve(c.pick(&TYPES)),
    }
}

/// One resource, or something of it.
fn one(c: &mut Choices, depth: u32) -> Json {
    let source = items(c, depth.saturating_sub(1));
    let first = json!({"type": c.pick(&["First", "Last"]), "source": source});
    match c.of(3) {
        0 => json!({"type": "Property", "path": "id", "source": first}),
        _ => first,
    }
}

fn truth(c: &mut Choices, depth: u32) -> Json {
    if depth == 0 {
        return node("Exists", retrieve(c.pick(&TYPES)));
    }
    let yes = |value: bool| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": value.to_string()});
    match c.of(11) {
        0 | 1 => {
            let name = c.pick(&["And", "Or", "Implies", "Xor"]);
            two(name, truth(c, depth - 1), truth(c, depth - 1))
        }
        2 => {
            let name = c.pick(&["Equal", "NotEqual", "Equivalent"]);
            let value = yes(c.of(2) == 0);
            two(name, truth(c, depth - 1), value)
        }
        3 => two(
            c.pick(&["Equal", "Equivalent"]),
            items(c, depth - 1),
            json!({"type": "List"}),
        ),
        4 => node("Not", truth(c, depth - 1)),
        5 => node("Not", node("IsNull", truth(c, depth - 1))),
        6 => node("Not", node("IsNull", items(c, depth - 1))),
        7 => node("Not", node("IsNull", one(c, depth - 1))),
        8 => node(
            c.pick(&["IsTrue", "IsFalse", "IsNull"]),
            truth(c, depth - 1),
        ),
        9 => json!({"type": "FunctionRef", "name": "f", "operand": [truth(c, depth - 1)]}),
        _ => node("Exists", items(c, depth - 1)),
    }
}

#[test]
fn nothing_holds_without_a_match() {
    let mut decided = 0;
    for seed in 1..4000_u64 {
        let mut c = Choices(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (a, l) = (truth(&mut c, 4), items(&mut c, 3));
        let operand = |name: &str| json!({"type": "OperandRef", "name": name});
        let f = two(
            c.pick(&["And", "Or", "Equal", "Implies"]),
            operand("x"),
            truth(&mut c, 1),
        );
        let g = two(
            c.pick(&["Union", "Intersect", "Except"]),
            operand("x"),
            items(&mut c, 1),
        );
        let mut document = library("L", &[("A", a), ("L", l)]);
        let definitions = document
            .pointer_mut("/library/statements/def")
            .unwrap()
            .as_array_mut()
            .unwrap();
        for (name, body) in [("f", f), ("g", g)] {
            definitions.push(json!({"type": "FunctionDef", "name": name, "operand": [{"name": "x", "operandType": "{urn:hl7-org:elm-types:r1}Any"}], "expression": body}));
        }
        let libraries = read(&[document.clone()]);
        let (compiled, issues) = link(&libraries, Options::default());
        assert!(issues.is_empty(), "{issues:#?}");
        for present in 0..8_usize {
            let there: BTreeSet<&str> = (0..3)
                .filter(|i| present & (1 << i) != 0)
                .map(|i| TYPES[i])
                .collect();
            let resources: Vec<&str> = RESOURCES
                .iter()
                .copied()
                .filter(|r| {
                    there
                        .iter()
                        .any(|t| r.contains(&format!("\"resourceType\":\"{t}\"")))
                })
                .collect();
            let values = evaluate(&libraries, &compiled, &record(&resources), 300_000);
            for (name, value) in values {
                let groups = compiled.required_retrieves(compiled.expression(0, &name).unwrap());
                let met = |group: &BTreeSet<u32>| {
                    group.iter().any(|r| {
                        there.contains(compiled.retrieves()[*r as usize].resource_type.as_str())
                    })
                };
                if groups.iter().all(met) {
                    continue;
                }
                decided += 1;
                let void = matches!(value.as_deref(), Ok("null" | "false" | "{}"))
                    // Of such a patient it cannot be told: a function that calls itself for ever.
                    || value.is_err();
                assert!(
                    void,
                    "{name} = {value:?} with {there:?} only, but it needs {groups:?}\n{document:#}"
                );
            }
        }
    }
    assert!(decided > 5000, "{decided}");
}
