//! §20 list operators; and those that are on strings or intervals too, by what they are given.

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::fhir::fhir_children::child;
use crate::operators::equality::equal;
use crate::operators::interval_relations;
use crate::operators::interval_sets;
use crate::operators::strings;
use crate::values::value::{Fhir, Tuple, Val};
use engine_patient::record::Kind;

/// Operands by place; missing ones are null.
fn pair<'a>(args: &[Val<'a>]) -> (Val<'a>, Val<'a>) {
    let at = |i: usize| args.get(i).copied().unwrap_or(Val::Null);
    (at(0), at(1))
}

/// The same for sets: equal, or both null.
pub fn same<'a>(cx: &Cx<'a>, a: Val<'a>, b: Val<'a>) -> Result<bool, Fault> {
    if let (Val::Null, Val::Null) = (a, b) {
        return Ok(true);
    }
    Ok(equal(cx, a, b)? == Some(true))
}

/// Whether the items hold one that is the same.
fn has<'a>(cx: &Cx<'a>, items: &[Val<'a>], wanted: Val<'a>) -> Result<bool, Fault> {
    cx.charge(items.len() / 8)?;
    // Codes of status and the like, and resources, are most of what is looked for.
    if let Val::String(wanted) = wanted {
        for item in items {
            match item {
                Val::String(item) => {
                    cx.charge_text(item.len().min(wanted.len()))?;
                    if *item == wanted {
                        return Ok(true);
                    }
                }
                Val::Null => {}
                other if same(cx, *other, Val::String(wanted))? => return Ok(true),
                _ => {}
            }
        }
        return Ok(false);
    }
    for item in items {
        if same(cx, *item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds those that are not there yet.
pub fn push_distinct<'a>(
    cx: &Cx<'a>,
    into: &mut Vec<Val<'a>>,
    items: &[Val<'a>],
) -> Result<(), Fault> {
    for item in items {
        if !has(cx, into, *item)? {
            into.push(*item);
        }
    }
    Ok(())
}

/// `Exists`: an item that is not null.
pub fn exists<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(Val::Boolean(match pair(args).0 {
        Val::List(items) => items.iter().any(|i| !i.is_null()),
        _ => false,
    }))
}

/// `First`
pub fn first<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(match pair(args).0 {
        Val::List(items) => items.first().copied().unwrap_or(Val::Null),
        _ => Val::Null,
    })
}

/// `Last`
pub fn last<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(match pair(args).0 {
        Val::List(items) => items.last().copied().unwrap_or(Val::Null),
        _ => Val::Null,
    })
}

/// `SingletonFrom`: a run-time error where there are several.
pub fn singleton_from<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    match pair(args).0 {
        Val::List([]) | Val::Null => Ok(Val::Null),
        Val::List([one]) => Ok(*one),
        Val::List(several) => Err(Fault::Raised(format!(
            "`singleton from` a list of {} items",
            several.len()
        ))),
        // A single value where a list was expected.
        one => Ok(one),
    }
}

/// `Flatten`: one level.
pub fn flatten<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let Val::List(lists) = pair(args).0 else {
        return Ok(Val::Null);
    };
    let mut out = vec![];
    for list in lists {
        match list {
            Val::List(items) => {
                cx.charge(items.len())?;
                cx.room(out.len() + items.len())?;
                out.extend_from_slice(items);
            }
            Val::Null => {}
            one => out.push(*one),
        }
    }
    cx.list(&out)
}

/// `Distinct`: the first of each stays.
pub fn distinct<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    match pair(args).0 {
        Val::List(items) => distinct_of(cx, items),
        _ => Ok(Val::Null),
    }
}

/// The items, each once.
pub fn distinct_of<'a>(cx: &Cx<'a>, items: &'a [Val<'a>]) -> Out<'a> {
    if items.len() < 2 {
        return Ok(Val::List(items));
    }
    let mut out = Vec::with_capacity(items.len());
    push_distinct(cx, &mut out, items)?;
    cx.list(&out)
}

