//! Checking operators, retrieves and function calls.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::check::{Checked, Pass};
use super::functions::{self, Function, FunctionInfo, Param, Returns};
use super::node::{Arithmetic, Node, NodeKind, Order};
use super::types::Ty;
use super::value::Val;
use engine_patient::diagnostic::did_you_mean;
use engine_patient::fhir::model::Model;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;

type Span = (usize, usize);

pub(super) fn call(pass: &mut Pass<'_>, expr: &IdedExpr, call: &CallExpr, span: Span) -> Checked {
    if let Some(checked) = operator(pass, call, span) {
        return checked;
    }
    let name = call.func_name.as_str();
    if call.target.is_none() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return retrieve(pass, expr, call, span);
    }
    match functions::find(name) {
        Some(info) => function(pass, info, call, span),
        None => {
            let names = functions::FUNCTIONS.iter().map(|f| f.name);
            let macros = ["exists", "all", "exists_one", "filter", "map", "has"];
            let near = did_you_mean(name, names.chain(macros));
            let help = match near {
                Some(near) if macros.contains(&near) && near == name => format!(
                    "`{near}` takes a variable and an expression: `list.{near}(x, x.status == \"final\")`"
                ),
                Some(near) => format!("did you mean `{near}`?"),
                None => "`tandem rule functions` lists the functions".into(),
            };
            pass.wrong(
                "unknown-function",
                format!("unknown function `{name}`"),
                span,
                Some(help),
            )
        }
    }
}

