//! Packages for a run: loaded, linked, and what is wrong with them told.

use engine_patient::plural::several;
use std::path::PathBuf;

use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::finding::{
    Blame, Code, Finding, Severity, blame, count, grouped, identical, listed, told,
};
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::{Beyond, Binding};

use crate::error::MeasureError;
use crate::improvement_direction::{Origin, issues, settled_by_table};
use crate::ledger::Ledger;
use crate::manifest::Manifest;
use crate::official::{BuildOptions, Built, Limits, build_within};
use crate::other_period::{OtherPeriod, made_for_other};
use crate::package::{Loaded, load_with, refused_of, select_each, set_better, taken_for};
use crate::relevance::relevance;
use crate::source_files::terminology;
use crate::structure::distinguish;

/// Packages, and how to read them.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// Files or folders with FHIR Measure, Library (ELM) and ValueSet resources.
    pub paths: Vec<PathBuf>,
    /// Only these measures, by id, name, title, url, or the beginning of one; all where it is empty.
    pub measures: Vec<String>,
    /// Value sets beside those of packages: files or folders.
    pub terminology: Vec<PathBuf>,
    /// Value sets that are bound to others.
    pub bindings: Vec<Binding>,
    /// A missing value set is a warning; what it touches is unknown.
    pub allow_missing_value_sets: bool,
    /// Which way is better of a measure, over what it says: `CMS122FHIR=decrease`.
    pub better: Vec<String>,
    /// Run nothing if anything is wrong with one of the measures.
    pub strict: bool,
    /// How resources without profile tags are matched.
    pub profile_mode: ProfileMode,
    /// Run the library FHIRHelpers as ELM instead of natively; the results are the same.
    pub elm_helpers: bool,
    /// Tell every finding in full, each of its places by itself.
    pub verbose: bool,
}

/// What tells what is not told otherwise.
pub const ALL: &str = "`tandem measure check --all` tells each";

/// Limits that are not the usual ones may decide numbers.
pub fn record_limits(limits: Limits, manifest: &mut Manifest) {
    let usual = Limits::default();
    let mut put = |name: &str, value: String| manifest.limits.insert(name.into(), value);
    if limits.steps != usual.steps {
        put("patient-steps", limits.steps.to_string());
    }
    if limits.memory != usual.memory {
        put("patient-memory", format!("{} MB", limits.memory >> 20));
    }
}

/// A package that was loaded and linked.
pub struct Prepared {
    /// As it was read.
    pub loaded: Loaded,
    /// As it was linked.
    pub built: Built,
    /// What was told of it.
    pub findings: Vec<Finding>,
    /// Measures that are run for another period than they are made for.
    pub other_period: Vec<OtherPeriod>,
    /// What keeps some of its measures from being run.
    incomplete: Option<Incomplete>,
}

/// Some measures are left out of a run.
struct Incomplete {
    blame: Option<Blame>,
    /// Labels.
    measures: Vec<String>,
}

/// Warnings of the loader that a run tells, too: they bear on its numbers.
const TOLD: [Code; 7] = [
    Code::SeveralVersions,
    Code::TerminologyConflict,
    Code::Direction,
    Code::ReferenceStale,
    Code::ReferenceUnknown,
    Code::SupplementalLeftOut,
    Code::StratifierLeftOut,
];

/// About a library that cannot be read.
const LIBRARY: [Code; 5] = [
    Code::LibraryNoElm,
    Code::LibraryNotBase64,
    Code::LibraryNotElm,
    Code::TranslatorError,
    Code::LibraryModel,
];

impl Packages {
    /// Reads the files. `tell` gets a text for people, of what was left alone.
    pub fn load(&self, tell: &mut dyn FnMut(&str)) -> Result<Loaded, MeasureError> {
        let builder = terminology(&self.terminology, tell)?;
        let mut loaded = load_with(&self.paths, builder);
        // The built-in value sets are not here: those bindings are for rules.
        let bound = loaded
            .package
            .terminology
            .bind(&self.bindings, Beyond::BuiltIn);
        loaded.issues.extend(bound);
        if let Err(issues) = set_better(&mut loaded.package, &self.better) {
            loaded.issues.extend(issues);
        }
        let directions = loaded.package.measures.iter().flat_map(issues);
        loaded.issues.extend(directions);
        Ok(loaded)
    }

