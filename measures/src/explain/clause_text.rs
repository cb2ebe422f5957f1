//! The text of clauses: from the annotations of a library, or made from its ELM where it has none.

use std::collections::{HashMap, HashSet};

use engine_elm::cql_text::{Aliases, Piece};
use engine_elm::expressions::{ExpressionKind, ExpressionView, Role, Statement};
use serde_json::Value as Json;

/// Longest text that is kept of a clause, and of one within a line.
const LONG: usize = 2_000;
const BRIEF: usize = 160;

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
    /// What aliases are called: a part of a statement alone does not know.
    aliases: Aliases,
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

/// Keeps the text of every clause of a statement, and what its aliases are called.
pub fn collect(statement: &Statement<'_>, into: &mut ClauseTexts) {
    let mut around: Vec<ExpressionView<'_>> = vec![];
    for piece in statement.cql_text() {
        match piece {
            Piece::Open(place) => around.push(place),
            Piece::Text(text) => {
                if let Some(place) = around.last().filter(|p| p.local().is_some()) {
                    into.aliases.insert(place.address(), text.into_owned());
                }
            }
            Piece::Close => {
                around.pop();
            }
        }
    }
    let marks = marks(statement.annotation);
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

/// The text of an expression, on one line.
pub fn text(place: ExpressionView<'_>, texts: &ClauseTexts) -> String {
    let key = place.clause().map(|c| (c.library, c.local_id.to_string()));
    match key.and_then(|key| texts.annotated.get(&key)) {
        Some(text) => without_keyword(text).to_owned(),
        None => without(place, texts, &HashSet::new()),
    }
}

/// The text of an expression with `…` for others within it, which stand elsewhere.
pub fn without(place: ExpressionView<'_>, texts: &ClauseTexts, others: &HashSet<usize>) -> String {
    shortened(&place.cql_line(&texts.aliases, others), LONG)
}

/// The text of an expression for a place within a line: of a long one the queries and retrieves are
/// left out.
pub fn brief(place: ExpressionView<'_>, texts: &ClauseTexts) -> String {
    let text = brief_text(place, texts);
    // The definition that translators make of `context Patient` is no name of the author's.
    match text.strip_prefix("\"Patient\".") {
        Some(element) => format!("Patient.{element}"),
        None => text,
    }
}

fn brief_text(place: ExpressionView<'_>, texts: &ClauseTexts) -> String {
    let whole = text(place, texts);
    if whole.chars().count() <= BRIEF {
        return whole;
    }
    let mut others = HashSet::new();
    let mut stack: Vec<ExpressionView<'_>> = place.parts().into_iter().map(|(_, p)| p).collect();
    while let Some(part) = stack.pop() {
        match part.kind() {
            ExpressionKind::Query | ExpressionKind::Retrieve(_) => {
                others.insert(part.address());
            }
            _ => stack.extend(part.parts().into_iter().map(|(_, p)| p)),
        }
    }
    without(place, texts, &others)
}

/// The text of an expression whose parts are not shown: of a long one the conditions of queries are left
/// out, so that what it is about remains.
pub fn closed(place: ExpressionView<'_>, texts: &ClauseTexts) -> String {
    let whole = text(place, texts);
    if whole.chars().count() <= BRIEF {
        return whole;
    }
    let mut others = HashSet::new();
    let mut stack = vec![place];
    while let Some(part) = stack.pop() {
        for (role, inner) in part.parts() {
            match role {
                Role::Where | Role::SuchThat => {
                    others.insert(inner.address());
                }
                _ => stack.push(inner),
            }
        }
    }
    without(place, texts, &others)
}

/// The text of an author's clause begins with the word that the query above it has already.
fn without_keyword(text: &str) -> &str {
    const WORDS: [&str; 5] = [
        "where ",
        "such that ",
        "return all ",
        "return distinct ",
        "return ",
    ];
    let found = WORDS.iter().find_map(|word| text.strip_prefix(word));
    found.unwrap_or(text)
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
