//! Gating: which members of a criterion are members of the population (see the parent module).

use std::sync::Arc;

use engine_patient::program::PopulationIndex;
use engine_patient::system::truth::Truth;

use super::Raw;
use crate::package::{
    Basis, GroupDefinition, PopulationCode as Code, PopulationDefinition, Scoring,
    StratifierDefinition,
};

/// A criterion of a conjunction: which population's, and whether it must not hold.
type Literal = (PopulationIndex, bool);

/// A group's gating, worked out once from its definition.
#[derive(Clone, Debug)]
pub struct Gating {
    pub(super) of_resources: Option<String>,
    pub(super) codes: Vec<Code>,
    pub(super) stratifiers: Vec<StratifierDefinition>,
    /// Per population: what must hold for a member.
    formulas: Vec<Vec<Literal>>,
    /// Per population: which one an observation is of.
    pub(super) references: Vec<Option<PopulationIndex>>,
}

/// Two answers at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    /// Whether it counts: what is null is not met.
    pub(super) counted: bool,
    /// What is certain.
    pub(super) truth: Truth,
}

impl Cell {
    fn of(truth: Truth) -> Self {
        let counted = truth == Truth::True;
        Cell { counted, truth }
    }

    fn and(self, other: Cell, negated: bool) -> Cell {
        let (counted, truth) = match negated {
            false => (other.counted, other.truth),
            true => (!other.counted, !other.truth),
        };
        Cell {
            counted: self.counted && counted,
            truth: self.truth.and(truth),
        }
    }
}

/// A patient's populations after gating.
#[derive(Clone, Debug)]
pub struct Gated<'g> {
    pub(super) gating: &'g Gating,
    /// Of a resource basis: every resource that some criterion names, sorted.
    pub(super) members: Vec<Arc<str>>,
    /// Per population, per member; last the others: resources that no criterion names, of which a
    /// criterion that could not be told might be true. Of a boolean basis only the patient.
    cells: Vec<Cell>,
    width: usize,
    /// Per population: why its criterion is unknown.
    reasons: Vec<Option<Arc<str>>>,
}

const NULL: &str = "the criterion is null";

impl Gating {
    /// For a group.
    pub fn new(group: &GroupDefinition) -> Self {
        let populations = &group.populations;
        let (references, formulas) = populations
            .iter()
            .map(|p| {
                let reference = (p.code == Code::MeasureObservation)
                    .then(|| observed(group, p))
                    .flatten();
                (reference, formula(group, p))
            })
            .unzip();
        Gating {
            of_resources: match &group.basis {
                Basis::Boolean => None,
                Basis::Resource(name) => Some(name.clone()),
            },
            codes: populations.iter().map(|p| p.code).collect(),
            stratifiers: group.stratifiers.clone(),
            formulas,
            references,
        }
    }

    /// The codes of its populations.
    pub fn populations(&self) -> impl Iterator<Item = Code> + '_ {
        self.codes.iter().copied()
    }

    /// Applies to a patient's criteria. A criterion that is not there is null.
    pub fn gate(&self, raw: &[Raw]) -> Gated<'_> {
        let mut members: Vec<Arc<str>> = vec![];
        if self.of_resources.is_some() {
            let named = self
                .criteria()
                .filter_map(|p| raw.get(p))
                .flat_map(Raw::named);
            members.extend(named.map(Arc::clone));
            members.sort_unstable();
            members.dedup();
        }
        let width = match self.of_resources {
            Some(_) => members.len() + 1,
            None => 1,
        };
        let mut criteria = Vec::with_capacity(self.codes.len() * width);
        let mut reasons = Vec::with_capacity(self.codes.len());
        for population in 0..self.codes.len() {
            let raw = raw.get(population);
            reasons.push(match self.of_resources {
                Some(_) => of_resources(raw, &members, &mut criteria),
                None => of_patient(raw, &mut criteria),
            });
        }
        // What stands at an observation is no criterion.
        for (reason, code) in reasons.iter_mut().zip(&self.codes) {
            if *code == Code::MeasureObservation {
                *reason = None;
            }
        }
        let mut cells = Vec::with_capacity(criteria.len());
        for formula in &self.formulas {
            for member in 0..width {
                let literals = formula.iter().filter_map(|(population, negated)| {
                    Some((
                        criteria.get(population.position() * width + member)?,
                        *negated,
                    ))
                });
                let holds = |all: Cell, (cell, negated): (&Cell, bool)| all.and(*cell, negated);
                cells.push(literals.fold(Cell::of(Truth::True), holds));
            }
        }
        Gated {
            gating: self,
            members,
            cells,
            width,
            reasons,
        }
    }

    fn criteria(&self) -> impl Iterator<Item = usize> {
        let codes = self.codes.iter().enumerate();
        codes
            .filter(|(_, c)| **c != Code::MeasureObservation)
            .map(|(i, _)| i)
    }
}

