//! Evaluation of checked expressions over one patient's record.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::check::Compiled;
use super::node::{Comprehension, Fold, Node, NodeKind, Select};
use super::operators;
use super::types::Conversion;
use super::value::Val;
use crate::context::EvaluationContext;
use crate::record::{Element, Kind, PatientRecord};
use crate::requirements::{DataRequirement, Missing};
use crate::systems::{self, CodedElement};
use crate::terminology::ValueSet;
use crate::time::DateTime;

/// Most work of one evaluation. Comprehensions within each other multiply: one rule must not hold up
/// everything else. A rule over a patient with thousands of resources takes less than a tenth of it.
const MAX_WORK: usize = 10_000_000;
const TOO_MUCH: &str = "the rule takes too much work for this patient";

/// One artifact, one patient, one moment. Definitions and retrieves are evaluated once.
pub struct Evaluation<'r> {
    pub(super) record: &'r PatientRecord,
    pub(super) context: &'r EvaluationContext,
    requirements: &'r [DataRequirement],
    pub(super) value_sets: &'r [Arc<ValueSet>],
    defines: &'r [Compiled],
    defined: RefCell<Vec<Option<Val<'r>>>>,
    retrieved: RefCell<Vec<Option<Val<'r>>>>,
    /// Per element and value set that found nothing: see [`Evaluation::mismatch`].
    mismatches: RefCell<Vec<Mismatch>>,
    /// See [`MAX_WORK`].
    work: Cell<usize>,
}

type Locals<'r> = Vec<Val<'r>>;

/// An element, the address of a value set, and why the one could not be in the other.
type Mismatch = (CodedElement, *const ValueSet, Option<Arc<str>>);

impl<'r> Evaluation<'r> {
    /// Over a record that holds what `requirements` ask for.
    pub fn new(
        record: &'r PatientRecord,
        context: &'r EvaluationContext,
        requirements: &'r [DataRequirement],
        value_sets: &'r [Arc<ValueSet>],
        defines: &'r [Compiled],
    ) -> Self {
        Evaluation {
            record,
            context,
            requirements,
            value_sets,
            defines,
            defined: RefCell::new(vec![None; defines.len()]),
            retrieved: RefCell::new(vec![None; requirements.len()]),
            mismatches: RefCell::new(vec![]),
            work: Cell::new(0),
        }
    }

    /// The value of an expression.
    pub fn evaluate(&self, compiled: &'r Compiled) -> Val<'r> {
        let mut locals = vec![Val::unknown("no value yet"); compiled.slots];
        let value = self.node(&compiled.node, &mut locals);
        // `orElse` and the like must not make an answer of it.
        match self.work.get() > MAX_WORK {
            true => Val::unknown(TOO_MUCH),
            false => value,
        }
    }

    fn work(&self, more: usize) {
        self.work.set(self.work.get().saturating_add(more));
    }

    /// For what is evaluated only to be shown.
    pub(super) fn rest(&self) {
        self.work.set(0);
    }

    /// The resources that the data requirement of this number found; why not, if that cannot be
    /// told.
    pub fn retrieved(&self, index: usize) -> Val<'r> {
        if let Some(Some(known)) = self.retrieved.borrow().get(index) {
            return known.clone();
        }
        let Some(requirement) = self.requirements.get(index) else {
            return Val::unknown("no such data requirement");
        };
        let value = match requirement.retrieve(self.record) {
            Ok(found) if found.is_empty() => {
                let codes = requirement.codes.as_ref();
                let reason = codes
                    .and_then(|c| self.mismatch((requirement.resource_type, c.path), &c.value_set));
                reason.map_or(Val::List(Arc::new([])), |r| {
                    Val::Unknown(r.to_string().into())
                })
            }
            Ok(found) => Val::List(found.into_iter().map(Val::Element).collect()),
            Err(Missing::NotAvailable) => {
                let ty = requirement.resource_type.as_str();
                Val::Unknown(format!("no {ty} data was given").into())
            }
            Err(Missing::UnresolvedReference) => {
                let ty = requirement.resource_type.as_str();
                Val::Unknown(
                    format!("a {ty} refers to its code in a resource that was not given").into(),
                )
            }
        };
        if let Some(slot) = self.retrieved.borrow_mut().get_mut(index) {
            *slot = Some(value.clone());
        }
        value
    }

