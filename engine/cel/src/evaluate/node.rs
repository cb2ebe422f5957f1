//! The value of each kind of node.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::fhir::model::Model;
use engine_patient::system::date_time::DateTime;
use engine_patient::systems::CodedElement;
use engine_patient::terminology::ValueSet;

use super::comprehension::unless;
use super::evaluation::{Evaluation, Locals, TOO_MUCH};
use super::select::{find, is_withheld};
use crate::conditions::key;
use crate::explain::truth_of;
use crate::functions::{self, FunctionInfo};
use crate::nodes::{Node, NodeKind};
use crate::operators;
use crate::value::Val;

impl<'r> Evaluation<'r> {
    /// The value of a node; costs work.
    pub(crate) fn node(&self, node: &'r Node, locals: &mut Locals<'r>) -> Val<'r> {
        if self.is_tired() {
            return Val::unknown(TOO_MUCH);
        }
        let value = self.value(node, locals);
        if let Some(seen) = &self.scene.context.outcomes_seen
            && matches!(value, Val::Bool(_) | Val::Unknown(_))
        {
            seen.note(key(node), truth_of(&value).0);
        }
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
                None => self.broken(node.span, "there is no such variable"),
            },
            NodeKind::Define(index) => match self.defined(*index) {
                Some(value) => value,
                None => self.broken(node.span, "there is no such definition"),
            },
            NodeKind::Item => self.item(),
            NodeKind::Column(index) => match self.cell(*index) {
                Some(value) => constant(value),
                None => self.broken(node.span, "there is no such column"),
            },
            NodeKind::HasCell(index) => match self.cell(*index) {
                Some(Val::Str(text)) => Val::Bool(!text.trim().is_empty()),
                Some(Val::Drugs(drugs)) => Val::Bool(!drugs.is_empty()),
                Some(value) => Val::Bool(value.why_unknown().is_none()),
                None => self.broken(node.span, "there is no such column"),
            },
            NodeKind::Hook => match &self.scene.context.call {
                Some(call) => Val::Str(call.hook.as_ref().into()),
                None => Val::unknown(NO_CALL),
            },
            NodeKind::User => match &self.scene.context.call {
                Some(call) => match &call.user {
                    Some(user) => Val::Str(user.as_ref().into()),
                    None => Val::unknown("the call names no user"),
                },
                None => Val::unknown(NO_CALL),
            },
            NodeKind::Wrong => self.broken(node.span, "it was found to be wrong"),
            NodeKind::Patient => match self.scene.record.patient() {
                Some(patient) => Val::Element(patient),
                None => Val::unknown("no Patient resource was given"),
            },
            NodeKind::At => Val::Time(self.scene.context.at),
            NodeKind::PeriodStart => self.period(|p| p.0),
            NodeKind::PeriodEnd => self.period(|p| p.1),
            NodeKind::Retrieve(index) => match self.retrieved(*index) {
                Some(value) => value,
                None => self.broken(node.span, "there is no such data requirement"),
            },
            NodeKind::Select(select) => self.select(select, locals),
            NodeKind::Has(select) => {
                let operand = self.node(&select.operand, locals);
                // A value that is withheld is there.
                self.of_each(operand, |element| {
                    let there = find(element, select).is_some() || is_withheld(element, select);
                    Val::Bool(there)
                })
            }
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
                operators::order(*order, a, b, &self.scene.context.zone)
            }
            NodeKind::Equal(pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::equal(a, b, &self.scene.context.zone)
            }
            NodeKind::NotEqual(pair) => {
                let (a, b) = self.pair(pair, locals);
                match operators::equal(a, b, &self.scene.context.zone) {
                    Val::Bool(equal) => Val::Bool(!equal),
                    unknown => unknown,
                }
            }
            NodeKind::Arithmetic(op, numbers, pair) => {
                let (a, b) = self.pair(pair, locals);
                operators::arithmetic(*op, *numbers, a, b, &self.scene.context.zone)
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
                            let zone = &self.scene.context.zone;
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
                (Val::List(items), Val::Int(at)) => functions::item_at(&items, at),
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
            NodeKind::Call(function, args) => {
                let values: Vec<Val<'r>> = args.iter().map(|a| self.node(a, locals)).collect();
                self.work(values.first().map_or(0, |first| first.items().len()));
                if self.are_too_many(&values) {
                    return Val::unknown(TOO_MUCH);
                }
                function.call(&self.scene, &values, None)
            }
            NodeKind::InValueSet(function, set, args) => {
                let Some(set) = self.value_sets.get(*set) else {
                    return self.broken(node.span, "there is no such value set");
                };
                self.in_value_set(function, args, set, locals)
            }
        }
    }

    fn in_value_set(
        &self,
        function: &'static FunctionInfo,
        args: &'r [Node],
        set: &'r Arc<ValueSet>,
        locals: &mut Locals<'r>,
    ) -> Val<'r> {
        let element = match args.first().map(|arg| &arg.kind) {
            Some(NodeKind::Select(select)) => select.coded,
            _ => None,
        };
        let values: Vec<Val<'r>> = args.iter().map(|a| self.node(a, locals)).collect();
        if self.are_too_many(&values) {
            return Val::unknown(TOO_MUCH);
        }
        let value = function.call(&self.scene, &values, Some(set));
        if !matches!(value, Val::Bool(false)) {
            return value;
        }
        // Of resources that were not asked for there are many: a text is "not this one", as it is for a
        // retrieve. An answer is the one that was asked for.
        if !element.is_some_and(is_own_code) && values.iter().any(functions::is_without_code) {
            return Val::unknown("there is a text and no code");
        }
        let reason = element.and_then(|element| self.mismatch(element, set));
        reason.map_or(Val::Bool(false), |r| Val::Unknown(r.to_string().into()))
    }

    /// Whether a function would be called too often: each that an argument may be is asked.
    fn are_too_many(&self, args: &[Val<'r>]) -> bool {
        let mut calls = 1_usize;
        for arg in args {
            if let Val::Either(all, _) = arg {
                calls = calls.saturating_mul(all.len());
            }
        }
        if calls > 1 {
            self.work(calls);
        }
        self.is_tired()
    }

    fn pair(&self, pair: &'r [Node; 2], locals: &mut Locals<'r>) -> (Val<'r>, Val<'r>) {
        let [a, b] = pair;
        (self.node(a, locals), self.node(b, locals))
    }

    fn period(&self, part: impl Fn((DateTime, DateTime)) -> DateTime) -> Val<'r> {
        match self.scene.context.period {
            Some(period) => Val::Time(part(period)),
            None => Val::unknown("there is no measurement period here"),
        }
    }

    /// `&&` (absorbing: `false`) and `||` (absorbing: `true`): an absorbing term wins over unknown
    /// ones, wherever it stands.
    fn connective(&self, terms: &'r [Node], absorbing: bool, locals: &mut Locals<'r>) -> Val<'r> {
        let mut unknown = None;
        for term in terms {
            match self.node(term, locals) {
                Val::Bool(b) if b == absorbing => return Val::Bool(b),
                Val::Bool(_) => {}
                other => unknown = unknown.or(Some(other)),
            }
        }
        unknown.unwrap_or(Val::Bool(!absorbing))
    }
}

const NO_CALL: &str = "no hook was called";

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

/// Whether an element says what its resource is, and is what retrieves ask for.
fn is_own_code((ty, path): CodedElement) -> bool {
    let info = Model::r4().resource(ty.as_str());
    info.is_some_and(|info| info.primary_code_path == Some(path))
}
