//! Calls: operators, retrieves, and the functions of the table.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use engine_patient::finding::{Code, did_you_mean};
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;

use super::drugs::{class_named, draft_type, drugs_named};
use super::habits::known_elsewhere;
use super::operator::operator;
use super::pass::{Checked, Pass};
use super::retrieve::retrieve;
use crate::functions::{self, FunctionInfo, Param, Returns, Role};
use crate::nodes::{Node, NodeKind, Span};
use crate::types::Ty;
use crate::value::Val;

pub(super) fn call(pass: &mut Pass<'_>, expr: &IdedExpr, call: &CallExpr, span: Span) -> Checked {
    if let Some(checked) = operator(pass, call, span) {
        return checked;
    }
    let name = call.func_name.as_str();
    if call.target.is_none() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return retrieve(pass, expr, call, span);
    }
    // With a variable and a condition the parser makes a comprehension of it.
    let given = call.args.len() + usize::from(call.target.is_some());
    match functions::find(name) {
        Some(info) if MACROS.contains(&name) && given != info.params.len() => {
            unknown(pass, call, span)
        }
        Some(info) => function(pass, info, call, span),
        None => unknown(pass, call, span),
    }
}

const MACROS: [&str; 6] = ["exists", "all", "exists_one", "filter", "map", "has"];

/// A name that is no function, or a macro that was not called as one.
fn unknown(pass: &mut Pass<'_>, call: &CallExpr, span: Span) -> Checked {
    // What is called on may be wrong too: `list.where(…).exists()`.
    if let Some(target) = &call.target {
        pass.expr(target);
    }
    let name = call.func_name.as_str();
    if name == "has" {
        let help = "as in `has(o.value)`".to_owned();
        let message = "`has` takes one element of a value".to_owned();
        return pass.wrong(Code::WrongArguments, message, span, Some(help));
    }
    if MACROS.contains(&name) {
        let count = call.args.len();
        let message =
            format!("`{name}` takes a variable and an expression, here are {count} arguments");
        let help = match decimal_comma(&pass.places.text(span)) {
            Some(number) => format!("write `{}` for `{number}`", number.replace(',', ".")),
            None => format!(
                "as in `list.{name}(x, x.status == \"final\")`; `list.exists()` asks whether there is one"
            ),
        };
        return pass.wrong(Code::WrongArguments, message, span, Some(help));
    }
    let names = functions::all().map(|f| f.name);
    let help =
        known_elsewhere(name).unwrap_or_else(|| match did_you_mean(name, names.chain(MACROS)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`tandem rule functions` lists the functions".into(),
        });
    let message = format!("unknown function `{name}`");
    pass.wrong(Code::UnknownFunction, message, span, Some(help))
}

/// `9,0`: two arguments to the language, one number to its author.
fn decimal_comma(text: &str) -> Option<&str> {
    let digit = |c: char| c.is_ascii_digit();
    text.match_indices(',').find_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let whole = before.len() - before.trim_end_matches(digit).len();
        let part = after.len() - after.trim_start_matches(digit).len();
        (whole > 0 && part > 0).then(|| text.get(at - whole..at + 1 + part))?
    })
}

