//! `tandem sql`

mod held;
mod results;
mod watch;
mod words;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use engine_population::lake::{Lake, LakeError, lake_error};
use engine_population::session::{Limits, register_tables, session_within};
use engine_population::statement::{on_large_stack, query};
use engine_population::table_list::{of_lake, register_list};
use futures::StreamExt;

use crate::failure::{Done, Failure};
use crate::format::{Format, one_of};
use crate::units;
use results::RunFiles;
use watch::{Bounds, Watch};

/// Ask a lake in SQL.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem sql \"SELECT count(*) FROM patients\" --lake lake
  tandem sql \"SELECT code_system, code, count(DISTINCT patient_id) AS patients
      FROM condition_flat JOIN patients USING (patient_id)
      GROUP BY code_system, code
      ORDER BY patients DESC, code LIMIT 10\" --lake lake
  tandem sql \"SELECT * FROM encounter_flat\" --lake lake \\
      --format parquet > encounters.parquet
  tandem sql \"SHOW TABLES\" --lake lake
  tandem sql \"DESCRIBE condition_flat\" --lake lake
What a measure run counted, as it printed and reported it:
  tandem sql \"SELECT measure, population, count FROM result_counts
      WHERE stratum IS NULL\" --lake lake --results out
  tandem sql \"SELECT measure, stratum, score, not_evaluable
      FROM result_scores\" --lake lake --results out
  tandem sql \"SELECT measure, patient_id FROM result_subjects
      WHERE population = 'numerator' AND count > 0
      ORDER BY measure, patient_id\" --lake lake --results out
Two runs side by side, and who moved:
  tandem sql \"SELECT c.measure, c.population,
        sum(c.count) FILTER (WHERE run = 'before') AS before,
        sum(c.count) FILTER (WHERE run = 'after') AS after
      FROM result_counts c WHERE c.stratum IS NULL
      GROUP BY c.measure, c.group, c.population, c.index
      ORDER BY c.measure, c.group, c.index\" \\
      --lake lake --results before=out --results after=out-new
  tandem sql \"SELECT s.measure, s.population, s.patient_id,
        coalesce(sum(s.count) FILTER (WHERE run = 'before'), 0) AS before,
        coalesce(sum(s.count) FILTER (WHERE run = 'after'), 0) AS after
      FROM result_subjects s
      GROUP BY s.measure, s.group, s.population, s.index, s.patient_id
      HAVING before <> after
      ORDER BY s.measure, s.group, s.index, s.patient_id\" \\
      --lake lake --results before=out --results after=out-new

Tables and views, of which SHOW TABLES says what each is, and DESCRIBE its columns:
  patients            a row per patient with a Patient resource
  patient_references  these, and those whom others only refer to: no measure counts them
  resources, shared   every resource of a patient, and of none, as JSON (raw)
  facts, codes        the index by codes, and what its codes are
  encounter_flat, …   flat views of resources, also of patients who are only referred to: where
                      people are counted, join patients
With --results, each with the column run:
  result_counts       a row per population of a measure's group, and again per stratum (stratum
                      null: the whole): its count, of what (counted), not_evaluable
  result_scores       a row per group and stratum: score, unit, better, not_evaluable
  result_subjects     a row per patient and population: who counts in what. Patients of whom
                      nothing holds may have none
  results             all rows, for details. A sum of count over them is no number of a report:
                      members (basis_id), strata (stratifier) and observations are rows, too
measures/README.md describes their columns.
Only questions are answered: nothing in the lake can be changed by SQL.
Every byte of the lake that is read is verified; a file that is damaged or lost is an error (exit
code 4). Where a vacuum removes the snapshot that is read, the query is run again on the newest one.
A query that needs more memory or time than --memory and --timeout allow ends with exit code 2, and
so does one of more than 256 KB of text, of operators nested more than 1,000 deep (AND and OR do not
count), or of more than 1,000 SELECTs and tables. What is sorted, grouped or joined goes to disk
first, to a folder in --spill that is removed in the end; tables are printed once they are complete,
the other formats row by row.")]
pub struct Sql {
    /// The query.
    query: String,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// What `tandem measure run --out` wrote, as tables: its folder. Several may be given, each with a
    /// name for the column `run`; without one it is called as its folder.
    #[arg(long, value_name = "[NAME=]DIR")]
    results: Vec<String>,
    /// How to print the rows; json is one object a line.
    #[arg(long, value_parser = one_of(FORMATS), default_value = "table")]
    format: Format,
    /// The most memory for rows at work: 512MB, 2GB. By default half of what the machine (or container)
    /// has, at most 4 GB; at least 32MB.
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    memory: Option<u64>,
    /// The longest time: 30s, 10m, 2h; 0 for no end.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = units::duration)]
    timeout: Duration,
    /// Where rows go that do not fit in memory. By default the system's folder for temporary files.
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
}

/// What rows are given as.
const FORMATS: &[Format] = &[Format::Table, Format::Json, Format::Csv, Format::Parquet];

