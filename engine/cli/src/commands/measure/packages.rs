//! Packages on the command line: loaded, linked, and everything that is wrong with them told.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use engine_elm::Family as ElmFamily;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::PatientProgram;
use measures::direction::{self, Origin};
use measures::ledger::Ledger;
use measures::manifest::Manifest;
use measures::official::{
    BuildOptions, Built, ElmMeasures, Finding, Limits, build_within, is_error,
};
use measures::package::{
    Family, Issue, Loaded, Refused, Severity, load_with, select_each, set_better,
};
use measures::run::ProgramMeasure;
use measures::shape::{MeasureShape, distinguish};
use measures::source_files;
use measures::sql::SqlMeasure;

use crate::commands::rule::tell;
use crate::failure::{Done, Failure};

/// What all commands on packages take.
#[derive(Args, Clone)]
pub struct PackageArgs {
    /// Packages: files or folders with FHIR Measure, Library (ELM) and ValueSet resources, Bundles of
    /// them, .json or .ndjson, also .gz and .zst.
    pub package: Vec<PathBuf>,
    /// Only these measures, by id, name or url; may be given several times. Default: all.
    #[arg(long)]
    pub measure: Vec<String>,
    /// Value sets of your own, as files or folders (.json or .ndjson, also .gz and .zst), beside those
    /// of packages. To built-in sets of the same url (rules) codes are added.
    #[arg(long)]
    pub terminology: Vec<PathBuf>,
    /// Go on where value sets are missing: membership in them is unknown, a retrieve by them finds
    /// nothing, and what rests on that is counted as it is but not evaluable, with the set's name.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    pub allow_missing_valuesets: bool,
    /// Which way is better of a measure, over what it says: CMS122FHIR=decrease; several times.
    #[arg(long, value_name = "MEASURE=DIRECTION")]
    pub better: Vec<String>,
    /// Run nothing if anything is wrong with one of the measures; otherwise the others are run, and the
    /// exit code tells.
    #[arg(long)]
    pub strict: bool,
    /// Trust profile tags (`meta.profile`) alone; otherwise content decides where a tag is missing.
    #[arg(long)]
    pub strict_profiles: bool,
    /// Run the library FHIRHelpers as ELM instead of natively; the results are the same.
    #[arg(long, hide = true)]
    pub elm_helpers: bool,
}

/// What the evaluation of a measure may use.
#[derive(Args, Clone, Copy)]
pub struct LimitArgs {
    /// Steps that a measure of a package may take for one patient; what is not done by then is not
    /// evaluable. A measure that uses them up for 3 patients is given up for all, as is one that takes
    /// more than 2 million a patient over the whole run (beside 10 patients' worth); the exit code is 3.
    #[arg(long, value_name = "N", default_value_t = Limits::default().steps, value_parser = clap::value_parser!(u64).range(1..))]
    patient_steps: u64,
    /// Megabytes that the values of one patient may take; what needs more counts as the steps do.
    #[arg(long, value_name = "MB", default_value_t = u32::try_from(Limits::default().memory >> 20).unwrap_or(256), value_parser = clap::value_parser!(u32).range(1..=4096))]
    patient_memory: u32,
}

impl LimitArgs {
    pub fn limits(self) -> Limits {
        Limits {
            steps: self.patient_steps,
            memory: usize::try_from(u64::from(self.patient_memory) << 20).unwrap_or(usize::MAX),
        }
    }

    /// Limits that are not the usual ones may decide numbers.
    pub fn record(self, manifest: &mut Manifest) {
        let (own, usual) = (self.limits(), Limits::default());
        let mut put = |name: &str, value: String| manifest.limits.insert(name.into(), value);
        if own.steps != usual.steps {
            put("patient-steps", own.steps.to_string());
        }
        if own.memory != usual.memory {
            put("patient-memory", format!("{} MB", self.patient_memory));
        }
    }
}

/// A package that was loaded and linked.
pub struct Prepared {
    pub loaded: Loaded,
    pub built: Built,
    /// What keeps some of its measures from being run.
    incomplete: Option<Incomplete>,
}

/// Some measures are left out of a run.
struct Incomplete {
    text: String,
    mistakes: bool,
    /// Labels.
    measures: Vec<String>,
}

/// Warnings of the loader that a run tells, too: they bear on its numbers.
const TOLD: [&str; 5] = ["P035", "P063", "P064", "P072", "P074"];

