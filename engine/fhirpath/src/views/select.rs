//! Reading a `select`: its iteration, its columns, its nested selects, its `unionAll`.

use engine_patient::finding::Code;
use serde_json::{Map, Value};

use super::plan::Step;
use super::reader::{Reader, join};
use super::{read_column, union};
use crate::{Kind, Path, Type};

/// Deepest nesting of selects.
const MAX_DEPTH: usize = 32;
/// Most selects of a view, at all levels.
const MAX_SELECTS: usize = 256;

const PROPERTIES: &[&str] = &[
    "column",
    "extension",
    "forEach",
    "forEachOrNull",
    "id",
    "modifierExtension",
    "repeat",
    "select",
    "unionAll",
];
const ITERATIONS: &[&str] = &["forEach", "forEachOrNull", "repeat"];

/// The steps of a select; `focus` is what it starts from.
pub(super) fn read(
    reader: &mut Reader,
    at: &str,
    value: &Value,
    focus: Type,
    depth: usize,
) -> Vec<Step> {
    let Some(map) = reader.object(at, value) else {
        return vec![];
    };
    reader.selects += 1;
    if depth >= MAX_DEPTH || reader.selects > MAX_SELECTS {
        let what =
            format!("a view has at most {MAX_SELECTS} selects, nested at most {MAX_DEPTH} deep");
        // Once is enough.
        if depth >= MAX_DEPTH || reader.selects == MAX_SELECTS + 1 {
            reader.error(Code::ViewTooLarge, at, what);
        }
        return vec![];
    }
    reader.only(at, map, PROPERTIES);
    let iterations: Vec<&str> = ITERATIONS
        .iter()
        .copied()
        .filter(|k| map.contains_key(*k))
        .collect();
    if let [first, second, ..] = iterations.as_slice() {
        reader.error(
            Code::ViewForEach,
            at,
            format!("both `{first}` and `{second}`: a select iterates once"),
        );
    }
    if !["column", "select", "unionAll"]
        .iter()
        .any(|k| map.contains_key(*k))
    {
        reader.error(
            Code::ViewMissing,
            at,
            "a select needs `column`, `select` or `unionAll`",
        );
    }
    let start = reader.columns.len();
    match iterations.first().copied() {
        None => body(reader, at, map, focus, depth),
        Some("repeat") => {
            let (paths, element) = repeat(reader, at, map, focus);
            let inner = body(reader, at, map, element, depth);
            vec![Step::Repeat {
                paths,
                inner,
                at: join(at, "repeat"),
            }]
        }
        Some(key) => {
            let text = reader.text(at, map, key);
            let at_path = join(at, key);
            let path = text.and_then(|t| reader.path(&at_path, &t, focus));
            let element = path.as_ref().map_or(Type::UNKNOWN, Path::ty);
            let inner = body(
                reader,
                at,
                map,
                Type {
                    many: false,
                    ..element
                },
                depth,
            );
            let columns = start..reader.columns.len();
            let or_null = key == "forEachOrNull";
            path.map(|path| Step::ForEach {
                path,
                or_null,
                columns,
                inner,
                at: at_path,
            })
            .into_iter()
            .collect()
        }
    }
}

fn body(
    reader: &mut Reader,
    at: &str,
    map: &Map<String, Value>,
    focus: Type,
    depth: usize,
) -> Vec<Step> {
    let mut columns = vec![];
    for (at, item) in reader.items(at, map, "column") {
        columns.extend(read_column::read(reader, &at, item, focus));
    }
    let mut steps = vec![];
    if !columns.is_empty() {
        steps.push(Step::Columns(columns));
    }
    for (at, item) in reader.items(at, map, "select") {
        steps.extend(read(reader, &at, item, focus, depth + 1));
    }
    let branches = reader.items(at, map, "unionAll");
    if !branches.is_empty() {
        steps.push(union::read(reader, branches, |reader, at, branch| {
            read(reader, at, branch, focus, depth + 1)
        }));
    }
    steps
}

/// The paths of a `repeat`, and the type of what they reach.
fn repeat(
    reader: &mut Reader,
    at: &str,
    map: &Map<String, Value>,
    focus: Type,
) -> (Vec<Path>, Type) {
    let mut texts: Vec<(String, &str)> = vec![];
    for (at, item) in reader.items(at, map, "repeat") {
        match item.as_str() {
            None => reader.error(Code::ViewWrongType, at, "a text was expected"),
            Some(text) if texts.iter().any(|(_, t)| *t == text) => {
                reader.error(Code::ViewDuplicate, at, "the same path twice")
            }
            Some(text) => texts.push((at, text)),
        }
    }
    // What the first step reaches from the start; deeper elements are of one type with it, or of
    // none that is known.
    let reached = |reader: &mut Reader, focus: Type| {
        let paths: Vec<Path> = texts
            .iter()
            .filter_map(|(at, t)| reader.path(at, t, focus))
            .collect();
        let mut kinds = paths
            .iter()
            .map(|p| p.ty().kind)
            .filter(|k| *k != Kind::Unknown);
        let first = kinds.next();
        let one = first.filter(|f| kinds.all(|k| k == *f));
        (
            paths,
            Type {
                kind: one.unwrap_or(Kind::Unknown),
                many: false,
            },
        )
    };
    // Elements that only deeper levels have (`answer.item`) are no mistake at the start.
    let (errors, warnings) = (reader.errors.len(), reader.warnings.len());
    let (_, start) = reached(reader, focus);
    if reader.errors.len() > errors {
        return (vec![], Type::UNKNOWN);
    }
    reader.warnings.truncate(warnings);
    let (_, deeper) = reached(reader, start);
    reader.errors.truncate(errors);
    reader.warnings.truncate(warnings);
    let ty = if start == deeper {
        start
    } else {
        Type {
            kind: Kind::Unknown,
            many: false,
        }
    };
    // Run from anywhere, so compiled for anything.
    let (paths, _) = reached(
        reader,
        Type {
            kind: Kind::Unknown,
            many: false,
        },
    );
    (paths, ty)
}
