//! Evaluation: a walk over the compiled tree, with a frame of slots, a memo of definitions, and a
//! budget of steps, depth and memory.

use bumpalo::Bump;
use rust_decimal::Decimal;

use crate::compile::FunctionHandle;
use crate::context::cx::{Cx, FULL, Fault, MEMORY, Notes, Out};
use crate::context::doubt::{Doubt, InDoubt};
use crate::fhir::property::follow;
use crate::inspect::trace::Trace;
use crate::operators::clinical::in_value_set;
use crate::operators::type_test::{accepts, is_type};
use crate::run::retrieve::CodeIndex;
use crate::tree::node::{Kind, Node, Owned};
use crate::tree::unit::{Expression, Unit};
use crate::values::types::Type;
use crate::values::value::{
    Code, CodeSystemVal, Concept, Interval, PointType, Quantity, Ratio, Tuple, Val, ValueSetVal,
};
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::Units;
use engine_patient::system::zone::Zone;

/// Deepest nesting of evaluation: expressions within expressions, definitions within definitions.
const DEPTH: u32 = 4000;
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

    /// Whether these are the settings of a context.
    pub fn is_for(&self, context: &engine_patient::context::EvaluationContext) -> bool {
        self.zone == context.zone
            && self.period == context.period
            && self.now == context.at.with_zone(&context.zone)
    }

    /// The same for another moment and period.
    #[must_use]
    pub fn at(&self, context: &engine_patient::context::EvaluationContext) -> Self {
        Settings {
            units: std::sync::Arc::clone(&self.units),
            parameters: self.parameters.clone(),
            profile_mode: self.profile_mode,
            steps: self.steps,
            memory: self.memory,
            ..Settings::of(context)
        }
    }

    /// As an evaluation context has it.
    pub fn of(context: &engine_patient::context::EvaluationContext) -> Self {
        Settings {
            now: context.at.with_zone(&context.zone),
            zone: context.zone.clone(),
            period: context.period,
            parameters: vec![],
            profile_mode: ProfileMode::Decide,
            units: std::sync::Arc::default(),
            steps: STEPS,
            memory: MEMORY,
        }
    }
}

