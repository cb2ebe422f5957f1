//! Populations, their criteria and references, what each scoring needs, and stratifiers.

use super::*;
use engine_patient::finding::{Blame, Code, Severity};

fn cv(observation: Value) -> Value {
    let parts = ["initial-population", "measure-population"].map(population);
    let mut populations = parts.to_vec();
    populations.push(observation);
    measure("continuous-variable", populations)
}

fn ratio(more: Vec<Value>) -> Value {
    let parts = ["initial-population", "denominator", "numerator"].map(population);
    let mut populations = parts.to_vec();
    populations.extend(more);
    measure("ratio", populations)
}

fn named(mut population: Value, id: &str) -> Value {
    population["id"] = json!(id);
    population
}

#[test]
fn a_group_without_populations() {
    let issue = refused(&measure("cohort", vec![]));
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::NoPopulations, Some("Measure.group[0]"))
    );
}

#[test]
fn population_codes() {
    let mut measure = proportion();
    let first = &mut measure["group"][0]["population"][0];
    first.as_object_mut().unwrap().remove("code");
    assert_eq!(refused(&measure).code, Code::PopulationCodeMissing);
    measure["group"][0]["population"][0]["code"] = json!({});
    assert_eq!(refused(&measure).code, Code::PopulationCodeMissing);
    measure["group"][0]["population"][0]["code"] = code("initial-populaton");
    let issue = refused(&measure);
    assert_eq!(issue.code, Code::PopulationCodeUnknown);
    assert_eq!(
        issue.help.as_deref(),
        Some("did you mean `initial-population`?")
    );
    // A local coding before the one that counts.
    let codings =
        json!({"coding": [{"code": "IPP"}, {"code": "initial-population", "display": "Everyone"}]});
    measure["group"][0]["population"][0]["code"] = codings;
    let read = accepted(&measure);
    assert_eq!(
        read.groups[0].populations[0].display.as_deref(),
        Some("Everyone")
    );
}

#[test]
fn criteria() {
    let with = |criteria: Value| {
        let mut measure = proportion();
        measure["group"][0]["population"][1]["criteria"] = criteria;
        measure
    };
    let path = "Measure.group[0].population[1]";
    let issue = refused(&with(Value::Null));
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::NoCriteria, Some(path))
    );
    let issue = refused(&with(json!({"language": "text/cql-identifier"})));
    assert_eq!(issue.place.path, Some(format!("{path}.criteria")));
    let issue = refused(&with(
        json!({"language": "text/fhirpath", "expression": "true"}),
    ));
    assert_eq!(
        (issue.code, issue.blame),
        (Code::CriteriaLanguage, Blame::Unsupported)
    );
    let issue = refused(&with(
        json!({"language": "text/cql", "expression": "exists \"A\""}),
    ));
    assert_eq!(
        (issue.code, issue.blame),
        (Code::CriteriaExpression, Blame::Unsupported)
    );
    let (issue, _) = warned(&with(json!({"expression": "Denominator"})));
    assert_eq!(issue.code, Code::CriteriaNoLanguage);
    for language in [
        "text/cql-identifier",
        "text/cql.identifier",
        "text/cql",
        "text/cql-expression",
    ] {
        let read = accepted(&with(
            json!({"language": language, "expression": "\"The Denominator\""}),
        ));
        assert_eq!(read.groups[0].populations[1].expression, "The Denominator");
    }
}

#[test]
fn what_each_scoring_needs() {
    let without = |scoring: &str, populations: &[&str]| {
        let populations = populations.iter().map(|p| population(p)).collect();
        let issue = refused(&measure(scoring, populations));
        assert_eq!(issue.code, Code::PopulationMissing);
        issue.message
    };
    let message = without("proportion", &["initial-population", "numerator"]);
    assert_eq!(message, "`proportion` scoring without `denominator`");
    let message = without("ratio", &["initial-population", "denominator"]);
    assert_eq!(message, "`ratio` scoring without `numerator`");
    let message = without("proportion", &["denominator", "numerator"]);
    assert_eq!(message, "`proportion` scoring without `initial-population`");
    let message = without(
        "continuous-variable",
        &["initial-population", "measure-population"],
    );
    assert_eq!(
        message,
        "`continuous-variable` scoring without `measure-observation`"
    );
}