/// Appends the criterion per member and, last, for the others; tells why it is unknown.
fn of_resources(raw: Option<&Raw>, members: &[Arc<str>], out: &mut Vec<Cell>) -> Option<Arc<str>> {
    let (truth, reason) = match raw {
        Some(Raw::Members(ids)) => {
            let mut ids: Vec<&Arc<str>> = ids.iter().collect();
            ids.sort_unstable();
            out.extend(members.iter().map(|m| {
                let found = ids.binary_search(&m).is_ok();
                Cell::of(if found { Truth::True } else { Truth::False })
            }));
            out.push(Cell::of(Truth::False));
            return None;
        }
        Some(Raw::InDoubt(doubtful)) => {
            of_resources(Some(&doubtful.counted), members, out);
            let added = out.len().saturating_sub(members.len() + 1);
            for (member, cell) in out.iter_mut().skip(added).enumerate() {
                // Last the others, whom no criterion names: those that may be members are named.
                let id = members.get(member);
                let in_any = |ids: &[Arc<str>]| id.is_some_and(|id| ids.contains(id));
                let certain = match (cell.counted, &doubtful.perhaps) {
                    (true, _) => in_any(&doubtful.certain),
                    (false, Some(perhaps)) => !in_any(perhaps),
                    (false, None) => false,
                };
                if !certain {
                    cell.truth = Truth::Unknown;
                }
            }
            return Some(Arc::clone(&doubtful.reason));
        }
        Some(Raw::Truth(Truth::False, _)) => (Truth::False, None),
        Some(Raw::Truth(Truth::True, _)) => {
            let text = "the criterion is true where a list of resources was expected";
            (Truth::Unknown, Some(Arc::from(text)))
        }
        other => (Truth::Unknown, Some(why(other))),
    };
    out.extend(std::iter::repeat_n(Cell::of(truth), members.len() + 1));
    reason
}

fn of_patient(raw: Option<&Raw>, out: &mut Vec<Cell>) -> Option<Arc<str>> {
    if let Some(Raw::InDoubt(doubtful)) = raw {
        let own = of_patient(Some(&doubtful.counted), out);
        if let Some(cell) = out.last_mut() {
            cell.truth = Truth::Unknown;
        }
        let null = own.is_none() || own.as_deref() == Some(NULL);
        return if null {
            Some(Arc::clone(&doubtful.reason))
        } else {
            own
        };
    }
    let truth = match raw {
        Some(Raw::Truth(truth, _)) => *truth,
        Some(Raw::Members(ids)) if ids.is_empty() => Truth::False,
        Some(Raw::Members(_)) => Truth::True,
        Some(Raw::Failed(_) | Raw::InDoubt(_)) | None => Truth::Unknown,
    };
    out.push(Cell::of(truth));
    (truth == Truth::Unknown).then(|| why(raw))
}

/// Why a criterion is unknown.
fn why(raw: Option<&Raw>) -> Arc<str> {
    match raw {
        Some(Raw::Truth(_, Some(reason)) | Raw::Failed(reason)) => Arc::clone(reason),
        _ => Arc::from(NULL),
    }
}

impl Gated<'_> {
    fn cell(&self, population: usize, member: usize) -> Cell {
        let cell = self.cells.get(population * self.width + member);
        cell.copied().unwrap_or(Cell::of(Truth::False))
    }

    /// Members of a population that count, and those of whom it could not be told: position, cell.
    pub(super) fn of(&self, population: usize) -> impl Iterator<Item = (usize, Cell)> + '_ {
        let members = match self.gating.of_resources {
            Some(_) => self.members.len(),
            None => 1,
        };
        (0..members)
            .map(move |m| (m, self.cell(population, m)))
            .filter(|(_, c)| c.counted || c.truth == Truth::Unknown)
    }

    /// How many members count.
    pub fn count(&self, population: usize) -> usize {
        self.of(population).filter(|(_, c)| c.counted).count()
    }

    /// Whether the population holds for the patient, or has members; unknown where not all of it
    /// could be told.
    pub(super) fn outcome(&self, population: usize) -> Truth {
        let mut cells = (0..self.width).map(|m| self.cell(population, m).truth);
        let mut any = Truth::False;
        loop {
            match cells.next() {
                Some(Truth::Unknown) => return Truth::Unknown,
                Some(Truth::True) => any = Truth::True,
                Some(Truth::False) => {}
                None => return any,
            }
        }
    }

    /// Why the population is unknown: its own criterion, or the first of those it depends on.
    pub(super) fn reason(&self, population: usize) -> Option<Arc<str>> {
        let own = self.reasons.get(population)?;
        let formula = self.gating.formulas.get(population)?;
        let mut needed = formula.iter().filter_map(|(p, _)| p.get(&self.reasons));
        let found = own.as_ref().or_else(|| needed.find_map(Option::as_ref));
        found.map(Arc::clone)
    }

    /// Of which resources an observation is to be made; one `None` for the patient. `population` is
    /// the index of the `measure-observation`.
    pub fn observed(&self, population: usize) -> impl Iterator<Item = Option<&Arc<str>>> + '_ {
        self.of(population)
            .filter(|(_, c)| c.counted)
            .map(|(m, _)| self.members.get(m))
    }
}