#[derive(Clone, Copy)]
enum Memo<'a> {
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
    locals: Vec<Val<'a>>,
    base: usize,
    /// Slots, counted from the first, whose value is in doubt; hardly ever any.
    doubted: Vec<(usize, Doubt)>,
    definitions: &'a mut [Memo<'a>],
    once: &'a mut [Memo<'a>],
    settings: &'a Settings,
    /// As far as they were asked for.
    parameters: Vec<Option<Out<'a>>>,
    pub(crate) retrieved: Vec<Option<(&'a [Val<'a>], Doubt)>>,
    pub(crate) code_indices: Vec<Option<CodeIndex>>,
    pub(crate) profile_mode: ProfileMode,
    pub(crate) depth: u32,
    /// What clauses came to, where somebody wants to know.
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
                doubts: crate::context::doubt::Doubts::default(),
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
    fn parameter(&mut self, index: u32) -> Out<'a> {
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
            _ => Ok(Val::Null),
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
            return self.owned(value);
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

    /// The value of a definition.
    pub fn expression(&mut self, expression: Expression) -> Out<'a> {
        self.definition(expression.0)
    }

    /// What is in doubt about the value of a definition that was evaluated: what is counted is its
    /// value, but the outcome is not certain.
    pub fn in_doubt(&self, expression: Expression) -> Option<InDoubt<'a>> {
        match self.definitions.get(expression.0 as usize) {
            Some(Memo::Done(value, doubt)) => self.cx.in_doubt(value, *doubt, self.record),
            _ => None,
        }
    }

    /// The value of a function for these operands.
    pub fn apply(&mut self, function: FunctionHandle, operands: &[Val<'a>]) -> Out<'a> {
        self.call(function.0, operands, &[])
    }

    /// The resources that a retrieve gave, where it was made.
    pub fn retrieved(&self, retrieve: usize) -> &[Val<'a>] {
        self.retrieved
            .get(retrieve)
            .copied()
            .flatten()
            .map_or(&[], |(found, _)| found)
    }

    /// Evaluates with a fresh frame of so many slots.
    pub(crate) fn framed(
        &mut self,
        slots: u32,
        work: impl FnOnce(&mut Self) -> Out<'a>,
    ) -> Out<'a> {
        let (base, length) = (self.base, self.locals.len());
        // A recursion over a function with very many names must not fill the memory.
        self.cx.charge(slots as usize / 16)?;
        self.cx.room(length + slots as usize)?;
        self.base = length;
        self.locals.resize(length + slots as usize, Val::Null);
        let out = stacker::maybe_grow(128 << 10, 2 << 20, || work(self));
        self.locals.truncate(length);
        if !self.doubted.is_empty() {
            self.doubted.retain(|(slot, _)| *slot < length);
        }
        self.base = base;
        out
    }

    fn definition(&mut self, index: u32) -> Out<'a> {
        let at = index as usize;
        match self.definitions.get(at) {
            Some(Memo::Done(value, doubt)) => {
                self.cx.add_doubt(*doubt);
                return Ok(*value);
            }
            Some(Memo::Open) => {
                return Err(Fault::Budget("a definition refers to itself"));
            }
            _ => {}
        }
        let unit = self.unit;
        let Some(definition) = unit.definitions.get(at) else {
            return Ok(Val::Null);
        };
        self.set_definition(at, Memo::Open);
        let depth = self.depth;
        let before = self.cx.take_doubt();
        let value = self.framed(definition.frame, |e| e.eval(&definition.node));
        self.depth = depth;
        let doubt = self.cx.doubt();
        self.cx.set_doubt(before.or(doubt));
        let memo = match &value {
            Ok(value) => Memo::Done(*value, doubt),
            Err(_) => Memo::Empty,
        };
        self.set_definition(at, memo);
        if let (Some(trace), Ok(value)) = (&mut self.trace, &value) {
            trace.definition(index, *value);
        }
        value
    }

    fn set_definition(&mut self, at: usize, memo: Memo<'a>) {
        if let Some(slot) = self.definitions.get_mut(at) {
            *slot = memo;
        }
    }

    /// A slot of the frame.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Val<'a> {
        self.locals
            .get(self.base + slot as usize)
            .copied()
            .unwrap_or(Val::Null)
    }

    #[inline]
    pub(crate) fn set(&mut self, slot: u32, value: Val<'a>) {
        if let Some(place) = self.locals.get_mut(self.base + slot as usize) {
            *place = value;
        }
        if !self.doubted.is_empty() {
            let at = self.base + slot as usize;
            self.doubted.retain(|(slot, _)| *slot != at);
        }
    }

    /// Sets a slot to a value that may be in doubt: whoever reads it is told.
    pub(crate) fn set_doubtful(&mut self, slot: u32, value: Val<'a>, doubt: Doubt) {
        self.set(slot, value);
        if doubt.is_some() {
            self.doubted.push((self.base + slot as usize, doubt));
        }
    }

    fn local(&self, slot: u32) -> Val<'a> {
        if !self.doubted.is_empty() {
            let at = self.base + slot as usize;
            let found = self.doubted.iter().find(|(slot, _)| *slot == at);
            self.cx
                .add_doubt(found.map_or(Doubt::NONE, |(_, doubt)| *doubt));
        }
        self.get(slot)
    }

    /// The value of an expression.
    pub(crate) fn eval(&mut self, node: &'a Node) -> Out<'a> {
        self.cx.charge(1)?;
        self.depth += 1;
        if self.depth > DEPTH {
            self.depth -= 1;
            return Err(Fault::Budget("the logic is nested too deep"));
        }
        let value = if self.depth.is_multiple_of(32) {
            stacker::maybe_grow(128 << 10, 2 << 20, || self.eval_kind(node))
        } else {
            self.eval_kind(node)
        };
        self.depth = self.depth.saturating_sub(1);
        if let (Some(trace), Ok(value)) = (&mut self.trace, &value) {
            trace.node(node, *value);
        }
        value
    }

    fn eval_kind(&mut self, node: &'a Node) -> Out<'a> {
        match &node.kind {
            Kind::Const(value) => self.owned(value),
            Kind::Param(index) => self.parameter(*index),
            Kind::Def(index) => self.definition(*index),
            Kind::Local(slot) => Ok(self.local(*slot)),
            Kind::Once(index, node) => self.once(*index, node),
            Kind::Op(operator, args, extra) => match &**args {
                [a] => {
                    let before = self.cx.take_doubt();
                    let (a, marks) = ([self.eval(a)?], [self.cx.take_doubt()]);
                    self.operate(*operator, &a, &marks, extra, before)
                }
                [a, b] => {
                    let before = self.cx.take_doubt();
                    let (a, first) = (self.eval(a)?, self.cx.take_doubt());
                    let (b, second) = (self.eval(b)?, self.cx.take_doubt());
                    self.operate(*operator, &[a, b], &[first, second], extra, before)
                }
                several => {
                    let before = self.cx.take_doubt();
                    let args = self.all(several)?;
                    let marks = [self.cx.take_doubt()];
                    self.operate(*operator, &args, &marks, extra, before)
                }
            },
            Kind::Fold(operator, args, extra) => {
                let before = self.cx.take_doubt();
                let mut args = args.iter();
                let mut value = match args.next() {
                    Some(first) => self.eval(first)?,
                    None => Val::Null,
                };
                for arg in args {
                    let first = self.cx.take_doubt();
                    let (arg, second) = (self.eval(arg)?, self.cx.take_doubt());
                    let (both, marks) = ([value, arg], [first, second]);
                    value = self.operate(*operator, &both, &marks, extra, Doubt::NONE)?;
                }
                let own = self.cx.doubt();
                self.cx.set_doubt(before.or(own));
                Ok(value)
            }
            Kind::And(both) => self.and(both),
            Kind::Or(both) => self.or(both),
            Kind::Implies(both) => self.implies(both),
            Kind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let before = self.cx.take_doubt();
                let (holds, doubt) = self.side(condition)?;
                self.cx.set_doubt(before);
                let value = match holds {
                    Some(true) => self.eval(then),
                    _ => self.eval(otherwise),
                };
                self.chosen(value?, doubt)
            }
            Kind::Case(comparand, items, otherwise) => {
                let before = self.cx.take_doubt();
                let value = self.case(comparand.as_deref(), items, otherwise)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::Coalesce(items) => {
                let before = self.cx.take_doubt();
                let value = self.coalesce(items)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::List(items) => {
                let items = self.all(items)?;
                self.cx.list(&items)
            }
            Kind::Tuple(class, names, values) => self.tuple(class.as_deref(), names, values),
            Kind::Interval(interval) => self.interval(interval),
            Kind::Property(source, path) => {
                let before = self.cx.take_doubt();
                let value = self.eval(source)?;
                if let Val::Interval(interval) = value {
                    self.cx.add_doubt(self.cx.doubt_of_interval(interval));
                }
                let value = follow(&self.cx, value, path)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::As(operand, ty, strict) => {
                let value = self.eval(operand)?;
                if value.is_null() || is_type(&self.cx, &value, ty)? {
                    return Ok(value);
                }
                self.not_cast(&value, ty);
                if *strict {
                    let from = value.type_name();
                    return Err(Fault::Raised(format!("a {from} cannot be cast to {ty}")));
                }
                Ok(Val::Null)
            }
            Kind::Is(operand, ty) => {
                let value = self.eval(operand)?;
                Ok(Val::Boolean(
                    !value.is_null() && is_type(&self.cx, &value, ty)?,
                ))
            }
            Kind::Call(function, args) => {
                let (args, marks) = self.all_marked(args)?;
                self.call(*function, &args, &marks)
            }
            Kind::Dispatch(candidates, args) => {
                let (args, marks) = self.all_marked(args)?;
                self.dispatch(candidates, &args, &marks)
            }
            Kind::Query(query) => self.query(query),
            Kind::Retrieve(index) => self.retrieve(*index),
            Kind::InValueSet(code, set) => {
                let (code, set) = (self.eval(code)?, self.eval(set)?);
                in_value_set(&self.cx, code, set)
            }
            Kind::Filter(source, slot, condition) => self.filter(source, *slot, condition),
            Kind::ForEach(source, slot, element) => self.for_each(source, *slot, element),
            Kind::Repeat(source, slot, element) => self.repeat(source, *slot, element),
            Kind::Sort(source, keys) => self.sorted(source, keys),
            Kind::Aggregate(source, item, total, iteration, initial) => {
                let mut value = match initial {
                    Some(initial) => self.eval(initial)?,
                    None => Val::Null,
                };
                for element in self.items(source)? {
                    self.set(*item, *element);
                    self.set(*total, value);
                    value = self.eval(iteration)?;
                }
                Ok(value)
            }
            Kind::Message(parts) => self.message(parts),
        }
    }

    /// Notes a list or tuple that a cast does not fit: its members are lost.
    fn not_cast(&self, value: &Val<'a>, ty: &Type) {
        let what = match value {
            Val::List(_) => "a list",
            Val::Tuple(_) => "a tuple",
            _ => return,
        };
        self.cx.notes.cast(what, ty);
    }

    /// Values with their marks, where there are any.
    fn all_marked(&mut self, nodes: &'a [Node]) -> Result<(Vec<Val<'a>>, Vec<Doubt>), Fault> {
        let before = self.cx.take_doubt();
        let (mut out, mut marks) = (Vec::with_capacity(nodes.len()), vec![]);
        for node in nodes {
            out.push(self.eval(node)?);
            let doubt = self.cx.take_doubt();
            if doubt.is_some() {
                marks.resize(out.len() - 1, Doubt::NONE);
                marks.push(doubt);
            }
        }
        self.cx.set_doubt(before);
        Ok((out, marks))
    }

    fn all(&mut self, nodes: &'a [Node]) -> Result<Vec<Val<'a>>, Fault> {
        let mut out = Vec::with_capacity(nodes.len());
        for node in nodes {
            out.push(self.eval(node)?);
        }
        Ok(out)
    }

    /// The items of a list; none of null.
    pub(crate) fn items(&mut self, source: &'a Node) -> Result<&'a [Val<'a>], Fault> {
        Ok(match self.eval(source)? {
            Val::List(items) => items,
            Val::Null => &[],
            one => self.cx.slice(&[one])?,
        })
    }

    fn once(&mut self, index: u32, node: &'a Node) -> Out<'a> {
        let at = index as usize;
        if let Some(Memo::Done(value, doubt)) = self.once.get(at) {
            self.cx.add_doubt(*doubt);
            return Ok(*value);
        }
        let before = self.cx.take_doubt();
        let value = self.eval(node)?;
        let doubt = self.cx.doubt();
        self.cx.set_doubt(before.or(doubt));
        if let Some(slot) = self.once.get_mut(at) {
            *slot = Memo::Done(value, doubt);
        }
        Ok(value)
    }

    fn case(
        &mut self,
        comparand: Option<&'a Node>,
        items: &'a [(Node, Node)],
        otherwise: &'a Node,
    ) -> Out<'a> {
        let comparand = match comparand {
            Some(node) => Some(self.eval(node)?),
            None => None,
        };
        for (when, then) in items {
            let when = self.eval(when)?;
            let holds = match comparand {
                Some(comparand) => {
                    let told = crate::operators::compare::equal(&self.cx, comparand, when)?;
                    if told.is_none() {
                        self.undecided(&[comparand, when]);
                    }
                    told == Some(true)
                }
                None => when.truth() == Some(true),
            };
            if holds {
                return self.eval(then);
            }
        }
        self.eval(otherwise)
    }

    fn coalesce(&mut self, items: &'a [Node]) -> Out<'a> {
        if let [only] = items {
            // One operand is a list to choose from.
            return Ok(match self.eval(only)? {
                Val::List(items) => items
                    .iter()
                    .find(|i| !i.is_null())
                    .copied()
                    .unwrap_or(Val::Null),
                other => other,
            });
        }
        for item in items {
            let value = self.eval(item)?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        Ok(Val::Null)
    }

    fn tuple(
        &mut self,
        class: Option<&'a str>,
        names: &'a [Box<str>],
        values: &'a [Node],
    ) -> Out<'a> {
        let values = self.all(values)?;
        let names: Vec<&str> = names.iter().map(|n| &**n).collect();
        let tuple = Tuple {
            type_name: class,
            names: self.cx.slice(&names)?,
            values: self.cx.slice(&values)?,
        };
        let Some(class) = class else {
            return Ok(Val::Tuple(self.cx.keep(tuple)?));
        };
        crate::run::instance::of(&self.cx, class, tuple)
    }

    fn interval(&mut self, node: &'a crate::tree::node::IntervalNode) -> Out<'a> {
        let before = self.cx.take_doubt();
        let (low, no_low) = (self.eval(&node.low)?, self.cx.take_doubt());
        let (high, no_high) = (self.eval(&node.high)?, self.cx.take_doubt());
        self.cx.set_doubt(before);
        let low_closed = self.eval(&node.low_closed)?.truth().unwrap_or(false);
        let high_closed = self.eval(&node.high_closed)?.truth().unwrap_or(false);
        // A bound that is null because what is there cannot be read is unknown, not open-ended. The
        // interval carries the mark: the other bound may decide.
        let unknown = |bound: &Val<'_>, mark: Doubt| bound.is_null() && mark.is_there();
        let (open_low, open_high) = (unknown(&low, no_low), unknown(&high, no_high));
        let (low_closed, high_closed) = (low_closed && !open_low, high_closed && !open_high);
        let mut carried = Doubt::NONE;
        for (open, mark) in [(open_low, no_low), (open_high, no_high)] {
            match open {
                true => carried = carried.or(mark),
                false => self.cx.add_doubt(mark),
            }
        }
        let made = crate::operators::interval::make(&self.cx, low, high, low_closed, high_closed)?;
        let Val::Interval(mut interval) = made else {
            return Ok(made);
        };
        // Both bounds null: the type of the points is known from the text only.
        if interval.point == PointType::Unknown && node.point != PointType::Unknown {
            interval = self.cx.keep(Interval {
                point: node.point,
                ..*interval
            })?;
        }
        self.cx.doubt_interval(interval, carried);
        Ok(Val::Interval(interval))
    }

    fn call(&mut self, function: u32, args: &[Val<'a>], marks: &[Doubt]) -> Out<'a> {
        let unit = self.unit;
        let Some(function) = unit.functions.get(function as usize) else {
            return Ok(Val::Null);
        };
        self.framed(function.frame, |e| {
            for (slot, value) in args.iter().enumerate() {
                let mark = marks.get(slot).copied().unwrap_or_default();
                e.set_doubtful(u32::try_from(slot).unwrap_or(u32::MAX), *value, mark);
            }
            e.eval(&function.node)
        })
    }

    /// The overload whose operands fit best: all of the very type, else all of a base type.
    fn dispatch(&mut self, candidates: &'a [u32], args: &[Val<'a>], marks: &[Doubt]) -> Out<'a> {
        let unit = self.unit;
        let mut fits = None;
        let mut best = 0;
        for candidate in candidates {
            let Some(function) = unit.functions.get(*candidate as usize) else {
                continue;
            };
            let Some(score) = accepts(&self.cx, args, &function.operands)? else {
                continue;
            };
            if fits.is_none() || score > best {
                (fits, best) = (Some(*candidate), score);
            }
        }
        match fits {
            Some(function) => self.call(function, args, marks),
            None if args.iter().all(Val::is_null) => {
                marks.iter().for_each(|mark| self.cx.add_doubt(*mark));
                Ok(Val::Null)
            }
            None => {
                let name = candidates
                    .first()
                    .and_then(|c| unit.functions.get(*c as usize))
                    .map_or("", |f| &f.name);
                let given: Vec<&str> = args.iter().map(Val::type_name).collect();
                Err(Fault::Raised(format!(
                    "the function `{name}` has no overload for ({})",
                    given.join(", ")
                )))
            }
        }
    }

    fn repeat(&mut self, source: &'a Node, slot: u32, element: &'a Node) -> Out<'a> {
        let mut out = vec![];
        let mut next: Vec<Val<'a>> = self.items(source)?.to_vec();
        while !next.is_empty() {
            let mut found = vec![];
            for item in &next {
                self.set(slot, *item);
                match self.eval(element)? {
                    Val::List(items) => found.extend_from_slice(items),
                    Val::Null => {}
                    one => found.push(one),
                }
            }
            let from = out.len();
            crate::operators::list::push_distinct(&self.cx, &mut out, &found)?;
            next = out.get(from..).unwrap_or_default().to_vec();
        }
        self.cx.list(&out)
    }

    /// §24 `Message`: gives its source; errors and warnings are counted in the ledger. An error is a
    /// run-time error: what is counted stays what it is with the source, which content sets to null,
    /// but what rests on it is unknown, with the code of the message.
    fn message(&mut self, parts: &'a [Node; 5]) -> Out<'a> {
        let [source, condition, code, severity, _] = parts;
        let source = self.eval(source)?;
        if self.eval(condition)?.truth() == Some(true) {
            let severity = self.eval(severity)?;
            let is = |wanted| matches!(severity, Val::String(s) if s.eq_ignore_ascii_case(wanted));
            let error = is("error");
            if error || is("warning") {
                // Codes come from the library; a computed one could hold data.
                let code = match (&code.kind, self.eval(code)?) {
                    (Kind::Const(_), Val::String(code)) => code,
                    _ => "a message without a fixed code",
                };
                match error {
                    true => self.cx.error(code),
                    false => self.cx.notes.message(code),
                }
            }
        }
        Ok(source)
    }

    /// A constant, brought into the arena where it is no plain value.
    pub(crate) fn owned(&mut self, value: &'a Owned) -> Out<'a> {
        let cx = &self.cx;
        let code = |c: &'a crate::tree::node::OwnedCode| Code {
            code: c.code.as_deref(),
            system: c.system.as_deref(),
            version: c.version.as_deref(),
            display: c.display.as_deref(),
            key: c.key,
        };
        Ok(match value {
            Owned::Null => Val::Null,
            Owned::Boolean(b) => Val::Boolean(*b),
            Owned::Integer(i) => Val::Integer(*i),
            Owned::Long(l) => Val::Long(*l),
            Owned::Decimal(d) => Val::Decimal(*d),
            Owned::String(text) => Val::String(text),
            Owned::Date(d) => Val::Date(*d),
            Owned::DateTime(d) => Val::DateTime(d.with_zone(cx.zone)),
            Owned::Time(t) => Val::Time(*t),
            Owned::Quantity(value, unit) => Val::Quantity(cx.keep(Quantity {
                value: *value,
                unit,
            })?),
            Owned::Ratio(parts) => {
                let [(n, nu), (d, du)] = &**parts;
                let part = |value: Decimal, unit: &'a str| Quantity { value, unit };
                Val::Ratio(cx.keep(Ratio {
                    numerator: part(*n, nu),
                    denominator: part(*d, du),
                })?)
            }
            Owned::Code(c) => Val::Code(cx.keep(code(c))?),
            Owned::Concept(codes, display) => {
                let codes: Vec<Code<'a>> = codes.iter().map(code).collect();
                Val::Concept(cx.keep(Concept {
                    codes: cx.slice(&codes)?,
                    display: display.as_deref(),
                })?)
            }
            Owned::ValueSet(set) => Val::ValueSet(cx.keep(ValueSetVal {
                id: &set.id,
                version: set.version.as_deref(),
                name: &set.name,
                set: set.set.as_deref(),
            })?),
            Owned::CodeSystem(system) => Val::CodeSystem(cx.keep(CodeSystemVal {
                id: &system.id,
                version: system.version.as_deref(),
                name: &system.name,
            })?),
            Owned::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.push(self.owned(item)?);
                }
                self.cx.list(&out)?
            }
        })
    }
}