    /// Why "not in the value set" cannot be told of this element: it is coded in other systems only.
    fn mismatch(&self, element: CodedElement, set: &Arc<ValueSet>) -> Option<Arc<str>> {
        let address = Arc::as_ptr(set);
        let mut all = self.mismatches.borrow_mut();
        if let Some((.., known)) = all.iter().find(|m| m.0 == element && m.1 == address) {
            return known.clone();
        }
        let reason = match &self.context.systems {
            Some(told) => told.mismatch(element, set),
            None => systems::mismatch(element, set, &systems::of_record(self.record, element)),
        };
        let reason = reason.map(Arc::from);
        all.push((element, address, reason.clone()));
        reason
    }

    /// The value of a definition.
    pub(super) fn defined(&self, index: usize) -> Val<'r> {
        if let Some(Some(known)) = self.defined.borrow().get(index) {
            return known.clone();
        }
        let Some(compiled) = self.defines.get(index) else {
            return Val::unknown("no such definition");
        };
        let value = self.evaluate(compiled);
        if let Some(slot) = self.defined.borrow_mut().get_mut(index) {
            *slot = Some(value.clone());
        }
        value
    }

    /// The node behind a definition, for explaining.
    pub(super) fn definition(&self, index: usize) -> Option<&'r Compiled> {
        self.defines.get(index)
    }

    pub(super) fn node(&self, node: &'r Node, locals: &mut Locals<'r>) -> Val<'r> {
        if self.work.get() > MAX_WORK {
            return Val::unknown(TOO_MUCH);
        }
        let value = self.value(node, locals);
        self.work(match (&node.kind, &value) {
            (_, Val::Str(Cow::Owned(text))) => 1 + text.len() / 16,
            (NodeKind::Arithmetic(..), Val::List(items)) => 1 + 4 * items.len(),
            _ => 1,
        });
        value
    }

    fn value(&self, node: &'r Node, locals: &mut Locals<'r>) -> Val<'r> {
        match &node.kind {
            NodeKind::Constant(value) => constant(value),
            NodeKind::Local(slot) => match locals.get(*slot) {
                Some(value) => value.clone(),
                None => Val::unknown("no such variable"),
            },
            NodeKind::Define(index) => self.defined(*index),
            NodeKind::Patient => match self.record.patient() {
                Some(patient) => Val::Element(patient),
                None => Val::unknown("no Patient resource was given"),
            },
            NodeKind::At => Val::Time(self.context.at),
            NodeKind::PeriodStart => self.period(|p| p.0),
            NodeKind::PeriodEnd => self.period(|p| p.1),
            NodeKind::Retrieve(index) => self.retrieved(*index),
            NodeKind::Select(select) => self.select(select, locals),
            NodeKind::Has(select) => match self.node(&select.operand, locals) {
                Val::Element(element) => Val::Bool(find(element, select).is_some()),
                unknown => unknown,
            },
            NodeKind::And(terms) => self.connective(terms, false, locals),
            NodeKind::Or(terms) => self.connective(terms, true, locals),
            NodeKind::Not(inner) => match self.node(inner, locals) {
                Val::Bool(b) => Val::Bool(!b),
                unknown => unknown,
            },
            NodeKind::Conditional(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                match self.node(condition, locals) {
                    Val::Bool(true) => self.node(then, locals),
                    Val::Bool(false) => self.node(otherwise, locals),
                    unknown => unknown,
                }
            }
            NodeKind::Order(order, pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::order(*order, a, b, self.context.zone)
            }
            NodeKind::Equal(pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::equal(a, b, self.context.zone)
            }
            NodeKind::NotEqual(pair) => {
                let (a, b) = self.pair(pair, locals);
                match operators::equal(a, b, self.context.zone) {
                    Val::Bool(equal) => Val::Bool(!equal),
                    unknown => unknown,
                }
            }
            NodeKind::Arithmetic(op, pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::arithmetic(*op, a, b)
            }
            NodeKind::Negate(inner) => operators::negate(self.node(inner, locals)),
            NodeKind::In(pair) => {
                let (item, list) = self.pair(pair, locals);
                match (&item, &list) {
                    (Val::Unknown(_), _) => item,
                    (_, Val::Unknown(_)) => list,
                    _ => {
                        self.work(list.items().len());
                        let equal = |other: &Val<'r>| {
                            operators::equal(item.clone(), other.clone(), self.context.zone)
                        };
                        any(list.items().iter().map(equal))
                    }
                }
            }
            NodeKind::Index(pair) => match self.pair(pair, locals) {
                (Val::List(items), Val::Int(at)) => {
                    let found = usize::try_from(at).ok().and_then(|i| items.get(i).cloned());
                    found.unwrap_or(Val::unknown("the list has no item at this position"))
                }
                (Val::Unknown(reason), _) | (_, Val::Unknown(reason)) => Val::Unknown(reason),
                _ => Val::unknown("`[…]` needs a list and a whole number"),
            },
            NodeKind::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for item in nodes {
                    match self.node(item, locals) {
                        unknown @ Val::Unknown(_) => return unknown,
                        value => items.push(value),
                    }
                }
                Val::List(items.into())
            }
            NodeKind::Fold(fold, inner) => self.fold(*fold, inner, locals),
            NodeKind::Map(inner, condition) => self.map(inner, condition.as_deref(), locals),
            NodeKind::Call(function, args) => self.call(*function, args, locals),
            NodeKind::InValueSet(function, set, args) => {
                let arg = args
                    .first()
                    .map_or(Val::unknown("no argument"), |a| self.node(a, locals));
                let Some(set) = self.value_sets.get(*set) else {
                    return Val::unknown("no such value set");
                };
                let element = args.first().and_then(|a| match &a.kind {
                    NodeKind::Select(select) => select.coded,
                    _ => None,
                });
                match (operators::with_value_set(*function, arg, set), element) {
                    (Val::Bool(false), Some(element)) => self
                        .mismatch(element, set)
                        .map_or(Val::Bool(false), |r| Val::Unknown(r.to_string().into())),
                    (value, _) => value,
                }
            }
        }
    }

    fn pair(&self, pair: &'r [Node; 2], locals: &mut Locals<'r>) -> (Val<'r>, Val<'r>) {
        let [a, b] = pair;
        (self.node(a, locals), self.node(b, locals))
    }

    fn period(&self, part: impl Fn((DateTime, DateTime)) -> DateTime) -> Val<'r> {
        match self.context.period {
            Some(period) => Val::Time(part(period)),
            None => Val::unknown("there is no measurement period here"),
        }
    }

    /// `&&` (decided by `false`) and `||` (decided by `true`): a deciding term wins over unknown
    /// ones, wherever it stands.
    fn connective(&self, terms: &'r [Node], decisive: bool, locals: &mut Locals<'r>) -> Val<'r> {
        let mut unknown = None;
        for term in terms {
            match self.node(term, locals) {
                Val::Bool(b) if b == decisive => return Val::Bool(b),
                Val::Bool(_) => {}
                other => unknown = unknown.or(Some(other)),
            }
        }
        unknown.unwrap_or(Val::Bool(!decisive))
    }

    fn select(&self, select: &'r Select, locals: &mut Locals<'r>) -> Val<'r> {
        let element = match self.node(&select.operand, locals) {
            Val::Element(element) => element,
            other => return other,
        };
        let Some((found, conversion)) = find(element, select) else {
            return Val::Unknown(select.missing.as_str().into());
        };
        let convert = |e: Element<'r>| {
            convert(e, conversion).unwrap_or(Val::Unknown(select.malformed.as_str().into()))
        };
        if !select.many {
            return convert(found);
        }
        let mut items = vec![];
        for item in found.items() {
            match convert(item) {
                unknown @ Val::Unknown(_) => return unknown,
                value => items.push(value),
            }
        }
        Val::List(items.into())
    }

    fn fold(&self, fold: Fold, inner: &'r Comprehension, locals: &mut Locals<'r>) -> Val<'r> {
        let range = match self.node(&inner.range, locals) {
            Val::List(items) => items,
            other => return other,
        };
        let mut unknown = None;
        let mut kept = vec![];
        for item in range.iter() {
            set(locals, inner.slot, item);
            match (fold, self.node(&inner.body, locals)) {
                (Fold::Exists, Val::Bool(true)) => return Val::Bool(true),
                (Fold::All, Val::Bool(false)) => return Val::Bool(false),
                (Fold::Filter | Fold::ExistsOne, Val::Bool(true)) => kept.push(item.clone()),
                (_, Val::Bool(_)) => {}
                (_, other) => unknown = unknown.or(Some(other)),
            }
        }
        match (unknown, fold) {
            // Two that hold for sure are not one, whatever the others are.
            (Some(_), Fold::ExistsOne) if kept.len() > 1 => Val::Bool(false),
            (Some(unknown), _) => unknown,
            (None, Fold::Exists) => Val::Bool(false),
            (None, Fold::All) => Val::Bool(true),
            (None, Fold::ExistsOne) => Val::Bool(kept.len() == 1),
            (None, Fold::Filter) => Val::List(kept.into()),
        }
    }

    fn map(
        &self,
        inner: &'r Comprehension,
        condition: Option<&'r Node>,
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        let range = match self.node(&inner.range, locals) {
            Val::List(items) => items,
            other => return other,
        };
        let mut out = Vec::with_capacity(range.len());
        for item in range.iter() {
            set(locals, inner.slot, item);
            match condition.map(|c| self.node(c, locals)) {
                Some(Val::Bool(false)) => continue,
                Some(unknown @ Val::Unknown(_)) => return unknown,
                _ => {}
            }
            match self.node(&inner.body, locals) {
                unknown @ Val::Unknown(_) => return unknown,
                value => out.push(value),
            }
        }
        Val::List(out.into())
    }

    fn call(
        &self,
        function: super::functions::Function,
        args: &'r [Node],
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        let mut values = args.iter().map(|a| self.node(a, locals));
        let first = values.next().unwrap_or(Val::unknown("no argument"));
        let rest: Vec<Val<'r>> = values.collect();
        self.work(first.items().len());
        operators::call(self, function, first, &rest)
    }
}