/// The least memory that a query can work with.
const LEAST_MEMORY: u64 = 32_000_000;
/// How often a query is begun anew as vacuums remove what it reads.
const TRIES: usize = 5;

/// The rows of an answer on their way out.
#[derive(Default)]
struct Rows {
    out: Option<Output>,
    /// Whether some may be with the reader already.
    wrote: bool,
}

/// How a query ends before its end.
enum Ended {
    /// What it reads was removed by a vacuum.
    Vacuumed(String),
    /// Nobody reads the rows any more.
    Unread,
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Ended::Failed(failure)
    }
}

impl From<LakeError> for Ended {
    fn from(e: LakeError) -> Self {
        match e {
            LakeError::Vacuumed(text) => Ended::Vacuumed(text),
            e => Ended::Failed(e.into()),
        }
    }
}

/// SQL errors are the user's, errors of execution may be ours.
fn ended(e: &DataFusionError, bounds: &Bounds) -> Ended {
    if let Some(own) = lake_error(e) {
        let text = own.to_string();
        return match own {
            LakeError::Vacuumed(_) => Ended::Vacuumed(text),
            LakeError::User(_) => Ended::Failed(Failure::User(text)),
            _ => Ended::Failed(Failure::Internal(text)),
        };
    }
    let root = e.find_root();
    Ended::Failed(match root {
        DataFusionError::ResourcesExhausted(what) if what.contains("disk") => {
            Failure::User("the query writes more to disk than it may (100 GB): ask for less".into())
        }
        DataFusionError::ResourcesExhausted(_) => Failure::User(bounds.out_of_memory()),
        DataFusionError::IoError(e) => Failure::Internal(format!(
            "rows cannot be written to disk: {e}; give another folder with --spill"
        )),
        _ => words::failure(e),
    })
}

impl Sql {
    pub fn run(self) -> Done {
        let memory = self.memory.unwrap_or_else(watch::default_memory);
        if self.memory.is_some_and(|m| m < LEAST_MEMORY) {
            return Err(Failure::User(
                "--memory: a query needs 32MB at least".into(),
            ));
        }
        let runs = results::runs(&self.results)?;
        let bounds = Bounds {
            memory: memory.max(LEAST_MEMORY),
            timeout: Some(self.timeout).filter(|t| !t.is_zero()),
        };
        let mut folder = tempfile::Builder::new();
        folder.prefix("tandem-sql-");
        let spill = match &self.spill {
            Some(dir) => folder.tempdir_in(dir),
            None => folder.tempdir(),
        };
        let spill = spill.map_err(|e| {
            let place = self.spill.clone().unwrap_or_else(std::env::temp_dir);
            Failure::User(format!(
                "no folder can be made in {}: {e}; give another with --spill",
                place.display()
            ))
        })?;
        let watch = Watch::start(bounds.clone(), super::threads(), spill.path());
        let runtime = super::runtime()?;
        let done = runtime.block_on(async {
            tokio::select! {
                done = self.ask(&runs, &bounds, spill.path()) => done,
                () = out_of_time(&bounds) => Err(Failure::User(bounds.out_of_time())),
                () = interrupted() => Ok(std::process::ExitCode::from(130)),
            }
        });
        // What still works is not waited for.
        runtime.shutdown_background();
        drop(watch);
        drop(spill);
        done
    }

    /// Asks, and once more on the newest snapshot where a vacuum was quicker.
    async fn ask(&self, runs: &[RunFiles], bounds: &Bounds, spill: &Path) -> Done {
        let mut rows = Rows::default();
        let mut tries = 0;
        loop {
            tries += 1;
            let lake = Lake::open(&self.lake, self.snapshot).await?;
            let number = lake.snapshot.number;
            let done = self.ask_once((&lake, runs), bounds, spill, &mut rows).await;
            return match done {
                Ok(()) | Err(Ended::Unread) => Ok(std::process::ExitCode::SUCCESS),
                Err(Ended::Failed(failure)) => Err(failure),
                Err(Ended::Vacuumed(text)) if self.snapshot.is_some() || tries >= TRIES => {
                    Err(Failure::User(text))
                }
                Err(Ended::Vacuumed(_)) if rows.wrote => Err(Failure::User(format!(
                    "snapshot {number} was vacuumed while it was read: the rows above are not all; \
                         run again on the newest one"
                ))),
                Err(Ended::Vacuumed(_)) => {
                    note!(
                        "note: snapshot {number} was vacuumed while it was read; the query is run again on the \
                         newest one"
                    );
                    if let Some(Output::Table(batches, _)) = &mut rows.out {
                        batches.clear();
                    }
                    continue;
                }
            };
        }
    }

