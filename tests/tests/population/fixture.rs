//! A dirty synthetic population and its lake, made once for all tests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use datasets::import::{ImportOptions, ImportReport, Progress, import};
use datasets::synth::{ResourceSink, SynthOptions, patient, write_population};
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::reference_target;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use engine_population::lake::Lake;

pub const PATIENTS: u64 = 5_000;

pub fn options() -> SynthOptions {
    SynthOptions {
        patients: PATIENTS,
        seed: 7,
        dirty: 0.08,
        end: (2025, 12, 31),
    }
}

pub struct Fixture {
    _folder: tempfile::TempDir,
    pub lake: PathBuf,
    pub report: ImportReport,
}

pub fn import_into(data: &Path, lake: &Path, buckets: u32, now_ms: i64) -> ImportReport {
    let options = ImportOptions {
        paths: vec![data.to_owned()],
        lake: lake.to_owned(),
        buckets: Some(buckets),
        bases: vec![],
        strict: false,
        limits: Default::default(),
        threads: 2,
        now_ms,
        lake_id: "test".into(),
    };
    import(&options, &Arc::new(Progress::default())).unwrap()
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (data, lake) = (folder.path().join("data"), folder.path().join("lake"));
        write_population(&options(), &data, 2, &|_| {}).unwrap();
        let report = import_into(&data, &lake, 16, 1_700_000_000_000);
        assert!(report.total.adds_up() && report.types.values().all(|t| t.adds_up()));
        assert_eq!(report.patients, PATIENTS);
        std::fs::remove_dir_all(&data).unwrap();
        Fixture {
            _folder: folder,
            lake,
            report,
        }
    })
}

pub fn open() -> Lake {
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(Lake::open(&fixture().lake, None))
        .unwrap()
}

pub fn context() -> EvaluationContext {
    let day = |y, m, d| DateTime::date(y, m, d).unwrap();
    EvaluationContext::for_period(day(2025, 1, 1), day(2025, 12, 31), UTC.clone())
}

pub fn id_of(index: u64) -> String {
    format!("p{index:07}")
}

struct Lines(Vec<String>);

impl ResourceSink for Lines {
    fn write(&mut self, _: &'static str, json: &str) {
        self.0.extend(json.lines().map(str::to_owned));
    }
}

/// One patient's record straight from the JSON, without lake, facts or Parquet.
pub fn record_from_json(index: u64) -> PatientRecord {
    let mut lines = Lines(vec![]);
    patient(&options(), index, &mut lines);
    let id = id_of(index);
    let mut record = PatientRecord::new();
    for line in &lines.0 {
        let mut one = PatientRecord::new();
        one.push(line).unwrap();
        if is_about(one.resources().next().unwrap(), &id) {
            record.push(line).unwrap();
        }
    }
    record.seal();
    record
}

/// Plainly: the Patient itself, or whose `subject`, `patient` or `beneficiary` refers to it.
fn is_about(resource: Element<'_>, id: &str) -> bool {
    if resource.resource_type().unwrap().as_str() == "Patient" {
        return resource.get_str("id").unwrap() == id;
    }
    ["subject", "patient", "beneficiary"].iter().any(|link| {
        let reference = resource
            .get_named(link)
            .and_then(|r| r.get_str("reference").map(String::from));
        reference.is_some_and(|r| reference_target(&r) == Some(("Patient", id)))
    })
}

/// The built-in care gaps, as measures of a lake.
pub fn care_gaps() -> Vec<Arc<dyn PatientProgram>> {
    let all = rules::built_in().unwrap().into_iter();
    let gaps = all.filter(|rule| rule.kind == rules::Kind::CareGap);
    gaps.map(|rule| rule as Arc<dyn PatientProgram>).collect()
}