/// The operators, or `None` where the call is none.
fn operator(pass: &mut Pass<'_>, call: &CallExpr, span: Span) -> Option<Checked> {
    let node = |kind| Node { kind, span };
    let args = call.args.as_slice();
    Some(match (call.func_name.as_str(), args) {
        ("_&&_", _) => {
            let terms = flatten("_&&_", args).into_iter().map(|a| pass.boolean(a));
            (node(NodeKind::And(terms.collect())), Ty::Bool)
        }
        ("_||_", _) => {
            let terms = flatten("_||_", args).into_iter().map(|a| pass.boolean(a));
            (node(NodeKind::Or(terms.collect())), Ty::Bool)
        }
        ("!_", [a]) => (node(NodeKind::Not(Box::new(pass.boolean(a)))), Ty::Bool),
        ("-_", [a]) => {
            let (n, ty) = pass.expr(a);
            if !matches!(ty, Ty::Int | Ty::Double | Ty::Duration | Ty::Any) {
                pass.problem(
                    "wrong-type",
                    format!("`-` needs a number, this is {ty}"),
                    n.span,
                    None,
                );
            }
            (node(NodeKind::Negate(Box::new(n))), ty)
        }
        ("_?_:_", [condition, a, b]) => {
            let condition = pass.boolean(condition);
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            if !a_ty.fits(&b_ty) && !b_ty.fits(&a_ty) {
                let message = format!("both outcomes of `? :` must be of one type: {a_ty}, {b_ty}");
                pass.problem("wrong-type", message, span, None);
            }
            let ty = if a_ty == Ty::Any || a_ty == Ty::Int {
                b_ty
            } else {
                a_ty
            };
            (node(NodeKind::Conditional(Box::new([condition, a, b]))), ty)
        }
        ("_==_" | "_!=_", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let comparable = |t: &Ty| {
                matches!(
                    t,
                    Ty::Bool | Ty::Int | Ty::Double | Ty::String | Ty::Time | Ty::Any
                )
            };
            if !comparable(&a_ty) || !comparable(&b_ty) || !(a_ty.fits(&b_ty) || b_ty.fits(&a_ty)) {
                let message = format!("{a_ty} and {b_ty} cannot be compared");
                pass.problem("wrong-type", message, span, compare_help(&a_ty, &b_ty));
            }
            let pair = Box::new([a, b]);
            let equal = call.func_name == "_==_";
            (
                node(if equal {
                    NodeKind::Equal(pair)
                } else {
                    NodeKind::NotEqual(pair)
                }),
                Ty::Bool,
            )
        }
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let ordered =
                |t: &Ty| matches!(t, Ty::Int | Ty::Double | Ty::String | Ty::Time | Ty::Any);
            if !ordered(&a_ty) || !ordered(&b_ty) || !(a_ty.fits(&b_ty) || b_ty.fits(&a_ty)) {
                let message = format!("{a_ty} and {b_ty} have no order");
                pass.problem("wrong-type", message, span, compare_help(&a_ty, &b_ty));
            }
            let order = match call.func_name.as_str() {
                "_<_" => Order::Less,
                "_<=_" => Order::LessOrEqual,
                "_>_" => Order::Greater,
                _ => Order::GreaterOrEqual,
            };
            (node(NodeKind::Order(order, Box::new([a, b]))), Ty::Bool)
        }
        (op @ ("_+_" | "_-_" | "_*_" | "_/_" | "_%_"), [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let ty = match (op, &a_ty, &b_ty) {
                (_, Ty::Any, _) | (_, _, Ty::Any) => Some(Ty::Any),
                (_, Ty::Int, Ty::Int) => Some(Ty::Int),
                ("_%_", ..) => None,
                (_, Ty::Int | Ty::Double, Ty::Int | Ty::Double) => Some(Ty::Double),
                ("_+_" | "_-_", Ty::Time, Ty::Duration) => Some(Ty::Time),
                ("_+_", Ty::Duration, Ty::Time) => Some(Ty::Time),
                ("_+_" | "_-_", Ty::Duration, Ty::Duration) => Some(Ty::Duration),
                ("_+_", Ty::String, Ty::String) => Some(Ty::String),
                ("_+_", Ty::List(x), Ty::List(y)) if x.fits(y) || y.fits(x) => Some(a_ty.clone()),
                _ => None,
            };
            let Some(ty) = ty else {
                let op = op.trim_matches('_');
                let message = format!("`{op}` does not go with {a_ty} and {b_ty}");
                let dates = a_ty == Ty::Time || b_ty == Ty::Time;
                let help = dates.then(|| {
                    "move a date with `months(12)`, `days(30)`, as in `at - months(12)`".to_owned()
                });
                return Some(pass.wrong("wrong-type", message, span, help));
            };
            let arithmetic = match op {
                "_+_" => Arithmetic::Add,
                "_-_" => Arithmetic::Subtract,
                "_*_" => Arithmetic::Multiply,
                "_/_" => Arithmetic::Divide,
                _ => Arithmetic::Modulo,
            };
            (node(NodeKind::Arithmetic(arithmetic, Box::new([a, b]))), ty)
        }
        ("@in", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let fits = matches!(&b_ty, Ty::List(item) if a_ty.fits(item)) || b_ty == Ty::Any;
            if !fits {
                let message =
                    format!("`in` needs a list with items such as the left side: {a_ty} in {b_ty}");
                let help = matches!(b_ty, Ty::String)
                    .then(|| "write `inValueSet(code, \"value set\")` for value sets".to_owned());
                pass.problem("wrong-type", message, span, help);
            }
            (node(NodeKind::In(Box::new([a, b]))), Ty::Bool)
        }
        ("_[_]", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let item = match a_ty {
                Ty::List(item) if b_ty.fits(&Ty::Int) => *item,
                Ty::Any => Ty::Any,
                other => {
                    let message = format!("`[…]` needs a list and a whole number: {other}, {b_ty}");
                    return Some(pass.wrong("wrong-type", message, span, None));
                }
            };
            (node(NodeKind::Index(Box::new([a, b]))), item)
        }
        _ => return None,
    })
}

fn compare_help(a: &Ty, b: &Ty) -> Option<String> {
    let has = |wanted: fn(&Ty) -> bool| wanted(a) || wanted(b);
    let help = if has(|t| matches!(t, Ty::Element("Quantity") | Ty::Choice(..))) {
        "take the number with its unit: `quantityIn(x.value, \"mg/dL\") > 9.0`"
    } else if has(|t| matches!(t, Ty::Element("CodeableConcept" | "Coding"))) {
        "compare codes with a value set: `inValueSet(x.code, \"value set\")`"
    } else if has(|t| *t == Ty::Time) && has(|t| *t == Ty::String) {
        "write dates as `date(\"2024-12-31\")`"
    } else if has(|t| matches!(t, Ty::List(_))) {
        "say which item: `.exists(x, …)`, `.first()`, `.latest()`"
    } else {
        return None;
    };
    Some(help.into())
}

/// `a && b && c` as three terms.
fn flatten<'e>(operator: &str, args: &'e [IdedExpr]) -> Vec<&'e IdedExpr> {
    let mut out = vec![];
    let mut stack: Vec<&IdedExpr> = args.iter().rev().collect();
    while let Some(expr) = stack.pop() {
        match &expr.expr {
            Expr::Call(inner) if inner.func_name == operator => {
                stack.extend(inner.args.iter().rev())
            }
            _ => out.push(expr),
        }
    }
    out
}

