//! Totals of a run, in one streaming pass over its sorted result rows.
//!
//! Only rows about a patient are counted; rows of resources tell which ones, and bound the rate.
//! `measure-observation` counts its observations with a value. A patient of several unknown criteria
//! is one patient, in several reasons.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use engine_patient::system::truth::Truth;
use engine_patient::system::units::Units;
use rust_decimal::Decimal;

use crate::observation_quantity::{Unit, choose, convert};
use crate::package::{Basis, GroupDefinition, PopulationCode as Code};
use crate::rate_bounds::{Positions, RateBounds, State};
use crate::result::{Counts, GroupResult, MeasureResult, SupplementalResult};
use crate::structure::MeasureStructure;
use crate::subject::{Subject, SubjectGroup};

/// Totals so far.
#[derive(Debug)]
pub struct Totals {
    measures: Vec<MeasureResult>,
    groups: Vec<Vec<GroupState>>,
}

/// What a group keeps beside its result.
#[derive(Debug)]
struct GroupState {
    positions: Option<Positions>,
    /// Per stratifier, by stratum.
    strata: Vec<BTreeMap<Arc<str>, Counts>>,
    /// Per stratum, `None` for the whole: how many patients have observations in which units.
    observed: BTreeMap<Spot, BTreeMap<InUnits, u64>>,
}

/// A stratifier and one of its strata; `None` for the whole.
type Spot<N = Arc<str>> = Option<(usize, N)>;

/// Populations that have observations, and their units.
type Seen = BTreeSet<(PopulationIndex, Unit)>;

/// Populations and a patient's states in them.
type States = Vec<(PopulationIndex, State)>;

/// A patient's observations: whether something of them could not be told already, and which
/// populations have observations in which units.
type InUnits = (bool, Seen);

impl Totals {
    /// Of these measures, all at nothing.
    pub fn new(structures: &[Arc<MeasureStructure>]) -> Self {
        let group = |g: &GroupDefinition| GroupResult {
            counts: Counts {
                bounds: Positions::of(g).map(|_| RateBounds::default()),
                ..Counts::of(g)
            },
            strata: vec![],
            codings: vec![BTreeMap::new(); g.stratifiers.len()],
            strata_unknown: vec![0; g.stratifiers.len()],
        };
        let measure = |structure: &Arc<MeasureStructure>| MeasureResult {
            structure: Arc::clone(structure),
            patients: 0,
            groups: structure.groups.iter().map(group).collect(),
            supplemental: vec![SupplementalResult::default(); structure.supplemental.len()],
        };
        let state = |g: &GroupDefinition| GroupState {
            positions: Positions::of(g),
            strata: vec![BTreeMap::new(); g.stratifiers.len()],
            observed: BTreeMap::new(),
        };
        Totals {
            measures: structures.iter().map(measure).collect(),
            groups: structures
                .iter()
                .map(|s| s.groups.iter().map(state).collect())
                .collect(),
        }
    }

    /// One patient of one measure.
    pub fn add(&mut self, subject: &Subject) {
        self.add_to(subject.measure, subject);
    }

    fn add_to(&mut self, measure: usize, subject: &Subject) {
        let Some(result) = self.measures.get_mut(measure) else {
            return;
        };
        let Some(states) = self.groups.get_mut(measure) else {
            return;
        };
        result.patients += 1;
        let structure = Arc::clone(&result.structure);
        let groups = structure.groups.iter().zip(&subject.groups);
        let totals = result.groups.iter_mut().zip(states);
        for ((definition, own), (total, state)) in groups.zip(totals) {
            add_group(definition, own, total, state);
        }
        // Supplemental data describes the patients of the report: those of an initial population.
        let initial = |(definition, own): (&GroupDefinition, &SubjectGroup)| {
            let populations = definition.populations.iter().zip(&own.populations);
            populations
                .filter(|(p, _)| p.code == Code::InitialPopulation)
                .any(|(_, m)| m.count > 0)
        };
        let mut groups = structure.groups.iter().zip(&subject.groups);
        if !subject.supplemental.is_empty() && groups.any(initial) {
            for value in &subject.supplemental {
                let Some(slot) = result.supplemental.get_mut(value.index) else {
                    continue;
                };
                match &value.value {
                    Ok(text) => {
                        match slot.values.get_mut(text.as_str()) {
                            Some(n) => *n += 1,
                            None => {
                                slot.values.insert(Arc::from(text.as_str()), 1);
                            }
                        }
                        coded(&mut slot.codings, text, value.coding.as_ref());
                    }
                    Err(_) => slot.unknown += 1,
                }
            }
        }
    }

