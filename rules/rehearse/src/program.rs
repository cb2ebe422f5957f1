//! Rules as one program over a lake, which makes the calls of each patient and lets them decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, ResultRow, RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_patient::systems::{CodedElement, SystemsInUse};
use rules::{Applicability, Decision, Hook, Rule};

use crate::explanation::explained;
use crate::replay::{Call, replay};
use crate::rows::{self, CallRow, SaidRow};
use crate::settings::Settings;

/// A rule that is rehearsed.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The rule.
    pub rule: Arc<Rule>,
    /// At which calls it is asked: those of its hooks that are replayed.
    pub hooks: Vec<Hook>,
}

impl Candidate {
    /// A rule with those of its hooks that are replayed.
    pub fn of(rule: Arc<Rule>, settings: &Settings) -> Self {
        let mut hooks = rule.hooks.clone();
        hooks.retain(|hook| settings.has(*hook));
        Candidate { rule, hooks }
    }
}

/// By patient: numbers of calls and of rules.
pub(crate) type Chosen = BTreeMap<String, BTreeSet<(u32, usize)>>;

/// All rules of a rehearsal, as one program.
#[derive(Debug)]
pub struct Rehearsal {
    candidates: Vec<Candidate>,
    settings: Settings,
    artifacts: Vec<Artifact>,
    requirements: Vec<DataRequirement>,
    /// Requirements that bring about calls.
    calling: Vec<usize>,
    /// Only these are told, with the reasons.
    chosen: Option<Chosen>,
}

impl Rehearsal {
    /// `used`: the code systems of the lake, of the elements of [`Rehearsal::coded_elements_of`].
    pub fn new(candidates: Vec<Candidate>, settings: Settings, used: &SystemsInUse) -> Self {
        let (requirements, calling) = requirements(&candidates, &settings, used);
        let artifacts = match candidates.is_empty() {
            true => vec![nothing()],
            false => candidates.iter().map(|c| c.rule.artifact.clone()).collect(),
        };
        Rehearsal {
            candidates,
            settings,
            artifacts,
            requirements,
            calling,
            chosen: None,
        }
    }

    /// The coded elements of which a rehearsal asks for the code systems of the lake.
    pub fn coded_elements_of(candidates: &[Candidate]) -> Vec<CodedElement> {
        let all = candidates.iter().flat_map(|c| c.rule.coded_elements());
        let all: BTreeSet<CodedElement> = all.copied().collect();
        all.into_iter().collect()
    }

    pub(crate) fn choosing(mut self, chosen: Chosen) -> Self {
        self.chosen = Some(chosen);
        self
    }

    fn decide(
        &self,
        call: &Call,
        now: &PatientRecord,
        patient: &str,
        out: &mut Vec<ResultRow>,
    ) -> Result<(), EvaluationError> {
        let chosen = match &self.chosen {
            None => None,
            Some(all) => match all.get(patient) {
                Some(own) => Some(own),
                None => return Ok(()),
            },
        };
        let drafts = call.context.call.as_ref().map_or(0, |c| c.drafts.len());
        let row = CallRow {
            at: call.at.earliest(&self.settings.zone),
            moment: call.at.to_string(),
            hook: call.hook.as_str().to_owned(),
            encounter: call.encounter.clone(),
            clinician: call.clinician.clone(),
            site: call.site.clone(),
            drafts: u32::try_from(drafts).unwrap_or(u32::MAX),
        };
        out.push(rows::call(call.number, &row));
        for (number, candidate) in self.candidates.iter().enumerate() {
            if !candidate.hooks.contains(&call.hook)
                || chosen.is_some_and(|own| !own.contains(&(call.number, number)))
            {
                continue;
            }
            match candidate.rule.decide(now, &call.context) {
                Ok(decision) => {
                    let Some((truth, mut said)) = said(&decision) else {
                        continue;
                    };
                    if chosen.is_some() {
                        said.explained =
                            Some(explained(&candidate.rule, &decision, now, &call.context)?);
                    }
                    let reason = decision.unknown_reason.as_deref();
                    let open = truth == Truth::Unknown || said.could_not_check;
                    let reason = reason.filter(|_| open);
                    out.push(rows::said(call.number, number, truth, &said, reason));
                }
                Err(error) => {
                    let said = SaidRow {
                        failed: true,
                        ..SaidRow::default()
                    };
                    let reason = format!("the evaluation failed: {error}");
                    let row = rows::said(call.number, number, Truth::Unknown, &said, Some(&reason));
                    out.push(row);
                }
            }
        }
        Ok(())
    }
}

