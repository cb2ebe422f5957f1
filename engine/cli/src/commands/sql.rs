//! `tandem sql`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::options::ParquetReadOptions;
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use futures::StreamExt;

use crate::failure::{Done, Failure};

/// Ask a lake in SQL.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem sql \"SELECT count(*) FROM patients\" --lake lake
  tandem sql \"SELECT code_display, count(*) n FROM condition_flat GROUP BY 1 ORDER BY n DESC LIMIT 10\" --lake lake
  tandem sql \"SELECT * FROM encounter_flat\" --lake lake --format parquet > encounters.parquet
  tandem sql \"SHOW TABLES\" --lake lake
  tandem sql \"SELECT population, outcome, sum(count) FROM results GROUP BY 1, 2\" --lake lake --results out
Tables: resources, facts, patients, shared, codes, and flat views such as encounter_flat; with --results
the rows of a measure run too.
Only questions are answered: nothing in the lake can be changed by SQL.")]
pub struct Sql {
    /// The query.
    query: String,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// Result rows of `tandem measure run --out`, as the table `results`: its folder, or the file.
    #[arg(long, value_name = "PATH")]
    results: Option<PathBuf>,
    /// How to print the rows.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Csv,
    /// One object a line.
    Json,
    Parquet,
}

/// SQL errors are the user's, errors of execution may be ours.
fn failure(e: DataFusionError) -> Failure {
    let text = e.strip_backtrace();
    match e.find_root() {
        DataFusionError::SQL(..) | DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => {
            Failure::User(text)
        }
        DataFusionError::NotImplemented(_) => Failure::Unsupported(text),
        DataFusionError::Internal(_) => Failure::Internal(text),
        _ => Failure::User(text),
    }
}

/// The table `results` of a measure run.
async fn register_results(context: &SessionContext, path: &Path) -> Result<(), Failure> {
    let file = match path.is_dir() {
        true => path.join("results.parquet"),
        false => path.to_owned(),
    };
    if !file.is_file() {
        return Err(Failure::User(format!(
            "--results {}: there is no {}; `tandem measure run --out DIR` writes it",
            path.display(),
            file.display()
        )));
    }
    crate::staged::verify(&file)?;
    let name = file.to_string_lossy();
    let options = ParquetReadOptions::default();
    let registered = context.register_parquet("results", &*name, options).await;
    registered.map_err(|e| {
        let why = e.strip_backtrace();
        Failure::User(format!(
            "--results {}: not a Parquet file of results: {why}",
            path.display()
        ))
    })
}

impl Sql {
    pub fn run(self) -> Done {
        let runtime = super::runtime()?;
        runtime.block_on(async {
            let lake = Lake::open(&self.lake, self.snapshot).await?;
            let context = session(&lake, super::threads()).map_err(failure)?;
            let notes = register_tables(&context, &lake).map_err(failure)?;
            if let Some(path) = &self.results {
                register_results(&context, path).await?;
            }
            let options = datafusion::execution::context::SQLOptions::new()
                .with_allow_ddl(false)
                .with_allow_dml(false)
                .with_allow_statements(false);
            let frame = context
                .sql_with_options(&self.query, options)
                .await
                .map_err(failure)?;
            let schema = std::sync::Arc::clone(frame.schema().inner());
            let mut stream = frame.execute_stream().await.map_err(failure)?;
            let mut out = Output::new(self.format, &schema)?;
            while let Some(batch) = stream.next().await {
                out.write(&batch.map_err(failure)?)?;
            }
            out.finish()?;
            for unusable in notes.list() {
                note!("note: a value that cannot be used, null here: {unusable}");
            }
            Ok(std::process::ExitCode::SUCCESS)
        })
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
fn written<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, Failure> {
    if let Err(e) = &result
        && e.to_string().contains("Broken pipe")
    {
        std::process::exit(0);
    }
    result.map_err(|e| Failure::Internal(format!("the rows cannot be written: {e}")))
}

impl Output {
    fn new(format: Format, schema: &arrow::datatypes::SchemaRef) -> Result<Self, Failure> {
        let stdout = std::io::BufWriter::new(std::io::stdout());
        Ok(match format {
            Format::Table => Output::Table(vec![], std::sync::Arc::clone(schema)),
            Format::Csv => Output::Csv(Box::new(
                arrow::csv::WriterBuilder::new()
                    .with_header(true)
                    .build(stdout),
            )),
            Format::Json => Output::Json(arrow::json::LineDelimitedWriter::new(stdout)),
            Format::Parquet => {
                use std::io::IsTerminal;
                if std::io::stdout().is_terminal() {
                    return Err(Failure::User("--format parquet writes binary data: send it to a file with `> rows.parquet`".into()));
                }
                let writer = written(parquet::arrow::ArrowWriter::try_new(
                    stdout,
                    std::sync::Arc::clone(schema),
                    None,
                ))?;
                Output::Parquet(Box::new(writer))
            }
        })
    }

    fn write(&mut self, batch: &arrow::array::RecordBatch) -> Result<(), Failure> {
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

    fn finish(self) -> Result<(), Failure> {
        match self {
            Output::Table(batches, schema) => {
                let options = arrow::util::display::FormatOptions::default();
                let (schema, shown) =
                    written(crate::visible::in_rows(&schema, &batches, &options))?;
                let table = written(arrow::util::pretty::pretty_format_batches_with_schema(
                    schema, &shown,
                ))?;
                say!("{table}");
                let rows: usize = batches
                    .iter()
                    .map(arrow::array::RecordBatch::num_rows)
                    .sum();
                say!("{rows} row(s)");
                Ok(())
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