/// `Observation("hba1c")`
fn retrieve(pass: &mut Pass<'_>, expr: &IdedExpr, call: &CallExpr, span: Span) -> Checked {
    let name = call.func_name.as_str();
    let Some(info) = Model::r4().resource(name) else {
        let names = Model::r4()
            .types()
            .filter(|t| t.is_resource)
            .map(|t| t.name);
        let help = did_you_mean(name, names).map(|n| format!("did you mean `{n}`?"));
        return pass.wrong(
            "unknown-resource",
            format!("FHIR R4 has no resource `{name}`"),
            span,
            help,
        );
    };
    let requirement = match call.args.as_slice() {
        [] => DataRequirement::of_type(info.name),
        [
            IdedExpr {
                expr: Expr::Literal(LiteralValue::String(set)),
                ..
            },
        ] => {
            let place = call.args.first().map_or(span, |a| pass.token(a));
            let Some(index) = pass.value_set(set.inner(), place) else {
                return (
                    Node {
                        kind: NodeKind::Constant(Val::unknown("not checked")),
                        span,
                    },
                    Ty::Element(info.name).list(),
                );
            };
            let coded = pass
                .value_set_at(index)
                .and_then(|s| DataRequirement::coded(info.name, s));
            if coded.is_none() {
                let message =
                    format!("`{name}` has no code of its own to compare with a value set");
                let help = format!("take all with `{name}()` and filter");
                return pass.wrong("no-code-path", message, span, Some(help));
            }
            coded
        }
        _ => {
            let message = format!("`{name}(…)` takes nothing, or one value set name in quotes");
            let place = pass.token(expr);
            return pass.wrong(
                "wrong-arguments",
                message,
                place,
                Some(format!("as in `{name}(\"value set\")`")),
            );
        }
    };
    match requirement {
        Some(requirement) => {
            let index = pass.requirement(requirement);
            (
                Node {
                    kind: NodeKind::Retrieve(index),
                    span,
                },
                Ty::Element(info.name).list(),
            )
        }
        None => pass.wrong(
            "unknown-resource",
            format!("`{name}` cannot be retrieved"),
            span,
            None,
        ),
    }
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
        let message = format!(
            "`{}` takes {} argument(s), here are {}",
            info.name,
            info.params.len(),
            args.len()
        );
        return pass.wrong(
            "wrong-arguments",
            message,
            span,
            Some(format!("as in `{}`", info.example)),
        );
    }
    let (mut nodes, mut first, mut set) = (vec![], None::<Ty>, None);
    for (param, arg) in info.params.iter().zip(&args) {
        let place = pass.token(arg);
        match (param, text_literal(arg)) {
            (Param::ValueSet, Some(name)) => {
                set = pass.value_set(name, place);
                continue;
            }
            (Param::DateText, Some(text)) => {
                match DateTime::parse(text) {
                    Some(date) => nodes.push(Node {
                        kind: NodeKind::Constant(Val::Time(date)),
                        span: place,
                    }),
                    None => pass.problem(
                        "not-a-date",
                        format!("`{text}` is not a date"),
                        place,
                        Some("write it as in FHIR: 2024-12-31 or 2024-12-31T10:00:00Z".into()),
                    ),
                }
                continue;
            }
            (Param::ValueSet | Param::DateText, None) => {
                pass.problem(
                    "wrong-arguments",
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
            pass.problem(
                "wrong-type",
                message,
                node.span,
                Some(format!("as in `{}`", info.example)),
            );
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
        Returns::Components => Ty::Element("Observation.Component").list(),
    };
    if info.function == Function::InValueSet
        && let Some(NodeKind::Select(select)) = nodes.first().map(|n| &n.kind)
        && let Some(element) = select.coded
    {
        pass.compared(element);
    }
    let kind = match info.function {
        Function::InValueSet | Function::Component => match set {
            Some(set) => NodeKind::InValueSet(info.function, set, nodes),
            None => NodeKind::Constant(Val::unknown("not checked")),
        },
        Function::Date => match nodes.pop() {
            Some(node) => node.kind,
            None => NodeKind::Constant(Val::unknown("not checked")),
        },
        other => NodeKind::Call(other, nodes),
    };
    (Node { kind, span }, ty)
}

fn text_literal(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
