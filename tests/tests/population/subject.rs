//! One patient of a lake, or some: only the files of their buckets are opened, and the answer is that
//! of a run over all.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datasets::synth::{SynthOptions, write_population};
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable};
use engine_population::lake::{Lake, bucket_of, schema};
use engine_population::session::session;
use futures::TryStreamExt;

use crate::fixture::{context, fixture, id_of, import_into, open, options};
use crate::recording::Recording;

/// How many Conditions a patient has: without coded elements, so that nothing is asked of the lake as
/// a whole.
#[derive(Debug)]
struct Conditions {
    artifact: Artifact,
    requirements: Vec<DataRequirement>,
}

impl Conditions {
    fn program() -> Arc<dyn PatientProgram> {
        let text = |t: &str| Arc::<str>::from(t);
        Arc::new(Conditions {
            artifact: Artifact {
                id: text("conditions"),
                url: text("https://example.org/conditions"),
                version: text("1"),
                title: text("Conditions"),
            },
            requirements: vec![DataRequirement::of_type("Condition").unwrap()],
        })
    }
}

impl PatientProgram for Conditions {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.artifact)
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn absent(&self, _: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        out.push(ResultRow::of_population(
            PopulationCode::InitialPopulation,
            0,
            Truth::False,
        ));
    }

    fn evaluate(
        &self,
        record: &PatientRecord,
        _: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let out = &mut out.rows;
        let mut row = ResultRow::of_population(PopulationCode::InitialPopulation, 0, Truth::True);
        row.count = i64::try_from(record.len()).ok();
        out.push(row);
        Ok(())
    }
}

/// The rows as text, sorted, and what was counted.
fn rows(
    lake: &Lake,
    programs: &[Arc<dyn PatientProgram>],
    of: Option<&[&str]>,
) -> (Vec<String>, EvaluateStatistics) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = session(lake, 2).unwrap();
        let mut table = EvaluateTable::new(lake.clone(), programs.to_vec(), context());
        if let Some(ids) = of {
            table = table.of_patients(ids.iter().copied());
        }
        session.register_table("results", Arc::new(table)).unwrap();
        let plan = session.table("results").await.unwrap();
        let plan = plan.create_physical_plan().await.unwrap();
        let stream = execute_stream(Arc::clone(&plan), session.task_ctx()).unwrap();
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        let mut rows: Vec<String> = batches.iter().flat_map(lines).collect();
        rows.sort();
        (
            rows,
            EvaluateStatistics::of(plan.as_ref() as &dyn ExecutionPlan),
        )
    })
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let texts: Vec<_> = batch
        .columns()
        .iter()
        .map(|c| cast(c, &DataType::Utf8).unwrap())
        .collect();
    let texts: Vec<_> = texts.iter().map(|c| c.as_string::<i32>()).collect();
    let cell = |column: &arrow::array::StringArray, row: usize| match column.is_valid(row) {
        true => column.value(row).to_owned(),
        false => "-".to_owned(),
    };
    (0..batch.num_rows())
        .map(|row| {
            let cells: Vec<String> = texts.iter().map(|c| cell(c, row)).collect();
            cells.join("|")
        })
        .collect()
}

fn of_these(all: &[String], ids: &[&str]) -> Vec<String> {
    let mine = |line: &&String| ids.iter().any(|id| line.starts_with(&format!("{id}|")));
    all.iter().filter(mine).cloned().collect()
}

/// The names of the files of a table that hold these patients' buckets.
fn files(lake: &Lake, table: &str, ids: &[&str]) -> Vec<String> {
    let buckets: BTreeSet<u32> = ids
        .iter()
        .map(|id| bucket_of(id, lake.snapshot.buckets))
        .collect();
    let files = lake.files(table).iter();
    let mut names: Vec<String> = files
        .filter(|f| f.buckets.iter().any(|b| buckets.contains(b)))
        .map(|f| f.path.clone())
        .collect();
    names.sort();
    names
}

/// Only the files of the subjects' buckets are opened, in each table, and no other file is.
fn opens_only(lake: &Lake, given: &[&str], ids: &[&str]) {
    let programs = [Conditions::program()];
    let (all, whole) = rows(lake, &programs, None);
    let (watched, seen) = Recording::over(lake);
    let (own, counted) = rows(&watched, &programs, Some(given));
    assert_eq!(own, of_these(&all, ids), "{given:?}");
    let read = seen.all();
    let wanted: BTreeSet<String> = [schema::FACTS, schema::PATIENTS, schema::RESOURCES]
        .iter()
        .flat_map(|table| {
            let names = files(lake, table, ids);
            names.into_iter().map(move |name| format!("{table}/{name}"))
        })
        .collect();
    let more: Vec<_> = read.difference(&wanted).collect();
    assert!(more.is_empty(), "{given:?}: {more:?} were read too");
    assert!(counted.resources < whole.resources / 100, "{counted:?}");
    // What nothing in the lake matches cannot be told from one bucket.
    assert!(counted.hits.is_empty() && !whole.hits.is_empty());
}