/// The population that an observation is of. Where a measure does not say, it is the one there can
/// be: the measure population; of a ratio the denominator for the first, the numerator for the next.
fn observed(group: &GroupDefinition, population: &PopulationDefinition) -> Option<PopulationIndex> {
    let named = population.reference;
    let valid = |i: &PopulationIndex| {
        let named = i.get(&group.populations);
        named.is_some_and(|p| p.code != Code::MeasureObservation)
    };
    if let Some(index) = named.filter(valid) {
        return Some(index);
    }
    let mut all = group.populations.iter();
    let before = all
        .by_ref()
        .take_while(|p| !std::ptr::eq(*p, population))
        .filter(|p| p.code == Code::MeasureObservation)
        .count();
    match (group.scoring, before) {
        (Scoring::ContinuousVariable, _) => group.position(Code::MeasurePopulation),
        (Scoring::Ratio, 0) => group.position(Code::Denominator),
        (Scoring::Ratio, _) => group.position(Code::Numerator),
        (Scoring::Proportion | Scoring::Cohort, _) => group.position(Code::InitialPopulation),
    }
}

/// What must hold for a member of a population.
fn formula(group: &GroupDefinition, population: &PopulationDefinition) -> Vec<Literal> {
    let mut all = PopulationIndex::each(&group.populations);
    let own = all.find(|(_, p)| std::ptr::eq(*p, population));
    let Some((own, _)) = own else { return vec![] };
    match population.code {
        Code::MeasureObservation => {
            let Some(reference) = observed(group, population) else {
                return vec![];
            };
            let Some(of) = reference.get(&group.populations) else {
                return vec![];
            };
            let mut all = formula(group, of);
            let exclusion = match of.code {
                Code::Denominator => group.position(Code::DenominatorExclusion),
                Code::Numerator => group.position(Code::NumeratorExclusion),
                Code::MeasurePopulation => group.position(Code::MeasurePopulationExclusion),
                _ => None,
            };
            all.extend(exclusion.map(|x| (x, true)));
            all
        }
        Code::InitialPopulation => vec![(own, false)],
        _ => {
            let mut all = parents(group, population.code);
            all.push((own, false));
            all
        }
    }
}

/// The criteria before a population's own.
fn parents(group: &GroupDefinition, code: Code) -> Vec<Literal> {
    let ratio = group.scoring == Scoring::Ratio;
    // With two initial populations a ratio's sides each name their own.
    let initial = |side: Code| {
        let side = group
            .position(side)
            .and_then(|i| i.get(&group.populations)?.reference);
        let named = side.filter(|i| {
            let initial = i.get(&group.populations);
            initial.is_some_and(|p| p.code == Code::InitialPopulation)
        });
        named.or_else(|| group.position(Code::InitialPopulation))
    };
    let must = |code: Code| group.position(code).map(|p| (p, false));
    let not = |code: Code| group.position(code).map(|p| (p, true));
    let side = match code {
        Code::Numerator | Code::NumeratorExclusion if ratio => Code::Numerator,
        _ => Code::Denominator,
    };
    let mut all: Vec<Option<Literal>> = vec![initial(side).map(|p| (p, false))];
    match code {
        Code::Numerator if !ratio => {
            all.extend([must(Code::Denominator), not(Code::DenominatorExclusion)]);
        }
        Code::NumeratorExclusion if !ratio => all.extend([
            must(Code::Denominator),
            not(Code::DenominatorExclusion),
            must(Code::Numerator),
        ]),
        Code::NumeratorExclusion => all.push(must(Code::Numerator)),
        Code::DenominatorExclusion => all.push(must(Code::Denominator)),
        Code::DenominatorException => all.extend([
            must(Code::Denominator),
            not(Code::DenominatorExclusion),
            not(Code::Numerator),
        ]),
        Code::MeasurePopulationExclusion => all.push(must(Code::MeasurePopulation)),
        _ => {}
    }
    all.into_iter().flatten().collect()
}
