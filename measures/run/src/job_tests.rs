use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::import::{ImportOptions, Limits, Progress, import};
use engine_patient::program::RowOptions;
use engine_patient::system::date_time::DateTime;
use engine_population::lake::Lake;
use engine_population::session::session;
use measures::prepared::Packages;
use measures::subject::subjects;

use crate::attribution::Attribution;
use crate::evaluate::{Pass, RunStatistics, run_sorted};
use crate::job::{GapsTask, Report, RunFiles, RunTask};
use crate::rows::read_rows;
use crate::sql::load;
use crate::{Event, Folders, Job, JobResult, PreparedJob, RunError, Task, ledger};

fn lake(dir: &Path, lines: &str) -> PathBuf {
    let data = dir.join("p.ndjson");
    std::fs::write(&data, lines).unwrap();
    let options = ImportOptions {
        paths: vec![data],
        lake: dir.join("lake"),
        buckets: None,
        bases: vec![],
        strict: false,
        limits: Limits::default(),
        threads: 2,
        now_ms: 1_700_000_000_000,
        lake_id: "test".into(),
    };
    import(&options, &Arc::new(Progress::default())).unwrap();
    options.lake
}

fn job(lake: PathBuf) -> Job {
    let day = |text: &str| DateTime::parse(text).unwrap();
    Job {
        lake,
        snapshot: None,
        packages: Packages::default(),
        period: (day("2025-01-01"), day("2025-12-31")),
        as_of: None,
        zone: engine_patient::system::zone::UTC.clone(),
        subject: None,
        limits: measures::official::Limits::default(),
        reporter: None,
        threads: 2,
        task: Task::Run(RunTask {
            rules: vec![],
            built_in: true,
            report: Report::Summary,
            files: RunFiles {
                reports: true,
                tables: true,
                list: true,
            },
            manifest: true,
            by: None,
            clauses: false,
        }),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    // DataFusion recurses into deep expressions.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.thread_stack_size(64 << 20).enable_all();
    builder.build().unwrap()
}

fn prepared(runtime: &tokio::runtime::Runtime, job: Job) -> PreparedJob {
    runtime.block_on(job.prepare(&mut |_| {})).unwrap()
}

/// Whoever calls has the results, and the files with their list, without a command line.
#[test]
fn a_job_is_done_into_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(dir.path(), "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n");
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let folders = Folders {
        results: &out,
        scratch: dir.path(),
    };
    let mut events = vec![];
    let mut listen = |event: Event<'_>| events.push(matches!(event, Event::Note(_)));
    let ran = runtime().block_on(job(lake).run(folders, &mut listen));
    let JobResult::Run(ran) = ran.unwrap() else {
        unreachable!("results were asked for")
    };
    assert_eq!(events, [true, false, false], "drafts, begun and ended");
    assert!(ran.missing.is_empty() && ran.results.len() > 3);
    assert_eq!(ran.results.len(), ran.reports.len());
    let list = std::fs::read_to_string(out.join("run.json")).unwrap();
    for name in ["results.parquet", "subjects.csv"] {
        assert!(out.join(name).is_file() && list.contains(name), "{name}");
    }
    for name in &ran.reports {
        assert!(out.join(name).is_file() && list.contains(name), "{name}");
    }
}

/// What is wrong with a job is of one of three families.
#[test]
fn mistakes_are_told_before_anything_is_computed() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = job(dir.path().join("nowhere"));
    let failed = |job: Job| runtime().block_on(job.prepare(&mut |_| {})).err().unwrap();
    assert!(matches!(failed(wrong.clone()), RunError::User(_)));
    wrong.packages.measures = vec!["hba1c-contrl".into()];
    let text = failed(wrong).to_string();
    assert!(text.contains("did you mean `hba1c-control`"), "{text}");
}