#[test]
fn one_patient_opens_one_buckets_files() {
    let lake = open();
    let there = id_of(17);
    opens_only(&lake, &[&there], &[&there]);
    let files = files(&lake, schema::FACTS, &[&there]);
    assert_eq!(files.len(), 1);
    assert!(lake.files(schema::FACTS).len() > 1, "nothing to leave out");
}

#[test]
fn references_several_and_none() {
    let lake = open();
    let (a, b) = (id_of(17), id_of(4_031));
    let (ra, rb) = (format!("Patient/{a}"), format!("Patient/{b}"));
    opens_only(&lake, &[&ra], &[&a]);
    opens_only(&lake, &[&rb, &a, &ra], &[&a, &b]);
    opens_only(&lake, &["nobody"], &["nobody"]);
    opens_only(&lake, &["nobody", &a], &["nobody", &a]);
    let (none, counted) = rows(&lake, &[Conditions::program()], Some(&[]));
    assert_eq!((none.len(), counted.patients), (0, 0));
}

/// Another number of buckets: other files, the same rows.
#[test]
fn whatever_the_number_of_buckets() {
    let folder = tempfile::tempdir().unwrap();
    let (data, path) = (folder.path().join("data"), folder.path().join("lake"));
    let few = SynthOptions {
        patients: 800,
        ..options()
    };
    write_population(&few, &data, 2, &|_| {}).unwrap();
    import_into(&data, &path, 64, 1_700_000_000_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&path, None)).unwrap();
    assert_ne!(lake.snapshot.buckets, open().snapshot.buckets);
    for index in [0, 17, 799] {
        let id = id_of(index);
        opens_only(&lake, &[&id], &[&id]);
        let programs = [Conditions::program()];
        let here = rows(&lake, &programs, Some(&[&id])).0;
        assert_eq!(here, rows(&open(), &programs, Some(&[&id])).0);
    }
}

/// Of a file that several buckets share, pages of the others are left out.
#[test]
fn pages_of_other_buckets_are_left_out() {
    let lake = open();
    let id = id_of(17);
    let pages = |of: Option<&[&str]>| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let session = session(&lake, 2).unwrap();
            let programs = vec![Conditions::program()];
            let mut table = EvaluateTable::new(lake.clone(), programs, context());
            if let Some(ids) = of {
                table = table.of_patients(ids.iter().copied());
            }
            session.register_table("results", Arc::new(table)).unwrap();
            let plan = session.table("results").await.unwrap();
            let plan = plan.create_physical_plan().await.unwrap();
            let text = datafusion::physical_plan::displayable(plan.as_ref()).indent(false);
            let text = text.to_string();
            let pages = text.split("facts_pages=").nth(1).unwrap();
            let (selected, _) = pages.split_once('/').unwrap();
            selected.parse::<usize>().unwrap()
        })
    };
    let shared = files(&lake, schema::FACTS, &[&id]);
    let file = lake
        .files(schema::FACTS)
        .iter()
        .find(|f| f.path == shared[0]);
    assert!(file.unwrap().buckets.len() > 1);
    let (one, all) = (pages(Some(&[&id])), pages(None));
    let files = lake.files(schema::FACTS).len();
    assert!(
        one > 0 && one * files < all,
        "{one} pages of {all}, {files} files"
    );
}

/// The rules' own answers, which ask which code systems the whole lake uses.
#[test]
fn the_answer_of_a_rule_is_that_of_a_run_over_all() {
    fixture();
    let lake = open();
    let programs: Vec<Arc<dyn PatientProgram>> = rules::built_in()
        .unwrap()
        .into_iter()
        .map(|r| r as Arc<dyn PatientProgram>)
        .collect();
    let (all, _) = rows(&lake, &programs, None);
    for index in [3, 17, 2_500] {
        let id = id_of(index);
        let (own, counted) = rows(&lake, &programs, Some(&[&id]));
        assert_eq!(own, of_these(&all, &[&id]));
        assert!(!own.is_empty() && counted.patients == 1);
    }
}
