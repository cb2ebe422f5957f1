//! From a prefetch template and tokens to a query (CDS Hooks 2.0.1, "Prefetch Template").
//!
//! A template is a relative read (`Patient/{{context.patientId}}`) or search of a type
//! (`Observation?patient={{context.patientId}}`); `{{context.userId}}` alone is a whole read. A value is
//! encoded where it stands, so that it can be nothing but a value: no further parameter, no further path, no
//! second value of an OR. A token without a value sends nothing: `patient=` would be a search of everybody.

use std::ops::Range;

use crate::failure::{Failure, Family};

use super::query::{Query, What, encoded};
use super::tokens::{Tokens, is_token};

/// The longest value of a token, in bytes.
const MAX_VALUE: usize = 256;

/// A part of a template.
enum Part<'t> {
    Text(&'t str),
    Token(&'t str),
}

/// What is wrong with a template whatever the call has, in plain words. To be asked once, at start.
///
/// # Errors
///
/// It is no relative read or search of a type, or has a token that CDS Hooks 2.0 does not have.
pub fn check(template: &str) -> Result<(), String> {
    let parts = parts(template)?;
    for part in &parts {
        if let Part::Token(name) = part
            && !is_token(name)
        {
            return Err(format!("`{{{{{name}}}}}` is no token of CDS Hooks 2.0"));
        }
    }
    // As with a token that has a value.
    query(&parts, |name| match name {
        "context.userId" => "Practitioner/1",
        _ => "1",
    })
    .map(|_| ())
}

/// The query of a template.
///
/// # Errors
///
/// [`Family::NotAsked`]: the template is none, or a token has no value that can be sent.
pub(crate) fn resolve(template: &str, tokens: &Tokens) -> Result<Query, Failure> {
    let no = |text: String| Failure::new(Family::NotAsked, text);
    let parts = parts(template).map_err(no)?;
    for part in &parts {
        let Part::Token(name) = part else { continue };
        let value = tokens.get(name).unwrap_or("");
        let flaw = match value {
            "" if is_token(name) => "has no value in this call",
            "" => "is no token of CDS Hooks 2.0",
            "." | ".." => "has a value that is no id",
            _ if value.len() > MAX_VALUE => "has a value that is too long",
            _ if value.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                "has a value with white space or control characters"
            }
            _ => continue,
        };
        let mut failure = no(format!("the token `{name}` {flaw}"));
        failure.token = Some((*name).to_owned()).filter(|_| value.is_empty() && is_token(name));
        return Err(failure);
    }
    query(&parts, |name| tokens.get(name).unwrap_or("")).map_err(no)
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let (mut parts, mut rest) = (vec![], template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .ok_or("a `{{` of the template has no `}}`")?;
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Token(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    let stray = |part: &Part<'_>| matches!(part, Part::Text(text) if text.contains(['{', '}']));
    match parts.iter().any(stray) {
        true => Err("the template has braces that are no `{{token}}`".to_owned()),
        false => Ok(parts),
    }
}

/// Puts the values in. Tokens may stand for an id in the path and for values of parameters.
fn query<'v>(parts: &[Part<'_>], value: impl Fn(&str) -> &'v str) -> Result<Query, String> {
    const FORM: &str = "a template must be a relative read (`Patient/{{context.patientId}}`) or a search of a type (`Observation?patient={{context.patientId}}`)";
    if let [Part::Token(name)] = parts {
        let (ty, id) = value(name)
            .split_once('/')
            .filter(|(ty, id)| is_type(ty) && is_id(id))
            .ok_or_else(|| format!("`{{{{{name}}}}}` alone must stand for `Type/id`"))?;
        return Ok(Query {
            resource_type: ty.to_owned(),
            what: What::Read(id.to_owned()),
        });
    }
    let (mut path, mut search) = (String::new(), None::<String>);
    for part in parts {
        match (part, &mut search) {
            (Part::Text(text), None) => match text.split_once('?') {
                None => path.push_str(text),
                Some((before, after)) => {
                    path.push_str(before);
                    search = Some(literal(after)?);
                }
            },
            (Part::Text(text), Some(search)) => search.push_str(&literal(text)?),
            // The id of a read. What is no id cannot hide in it: the path is looked at below.
            (Part::Token(name), None) => path.push_str(value(name)),
            (Part::Token(name), Some(search)) => search.push_str(&escaped(value(name))),
        }
    }
    let (ty, id) = match path.split_once('/') {
        None => (path.as_str(), None),
        Some((ty, id)) => (ty, Some(id)),
    };
    let what = match (id, search) {
        (Some(id), None) if is_id(id) => What::Read(id.to_owned()),
        (None, Some(search)) => {
            if let Some(name) = search.split('&').find(|p| !has_value(p)) {
                let name = name.split('=').next().unwrap_or("");
                return Err(format!(
                    "the parameter `{name}` of the template has no value"
                ));
            }
            What::Search(search)
        }
        _ => return Err(FORM.to_owned()),
    };
    if !is_type(ty) {
        return Err(FORM.to_owned());
    }
    Ok(Query {
        resource_type: ty.to_owned(),
        what,
    })
}

fn has_value(parameter: &str) -> bool {
    matches!(parameter.split_once('='), Some((name, value)) if !name.is_empty() && !value.is_empty())
}

fn is_type(text: &str) -> bool {
    const LENGTH: Range<usize> = 2..65;
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && LENGTH.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// One segment of a path. Some servers have ids that FHIR would not allow; they are encoded. What begins with
/// `$` is an operation to a server that decodes it.
fn is_id(text: &str) -> bool {
    let no_id =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\' | '?' | '#');
    !matches!(text, "" | "." | ".." | "_search" | "_history")
        && !text.starts_with('$')
        && !text.contains(no_id)
}

/// The author's own text of parameters: as it is, but for what must not stand in a URL. (Tomcat refuses `|`.)
fn literal(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' => return Err("the template has a fragment (`#`)".to_owned()),
            _ if c.is_control() || c.is_whitespace() => {
                return Err("the template has white space in its parameters".to_owned());
            }
            '|' | '"' | '<' | '>' | '\\' | '^' | '`' | '[' | ']' | '\'' => {
                out.push_str(&encoded(c.encode_utf8(&mut [0; 4])));
            }
            _ if !c.is_ascii() => out.push_str(&encoded(c.encode_utf8(&mut [0; 4]))),
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// A value of a search parameter: escapes of FHIR (R4 §3.1.1.3.1) for what would divide it, then those of URLs.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    // `Practitioner/1`, the value of a reference, stays readable.
    encoded(&out).replace("%2F", "/")
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