    /// The results, in the order of the structures.
    pub fn finish(self) -> Vec<MeasureResult> {
        let mut measures = self.measures;
        let units = Units::default();
        for (measure, states) in measures.iter_mut().zip(self.groups) {
            for (group, mut state) in measure.groups.iter_mut().zip(states) {
                settle(&units, &mut group.counts, &mut state);
                let strata = state.strata.into_iter();
                group.strata = strata.map(|s| s.into_iter().collect()).collect();
            }
        }
        measures
    }
}

/// The result of one patient alone.
pub fn single(structure: &Arc<MeasureStructure>, subject: &Subject) -> MeasureResult {
    let mut totals = Totals::new(std::slice::from_ref(structure));
    totals.add_to(0, subject);
    let result = totals.finish().into_iter().next();
    result.unwrap_or_else(|| MeasureResult {
        structure: Arc::clone(structure),
        patients: 0,
        groups: vec![],
        supplemental: vec![],
    })
}

fn add_group(
    definition: &GroupDefinition,
    own: &SubjectGroup,
    total: &mut GroupResult,
    state: &mut GroupState,
) {
    let counts = &mut total.counts;
    let mut unknown = false;
    let populations = definition.populations.iter().zip(&own.populations);
    for ((population, member), slot) in populations.zip(&mut counts.populations) {
        slot.count += member.count;
        slot.subjects += u64::from(member.count > 0);
        if member.outcome == Truth::Unknown {
            unknown = true;
            slot.unknown += 1;
            reason(
                &mut counts.reasons,
                population.code.as_str(),
                member.reason.as_ref(),
            );
        }
    }
    // A patient of several observations is one patient.
    let (mut last, mut last_unknown) = (None, None);
    let mut told = BTreeSet::new();
    let mut seen: BTreeMap<Spot<&Arc<str>>, Seen> = BTreeMap::new();
    for observation in &own.observations {
        let at = observation.population;
        let counts = match &observation.stratum {
            None => &mut *counts,
            Some((stratifier, stratum)) => {
                match stratum_of(&mut state.strata, definition, *stratifier, stratum) {
                    Some(counts) => counts,
                    None => continue,
                }
            }
        };
        let Some(slot) = at.get_mut(&mut counts.populations) else {
            continue;
        };
        slot.observed.add(observation.quantity().as_ref());
        if observation.value.is_some() {
            let stratum = observation.stratum.as_ref().map(|(s, name)| (*s, name));
            let units = seen.entry(stratum).or_default();
            units.insert((at, observation.unit.clone()));
        }
        slot.count += u64::from(observation.value.is_some());
        let key = Some((at, &observation.stratum));
        if last != key {
            slot.subjects += 1;
        }
        last = key;
        // A value that is in doubt is counted, and is not evaluable.
        if observation.value.is_some() && observation.reason.is_none() {
            continue;
        }
        if last_unknown != key {
            slot.unknown += 1;
            let code = Code::MeasureObservation.as_str();
            reason(&mut counts.reasons, code, observation.reason.as_ref());
            match &observation.stratum {
                None => unknown = true,
                Some((stratifier, stratum)) => {
                    counts.unknown += u64::from(told.insert((*stratifier, stratum)));
                }
            }
        }
        last_unknown = key;
    }
    for (stratifier, why) in &own.strata_unknown {
        if let Some(slot) = total.strata_unknown.get_mut(*stratifier) {
            *slot += 1;
        }
        unknown = true;
        reason(&mut total.counts.reasons, "stratifier", Some(why));
    }
    total.counts.unknown += u64::from(unknown);
    if let (Some(at), Some(bounds)) = (state.positions, total.counts.bounds.as_mut()) {
        add_bounds(definition, own, at, bounds);
    }
    add_strata(definition, own, total, state, &mut told);
    for (stratum, units) in seen {
        let unknown = match stratum {
            None => unknown,
            Some(stratum) => told.contains(&stratum),
        };
        let stratum = stratum.map(|(s, name)| (s, Arc::clone(name)));
        let patients = state.observed.entry(stratum).or_default();
        *patients.entry((unknown, units)).or_default() += 1;
    }
}

