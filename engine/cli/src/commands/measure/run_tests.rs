use engine_patient::system::zone::UTC;
use std::sync::Arc;

use datasets::import::{ImportOptions, Progress, import};
use measures_run::sql::{built_in, load};

use super::*;

/// A SQL measure that fails is told, and takes the others not along.
#[test]
fn one_that_fails_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("p.ndjson");
    std::fs::write(&data, "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n").unwrap();
    let options = ImportOptions {
        paths: vec![data],
        lake: dir.path().join("lake"),
        buckets: None,
        bases: vec![],
        strict: false,
        limits: Default::default(),
        threads: 1,
        now_ms: 1_700_000_000_000,
        lake_id: "test".into(),
    };
    import(&options, &Arc::new(Progress::default())).unwrap();
    let broken = "id: broken\nversion: '1'\ntitle: t\ndescription: d\nsource: s\nimprovement: increase\n\
                  stratifier: x\nsql: SELECT nothing FROM nowhere\n";
    let mut queries = vec![load("broken.yaml", broken).unwrap()];
    queries.extend(built_in().unwrap());
    let period = parse_period("2025-01-01..2025-12-31").unwrap();
    let runtime = runtime().unwrap();
    let lake = runtime.block_on(Lake::open(&options.lake, None)).unwrap();
    let request = RunRequest {
        lake: &lake,
        programs: &[],
        queries: &queries,
        period,
        context: EvaluationContext::for_period(period.0, period.1, UTC.clone()),
        zone: UTC.clone(),
        folder: dir.path(),
        subject: None,
        official: None,
        prepared: None,
        manifest: None,
        reporter: None,
    };
    let ran = runtime.block_on(run(&request)).unwrap();
    let names: Vec<_> = ran.results.iter().map(|r| &*r.shape.artifact.id).collect();
    assert_eq!(names, ["readmission-30-day"]);
    let [failed] = ran.failed.as_slice() else {
        unreachable!("one failure: {:?}", ran.failed)
    };
    assert!(
        matches!(failed, Failure::User(text) if text.contains("`broken`")),
        "{failed:?}"
    );
    // An evaluation that failed stands beside the numbers.
    let failed = |count: u64| {
        let mut statistics = RunStatistics::default();
        statistics.evaluate.failed = count;
        let ledger = request.report_context(&statistics, &[]).ledger;
        let mut lines = ledger.lines().filter(|l| l.0 == "evaluations that failed");
        lines.next().map(|(.., n)| n)
    };
    assert_eq!((failed(0), failed(2)), (None, Some(2)));
}

/// Rows sorted in bounded memory, as those of very many patients are, are the same bytes.
#[test]
fn rows_are_the_same_however_they_are_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("p.ndjson");
    let line = |n: u32| {
        let year = 1930 + n % 80;
        format!("{{\"resourceType\":\"Patient\",\"id\":\"p{n}\",\"birthDate\":\"{year}-01-01\"}}\n")
    };
    std::fs::write(&data, (0..3000).map(line).collect::<String>()).unwrap();
    let options = ImportOptions {
        paths: vec![data],
        lake: dir.path().join("lake"),
        buckets: None,
        bases: vec![],
        strict: false,
        limits: datasets::import::Limits::default(),
        threads: 2,
        now_ms: 1_700_000_000_000,
        lake_id: "test".into(),
    };
    import(&options, &Arc::new(Progress::default())).unwrap();
    let runtime = runtime().unwrap();
    let lake = runtime.block_on(Lake::open(&options.lake, None)).unwrap();
    let period = parse_period("2025-01-01..2025-12-31").unwrap();
    let context = EvaluationContext::for_period(period.0, period.1, UTC.clone());
    let programs: Vec<ProgramMeasure> = load_rules(&[], &[])
        .unwrap()
        .into_iter()
        .map(|rule| {
            let improvement = improvement(&rule);
            ProgramMeasure::care_gap(rule as Arc<dyn PatientProgram>, improvement)
        })
        .collect();
    let rows = |at_once: u64| {
        let file = dir.path().join(format!("rows-{at_once}.parquet"));
        let run =
            measures_run::evaluate::run_sorted(&lake, &programs, &context, 2, &file, None, at_once);
        runtime.block_on(run).unwrap();
        std::fs::read(file).unwrap()
    };
    assert!(rows(0) == rows(u64::MAX), "the rows differ");
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 4, "sorting left files behind");
}
