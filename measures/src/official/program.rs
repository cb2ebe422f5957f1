//! The program: all measures of a run, evaluated for one patient.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_elm::value::Val;
use engine_elm::{CompiledLibraries, Evaluator, Settings, with_evaluator};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, ResultRow, RowKind, RowOptions,
    Used, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_patient::system::units::Units;
use engine_patient::value::Value;

use super::clause_outcomes::Funnel;
use super::compiled_measure::{CompiledGroup, CompiledMeasure, Target};
use super::fhir_values::member_id;
use super::limits::Limits;
use super::notes;
use super::null_reason::null_reason;
use super::raw_criteria::{criterion, in_doubt, observation, stratum, supplemental};
use crate::package::Basis;
use crate::score::{Observed, Place, Raw, RawStrata, in_initial_population};

/// Official measures as one program.
pub struct ElmMeasures {
    pub(crate) libraries: CompiledLibraries,
    artifacts: Vec<Artifact>,
    pub(crate) measures: Vec<CompiledMeasure>,
    requirements: Vec<DataRequirement>,
    of_artifact: Vec<Vec<usize>>,
    required: Vec<Vec<Vec<usize>>>,
    pub(crate) limits: Limits,
    profile_mode: ProfileMode,
    /// Shared by all evaluations: it remembers conversions.
    units: Arc<Units>,
    /// Clauses whose outcomes are counted, where somebody wants the funnel.
    funnels: Vec<Funnel>,
}

impl std::fmt::Debug for ElmMeasures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ElmMeasures({} measures, {:?})",
            self.measures.len(),
            self.libraries
        )
    }
}

impl ElmMeasures {
    pub(super) fn new(
        libraries: CompiledLibraries,
        artifacts: Vec<Artifact>,
        measures: Vec<CompiledMeasure>,
        requirements: Vec<DataRequirement>,
        of_artifact: Vec<Vec<usize>>,
        required: Vec<Vec<Vec<usize>>>,
        (limits, profile_mode): (Limits, ProfileMode),
    ) -> Self {
        ElmMeasures {
            funnels: Funnel::all(&libraries, &measures),
            libraries,
            artifacts,
            measures,
            requirements,
            of_artifact,
            required,
            limits,
            profile_mode,
            units: Arc::default(),
        }
    }

    /// The compiled logic.
    pub fn libraries(&self) -> &CompiledLibraries {
        &self.libraries
    }

    /// The clauses of each criterion of each measure.
    pub fn funnels(&self) -> &[Funnel] {
        &self.funnels
    }

    /// What an evaluation in a context is told.
    pub(crate) fn settings(&self, context: &EvaluationContext) -> Settings {
        Settings {
            profile_mode: self.profile_mode,
            steps: self.limits.steps,
            memory: self.limits.memory,
            ..Settings::sharing(context, Arc::clone(&self.units))
        }
    }

    /// Rows of these measures, in turn; gives those that are left where one used up the budget. What it
    /// left behind in the evaluator must not be taken from the others, and one that shared the evaluator
    /// is tried alone before it is said to have used up anything: the results of a measure do not depend
    /// on the others.
    fn measures<'m>(
        &self,
        measures: &'m [usize],
        options: RowOptions,
        evaluator: &mut Evaluator<'_>,
        out: &mut EvaluationResult,
    ) -> &'m [usize] {
        let (mut rest, mut alone) = (measures, true);
        while let [index, others @ ..] = rest {
            let first = out.rows.len();
            evaluator.cx.renew(self.limits.steps);
            self.measure(*index, options, evaluator, &mut out.rows);
            let exhausted = evaluator.cx.exhausted().is_some();
            if exhausted && !alone {
                out.rows.truncate(first);
                break;
            }
            out.used.push(Used {
                artifact: *index,
                steps: self.limits.steps.saturating_sub(evaluator.cx.steps.get()),
                exhausted,
            });
            rest = others;
            if exhausted {
                break;
            }
            let own = |f: &&Funnel| options.clauses && usize::from(f.artifact) == *index;
            for funnel in self.funnels.iter().filter(own) {
                out.rows.push(funnel.row(evaluator));
            }
            alone = false;
        }
        notes::add(&evaluator.cx.metrics, &mut out.notes);
        rest
    }

    /// Rows of one measure, with the patient's evaluator at hand.
    pub(crate) fn measure<'a>(
        &self,
        index: usize,
        options: RowOptions,
        evaluator: &mut Evaluator<'a>,
        out: &mut Vec<ResultRow>,
    ) {
        let Some(measure) = self.measures.get(index) else {
            return;
        };
        let artifact = u16::try_from(index).unwrap_or(u16::MAX);
        let first = out.len();
        for (number, group) in (0..).zip(&measure.groups) {
            let place = Place {
                artifact,
                group: number,
            };
            evaluate_group(group, place, evaluator, out);
        }
        let own = out.get(first..).unwrap_or_default();
        let nothing = |row: &ResultRow| row.outcome == Truth::False && row.count.unwrap_or(0) == 0;
        if options.sparse && own.iter().all(nothing) {
            out.truncate(first);
            return;
        }
        if in_initial_population(own) {
            let raw = measure
                .supplemental
                .iter()
                .map(|e| supplemental(evaluator, *e))
                .collect();
            crate::score::supplemental(artifact, &measure.definitions, raw, out);
        }
        if options.evaluated_resources {
            let mut ids: Vec<Arc<str>> = measure
                .retrieves(&self.libraries)
                .flat_map(|r| evaluator.retrieved(r as usize))
                .filter_map(member_id)
                .collect();
            ids.sort_unstable();
            ids.dedup();
            out.push(ResultRow {
                artifact,
                count: None,
                value: Value::String(ids.join(" ").into()),
                ..ResultRow::of_patient(RowKind::EvaluatedResources, Truth::True)
            });
        }
    }
}