/// Measures in SQL have no patients: what asks for some is refused, and what does not is done.
#[test]
fn a_job_of_sql_measures_only() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(dir.path(), "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n");
    let mut of_sql = job(lake);
    of_sql.packages.measures = vec!["readmission-30-day".into()];
    let run = |subject: Option<&str>, change: &dyn Fn(&mut RunTask)| {
        let mut changed = of_sql.clone();
        changed.subject = subject.map(str::to_owned);
        let Task::Run(task) = &mut changed.task else {
            unreachable!("results are asked for")
        };
        change(task);
        let out = tempfile::tempdir().unwrap();
        let folders = Folders {
            results: out.path(),
            scratch: dir.path(),
        };
        runtime().block_on(changed.run(folders, &mut |_| {}))
    };
    for report in [Report::Summary, Report::SubjectList, Report::Individual] {
        let Ok(JobResult::Run(ran)) = run(None, &|task| task.report = report) else {
            unreachable!("{report:?}: results were asked for")
        };
        assert_eq!((ran.results.len(), ran.rows), (1, None));
    }
    let by = run(None, &|task| task.by = Some(Attribution::Organization));
    let subject = run(Some("p"), &|_| {});
    for (ran, option) in [(by, "--by"), (subject, "--subject")] {
        let Err(RunError::User(text)) = ran else {
            unreachable!("{option}: it is a mistake")
        };
        assert!(
            text.contains(option) && text.contains("`readmission-30-day`"),
            "{text}"
        );
    }
}

/// A subject that is not there is told whatever is asked.
#[test]
fn nobody_is_told_by_every_task() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(dir.path(), "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n");
    let of_nobody = Job {
        subject: Some("nobody".into()),
        ..job(lake)
    };
    let gaps = Job {
        task: Task::Gaps(GapsTask::default()),
        ..of_nobody.clone()
    };
    for job in [of_nobody, gaps] {
        let folders = Folders {
            results: dir.path(),
            scratch: dir.path(),
        };
        let ran = runtime().block_on(job.run(folders, &mut |_| {}));
        let Err(RunError::User(text)) = ran else {
            unreachable!("there is nobody")
        };
        assert!(text.contains("no patient `nobody`"), "{text}");
    }
}

/// A SQL measure that fails is told, and takes the others not along.
#[test]
fn one_that_fails_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(dir.path(), "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n");
    let broken = "id: broken\nversion: '1'\ntitle: t\ndescription: d\nsource: s\nimprovement: increase\n\
                  unit: visits\nstratifier: x\nsql: SELECT nothing FROM nowhere\n";
    let runtime = runtime();
    let mut prepared = prepared(&runtime, job(lake));
    prepared.selected.programs.clear();
    let broken = load("broken.yaml", broken).unwrap();
    prepared.selected.queries.insert(0, broken);
    let out = tempfile::tempdir().unwrap();
    let folders = Folders {
        results: out.path(),
        scratch: dir.path(),
    };
    let ran = runtime.block_on(prepared.run(folders, &mut |_| {}));
    let JobResult::Run(ran) = ran.unwrap() else {
        unreachable!("results were asked for")
    };
    let names: Vec<_> = ran
        .results
        .iter()
        .map(|r| &*r.structure.artifact.id)
        .collect();
    assert_eq!(names, ["readmission-30-day"]);
    let [failed] = ran.missing.as_slice() else {
        unreachable!("one failure: {:?}", ran.missing)
    };
    assert!(
        matches!(failed, RunError::User(text) if text.contains("`broken`")),
        "{failed:?}"
    );
    // A query without rows has its columns all the same.
    let empty = |columns: &str| {
        let text = format!(
            "id: empty\nversion: '1'\ntitle: t\ndescription: d\nsource: s\nimprovement: increase\n\
             unit: visits\nstratifier: x\nsql: SELECT {columns} WHERE false\n"
        );
        let session = session(&prepared.lake, 2).unwrap();
        let ran = load("empty.yaml", &text).unwrap();
        runtime.block_on(ran.run(&session, prepared.job.period))
    };
    let right =
        "'a' AS stratum, 1 AS denominator, 0 AS numerator, 0 AS not_evaluable, NULL AS reason";
    assert_eq!(empty(right).unwrap().groups[0].strata, [vec![]]);
    for (was, is, told) in [
        (
            "AS denominator",
            "AS denominatr",
            "a column `denominatr` too many",
        ),
        (", NULL AS reason", "", "no column `reason`"),
        (
            "0 AS numerator",
            "0.5 AS numerator",
            "counts are whole numbers",
        ),
    ] {
        let text = empty(&right.replace(was, is)).unwrap_err().to_string();
        assert!(text.contains(told), "{told}: {text}");
    }
    // An evaluation that failed stands beside the numbers.
    let failed = |count: u64| {
        let mut statistics = RunStatistics::default();
        statistics.evaluate.failed = count;
        let ledger = ledger::report_context(&prepared, None, &statistics, &[]).ledger;
        let mut lines = ledger.lines().filter(|l| l.0 == "evaluations that failed");
        lines.next().map(|(.., n)| n)
    };
    assert_eq!((failed(0), failed(2)), (None, Some(2)));
}

