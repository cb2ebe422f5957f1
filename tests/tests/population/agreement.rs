//! One definition, two speeds: every answer through `EvaluateExec` is the answer through JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::{DataRequirement, Missing};
use engine_patient::system::truth::Truth;
use engine_patient::terminology::ValueSet;
use engine_patient::value::Value;
use engine_population::evaluate::EvaluateTable;
use engine_population::session::session;

use crate::fixture::{PATIENTS, care_gaps, context, fixture, id_of, open, record_from_json};

/// measure, patient, population, basis → outcome, value, reason
type Rows = BTreeMap<(String, String, String, String), (String, String, String)>;

async fn through_the_lake(programs: Vec<Arc<dyn PatientProgram>>, threads: usize) -> Rows {
    let lake = open_async().await;
    let session = session(&lake, threads).unwrap();
    session
        .register_table(
            "results",
            Arc::new(EvaluateTable::new(lake, programs, context())),
        )
        .unwrap();
    let sql = "SELECT measure, patient_id, population, basis_id, outcome, value, unknown_reason FROM results";
    let mut out = Rows::new();
    for batch in session.sql(sql).await.unwrap().collect().await.unwrap() {
        let texts: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .map(|c| arrow::compute::cast(c, &DataType::Utf8).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let at = |i: usize| {
                let column = texts[i].as_string::<i32>();
                if column.is_valid(row) {
                    column.value(row).to_owned()
                } else {
                    String::new()
                }
            };
            let before = out.insert((at(0), at(1), at(2), at(3)), (at(4), at(5), at(6)));
            assert!(before.is_none(), "a row came twice");
        }
    }
    out
}

async fn open_async() -> engine_population::lake::Lake {
    engine_population::lake::Lake::open(&fixture().lake, None)
        .await
        .unwrap()
}

fn through_json(programs: &[Arc<dyn PatientProgram>]) -> Rows {
    let mut out = Rows::new();
    let context = context();
    for index in 0..PATIENTS {
        let record = record_from_json(index);
        for program in programs {
            let rows = program.rows(&record, &context).unwrap();
            for row in rows {
                let key = (
                    program.artifacts()[0].id.to_string(),
                    id_of(index),
                    row.kind.to_string(),
                    row.basis_id.as_deref().unwrap_or("").to_owned(),
                );
                let value = match row.value {
                    Value::DateTime(d) => d.to_string(),
                    Value::Null => String::new(),
                    other => panic!("{other:?}"),
                };
                let reason = row.unknown_reason.as_deref().unwrap_or("").to_owned();
                out.insert(key, (row.outcome.to_string(), value, reason));
            }
        }
    }
    out
}

fn assert_same(lake: &Rows, json: &Rows) {
    let differing: Vec<_> = json
        .iter()
        .filter(|(k, v)| lake.get(*k) != Some(v))
        .take(5)
        .collect();
    let theirs: Vec<_> = differing.iter().map(|(k, _)| lake.get(*k)).collect();
    assert!(
        differing.is_empty(),
        "JSON says {differing:#?}, the lake says {theirs:#?}"
    );
    assert_eq!(lake.len(), json.len());
}

#[test]
fn every_care_gap_is_the_same_for_every_patient() {
    fixture();
    let programs = care_gaps();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(through_the_lake(programs.clone(), 2));
    let json = through_json(&programs);
    assert_same(&lake, &json);
    let count = |outcome: &str| json.values().filter(|v| v.0 == outcome).count();
    println!(
        "{} rows agree: {} true, {} false, {} unknown",
        json.len(),
        count("true"),
        count("false"),
        count("unknown")
    );
    // The population is dirty enough to show all three.
    assert!(count("true") > 1000 && count("false") > 1000 && count("unknown") > 20);
    // Threads change nothing.
    assert!(lake == runtime.block_on(through_the_lake(programs, 5)));
}

/// Tells every resource that a retrieve finds.
#[derive(Debug)]
struct Census {
    artifact: Artifact,
    requirement: Vec<DataRequirement>,
}