/// Brings all observations of a group, and of its strata, to one unit each. What cannot be converted is
/// not evaluable.
fn settle(units: &Units, whole: &mut Counts, state: &mut GroupState) {
    let chosen: Vec<Unit> = whole
        .populations
        .iter()
        .map(|p| choose(units, &p.observed.units()))
        .collect();
    let mut all: Vec<(Spot, &mut Counts)> = vec![(None, whole)];
    for (stratifier, strata) in state.strata.iter_mut().enumerate() {
        let strata = strata.iter_mut();
        all.extend(strata.map(|(name, own)| (Some((stratifier, Arc::clone(name))), own)));
    }
    for (stratum, counts) in all {
        for (population, unit) in counts.populations.iter_mut().zip(&chosen) {
            let lost = population.observed.settle(units, unit);
            population.count = population.count.saturating_sub(lost);
        }
        for ((unknown, seen), n) in state.observed.remove(&stratum).unwrap_or_default() {
            let lost = |(population, unit): &&(PopulationIndex, Unit)| {
                let to = population.get(&chosen);
                to.is_some_and(|to| convert(units, Decimal::ONE, unit, to).is_none())
            };
            let lost: Vec<&(PopulationIndex, Unit)> = seen.iter().filter(lost).collect();
            if lost.is_empty() {
                continue;
            }
            counts.unknown += if unknown { 0 } else { n };
            let populations: BTreeSet<PopulationIndex> = lost.iter().map(|(p, _)| *p).collect();
            for population in populations {
                if let Some(slot) = population.get_mut(&mut counts.populations) {
                    slot.unknown += n;
                }
            }
            for (population, unit) in lost {
                let to = population.get(&chosen).cloned().flatten();
                let why = format!(
                    "the unit {} of an observation cannot be converted to {}",
                    named(unit),
                    named(&to)
                );
                let code = Arc::from(Code::MeasureObservation.as_str());
                *counts.reasons.entry((code, why.into())).or_default() += n;
            }
        }
    }
}

fn named(unit: &Unit) -> String {
    let short = |unit: &str| unit.chars().take(64).collect::<String>();
    unit.as_ref()
        .map_or_else(|| "1 (no unit)".to_owned(), |u| format!("`{}`", short(u)))
}

/// Notes the codings of a value.
fn coded(codings: &mut BTreeMap<Arc<str>, Arc<str>>, text: &str, coding: Option<&Arc<str>>) {
    let Some(coding) = coding else { return };
    match codings.get_mut(text) {
        Some(kept) if coding < kept => *kept = Arc::clone(coding),
        Some(_) => {}
        None => {
            codings.insert(Arc::from(text), Arc::clone(coding));
        }
    }
}

fn reason(reasons: &mut BTreeMap<(Arc<str>, Arc<str>), u64>, of: &str, why: Option<&Arc<str>>) {
    let why = why.map_or_else(|| Arc::from(""), Arc::clone);
    *reasons.entry((Arc::from(of), why)).or_default() += 1;
}

