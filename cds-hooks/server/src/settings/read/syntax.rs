//! What is wrong with a file as TOML, in words of this file.

use std::ops::Range;

use toml::de::Error;

use super::file::File;

/// What there may be several of: each begins with two pairs of brackets.
const LISTS: [&str; 4] = ["tenant", "role", "client", "fhir_server"];

/// What the reader of TOML says of a name that stands twice.
const TWICE: &str = "duplicate key";

/// A header with one pair of brackets, and up to where its names go.
struct Single {
    name: &'static str,
    header: Range<usize>,
    end: usize,
}

/// Tells what is wrong.
pub(crate) fn told(file: &File<'_>, text: &str, found: &[Error]) {
    if found.is_empty() {
        return;
    }
    // Of several `[client]` each name stands twice. That is one mistake, and not one for each name.
    let singles = singles(text);
    for Single { name, header, .. } in &singles {
        let help = format!("write [[{name}]] with two pairs of brackets: there may be several");
        file.wrong(
            header.clone(),
            format!("`[{name}]`: a list of tables is expected"),
            Some(help),
        );
    }
    for error in found {
        let at = error.span().unwrap_or(0..0);
        let inside = |single: &Single| (single.header.start..single.end).contains(&at.start);
        match error.message() == TWICE {
            true if singles.iter().any(inside) => {}
            true => {
                let name = text.get(at.clone()).unwrap_or_default();
                let message = format!("`{name}` stands here a second time");
                let help = "keep one of them, or put both together".to_owned();
                file.wrong(at, message, Some(help));
            }
            false => file.wrong(at, error.message().replace('\n', ", "), None),
        }
    }
}

fn singles(text: &str) -> Vec<Single> {
    let (mut all, mut at): (Vec<Single>, usize) = (vec![], 0);
    let mut is_open = false;
    for line in text.split_inclusive('\n') {
        let (start, content) = (at, line.trim_start());
        at += line.len();
        if !content.starts_with('[') {
            continue;
        }
        if let Some(open) = all.last_mut().filter(|_| is_open) {
            open.end = start;
        }
        let name = content.get(1..).and_then(|rest| rest.split(']').next());
        let name = name.unwrap_or_default().trim();
        let list = LISTS.iter().find(|list| **list == name);
        is_open = list.is_some();
        all.extend(list.map(|name| Single {
            name,
            header: start..start + line.trim_end().len(),
            end: text.len(),
        }));
    }
    all
}
