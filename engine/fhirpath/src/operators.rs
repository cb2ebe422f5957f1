//! Operators: which operand types they take, and what they give.

use super::ast::Operator;
use super::compile::{Compiler, Typed};
use super::error::{Refused, wrong};
use super::expr::{Comparison, Expr};
use super::types::{Class, Type, common};
use engine_patient::finding::Code;

impl Compiler<'_> {
    pub(super) fn operator(
        &mut self,
        at: usize,
        operator: Operator,
        left: Typed,
        right: Typed,
    ) -> Result<Typed, Refused> {
        use Operator::{
            Add, Concatenate, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply,
            NotEqual, Subtract, Union,
        };
        let (a, b) = (left.ty.class(), right.ty.class());
        match operator {
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual => {
                let ordering = !matches!(operator, Equal | NotEqual);
                if ordering {
                    orderable(at, operator, &left.ty, &right.ty)?;
                }
                let how = match (a, b) {
                    (Class::Moment, _) | (_, Class::Moment) => Comparison::Moment,
                    (Class::Time, _) | (_, Class::Time) => Comparison::Time,
                    _ => Comparison::Other,
                };
                let (left, right) = (left.boxed(), right.boxed());
                let expr = Expr::Compare {
                    operator,
                    how,
                    left,
                    right,
                };
                Ok(Typed::new(expr, Type::one("boolean")))
            }
            Union => {
                let ty = Type {
                    kind: common(left.ty, right.ty),
                    many: true,
                };
                Ok(Typed::new(Expr::Union(left.boxed(), right.boxed()), ty))
            }
            Concatenate => {
                textual(at, operator, &[&left.ty, &right.ty])?;
                Ok(Typed::new(
                    Expr::Concatenate(left.boxed(), right.boxed()),
                    Type::one("string"),
                ))
            }
            Add if a == Class::Text || b == Class::Text => {
                textual(at, operator, &[&left.ty, &right.ty])?;
                let (left, right) = (left.boxed(), right.boxed());
                Ok(Typed::new(
                    Expr::Arithmetic {
                        operator,
                        left,
                        right,
                    },
                    Type::one("string"),
                ))
            }
            Add | Subtract | Multiply | Divide => {
                for ty in [left.ty, right.ty] {
                    if !matches!(ty.class(), Class::Number | Class::Unknown) {
                        let message =
                            format!("`{}` needs numbers, not {}", operator.text(), ty.shown());
                        return Err(wrong(Code::PathType, at, message));
                    }
                }
                let whole = |ty: &Type| ty.name().is_some_and(|n| n != "decimal");
                let ty = match operator {
                    Divide => Type::one("decimal"),
                    _ if whole(&left.ty) && whole(&right.ty) => Type::one("integer"),
                    // Of unknown types, `+` may be of texts.
                    Add if a == Class::Unknown && b == Class::Unknown => Type::UNKNOWN.single(),
                    _ => Type::one("decimal"),
                };
                let (left, right) = (left.boxed(), right.boxed());
                Ok(Typed::new(
                    Expr::Arithmetic {
                        operator,
                        left,
                        right,
                    },
                    ty,
                ))
            }
        }
    }
}

fn orderable(at: usize, operator: Operator, left: &Type, right: &Type) -> Result<(), Refused> {
    let sign = operator.text();
    for ty in [left, right] {
        let hint = match ty.class() {
            Class::Boolean => "compare with `=`",
            Class::Complex if ty.name() == Some("Quantity") => {
                "compare its `value`, and its `code` with `=`"
            }
            Class::Complex => "compare one of its elements",
            _ => continue,
        };
        let message = format!("`{sign}` cannot order values that are {}", ty.shown());
        return Err(wrong(Code::PathType, at, message).help(hint));
    }
    let (a, b) = (left.class(), right.class());
    let number = |c| c == Class::Number;
    if a != Class::Unknown && b != Class::Unknown && number(a) != number(b) {
        let message = format!(
            "`{sign}` cannot order {} against {}",
            left.shown(),
            right.shown()
        );
        return Err(wrong(Code::PathType, at, message));
    }
    Ok(())
}

fn textual(at: usize, operator: Operator, types: &[&Type]) -> Result<(), Refused> {
    for ty in types {
        if !matches!(
            ty.class(),
            Class::Text | Class::Moment | Class::Time | Class::Unknown
        ) {
            let message = format!("`{}` needs texts, not {}", operator.text(), ty.shown());
            return Err(wrong(Code::PathType, at, message));
        }
    }
    Ok(())
}