fn stratum_of<'t>(
    strata: &'t mut [BTreeMap<Arc<str>, Counts>],
    definition: &GroupDefinition,
    stratifier: usize,
    stratum: &Arc<str>,
) -> Option<&'t mut Counts> {
    let strata = strata.get_mut(stratifier)?;
    let counts = strata.entry(Arc::clone(stratum));
    Some(counts.or_insert_with(|| Counts::of(definition)))
}

/// `told`: strata of which the patient is under "not evaluable" already; several unknown rows of one
/// are one patient.
fn add_strata<'s>(
    definition: &GroupDefinition,
    own: &'s SubjectGroup,
    total: &mut GroupResult,
    state: &mut GroupState,
    told: &mut BTreeSet<(usize, &'s Arc<str>)>,
) {
    for row in &own.strata {
        if let Some(codings) = total.codings.get_mut(row.stratifier) {
            coded(codings, &row.stratum, row.coding.as_ref());
        }
        let found = stratum_of(&mut state.strata, definition, row.stratifier, &row.stratum);
        let Some(counts) = found else { continue };
        let Some(slot) = row.population.get_mut(&mut counts.populations) else {
            continue;
        };
        slot.count += row.count;
        slot.subjects += u64::from(row.count > 0);
        if row.outcome == Truth::Unknown {
            slot.unknown += 1;
            let code = row.population.get(&definition.populations);
            let code = code.map_or("", |p| p.code.as_str());
            reason(&mut counts.reasons, code, row.reason.as_ref());
            counts.unknown += u64::from(told.insert((row.stratifier, &row.stratum)));
        }
    }
    // Rows of resources within strata tell how many, not which.
    if let (Some(at), Basis::Boolean) = (state.positions, &definition.basis) {
        bound_strata(definition, own, at, state);
    }
}

/// What the rates of a patient's strata could be.
fn bound_strata(
    definition: &GroupDefinition,
    own: &SubjectGroup,
    at: Positions,
    state: &mut GroupState,
) {
    let mut strata: BTreeMap<(usize, &Arc<str>), States> = BTreeMap::new();
    for row in &own.strata {
        let known = State {
            outcome: row.outcome,
            counted: row.count > 0,
        };
        let rows = strata.entry((row.stratifier, &row.stratum)).or_default();
        rows.push((row.population, known));
    }
    for ((stratifier, stratum), rows) in strata {
        let found = stratum_of(&mut state.strata, definition, stratifier, stratum);
        let Some(counts) = found else { continue };
        // A population without a row does not hold.
        counts.bounds.get_or_insert_default().add(at, |population| {
            let found = rows.iter().find(|(p, _)| *p == population);
            found.map_or(State::default(), |(_, state)| *state)
        });
    }
}

fn add_bounds(
    definition: &GroupDefinition,
    own: &SubjectGroup,
    at: Positions,
    bounds: &mut RateBounds,
) {
    if definition.basis == Basis::Boolean {
        bounds.add(at, |population| {
            let found = population.get(&own.populations);
            found.map_or(State::default(), |m| State {
                outcome: m.outcome,
                counted: m.count > 0,
            })
        });
        return;
    }
    let mut ids: Vec<&str> = own.members.iter().map(|m| m.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        bounds.add(at, |population| {
            let mut of = own.members.iter().filter(|m| m.population == population);
            of.find(|m| m.id == id).map_or(State::default(), |m| State {
                outcome: m.outcome,
                counted: m.counted,
            })
        });
    }
    // An unknown population of which no resource is unknown: it is not known which ones.
    let nameless = |(population, m): (PopulationIndex, &crate::subject::Membership)| {
        let of = |x: &&crate::subject::Member| x.population == population;
        let mut members = own.members.iter().filter(of);
        m.outcome == Truth::Unknown && !members.any(|x| x.outcome == Truth::Unknown)
    };
    if PopulationIndex::each(&own.populations).any(nameless) {
        bounds.leave_open();
    }
}
