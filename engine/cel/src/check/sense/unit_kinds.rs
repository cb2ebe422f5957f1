//! One value taken in units of two kinds: one of the two is never known.
//!
//! An error only where it is surely one value: the same `.latest()` of the same value set, or the same
//! variable of one comprehension. A warning for two readings of one value set. Nothing for whoever asks for
//! the code too, or tries one unit after the other.

use engine_patient::finding::Code;
use engine_patient::system::units::{self, written};
use rust_decimal::Decimal;

use super::known::Known;
use super::look::Look;
use super::origin::{Origin, UnitInUse, Units};
use super::trace::origin;
use crate::functions::Function;
use crate::nodes::{Node, NodeKind};

/// Most units that are kept of a definition.
const MOST: usize = 64;

/// The units that must go for an expression to be known, and whether it asks for codes.
pub fn units(node: &Node, known: &dyn Known, scope: &[Origin]) -> Units {
    let mut units = Units {
        asks_codes: asks_codes(node, known),
        ..Units::default()
    };
    collect(node, known, scope, &mut units.all);
    units.all.truncate(MOST);
    units
}

/// Looks at an expression, or at a part of one that is true or false by itself: a term of `||`, what is
/// asked of each item.
pub fn part(look: &mut Look<'_>, node: &Node) {
    let Units { all, asks_codes } = units(node, look.known, &look.scope);
    for (number, here) in all.iter().enumerate() {
        let other_kind = |other: &&UnitInUse| !convertible(&other.unit, &here.unit);
        let mut before = all.get(..number).unwrap_or_default().iter();
        let one_value =
            |other: &&UnitInUse| other.of.is_some() && other.of == here.of && other_kind(other);
        if let Some(other) = before.find(one_value) {
            if !asks_codes {
                tell(look, here, &other.unit.clone(), true);
            }
            continue;
        }
        if asks_codes || here.defined || look.alternatives > 0 {
            continue;
        }
        // Two readings of one value set are mostly of one kind.
        let one_set = |other: &&UnitInUse| other.shown == here.shown && other_kind(other);
        match look
            .units
            .iter()
            .find(one_set)
            .map(|other| other.unit.clone())
        {
            Some(unit) => tell(look, here, &unit, false),
            None => look.units.push(here.clone()),
        }
    }
}

fn tell(look: &mut Look<'_>, here: &UnitInUse, other: &str, sure: bool) {
    let message = format!(
        "`{}` measures something else than `{other}`, in which `{}` is taken elsewhere: one of the two is always unknown",
        here.unit, here.shown
    );
    let help = format!(
        "take the value in one kind of unit, as in `{other}`; where data has both, write `orElse(quantityIn(…), quantityIn(…) * factor)`"
    );
    match sure {
        true => look.error(Code::OtherUnit, message, here.span, Some(help)),
        false => look.warning(Code::OtherUnit, message, here.span, Some(help)),
    }
}

/// The units of what must be known; not of what is one of several ways.
fn collect(node: &Node, known: &dyn Known, scope: &[Origin], found: &mut Vec<UnitInUse>) {
    let mut each = |nodes: &[Node]| {
        nodes
            .iter()
            .for_each(|node| collect(node, known, scope, found));
    };
    match &node.kind {
        NodeKind::And(nodes) | NodeKind::List(nodes) | NodeKind::InValueSet(_, _, nodes) => {
            each(nodes);
        }
        NodeKind::Select(select) | NodeKind::Has(select) => {
            collect(&select.operand, known, scope, found);
        }
        NodeKind::Not(inner) | NodeKind::Negate(inner) => collect(inner, known, scope, found),
        NodeKind::Order(_, pair)
        | NodeKind::Equal(pair)
        | NodeKind::NotEqual(pair)
        | NodeKind::Arithmetic(_, _, pair)
        | NodeKind::In(pair)
        | NodeKind::Index(pair) => each(&**pair),
        NodeKind::Fold(_, inner) | NodeKind::Map(inner, _) => {
            collect(&inner.range, known, scope, found);
        }
        NodeKind::Call(Function::OrElse, _) => {}
        NodeKind::Call(function, args) => {
            each(args);
            if let (Function::QuantityIn, [value, unit]) = (function, args.as_slice())
                && let Some(text) = origin(unit, known, scope)
                    .text
                    .filter(|t| written::is_ucum(t))
            {
                let value = origin(value, known, scope);
                // One of all observations may be of any kind.
                let shown = value.from.filter(|from| !from.contains("()"));
                if let Some(shown) = shown {
                    found.push(UnitInUse {
                        of: value.same,
                        shown,
                        unit: text,
                        span: unit.span,
                        defined: false,
                    });
                }
            }
        }
        NodeKind::Define(index) => {
            let units = known.units(*index).map(|units| &units.all);
            found.extend(units.into_iter().flatten().map(|unit| UnitInUse {
                span: node.span,
                defined: true,
                ..unit.clone()
            }));
            found.truncate(MOST);
        }
        _ => {}
    }
}

/// Whether anywhere in it a code decides: then the same value may be of several kinds.
fn asks_codes(node: &Node, known: &dyn Known) -> bool {
    let asks = |node: &Node| asks_codes(node, known);
    match &node.kind {
        NodeKind::InValueSet(function, _, args) => {
            *function == Function::InValueSet || args.iter().any(asks)
        }
        NodeKind::Select(select) | NodeKind::Has(select) => {
            let name = select.name.as_str();
            matches!(
                name,
                "code" | "coding" | "system" | "unit" | "display" | "text" | "category"
            ) || asks(&select.operand)
        }
        NodeKind::And(nodes)
        | NodeKind::Or(nodes)
        | NodeKind::List(nodes)
        | NodeKind::Call(_, nodes) => nodes.iter().any(asks),
        NodeKind::Not(inner) | NodeKind::Negate(inner) => asks(inner),
        NodeKind::Conditional(parts) => parts.iter().any(asks),
        NodeKind::Order(_, pair)
        | NodeKind::Equal(pair)
        | NodeKind::NotEqual(pair)
        | NodeKind::Arithmetic(_, _, pair)
        | NodeKind::In(pair)
        | NodeKind::Index(pair) => pair.iter().any(asks),
        NodeKind::Fold(_, inner) => asks(&inner.range) || asks(&inner.body),
        NodeKind::Map(inner, condition) => {
            asks(&inner.range) || asks(&inner.body) || condition.as_deref().is_some_and(asks)
        }
        NodeKind::Define(index) => known.units(*index).is_some_and(|units| units.asks_codes),
        _ => false,
    }
}

pub fn convertible(a: &str, b: &str) -> bool {
    units::shared().convert(Decimal::ONE, a, b).is_ok()
}
