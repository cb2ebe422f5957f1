//! `tandem terminology fetch`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use engine_patient::plural::several;
use engine_patient::system::zone::UTC;
use measures::prepared::Packages;
use measures_run::missing_sets::{Missing, of_bindings, of_packages, of_rule};
use measures_run::rule_files::{bindings, library_file, rule_sources, value_sets};
use serde_json::json;
use sources::read_text;
use terminology_fetch::{Asked, FetchError, Folder, Kept, Login, Options, Server};

use super::super::measure::tell;
use super::super::own_terminology::TerminologyArgs;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};
use crate::listing::{Cell, Listing};

/// Ask a FHIR terminology server for the value sets that are missing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem terminology fetch https://cts.nlm.nih.gov/fhir --for packages/ --out valuesets --key-env UMLS_API_KEY
  tandem terminology fetch https://tx.hospital.example/fhir --rules my-rules --out valuesets
  tandem terminology fetch https://tx.hospital.example/fhir --value-set urn:oid:2.16.840.1.113883.3.464.1003.103.12.1001 --out valuesets
Each value set is expanded whole ($expand, page by page, in one version) or refused: a list that is cut off
is never written. What is in --out already, as fetched.list there says, is not asked for again. Give the
folder to --terminology afterwards. VSAC wants the API key of your UMLS profile, and gives its value sets to
whoever holds its licence: keep them to yourself.")]
pub struct Fetch {
    /// Address of the server's FHIR service.
    server: String,
    /// For the measures of these packages, as files or folders: what they lack.
    #[arg(long = "for", value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// For these rules (and the library.yaml beside or above them), as files or folders: what they lack.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// This value set, as `url` or `url|version`; several times.
    #[arg(long, value_name = "CANONICAL")]
    value_set: Vec<String>,
    #[command(flatten)]
    terminology: TerminologyArgs,
    /// Folder to write to: one of an earlier fetch, or any other. Nothing else in it is touched.
    #[arg(long)]
    out: PathBuf,
    /// User of the login; VSAC wants apikey.
    #[arg(long, default_value = "apikey")]
    user: String,
    /// Environment variable that holds the key (or password) of the login.
    #[arg(long, value_name = "NAME", conflicts_with = "key_file")]
    key_env: Option<String>,
    /// File that holds the key (or password) of the login, alone.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Certificates (PEM) to trust instead of the usual ones, where the server has a hospital's own.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Codes on a page.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    page: u32,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// How often one page is asked for, where the server is busy or the connection breaks.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
    /// The moment that is noted in the list. Default: now.
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
    /// List what would be asked for, and ask for nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to print what was fetched.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

/// So many value sets at which a server fails, one after the other, are the server's.
const FAILING: u32 = 3;

/// What came of one value set.
struct Row {
    canonical: String,
    by: Vec<String>,
    /// `fetched`, `there already`, `wanted` or what went wrong.
    status: String,
    kept: Option<Kept>,
}

impl Fetch {
    pub fn run(self) -> Done {
        let missing = self.missing()?;
        if missing.is_empty() || self.dry_run {
            // The address is printed: what is none, or holds a key, is told first.
            Server::new(&self.server, Options::default()).map_err(failure)?;
        }
        if missing.is_empty() {
            match self.format {
                Format::Json => self.print(&[])?,
                _ => say!("Nothing is missing."),
            }
            return Ok(ExitCode::SUCCESS);
        }
        if self.dry_run {
            let rows = missing.into_iter().map(|(canonical, by)| Row {
                canonical,
                by: by.into_iter().collect(),
                status: "wanted".into(),
                kept: None,
            });
            self.print(&rows.collect::<Vec<_>>())?;
            return Ok(ExitCode::SUCCESS);
        }
        let server = Server::new(&self.server, self.options()?).map_err(failure)?;
        let mut folder = Folder::open(&self.out).map_err(failure)?;
        let at = match &self.now {
            Some(now) => now.clone(),
            None => UTC.moment(super::super::now_ms()).to_string(),
        };
        let (mut rows, mut wrong, mut ended) = (vec![], vec![], false);
        let mut failing = 0;
        let bar = super::super::bar(
            missing.len() as u64,
            "{bar:30} {pos}/{len} value sets {msg}",
        );
        for (canonical, by) in missing {
            let asked = Asked::of(&canonical);
            bar.set_message(canonical.clone());
            let (status, kept) = match folder.has(&asked) {
                Some(kept) => ("there already".to_owned(), Some(kept.clone())),
                None if ended => ("not asked for".to_owned(), None),
                None => match fetched(&server, &mut folder, &asked, &at) {
                    Ok(kept) => {
                        failing = 0;
                        ("fetched".to_owned(), Some(kept))
                    }
                    Err(e) => {
                        wrong.push(format!("error: value set `{canonical}`: {e}"));
                        failing = match e {
                            FetchError::Failing(_) => failing + 1,
                            _ => 0,
                        };
                        ended = e.ends_all() || failing == FAILING;
                        ("not fetched".to_owned(), None)
                    }
                },
            };
            bar.inc(1);
            let by = by.into_iter().collect();
            rows.push(Row {
                canonical,
                by,
                status,
                kept,
            });
        }
        bar.finish_and_clear();
        self.print(&rows)?;
        if wrong.is_empty() {
            note!(
                "note: give the folder to --terminology: {}",
                self.out.display()
            );
            return Ok(ExitCode::SUCCESS);
        }
        let lacking = rows.iter().filter(|row| row.kept.is_none()).count();
        let lacking = several(
            lacking as u64,
            "value set was not fetched",
            "value sets were not fetched",
        );
        Err(Failure::User(format!(
            "{}\n{lacking}; what was is in {}, and is not asked for again",
            wrong.join("\n"),
            self.out.display()
        )))
    }

