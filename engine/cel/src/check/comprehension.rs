//! `exists`, `all`, `filter`, `map` and `exists_one`.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr};
use engine_patient::finding::Code;

use super::pass::{Checked, Pass};
use crate::guards::{Asked, needed};
use crate::nodes::{Comprehension, Fold, Node, NodeKind, Span};
use crate::types::Ty;

impl Pass<'_> {
    /// Recognises what `cel`'s macros expand to.
    pub(super) fn comprehension(&mut self, c: &ComprehensionExpr, span: Span) -> Checked {
        let (range, range_ty) = self.expr(&c.iter_range);
        let item = match range_ty {
            Ty::List(item) => *item,
            Ty::Any => Ty::Any,
            other => {
                let message =
                    format!("`exists`, `all`, `filter` and `map` need a list, this is {other}");
                return self.wrong(Code::WrongType, message, range.span, None);
            }
        };
        let slot = self.scope.len();
        self.scope.push((c.iter_var.clone(), item.clone()));
        self.slots = self.slots.max(self.scope.len());
        let checked = self.fold(c, range, slot, &item, span);
        self.scope.truncate(slot);
        checked
    }

    fn fold(
        &mut self,
        c: &ComprehensionExpr,
        range: Node,
        slot: usize,
        item: &Ty,
        span: Span,
    ) -> Checked {
        let unsupported = |pass: &mut Self| {
            pass.wrong(
                Code::Unsupported,
                "this form of a comprehension is not used in rules".into(),
                span,
                None,
            )
        };
        let Expr::Call(step) = &c.loop_step.expr else {
            return unsupported(self);
        };
        match (step.func_name.as_str(), step.args.as_slice()) {
            ("_||_", [_, body]) | ("_&&_", [_, body]) => {
                let fold = if step.func_name == "_||_" {
                    Fold::Exists
                } else {
                    Fold::All
                };
                let body = self.boolean(body);
                let inner = Box::new(over(range, slot, body));
                (
                    Node {
                        kind: NodeKind::Fold(fold, inner),
                        span,
                    },
                    Ty::Bool,
                )
            }
            ("_+_", [_, added]) => self.mapping(None, added, range, slot, span),
            ("_?_:_", [condition, then, _]) => match &then.expr {
                // `accu + [x]` is a filter or a map with a condition, `accu + 1` is exists_one.
                Expr::Call(CallExpr {
                    func_name, args, ..
                }) if func_name == "_+_" => match args.as_slice() {
                    [
                        _,
                        IdedExpr {
                            expr: Expr::List(list),
                            ..
                        },
                    ] => {
                        let same = matches!(list.elements.as_slice(), [IdedExpr { expr: Expr::Ident(name), .. }] if *name == c.iter_var);
                        if same {
                            let body = self.boolean(condition);
                            let inner = Box::new(over(range, slot, body));
                            let kind = NodeKind::Fold(Fold::Filter, inner);
                            return (Node { kind, span }, item.clone().list());
                        }
                        match args.get(1) {
                            Some(added) => self.mapping(Some(condition), added, range, slot, span),
                            None => unsupported(self),
                        }
                    }
                    _ => {
                        let body = self.boolean(condition);
                        let inner = Box::new(over(range, slot, body));
                        (
                            Node {
                                kind: NodeKind::Fold(Fold::ExistsOne, inner),
                                span,
                            },
                            Ty::Bool,
                        )
                    }
                },
                _ => unsupported(self),
            },
            _ => unsupported(self),
        }
    }

    fn mapping(
        &mut self,
        condition: Option<&IdedExpr>,
        added: &IdedExpr,
        range: Node,
        slot: usize,
        span: Span,
    ) -> Checked {
        let condition = condition.map(|c| Box::new(self.boolean(c)));
        let Expr::List(list) = &added.expr else {
            return self.wrong(
                Code::Unsupported,
                "this form of a comprehension is not used in rules".into(),
                span,
                None,
            );
        };
        let Some(element) = list.elements.first() else {
            return self.wrong(Code::Syntax, "`map` needs an expression".into(), span, None);
        };
        let (body, ty) = self.expr(element);
        let inner = Box::new(over(range, slot, body));
        (
            Node {
                kind: NodeKind::Map(inner, condition),
                span,
            },
            ty.list(),
        )
    }
}

fn over(range: Node, slot: usize, body: Node) -> Comprehension {
    let drugs = needed(&body, Asked::Local(slot), &[]);
    Comprehension {
        range,
        slot,
        body,
        drugs,
    }
}
