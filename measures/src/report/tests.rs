use std::collections::BTreeSet;
use std::sync::Arc;

use engine_patient::program::ResultRow;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::terminology::Code;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::individual::individual_report;
use super::subject_list::{SubjectLists, subject_list_report};
use super::{ReportContext, measure_report, resource_id};
use crate::manifest::Manifest;
use crate::package::{AggregateMethod, Scoring, SupplementalDefinition, Usage};
use crate::result::Improvement;
use crate::score::{Gating, Label, Place, Raw, RawGroup, RawStrata, score, supplemental};
use crate::structure::MeasureStructure;
use crate::testing::*;
use crate::totals::Totals;

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Unknown;

pub fn context() -> ReportContext {
    let day = |t| DateTime::parse(t).unwrap();
    let period = (day("2026-01-01"), day("2026-12-31"));
    let date = day("2027-01-05T10:00:00Z");
    let mut context = ReportContext::new(
        period,
        date,
        engine_patient::system::zone::Zone::fixed(-300),
        3,
    );
    context.reporter = Some("Organization/1".into());
    context.ledger.add("resources read", "Observation", 12);
    context
        .ledger
        .add("value sets missing", "http://example.org/vs", 5_000_000_000);
    context
}

fn example() -> Arc<MeasureStructure> {
    let mut first = group(Scoring::Proportion, "boolean", &[IP, D, X, N]);
    first.stratifiers = vec![stratifier(&["age", "sex"], &[IP, N])];
    first.rate_aggregation = Some("per 1,000".into());
    let mut second = group(Scoring::ContinuousVariable, "Encounter", &[IP, M, MX]);
    second.id = Some("h".into());
    second.improvement_notation = Some(Improvement::Decrease);
    second
        .populations
        .push(observation(1, AggregateMethod::Sum));
    let mut structure = (*structure("a", vec![first, second])).clone();
    structure.supplemental = vec![SupplementalDefinition {
        id: Some("sde-sex".into()),
        description: Some("Sex".into()),
        expression: "SDE Sex".into(),
        usage: vec![Usage::SupplementalData],
        code: None,
        report_types: vec![],
        path: String::new(),
    }];
    Arc::new(structure)
}

fn rows(structure: &MeasureStructure) -> Vec<(&'static str, ResultRow)> {
    let mut out = vec![];
    let patients = [
        ("p1", [T, T, F, T], "F", 2),
        ("p2", [T, T, F, U], "M", 0),
        ("p3", [F, F, F, F], "F", 0),
    ];
    for (patient, all, sex, days) in patients {
        let truth = |t: Truth| Raw::Truth(t, Some("no unit".into()));
        let value = |v: &str| RawStrata::Values(vec![v.into()]);
        let first = RawGroup {
            populations: all.map(truth).to_vec(),
            observations: vec![],
            strata: vec![RawStrata::Components(vec![value("18-64"), value(sex)])],
        };
        let ids = |n: i64| {
            let ids = (0..n).map(|i| Arc::from(format!("Encounter/{patient}-{i}")));
            ids.collect::<Vec<Arc<str>>>()
        };
        let second = RawGroup {
            populations: vec![
                Raw::Members(ids(days)),
                Raw::Members(ids(days)),
                Raw::Members(vec![]),
            ],
            observations: vec![
                ids(days)
                    .into_iter()
                    .map(|id| (Some(id), Ok(Decimal::new(21, 1).into())))
                    .collect(),
            ],
            strata: vec![],
        };
        let mut own = vec![];
        for (index, raw) in [first, second].iter().enumerate() {
            let place = Place {
                artifact: 0,
                group: index as u32,
            };
            score(&Gating::new(&structure.groups[index]), place, raw, &mut own);
        }
        let system = "http://hl7.org/fhir/administrative-gender";
        let coding = format!(r#"{{"coding":[{{"code":"{sex}","system":"{system}"}}]}}"#);
        let text = Label {
            text: format!("{system}|{sex}").into(),
            coding: Some(coding.into()),
        };
        supplemental(
            0,
            &structure.supplemental,
            vec![Ok(vec![text]).into()],
            &mut own,
        );
        out.extend(own.into_iter().map(|row| (patient, row)));
    }
    out
}

/// Summary, subject list, and the reports of the three patients.
fn reports() -> (Value, Value, Vec<Value>) {
    let structure = example();
    let rows = rows(&structure);
    let rows: Vec<_> = rows.into_iter().map(|(p, r)| (p, &*structure, r)).collect();
    let structures = [Arc::clone(&structure)];
    let (mut totals, mut lists) = (Totals::new(&structures), SubjectLists::default());
    let mut individual = vec![];
    let evaluated = [
        ("Observation/2".to_owned(), vec!["numerator-3".to_owned()]),
        ("Encounter/1".to_owned(), vec![]),
    ];
    let mut visit = |subject: &crate::subject::Subject| {
        totals.add(subject);
        lists.add(&structure, subject);
        individual.push(json!(individual_report(
            &structure,
            subject,
            &evaluated,
            &context()
        )));
    };
    gather(&structures, &rows, &mut visit).unwrap();
    let result = totals.finish().remove(0);
    let list = serde_json::to_value(subject_list_report(&result, &lists, &context())).unwrap();
    (json!(measure_report(&result, &context())), list, individual)
}

fn counts(group: &Value) -> Vec<u64> {
    let populations = group["population"].as_array().unwrap().iter();
    populations.map(|p| p["count"].as_u64().unwrap()).collect()
}

/// The extensions of an element, by the last part of their address.
fn extension<'a>(element: &'a Value, name: &str) -> Option<&'a Value> {
    let all = element["extension"].as_array()?.iter();
    let mut all = all.filter(|e| e["url"].as_str().unwrap().ends_with(name));
    all.next()
}