impl PatientProgram for Census {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.artifact)
    }

    fn absent(&self, _: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        let none = ResultRow::of_population(PopulationCode::InitialPopulation, 0, Truth::False);
        out.push(none);
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirement
    }

    fn evaluate(
        &self,
        record: &PatientRecord,
        _: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let out = &mut out.rows;
        let row = |basis: &str, outcome, reason: Option<&str>| ResultRow {
            basis_id: Some(basis.into()),
            unknown_reason: reason.map(Arc::from),
            ..ResultRow::of_population(PopulationCode::InitialPopulation, 0, outcome)
        };
        match self.requirement[0].retrieve(record) {
            Ok(found) => out.extend(
                found
                    .iter()
                    .map(|r| row(&r.get_str("id").unwrap(), Truth::True, None)),
            ),
            Err(Missing::NotAvailable) => out.push(row("-", Truth::Unknown, Some("not available"))),
            Err(Missing::UnresolvedReference) => {
                out.push(row("-", Truth::Unknown, Some("unresolved")))
            }
        }
        Ok(())
    }
}

pub fn census(name: &str, requirement: DataRequirement) -> Arc<dyn PatientProgram> {
    let artifact = Artifact {
        id: name.into(),
        url: name.into(),
        version: "1".into(),
        title: name.into(),
    };
    Arc::new(Census {
        artifact,
        requirement: vec![requirement],
    })
}

/// Every retrieve through `facts` finds what a scan of all the patient's JSON finds. Each runs on its
/// own, so that a resource another retrieve fetched cannot help.
#[test]
fn every_retrieve_through_facts_equals_a_scan_of_everything() {
    fixture();
    let store = rules::built_in_terminology();
    let drugs: Vec<_> = ["860975", "314076", "197361"]
        .iter()
        .map(|code| {
            engine_patient::terminology::Code::new(
                "http://www.nlm.nih.gov/research/umls/rxnorm",
                code,
            )
        })
        .collect();
    let drugs = Arc::new(ValueSet::from_codes("urn:drugs", None, drugs, "test"));
    let mut programs = vec![];
    let types = [
        "Condition",
        "Observation",
        "Procedure",
        "DiagnosticReport",
        "Encounter",
        "ServiceRequest",
    ];
    for set in store.value_sets() {
        for ty in types {
            let requirement = DataRequirement::coded(ty, Arc::clone(set)).unwrap();
            programs.push(census(&format!("{ty}: {}", set.url), requirement));
        }
    }
    for ty in ["MedicationRequest", "Immunization", "AllergyIntolerance"] {
        programs.push(census(
            ty,
            DataRequirement::coded(ty, Arc::clone(&drugs)).unwrap(),
        ));
        programs.push(census(
            &format!("all {ty}"),
            DataRequirement::of_type(ty).unwrap(),
        ));
    }
    for ty in ["Condition", "Coverage", "Patient"] {
        programs.push(census(
            &format!("all {ty}"),
            DataRequirement::of_type(ty).unwrap(),
        ));
    }
    let json = through_json(&programs);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut found = 0;
    for program in &programs {
        let id = program.artifacts()[0].id.to_string();
        let lake = runtime.block_on(through_the_lake(vec![Arc::clone(program)], 2));
        let own: Rows = json
            .iter()
            .filter(|(k, _)| k.0 == id)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        found += own.len();
        assert_same(&lake, &own);
    }
    println!(
        "{} retrieves agree, {found} resources found",
        programs.len()
    );
    assert!(found > 50_000);
}

/// The lake has what was read, and says what it could not place.
#[test]
fn the_ledger_of_a_dirty_import_adds_up() {
    let report = &fixture().report;
    assert!(report.total.adds_up());
    assert!(
        report.orphans > 0
            && report.total.outdated > report.total.repeated
            && report.total.repeated > 0
    );
    let lake = open();
    let kept = lake.rows("resources") + lake.rows("shared");
    assert_eq!(kept, report.total.stored);
}
