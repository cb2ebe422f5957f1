//! Packages on the command line: loaded, linked, and everything that is wrong with them told.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use engine_patient::context::EvaluationContext;
use engine_patient::elm::Family as ElmFamily;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::PatientProgram;
use engine_patient::terminology::TerminologyBuilder;
use measures::manifest::Manifest;
use measures::official::{BuildOptions, Built, ElmMeasures, Finding, build, is_error};
use measures::package::{Family, Issue, Loaded, Severity, load_with, select};
use measures::run::ProgramMeasure;

use crate::commands::rule::{files, read};
use crate::failure::Failure;

/// What all commands on packages take.
#[derive(Args, Clone)]
pub struct PackageArgs {
    /// Packages: files or folders with FHIR Measure, Library (ELM) and ValueSet resources, Bundles of
    /// them, .json or .ndjson, also .gz and .zst.
    pub package: Vec<PathBuf>,
    /// Only these measures, by id, name or url; may be given several times. Default: all.
    #[arg(long)]
    pub measure: Vec<String>,
    /// Value sets of your own, as files or folders, beside those of packages. To built-in sets of the
    /// same url (rules) codes are added.
    #[arg(long)]
    pub terminology: Vec<PathBuf>,
    /// Go on where value sets are missing: what they touch is unknown, and the report says so.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    pub allow_missing_valuesets: bool,
    /// Trust profile tags (`meta.profile`) alone; otherwise content decides where a tag is missing.
    #[arg(long)]
    pub strict_profiles: bool,
    /// Run the library FHIRHelpers as ELM instead of natively; the results are the same.
    #[arg(long, hide = true)]
    pub elm_helpers: bool,
}

/// A package that was loaded and linked.
pub struct Prepared {
    pub loaded: Loaded,
    pub built: Built,
}

impl PackageArgs {
    /// Reads the files.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let mut builder = TerminologyBuilder::new();
        if !self.terminology.is_empty() {
            for path in files(&self.terminology, &[".json", ".ndjson"])? {
                let bytes = read(&path)?;
                let name = path.display().to_string();
                match name.ends_with(".ndjson") {
                    true => builder.add_ndjson(&name, &bytes),
                    false => builder.add_json(&name, &bytes),
                };
            }
        }
        Ok(load_with(&self.package, builder))
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

    /// Loads and links; what keeps a measure that was asked for from being run is a failure, told
    /// whole. Warnings go to standard error.
    pub fn prepare(&self, options: &BuildOptions) -> Result<Prepared, Failure> {
        let loaded = self.load()?;
        let chosen = select(&loaded.package, &self.measure);
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(issues) => {
                let mut all: Vec<&Issue> = loaded
                    .issues
                    .iter()
                    .filter(|i| i.severity == Severity::Error)
                    .collect();
                all.extend(&issues);
                return Err(failure(&all, &[]));
            }
        };
        let built = build(&loaded.package, &chosen, options);
        let errors: Vec<&Issue> = loaded
            .issues
            .iter()
            .filter(|i| i.severity == Severity::Error)
            .collect();
        let findings: Vec<&Finding> = built
            .findings
            .iter()
            .filter(|f| is_error(&f.issue))
            .collect();
        if !errors.is_empty() || !findings.is_empty() {
            return Err(failure(&errors, &findings));
        }
        if chosen.is_empty() {
            return Err(Failure::User(
                "the packages hold no measure: give files or folders with FHIR Measure resources"
                    .into(),
            ));
        }
        for finding in built.findings.iter().filter(|f| f.issue.code != "E013") {
            eprintln!("{}", finding.issue);
        }
        Ok(Prepared { loaded, built })
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

    /// What of the packages decides the numbers.
    pub fn record(&self, manifest: &mut Manifest) {
        for file in &self.loaded.package.files {
            manifest
                .files
                .insert(file.path.clone(), file.hash.to_string());
        }
        for shape in &self.built.shapes {
            manifest.measures.push(shape.canonical());
        }
    }
}

/// Everything that is wrong, in one text; the family of the worst.
fn failure(issues: &[&Issue], findings: &[&Finding]) -> Failure {
    let mut texts: Vec<String> = issues.iter().map(ToString::to_string).collect();
    texts.extend(findings.iter().map(|f| f.issue.to_string()));
    let count = texts.len();
    texts.push(format!(
        "{count} error(s): the packages cannot be run as they are"
    ));
    let text = texts.join("\n\n");
    let mistakes = issues.iter().any(|i| i.family == Family::Mistake)
        || findings
            .iter()
            .any(|f| f.issue.family == ElmFamily::Mistake);
    match mistakes {
        true => Failure::User(text),
        false => Failure::Unsupported(text),
    }
}
