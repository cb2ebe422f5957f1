//! Operators.

use cel::common::ast::{CallExpr, Expr, IdedExpr};
use engine_patient::finding::Code;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::written;

use super::habits::typed;
use super::name::{KNOWN, OF_PATIENT};
use super::pass::{Checked, Pass};
use crate::nodes::{Node, NodeKind, Span};
use crate::operators::{Arithmetic, Numbers, Order};
use crate::types::Ty;
use crate::value::Val;

/// The operators, or `None` where the call is none.
pub(super) fn operator(pass: &mut Pass<'_>, call: &CallExpr, span: Span) -> Option<Checked> {
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
                    Code::WrongType,
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
                pass.problem(Code::WrongType, message, span, None);
            }
            let ty = if a_ty == Ty::Any || a_ty == Ty::Int {
                b_ty
            } else {
                a_ty
            };
            (node(NodeKind::Conditional(Box::new([condition, a, b]))), ty)
        }
        ("_==_" | "_!=_", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (side(pass, a, b), side(pass, b, a));
            let comparable = |t: &Ty| {
                matches!(
                    t,
                    Ty::Bool | Ty::Int | Ty::Double | Ty::String | Ty::Time | Ty::Any
                )
            };
            if !comparable(&a_ty) || !comparable(&b_ty) || !(a_ty.fits(&b_ty) || b_ty.fits(&a_ty)) {
                let message = format!("{a_ty} and {b_ty} cannot be compared");
                let help = help(pass, &call.func_name, (&a, &a_ty), (&b, &b_ty));
                pass.problem(Code::WrongType, message, span, help);
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
                let help = help(pass, &call.func_name, (&a, &a_ty), (&b, &b_ty));
                pass.problem(Code::WrongType, message, span, help);
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
                // Of the wider items: whole numbers and decimals are decimals.
                ("_+_", Ty::List(x), Ty::List(y))
                    if **y == Ty::Any || y.fits(x) && **x != Ty::Any =>
                {
                    Some(a_ty.clone())
                }
                ("_+_", Ty::List(x), Ty::List(y)) if x.fits(y) => Some(b_ty.clone()),
                _ => None,
            };
            let Some(ty) = ty else {
                let op = op.trim_matches('_');
                let message = format!("`{op}` does not go with {a_ty} and {b_ty}");
                let dates = a_ty == Ty::Time || b_ty == Ty::Time;
                let help = dates.then(|| {
                    "move a date with `months(12)`, `days(30)`, as in `at - months(12)`".to_owned()
                });
                return Some(pass.wrong(Code::WrongType, message, span, help));
            };
            let arithmetic = match op {
                "_+_" => Arithmetic::Add,
                "_-_" => Arithmetic::Subtract,
                "_*_" => Arithmetic::Multiply,
                "_/_" => Arithmetic::Divide,
                _ => Arithmetic::Modulo,
            };
            let numbers = match ty {
                Ty::Double => Numbers::Decimal,
                _ => Numbers::Whole,
            };
            let pair = Box::new([a, b]);
            (node(NodeKind::Arithmetic(arithmetic, numbers, pair)), ty)
        }
        ("@in", [a, b]) => {
            let ((a, a_ty), (b, b_ty)) = (pass.expr(a), pass.expr(b));
            let fits = matches!(&b_ty, Ty::List(item) if a_ty.fits(item)) || b_ty == Ty::Any;
            if !fits {
                let message =
                    format!("`in` needs a list with items such as the left side: {a_ty} in {b_ty}");
                let help = match &b_ty {
                    _ if drug_compared(pass, &a, &a_ty, &b).is_some() => {
                        drug_compared(pass, &a, &a_ty, &b)
                    }
                    Ty::List(_) if drug_listed(pass, &a, &b).is_some() => {
                        drug_listed(pass, &a, &b)
                    }
                    Ty::String => {
                        Some("write `inValueSet(x.code, \"value set\")` for value sets, `inDrugClass(x, \"class\")` for classes of drugs".into())
                    }
                    Ty::List(item) => typed(&pass.places.text(a.span), &a_ty, item, "in […]")
                        .or_else(|| compare_help(&a_ty, item)),
                    _ => Some("as in `o.status in [\"final\", \"amended\"]`".into()),
                };
                pass.problem(Code::WrongType, message, span, help);
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
                    return Some(pass.wrong(Code::WrongType, message, span, None));
                }
            };
            (node(NodeKind::Index(Box::new([a, b]))), item)
        }
        _ => return None,
    })
}

/// A side of a comparison; a word that is no name was probably to be a text.
fn side(pass: &mut Pass<'_>, expr: &IdedExpr, other: &IdedExpr) -> Checked {
    let before = pass.problems.len();
    let checked = pass.expr(expr);
    let of_variable = match &expr.expr {
        Expr::Ident(name) => pass.of_variable(name),
        _ => None,
    };
    if let (Expr::Ident(name), Some(problem)) = (&expr.expr, pass.problems.get_mut(before))
        && problem.code == Code::UnknownName
        && problem.help.as_ref().is_some_and(|help| {
            // `gender == "female"` names an element of the patient, `o.status == active` a text.
            let literal = matches!(other.expr, Expr::Literal(_));
            let of_variable = of_variable.as_ref() == Some(help);
            help.starts_with(KNOWN) || (help.starts_with(OF_PATIENT) || of_variable) && !literal
        })
    {
        problem.help = Some(format!("a text stands in quotes: `\"{name}\"`"));
    }
    checked
}

