//! The text of a resource with its references resolved, and the way back.

use std::borrow::Cow;

use super::Context;
use super::reference::{References, resolve};
use crate::record::Element;

/// A place of a resolved text where something else stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Byte where it starts.
    pub at: usize,
    /// Its length in bytes.
    pub len: usize,
    /// What stood there, as JSON has it.
    pub original: String,
}

/// The text of a resource as it is evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved<'t> {
    /// JSON.
    pub text: Cow<'t, str>,
    /// What was changed, in order; empty where nothing was.
    pub restore: Vec<Piece>,
}

/// Resolves the references of a resource and gives it `id` where it has none. With `one_line` the
/// white space between tokens is left out if there are line ends: it carries nothing.
pub fn resolved<'r>(
    resource: Element<'r>,
    id: Option<&str>,
    one_line: bool,
    context: &Context<'_, '_>,
    found: &mut References,
) -> Resolved<'r> {
    let raw = resource.raw();
    let start = resource.position();
    let mut changes: Vec<(usize, usize, String)> = vec![];
    if let Some(id) = id.filter(|_| raw.starts_with('{')) {
        changes.push((1, 1, format!("\"id\":\"{id}\",")));
    }
    for reference in resource.references() {
        let Some(new) = reference
            .as_str()
            .and_then(|text| resolve(&text, context, found))
        else {
            continue;
        };
        let at = (reference.position() - start) as usize;
        changes.push((at, at + reference.raw().len(), escaped(&new)));
    }
    let mut compactor = Compactor::new(one_line && has_line_end(raw));
    if changes.is_empty() {
        let text = match compactor.active {
            false => Cow::Borrowed(raw),
            true => {
                compactor.push(raw);
                Cow::Owned(compactor.out)
            }
        };
        return Resolved {
            text,
            restore: vec![],
        };
    }
    let (mut restore, mut done) = (Vec::with_capacity(changes.len()), 0);
    for (from, to, new) in changes {
        compactor.push(raw.get(done..from).unwrap_or(""));
        restore.push(Piece {
            at: compactor.out.len(),
            len: new.len(),
            original: raw.get(from..to).unwrap_or("").to_owned(),
        });
        compactor.out.push_str(&new);
        done = to;
    }
    compactor.push(raw.get(done..).unwrap_or(""));
    Resolved {
        text: Cow::Owned(compactor.out),
        restore,
    }
}

fn has_line_end(text: &str) -> bool {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
}

/// The inside of a JSON string.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or("")
        .to_owned()
}

/// The JSON on one line: NDJSON is lines. White space between tokens carries nothing. A text without
/// line ends stays as it is.
pub fn compact(json: &str) -> Cow<'_, str> {
    if !has_line_end(json) {
        return json.into();
    }
    let mut compactor = Compactor::new(true);
    compactor.push(json);
    Cow::Owned(compactor.out)
}

/// Leaves out white space between tokens, across pieces of one text.
struct Compactor {
    active: bool,
    in_string: bool,
    escaped: bool,
    out: String,
}

impl Compactor {
    fn new(active: bool) -> Self {
        Compactor {
            active,
            in_string: false,
            escaped: false,
            out: String::new(),
        }
    }

    fn push(&mut self, text: &str) {
        self.out.reserve(text.len());
        if !self.active {
            self.out.push_str(text);
            return;
        }
        for c in text.chars() {
            if self.in_string {
                self.in_string = self.escaped || c != '"';
                self.escaped = !self.escaped && c == '\\';
            } else if c.is_ascii_whitespace() {
                continue;
            } else {
                self.in_string = c == '"';
            }
            self.out.push(c);
        }
    }
}

/// What is kept beside a resolved text: `[[byte, length, "what stood there"], …]`. `None` where
/// nothing was changed.
pub fn restore_text(pieces: &[Piece]) -> Option<String> {
    let list = pieces
        .iter()
        .map(|p| serde_json::json!([p.at, p.len, p.original]));
    let list: Vec<serde_json::Value> = list.collect();
    (!list.is_empty()).then(|| serde_json::Value::Array(list).to_string())
}

/// A restore text that does not fit its resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what a stored resource was before its references were resolved cannot be read")]
pub struct Damaged;

/// The resource as it came. `restore` is of [`restore_text`].
pub fn restored<'t>(text: &'t str, restore: Option<&str>) -> Result<Cow<'t, str>, Damaged> {
    let Some(restore) = restore.filter(|r| !r.is_empty()) else {
        return Ok(Cow::Borrowed(text));
    };
    let pieces: Vec<(usize, usize, String)> = serde_json::from_str(restore).map_err(|_| Damaged)?;
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (at, len, original) in pieces {
        let end = at.checked_add(len).ok_or(Damaged)?;
        text.get(at..end).ok_or(Damaged)?;
        out.push_str(text.get(done..at).ok_or(Damaged)?);
        out.push_str(&original);
        done = end;
    }
    out.push_str(text.get(done..).ok_or(Damaged)?);
    Ok(Cow::Owned(out))
}
