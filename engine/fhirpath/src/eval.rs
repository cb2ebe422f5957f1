//! Running a compiled expression: every value goes to a sink, which may have enough.

use std::borrow::Cow;

use super::ast::Operator;
use super::expr::{Comparison, Expr};
use super::field::follow;
use super::focus::Focus;
use super::item::{Flow, Item, Scalar, Several, Sink, Stop, failed, finished};
use super::{arithmetic, boundary, compare, keys};
use engine_patient::record::Element;

/// What surrounds an expression while it runs.
#[derive(Clone, Copy)]
pub(super) struct Around<'s, 'a> {
    resource: Element<'a>,
    this: Option<&'s Item<'a>>,
    index: i64,
    row_index: i64,
}

impl<'s, 'a> Around<'s, 'a> {
    pub fn of(focus: &'s Focus<'a>) -> Self {
        let Focus {
            resource,
            ref this,
            row_index,
        } = *focus;
        Around {
            resource,
            this: this.as_ref(),
            index: 0,
            row_index,
        }
    }

    fn with<'n>(self, this: &'n Item<'a>, index: i64) -> Around<'n, 'a>
    where
        's: 'n,
    {
        Around {
            this: Some(this),
            index,
            ..self
        }
    }
}

pub(super) fn eval<'a>(expr: &'a Expr, around: &Around<'_, 'a>, sink: Sink<'_, 'a>) -> Flow {
    match expr {
        Expr::Empty => Ok(()),
        Expr::This => around.this.map_or(Ok(()), |item| sink(item.clone())),
        Expr::Resource => sink(Item::Element(around.resource)),
        Expr::Index => sink(Item::Int(around.index)),
        Expr::RowIndex => sink(Item::Int(around.row_index)),
        Expr::Literal(literal) => sink(Item::of_literal(literal)),
        Expr::Fields(base, fields) => match (&**base, around.this) {
            (Expr::This, Some(Item::Element(element))) => follow(*element, fields, sink),
            _ => eval(base, around, &mut |item| match item {
                Item::Element(element) => follow(element, fields, sink),
                _ => Ok(()),
            }),
        },
        Expr::Where(base, criteria) => each_indexed(base, around, &mut |item, index| match truth(
            criteria,
            &around.with(&item, index),
        )? {
            Some(true) => sink(item),
            _ => Ok(()),
        }),
        Expr::Select(base, projection) => each_indexed(base, around, &mut |item, index| {
            eval(projection, &around.with(&item, index), sink)
        }),
        Expr::All(base, criteria) => {
            let mut all = true;
            let flow = each_indexed(base, around, &mut |item, index| {
                all = truth(criteria, &around.with(&item, index))? == Some(true);
                if all { Ok(()) } else { Err(Stop::Enough) }
            });
            finished(flow)?;
            sink(Item::Bool(all))
        }
        Expr::Exists(base) => sink(Item::Bool(exists(base, around)?)),
        Expr::IsEmpty(base) => sink(Item::Bool(!exists(base, around)?)),
        Expr::Not(base) => match truth(base, around)? {
            Some(value) => sink(Item::Bool(!value)),
            None => Ok(()),
        },
        Expr::Count(base) => {
            let mut count = 0;
            eval(base, around, &mut |_| {
                count += 1;
                Ok(())
            })?;
            sink(Item::Int(count))
        }
        Expr::First(base) => first(base, around, sink),
        Expr::Last(base) => {
            let mut last = None;
            eval(base, around, &mut |item| {
                last = Some(item);
                Ok(())
            })?;
            last.map_or(Ok(()), sink)
        }
        Expr::At(base, index) => match single(index, around, "several values as an index")? {
            Some(index) => match index.scalar() {
                Some(Scalar::Int(index)) => nth(base, index, around, sink),
                _ => failed("an index that is not a whole number"),
            },
            None => Ok(()),
        },
        Expr::Join(base, separator) => join(base, separator.as_deref(), around, sink),
        Expr::Extension(base, url) => eval(base, around, &mut |item| match &item {
            Item::Element(e) if keys::has_url(*e, url) => sink(item),
            _ => Ok(()),
        }),
        Expr::OfChoice(base, field) => eval(base, around, &mut |item| match &item {
            Item::Element(e) if field.names(*e) => sink(item),
            _ => Ok(()),
        }),
        Expr::OfResource(base, name) => eval(base, around, &mut |item| match &item {
            Item::Element(e) if keys::is_of_type(*e, name) => sink(item),
            _ => Ok(()),
        }),
        Expr::ResourceKey(base) => eval(base, around, &mut |item| match item {
            Item::Element(e) => keys::resource_key(e).map_or(Ok(()), |key| sink(Item::Text(key))),
            _ => Ok(()),
        }),
        Expr::ReferenceKey(base, target) => eval(base, around, &mut |item| match item {
            Item::Element(e) => {
                keys::reference_key(e, *target).map_or(Ok(()), |key| sink(Item::Text(key)))
            }
            _ => Ok(()),
        }),
        Expr::Boundary { of, kind, high } => eval(of, around, &mut |item| {
            boundary::boundary(&item, *kind, *high).map_or(Ok(()), &mut *sink)
        }),
        Expr::If {
            condition,
            then,
            otherwise,
        } => match (truth(condition, around)?, otherwise) {
            (Some(true), _) => eval(then, around, sink),
            (_, Some(otherwise)) => eval(otherwise, around, sink),
            (_, None) => Ok(()),
        },
        Expr::And(operands) => logic(operands, false, around, sink),
        Expr::Or(operands) => logic(operands, true, around, sink),
        Expr::Compare {
            operator,
            how,
            left,
            right,
        } => compared(*operator, *how, left, right, around, sink),
        Expr::Arithmetic {
            operator,
            left,
            right,
        } => {
            let left = single(
                left,
                around,
                "several values as an operand of a calculation",
            )?;
            let right = single(
                right,
                around,
                "several values as an operand of a calculation",
            )?;
            match (left, right) {
                (Some(left), Some(right)) => {
                    arithmetic::binary(*operator, &left, &right).map_or(Ok(()), sink)
                }
                _ => Ok(()),
            }
        }
        Expr::Negate(operand) => {
            let operand = single(operand, around, "several values as the operand of `-`")?;
            operand
                .and_then(|o| arithmetic::negate(&o))
                .map_or(Ok(()), sink)
        }
        Expr::Concatenate(left, right) => {
            let left = single(left, around, "several values as an operand of `&`")?;
            let right = single(right, around, "several values as an operand of `&`")?;
            sink(arithmetic::concatenated(left, right)?)
        }
        Expr::Union(left, right) => {
            let mut seen: Vec<Item<'a>> = vec![];
            for operand in [left, right] {
                eval(operand, around, &mut |item| {
                    let same = |other: &Item<'a>| {
                        compare::equal(Comparison::Other, other, &item) == Some(true)
                    };
                    if !seen.iter().any(same) {
                        seen.push(item);
                    }
                    Ok(())
                })?;
            }
            seen.into_iter().try_for_each(sink)
        }
    }
}