/// What is worth a row; nothing where a rule does not apply.
fn said(decision: &Decision) -> Option<(Truth, SaidRow)> {
    let truth = match decision.applicability {
        Applicability::Applies => Truth::True,
        Applicability::Unknown => Truth::Unknown,
        Applicability::DoesNotApply if decision.acted_on > 0 => Truth::False,
        Applicability::DoesNotApply => return None,
    };
    let cards = decision.cards.iter();
    let cards = cards.map(|c| (c.indicator.as_str().to_owned(), c.summary.clone()));
    let said = SaidRow {
        cards: cards.collect(),
        could_not_check: decision.has_unknown_card,
        acted_on: u64::try_from(decision.acted_on).unwrap_or(u64::MAX),
        ..SaidRow::default()
    };
    Some((truth, said))
}

fn nothing() -> Artifact {
    Artifact {
        id: "rehearsal".into(),
        url: "".into(),
        version: "".into(),
        title: "".into(),
    }
}

/// Everything that is read, and which of it brings about calls: what the rules ask for; visits and orders,
/// with the drugs that orders refer to; and all resources of a type where the answer of a rule may hang on
/// the code systems that the patient's own are coded in.
fn requirements(
    candidates: &[Candidate],
    settings: &Settings,
    used: &SystemsInUse,
) -> (Vec<DataRequirement>, Vec<usize>) {
    let mut all: Vec<DataRequirement> = vec![];
    let mut add = |requirement: DataRequirement| -> usize {
        let found = all.iter().position(|known| *known == requirement);
        found.unwrap_or_else(|| {
            all.push(requirement);
            all.len() - 1
        })
    };
    let of_type = DataRequirement::of_type;
    let mut calling = vec![];
    // Orders say at which visit they were made, and visits where that was.
    let visits = of_type("Encounter").map(&mut add);
    calling.extend(visits.filter(|_| settings.has(Hook::PatientView)));
    if settings.has(Hook::OrderSelect) || settings.has(Hook::OrderSign) {
        for ty in crate::calls::ORDERS {
            calling.extend(of_type(ty).map(&mut add));
        }
        of_type("Medication").map(&mut add);
    }
    for candidate in candidates {
        for requirement in candidate.rule.data_requirements() {
            add(requirement.clone());
        }
        for element in candidate.rule.coded_elements() {
            if used.may_mismatch(*element, candidate.rule.compared()) {
                of_type(element.0.as_str()).map(&mut add);
            }
        }
    }
    (all, calling)
}

impl PatientProgram for Rehearsal {
    fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    /// Without a visit or an order there is no call.
    fn necessary_requirements(&self, _: usize, _: RowOptions) -> Vec<Vec<usize>> {
        vec![self.calling.clone()]
    }

    /// Nor without one in the period.
    fn necessary_within(&self) -> Option<(i64, i64)> {
        Some(self.settings.period)
    }

    fn absent(&self, _: usize, _: RowOptions, _: &mut Vec<ResultRow>) {}

    fn failed(&self, artifact: usize, reason: &Arc<str>, out: &mut Vec<ResultRow>) {
        let said = SaidRow {
            failed: true,
            ..SaidRow::default()
        };
        out.push(rows::said(0, artifact, Truth::Unknown, &said, Some(reason)));
    }

    fn evaluate(
        &self,
        record: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        if !wanted.artifacts.contains(&true) {
            return Ok(());
        }
        let id = record.patient().and_then(|p| p.get_str("id"));
        let id = id.unwrap_or_default();
        let rows = &mut out.rows;
        let dating = replay(record, &self.settings, &mut |call, now| {
            self.decide(call, now, &id, rows)
        })?;
        if let (Some(dating), None) = (dating, &self.chosen) {
            out.rows.push(rows::dated(&dating));
        }
        Ok(())
    }
}
