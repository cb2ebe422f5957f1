//! Finds where a value comes from.

use engine_patient::fhir::codes::required;
use engine_patient::requirements::DataRequirement;

use super::known::Known;
use super::origin::{Origin, Part};
use crate::functions::{FunctionInfo, Role};
use crate::nodes::{Fold, Node, NodeKind, Select};
use crate::types::Conversion;
use crate::value::Val;

/// Longest description that is kept: definitions that use each other twice grow without end.
const LONGEST: usize = 400;

/// The origin of a value; `scope` has those of the variables, innermost last.
pub fn origin(node: &Node, known: &dyn Known, scope: &[Origin]) -> Origin {
    let of = |node: &Node| origin(node, known, scope);
    let named = |name: &str| Origin {
        same: Some(name.to_owned()),
        from: Some(name.to_owned()),
        ..Origin::default()
    };
    let found = match &node.kind {
        NodeKind::Constant(value) => Origin {
            same: literal(value),
            text: match value {
                Val::Str(text) => Some(text.to_string()),
                _ => None,
            },
            ..Origin::default()
        },
        NodeKind::Local(slot) => Origin {
            // Two variables may stand for two items of one list.
            same: Some(format!("${slot}")),
            ..scope.get(*slot).cloned().unwrap_or_default()
        },
        NodeKind::Define(index) => match known.definition(*index) {
            Some((name, origin)) => Origin {
                same: origin.same.clone().or_else(|| Some(format!("#{name}"))),
                ..origin.clone()
            },
            None => Origin::default(),
        },
        NodeKind::Item => named("$item"),
        NodeKind::Column(index) => named(&format!("row.{index}")),
        NodeKind::HasCell(index) => named(&format!("has(row.{index})")),
        NodeKind::Hook => named("hook"),
        NodeKind::User => named("userId"),
        NodeKind::Patient => named("Patient"),
        NodeKind::At => named("at"),
        NodeKind::PeriodStart => named("period_start"),
        NodeKind::PeriodEnd => named("period_end"),
        NodeKind::Retrieve(index) => match known.requirement(*index) {
            // A set that is not loaded may be any.
            Some(wanted)
                if wanted
                    .codes
                    .as_ref()
                    .is_none_or(|c| !c.value_set.is_empty()) =>
            {
                named(&retrieve(wanted, known))
            }
            _ => Origin::default(),
        },
        NodeKind::Select(select) => selected(select, of(&select.operand)),
        NodeKind::Call(function, args) => called(function, args.iter().map(of).collect()),
        NodeKind::InValueSet(function, set, args) => {
            let args: Vec<Origin> = args.iter().map(of).collect();
            let unit = match function.role {
                Role::ComponentValue => args.get(1).and_then(|unit| unit.text.clone()),
                _ => None,
            };
            let set = known.value_set(*set).map_or("", |(name, _)| name);
            let same = together(&args, |a| a.same.as_deref());
            let from = together(&args, |a| a.from.as_deref());
            let call = |args: String| format!("{}({args}, \"{set}\")", function.name);
            Origin {
                same: same.map(call),
                from: from.map(call),
                unit,
                ..Origin::default()
            }
        }
        NodeKind::Arithmetic(operation, _, pair) => {
            let [a, b] = &**pair;
            let (a, b) = (of(a), of(b));
            let one_unit = operation.keeps_units() && a.unit == b.unit;
            let same = a.same.zip(b.same);
            Origin {
                same: same.map(|(a, b)| format!("({a} {operation:?} {b})")),
                unit: a.unit.filter(|_| one_unit),
                ..Origin::default()
            }
        }
        NodeKind::Negate(inner) => {
            let inner = of(inner);
            Origin {
                same: inner.same.map(|same| format!("-({same})")),
                unit: inner.unit,
                ..Origin::default()
            }
        }
        NodeKind::Index(pair) => {
            let [list, at] = &**pair;
            let (list, at) = (of(list), of(at));
            let same = list.same.as_ref().zip(at.same);
            Origin {
                same: same.map(|(list, at)| format!("{list}[{at}]")),
                ..list
            }
        }
        NodeKind::Fold(Fold::Filter, inner) => Origin {
            same: None,
            ..of(&inner.range)
        },
        NodeKind::Map(inner, _) => {
            let mut scope = scope.to_vec();
            scope.resize(inner.slot, Origin::default());
            scope.push(origin(&inner.range, known, &scope));
            Origin {
                same: None,
                ..origin(&inner.body, known, &scope)
            }
        }
        _ => Origin::default(),
    };
    let short = |text: Option<String>| text.filter(|t| t.len() <= LONGEST);
    Origin {
        same: short(found.same),
        from: short(found.from),
        ..found
    }
}

