//! The text of clauses: from the annotations of a library, or made from its ELM where it has none.

use std::collections::HashMap;

use engine_elm::cql_text::Piece;
use engine_elm::expressions::{ExpressionView, Statement};
use serde_json::Value as Json;

/// Longest text that is kept of a clause.
const LONG: usize = 240;

/// A piece of an annotation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark<'j> {
    /// A span begins: the `localId` of the clause.
    Open(Option<&'j str>),
    Text(&'j str),
    Close,
}

/// Texts of clauses.
#[derive(Default)]
pub struct ClauseTexts {
    /// By library and `localId`: the author's.
    annotated: HashMap<(u32, String), String>,
    /// By place: made from the ELM. Of a whole statement, since a part alone does not know its aliases.
    from_elm: HashMap<usize, String>,
}

/// The pieces of an annotation in the order of the text; empty where there is none. ELM nests spans
/// (`{"r": "12", "s": [{"value": ["define "]}, …]}`): `r` is the `localId`.
pub fn marks(annotation: Option<&Json>) -> Vec<Mark<'_>> {
    enum Task<'j> {
        Read(&'j Json),
        Close,
    }
    let all = match annotation {
        Some(Json::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let Some(root) = all.iter().find_map(|a| a.get("s")) else {
        return vec![];
    };
    let mut out = vec![];
    let mut tasks = vec![Task::Read(root)];
    while let Some(task) = tasks.pop() {
        let span = match task {
            Task::Close => {
                out.push(Mark::Close);
                continue;
            }
            Task::Read(span) => span,
        };
        let texts = match span.get("value") {
            Some(Json::Array(texts)) => texts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        out.push(Mark::Open(span.get("r").and_then(Json::as_str)));
        tasks.push(Task::Close);
        out.extend(texts.iter().filter_map(Json::as_str).map(Mark::Text));
        match span.get("s") {
            Some(Json::Array(inner)) => tasks.extend(inner.iter().rev().map(Task::Read)),
            Some(inner) => tasks.push(Task::Read(inner)),
            None => {}
        }
    }
    out
}

/// Keeps the text of every clause of a statement.
pub fn collect(statement: &Statement<'_>, into: &mut ClauseTexts) {
    let marks = marks(statement.annotation);
    if marks.is_empty() {
        let mut open: Vec<(usize, String)> = vec![];
        for piece in statement.body.cql_text() {
            match piece {
                Piece::Open(place) => open.push((place.address(), String::new())),
                Piece::Text(text) => add(&mut open, &text),
                Piece::Close => {
                    if let Some((address, text)) = open.pop() {
                        into.from_elm.insert(address, shortened(&text, LONG));
                    }
                }
            }
        }
        return;
    }
    let mut open: Vec<(Option<&str>, String)> = vec![];
    for mark in marks {
        match mark {
            Mark::Open(id) => open.push((id, String::new())),
            Mark::Text(text) => add(&mut open, text),
            Mark::Close => {
                if let Some((Some(id), text)) = open.pop() {
                    let key = (statement.library, id.to_owned());
                    into.annotated.insert(key, shortened(&text, LONG));
                }
            }
        }
    }
}

/// Adds to the texts of all that are open.
fn add<K>(open: &mut [(K, String)], text: &str) {
    for (_, own) in open {
        // White space is folded later.
        if own.len() < 4 * LONG {
            own.push_str(text);
        }
    }
}

/// The text of an expression, at most so many characters, on one line.
pub fn text(place: ExpressionView<'_>, texts: &ClauseTexts, long: usize) -> String {
    let key = place.clause().map(|c| (c.library, c.local_id.to_string()));
    let annotated = key.and_then(|key| texts.annotated.get(&key));
    match annotated.or_else(|| texts.from_elm.get(&place.address())) {
        Some(text) => shortened(text, long),
        // Too deep in its statement to have been written out.
        None => place.name().to_owned(),
    }
}

/// On one line, at most so many characters.
pub fn shortened(text: &str, long: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(long) {
        None => line,
        Some((at, _)) => {
            let mut line = line;
            line.truncate(at);
            format!("{}…", line.trim_end())
        }
    }
}