/// `Union`: of lists, each item once, a null list counting as empty; of intervals.
pub fn union<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (a, b) = pair(args);
    match (a, b) {
        (Val::Interval(_), _) | (_, Val::Interval(_)) if !extra.on_lists => {
            interval_sets::union(cx, args, extra)
        }
        (Val::Null, Val::Null) => Ok(if extra.on_lists {
            Val::List(&[])
        } else {
            Val::Null
        }),
        (Val::List(one), Val::Null | Val::List([]))
        | (Val::Null | Val::List([]), Val::List(one)) => distinct_of(cx, one),
        (Val::List(a), Val::List(b)) => {
            let mut out = Vec::with_capacity(a.len() + b.len());
            push_distinct(cx, &mut out, a)?;
            push_distinct(cx, &mut out, b)?;
            cx.list(&out)
        }
        _ => Ok(Val::Null),
    }
}

/// `Intersect`: null where an operand is.
pub fn intersect<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args) {
        (Val::List(a), Val::List(b)) => {
            let mut out = vec![];
            for item in a {
                if has(cx, b, *item)? && !has(cx, &out, *item)? {
                    out.push(*item);
                }
            }
            cx.list(&out)
        }
        (Val::Interval(_), _) | (_, Val::Interval(_)) => interval_sets::intersect(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// `Except`: items of the first that are not in the second, each once.
pub fn except<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args) {
        (Val::List(a), Val::List(b)) => {
            let mut out = vec![];
            for item in a {
                if !has(cx, b, *item)? && !has(cx, &out, *item)? {
                    out.push(*item);
                }
            }
            cx.list(&out)
        }
        (Val::List(a), Val::Null) => distinct_of(cx, a),
        (Val::Interval(_), _) | (_, Val::Interval(_)) => interval_sets::except(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// Whether a list has an item, by equality. Null is in a list that has one; in another that is not
/// empty it is unknown.
fn list_contains<'a>(cx: &Cx<'a>, items: &[Val<'a>], wanted: Val<'a>) -> Out<'a> {
    let found = has(cx, items, wanted)?;
    Ok(match wanted {
        Val::Null if !found && !items.is_empty() => Val::Null,
        _ => Val::Boolean(found),
    })
}

/// `Contains`
pub fn contains<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (whole, item) = pair(args);
    match whole {
        Val::List(items) => list_contains(cx, items, item),
        Val::Interval(_) => interval_relations::contains(cx, args, extra),
        // A null list, or interval, has nothing in it.
        _ => Ok(Val::Boolean(false)),
    }
}

/// `In`
pub fn in_<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (item, whole) = pair(args);
    contains(cx, &[whole, item], extra)
}

/// `ProperContains`: there must be others too (CQL 1.5 §20.25). Equality that is unknown, as of a null
/// item, leaves the result unknown where it decides; nulls are the same as a null that is looked for.
pub fn proper_contains<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (whole, item) = pair(args);
    match whole {
        Val::List(items) => {
            let (mut found, mut others, mut unknown) = (false, false, false);
            for other in items {
                cx.charge(1)?;
                let equal = match (other, item) {
                    (Val::Null, Val::Null) => Some(true),
                    // Null is told from what is there.
                    (_, Val::Null) => Some(false),
                    _ => equal(cx, *other, item)?,
                };
                match equal {
                    Some(true) => found = true,
                    Some(false) => others = true,
                    None => unknown = true,
                }
                if found && others {
                    return Ok(Val::Boolean(true));
                }
            }
            // One item alone is never properly in it.
            Ok(match unknown && items.len() > 1 {
                true => Val::Null,
                false => Val::Boolean(false),
            })
        }
        Val::Interval(_) => interval_relations::proper_contains(cx, args, extra),
        // A list can only be the point of an interval, and that one is unknown.
        _ if matches!(item, Val::List(_)) => Ok(Val::Null),
        _ => Ok(Val::Boolean(false)),
    }
}

/// `ProperIn`
pub fn proper_in<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (item, whole) = pair(args);
    proper_contains(cx, &[whole, item], extra)
}