/// Rows sorted in bounded memory, as those of very many patients are, are the same bytes.
#[test]
fn rows_are_the_same_however_they_are_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let line = |n: u32| {
        let year = 1930 + n % 80;
        format!("{{\"resourceType\":\"Patient\",\"id\":\"p{n}\",\"birthDate\":\"{year}-01-01\"}}\n")
    };
    let path = lake(dir.path(), &(0..3000).map(line).collect::<String>());
    let runtime = runtime();
    let prepared = prepared(&runtime, job(path.clone()));
    let lake = runtime.block_on(Lake::open(&path, None)).unwrap();
    let rows = |at_once: u64| {
        let file = dir.path().join(format!("rows-{at_once}.parquet"));
        let programs = &prepared.selected.programs;
        let pass = Pass {
            lake: &lake,
            measures: programs,
            context: &prepared.context,
            rows: RowOptions::default(),
            subject: None,
            threads: 2,
            file: &file,
        };
        runtime.block_on(run_sorted(&pass, at_once)).unwrap();
        std::fs::read(file).unwrap()
    };
    assert!(rows(0) == rows(u64::MAX), "the rows differ");
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 4, "sorting left files behind");
}

/// Subjects are the same whether rows came out of a file or of one patient's evaluation.
#[test]
fn rows_in_columns_and_in_memory_are_the_same_subjects() {
    let dir = tempfile::tempdir().unwrap();
    let line = |n: u32| match n % 7 {
        0 => format!("{{\"resourceType\":\"Patient\",\"id\":\"p{n}\"}}\n"),
        _ => {
            let year = 1930 + n;
            format!(
                "{{\"resourceType\":\"Patient\",\"id\":\"p{n}\",\"gender\":\"female\",\"birthDate\":\"{year}-01-01\"}}\n"
            )
        }
    };
    let path = lake(dir.path(), &(0..70).map(line).collect::<String>());
    let runtime = runtime();
    let prepared = prepared(&runtime, job(path));
    let out = tempfile::tempdir().unwrap();
    let folders = Folders {
        results: out.path(),
        scratch: out.path(),
    };
    let ran = runtime.block_on(prepared.run(folders, &mut |_| {}));
    let JobResult::Run(ran) = ran.unwrap() else {
        unreachable!("results were asked for")
    };
    let mut of_file = std::collections::BTreeMap::new();
    read_rows(ran.rows.as_deref(), &ran.structures, &mut |subject| {
        let key = (subject.patient.clone(), subject.measure);
        of_file.insert(key, format!("{subject:?}"));
    })
    .unwrap();
    let (mut compared, mut unknown) = (0, 0);
    for n in 0..70 {
        let id = format!("p{n}");
        let record = engine_population::patient::record(&prepared.lake, &id, &[]);
        let record = runtime.block_on(record).unwrap().unwrap();
        let mut first = 0;
        for measure in &prepared.selected.programs {
            let rows = measure.program.rows(&record, &prepared.context).unwrap();
            for mut subject in subjects(&measure.structures, &id, &rows).unwrap() {
                subject.measure += first;
                let shown = format!("{subject:?}");
                assert_eq!(of_file.get(&(id.clone(), subject.measure)), Some(&shown));
                unknown += usize::from(shown.contains("outcome: Unknown"));
                compared += 1;
            }
            first += measure.structures.len();
        }
    }
    assert_eq!(compared, of_file.len());
    assert!(compared > 200 && unknown > 5, "{compared}, {unknown}");
}