fn exists<'a>(base: &'a Expr, around: &Around<'_, 'a>) -> Result<bool, Stop> {
    let mut found = false;
    finished(eval(base, around, &mut |_| {
        found = true;
        Err(Stop::Enough)
    }))?;
    Ok(found)
}

/// At most one value, or an error.
fn single<'a>(
    expr: &'a Expr,
    around: &Around<'_, 'a>,
    several: &'static str,
) -> Result<Option<Item<'a>>, Stop> {
    let mut found = None;
    eval(expr, around, &mut |item| match found.replace(item) {
        None => Ok(()),
        Some(_) => failed(several),
    })?;
    Ok(found)
}

/// The value as a condition: one value that is no boolean counts as true (FHIRPath, "Singleton
/// Evaluation of Collections").
fn truth<'a>(expr: &'a Expr, around: &Around<'_, 'a>) -> Result<Option<bool>, Stop> {
    let found = single(expr, around, "several values where one boolean is needed")?;
    Ok(found.map(|item| item.truth()))
}

/// `decisive` is what one operand alone decides for: `false` for `and`, `true` for `or`.
fn logic<'a>(
    operands: &'a [Expr],
    decisive: bool,
    around: &Around<'_, 'a>,
    sink: Sink<'_, 'a>,
) -> Flow {
    let mut unknown = false;
    for operand in operands {
        match truth(operand, around)? {
            Some(value) if value == decisive => return sink(Item::Bool(decisive)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown {
        Ok(())
    } else {
        sink(Item::Bool(!decisive))
    }
}

fn compared<'a>(
    operator: Operator,
    how: Comparison,
    left: &'a Expr,
    right: &'a Expr,
    around: &Around<'_, 'a>,
    sink: Sink<'_, 'a>,
) -> Flow {
    let mut operands = [Several::None, Several::None];
    for (operand, expr) in operands.iter_mut().zip([left, right]) {
        eval(expr, around, &mut |item| {
            operand.push(item);
            Ok(())
        })?;
    }
    let [left, right] = &operands;
    let result = compare::holds(operator, how, left.as_slice(), right.as_slice())?;
    result.map_or(Ok(()), |value| sink(Item::Bool(value)))
}

fn each_indexed<'a>(
    base: &'a Expr,
    around: &Around<'_, 'a>,
    sink: &mut dyn FnMut(Item<'a>, i64) -> Flow,
) -> Flow {
    let mut index = 0;
    eval(base, around, &mut |item| {
        index += 1;
        sink(item, index - 1)
    })
}

/// The first of a union is the first of its first operand that has any: `(a | b).first()`.
fn first<'a>(base: &'a Expr, around: &Around<'_, 'a>, sink: Sink<'_, 'a>) -> Flow {
    let Expr::Union(left, right) = base else {
        return nth(base, 0, around, sink);
    };
    let mut found = false;
    first(left, around, &mut |item| {
        found = true;
        sink(item)
    })?;
    if found {
        Ok(())
    } else {
        first(right, around, sink)
    }
}

fn nth<'a>(base: &'a Expr, wanted: i64, around: &Around<'_, 'a>, sink: Sink<'_, 'a>) -> Flow {
    let (mut index, mut out) = (0, Ok(()));
    let flow = eval(base, around, &mut |item| {
        if index == wanted {
            out = sink(item);
            return Err(Stop::Enough);
        }
        index += 1;
        Ok(())
    });
    finished(flow)?;
    out
}

/// Nothing to join is an empty text, as the specification of SQL on FHIR has it.
fn join<'a>(
    base: &'a Expr,
    separator: Option<&'a Expr>,
    around: &Around<'_, 'a>,
    sink: Sink<'_, 'a>,
) -> Flow {
    let separator = match separator {
        Some(expr) => single(expr, around, "several separators for `join`")?,
        None => None,
    };
    let separator = separator.as_ref().and_then(Item::text).unwrap_or_default();
    let (mut out, mut first) = (String::new(), true);
    eval(base, around, &mut |item| {
        if !std::mem::take(&mut first) {
            out.push_str(&separator);
        }
        match item.text() {
            Some(text) => out.push_str(&text),
            None => return failed("a value for `join` that is no text"),
        }
        Ok(())
    })?;
    sink(Item::Text(Cow::Owned(out)))
}
