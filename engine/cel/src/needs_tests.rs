use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::{Code, ValueSet};

use crate::{Checker, Compiled, Evaluation, Val};

fn value_sets() -> Vec<(String, Arc<ValueSet>)> {
    let set = |name: &str| {
        let code = Code::new("urn:codes", name);
        let url = format!("urn:vs:{name}");
        let set = ValueSet::from_codes(&url, None, vec![code], "test");
        (name.to_owned(), Arc::new(set))
    };
    vec![set("a"), set("v"), set("x && y || \")")]
}

fn compiled(source: &str) -> (Checker, Vec<Compiled>, Compiled) {
    let mut checker = Checker::new(value_sets());
    let definitions = [
        ("with_a", "Condition(\"a\").exists(c, active(c))"),
        ("all_a", "Condition(\"a\").filter(c, has(c.code))"),
        ("male", "patient.gender == \"male\""),
    ];
    let definitions = definitions.map(|(name, source)| {
        let compiled = checker.compile(source, None).unwrap();
        checker.define(name, &compiled);
        compiled
    });
    let compiled = checker.compile(source, None);
    let compiled = compiled.unwrap_or_else(|e| panic!("{source}: {e:?}"));
    (checker, definitions.into(), compiled)
}

/// A patient with a match of everything but of one requirement.
fn record_without(requirement: &DataRequirement) -> PatientRecord {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p","gender":"male","birthDate":"1960-01-01"}"#)
        .unwrap();
    for (name, set) in value_sets() {
        for (ty, element) in [("Condition", "code"), ("Encounter", "type")] {
            let one = DataRequirement::coded(ty, Arc::clone(&set)).unwrap();
            if one == *requirement
                || (requirement.codes.is_none() && one.resource_type == requirement.resource_type)
            {
                continue;
            }
            let code = serde_json::json!({"coding": [{"system": "urn:codes", "code": name}]});
            let active = serde_json::json!({"coding": [{"code": "active"}]});
            let json = serde_json::json!({
                "resourceType": ty, "id": "r", "clinicalStatus": active,
                element: if element == "type" { serde_json::json!([code]) } else { code },
            });
            record.push(&json.to_string()).unwrap();
        }
    }
    record
}

