//! From a package to a program: linking, and everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_elm::libraries::ValueSetUse;
use engine_elm::{CompiledLibraries, Library, Linker, Options};
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::finding::{Finding, Severity};
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::TerminologyStore;

use super::check::Checker;
use super::compiled_measure::{CompiledMeasure, compile};
use super::limits::Limits;
use super::program::ElmMeasures;
use crate::improvement_direction::{Direction, Origin, directions};
use crate::package::{GroupDefinition, MeasureDefinition, Package};
use crate::structure::MeasureStructure;

/// How to build.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// A missing value set is a warning; what it touches is unknown.
    pub allow_missing_value_sets: bool,
    /// Decide profiles by tags alone.
    pub profile_mode: ProfileMode,
    /// Run FHIRHelpers natively. `false` only to prove that it makes no difference.
    pub native_helpers: bool,
    /// Also compile what no measure refers to, so that all that is wrong shows.
    pub everything: bool,
}

/// A program, or why there is none.
pub struct Built {
    /// The measures that can be run.
    pub program: Option<Arc<ElmMeasures>>,
    /// One per measure of the program.
    pub structures: Vec<Arc<MeasureStructure>>,
    /// All findings. An error or something unsupported keeps its measures out of the program.
    pub findings: Vec<Finding>,
    /// Value sets that the logic refers to.
    pub value_sets: Vec<(Arc<str>, ValueSetUse)>,
    /// Measures that were left out, by [`MeasureDefinition::key`].
    pub refused: Vec<String>,
    /// Parts of measures that were left out.
    pub left_out: Vec<LeftOut>,
    /// Value sets that the measures refer to, also those that cannot be run: by canonical.
    pub asked: BTreeMap<Arc<str>, AskedValueSet>,
    /// Files of the libraries that the measures reach.
    pub reached_files: BTreeSet<String>,
}

/// A value set, and whose it is.
#[derive(Clone, Debug)]
pub struct AskedValueSet {
    /// As it is used, by all of them.
    pub usage: ValueSetUse,
    /// Labels of the measures.
    pub measures: BTreeSet<String>,
}

impl Built {
    /// The value sets that are missing or not expanded, by name, then url.
    pub fn missing(&self) -> Vec<(&Arc<str>, &AskedValueSet)> {
        let lacking = |(_, a): &(&Arc<str>, &AskedValueSet)| {
            matches!(a.usage.completeness, "missing" | "not-expanded")
        };
        let mut all: Vec<_> = self.asked.iter().filter(lacking).collect();
        all.sort_by(|a, b| (&a.1.usage.name, a.0).cmp(&(&b.1.usage.name, b.0)));
        all
    }

    /// The same for programs.
    pub fn missing_json(&self) -> serde_json::Value {
        let all = self.missing().into_iter();
        all.map(|(canonical, asked)| asked.to_json(canonical))
            .collect()
    }
}

impl AskedValueSet {
    /// For programs.
    pub fn to_json(&self, canonical: &str) -> serde_json::Value {
        let (url, version) = match canonical.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (canonical, self.usage.version.as_deref()),
        };
        serde_json::json!({
            "name": &*self.usage.name, "url": url, "canonical": canonical, "version": version,
            "codes": self.usage.codes, "completeness": self.usage.completeness,
            "measures": self.measures, "touches": self.usage.touches.iter().map(|t| &**t).collect::<Vec<_>>(),
        })
    }
}

/// A stratifier or supplemental data that a measure is run without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Label of the measure.
    pub measure: String,
    /// What was left out, and why.
    pub what: String,
}

/// Links the libraries of a package and compiles these measures.
pub fn build(package: &Package, measures: &[&MeasureDefinition], options: &BuildOptions) -> Built {
    build_within(package, measures, options, Limits::default())
}