/// What helps where two values cannot be compared.
fn help(pass: &mut Pass<'_>, operator: &str, a: (&Node, &Ty), b: (&Node, &Ty)) -> Option<String> {
    let operator = operator.trim_matches('_');
    for ((x, x_ty), (y, _)) in [(a, b), (b, a)] {
        if let Some(help) = drug_compared(pass, x, x_ty, y) {
            return Some(help);
        }
    }
    let pass = &*pass;
    let text = |node: &Node| pass.places.text(node.span);
    for ((x, x_ty), (y, y_ty)) in [(a, b), (b, a)] {
        if let (Ty::Choice("Patient", "deceased"), Ty::Bool) = (x_ty, y_ty) {
            return Some(
                "write `!deceased(at)`, or nothing: the dead are left out of rules already".into(),
            );
        }
        if let (Ty::Choice(..), NodeKind::Constant(Val::Str(value))) = (x_ty, &y.kind)
            && let Some((number, unit)) = value.trim().split_once(' ')
            && number.parse::<f64>().is_ok()
        {
            let unit = written::meant(unit).unwrap_or_else(|| unit.to_owned());
            let x = text(x);
            return Some(format!(
                "take the number with its unit: `quantityIn({x}, \"{unit}\") {operator} {number}`"
            ));
        }
        let written = text(y);
        if let Some(help) = typed(&text(x), x_ty, y_ty, &format!("{operator} {written}")) {
            return Some(help);
        }
        let number = matches!(x_ty, Ty::Int | Ty::Double);
        if let (true, NodeKind::Constant(Val::Str(word))) = (number, &y.kind)
            && word.trim().parse::<f64>().is_ok()
        {
            return Some(format!(
                "write the number without quotes: `{}`",
                word.trim()
            ));
        }
        // `18 <= x <= 75`
        if let (NodeKind::Order(..), true) =
            (&x.kind, matches!(y_ty, Ty::Int | Ty::Double | Ty::Time))
        {
            return Some("write the two limits for themselves: `18 <= x && x <= 75`".into());
        }
        let digits = written.chars().all(|c| c.is_ascii_digit() || c == '-');
        if *x_ty == Ty::Time
            && *y_ty == Ty::String
            && let NodeKind::Constant(Val::Str(date)) = &y.kind
            && DateTime::parse(date).is_some()
        {
            return Some(format!("write a date as `date(\"{date}\")`"));
        }
        if *x_ty == Ty::Time && *y_ty == Ty::Int && digits && written.contains('-') {
            return Some(format!("write a date as `date(\"{written}\")`"));
        }
    }
    compare_help(a.1, b.1)
}

/// `order == "ibuprofen"`, `order.medication == "ibuprofen"`, `order in "nsaid"`: by its name a drug is asked
/// for with a function.
fn drug_compared(pass: &mut Pass<'_>, x: &Node, ty: &Ty, y: &Node) -> Option<String> {
    let NodeKind::Constant(Val::Str(name)) = &y.kind else {
        return None;
    };
    let written = pass.places.text(x.span);
    let of = |ty: &str| ty.starts_with("Medication") || ty == "Resource";
    let resource = match ty {
        Ty::Element(owner) if of(owner) => written.as_str(),
        Ty::Choice(owner, "medication") if of(owner) => written.strip_suffix(".medication")?,
        _ => return None,
    };
    let drugs = pass.symbols.drugs();
    let class = name.strip_prefix("class:").unwrap_or(name);
    Some(match drugs.class_set(class).is_ok() {
        true => format!("write `inDrugClass({resource}, \"{class}\")`"),
        false => format!("write `isDrug({resource}, \"{name}\")`"),
    })
}

/// `"warfarin" in medications()`
fn drug_listed(pass: &mut Pass<'_>, x: &Node, list: &Node) -> Option<String> {
    let NodeKind::Constant(Val::Str(name)) = &x.kind else {
        return None;
    };
    pass.symbols.drugs().set_of(name).ok()?;
    let list = pass.places.text(list.span);
    Some(format!("write `{list}.exists(m, isDrug(m, \"{name}\"))`"))
}

fn compare_help(a: &Ty, b: &Ty) -> Option<String> {
    let has = |wanted: fn(&Ty) -> bool| wanted(a) || wanted(b);
    let dated = |t: &Ty| matches!(t, Ty::Element("Period") | Ty::Choice(..));
    let help = if has(|t| *t == Ty::Time) && (dated(a) || dated(b)) {
        "take when the resource began or ended: `start(x)`, `end(x)`"
    } else if has(|t| {
        matches!(
            t,
            Ty::Element("Quantity" | "SimpleQuantity") | Ty::Choice(..)
        )
    }) {
        "take the number with its unit: `quantityIn(x.value, \"mg/dL\") > 9.0`"
    } else if has(|t| matches!(t, Ty::Element("CodeableConcept" | "Coding"))) {
        "compare codes with a value set: `inValueSet(x.code, \"value set\")`; or one code: `x.code.coding.exists(k, k.code == \"…\")`"
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