#[test]
fn summary_by_hand() {
    let (report, _, _) = reports();
    assert_eq!(report["id"], "a-2026-01-01-2026-12-31");
    assert_eq!(report["type"], "summary");
    assert_eq!(report["measure"], "http://example.org/Measure/a|1.0.0");
    assert_eq!(report["date"], "2027-01-05T10:00:00Z");
    let groups = report["group"].as_array().unwrap();
    assert_eq!(counts(&groups[0]), [2, 2, 0, 1]);
    assert_eq!(groups[0]["measureScore"]["value"], 0.5);
    assert_eq!(groups[0]["id"], "g");
    assert_eq!(groups[0]["population"][3]["id"], "numerator-3");
    let bounds = &extension(&groups[0], "rate-bounds").unwrap()["extension"];
    assert_eq!(bounds[0]["valueDecimal"], 0.5);
    assert_eq!(bounds[1]["valueDecimal"], 1.0);
    let aggregation = extension(&groups[0], "cqfm-rateAggregation").unwrap();
    assert_eq!(aggregation["valueString"], "per 1,000");
    // Two components; the numerator of p2 could not be told.
    let strata = groups[0]["stratifier"][0]["stratum"].as_array().unwrap();
    assert_eq!(strata.len(), 2);
    assert_eq!(strata[1]["component"][1]["code"]["text"], "sex");
    assert_eq!(strata[1]["component"][1]["value"]["text"], "M");
    assert_eq!(counts(&strata[0]), [1, 1]);
    assert_eq!(counts(&strata[1]), [1, 0]);
    assert!(extension(&strata[1], "not-evaluable").is_some());
    // The denominator is not counted within strata: no score.
    assert!(strata[0].get("measureScore").is_none());
    // 2.1 + 2.1 days of two encounters.
    assert_eq!(counts(&groups[1]), [2, 2, 0, 2]);
    let days = &groups[1]["population"][3];
    let quantity = &days["_count"]["extension"][0]["valueQuantity"];
    assert_eq!(quantity["value"], 4.2);
    assert_eq!(
        extension(days, "aggregateMethod").unwrap()["valueCode"],
        "sum"
    );
    let of = extension(days, "criteriaReference").unwrap();
    assert_eq!(of["valueString"], "measure-population-1");
    assert_eq!(groups[1]["measureScore"], json!({ "value": 4.2 }));
    // Sex of the two in an initial population.
    let sex = &report["contained"][0];
    let component = &sex["component"];
    assert_eq!(component[0]["code"]["coding"][0]["code"], "F");
    assert_eq!(component[0]["valueInteger"], 1);
    assert_eq!(component.as_array().unwrap().len(), 2);
    let ledger = &extension(&report, "ledger").unwrap()["extension"];
    assert_eq!(ledger[0]["extension"][2]["valueInteger"], 12);
    assert_eq!(ledger[1]["extension"][2]["valueDecimal"], 5_000_000_000_u64);
    let run = &extension(&report, "StructureDefinition/run").unwrap()["extension"];
    assert_eq!(run[2]["valueString"], "-05:00");
}