/// As [`build`], with other limits of what an evaluation may use.
pub fn build_within(
    package: &Package,
    measures: &[&MeasureDefinition],
    options: &BuildOptions,
    limits: Limits,
) -> Built {
    let mut libraries = vec![];
    let mut unread: Vec<(String, Finding)> = vec![];
    let mut findings: Vec<Finding> = vec![];
    for source in &package.libraries {
        match Library::read(&source.source, &source.elm) {
            Ok(library) => libraries.push(library),
            Err(issue) => unread.push((source.name.clone(), *issue)),
        }
    }
    let link = Options {
        allow_missing_value_sets: options.allow_missing_value_sets,
        native_helpers: options.native_helpers,
        ..Options::default()
    };
    let checker = Checker {
        libraries: &libraries,
        terminology: &package.terminology,
        link,
    };
    // Each measure alone first: what is wrong with one must not keep the others out.
    let mut good = vec![];
    let mut refused = vec![];
    let mut left_out = vec![];
    let mut asked: BTreeMap<Arc<str>, AskedValueSet> = BTreeMap::new();
    let mut reached_files = BTreeSet::new();
    for measure in measures {
        let reached = checker.reached(measure);
        let files = package
            .libraries
            .iter()
            .filter(|l| reached.contains(&l.name));
        reached_files.extend(files.map(|l| l.source.clone()));
        let lacking = unread
            .iter()
            .filter(|(name, _)| reached.contains(name.as_str()));
        let mut issues: Vec<Finding> = lacking.map(|(_, issue)| issue.clone()).collect();
        let checked = checker.check(measure, &reached);
        for (canonical, usage) in checked.value_sets {
            let entry = asked.entry(canonical).or_insert_with(|| AskedValueSet {
                usage: usage.clone(),
                measures: BTreeSet::new(),
            });
            entry.usage.touches.extend(usage.touches);
            entry.measures.insert(measure.label().to_owned());
        }
        issues.extend(checked.findings);
        let broken = issues.iter().any(Finding::is_error);
        add(&mut findings, issues, Some(measure.label()));
        match checked.kept.filter(|_| !broken) {
            Some((definition, parts)) => {
                good.push(definition);
                left_out.extend(parts.into_iter().map(|what| LeftOut {
                    measure: measure.label().to_owned(),
                    what,
                }));
            }
            None => refused.push(measure.key()),
        }
    }
    add(
        &mut findings,
        unread.into_iter().map(|(_, issue)| issue).collect(),
        None,
    );
    if options.everything {
        let mut linker = Linker::new(&libraries, &package.terminology, link);
        for index in 0..libraries.len() {
            linker.everything(u32::try_from(index).unwrap_or(u32::MAX));
        }
        let (_, issues) = linker.finish();
        add(&mut findings, issues, None);
    }
    let good: Vec<&MeasureDefinition> = good.iter().collect();
    let (program, structures, value_sets) = together(
        &libraries,
        &package.terminology,
        &good,
        link,
        options,
        limits,
    );
    findings.sort();
    Built {
        program,
        structures,
        findings,
        value_sets,
        refused,
        left_out,
        asked,
        reached_files,
    }
}

fn add(findings: &mut Vec<Finding>, issues: Vec<Finding>, measure: Option<&str>) {
    for mut issue in issues {
        let known = |f: &&mut Finding| {
            let library = |f: &Finding| f.node().map(|n| Arc::clone(&n.library));
            f.code == issue.code
                && (measure.is_none() || f.severity == issue.severity)
                && f.message == issue.message
                && library(f) == library(&issue)
                && f.definition() == issue.definition()
                && f.local_id() == issue.local_id()
        };
        match (findings.iter_mut().find(known), measure) {
            (Some(known), Some(measure)) => {
                if !known.measures.iter().any(|m| m == measure) {
                    known.measures.push(measure.to_owned());
                }
            }
            (Some(_), None) => {}
            (None, Some(measure)) => {
                issue.measures = vec![measure.to_owned()];
                findings.push(issue);
            }
            (None, None) => {
                // Nothing refers to it: it can do no harm.
                if issue.is_error() {
                    issue.message.push_str(" (no measure refers to it)");
                    issue.severity = Severity::Warning;
                }
                findings.push(issue);
            }
        }
    }
}