    async fn ask_once(
        &self,
        (lake, runs): (&Lake, &[RunFiles]),
        bounds: &Bounds,
        spill: &Path,
        rows: &mut Rows,
    ) -> Result<(), Ended> {
        let failed = |e: DataFusionError| ended(&e, bounds);
        let limits = Limits {
            memory: usize::try_from(bounds.memory).ok(),
            spill: Some(spill.to_owned()),
        };
        let context = session_within(lake, super::threads(), &limits).map_err(failed)?;
        let notes = register_tables(&context, lake).map_err(failed)?;
        let mut listed = of_lake().map_err(failed)?;
        listed.extend(results::register(&context, runs).await?);
        register_list(&context, &listed).map_err(failed)?;
        let frame = query(&context, &self.query).await.map_err(|e| {
            let ended = failed(e);
            match ended {
                Ended::Failed(Failure::User(text)) => {
                    let state = context.state();
                    let (scalar, aggregate) =
                        (state.scalar_functions(), state.aggregate_functions());
                    let functions: Vec<String> =
                        scalar.keys().chain(aggregate.keys()).cloned().collect();
                    let told = words::function_missing(&text, &functions)
                        .or_else(|| results::table_missing(runs, &text, &listed));
                    Failure::User(told.unwrap_or(text)).into()
                }
                ended => ended,
            }
        })?;
        let schema = std::sync::Arc::clone(frame.schema().inner());
        let stream = on_large_stack(frame.execute_stream()).await;
        let mut stream = stream.map_err(failed)?;
        let out = match &mut rows.out {
            Some(out) => out,
            None => rows.out.insert(Output::new(self.format, &schema)?),
        };
        let pool = &context.runtime_env().memory_pool;
        let held: MemoryReservation = MemoryConsumer::new("rows of the table").register(pool);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            if self.format == Format::Table {
                held.try_grow(held::as_table(&batch)).map_err(failed)?;
            }
            rows.wrote |= self.format != Format::Table;
            out.write(&batch)?;
        }
        if let Some(out) = rows.out.take() {
            out.finish()?;
        }
        for unusable in notes.list() {
            note!("note: a value that cannot be used, null here: {unusable}");
        }
        Ok(())
    }
}

type Stdout = std::io::BufWriter<std::io::Stdout>;

enum Output {
    Table(Vec<arrow::array::RecordBatch>, arrow::datatypes::SchemaRef),
    Csv(Box<arrow::csv::Writer<Stdout>>),
    Json(arrow::json::LineDelimitedWriter<Stdout>),
    Parquet(Box<parquet::arrow::ArrowWriter<Stdout>>),
}

/// Rows that cannot be written: quietly where the reader has closed the pipe.
fn written<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, Ended> {
    result.map_err(|e| match e.to_string() {
        text if text.contains("Broken pipe") => Ended::Unread,
        text => Failure::Internal(format!("the rows cannot be written: {text}")).into(),
    })
}

impl Output {
    fn new(format: Format, schema: &arrow::datatypes::SchemaRef) -> Result<Self, Ended> {
        let stdout = std::io::BufWriter::new(std::io::stdout());
        Ok(match format {
            Format::Csv => Output::Csv(Box::new(
                arrow::csv::WriterBuilder::new()
                    .with_header(true)
                    .build(stdout),
            )),
            Format::Json => Output::Json(arrow::json::LineDelimitedWriter::new(stdout)),
            Format::Parquet => {
                use std::io::IsTerminal;
                if std::io::stdout().is_terminal() {
                    return Err(Failure::User("--format parquet writes binary data: send it to a file with `> rows.parquet`".into()).into());
                }
                let writer = written(parquet::arrow::ArrowWriter::try_new(
                    stdout,
                    std::sync::Arc::clone(schema),
                    None,
                ))?;
                Output::Parquet(Box::new(writer))
            }
            _ => Output::Table(vec![], std::sync::Arc::clone(schema)),
        })
    }

    fn write(&mut self, batch: &arrow::array::RecordBatch) -> Result<(), Ended> {
        match self {
            Output::Table(batches, _) => {
                batches.push(batch.clone());
                Ok(())
            }
            Output::Csv(writer) => written(writer.write(batch)),
            Output::Json(writer) => written(writer.write(batch)),
            Output::Parquet(writer) => written(writer.write(batch)),
        }
    }

    fn finish(self) -> Result<(), Ended> {
        match self {
            Output::Table(batches, schema) => {
                let options = arrow::util::display::FormatOptions::default();
                let (heading, cells) =
                    written(crate::visible::in_rows(&schema, &batches, &options))?;
                let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
                let wide = crate::width::of_output();
                let table = crate::table::bordered(&heading, &cells, wide);
                let rows: usize = batches
                    .iter()
                    .map(arrow::array::RecordBatch::num_rows)
                    .sum();
                let mut stdout = std::io::stdout().lock();
                let rows = engine_patient::plural::several(rows as u64, "row", "rows");
                written(writeln!(stdout, "{table}{rows}"))
            }
            Output::Csv(writer) => written(writer.into_inner().flush()),
            Output::Json(mut writer) => {
                written(writer.finish())?;
                written(writer.into_inner().flush())
            }
            Output::Parquet(writer) => written(written(writer.into_inner())?.flush()),
        }
    }
}

async fn out_of_time(bounds: &Bounds) {
    match bounds.timeout {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// The keyboard or the system wants an end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