fn set<'r>(locals: &mut Locals<'r>, slot: usize, value: &Val<'r>) {
    if let Some(place) = locals.get_mut(slot) {
        *place = value.clone();
    }
}

/// A constant of the program, borrowed.
fn constant<'r>(value: &'r Val<'static>) -> Val<'r> {
    match value {
        Val::Str(text) => Val::Str(text.as_ref().into()),
        Val::Unknown(reason) => Val::Unknown(reason.as_ref().into()),
        other => other.clone(),
    }
}

/// Kleene "or" over outcomes.
fn any<'r>(outcomes: impl Iterator<Item = Val<'r>>) -> Val<'r> {
    let mut unknown = None;
    for outcome in outcomes {
        match outcome {
            Val::Bool(true) => return Val::Bool(true),
            Val::Bool(false) => {}
            other => unknown = unknown.or(Some(other)),
        }
    }
    unknown.unwrap_or(Val::Bool(false))
}

fn find<'r>(element: Element<'r>, select: &Select) -> Option<(Element<'r>, Conversion)> {
    let mut properties = select.properties.iter();
    properties.find_map(|(name, conversion)| Some((element.get(*name)?, *conversion)))
}

/// The value of a FHIR element; `None` where its JSON is of another kind.
fn convert(element: Element<'_>, conversion: Conversion) -> Option<Val<'_>> {
    Some(match conversion {
        Conversion::Bool => Val::Bool(element.as_bool()?),
        Conversion::Int => Val::Int(element.as_i64()?),
        Conversion::Double => Val::Double(element.as_f64().filter(|d| d.is_finite())?),
        Conversion::String => Val::Str(element.as_str()?),
        Conversion::Time => Val::Time(DateTime::parse(&element.as_str()?)?),
        Conversion::Element if element.kind() == Kind::Object => Val::Element(element),
        Conversion::Element => return None,
    })
}