fn literal(value: &Val<'_>) -> Option<String> {
    match value {
        Val::Bool(_) | Val::Int(_) | Val::Decimal(_) | Val::Str(_) | Val::Time(_) => {
            Some(format!("{value:?}"))
        }
        _ => None,
    }
}

fn retrieve(wanted: &DataRequirement, known: &dyn Known) -> String {
    let ty = wanted.resource_type.as_str();
    match &wanted.codes {
        None => format!("{ty}()"),
        Some(codes) => {
            let name = known.name_of(&codes.value_set);
            format!("{ty}(\"{}\")", name.unwrap_or(&codes.value_set.url))
        }
    }
}

fn selected(select: &Select, operand: Origin) -> Origin {
    let name = select.name.as_str();
    let step = |path: String| format!("{path}.{name}");
    let codes = match (operand.codes, name) {
        (Some((Part::Concept, set)), "coding") => Some((Part::Concept, set)),
        (Some((Part::Concept, set)), "code") => Some((Part::CodingCode, set)),
        (Some((Part::Concept, set)), "system") => Some((Part::System, set)),
        _ => required(select.owner, name).map(|set| (part(select), set)),
    };
    // The codes of `x.code.coding` are those of `x.code`.
    let within = matches!(select.owner, "CodeableConcept" | "Coding");
    let element = match operand.element {
        Some(element) if within => Some(element),
        _ => Some((select.owner, name.to_owned())),
    };
    Origin {
        same: operand.same.map(step),
        from: operand.from.map(step),
        element,
        codes,
        ..Origin::default()
    }
}

/// Whether the element is a code alone, or a CodeableConcept.
fn part(select: &Select) -> Part {
    let mut properties = select.properties.iter();
    match properties.any(|(_, conversion)| *conversion == Conversion::Element) {
        true => Part::Concept,
        false => Part::Code,
    }
}

fn called(function: &FunctionInfo, args: Vec<Origin>) -> Origin {
    let same = together(&args, |a| a.same.as_deref());
    let same = same.map(|args| format!("{}({args})", function.name));
    let mut args = args.into_iter();
    let first = args.next().unwrap_or_default();
    let found = match function.role {
        // An item of the list, or some of its items.
        Role::Item | Role::Filter | Role::During => first,
        Role::SameUnit => Origin {
            unit: first.unit,
            ..Origin::default()
        },
        Role::OrElse => args.fold(first, common),
        Role::QuantityIn | Role::ValueIn | Role::LatestValue | Role::ListValue => Origin {
            unit: args.next().and_then(|unit| unit.text),
            ..Origin::default()
        },
        Role::Size => Origin {
            count: true,
            ..Origin::default()
        },
        _ => Origin::default(),
    };
    Origin { same, ..found }
}

/// What is so of either of two values.
fn common(a: Origin, b: Origin) -> Origin {
    fn both<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<T> {
        a.filter(|a| b.as_ref() == Some(a))
    }
    Origin {
        same: None,
        from: both(a.from, b.from),
        element: both(a.element, b.element),
        codes: both(a.codes, b.codes),
        text: both(a.text, b.text),
        unit: both(a.unit, b.unit),
        count: a.count && b.count,
    }
}

fn together<'o>(args: &'o [Origin], of: fn(&'o Origin) -> Option<&'o str>) -> Option<String> {
    let parts: Option<Vec<&str>> = args.iter().map(of).collect();
    parts.map(|parts| parts.join(", "))
}