#[test]
fn populations_out_of_place() {
    let mut wrong = ratio(vec![population("denominator-exception")]);
    let issue = refused(&wrong);
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (
            Code::PopulationNoPlace,
            Some("Measure.group[0].population[3]")
        )
    );
    wrong["scoring"] = code("cohort");
    let loaded = read(&wrong);
    assert!(
        told(&loaded)
            .iter()
            .all(|t| (t.0, t.1) == (Severity::Warning, Code::PopulationNoPlace))
    );
    assert_eq!(told(&loaded).len(), 3);
}

#[test]
fn populations_more_than_once() {
    let mut measure = proportion();
    let second = named(population("numerator"), "n2");
    measure["group"][0]["population"]
        .as_array_mut()
        .unwrap()
        .push(second);
    let issue = refused(&measure);
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (
            Code::PopulationRepeated,
            Some("Measure.group[0].population[3]")
        )
    );
    // The same id on two populations.
    let mut measure = proportion();
    measure["group"][0]["population"][1]["id"] = json!("numerator-1");
    assert_eq!(warned(&measure).0.code, Code::IdTwice);
}

#[test]
fn two_initial_populations_of_a_ratio() {
    let second = || named(population("initial-population"), "ip2");
    let loaded = read(&ratio(vec![second()]));
    let paths: Vec<_> = told(&loaded)
        .iter()
        .map(|t| (t.1, t.2.to_owned()))
        .collect();
    let path = |n: usize| format!("Measure.group[0].population[{n}]");
    assert_eq!(
        paths,
        [
            (Code::ReferenceMissing, path(2)),
            (Code::ReferenceMissing, path(1))
        ]
    );

    let mut measure = ratio(vec![second()]);
    let refer = |id: &str| json!([extension("criteriaReference", json!(id))]);
    measure["group"][0]["population"][1]["extension"] = refer("initial-population-1");
    measure["group"][0]["population"][2]["extension"] = refer("ip2");
    let populations = &accepted(&measure).groups[0].populations;
    assert_eq!(
        (populations[1].reference, populations[2].reference),
        (refers_to(0), refers_to(3))
    );
    measure["group"][0]["population"][2]["extension"] = refer("initial-population-1");
    assert_eq!(warned(&measure).0.code, Code::ReferenceWrong);
    measure["group"][0]["population"][2]["extension"] = refer("denominator-1");
    assert_eq!(refused(&measure).code, Code::ReferenceWrong);
    // A third one is too many; only a ratio may have two.
    let third = named(population("initial-population"), "ip3");
    let loaded = read(&ratio(vec![second(), third]));
    assert!(
        loaded
            .issues
            .iter()
            .any(|i| i.code == Code::PopulationRepeated)
    );
    let mut measure = proportion();
    measure["group"][0]["population"]
        .as_array_mut()
        .unwrap()
        .push(second());
    assert_eq!(refused(&measure).code, Code::PopulationRepeated);
}

#[test]
fn aggregate_methods() {
    for method in ["Sum", "count", "AVERAGE", "median", "minimum", "Maximum"] {
        let read = accepted(&cv(observation(method, Some("measure-population-1"))));
        let method = read.groups[0].populations[2].aggregate_method.unwrap();
        assert!(AggregateMethod::ALL.contains(&method));
    }
    let issue = refused(&cv(observation("averge", None)));
    assert_eq!(
        (issue.code, issue.help.as_deref()),
        (Code::AggregateUnknown, Some("did you mean `average`?"))
    );
    assert_eq!(
        refused(&cv(population("measure-observation"))).code,
        Code::AggregateMissing
    );
    let mut measure = proportion();
    measure["group"][0]["population"][0]["extension"] =
        json!([extension("aggregateMethod", json!("sum"))]);
    assert_eq!(warned(&measure).0.code, Code::AggregateNoPlace);
}

