//! Evaluation of checked expressions over one patient's record.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::check::Compiled;
use super::node::{Comprehension, Fold, Node, NodeKind, Select};
use super::operators;
use super::types::Conversion;
use super::value::Val;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::reading;
use engine_patient::record::{Element, Kind, PatientRecord};
use engine_patient::requirements::{DataRequirement, Match};
use engine_patient::system::date_time::DateTime;
use engine_patient::systems::{self, CodedElement};
use engine_patient::terminology::ValueSet;

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
        match self.uncertain(compiled) {
            Val::Between(_, _, reason) => Val::Unknown(reason),
            value => value,
        }
    }

    /// The same, where a number may be known only to lie between two others.
    fn uncertain(&self, compiled: &'r Compiled) -> Val<'r> {
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
        let ty = requirement.resource_type.as_str();
        let value = if self.record.is_available(requirement.resource_type) {
            let resources = self.record.of_type(requirement.resource_type);
            let found = resources.filter_map(|resource| match requirement.matches(resource) {
                Match::Yes => Some(Val::Element(resource)),
                Match::No => None,
                // Others in the list may still decide.
                Match::Unresolved => {
                    let why = format!("a {ty} refers to its code in a resource that was not given");
                    Some(Val::Maybe(Arc::new(Val::Element(resource)), why.into()))
                }
            });
            let found: Vec<Val<'r>> = found.collect();
            let codes = requirement.codes.as_ref().filter(|_| found.is_empty());
            let element = |path| (requirement.resource_type, path);
            match codes.and_then(|c| self.mismatch(element(c.path), &c.value_set)) {
                Some(reason) => Val::Unknown(reason.to_string().into()),
                None => Val::List(found.into()),
            }
        } else {
            Val::Unknown(format!("no {ty} data was given").into())
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
        let value = self.uncertain(compiled);
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
                // A value that is withheld is there.
                Val::Element(element) => {
                    let there = find(element, select).is_some() || is_withheld(element, select);
                    Val::Bool(there)
                }
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
                operators::order(*order, a, b, &self.context.zone)
            }
            NodeKind::Equal(pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::equal(a, b, &self.context.zone)
            }
            NodeKind::NotEqual(pair) => {
                let (a, b) = self.pair(pair, locals);
                match operators::equal(a, b, &self.context.zone) {
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
                            let (value, maybe) = other.item();
                            let zone = &self.context.zone;
                            match operators::equal(item.clone(), value.clone(), zone) {
                                Val::Bool(true) => unless(Val::Bool(true), maybe),
                                told => told,
                            }
                        };
                        any(list.items().iter().map(equal))
                    }
                }
            }
            NodeKind::Index(pair) => match self.pair(pair, locals) {
                (Val::List(items), Val::Int(at)) => operators::at(&items, at),
                (Val::Unknown(reason), _) | (_, Val::Unknown(reason)) => Val::Unknown(reason),
                _ => Val::unknown("`[…]` needs a list and a whole number"),
            },
            NodeKind::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for item in nodes {
                    items.push(self.node(item, locals));
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
            let why = match is_withheld(element, select) {
                true => &select.withheld,
                false => &select.missing,
            };
            return Val::Unknown(why.as_str().into());
        };
        let convert = |e: Element<'r>| {
            convert(e, conversion).unwrap_or(Val::Unknown(select.malformed.as_str().into()))
        };
        if !select.many {
            return convert(found);
        }
        Val::List(found.items().map(convert).collect())
    }

    fn fold(&self, fold: Fold, inner: &'r Comprehension, locals: &mut Locals<'r>) -> Val<'r> {
        let range = match self.node(&inner.range, locals) {
            Val::List(items) => items,
            other => return other,
        };
        let mut unknown = None;
        let mut kept = vec![];
        let mut sure = 0;
        for item in range.iter() {
            let (value, maybe) = item.item();
            set(locals, inner.slot, value);
            let body = self.node(&inner.body, locals);
            // What an item says counts for as much as it is in the list.
            let told = match (fold, &body) {
                (Fold::All, Val::Bool(false)) | (_, Val::Bool(true)) => unless(body, maybe),
                _ => body,
            };
            match (fold, told) {
                (Fold::Exists, Val::Bool(true)) => return Val::Bool(true),
                (Fold::All, Val::Bool(false)) => return Val::Bool(false),
                (Fold::ExistsOne, Val::Bool(true)) => sure += 1,
                (Fold::Filter, Val::Bool(true)) => kept.push(value.clone()),
                (Fold::Filter, Val::Unknown(reason)) => {
                    kept.push(Val::Maybe(Arc::new(value.clone()), reason));
                }
                (_, Val::Bool(_)) => {}
                (_, other) => unknown = unknown.or(Some(other)),
            }
        }
        match (unknown, fold) {
            // Two that hold for sure are not one, whatever the others are.
            (Some(_), Fold::ExistsOne) if sure > 1 => Val::Bool(false),
            (_, Fold::Filter) => Val::List(kept.into()),
            (Some(unknown), _) => unknown,
            (None, Fold::Exists) => Val::Bool(false),
            (None, Fold::All) => Val::Bool(true),
            (None, Fold::ExistsOne) => Val::Bool(sure == 1),
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
            let (value, maybe) = item.item();
            set(locals, inner.slot, value);
            let mut maybe = maybe.cloned();
            match condition.map(|c| self.node(c, locals)) {
                Some(Val::Bool(false)) => continue,
                Some(Val::Unknown(reason)) => maybe = maybe.or(Some(reason)),
                _ => {}
            }
            let value = self.node(&inner.body, locals);
            out.push(match maybe {
                Some(reason) => Val::Maybe(Arc::new(value), reason),
                None => value,
            });
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

/// An outcome that holds only if the item is in the list.
fn unless<'r>(outcome: Val<'r>, maybe: Option<&Cow<'r, str>>) -> Val<'r> {
    match maybe {
        Some(reason) => Val::Unknown(reason.clone()),
        None => outcome,
    }
}

/// Whether an element has no value, and says so.
fn is_withheld(element: Element<'_>, select: &Select) -> bool {
    let mut names = select.properties.iter().map(|(name, _)| *name);
    names.any(|name| reading::is_withheld(element, name))
}

fn find<'r>(element: Element<'r>, select: &Select) -> Option<(Element<'r>, Conversion)> {
    let mut properties = select.properties.iter();
    let found = |name| reading::present(element, name);
    properties.find_map(|(name, conversion)| Some((found(*name)?, *conversion)))
}

/// The value of a FHIR element; `None` where its JSON is of another kind.
fn convert(element: Element<'_>, conversion: Conversion) -> Option<Val<'_>> {
    Some(match conversion {
        Conversion::Bool => Val::Bool(element.as_bool()?),
        Conversion::Int => Val::Int(element.as_i64()?),
        Conversion::Double => Val::Double(element.as_f64().filter(|d| d.is_finite())?),
        Conversion::String => Val::Str(element.as_str()?),
        Conversion::Time(ty) => Val::Time(reading::moment(ty, &element.as_str()?)?),
        Conversion::Element if element.kind() == Kind::Object => Val::Element(element),
        Conversion::Element => return None,
    })
}
