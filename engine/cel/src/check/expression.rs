//! Expressions of any kind, each to the file that checks it.

use cel::common::ast::{Expr, IdedExpr, ListExpr, LiteralValue};
use engine_patient::finding::Code;

use super::call;
use super::pass::{Checked, Pass};
use crate::nodes::{Node, NodeKind, Span};
use crate::types::Ty;
use crate::value::Val;
use engine_patient::system::decimal::negate;
use engine_patient::value::decimal;

/// Deepest nesting of an expression.
pub(super) const MAX_DEPTH: usize = 60;

impl Pass<'_> {
    pub(super) fn expr(&mut self, expr: &IdedExpr) -> Checked {
        let span = self.places.span(expr);
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let checked = if self.depth > 2 * MAX_DEPTH {
            self.wrong(
                Code::TooDeep,
                "the expression is nested too deep".into(),
                span,
                Some("move parts of it into `define`".into()),
            )
        } else {
            self.kind(expr, span)
        };
        self.depth -= 1;
        checked
    }

    fn kind(&mut self, expr: &IdedExpr, span: Span) -> Checked {
        let node = |kind| Node { kind, span };
        match &expr.expr {
            Expr::Literal(literal) => match constant(literal, &self.places.text(span)) {
                Ok((value, ty)) => (node(NodeKind::Constant(value)), ty),
                Err((message, help)) => {
                    self.wrong(Code::Unsupported, message.into(), span, Some(help.into()))
                }
            },
            Expr::Ident(name) => self.identifier(name, span),
            Expr::Select(select) => self.select(select, span),
            Expr::Call(call) => call::call(self, expr, call, span),
            Expr::List(list) => self.list(list, span),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, span),
            Expr::Map(_) | Expr::Struct(_) => {
                let message = "maps and messages `{…}` are not used in rules";
                self.wrong(Code::Unsupported, message.into(), span, None)
            }
            Expr::Unspecified => self.wrong(
                Code::Syntax,
                "an expression is missing here".into(),
                span,
                None,
            ),
        }
    }

    fn list(&mut self, list: &ListExpr, span: Span) -> Checked {
        let mut item = Ty::Any;
        let mut nodes = vec![];
        for element in &list.elements {
            let (n, ty) = self.expr(element);
            if item == Ty::Any || (item == Ty::Int && ty == Ty::Double) {
                item = ty;
            } else if !ty.fits(&item) {
                let message = format!(
                    "the items of a list must be of one type: this is {ty}, the first is {item}"
                );
                self.problem(Code::WrongType, message, n.span, None);
            }
            nodes.push(n);
        }
        let kind = NodeKind::List(nodes);
        (Node { kind, span }, item.list())
    }

    /// An expression that must be true or false.
    pub(super) fn boolean(&mut self, expr: &IdedExpr) -> Node {
        let (node, ty) = self.expr(expr);
        if !ty.fits(&Ty::Bool) {
            let message = format!("this must be true or false, but it is {ty}");
            self.problem(Code::WrongType, message, node.span, to_bool(&ty));
        }
        node
    }
}

/// How a value of another type is asked for true or false.
pub(super) fn to_bool(ty: &Ty) -> Option<String> {
    let help = match ty {
        Ty::List(_) => "add `.exists()` to ask whether there is one, or `.exists(x, …)` which",
        Ty::Int | Ty::Double => "compare it, as in `… > 0`",
        Ty::String => "compare it, as in `… == \"active\"`",
        _ => return None,
    };
    Some(help.to_owned())
}

/// A number with the digits that were written: the parser's is the nearest double. Otherwise what is
/// wrong, and what helps.
fn constant(
    literal: &LiteralValue,
    text: &str,
) -> Result<(Val<'static>, Ty), (&'static str, &'static str)> {
    Ok(match literal {
        LiteralValue::Boolean(b) => (Val::Bool(*b.inner()), Ty::Bool),
        LiteralValue::Int(i) => (Val::Int(*i.inner()), Ty::Int),
        LiteralValue::Double(d) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let size = decimal(digits).ok_or((
                "a number that is too large, or has more than 28 digits",
                "write as many digits as a measurement has",
            ))?;
            let value = match d.inner().is_sign_negative() {
                true => negate(size),
                false => size,
            };
            (Val::Decimal(value), Ty::Double)
        }
        LiteralValue::String(s) => (Val::Str(s.inner().to_owned().into()), Ty::String),
        LiteralValue::Null | LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
            return Err((
                "`null`, bytes and unsigned numbers are not used in rules",
                "`has(x.y)` asks whether an element is there",
            ));
        }
    })
}
