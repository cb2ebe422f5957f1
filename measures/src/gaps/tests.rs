use std::sync::Arc;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::UTC;
use serde_json::{Value, json};

use super::{GapStatus, MeasureGaps, gaps, gaps_bundle};
use crate::package::{GroupDefinition, Scoring};
use crate::report::ReportContext;
use crate::result::Improvement;
use crate::score::{Gating, Place, Raw, RawGroup, score};
use crate::structure::MeasureStructure;
use crate::subject::Subject;
use crate::testing::*;

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Unknown;

fn subject(structure: &Arc<MeasureStructure>, populations: Vec<Raw>) -> Subject {
    let place = Place {
        artifact: 0,
        group: 0,
    };
    let raw = RawGroup {
        populations,
        ..RawGroup::default()
    };
    let mut rows = vec![];
    score(&Gating::new(&structure.groups[0]), place, &raw, &mut rows);
    let rows: Vec<_> = rows.into_iter().map(|r| ("p1", &**structure, r)).collect();
    let structures = [Arc::clone(structure)];
    let mut found = None;
    gather(&structures, &rows, &mut |subject| {
        found = Some(subject.clone())
    })
    .unwrap();
    found.unwrap()
}

fn with(improvement: Improvement, basis: &str) -> GroupDefinition {
    GroupDefinition {
        improvement_notation: Some(improvement),
        ..group(Scoring::Proportion, basis, &[IP, D, X, N, E])
    }
}

fn of(improvement: Improvement, all: [Truth; 5]) -> String {
    let structure = structure("a", vec![with(improvement, "boolean")]);
    let truth = |t: Truth| Raw::Truth(t, Some("no date".into()));
    let subject = subject(&structure, all.map(truth).to_vec());
    let rows = gaps(&structure, &subject);
    assert_eq!(rows.len(), 1);
    let reason = rows[0].reason.as_deref().unwrap_or("-");
    format!("{}: {reason}", rows[0].status.as_str())
}

#[test]
fn status_by_hand() {
    use Improvement::Increase;
    let up = |all| of(Increase, all);
    assert_eq!(up([T, T, F, T, F]), "closed-gap: -");
    assert_eq!(up([T, T, F, F, F]), "open-gap: not in the numerator");
    assert_eq!(
        up([F, T, F, F, F]),
        "not-applicable: not in the initial population"
    );
    assert_eq!(
        up([T, F, F, F, F]),
        "not-applicable: not in the denominator"
    );
    assert_eq!(up([T, T, T, F, F]), "not-applicable: denominator-exclusion");
    assert_eq!(up([T, T, F, F, T]), "not-applicable: denominator-exception");
    for unknown in [
        [U, T, F, F, F],
        [T, U, F, F, F],
        [T, T, U, F, F],
        [T, T, U, T, F],
        [T, T, F, U, F],
        [T, T, F, U, T],
        [T, T, F, F, U],
    ] {
        assert_eq!(
            up(unknown),
            "could-not-be-evaluated: no date",
            "{unknown:?}"
        );
    }
    // What could not be told does not matter where it cannot change the status.
    assert_eq!(
        up([F, U, U, U, U]),
        "not-applicable: not in the initial population"
    );
    assert_eq!(up([T, T, T, U, U]), "not-applicable: denominator-exclusion");
    assert_eq!(up([T, T, F, T, U]), "closed-gap: -");
}

/// Poor control of diabetes (CMS122): to be in the numerator is what is wrong.
#[test]
fn where_lower_is_better_a_met_numerator_is_the_gap() {
    let down = |all| of(Improvement::Decrease, all);
    let open = "open-gap: in the numerator, and lower is better";
    assert_eq!(down([T, T, F, T, F]), open);
    assert_eq!(down([T, T, F, F, F]), "closed-gap: -");
    assert_eq!(
        down([T, T, T, T, F]),
        "not-applicable: denominator-exclusion"
    );
    assert_eq!(down([T, T, F, U, F]), "could-not-be-evaluated: no date");
    assert_eq!(down([T, T, U, T, F]), "could-not-be-evaluated: no date");
}

#[test]
fn gaps_of_resources() {
    let structure = structure("a", vec![with(Improvement::Increase, "Encounter")]);
    let list = |ids: &str| Raw::Members(ids.split_whitespace().map(Arc::from).collect());
    let all = "E/1 E/2 E/3 E/4";
    let rows = |populations| {
        let rows = gaps(&structure, &subject(&structure, populations));
        let text = |r: &super::GapRow| {
            let resource = r.resource.as_deref().unwrap_or("-");
            format!("{resource} {}", r.status.as_str())
        };
        rows.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        rows(vec![
            list(all),
            list("E/1 E/2 E/3"),
            list("E/3"),
            list("E/1"),
            list("")
        ]),
        [
            "E/1 closed-gap",
            "E/2 open-gap",
            "E/3 not-applicable",
            "E/4 not-applicable"
        ]
    );
    let none = || list("");
    assert_eq!(
        rows(vec![none(), none(), none(), none(), none()]),
        ["- not-applicable"]
    );
    let failed = Raw::Failed("f".into());
    assert_eq!(
        rows(vec![failed, none(), none(), none(), none()]),
        ["- could-not-be-evaluated"]
    );
}