#[test]
fn subjects_are_listed() {
    let (summary, report, _) = reports();
    assert_eq!(report["type"], "subject-list");
    let text = report.to_string();
    assert!(!text.contains("Patient/p3"));
    let list = |element: &Value| {
        let reference = element["subjectResults"]["reference"].as_str()?;
        let id = reference.strip_prefix('#').unwrap();
        let mut contained = report["contained"].as_array().unwrap().iter();
        let list = contained.find(|c| c["id"] == id).unwrap();
        let entries = list["entry"].as_array().unwrap().iter();
        let entries = entries.map(|e| e["item"]["reference"].as_str().unwrap().to_owned());
        Some(entries.collect::<Vec<_>>())
    };
    let group = &report["group"][0];
    assert_eq!(
        list(&group["population"][0]).unwrap(),
        ["Patient/p1", "Patient/p2"]
    );
    assert_eq!(list(&group["population"][3]).unwrap(), ["Patient/p1"]);
    assert_eq!(list(&group["population"][2]), None);
    let stratum = &group["stratifier"][0]["stratum"][1];
    assert_eq!(list(&stratum["population"][0]).unwrap(), ["Patient/p2"]);
    assert!(text.contains("Encounter/p1-1"));
    // The numbers are those of the summary.
    let mut without = report.clone();
    strip(&mut without, "subjectResults");
    assert_eq!(without["group"], summary["group"]);
}

fn strip(value: &mut Value, key: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(key);
            fields.values_mut().for_each(|v| strip(v, key));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| strip(v, key)),
        _ => {}
    }
}

#[test]
fn individuals_by_hand() {
    let (_, _, all) = reports();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["subject"]["reference"], "Patient/p1");
    assert_eq!(counts(&all[0]["group"][0]), [1, 1, 0, 1]);
    assert_eq!(all[0]["group"][0]["measureScore"]["value"], 1.0);
    assert_eq!(
        all[0]["evaluatedResource"][0],
        json!({ "reference": "Encounter/1" })
    );
    let second = &all[0]["evaluatedResource"][1];
    assert_eq!(second["extension"][0]["valueString"], "numerator-3");
    let sex = &all[0]["contained"][0];
    assert_eq!(sex["valueCodeableConcept"]["coding"][0]["code"], "F");
    assert_eq!(sex["subject"]["reference"], "Patient/p1");
    assert!(extension(&all[1]["group"][0], "not-evaluable").is_some());
    assert_eq!(counts(&all[2]["group"][0]), [0, 0, 0, 0]);
    assert!(all[2]["group"][0].get("measureScore").is_none());
}