#[test]
fn references_by_id() {
    let populations = |measure: &Value| accepted(measure).groups[0].populations.clone();
    let read = populations(&cv(observation("sum", Some("measure-population-1"))));
    assert_eq!(read[2].reference, refers_to(1));
    // One measure population: nothing else can be meant.
    let read = populations(&cv(observation("sum", None)));
    assert_eq!(
        (read[2].reference, &read[2].criteria_reference),
        (refers_to(1), &None)
    );
    let both = ratio(vec![
        named(observation("sum", Some("denominator-1")), "o1"),
        named(observation("count", Some("numerator-1")), "o2"),
    ]);
    let read = populations(&both);
    assert_eq!(
        (read[3].reference, read[4].reference),
        (refers_to(1), refers_to(2))
    );
}

#[test]
fn stale_references() {
    let uuid = "0f2b7c1e-52f4-4a3e-9a59-6f8d0c1f9a11";
    for stale in [
        "MeasurePopulation_1",
        "Measure Population",
        "measurepopulation",
        uuid,
    ] {
        let mut measure = cv(observation("sum", Some(stale)));
        measure["group"][0]["population"][1]["id"] = json!(uuid.to_uppercase());
        let (issue, read) = warned(&measure);
        assert_eq!(issue.code, Code::ReferenceStale, "{stale}");
        assert_eq!(read.groups[0].populations[2].reference, refers_to(1));
    }
    // By its expression, though the initial population has the same.
    let mut measure = cv(observation("sum", Some("All Stays")));
    for index in [0, 1] {
        measure["group"][0]["population"][index]["criteria"]["expression"] = json!("All Stays");
    }
    assert_eq!(
        warned(&measure).1.groups[0].populations[2].reference,
        refers_to(1)
    );
    // Ids of the authoring tool that are in no population: there is one measure population only.
    let (issue, read) = warned(&cv(observation("sum", Some(uuid))));
    assert_eq!(issue.code, Code::ReferenceStale);
    assert_eq!(read.groups[0].populations[2].reference, refers_to(1));
}

fn refers_to(at: usize) -> Option<PopulationIndex> {
    Some(PopulationIndex::new(at))
}

/// As in CMS871: a ratio whose references are ids of the authoring tool.
#[test]
fn references_of_which_the_group_leaves_one_reading() {
    let uuid = "7d6e8c2a-52f4-4a3e-9a59-6f8d0c1f9a1";
    let observing = |number: usize, expression: &str| {
        let mut new = observation("sum", Some(&format!("{uuid}{number}")));
        new["id"] = json!(format!("o{number}"));
        new["criteria"]["expression"] = json!(expression);
        new
    };
    let references = |measure: &Value| {
        let loaded = read(measure);
        let codes: Vec<_> = told(&loaded).iter().map(|t| t.1).collect();
        let all = loaded.package.measures.first().map(|m| {
            let populations = m.groups[0].populations.iter();
            populations.map(|p| p.reference).collect::<Vec<_>>()
        });
        (codes, all)
    };
    let both = |first: &str, second: &str| ratio(vec![observing(1, first), observing(2, second)]);
    let at = |code: &str, measure: &Value| {
        let all = measure["group"][0]["population"].as_array().unwrap();
        let position = all.iter().position(|p| p["code"] == super::code(code));
        position.map(PopulationIndex::new)
    };
    let mut measure = both("Denominator Observations", "Numerator Observations");
    let (denominator, numerator) = (at("denominator", &measure), at("numerator", &measure));
    let (codes, found) = references(&measure);
    assert_eq!(codes, [Code::ReferenceStale, Code::ReferenceStale]);
    assert_eq!(found.unwrap()[3..], [denominator, numerator]);
    // One names its side, so that the other is of the other side.
    measure = both("Days", "Numerator Observations");
    let (codes, found) = references(&measure);
    assert_eq!(codes, [Code::ReferenceStale, Code::ReferenceStale]);
    assert_eq!(found.unwrap()[3..], [denominator, numerator]);
    // Numerator and denominator can only mean the one initial population.
    measure["group"][0]["population"][1]["extension"] =
        json!([extension("criteriaReference", json!(uuid))]);
    assert_eq!(
        references(&measure).0,
        [
            Code::ReferenceStale,
            Code::ReferenceStale,
            Code::ReferenceStale
        ]
    );
    // Neither says anything: two readings are left.
    assert_eq!(
        references(&both("Days", "Falls")).0,
        [Code::ReferenceUnknown, Code::ReferenceUnknown]
    );
    // One alone may be of either side.
    let one = ratio(vec![observing(1, "Days")]);
    assert_eq!(references(&one).0, [Code::ReferenceUnknown]);
}

