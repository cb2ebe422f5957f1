//! Where a population loses its patients: clause outcomes of a run, summed.
//!
//! The criterion of each population is taken apart at its top-level `and`, through definitions. Each
//! clause is judged for every patient, whatever the outcomes of the clauses before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use serde::Serialize;

use super::clause_text::{ClauseTexts, collect, text};
use crate::official::{ClauseCounts, ElmMeasures, Funnel, FunnelCounts, Funnels};
use crate::package::{Basis, PopulationCode};
use crate::structure::MeasureStructure;
use crate::subject::Subject;

/// The clauses of a population, and how many patients each loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PopulationFunnel {
    pub measure: String,
    pub group: String,
    pub population: &'static str,
    pub expression: String,
    /// Whether the criterion gives resources instead of true or false.
    pub resources: bool,
    /// How the clauses make the criterion: `all of` or `any of` them.
    pub operator: &'static str,
    /// Patients that were looked at.
    pub patients: u64,
    pub clauses: Vec<ClauseFunnel>,
}

/// One clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseFunnel {
    pub clause: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    pub holds: u64,
    pub fails: u64,
    pub unknown: u64,
    /// Of `all of`: patients of whom it and all before it hold; patients of whom all others hold.
    #[serde(flatten)]
    pub lost: Option<Lost>,
    /// Of `any of`: patients of whom it or one before it holds; patients of whom no other holds.
    #[serde(flatten)]
    pub met: Option<Met>,
}

/// What a clause that must hold leaves and loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    pub left: u64,
    pub lost_by_it_alone: u64,
}

/// What a clause that is enough brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Met {
    pub met_so_far: u64,
    pub met_by_it_alone: u64,
}

/// Sums of clause outcomes over the patients of a run whose rows hold them.
#[derive(Debug)]
pub struct FunnelTotals<'s> {
    structures: &'s [Arc<MeasureStructure>],
    within: Option<PopulationCode>,
    counts: Funnels,
}

impl<'s> FunnelTotals<'s> {
    /// With `within`, only of patients who count in that population of the group.
    pub fn new(structures: &'s [Arc<MeasureStructure>], within: Option<PopulationCode>) -> Self {
        FunnelTotals {
            structures,
            within,
            counts: BTreeMap::new(),
        }
    }

    /// One patient of one measure.
    pub fn add(&mut self, subject: &Subject) {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let measure = u16::try_from(subject.measure).unwrap_or(u16::MAX);
        let structure = self.structures.get(subject.measure);
        for (group, population, outcomes) in &subject.clauses {
            let is_within = self.within.is_none_or(|code| {
                let definition = structure.and_then(|s| s.groups.get(*group));
                let own = subject.groups.get(*group);
                let both = definition.zip(own);
                both.is_some_and(|(definition, own)| {
                    let members = definition.populations.iter().zip(&own.populations);
                    members
                        .into_iter()
                        .any(|(p, m)| p.code == code && m.count > 0)
                })
            });
            if is_within {
                let key = (measure, number(*group), *population);
                self.counts.entry(key).or_default().add(outcomes);
            }
        }
    }

    /// The funnels of the programs that the rows are of: official measures, and others behind them.
    pub fn finish(
        self,
        program: Option<&ElmMeasures>,
        others: impl Iterator<Item = WrittenFunnel>,
    ) -> Vec<PopulationFunnel> {
        let mut out = vec![];
        if let Some(program) = program {
            let texts = texts(program);
            let all = program.funnels().iter();
            out.extend(all.filter_map(|funnel| {
                let key = (funnel.artifact, funnel.group, funnel.population);
                let counts = self.counts.get(&key).cloned().unwrap_or_default();
                let structure = self.structures.get(usize::from(funnel.artifact))?;
                of(program, funnel, structure, &counts, &texts)
            }));
        }
        out.extend(others.filter_map(|funnel| {
            let measure = u16::try_from(funnel.measure).ok()?;
            let key = (measure, 0, funnel.population);
            let counts = self.counts.get(&key).cloned().unwrap_or_default();
            written(funnel, self.structures, &counts)
        }));
        out
    }
}

/// The clauses of a population of a measure with one group that is no official one, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFunnel {
    /// Which of the structures.
    pub measure: usize,
    pub population: PopulationIndex,
    pub expression: String,
    pub clauses: Vec<String>,
    /// One of the clauses is enough.
    pub any: bool,
}