type Together = (
    Option<Arc<ElmMeasures>>,
    Vec<Arc<MeasureStructure>>,
    Vec<(Arc<str>, ValueSetUse)>,
);

/// All good measures in one program.
fn together(
    libraries: &[Library],
    terminology: &TerminologyStore,
    measures: &[&MeasureDefinition],
    link: Options,
    options: &BuildOptions,
    limits: Limits,
) -> Together {
    let mut linker = Linker::new(libraries, terminology, link);
    let mut compiled = vec![];
    let mut structures = vec![];
    for measure in measures {
        let Some(groups) = compile(&mut linker, measure) else {
            continue;
        };
        let artifact = artifact_of(measure);
        let directions = directions(measure);
        structures.push(Arc::new(MeasureStructure {
            artifact,
            name: measure.id.as_deref().unwrap_or(measure.label()).into(),
            directions: directions.clone(),
            groups: with_directions(&measure.groups, &directions),
            supplemental: measure.supplemental_data.clone(),
        }));
        compiled.push(groups);
    }
    let (libraries, _) = linker.finish();
    let value_sets = libraries
        .value_sets
        .iter()
        .map(|(k, v)| (Arc::clone(k), v.clone()))
        .collect();
    if compiled.is_empty() {
        return (None, structures, value_sets);
    }
    let artifacts = structures.iter().map(|s| s.artifact.clone()).collect();
    let program = program(
        libraries,
        artifacts,
        compiled,
        (limits, options.profile_mode),
    );
    (Some(Arc::new(program)), structures, value_sets)
}

/// Groups whose notation is the direction that counts, where it does not come from the measure.
fn with_directions(groups: &[GroupDefinition], directions: &[Direction]) -> Vec<GroupDefinition> {
    let mut groups = groups.to_vec();
    for (group, direction) in groups.iter_mut().zip(directions) {
        if let Origin::User | Origin::Known(_) = direction.origin {
            group.improvement_notation = Some(direction.better);
        }
    }
    groups
}

fn artifact_of(measure: &MeasureDefinition) -> Artifact {
    let label = measure.label();
    let text = |t: &Option<String>| t.as_deref().unwrap_or_default().to_owned();
    Artifact {
        id: measure.id.as_deref().unwrap_or(label).into(),
        url: text(&measure.url).into(),
        version: text(&measure.version).into(),
        title: measure.title.as_deref().unwrap_or(label).into(),
    }
}

/// The program: its requirements, and which of them decide.
fn program(
    libraries: CompiledLibraries,
    artifacts: Vec<Artifact>,
    measures: Vec<CompiledMeasure>,
    options: (Limits, ProfileMode),
) -> ElmMeasures {
    let mut requirements: Vec<DataRequirement> = vec![];
    let of_retrieve: Vec<usize> = libraries
        .retrieves()
        .iter()
        .map(|retrieve| {
            let found = requirements.iter().position(|r| *r == retrieve.requirement);
            found.unwrap_or_else(|| {
                requirements.push(retrieve.requirement.clone());
                requirements.len() - 1
            })
        })
        .collect();
    let place = |retrieve: u32| of_retrieve.get(retrieve as usize).copied();
    let mut of_artifact = vec![];
    let mut required = vec![];
    for measure in &measures {
        let mut own: Vec<usize> = measure.retrieves(&libraries).filter_map(place).collect();
        own.sort_unstable();
        own.dedup();
        of_artifact.push(own);
        let groups = libraries.required_retrieves_of_any(measure.initial_populations());
        let mut groups: Vec<Vec<usize>> = groups
            .into_iter()
            .map(|group| {
                let mut group: Vec<usize> = group.into_iter().filter_map(place).collect();
                group.sort_unstable();
                group.dedup();
                group
            })
            .collect();
        groups.sort();
        groups.dedup();
        required.push(groups);
    }
    ElmMeasures::new(
        libraries,
        artifacts,
        measures,
        requirements,
        of_artifact,
        required,
        options,
    )
}
