//! The evaluator of one patient: its settings, its state, and parameters.

use bumpalo::Bump;

use crate::context::cx::{Cx, FULL, Fault, MEMORY, Notes, Out};
use crate::context::doubt::Doubt;
use crate::run::code_index::CodeIndex;
use crate::run::trace::Trace;
use crate::tree::constant::Owned;
use crate::tree::unit::Unit;
use crate::values::types::Type;
use crate::values::value::Val;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::Units;
use engine_patient::system::zone::Zone;

/// Most steps for one patient: nodes evaluated, and items that operators go through.
pub const STEPS: u64 = 200_000_000;

/// What a run tells every evaluation.
#[derive(Debug)]
pub struct Settings {
    /// CQL `Now()`.
    pub now: DateTime,
    /// Where what has no offset is taken to be.
    pub zone: Zone,
    /// The measurement period, both ends included.
    pub period: Option<(DateTime, DateTime)>,
    /// Other parameters, by name.
    pub parameters: Vec<(String, Owned)>,
    pub profile_mode: ProfileMode,
    /// Shared by all evaluations: it remembers conversions.
    pub units: std::sync::Arc<Units>,
    /// Steps for one patient.
    pub steps: u64,
    /// Bytes for one patient.
    pub memory: usize,
}

impl Settings {
    /// For a measurement period; `now` is its end.
    pub fn for_period(start: DateTime, end: DateTime, zone: Zone) -> Self {
        let context = engine_patient::context::EvaluationContext::for_period(start, end, zone);
        Settings::of(&context)
    }

    /// As an evaluation context has it.
    pub fn of(context: &engine_patient::context::EvaluationContext) -> Self {
        Settings::sharing(context, std::sync::Arc::default())
    }

    /// The same, with units that other evaluations use, too.
    pub fn sharing(
        context: &engine_patient::context::EvaluationContext,
        units: std::sync::Arc<Units>,
    ) -> Self {
        Settings {
            now: context.at.with_zone(&context.zone),
            zone: context.zone.clone(),
            period: context.period,
            parameters: vec![],
            profile_mode: ProfileMode::Decide,
            units,
            steps: STEPS,
            memory: MEMORY,
        }
    }
}

/// What was evaluated once.
#[derive(Clone, Copy)]
pub(super) enum Memo<'a> {
    Empty,
    /// It is being evaluated: meeting it again is a circle.
    Open,
    /// Its value, and what is in doubt about it.
    Done(Val<'a>, Doubt),
}

/// Evaluates expressions of a unit for one patient.
pub struct Evaluator<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) record: &'a PatientRecord,
    pub cx: Cx<'a>,
    pub(super) locals: Vec<Val<'a>>,
    pub(super) base: usize,
    /// Slots, counted from the first, whose value is in doubt; hardly ever any.
    pub(super) doubted: Vec<(usize, Doubt)>,
    pub(super) definitions: &'a mut [Memo<'a>],
    pub(super) once: &'a mut [Memo<'a>],
    settings: &'a Settings,
    /// As far as they were asked for.
    parameters: Vec<Option<Out<'a>>>,
    pub(crate) retrieved: Vec<Option<(&'a [Val<'a>], Doubt)>>,
    pub(crate) code_indices: Vec<Option<CodeIndex>>,
    pub(crate) profile_mode: ProfileMode,
    pub(crate) depth: u32,
    /// The values of clauses, where somebody wants to know.
    pub trace: Option<Box<Trace<'a>>>,
}

thread_local! {
    /// The arena of the last patient, its memory kept.
    static ARENA: std::cell::Cell<Option<Bump>> = const { std::cell::Cell::new(None) };
}