/// What DEQM's profiles ask (STU5: deqm-1 to deqm-6, required elements), and FHIR itself.
#[test]
fn reports_are_as_deqm_asks() {
    let (summary, list, mut all) = reports();
    all.extend([summary, list]);
    for report in &all {
        for required in [
            "status", "type", "measure", "date", "reporter", "period", "group",
        ] {
            assert!(report.get(required).is_some(), "{required}");
        }
        assert_eq!(report["period"]["start"].as_str().unwrap().len(), 10);
        // Scoring on every group and not on the report; then the notation is there as well.
        assert!(extension(report, "extension-measureScoring").is_none());
        for group in report["group"].as_array().unwrap() {
            assert!(extension(group, "extension-measureScoring").is_some());
            assert!(extension(group, "extension-groupImprovementNotation").is_some());
            assert!(!group["population"].as_array().unwrap().is_empty());
            let proportion = group["id"] == "g";
            if let Some(score) = group.get("measureScore").filter(|_| proportion) {
                assert!((0.0..=1.0).contains(&score["value"].as_f64().unwrap()));
            }
        }
        // The groups differ, so that the report has no notation of its own.
        assert!(report.get("improvementNotation").is_none());
        assert!(report["id"].as_str().unwrap().len() <= 64);
        // Contained resources are referred to, and references to them resolve.
        let mut references = BTreeSet::new();
        collect(report, &mut references);
        let contained = report["contained"].as_array().unwrap().iter();
        let contained: BTreeSet<_> = contained
            .map(|c| format!("#{}", c["id"].as_str().unwrap()))
            .collect();
        assert_eq!(references, contained);
        assert_plain(report);
    }
    let profile = |r: &Value| r["meta"]["profile"][0].as_str().unwrap().to_owned();
    assert!(profile(&all[0]).ends_with("indv-measurereport-deqm"));
    assert!(profile(&all[3]).ends_with("summary-measurereport-deqm"));
    assert!(profile(&all[4]).ends_with("subjectlist-measurereport-deqm"));
    assert!(!all[0].to_string().contains("subjectResults"));
}

/// FHIR has no empty objects, arrays or texts, and no null.
fn assert_plain(value: &Value) {
    match value {
        Value::Null => panic!("null"),
        Value::String(s) => assert!(!s.is_empty()),
        Value::Array(items) => {
            assert!(!items.is_empty());
            items.iter().for_each(assert_plain);
        }
        Value::Object(fields) => {
            assert!(!fields.is_empty());
            fields.values().for_each(assert_plain);
        }
        _ => {}
    }
}

fn collect(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("reference").and_then(Value::as_str);
            out.extend(reference.filter(|r| r.starts_with('#')).map(str::to_owned));
            fields.values().for_each(|v| collect(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
        _ => {}
    }
}

#[test]
fn the_same_gives_the_same_bytes() {
    assert_eq!(format!("{:?}", reports()), format!("{:?}", reports()));
    let mut manifest = Manifest {
        engine: "tandem 1".into(),
        measures: vec!["http://example.org/Measure/a|1.0.0".into()],
        snapshot: 3,
        period: ("2026-01-01".into(), "2026-12-31".into()),
        time_zone: "-05:00".into(),
        ..Manifest::default()
    };
    manifest.file("b.json", b"{}");
    manifest.file("a.json", b"{}");
    let text = String::from_utf8(manifest.bytes()).unwrap();
    assert!(text.find("a.json").unwrap() < text.find("b.json").unwrap());
    let again: Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!((again.hash(), &again), (manifest.hash(), &manifest));
    let other = Manifest {
        snapshot: 4,
        ..manifest.clone()
    };
    assert_ne!(other.hash(), manifest.hash());
    // In a report its hash, in a summary all of it.
    let mut context = context();
    context.manifest = Some(manifest.clone());
    let run = json!(super::extension::run(
        context.snapshot,
        &context.zone,
        context.manifest.as_ref(),
        true
    ))
    .to_string();
    assert!(run.contains(&manifest.hash().to_string()) && run.contains("a.json"));
    let short = json!(super::extension::run(
        context.snapshot,
        &context.zone,
        context.manifest.as_ref(),
        false
    ))
    .to_string();
    assert!(short.contains(&manifest.hash().to_string()) && !short.contains("a.json"));
}

#[test]
fn ids_are_ids() {
    assert_eq!(resource_id("short.id-1"), "short.id-1");
    let long = resource_id(&"x".repeat(65));
    assert!(long.len() == 64 && long.starts_with("xxx"));
    let odd = resource_id("a b|c");
    assert!(odd.starts_with("abc-") && odd.len() <= 64);
    assert_ne!(odd, resource_id("a b|d"));
    // As values of supplemental data come from rows.
    let code = Code::new("http://loinc.org", "1-8");
    assert_eq!(
        format!("{}|{}", code.system, code.code),
        "http://loinc.org|1-8"
    );
}
