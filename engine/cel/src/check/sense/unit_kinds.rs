//! One value taken in units of two kinds: one of the two is never known.
//!
//! An error only where it is surely one value, and both must be known for an expression to hold: the same
//! `.latest()` of the same value set, or the same variable of one comprehension. A warning for two readings
//! of one value set. Nothing for whoever asks for
//! the code too, or tries one unit after the other.

use engine_patient::finding::Code;
use engine_patient::system::units::{self, written};

use super::known::Known;
use super::look::Look;
use super::origin::{Origin, UnitInUse, Units};
use super::trace::origin;
use crate::functions::Role;
use crate::nodes::{Node, NodeKind};

/// Most units that are kept of a definition.
const MOST: usize = 64;

/// The units that must go for an expression to hold, and whether it asks for codes.
pub fn units(node: &Node, known: &dyn Known, scope: &[Origin]) -> Units {
    let mut collector = Collector {
        known,
        scope,
        found: vec![],
    };
    collector.collect(node, Aim::Holds, false);
    let mut all = collector.found;
    all.truncate(MOST);
    Units {
        all,
        asks_codes: asks_codes(node, known),
    }
}

/// Looks at an expression, or at a part of one that is true or false by itself: a term of `||`, what is
/// asked of each item. Definitions by themselves may be tried one after the other: nothing is told of two.
pub fn part(look: &mut Look<'_>, node: &Node) {
    let Units { all, asks_codes } = units(node, look.known, &look.scope);
    if asks_codes {
        return;
    }
    for (number, here) in all.iter().enumerate() {
        let before = all.get(..number).unwrap_or_default();
        // What one definition says of two was told there.
        let told = |other: &UnitInUse| here.defined && here.span == other.span;
        let other_kind = |other: &&UnitInUse| !told(other) && !convertible(&other.unit, &here.unit);
        let one_value = |other: &&UnitInUse| other.of.is_some() && other.of == here.of;
        let one_set = |other: &&UnitInUse| other.shown == here.shown;
        let mut others = before.iter().filter(other_kind);
        if let Some(other) = others.clone().find(one_value) {
            tell(look, here, &other.unit, true);
        } else if let Some(other) = others.find(one_set) {
            // Two readings of one value set are mostly of one kind.
            tell(look, here, &other.unit, false);
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

/// What an expression is to be.
#[derive(Clone, Copy, PartialEq)]
enum Aim {
    Holds,
    Fails,
    /// Known, whatever it is: `false && unknown` is.
    Known,
}

/// The units of what must be known; not of what is one of several ways.
struct Collector<'c> {
    known: &'c dyn Known,
    scope: &'c [Origin],
    found: Vec<UnitInUse>,
}

impl Collector<'_> {
    /// `joined`: as a term of `&&`, of which all are needed only where it is to hold.
    fn collect(&mut self, node: &Node, aim: Aim, joined: bool) {
        let mut each = |nodes: &[Node]| {
            nodes
                .iter()
                .for_each(|node| self.collect(node, Aim::Known, joined));
        };
        match &node.kind {
            NodeKind::And(terms) if aim == Aim::Holds => {
                terms.iter().for_each(|term| self.collect(term, aim, true));
            }
            NodeKind::Or(terms) if aim == Aim::Fails => {
                terms
                    .iter()
                    .for_each(|term| self.collect(term, aim, joined));
            }
            NodeKind::Not(inner) => {
                let aim = match aim {
                    Aim::Holds => Aim::Fails,
                    Aim::Fails => Aim::Holds,
                    Aim::Known => Aim::Known,
                };
                self.collect(inner, aim, joined);
            }
            NodeKind::List(nodes) | NodeKind::InValueSet(_, _, nodes) => each(nodes),
            NodeKind::Select(select) | NodeKind::Has(select) => {
                self.collect(&select.operand, Aim::Known, joined);
            }
            NodeKind::Negate(inner) => self.collect(inner, Aim::Known, joined),
            NodeKind::Order(_, pair)
            | NodeKind::Equal(pair)
            | NodeKind::NotEqual(pair)
            | NodeKind::Arithmetic(_, _, pair)
            | NodeKind::In(pair)
            | NodeKind::Index(pair) => each(&**pair),
            NodeKind::Fold(_, inner) | NodeKind::Map(inner, _) => {
                self.collect(&inner.range, Aim::Known, joined);
            }
            // What may be unknown.
            NodeKind::Call(info, _) if matches!(info.role, Role::OrElse | Role::IsUnknown) => {}
            NodeKind::Call(function, args) => {
                each(args);
                if let [value, unit] = args.as_slice() {
                    self.quantity(function.role, value, unit, joined);
                }
            }
            NodeKind::Define(index) => {
                let units = self.known.units(*index).map(|units| &units.all);
                let needed = |unit: &&UnitInUse| aim == Aim::Holds || !unit.joined;
                let units = units.into_iter().flatten().filter(needed);
                self.found.extend(units.map(|unit| UnitInUse {
                    span: node.span,
                    defined: true,
                    joined: joined || unit.joined,
                    ..unit.clone()
                }));
                self.found.truncate(MOST);
            }
            _ => {}
        }
    }

    fn quantity(&mut self, role: Role, value: &Node, unit: &Node, joined: bool) {
        let text = origin(unit, self.known, self.scope).text;
        let value = origin(value, self.known, self.scope);
        // The value as it would be written with `quantityIn`.
        let value_of = |text: Option<String>| text.map(|text| format!("{text}.value"));
        let value = match role {
            Role::QuantityIn => value,
            Role::ValueIn => Origin {
                same: value_of(value.same),
                from: value_of(value.from),
                ..value
            },
            Role::LatestValue => Origin {
                same: value_of(value.same.map(|list| format!("latest({list})"))),
                from: value_of(value.from),
                ..value
            },
            Role::ListValue => Origin {
                same: None,
                from: value_of(value.from),
                ..value
            },
            _ => return,
        };
        // One of all observations may be of any kind.
        let shown = value.from.filter(|from| !from.contains("()"));
        if let (Some(unit_text), Some(shown)) = (text.filter(|t| written::is_ucum(t)), shown) {
            self.found.push(UnitInUse {
                of: value.same,
                shown,
                unit: unit_text,
                span: unit.span,
                defined: false,
                joined,
            });
        }
    }
}

/// Whether anywhere in it a code decides: then the same value may be of several kinds.
fn asks_codes(node: &Node, known: &dyn Known) -> bool {
    let asks = |node: &Node| asks_codes(node, known);
    match &node.kind {
        NodeKind::InValueSet(function, _, args) => {
            function.role == Role::InValueSet || args.iter().any(asks)
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

/// Whether a quantity in the one is known in the other, too.
pub fn convertible(a: &str, b: &str) -> bool {
    units::shared().are_of_one_kind(a, b)
}