fn written(
    funnel: WrittenFunnel,
    structures: &[Arc<MeasureStructure>],
    counts: &FunnelCounts,
) -> Option<PopulationFunnel> {
    let structure = structures.get(funnel.measure)?;
    let group = structure.groups.first()?;
    let population = funnel.population.get(&group.populations)?;
    let clauses = funnel.clauses.into_iter().enumerate();
    let clauses = clauses.map(|(index, text)| counted(text, counts, index, funnel.any));
    Some(PopulationFunnel {
        measure: structure.name.to_string(),
        group: group.name(0),
        population: population.code.as_str(),
        expression: funnel.expression,
        resources: false,
        operator: if funnel.any { "any of" } else { "all of" },
        patients: counts.patients,
        clauses: clauses.collect(),
    })
}

/// A clause, with its counts.
fn counted(clause: String, counts: &FunnelCounts, index: usize, any: bool) -> ClauseFunnel {
    let counts: ClauseCounts = counts.clauses.get(index).cloned().unwrap_or_default();
    ClauseFunnel {
        clause,
        library: None,
        local_id: None,
        locator: None,
        holds: counts.holds,
        fails: counts.fails,
        unknown: counts.unknown,
        lost: (!any).then_some(Lost {
            left: counts.left,
            lost_by_it_alone: counts.alone,
        }),
        met: any.then_some(Met {
            met_so_far: counts.met,
            met_by_it_alone: counts.met_alone,
        }),
    }
}

fn of(
    program: &ElmMeasures,
    funnel: &Funnel,
    structure: &MeasureStructure,
    counts: &FunnelCounts,
    texts: &ClauseTexts,
) -> Option<PopulationFunnel> {
    let group = structure.groups.get(funnel.group as usize)?;
    let population = funnel.population.get(&group.populations)?;
    let libraries = program.libraries();
    let clauses = funnel.clauses.iter().enumerate().map(|(index, term)| {
        let clause = libraries.clause_of(term);
        let (definition, whole) = libraries.definition_of(term);
        let label = match libraries.place_of(term) {
            Some(place) if !whole => text(place, texts),
            _ => format!("\"{}\"", libraries.name_of(definition)),
        };
        ClauseFunnel {
            library: libraries
                .statement(definition)
                .map(|s| super::clause_results::library(libraries, s.library)),
            local_id: clause.map(|c| c.local_id.to_string()),
            locator: clause.and_then(|c| c.locator.as_deref().map(str::to_owned)),
            ..counted(label, counts, index, funnel.any)
        }
    });
    Some(PopulationFunnel {
        measure: structure.name.to_string(),
        group: group.name(funnel.group as usize),
        population: population.code.as_str(),
        expression: population.expression.clone(),
        resources: group.basis != Basis::Boolean,
        operator: if funnel.any { "any of" } else { "all of" },
        patients: counts.patients,
        clauses: clauses.collect(),
    })
}

/// The texts of all definitions that funnels stand in.
fn texts(program: &ElmMeasures) -> ClauseTexts {
    let mut texts = ClauseTexts::default();
    let mut seen = std::collections::HashSet::new();
    for term in program.funnels().iter().flat_map(|f| &f.clauses) {
        let (definition, _) = program.libraries().definition_of(term);
        if seen.insert(definition)
            && let Some(statement) = program.libraries().statement(definition)
        {
            collect(&statement, &mut texts);
        }
    }
    texts
}

/// The first line of funnels as CSV.
pub const CSV_HEADING: [&str; 17] = [
    "measure",
    "group",
    "population",
    "step",
    "clause",
    "library",
    "local_id",
    "locator",
    "operator",
    "met_so_far",
    "met_by_it_alone",
    "patients",
    "holds",
    "fails",
    "unknown",
    "left",
    "lost_by_it_alone",
];

/// A line of CSV a clause.
pub fn csv_rows(funnels: &[PopulationFunnel]) -> Vec<[String; 17]> {
    let mut out = vec![];
    for funnel in funnels {
        for (step, clause) in (1..).zip(&funnel.clauses) {
            let optional = |t: &Option<String>| t.clone().unwrap_or_default();
            let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
            let step: u32 = step;
            out.push([
                funnel.measure.clone(),
                funnel.group.clone(),
                funnel.population.to_owned(),
                step.to_string(),
                clause.clause.clone(),
                optional(&clause.library),
                optional(&clause.local_id),
                optional(&clause.locator),
                funnel.operator.to_owned(),
                number(clause.met.map(|m| m.met_so_far)),
                number(clause.met.map(|m| m.met_by_it_alone)),
                funnel.patients.to_string(),
                clause.holds.to_string(),
                clause.fails.to_string(),
                clause.unknown.to_string(),
                number(clause.lost.map(|l| l.left)),
                number(clause.lost.map(|l| l.lost_by_it_alone)),
            ]);
        }
    }
    out
}
