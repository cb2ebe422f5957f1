//! Running a view on a resource. Selects are joined by nesting: each step runs the next one for
//! every row it makes, so no row is kept.

use super::error::{ViewNote, ViewRunError};
use super::plan::{Column, Step};
use super::value::{ViewValue, convert};
use super::view::View;
use crate::{Focus, Item, Path, PathRunError, Stop, is_of_type};
use engine_patient::record::Element;

/// Most elements that one `repeat` visits in one resource.
const MAX_REPEAT: usize = 100_000;

struct Run<'a, 'o> {
    view: &'a View,
    row: Vec<ViewValue<'a>>,
    out: &'o mut dyn FnMut(&[ViewValue<'_>]),
    noted: &'o mut dyn FnMut(ViewNote),
}

impl Run<'_, '_> {
    fn note(&mut self, place: String, problem: &'static str) {
        (self.noted)(ViewNote { place, problem });
    }
}

type Done = Result<(), ViewRunError>;
/// What is left to do once the steps at hand are done.
type Then<'t, 'a, 'o> = &'t mut dyn FnMut(&mut Run<'a, 'o>) -> Done;

impl View {
    /// Hands every row of a resource to `out`: as many values as there are columns. A resource of
    /// another type gives none. Rows that came before an error have been handed out.
    ///
    /// `noted` hears of each value that cannot be used: of another JSON type than the column, or
    /// several where R4 has one at most. The cell is null then, and the rest of the row stands.
    pub fn rows(
        &self,
        resource: Element<'_>,
        out: &mut dyn FnMut(&[ViewValue<'_>]),
        noted: &mut dyn FnMut(ViewNote),
    ) -> Result<(), ViewRunError> {
        rows(self, resource, out, noted)
    }
}

fn rows<'a>(
    view: &'a View,
    resource: Element<'a>,
    out: &mut dyn FnMut(&[ViewValue<'_>]),
    noted: &mut dyn FnMut(ViewNote),
) -> Done {
    if !is_of_type(resource, view.resource) {
        return Ok(());
    }
    let focus = Focus {
        resource,
        this: Some(Item::Element(resource)),
        row_index: 0,
    };
    for (i, condition) in view.conditions.iter().enumerate() {
        match condition.boolean(&focus) {
            Ok(Some(true)) => {}
            Ok(_) => return Ok(()),
            Err(PathRunError(problem)) => {
                // A path that can be no boolean was refused when the view was loaded: it is this
                // resource of which it is not known whether it fits.
                let place = format!("`where[{i}].path`");
                noted(ViewNote { place, problem });
                return Ok(());
            }
        }
    }
    let row = vec![ViewValue::Null; view.columns.len()];
    let mut run = Run {
        view,
        row,
        out,
        noted,
    };
    steps(&view.steps, &focus, &mut run, &mut |run| {
        (run.out)(&run.row);
        Ok(())
    })
}

fn failure(view: &View, place: String, problem: &'static str) -> ViewRunError {
    ViewRunError {
        view: view.name.clone(),
        place,
        problem,
    }
}

fn steps<'a, 'o>(
    todo: &'a [Step],
    focus: &Focus<'a>,
    run: &mut Run<'a, 'o>,
    then: Then<'_, 'a, 'o>,
) -> Done {
    let Some((step, rest)) = todo.split_first() else {
        return then(run);
    };
    match step {
        Step::Columns(columns) => {
            for column in columns {
                fill(column, focus, run)?;
            }
            steps(rest, focus, run, then)
        }
        Step::ForEach {
            path,
            or_null,
            columns,
            inner,
            at,
        } => {
            // Gathered first, so that the frames of the path are gone before the inner steps run.
            let mut items = vec![];
            let flow = path.each(focus, &mut |item| {
                items.push(item);
                Ok(())
            });
            if let Err(PathRunError(problem)) = flow {
                run.note(format!("`{at}`"), problem);
            }
            if items.is_empty() && *or_null {
                for value in run.row.get_mut(columns.clone()).unwrap_or_default() {
                    *value = ViewValue::Null;
                }
                let nothing = Focus {
                    resource: focus.resource,
                    this: None,
                    row_index: 0,
                };
                fill_indices(inner, &nothing, run)?;
                return steps(rest, focus, run, then);
            }
            for (row_index, item) in (0..).zip(items) {
                let focus_of_item = Focus {
                    resource: focus.resource,
                    this: Some(item),
                    row_index,
                };
                steps(inner, &focus_of_item, run, &mut |run| {
                    steps(rest, focus, run, then)
                })?;
            }
            Ok(())
        }
        Step::Repeat { paths, inner, at } => {
            for (row_index, element) in (0..).zip(below(paths, focus, run, at)?) {
                let this = Some(Item::Element(element));
                let focus_of_item = Focus {
                    resource: focus.resource,
                    this,
                    row_index,
                };
                steps(inner, &focus_of_item, run, &mut |run| {
                    steps(rest, focus, run, then)
                })?;
            }
            Ok(())
        }
        Step::Union(branches) => {
            for branch in branches {
                steps(branch, focus, run, &mut |run| steps(rest, focus, run, then))?;
            }
            Ok(())
        }
    }
}

/// In the row of nulls of a `forEachOrNull`, `%rowIndex` is 0.
fn fill_indices<'a>(inner: &'a [Step], nothing: &Focus<'a>, run: &mut Run<'a, '_>) -> Done {
    for step in inner {
        if let Step::Columns(columns) = step {
            for column in columns.iter().filter(|c| c.path.uses_row_index()) {
                fill(column, nothing, run)?;
            }
        }
    }
    Ok(())
}

fn fill<'a>(column: &'a Column, focus: &Focus<'a>, run: &mut Run<'a, '_>) -> Done {
    let storage = column.storage;
    let name = |run: &Run<'_, '_>| {
        let found = run.view.columns.get(column.index);
        format!("column `{}`", found.map_or("", |c| c.name.as_str()))
    };
    let (mut problem, mut several) = (None, false);
    let mut value = if column.collection {
        ViewValue::List(vec![])
    } else {
        ViewValue::Null
    };
    let flow = column.path.each(focus, &mut |item| {
        match (convert(item, storage), &mut value) {
            (Ok(new), ViewValue::List(list)) => list.push(new),
            (Ok(new), value @ ViewValue::Null) => *value = new,
            (Ok(_), _) => several = true,
            (Err(wrong), ViewValue::List(list)) => {
                problem = Some(wrong);
                list.push(ViewValue::Null);
            }
            (Err(wrong), _) => problem = Some(wrong),
        }
        // Of a list the others are still wanted.
        if several || (problem.is_some() && !column.collection) {
            Err(Stop::Enough)
        } else {
            Ok(())
        }
    });
    if let Err(PathRunError(wrong)) = flow {
        problem = Some(wrong);
    }
    if several {
        const SEVERAL: &str = "several values, but the column is no collection";
        if column.path.ty().many {
            return Err(failure(run.view, name(run), SEVERAL));
        }
        problem = Some(SEVERAL);
    }
    if let Some(problem) = problem {
        let place = name(run);
        run.note(place, problem);
        if !column.collection {
            value = ViewValue::Null;
        }
    }
    if let Some(place) = run.row.get_mut(column.index) {
        *place = value;
    }
    Ok(())
}

/// Everything the paths reach from the focus, and from there, parents first.
fn below<'a>(
    paths: &'a [Path],
    focus: &Focus<'a>,
    run: &mut Run<'_, '_>,
    at: &str,
) -> Result<Vec<Element<'a>>, ViewRunError> {
    let view = run.view;
    let fail = |problem| failure(view, format!("`{at}`"), problem);
    let Some(Item::Element(start)) = focus.this else {
        return Ok(vec![]);
    };
    let (mut found, mut open) = (vec![], vec![start]);
    // `open` is a stack: what was reached is put there last to first.
    while let Some(element) = open.pop() {
        if !found.is_empty() || element != start {
            found.push(element);
        }
        let from = open.len();
        let focus = Focus {
            this: Some(Item::Element(element)),
            ..focus.clone()
        };
        let mut outside = false;
        for path in paths {
            let flow = path.each(&focus, &mut |item| match item {
                Item::Element(child) if is_below(child, element) => {
                    open.push(child);
                    Ok(())
                }
                _ => {
                    outside = true;
                    Err(Stop::Enough)
                }
            });
            if let Err(PathRunError(problem)) = flow {
                run.note(format!("`{at}`"), problem);
            }
        }
        if outside {
            return Err(fail(
                "a path of `repeat` that leads anywhere but to elements below",
            ));
        }
        if found.len() + open.len() > MAX_REPEAT {
            return Err(fail("`repeat` reaches more than 100,000 elements"));
        }
        open.get_mut(from..).unwrap_or_default().reverse();
    }
    Ok(found)
}

/// The text of an element lies within the text of what it is part of.
fn is_below(child: Element<'_>, element: Element<'_>) -> bool {
    let within = element
        .raw()
        .as_bytes()
        .as_ptr_range()
        .contains(&child.raw().as_ptr());
    within && child != element
}