impl PackageArgs {
    /// Reads the files.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let builder = source_files::terminology(&self.terminology, &mut tell)?;
        let mut loaded = load_with(&self.package, builder);
        if let Err(issues) = set_better(&mut loaded.package, &self.better) {
            loaded.issues.extend(issues);
        }
        let directions = loaded.package.measures.iter().flat_map(direction::issues);
        loaded.issues.extend(directions);
        Ok(loaded)
    }

    pub fn options(&self, context: EvaluationContext) -> BuildOptions {
        BuildOptions {
            context,
            allow_missing_value_sets: self.allow_missing_valuesets,
            profile_mode: if self.strict_profiles {
                ProfileMode::Strict
            } else {
                ProfileMode::Decide
            },
            native_helpers: !self.elm_helpers,
            everything: false,
            clauses: false,
            evaluated: false,
            sparse: false,
        }
    }

    /// Loads and links. What is wrong with one measure keeps that one out and is told on standard error,
    /// and [`Prepared::verdict`] says so; where nothing is left, with `--strict`, and where the package as a
    /// whole is wrong it is a failure, told whole. Warnings go to standard error.
    pub fn prepare(&self, options: &BuildOptions, limits: Limits) -> Result<Prepared, Failure> {
        let loaded = self.load()?;
        let (chosen, wrong) = select_each(&loaded.package, &self.measure);
        let mut built = build_within(&loaded.package, &chosen, options, limits);
        let asked = |refused: &&Refused| {
            let named =
                |name: &str| name == refused.label || refused.names.iter().any(|n| n == name);
            let of = |asked: &String| match asked.split_once('|') {
                Some((name, version)) => {
                    named(asked) || (named(name) && refused.version.as_deref() == Some(version))
                }
                None => named(asked),
            };
            self.measure.is_empty() || self.measure.iter().any(of)
        };
        let refused = loaded.package.refused.iter().filter(asked);
        let mut left_out: Vec<String> = refused.map(|r| r.label.clone()).collect();
        // A library that cannot be read is missed by the measures that need it, and those say so.
        let of_library = |i: &&Issue| matches!(i.code, "P080" | "P081" | "P082" | "P086" | "P087");
        let errors = loaded.issues.iter();
        let errors = errors.filter(|i| i.severity == Severity::Error);
        let (whole, parts): (Vec<&Issue>, Vec<&Issue>) =
            errors.partition(|i| i.measure.is_none() && !of_library(i));
        let about = |i: &&Issue| match &i.measure {
            Some(label) => left_out.contains(label),
            None => true,
        };
        let mut parts: Vec<&Issue> = parts.into_iter().filter(about).collect();
        let (unfit, unknown): (Vec<&Issue>, Vec<&Issue>) =
            wrong.iter().partition(|i| i.code == "P092");
        parts.extend(unfit);
        let findings = built.findings.iter();
        let findings: Vec<&Finding> = findings.filter(|f| is_error(&f.issue)).collect();
        let broken = chosen.iter().filter(|m| built.refused.contains(&m.key()));
        left_out.extend(broken.map(|m| m.label().to_owned()));
        let nothing = built.program.is_none();
        let any = !parts.is_empty() || !findings.is_empty();
        if !whole.is_empty() || !unknown.is_empty() || (any && (self.strict || nothing)) {
            let mut all = whole;
            all.extend(parts);
            all.extend(unknown);
            return Err(failure(&all, &findings));
        }
        if chosen.is_empty() || nothing {
            return Err(Failure::User(
                "the packages hold no measure: give files or folders with FHIR Measure resources"
                    .into(),
            ));
        }
        let incomplete = any.then(|| Incomplete {
            text: texts(&parts, &findings).join("\n\n"),
            mistakes: mistakes(&parts, &findings),
            measures: left_out,
        });
        if let Some(incomplete) = &incomplete {
            note!("{}\n", incomplete.text);
        }
        let labels: Vec<&str> = chosen.iter().map(|m| m.label()).collect();
        let told = loaded.issues.iter().filter(|i| {
            let concerns = |m: &String| labels.contains(&m.as_str());
            i.severity == Severity::Warning
                && TOLD.contains(&i.code)
                && i.measure.as_ref().is_some_and(concerns)
        });
        for issue in told {
            note!("{issue}");
        }
        let warnings = built.findings.iter().filter(|f| !is_error(&f.issue));
        for finding in warnings.filter(|f| f.issue.code != "E013") {
            note!("{}", finding.issue);
        }
        distinguish(&mut built.shapes.iter_mut().collect::<Vec<_>>()).map_err(twice)?;
        Ok(Prepared {
            loaded,
            built,
            incomplete,
        })
    }
}

/// Results of two measures that nothing tells apart.
pub fn twice(canonicals: Vec<String>) -> Failure {
    Failure::User(format!(
        "two measures have the same url and version, so that their results cannot be told apart: {}; keep one, or give an edited measure a version of its own",
        canonicals.join(", ")
    ))
}

/// Names for the measures of a run, packages and others together.
pub fn name_all(
    programs: &mut [ProgramMeasure],
    queries: &mut [SqlMeasure],
) -> Result<(), Failure> {
    let mut of_queries: Vec<Arc<MeasureShape>> =
        queries.iter().map(|q| Arc::new(q.shape())).collect();
    let shapes = programs.iter_mut().flat_map(|p| p.shapes.iter_mut());
    let mut all: Vec<&mut Arc<MeasureShape>> = shapes.chain(of_queries.iter_mut()).collect();
    distinguish(&mut all).map_err(twice)?;
    for (query, shape) in queries.iter_mut().zip(of_queries) {
        query.name = Arc::clone(&shape.name);
    }
    Ok(())
}