fn list_includes<'a>(cx: &Cx<'a>, whole: &[Val<'a>], part: &[Val<'a>]) -> Result<bool, Fault> {
    for item in part {
        if !has(cx, whole, *item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `Includes`: of lists, each item of the second is in the first.
pub fn includes<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args) {
        (Val::List(whole), Val::List(part)) => list_includes(cx, whole, part).map(Val::Boolean),
        (Val::Interval(_), Val::Interval(_)) => interval_relations::includes(cx, args, extra),
        (Val::Interval(_), point) if !point.is_null() => {
            interval_relations::contains(cx, args, extra)
        }
        (Val::List(whole), item) if !item.is_null() => list_contains(cx, whole, item),
        _ => Ok(Val::Null),
    }
}

/// `IncludedIn`
pub fn included_in<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (part, whole) = pair(args);
    includes(cx, &[whole, part], extra)
}

/// `ProperIncludes`: and the first has others too.
pub fn proper_includes<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args) {
        (Val::List(whole), Val::List(part)) => Ok(Val::Boolean(
            whole.len() > part.len() && list_includes(cx, whole, part)?,
        )),
        (Val::Interval(_), Val::Interval(_)) => {
            interval_relations::proper_includes(cx, args, extra)
        }
        (Val::Interval(_), point) if !point.is_null() => {
            interval_relations::proper_contains(cx, args, extra)
        }
        (Val::List(_), item) if !item.is_null() => proper_contains(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// `ProperIncludedIn`
pub fn proper_included_in<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let (part, whole) = pair(args);
    proper_includes(cx, &[whole, part], extra)
}

/// `Length`: of a list, its items; of a string, its characters.
pub fn length<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args).0 {
        Val::List(items) => Ok(Val::Integer(i32::try_from(items.len()).unwrap_or(i32::MAX))),
        Val::Null => Ok(if extra.on_lists {
            Val::Integer(0)
        } else {
            Val::Null
        }),
        _ => strings::length(cx, args, extra),
    }
}

/// `Indexer`: counting from 0; null outside.
pub fn indexer<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match pair(args) {
        (Val::List(items), Val::Integer(index)) => {
            let found = usize::try_from(index)
                .ok()
                .and_then(|i| items.get(i).copied());
            Ok(found.unwrap_or(Val::Null))
        }
        (Val::String(_), _) => strings::string_indexer(cx, args, extra),
        _ => Ok(Val::Null),
    }
}

/// `IndexOf`: -1 where it is not there.
pub fn index_of<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    match pair(args) {
        (_, Val::Null) | (Val::Null, _) => Ok(Val::Null),
        (Val::List(items), wanted) => {
            cx.charge(items.len())?;
            for (i, item) in items.iter().enumerate() {
                if same(cx, *item, wanted)? {
                    return Ok(Val::Integer(i32::try_from(i).unwrap_or(i32::MAX)));
                }
            }
            Ok(Val::Integer(-1))
        }
        _ => Ok(Val::Null),
    }
}

/// `Slice`: from `startIndex` (null: 0) up to before `endIndex` (null: the end). Negative indices
/// count from the end.
pub fn slice<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let Val::List(items) = pair(args).0 else {
        return Ok(Val::Null);
    };
    let index = |at: usize, otherwise: usize| match args.get(at) {
        Some(Val::Integer(i)) if *i < 0 => items
            .len()
            .saturating_sub(usize::try_from(i.unsigned_abs()).unwrap_or(usize::MAX)),
        Some(Val::Integer(i)) => usize::try_from(*i).unwrap_or(usize::MAX).min(items.len()),
        _ => otherwise,
    };
    let (start, end) = (index(1, 0), index(2, items.len()));
    Ok(Val::List(items.get(start..end).unwrap_or(&[])))
}