/// What each expression needs; and that without it the expression is false.
#[test]
fn what_is_needed_is_told_by_the_tree() {
    let cases = [
        // As it was told by the text of expressions.
        ("with_a && true", "Condition:a"),
        ("true && with_a", "Condition:a"),
        ("(true && with_a)", "Condition:a"),
        ("(with_a) && (male || true)", "Condition:a"),
        (
            "Condition(\"a\").exists(c, c.id == \")\") && true",
            "Condition:a",
        ),
        (
            "Condition(\"a\").filter(c, (male)).size() > 0 && Encounter( \"v\" ).exists(e, true || male)",
            "Condition:a Encounter:v",
        ),
        (
            "\"\\\" && \" == \"x\" && Condition(\"a\").exists(c, true)",
            "Condition:a",
        ),
        ("with_a || true", ""),
        ("!with_a", ""),
        ("with_a && male || male", ""),
        ("with_a ? male : true", ""),
        ("Condition(\"a\").exists(c, true) == false", ""),
        ("Condition(\"a\").size() > 1 - 2", ""),
        ("Condition(\"a\").size() >= 0", ""),
        ("Condition(\"a\").all(c, true)", ""),
        ("(Condition(\"a\") + Condition(\"v\")).exists(c, true)", ""),
        ("Condition(\"a\").size() > 0 || true && with_a", ""),
        // Comments, and texts that have other quotes or operators in them.
        ("Condition(\"a\").exists(c, true) // || true", "Condition:a"),
        ("// with_a &&\nmale", ""),
        ("r\"a || \\\" == \"x\" && with_a", "Condition:a"),
        ("\"\"\"? || \"\"\" == \"x\" && with_a", "Condition:a"),
        ("Condition('a').exists(c, true)", "Condition:a"),
        (
            "Condition(\"x && y || \\\")\").exists(c, true)",
            "Condition:x && y || \")",
        ),
        ("\"with_a && \" == patient.language", ""),
        // Brackets, ternaries and macros.
        ("((Condition(\"a\"))).exists(c, ((true)))", "Condition:a"),
        ("((with_a) && ((male)))", "Condition:a"),
        ("(male ? true : false) && with_a", "Condition:a"),
        ("male ? with_a && true : with_a", ""),
        ("Condition(\"a\").exists_one(c, true)", "Condition:a"),
        ("Condition(\"a\").map(c, c.code).size() >= 1", "Condition:a"),
        (
            "Condition(\"a\").map(c, has(c.code), c.code).exists(c, true)",
            "Condition:a",
        ),
        (
            "Condition(\"a\").exists(c, Encounter(\"v\").exists(e, true))",
            "Condition:a",
        ),
        ("[1].exists(x, with_a)", ""),
        ("[1].filter(x, with_a).size() > 0", ""),
        // Counts, either way round.
        ("size(Condition(\"a\")) > 0", "Condition:a"),
        ("0 < all_a.size()", "Condition:a"),
        ("all_a.size() == 2", "Condition:a"),
        ("all_a.size() != 0", "Condition:a"),
        ("all_a.size() == 0", ""),
        ("0 <= all_a.size()", ""),
        ("all_a.size() < 1", ""),
        ("all_a.exists(c, active(c))", "Condition:a"),
        // Negation.
        ("!(all_a.size() == 0 || male)", "Condition:a"),
        ("!!with_a", "Condition:a"),
        ("!Condition(\"a\").all(c, true)", "Condition:a"),
        ("!(with_a && male)", ""),
        ("orElse(with_a, true)", "Condition:a"),
        ("orElse(male, with_a)", ""),
        ("isUnknown(with_a)", ""),
        ("Condition().exists(c, true)", "Condition:"),
        (
            "Condition(\"a\").during(at - months(1), at).size() > 0",
            "Condition:a",
        ),
        // The words of clinicians.
        ("Condition(\"a\").exists()", "Condition:a"),
        ("!Condition(\"a\").isEmpty()", "Condition:a"),
        ("Condition(\"a\").isEmpty()", ""),
        ("!Condition(\"a\").exists()", ""),
        ("Condition(\"a\").active().exists()", "Condition:a"),
        (
            "Condition(\"a\").ever().since(patient.birthDate).exists() && male",
            "Condition:a",
        ),
        (
            "Encounter(\"v\").completed().inLast(years(1)).size() >= 2",
            "Encounter:v",
        ),
        ("all_a.active().exists(c, male)", "Condition:a"),
        ("Condition(\"a\").exists(c, c.active())", "Condition:a"),
        ("Condition(\"a\").latest().active()", ""),
        ("start(Encounter(\"v\").latest()).inLast(years(1))", ""),
        ("with_a in [true]", ""),
    ];
    let at = DateTime::parse("2025-12-31T12:00:00Z").unwrap();
    let context = EvaluationContext::at(at);
    for (source, expected) in cases {
        let (checker, definitions, compiled) = compiled(source);
        let sets: Vec<_> = checker.value_sets().cloned().collect();
        let requirements = checker.requirements();
        let mut found = vec![];
        for index in compiled.needs(&definitions) {
            let requirement = &requirements[index];
            let codes = requirement.codes.as_ref();
            let set = codes.map_or("", |c| c.value_set.url.strip_prefix("urn:vs:").unwrap());
            found.push(format!("{}:{set}", requirement.resource_type.as_str()));
            let record = record_without(requirement);
            let evaluation = Evaluation::new(&record, &context, requirements, &sets, &definitions);
            let value = evaluation.evaluate(&compiled).unwrap();
            assert!(
                matches!(value, Val::Bool(false)),
                "{source} is {value:?} without {}",
                found.last().unwrap()
            );
        }
        assert_eq!(found.join(" "), expected, "{source}");
    }
}

/// Definitions that name each other twice would be looked at for ever.
#[test]
fn a_definition_is_looked_at_once() {
    let mut checker = Checker::new(value_sets());
    let mut definitions = vec![];
    let mut source = "Condition(\"a\").size() > 0".to_owned();
    for n in 0..60 {
        let compiled = checker.compile(&source, None).unwrap();
        let name = format!("d{n}");
        checker.define(&name, &compiled);
        definitions.push(compiled);
        source = format!("{name} && {name}");
    }
    let last = checker.compile(&source, None).unwrap();
    assert_eq!(last.needs(&definitions).len(), 1);
}