/// A group's criteria, gated; observations only of members that count.
fn evaluate_group<'a>(
    group: &CompiledGroup,
    place: Place,
    evaluator: &mut Evaluator<'a>,
    out: &mut Vec<ResultRow>,
) {
    let mut members: BTreeMap<Arc<str>, Val<'a>> = BTreeMap::new();
    let mut raw = vec![];
    for target in &group.targets {
        raw.push(match target {
            Target::Criterion(expression) => {
                let value = evaluator.expression(*expression);
                let raw = criterion(&evaluator.cx, value, &group.basis, &mut members);
                let doubt = match raw {
                    Raw::Failed(_) => None,
                    _ => evaluator.in_doubt(*expression),
                };
                match in_doubt(raw, doubt, &members) {
                    Raw::Truth(Truth::Unknown, None) => {
                        Raw::Truth(Truth::Unknown, Some(null_reason(evaluator, *expression)))
                    }
                    told => told,
                }
            }
            // Not looked at: see `RawGroup`.
            Target::Observation(_) => Raw::Truth(Truth::False, None),
        });
    }
    let gated = group.gating.gate(&raw);
    let mut observations: Vec<Vec<Observed>> = vec![];
    for (population, target) in group.targets.iter().enumerate() {
        let Target::Observation(function) = target else {
            continue;
        };
        let mut own = vec![];
        for id in gated.observed(population) {
            let operands: Vec<Val<'a>> = match id {
                Some(id) => members.get(id).copied().into_iter().collect(),
                None => vec![],
            };
            evaluator.cx.take_doubt();
            let value = evaluator.apply(*function, &operands);
            own.push((id.map(Arc::clone), observation(&evaluator.cx, value)));
        }
        observations.push(own);
    }
    let nobody = (0..group.targets.len()).all(|p| gated.count(p) == 0);
    let strata: Vec<RawStrata> = if nobody {
        vec![]
    } else {
        group
            .stratifiers
            .iter()
            .map(|s| stratum(evaluator, s, &group.basis))
            .collect()
    };
    gated.rows(place, &observations, &strata, out);
}

impl PatientProgram for ElmMeasures {
    fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn requirements_of(&self, artifact: usize) -> Vec<usize> {
        self.of_artifact.get(artifact).cloned().unwrap_or_default()
    }

    fn necessary_requirements(&self, artifact: usize, rows: RowOptions) -> Vec<Vec<usize>> {
        if rows.clauses {
            return vec![];
        }
        self.required.get(artifact).cloned().unwrap_or_default()
    }

    fn absent(&self, artifact: usize, rows: RowOptions, out: &mut Vec<ResultRow>) {
        let Some(measure) = self.measures.get(artifact).filter(|_| !rows.sparse) else {
            return;
        };
        let place = u16::try_from(artifact).unwrap_or(u16::MAX);
        for (number, group) in (0..).zip(&measure.groups) {
            let raw: Vec<Raw> = group
                .targets
                .iter()
                .map(|_| match group.basis {
                    Basis::Boolean => Raw::Truth(Truth::False, None),
                    Basis::Resource(_) => Raw::Members(vec![]),
                })
                .collect();
            let place = Place {
                artifact: place,
                group: number,
            };
            group.gating.gate(&raw).rows(place, &[], &[], out);
        }
    }

    fn failed(&self, artifact: usize, reason: &Arc<str>, out: &mut Vec<ResultRow>) {
        let Some(measure) = self.measures.get(artifact) else {
            return;
        };
        let place = u16::try_from(artifact).unwrap_or(u16::MAX);
        for (number, group) in (0..).zip(&measure.groups) {
            let raw = vec![Raw::Failed(Arc::clone(reason)); group.targets.len()];
            let place = Place {
                artifact: place,
                group: number,
            };
            group.gating.gate(&raw).rows(place, &[], &[], out);
        }
    }

    fn steps_of_a_patient(&self) -> Option<u64> {
        Some(self.limits.steps)
    }

    fn evaluate(
        &self,
        record: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let settings = self.settings(wanted.context);
        let artifacts = wanted.artifacts.iter().enumerate();
        let measures: Vec<usize> = artifacts.filter(|(_, w)| **w).map(|(i, _)| i).collect();
        let mut rest = measures.as_slice();
        while !rest.is_empty() {
            with_evaluator(&self.libraries, record, &settings, |evaluator| {
                rest = self.measures(rest, wanted.rows, evaluator, out);
            })
            .map_err(EvaluationError::from)?;
        }
        Ok(())
    }
}