/// `Times`: the product of two lists of tuples.
pub fn times<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let (Val::List(left), Val::List(right)) = pair(args) else {
        return Ok(Val::Null);
    };
    let mut out = vec![];
    for a in left {
        for b in right {
            cx.charge(1)?;
            cx.room(out.len())?;
            let (Val::Tuple(a), Val::Tuple(b)) = (a, b) else {
                continue;
            };
            let names: Vec<&str> = a.names.iter().chain(b.names).copied().collect();
            let values: Vec<Val<'a>> = a.values.iter().chain(b.values).copied().collect();
            let tuple = Tuple {
                type_name: None,
                names: cx.slice(&names)?,
                values: cx.slice(&values)?,
            };
            out.push(Val::Tuple(cx.keep(tuple)?));
        }
    }
    cx.list(&out)
}

/// The elements that a value holds.
fn parts<'a>(value: Val<'a>, out: &mut Vec<Val<'a>>) {
    match value {
        Val::List(items) => out.extend_from_slice(items),
        Val::Tuple(tuple) => out.extend(tuple.values.iter().filter(|v| !v.is_null())),
        Val::Interval(interval) => out.extend([interval.low, interval.high]),
        Val::Concept(concept) => out.extend(concept.codes.iter().map(Val::Code)),
        Val::Fhir(fhir) => {
            let Some(element) = fhir.element().filter(|e| e.kind() == Kind::Object) else {
                return;
            };
            for property in element.children() {
                let Some(info) = child(fhir.ty, property.name()) else {
                    continue;
                };
                out.extend(
                    property
                        .items()
                        .map(|item| Val::Fhir(Fhir::of(item, info.ty))),
                );
            }
        }
        _ => {}
    }
}

/// `Children`
pub fn children<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let value = pair(args).0;
    if value.is_null() {
        return Ok(Val::Null);
    }
    let mut out = vec![];
    parts(value, &mut out);
    cx.list(&out)
}

/// `Descendants`: children, their children, and so on; each before its own.
pub fn descendants<'a>(cx: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    let value = pair(args).0;
    if value.is_null() {
        return Ok(Val::Null);
    }
    let (mut out, mut next) = (vec![], vec![value]);
    while let Some(value) = next.pop() {
        cx.charge(1)?;
        let from = out.len();
        parts(value, &mut out);
        cx.charge(out.len() - from)?;
        cx.room(out.len())?;
        next.extend(out.get(from..).unwrap_or_default().iter().rev());
    }
    cx.list(&out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read, read_list, run, show};

    /// CQL 1.5 §20.25: in the list, and not the only element of it. What is unknown only matters where
    /// it decides.
    #[test]
    fn proper_contains_with_nulls() {
        run(|cx| {
            for (list, item, expected) in [
                ("1, 2", "1", "true"),
                ("1, 2", "3", "false"),
                ("1", "1", "false"),
                ("1, 1", "1", "false"),
                ("", "1", "false"),
                // The null may be the item, or the other one.
                ("null, 2", "1", "null"),
                ("1, null", "1", "null"),
                ("null, null", "1", "null"),
                // One alone is never properly in it, whatever it is.
                ("null", "1", "false"),
                ("1, 2, null", "1", "true"),
                // A null that is looked for is the same as a null.
                ("1, 2", "null", "false"),
                ("1, null", "null", "true"),
                ("null, null", "null", "false"),
                // Not decided by what is known of a date.
                ("@2014-01, @2013", "@2014", "null"),
                ("@2014-01, @2014", "@2014", "null"),
                ("@2012, @2013", "@2014", "false"),
            ] {
                let args = [read_list(cx, list), read(cx, item)];
                let out = proper_contains(cx, &args, &Extra::default()).unwrap();
                assert_eq!(show(out), expected, "{list} properly includes {item}");
                let swapped = [args[1], args[0]];
                let out = proper_in(cx, &swapped, &Extra::default()).unwrap();
                assert_eq!(show(out), expected, "{item} properly in {list}");
                if item != "null" {
                    let out = proper_includes(cx, &args, &Extra::default()).unwrap();
                    assert_eq!(show(out), expected, "{list} properly includes {item}");
                }
            }
        });
    }
}