impl PackageArgs {
    /// `--better` is said of measures of packages; without any it would be of no effect.
    pub fn refuse_better(better: &[String]) -> Result<(), Failure> {
        match better.first() {
            None => Ok(()),
            Some(better) => Err(Failure::User(format!(
                "--better {better}: without packages there is nothing it could be said of"
            ))),
        }
    }
}

impl Prepared {
    /// The program, for a run.
    pub fn program(&self) -> Option<(Arc<ElmMeasures>, ProgramMeasure)> {
        let program = Arc::clone(self.built.program.as_ref()?);
        let measure = ProgramMeasure {
            program: Arc::clone(&program) as Arc<dyn PatientProgram>,
            shapes: self.built.shapes.clone(),
        };
        Some((program, measure))
    }

    /// Measures that the run gave up: which, and why.
    fn given_up(&self) -> Option<Failure> {
        let program = self.built.program.as_ref()?;
        let all = program.given_up();
        let all: Vec<String> = all
            .map(|(artifact, why)| format!("  {}|{}: {why}", artifact.url, artifact.version))
            .collect();
        (!all.is_empty()).then(|| {
            Failure::Unsupported(format!(
                "{} measure(s) were given up, and are not evaluable for anybody:\n{}\nwith --patient-steps and --patient-memory a patient may use more",
                all.len(),
                all.join("\n")
            ))
        })
    }

    /// What a command that ran gives back: a failure where measures are missing from it.
    pub fn verdict(&self) -> Done {
        let given_up = self.given_up();
        let Some(incomplete) = &self.incomplete else {
            return given_up.map_or(Ok(std::process::ExitCode::SUCCESS), Err);
        };
        if let Some(given_up) = given_up {
            given_up.tell();
        }
        let text = match incomplete.measures.as_slice() {
            [] => "something of the packages could not be read, see above".to_owned(),
            some => format!(
                "{} measure(s) could not be run, see above: {}",
                some.len(),
                some.join(", ")
            ),
        };
        Err(match incomplete.mistakes {
            true => Failure::User(text),
            false => Failure::Unsupported(text),
        })
    }

    /// What is not in the numbers although the packages have it.
    pub fn note(&self, ledger: &mut Ledger) {
        for label in self.incomplete.iter().flat_map(|i| &i.measures) {
            ledger.add("measures that could not be run", label, 1);
        }
        for part in &self.built.left_out {
            let detail = format!("{}: {}", part.measure, part.what);
            ledger.add("left out of a measure", &detail, 1);
        }
        let left_out = self.loaded.issues.iter();
        let run = |label: &String| {
            let measures = self.loaded.package.measures.iter();
            let mut keys = measures.filter(|m| m.label() == label).map(|m| m.key());
            keys.any(|key| !self.built.refused.contains(&key))
        };
        for issue in left_out.filter(|i| matches!(i.code, "P072" | "P074")) {
            if let Some(label) = issue.measure.as_ref().filter(|m| run(m)) {
                let detail = format!("{label}: {}", issue.message);
                ledger.add("left out of a measure", &detail, 1);
            }
        }
        for shape in &self.built.shapes {
            for (_, direction) in shape.told_directions() {
                let plain = direction.origin == Origin::Stated && direction.against.is_empty();
                if !plain {
                    let detail = format!("{}: {}", shape.name, direction.text());
                    ledger.add("which way is better", &detail, 1);
                }
            }
        }
    }

    /// What of the packages decides the numbers.
    pub fn record(&self, manifest: &mut Manifest) {
        for file in &self.loaded.package.files {
            manifest
                .files
                .insert(file.path.clone(), file.hash.to_string());
        }
        for measure in &self.loaded.package.measures {
            if let Some(better) = measure.better {
                manifest
                    .better
                    .insert(measure.key(), better.as_str().to_owned());
            }
        }
    }
}

fn texts(issues: &[&Issue], findings: &[&Finding]) -> Vec<String> {
    let mut texts: Vec<String> = issues.iter().map(ToString::to_string).collect();
    texts.extend(findings.iter().map(|f| f.issue.to_string()));
    texts
}

fn mistakes(issues: &[&Issue], findings: &[&Finding]) -> bool {
    issues.iter().any(|i| i.family == Family::Mistake)
        || findings
            .iter()
            .any(|f| f.issue.family == ElmFamily::Mistake)
}

/// Everything that is wrong, in one text; the family of the worst.
fn failure(issues: &[&Issue], findings: &[&Finding]) -> Failure {
    let mut texts = texts(issues, findings);
    let count = texts.len();
    texts.push(format!(
        "{count} error(s): the packages cannot be run as they are"
    ));
    let text = texts.join("\n\n");
    match mistakes(issues, findings) {
        true => Failure::User(text),
        false => Failure::Unsupported(text),
    }
}