/// Runs `work` with an evaluator for this patient.
///
/// # Errors
/// Where memory is used up before anything began.
pub fn with_evaluator<R>(
    unit: &Unit,
    record: &PatientRecord,
    settings: &Settings,
    work: impl FnOnce(&mut Evaluator<'_>) -> R,
) -> Result<R, Fault> {
    let mut arena = ARENA.with(std::cell::Cell::take).unwrap_or_default();
    arena.reset();
    arena.set_allocation_limit(Some(settings.memory));
    let result = {
        Evaluator::new(unit, record, settings, &arena).map(|mut evaluator| work(&mut evaluator))
    };
    // A patient who needed much must not keep it.
    if arena.allocated_bytes() <= 8 << 20 {
        ARENA.with(|a| a.set(Some(arena)));
    }
    result
}

impl<'a> Evaluator<'a> {
    fn new(
        unit: &'a Unit,
        record: &'a PatientRecord,
        settings: &'a Settings,
        arena: &'a Bump,
    ) -> Result<Self, Fault> {
        let full = |_| Fault::Budget(FULL);
        let memo = |n: usize| {
            arena
                .try_alloc_slice_fill_copy(n, Memo::Empty)
                .map_err(full)
        };
        let mut evaluator = Evaluator {
            unit,
            record,
            cx: Cx {
                arena,
                now: settings.now,
                zone: &settings.zone,
                units: &settings.units,
                notes: Notes::default(),
                doubts: crate::context::doubts::Doubts::default(),
                steps: std::cell::Cell::new(settings.steps),
                memory: settings.memory,
                exhausted: std::cell::Cell::new(None),
                nested: std::cell::Cell::new(0),
            },
            locals: Vec::with_capacity(64),
            base: 0,
            doubted: vec![],
            definitions: memo(unit.definitions.len())?,
            once: memo(unit.once as usize)?,
            settings,
            parameters: vec![None; unit.parameters.len()],
            retrieved: vec![None; unit.retrieves.len()],
            code_indices: vec![],
            profile_mode: settings.profile_mode,
            depth: 0,
            trace: None,
        };
        evaluator
            .code_indices
            .resize_with(unit.code_paths.len(), || None);
        Ok(evaluator)
    }

    /// A parameter, evaluated when it is asked for: the default of one library is no matter of measures
    /// that do not use it.
    pub(super) fn parameter(&mut self, index: u32) -> Out<'a> {
        let at = index as usize;
        let unit = self.unit;
        match (self.parameters.get(at), unit.parameters.get(at)) {
            (Some(Some(known)), _) => known.clone(),
            (Some(None), Some(parameter)) => {
                let circle = Err(Fault::Budget("a parameter refers to itself"));
                self.set_parameter(at, Some(circle));
                let (before, depth) = (self.cx.take_doubt(), self.depth);
                let value = self.parameter_value(parameter);
                (self.depth, _) = (depth, self.cx.set_doubt(before));
                // What used up the budget of one measure is asked of the next one anew.
                let kept = match self.cx.exhausted() {
                    Some(_) => None,
                    None => Some(value.clone()),
                };
                self.set_parameter(at, kept);
                value
            }
            _ => Err(Fault::bug("a parameter that is not there")),
        }
    }

    fn set_parameter(&mut self, at: usize, value: Option<Out<'a>>) {
        if let Some(slot) = self.parameters.get_mut(at) {
            *slot = value;
        }
    }

    fn parameter_value(&mut self, parameter: &'a crate::tree::unit::Parameter) -> Out<'a> {
        let settings = self.settings;
        let given = settings
            .parameters
            .iter()
            .find(|(n, _)| **n == *parameter.name);
        if let Some((_, value)) = given {
            return value.value(&self.cx);
        }
        if let (Some((start, end)), "Measurement Period") = (settings.period, &*parameter.name) {
            let zone = &settings.zone;
            let dates = matches!(&parameter.ty, Some(Type::Interval(of)) if **of == Type::Date);
            let bound = |at: DateTime, last: bool| {
                let instant = if last {
                    at.latest(zone)
                } else {
                    at.earliest(zone)
                };
                let moment = zone.moment(instant);
                if dates {
                    Val::Date(DateTime {
                        millis: 0,
                        precision: engine_patient::system::date_time::Precision::Day,
                        offset: None,
                        ..moment
                    })
                } else {
                    Val::DateTime(moment)
                }
            };
            return self
                .cx
                .interval(bound(start, false), bound(end, true), true, true);
        }
        match &parameter.default {
            Some(node) => self.framed(parameter.frame, |e| e.eval(node)),
            None => Ok(Val::Null),
        }
    }

    /// The resources that a retrieve gave, where it was made.
    pub fn retrieved(&self, retrieve: usize) -> &[Val<'a>] {
        self.retrieved
            .get(retrieve)
            .copied()
            .flatten()
            .map_or(&[], |(found, _)| found)
    }
}