#[test]
fn references_that_do_not_fit() {
    let issue = refused(&cv(observation("sum", Some("initial-population-1"))));
    assert_eq!(issue.code, Code::ReferenceWrong);
    assert!(issue.message.contains("which is a `initial-population`"));
    assert_eq!(
        refused(&ratio(vec![observation("sum", None)])).code,
        Code::ReferenceMissing
    );
    let twice = ratio(vec![
        named(observation("sum", Some("numerator-1")), "o1"),
        named(observation("count", Some("numerator-1")), "o2"),
    ]);
    assert_eq!(refused(&twice).code, Code::PopulationRepeated);
    let mut several = cv(observation("sum", None));
    let second = named(observation("count", None), "o2");
    several["group"][0]["population"]
        .as_array_mut()
        .unwrap()
        .push(second);
    assert_eq!(refused(&several).blame, Blame::Unsupported);
}

#[test]
fn stratifiers() {
    let with = |stratifier: Value| {
        let mut measure = proportion();
        measure["group"][0]["stratifier"] = json!([stratifier]);
        measure
    };
    let criteria = |name: &str| json!({"language": "text/cql-identifier", "expression": name});
    let applies = |word: &str| extension("appliesTo", code(word));
    let read = accepted(&with(json!({
        "id": "s", "criteria": criteria("Old"), "code": {"text": "Age"},
        "extension": [applies("denominator"), applies("numerator")],
    })));
    let stratifier = &read.groups[0].stratifiers[0];
    assert_eq!(stratifier.expression.as_deref(), Some("Old"));
    assert_eq!(stratifier.code.as_deref(), Some("Age"));
    assert_eq!(
        stratifier.applies_to,
        [PopulationCode::Denominator, PopulationCode::Numerator]
    );
    let part = |name: &str| json!({"code": {"text": name}, "criteria": criteria(name)});
    let read = accepted(&with(json!({"component": [part("Age"), part("Sex")]})));
    let stratifier = &read.groups[0].stratifiers[0];
    assert_eq!(
        (
            stratifier.expression.as_deref(),
            stratifier.components.len()
        ),
        (None, 2)
    );
    assert_eq!(
        stratifier.components[1].path,
        "Measure.group[0].stratifier[0].component[1]"
    );

    // A stratifier that cannot be understood is left out; populations and score are as they are.
    let left_out = |stratifier: Value| {
        let loaded = super::read(&with(stratifier));
        let measure = &loaded.package.measures[0];
        assert_eq!(measure.groups[0].stratifiers, []);
        let first = loaded
            .issues
            .iter()
            .find(|i| i.severity == Severity::Warning);
        let codes: Vec<_> = told(&loaded).iter().map(|t| t.1).collect();
        assert_eq!(codes.last(), Some(&Code::StratifierLeftOut));
        first.unwrap().clone()
    };
    assert_eq!(left_out(json!({"id": "s"})).code, Code::Stratifier);
    let both = json!({"criteria": criteria("Old"), "component": [part("Age")]});
    assert_eq!(left_out(both).code, Code::Stratifier);
    assert_eq!(
        left_out(json!({"criteria": {"language": "text/cql-identifier"}})).code,
        Code::NoCriteria
    );
    let half = json!({"component": [part("Age"), {"id": "x"}]});
    assert_eq!(left_out(half).code, Code::NoCriteria);
    let unknown = json!({"criteria": criteria("Old"), "extension": [applies("denominater")]});
    let issue = left_out(unknown);
    assert_eq!(
        (issue.code, issue.help.as_deref()),
        (
            Code::StratifierAppliesTo,
            Some("did you mean `denominator`?")
        )
    );
    let absent =
        json!({"criteria": criteria("Old"), "extension": [applies("denominator-exception")]});
    assert_eq!(warned(&with(absent)).0.code, Code::StratifierAppliesTo);
}
