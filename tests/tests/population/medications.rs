//! A code that stands in another resource is found at both speeds.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use engine_patient::program::PatientProgram;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::{DataRequirement, Missing};
use engine_patient::terminology::{Code, ValueSet};
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable};
use engine_population::lake::Lake;
use engine_population::session::session;

use crate::agreement::census;
use crate::fixture::{context, import_into};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn medication(id: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Medication","id":"{id}","code":{{"coding":[{{"system":"{RXNORM}","code":"{code}"}}]}}}}"#
    )
}

fn lines() -> Vec<String> {
    let request = |id: &str, more: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","subject":{{"reference":"Patient/p"}},{more}}}"#
        )
    };
    vec![
        r#"{"resourceType":"Patient","id":"p"}"#.into(),
        medication("wanted", "1"),
        medication("other", "2"),
        request(
            "by-code",
            &format!(
                r#""medicationCodeableConcept":{{"coding":[{{"system":"{RXNORM}","code":"1"}}]}}"#
            ),
        ),
        request(
            "by-reference",
            r#""medicationReference":{"reference":"Medication/wanted"}"#,
        ),
        request(
            "other",
            r#""medicationReference":{"reference":"https://ehr.example.org/fhir/Medication/other"}"#,
        ),
        request(
            "contained",
            &format!(
                r##""contained":[{}],"medicationReference":{{"reference":"#m"}}"##,
                medication("m", "1")
            ),
        ),
    ]
}

#[test]
fn by_code_by_reference_and_contained() {
    let folder = tempfile::tempdir().unwrap();
    let (data, lake) = (
        folder.path().join("data.ndjson"),
        folder.path().join("lake"),
    );
    std::fs::write(&data, lines().join("\n")).unwrap();
    import_into(&data, &lake, 8, 1_700_000_000_000);
    let set = Arc::new(ValueSet::from_codes(
        "urn:drugs",
        None,
        vec![Code::new(RXNORM, "1")],
        "test",
    ));
    let requirement = DataRequirement::coded("MedicationRequest", set).unwrap();

    let mut record = PatientRecord::new();
    lines().iter().for_each(|l| record.push(l).unwrap());
    record.seal();
    let found = requirement.retrieve(&record).unwrap();
    let found: Vec<String> = found
        .iter()
        .map(|r| r.get_str("id").unwrap().into_owned())
        .collect();
    assert_eq!(found, ["by-code", "by-reference", "contained"]);

    let program: Arc<dyn PatientProgram> = census("drugs", requirement.clone());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let through: Vec<String> = runtime.block_on(async {
        let lake = Lake::open(&lake, None).await.unwrap();
        let session = session(&lake, 2).unwrap();
        let table = EvaluateTable::new(lake, vec![program], context());
        session.register_table("results", Arc::new(table)).unwrap();
        let frame = session
            .sql("SELECT basis_id FROM results ORDER BY 1")
            .await
            .unwrap();
        let batches = frame.collect().await.unwrap();
        let rows = batches.iter().flat_map(|b| {
            let ids = b.column(0).as_string::<i32>().clone();
            (0..ids.len()).map(move |i| ids.value(i).to_owned())
        });
        rows.collect()
    });
    assert_eq!(through, found);

    // Without the Medication nobody can tell: unknown, not "no".
    let mut record = PatientRecord::new();
    let without = lines()
        .into_iter()
        .filter(|l| !l.contains("\"id\":\"wanted\""));
    without.for_each(|l| record.push(&l).unwrap());
    record.seal();
    assert_eq!(
        requirement.retrieve(&record).err(),
        Some(Missing::UnresolvedReference)
    );
}

/// What belongs to no patient is not in `facts`, and is counted all the same: "nothing in the lake
/// matches" is said of what nothing matches.
#[test]
fn matches_of_types_without_a_patient_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, lake) = (
        folder.path().join("data.ndjson"),
        folder.path().join("lake"),
    );
    std::fs::write(&data, lines().join("\n")).unwrap();
    import_into(&data, &lake, 8, 1_700_000_000_000);
    let set = |url: &str, code: &str| {
        let codes = vec![Code::new(RXNORM, code)];
        Arc::new(ValueSet::from_codes(url, None, codes, "test"))
    };
    let requirements = [
        DataRequirement::coded("Medication", set("urn:wanted", "1")).unwrap(),
        DataRequirement::coded("Medication", set("urn:nobody", "3")).unwrap(),
        DataRequirement::of_type("Medication").unwrap(),
        DataRequirement::of_type("Location").unwrap(),
    ];
    let programs: Vec<Arc<dyn PatientProgram>> = requirements
        .iter()
        .enumerate()
        .map(|(n, r)| -> Arc<dyn PatientProgram> { census(&format!("c{n}"), r.clone()) })
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let counted = runtime.block_on(async {
        let lake = Lake::open(&lake, None).await.unwrap();
        let session = session(&lake, 2).unwrap();
        let table = EvaluateTable::new(lake, programs, context());
        session.register_table("results", Arc::new(table)).unwrap();
        let frame = session.table("results").await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let all = datafusion::physical_plan::collect(Arc::clone(&plan), session.task_ctx());
        all.await.unwrap();
        EvaluateStatistics::of(plan.as_ref())
    });
    let wanted = [
        ("Location", 0),
        ("Medication", 2),
        ("Medication: code in urn:nobody", 0),
        ("Medication: code in urn:wanted", 1),
    ];
    assert_eq!(counted.hits, wanted.map(|(name, n)| (name.to_owned(), n)));
    assert_eq!(
        counted.unmatched(),
        ["Location", "Medication: code in urn:nobody"]
    );
    assert_eq!(counted.patients, 1);
}