    /// What lacks, of all that is named.
    fn missing(&self) -> Result<Missing, Failure> {
        if self.packages.is_empty() && self.rules.is_empty() && self.value_set.is_empty() {
            return Err(Failure::User(
                "say for what: --for PACKAGE, --rules DIR or --value-set URL".into(),
            ));
        }
        let paths = self.terminology.paths()?;
        let bindings = bindings(&paths)?;
        let mut missing = Missing::new();
        let mut add = |more: Missing| {
            for (canonical, by) in more {
                missing.entry(canonical).or_default().extend(by);
            }
        };
        for canonical in &self.value_set {
            if !canonical.contains(':') {
                return Err(Failure::User(format!(
                    "--value-set {canonical}: write its url, or its OID as urn:oid:{canonical}"
                )));
            }
            add(Missing::from([(
                canonical.clone(),
                ["--value-set".to_owned()].into(),
            )]));
        }
        if !self.packages.is_empty() {
            // Bindings may name what is still to be fetched.
            let packages = Packages {
                paths: self.packages.clone(),
                terminology: paths.clone(),
                ..Packages::default()
            };
            add(of_packages(&packages, &mut tell)?);
        }
        // What bindings lack is looked for, not told.
        let (store, _) = value_sets(&paths, &mut |_| {})?;
        add(of_bindings(&bindings, &store));
        // The rules, and the libraries that they are loaded with.
        let mut paths = BTreeSet::new();
        for source in match self.rules.is_empty() {
            true => vec![],
            false => rule_sources(&self.rules, &mut tell)?,
        } {
            paths.extend(library_file(source.path.parent().unwrap_or(Path::new(""))));
            paths.insert(source.path);
        }
        for path in paths {
            let name = path.display().to_string();
            let text = read_text(&path).map_err(|e| Failure::User(format!("{name}: {e}")))?;
            add(of_rule(&name, &text, &store)?);
        }
        Ok(missing)
    }

    fn options(&self) -> Result<Options, Failure> {
        let read = |option: &str, path: &Path| {
            std::fs::read(path)
                .map_err(|e| Failure::User(format!("{option} {}: {e}", path.display())))
        };
        let key = match (&self.key_env, &self.key_file) {
            (Some(name), _) => Some(std::env::var(name).map_err(|_| {
                Failure::User(format!(
                    "--key-env {name}: this environment variable is not set"
                ))
            })?),
            (None, Some(path)) => {
                let text = String::from_utf8(read("--key-file", path)?);
                Some(text.map_err(|_| Failure::User("--key-file: this is not text".into()))?)
            }
            (None, None) => None,
        };
        let key = key.map(|key| key.trim().to_owned());
        if key.as_deref() == Some("") {
            return Err(Failure::User("the key of the login is empty".into()));
        }
        let roots = self.ca_file.as_deref().map(|path| read("--ca-file", path));
        Ok(Options {
            login: key.map(|key| Login {
                user: self.user.clone(),
                key,
            }),
            roots: roots.transpose()?,
            page: usize::try_from(self.page).unwrap_or(1000),
            timeout: Duration::from_secs(self.timeout),
            tries: self.tries,
            ..Options::default()
        })
    }

    fn print(&self, rows: &[Row]) -> Result<(), Failure> {
        if self.format == Format::Json {
            let rows = rows.iter().map(|row| {
                json!({
                    "valueSet": row.canonical, "askedBy": row.by, "status": row.status,
                    "version": row.kept.as_ref().and_then(|k| k.version.as_deref()),
                    "codes": row.kept.as_ref().map(|k| k.codes), "hash": row.kept.as_ref().map(|k| k.hash),
                    "file": row.kept.as_ref().map(|k| k.file.as_str()),
                })
            });
            data!(
                "{:#}",
                json!({ "server": self.server, "valueSets": rows.collect::<Vec<_>>() })
            );
            return Ok(());
        }
        let mut list = Listing::new(&[
            "value set",
            "version",
            "codes",
            "file",
            "status",
            "asked by",
        ]);
        for row in rows {
            let kept = row.kept.as_ref();
            list.push(vec![
                row.canonical.as_str().into(),
                kept.and_then(|k| k.version.as_deref()).into(),
                kept.map_or(Cell::Nothing, |k| Cell::Count(k.codes as u64)),
                kept.map(|k| k.file.as_str()).into(),
                row.status.as_str().into(),
                row.by.join(", ").into(),
            ]);
        }
        list.print_as(Format::Table, "valueSets")
    }
}

fn fetched(
    server: &Server,
    folder: &mut Folder,
    asked: &Asked,
    at: &str,
) -> Result<Kept, FetchError> {
    let expansion = server.expand(asked)?;
    let kept = folder.keep(asked, &expansion, server.address(), at)?;
    Ok(kept.clone())
}

fn failure(error: FetchError) -> Failure {
    Failure::User(error.to_string())
}