    /// How to build them.
    pub fn options(&self) -> BuildOptions {
        BuildOptions {
            allow_missing_value_sets: self.allow_missing_value_sets,
            profile_mode: self.profile_mode,
            native_helpers: !self.elm_helpers,
            everything: false,
        }
    }

    /// Loads and links, for any period: see [`Packages::prepare_loaded`].
    pub fn prepare(
        &self,
        limits: Limits,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Prepared, MeasureError> {
        self.prepare_loaded(self.load(tell)?, limits, None, tell)
    }

    /// Links what was loaded. What is wrong with one measure keeps that one out and is told, and
    /// [`Prepared::incomplete`] says so; where nothing is left, if they are to be strict, and where the
    /// package as a whole is wrong it is an error, told whole. Warnings are told. `tell` gets a text for
    /// people.
    pub fn prepare_loaded(
        &self,
        loaded: Loaded,
        limits: Limits,
        period: Option<(DateTime, DateTime)>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Prepared, MeasureError> {
        let (chosen, wrong) = select_each(&loaded.package, &self.measures);
        let mut built = build_within(&loaded.package, &chosen, &self.options(), limits);
        let refused = refused_of(&loaded.package, &self.measures).into_iter();
        let mut left_out: Vec<String> = refused.map(|r| r.label.clone()).collect();
        // A library that cannot be read is missed by the measures that need it, and those say so.
        let of_library = |i: &&Finding| LIBRARY.contains(&i.code);
        let errors = loaded.issues.iter();
        let errors = errors.filter(|i| i.is_error());
        let (whole, parts): (Vec<&Finding>, Vec<&Finding>) =
            errors.partition(|i| i.measures.is_empty() && !of_library(i));
        let about = |i: &&Finding| {
            i.measures.is_empty() || i.measures.iter().any(|label| left_out.contains(label))
        };
        let mut parts: Vec<&Finding> = parts.into_iter().filter(about).collect();
        let (unfit, unknown): (Vec<&Finding>, Vec<&Finding>) =
            wrong.iter().partition(|i| i.code == Code::MeasureRefused);
        parts.extend(unfit);
        let findings = built.findings.iter();
        let findings: Vec<&Finding> = findings.filter(|f| f.is_error()).collect();
        let broken = chosen.iter().filter(|m| built.refused.contains(&m.key()));
        left_out.extend(broken.map(|m| m.label().to_owned()));
        let nothing = built.program.is_none();
        let any = !parts.is_empty() || !findings.is_empty();
        if !whole.is_empty() || !unknown.is_empty() || (any && (self.strict || nothing)) {
            let mut all = whole;
            all.extend(parts);
            all.extend(unknown);
            all.extend(findings);
            return Err(self.failure(&all));
        }
        if chosen.is_empty() || nothing {
            return Err(MeasureError::User(
                "the packages hold no measure: give files or folders with FHIR Measure resources"
                    .into(),
            ));
        }
        let incomplete = any.then(|| Incomplete {
            blame: blame(parts.iter().chain(&findings).copied()),
            measures: left_out,
        });
        for (asked, taken) in taken_for(&loaded.package, &self.measures) {
            tell(&format!("note: --measure {asked} is taken as `{taken}`"));
        }
        // The name without the direction.
        let better = self.better.iter();
        let better = better.filter_map(|text| Some(text.rsplit_once('=')?.0.to_owned()));
        for (asked, taken) in taken_for(&loaded.package, &better.collect::<Vec<_>>()) {
            tell(&format!("note: --better {asked} is taken as `{taken}`"));
        }
        let run = chosen.iter().copied();
        let run: Vec<_> = run.filter(|m| !built.refused.contains(&m.key())).collect();
        let other_period = period.map(|period| made_for_other(&run, period));
        let other_period = other_period.unwrap_or_default();
        let mut all: Vec<Finding> = parts.into_iter().chain(findings).cloned().collect();
        let sorted = relevance(&loaded, &built, &chosen);
        let labels: Vec<&str> = chosen.iter().map(|m| m.label()).collect();
        let concerns = |i: &Finding| {
            let mut measures = i.measures.iter();
            measures.any(|m| labels.contains(&m.as_str()))
        };
        let of_terminology = |i: &Finding| i.place.canonical.is_some();
        all.extend(sorted.concern.into_iter().filter(|i| {
            let linked = built.findings.contains(i);
            let settled = i.code == Code::Direction && concerns(i);
            let bears = TOLD.contains(&i.code) && (concerns(i) || of_terminology(i));
            i.severity == Severity::Warning && (linked || bears)
                || i.severity == Severity::Info && settled
                || i.code == Code::TerminologyConflict && bears && !i.is_error()
        }));
        all.extend(other_period.iter().map(|other| other.finding.clone()));
        // Where the table settles it, one line for all measures is enough.
        let brief = |i: &&Finding| {
            i.code == Code::Direction && i.severity == Severity::Info && !self.verbose
        };
        let shown: Vec<Finding> = all.iter().filter(|i| !brief(i)).cloned().collect();
        if !shown.is_empty() {
            tell(&format!("{}\n", self.text(&shown)));
        }
        if let Some(text) = settled_by_table(run.iter().copied()).filter(|_| !self.verbose) {
            tell(&text);
        }
        let findings = all;
        distinguish(&mut built.structures.iter_mut().collect::<Vec<_>>()).map_err(twice)?;
        Ok(Prepared {
            loaded,
            built,
            findings,
            other_period,
            incomplete,
        })
    }

    /// Findings for people.
    fn text(&self, findings: &[Finding]) -> String {
        match self.verbose {
            true => listed(findings),
            false => told(&grouped(findings), ALL),
        }
    }

    /// Everything that is wrong, in one text.
    fn failure(&self, findings: &[&Finding]) -> MeasureError {
        let all: Vec<Finding> = findings.iter().copied().cloned().collect();
        let counted = grouped(&all);
        let text = format!(
            "{}\n\n{}: the packages cannot be run as they are",
            self.text(&all),
            count(counted.iter().map(|g| &g.finding))
        );
        MeasureError::blamed(blame(&all), text)
    }
}

/// Results of two measures that nothing tells apart.
pub fn twice(canonicals: Vec<String>) -> MeasureError {
    MeasureError::User(format!(
        "two measures have the same url and version, so that their results cannot be told apart: {}; keep one, or give an edited measure a version of its own",
        canonicals.join(", ")
    ))
}

impl Packages {
    /// Which way is better is said of measures of packages; without any it would be of no effect.
    pub fn refuse_better(&self) -> Result<(), MeasureError> {
        match self.better.first() {
            None => Ok(()),
            Some(better) => Err(MeasureError::User(format!(
                "--better {better}: without packages there is nothing it could be said of"
            ))),
        }
    }
}

impl Prepared {
    /// The measures of the packages that could not be run, for what is wrong with each.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        let measures = self.incomplete.iter().flat_map(|i| &i.measures);
        measures.map(String::as_str)
    }

    /// That measures are missing from whatever is run, and which.
    pub fn incomplete(&self) -> Option<MeasureError> {
        let incomplete = self.incomplete.as_ref()?;
        let text = match incomplete.measures.as_slice() {
            [] => "something of the packages could not be read, see above".to_owned(),
            some => format!(
                "{} could not be run, see above: {}",
                several(some.len() as u64, "measure", "measures"),
                some.join(", ")
            ),
        };
        Some(MeasureError::blamed(incomplete.blame, text))
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
        for issue in left_out
            .filter(|i| matches!(i.code, Code::SupplementalLeftOut | Code::StratifierLeftOut))
        {
            if let Some(label) = issue.measures.iter().find(|m| run(m)) {
                let detail = format!("{label}: {}", issue.message);
                ledger.add("left out of a measure", &detail, 1);
            }
        }
        for group in identical(&self.findings) {
            let finding = &group.finding;
            let line = format!("{} {}", finding.severity.as_str(), finding.code);
            ledger.add(&line, &finding.message, finding.measures.len() as u64);
        }
        for structure in &self.built.structures {
            for (_, direction) in structure.told_directions() {
                let plain = direction.origin == Origin::Stated && direction.against.is_empty();
                if !plain {
                    let detail = format!("{}: {}", structure.name, direction.text());
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
        for other in &self.other_period {
            let (measure, made_for) = (other.measure.clone(), other.made_for.clone());
            manifest.other_period.insert(measure, made_for);
        }
    }
}