fn function(
    pass: &mut Pass<'_>,
    info: &'static FunctionInfo,
    call: &CallExpr,
    span: Span,
) -> Checked {
    let args: Vec<&IdedExpr> = call
        .target
        .as_deref()
        .into_iter()
        .chain(&call.args)
        .collect();
    if args.len() != info.params.len() {
        // What stands before the dot is counted by nobody.
        let before = usize::from(call.target.is_some());
        let place = match before {
            1 => " in its brackets",
            _ => "",
        };
        let takes = match info.params.len().saturating_sub(before) {
            0 => format!("nothing{place}"),
            1 => format!("1 argument{place}"),
            count => format!("{count} arguments{place}"),
        };
        let here = match args.len().saturating_sub(before) {
            0 => "here is none".to_owned(),
            1 => "here is 1".to_owned(),
            count => format!("here are {count}"),
        };
        let message = format!("`{}` takes {takes}, {here}", info.name);
        return pass.wrong(
            Code::WrongArguments,
            message,
            span,
            Some(format!("as in `{}`", info.example)),
        );
    }
    let (mut nodes, mut first, mut set) = (vec![], None::<Ty>, None);
    for (param, arg) in info.params.iter().zip(&args) {
        let place = pass.places.token(arg);
        match (param, text_literal(arg)) {
            (Param::ValueSet, Some(name)) => {
                set = pass.value_set(name, place).map(|(index, _)| index);
                continue;
            }
            (Param::DateText, Some(text)) => {
                match DateTime::parse(text) {
                    Some(date) => nodes.push(Node {
                        kind: NodeKind::Constant(Val::Time(date)),
                        span: place,
                    }),
                    None => pass.problem(
                        Code::NotADate,
                        format!("`{text}` is not a date"),
                        place,
                        Some(match (no_such_day(text), padded(text)) {
                            (true, _) => "this day does not exist; write it as in FHIR: 2024-12-31 or 2024-12-31T10:00:00Z".into(),
                            (false, Some(day)) => format!("write `{day}`: months and days have two digits"),
                            (false, None) => {
                                "write it as in FHIR: 2024-12-31 or 2024-12-31T10:00:00Z".into()
                            }
                        }),
                    ),
                }
                continue;
            }
            (Param::Drugs, Some(text)) => {
                nodes.push(drugs_named(pass, text, place));
                continue;
            }
            (Param::DrugClass, Some(id)) => {
                nodes.push(class_named(pass, id, place));
                continue;
            }
            (Param::DraftType, Some(ty)) => {
                nodes.push(draft_type(pass, ty, place));
                continue;
            }
            (Param::ValueSet | Param::DateText | Param::DrugClass | Param::DraftType, None) => {
                pass.problem(
                    Code::WrongArguments,
                    format!("`{}` needs {} here", info.name, param.wanted()),
                    place,
                    Some(format!("as in `{}`", info.example)),
                );
                continue;
            }
            _ => {}
        }
        let (node, ty) = pass.expr(arg);
        if !param.takes(&ty, first.as_ref()) {
            let message = format!(
                "`{}` needs {} here, this is {ty}",
                info.name,
                param.wanted()
            );
            let help = duration_meant(param, &node)
                .or_else(|| drug_in_list(pass, info, &first, &node))
                .unwrap_or_else(|| format!("as in `{}`", info.example));
            pass.problem(Code::WrongType, message, node.span, Some(help));
        }
        first.get_or_insert(ty);
        nodes.push(node);
    }
    let first = first.unwrap_or(Ty::Any);
    let item = match &first {
        Ty::List(item) => item.as_ref().clone(),
        _ => Ty::Any,
    };
    let ty = match info.returns {
        Returns::Bool => Ty::Bool,
        Returns::Int => Ty::Int,
        Returns::Double => Ty::Double,
        Returns::Text => Ty::String,
        Returns::Time => Ty::Time,
        Returns::Duration => Ty::Duration,
        Returns::First => first,
        Returns::Item => item,
        Returns::Filtered if matches!(first, Ty::List(_)) => first,
        Returns::Filtered => Ty::Bool,
        Returns::Texts => Ty::String.list(),
        Returns::ListOf(ty) => Ty::Element(ty).list(),
        Returns::Named => match nodes.first().map(|node| &node.kind) {
            Some(NodeKind::Constant(Val::Str(name))) => {
                let ty = functions::DRAFTS.iter().find(|ty| **ty == name.as_ref());
                ty.map_or(Ty::Any, |ty| Ty::Element(ty)).list()
            }
            _ => Ty::Any,
        },
        Returns::Components => Ty::Element("Observation.Component").list(),
    };
    if let Role::Reads(types) = info.role {
        let wanted = types.iter().filter_map(|ty| DataRequirement::of_type(ty));
        wanted.for_each(|wanted| {
            pass.symbols.requirement(wanted);
        });
    }
    if info.role == Role::InValueSet
        && let Some(NodeKind::Select(select)) = nodes.first().map(|n| &n.kind)
        && let Some(element) = select.coded
        && let Some(set) = set.and_then(|set| pass.symbols.value_sets.get(set))
    {
        let compared = (element, Arc::clone(&set.value));
        pass.symbols.compared.push(compared);
    }
    let kind = match info.role {
        Role::InValueSet | Role::Component | Role::ComponentValue => match set {
            Some(set) => NodeKind::InValueSet(info, set, nodes),
            None => NodeKind::Wrong,
        },
        Role::Date => match nodes.pop() {
            Some(node) => node.kind,
            None => NodeKind::Wrong,
        },
        _ => NodeKind::Call(info, nodes),
    };
    (Node { kind, span }, ty)
}

/// `2020-02-30`, `2020-2-30`: the form of a date, but none of the calendar.
fn no_such_day(text: &str) -> bool {
    written_day(text).is_some_and(|day| DateTime::parse(&day).is_none())
}

/// `2020-2-3` as it is to be written.
fn padded(text: &str) -> Option<String> {
    written_day(text).filter(|day| DateTime::parse(day).is_some())
}

/// Year, month and day of a text, each with all its digits.
fn written_day(text: &str) -> Option<String> {
    let day = text.split(['T', ' ']).next()?;
    let parts: Vec<u32> = day
        .split('-')
        .map(|part| part.parse().ok().filter(|_| part.len() <= 4))
        .collect::<Option<_>>()?;
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// `inLast(12)`, `inLast("12 months")`: a number has no unit, and a text is no duration.
fn duration_meant(param: &Param, node: &Node) -> Option<String> {
    if !matches!(param, Param::Duration) {
        return None;
    }
    match &node.kind {
        NodeKind::Constant(Val::Int(number)) => Some(format!(
            "say of what: `years({number})`, `months({number})`, `weeks({number})` or `days({number})`"
        )),
        NodeKind::Constant(Val::Str(text)) => {
            let (number, unit) = text.trim().split_once(' ')?;
            let number: u32 = number.parse().ok()?;
            let unit = unit.trim().trim_end_matches('s');
            let known = ["year", "month", "week", "day", "hour"].contains(&unit);
            known.then(|| format!("write `{unit}s({number})`"))
        }
        _ => None,
    }
}

/// `medications().contains("warfarin")`
fn drug_in_list(
    pass: &Pass<'_>,
    info: &FunctionInfo,
    first: &Option<Ty>,
    list: &Node,
) -> Option<String> {
    let written = pass.places.text(list.span);
    let is_list = first.is_none() && info.name == "contains";
    (is_list && written.starts_with("medications"))
        .then(|| format!("write `{written}.exists(m, isDrug(m, \"warfarin\"))`"))
}

fn text_literal(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
