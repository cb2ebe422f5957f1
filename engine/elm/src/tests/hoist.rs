//! What depends on nothing but the patient is evaluated once: that must make no difference but to
//! the time.

use super::*;

fn alias(name: &str) -> Json {
    json!({"type": "AliasRef", "name": name})
}

fn of(name: &str) -> Json {
    json!({"type": "OperandRef", "name": name})
}

fn list(values: &[i64]) -> Json {
    let items: Vec<Json> = values.iter().map(|v| integer(*v)).collect();
    json!({"type": "List", "element": items})
}

fn two(name: &str, a: Json, b: Json) -> Json {
    node(name, json!([a, b]))
}

/// A small choice that a number makes, and the rest of the number.
struct Choices(u64);

impl Choices {
    fn of(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }
}

/// An expression of an integer, over the names in scope.
fn number(c: &mut Choices, names: &[Json], depth: u32) -> Json {
    if depth == 0 || c.of(4) == 0 {
        return match names.get(c.of(names.len() as u64 + 2) as usize) {
            Some(name) => name.clone(),
            None => integer(c.of(4) as i64),
        };
    }
    match c.of(7) {
        0 => json!({"type": "Count", "source": query(c, names, depth - 1)}),
        1 => json!({"type": "Max", "source": query(c, names, depth - 1)}),
        2 => {
            json!({"type": "FunctionRef", "name": "f", "operand": [number(c, names, depth - 1), number(c, names, depth - 1)]})
        }
        3 => node(
            "Coalesce",
            json!([{"type": "First", "source": query(c, names, depth - 1)}, integer(9)]),
        ),
        4 => {
            json!({"type": "If", "condition": truth(c, names, depth - 1), "then": number(c, names, depth - 1), "else": integer(1)})
        }
        5 => {
            json!({"type": "Aggregate", "scope": "$this", "source": list(&[1, 2, 3]), "initialValue": number(c, names, depth - 1),
            "iteration": two("Add", json!({"type": "Total", "scope": "$this"}), number(c, &with(names, json!({"type": "Current", "scope": "$this"})), depth - 1))})
        }
        _ => two(
            "Add",
            number(c, names, depth - 1),
            number(c, names, depth - 1),
        ),
    }
}

fn with(names: &[Json], name: Json) -> Vec<Json> {
    let mut all = names.to_vec();
    all.push(name);
    all
}

fn truth(c: &mut Choices, names: &[Json], depth: u32) -> Json {
    let (a, b) = (
        number(c, names, depth.saturating_sub(1)),
        number(c, names, depth.saturating_sub(1)),
    );
    two(["Equal", "Less", "GreaterOrEqual"][c.of(3) as usize], a, b)
}

/// A query of integers.
fn query(c: &mut Choices, names: &[Json], depth: u32) -> Json {
    let id = c.of(1000);
    let source = match c.of(3) {
        0 if depth > 0 => query(c, names, depth - 1),
        1 => json!({"type": "ExpressionRef", "name": "N"}),
        _ => list(&[3, 1, 2, 1]),
    };
    let own = format!("A{id}");
    let mut inner = with(names, alias(&own));
    let mut query = json!({"type": "Query", "source": [{"alias": own, "expression": source}], "relationship": []});
    if c.of(2) == 0 {
        let name = format!("l{id}");
        query["let"] =
            json!([{"identifier": name, "expression": number(c, &inner, depth.saturating_sub(1))}]);
        inner.push(json!({"type": "QueryLetRef", "name": name}));
    }
    if c.of(3) == 0 {
        let other = format!("B{id}");
        let expression = if depth > 0 {
            self::query(c, &inner, depth - 1)
        } else {
            list(&[1, 2])
        };
        let such_that = truth(c, &with(&inner, alias(&other)), depth.saturating_sub(1));
        let ty = ["With", "Without"][c.of(2) as usize];
        query["relationship"] =
            json!([{"type": ty, "alias": other, "expression": expression, "suchThat": such_that}]);
    }
    if c.of(3) == 0 {
        query["where"] = truth(c, &inner, depth);
    }
    match c.of(3) {
        0 => {
            let total = json!({"type": "QueryLetRef", "name": "t"});
            query["aggregate"] = json!({"identifier": "t", "distinct": c.of(2) == 0, "starting": integer(0),
                "expression": two("Add", total, number(c, &inner, depth.saturating_sub(1)))});
            return node("ToList", query);
        }
        1 => {
            query["return"] =
                json!({"distinct": c.of(2) == 0, "expression": number(c, &inner, depth)})
        }
        _ => {}
    }
    if c.of(2) == 0 {
        let this = json!({"type": "IdentifierRef", "name": "$this"});
        let expression = two("Modulo", this, number(c, names, depth.saturating_sub(1)));
        query["sort"] = json!({"by": [{"type": "ByExpression", "direction": "desc", "expression": expression}]});
    }
    query
}

#[test]
fn no_difference() {
    let mut hoisted = 0;
    for seed in 1..1500_u64 {
        let mut c = Choices(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let expression = query(&mut c, &[], 3);
        let body = number(&mut c, &[of("a"), of("b")], 2);
        let mut document = library("L", &[("N", list(&[2, 5, 1])), ("A", expression)]);
        let f = json!({"type": "FunctionDef", "name": "f", "operand": [
            {"name": "a", "operandType": "{urn:hl7-org:elm-types:r1}Integer"}, {"name": "b", "operandType": "{urn:hl7-org:elm-types:r1}Integer"}],
            "expression": body});
        document
            .pointer_mut("/library/statements/def")
            .unwrap()
            .as_array_mut()
            .unwrap()
            .push(f);
        let of = |hoist| {
            run_with(
                &[document.clone()],
                Options {
                    hoist,
                    ..Options::default()
                },
                300_000,
            )
        };
        let (once, each) = (of(true), of(false));
        assert!(once.issues.is_empty(), "{:#?}", once.issues);
        if let (a, b @ Ok(_)) = (once.value("A"), each.value("A")) {
            assert_eq!(a, b, "{document:#}");
            hoisted += 1;
        }
    }
    assert!(hoisted > 800, "{hoisted}");
}

/// A retrieve that depends on the row is made anew for each.
#[test]
fn retrieves_that_depend_on_the_row() {
    let code = |code: &str| json!({"type": "Code", "code": code, "system": {"name": "S"}});
    let retrieve = json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation", "codeProperty": "code", "codeComparator": "in",
        "codes": node("ToList", alias("C"))});
    let query = |codes: &[Json]| {
        json!({"type": "Query", "source": [{"alias": "C", "expression": {"type": "List", "element": codes}}], "relationship": [],
        "return": {"distinct": false, "expression": {"type": "Count", "source": retrieve}}})
    };
    for hoist in [true, false] {
        let document = library(
            "L",
            &[("A", query(&[code("x"), code("z"), code("y"), code("z")]))],
        );
        let outcome = run_with(
            &[document],
            Options {
                hoist,
                ..Options::default()
            },
            STEPS,
        );
        assert!(outcome.issues.is_empty(), "{:?}", outcome.issues);
        assert_eq!(outcome.value("A").as_deref(), Ok("{1, 0, 1, 0}"));
    }
}