fn context(reporter: bool) -> ReportContext {
    let day = |t| DateTime::parse(t).unwrap();
    let period = (day("2026-01-01"), day("2026-12-31"));
    let mut context = ReportContext::new(period, day("2027-01-05T10:00:00Z"), UTC.clone(), 1);
    context.reporter = reporter.then(|| "Organization/1".into());
    context
}

fn bundle(reporter: bool) -> Value {
    let structures =
        ["a", "b"].map(|id| structure(id, vec![with(Improvement::Increase, "boolean")]));
    let truth = |t: Truth| Raw::Truth(t, Some("no date".into()));
    let open = subject(&structures[0], [T, T, F, F, F].map(truth).to_vec());
    let unknown = subject(&structures[1], [T, T, F, U, F].map(truth).to_vec());
    let rows = [gaps(&structures[0], &open), gaps(&structures[1], &unknown)];
    let measures = [
        MeasureGaps {
            structure: &structures[0],
            subject: &open,
            rows: &rows[0],
            evaluated: &[],
        },
        MeasureGaps {
            structure: &structures[1],
            subject: &unknown,
            rows: &rows[1],
            evaluated: &[],
        },
    ];
    let patient = json!({ "resourceType": "Patient", "id": "p1" });
    gaps_bundle("p1", &measures, &[patient], &context(reporter)).unwrap()
}

#[test]
fn the_document_is_as_deqm_asks() {
    let bundle = bundle(true);
    assert_eq!(bundle["type"], "document");
    assert!(bundle["identifier"]["value"].is_string() && bundle["timestamp"].is_string());
    let entries = bundle["entry"].as_array().unwrap();
    let types: Vec<&str> = entries
        .iter()
        .map(|e| e["resource"]["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "Composition",
            "MeasureReport",
            "MeasureReport",
            "DetectedIssue",
            "DetectedIssue",
            "Patient"
        ]
    );
    let resource = |reference: &Value| {
        let end = format!("/{}", reference["reference"].as_str().unwrap());
        let found = entries
            .iter()
            .find(|e| e["fullUrl"].as_str().unwrap().ends_with(&end));
        &found.unwrap()["resource"]
    };
    let composition = &entries[0]["resource"];
    assert_eq!(composition["type"]["coding"][0]["code"], "96315-7");
    assert_eq!(resource(&composition["subject"])["id"], "p1");
    for required in ["status", "date", "author", "title"] {
        assert!(composition.get(required).is_some());
    }
    let sections = composition["section"].as_array().unwrap();
    let mut statuses = vec![];
    for section in sections {
        let report = resource(&section["focus"]);
        assert_eq!(report["type"], "individual");
        assert_eq!(report["subject"]["reference"], "Patient/p1");
        for entry in section["entry"].as_array().unwrap() {
            let issue = resource(entry);
            assert_eq!(issue["code"]["coding"][0]["code"], "CAREGAP");
            assert_eq!(issue["patient"]["reference"], "Patient/p1");
            let evidence = issue["evidence"].as_array().unwrap();
            let detail = evidence[0]["detail"].as_array().unwrap();
            assert_eq!(detail.len(), 1);
            assert_eq!(resource(&detail[0])["id"], report["id"]);
            let status = issue["modifierExtension"].as_array().unwrap();
            assert_eq!(status.len(), 1);
            statuses.push(status[0]["valueCodeableConcept"]["coding"][0].clone());
        }
    }
    assert_eq!(sections[0]["title"], "Title of a");
    assert_eq!(
        statuses[0],
        json!({ "system": "http://hl7.org/fhir/us/davinci-deqm/CodeSystem/gaps-status", "code": "open-gap" })
    );
    // What could not be evaluated is not passed off as open, and says why.
    assert_eq!(statuses[1]["code"], "could-not-be-evaluated");
    let issue = &entries[4]["resource"];
    assert_eq!(issue["detail"], "no date");
    assert!(issue.get("meta").is_none());
}

#[test]
fn the_document_is_the_same_every_time() {
    let first = bundle(false);
    assert_eq!(first.to_string(), bundle(false).to_string());
    let uuid = first["identifier"]["value"].as_str().unwrap();
    let parts: Vec<&str> = uuid.strip_prefix("urn:uuid:").unwrap().split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert!(parts[2].starts_with('8') && "89ab".contains(&parts[3][..1]));
    // Without a reporter no profile is claimed, since DEQM asks for one.
    assert!(first.get("meta").is_none());
    assert!(first["entry"][0]["resource"]["author"][0]["display"].is_string());
    assert_eq!(GapStatus::Open.as_str(), "open-gap");
    let empty = gaps_bundle("p1", &[], &[], &context(false));
    assert!(empty.is_none());
}
