//! The text of a finding for people.
//!
//! ```text
//! error[unknown-element]: `Patient` has no element `birthdate`
//!   --> rules/age.yaml:14:19
//!    |
//! 14 | eligible: patient.birthdate < at - months(12)
//!    |                   ^^^^^^^^^
//!    = help: did you mean `birthDate`?
//! ```

use std::fmt;

use super::visible::in_line;
use super::{Blame, Finding, Severity, Span};

/// So many measures are named; the form for machines has all.
const MEASURES: usize = 5;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match (self.severity, self.blame) {
            (Severity::Error, Blame::Unsupported) => "not supported",
            (Severity::Error, Blame::Bug) => "bug",
            (severity, _) => severity.as_str(),
        };
        write!(f, "{kind}[{}]: {}", self.code, in_line(&self.message))?;
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "\n  --> {}", in_line(&place))?;
        }
        if let Some(span) = &self.place.span {
            let numbered = self.place.is_of_file();
            excerpt(f, span, numbered)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {}", in_line(help))?;
        }
        let named: Vec<&str> = self.measures.iter().take(MEASURES).map(|m| &**m).collect();
        let more = match self.measures.len().saturating_sub(MEASURES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match named.len() {
            0 => Ok(()),
            1 => write!(f, "\n   = measure: {}", in_line(&named.concat())),
            _ => write!(f, "\n   = measures: {}{more}", in_line(&named.join(", "))),
        }
    }
}

/// The line, and marks under what is meant.
fn excerpt(f: &mut fmt::Formatter<'_>, span: &Span, numbered: bool) -> fmt::Result {
    let (Some(text), Some(column)) = (&span.text, span.column) else {
        return Ok(());
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    let number = match numbered {
        true => span.line.to_string(),
        false => String::new(),
    };
    let width = number.len().max(2);
    // What is shown instead of a character may be longer: the marks stand under what is shown.
    let before: String = text.chars().take(column - 1).collect();
    let marked: String = text.chars().skip(column - 1).take(span.length).collect();
    let pad =
        in_line(&before).chars().count() + (column - 1).saturating_sub(before.chars().count());
    let marks = in_line(&marked).chars().count().max(1);
    write!(f, "\n{:width$} |", "")?;
    write!(f, "\n{number:>width$} | {}", in_line(text))?;
    write!(f, "\n{:width$} | {:pad$}{}", "", "", "^".repeat(marks))
}
