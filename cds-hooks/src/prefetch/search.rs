//! How FHIR R4 searches for what a data requirement names.

use std::collections::BTreeSet;

use engine_patient::requirements::CodeFilter;
use engine_patient::terminology::{Completeness, ValueSet};

use super::parameters;

/// More codes than this are not spelled out: EHRs have refused long URLs (cds-hooks/sandbox#47).
pub(super) const MAX_CODES: usize = 30;

/// Longest list of codes in a template, in bytes.
const MAX_CODE_TEXT: usize = 1600;

/// The codes of a search: all of one or several value sets, each once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Codes {
    /// The search parameter.
    pub(super) parameter: &'static str,
    /// `http://loinc.org|4548-4`, in order.
    pub(super) tokens: BTreeSet<String>,
}

/// How a code filter can be written into a search.
pub(super) enum Filter {
    /// By its codes.
    Codes(Codes),
    /// It cannot: ask for the whole type.
    Whole,
    /// The value set has no codes: there is nothing to ask for.
    Nothing,
}

/// All the codes of a filter, or none of them.
pub(super) fn filter(resource_type: &str, filter: &CodeFilter) -> Filter {
    let set: &ValueSet = &filter.value_set;
    match set.completeness() {
        Completeness::Empty => return Filter::Nothing,
        Completeness::Complete if set.len() <= MAX_CODES => {}
        _ => return Filter::Whole,
    }
    let Some(parameter) = parameters::token(resource_type, filter.path) else {
        return Filter::Whole;
    };
    let tokens = set
        .entries()
        .iter()
        .map(|c| format!("{}|{}", escape(&c.system), escape(&c.code)));
    let codes = Codes {
        parameter,
        tokens: tokens.collect(),
    };
    if codes.fit() {
        Filter::Codes(codes)
    } else {
        Filter::Whole
    }
}

impl Codes {
    fn fit(&self) -> bool {
        let length: usize = self.tokens.iter().map(|token| token.len() + 1).sum();
        self.tokens.len() <= MAX_CODES && length <= MAX_CODE_TEXT
    }

    /// Both in one search, where they fit.
    pub(super) fn and(&self, other: &Codes) -> Option<Codes> {
        let tokens = self.tokens.union(&other.tokens).cloned().collect();
        let both = Codes {
            parameter: self.parameter,
            tokens,
        };
        (self.parameter == other.parameter && both.fit()).then_some(both)
    }

    /// Whether a search by these finds some of what one by the others finds.
    pub(super) fn meets(&self, other: &Codes) -> bool {
        self.parameter != other.parameter || !self.tokens.is_disjoint(&other.tokens)
    }

    /// `&code=http://loinc.org|4548-4,…`
    pub(super) fn query(&self) -> String {
        let tokens: Vec<&str> = self.tokens.iter().map(String::as_str).collect();
        format!("&{}={}", self.parameter, tokens.join(","))
    }
}

/// A value within a token: FHIR's own escapes, then percent-encoding of what would end or change
/// the parameter. What URLs of code systems are made of stays readable.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' => out.push(char::from(byte)),
            b',' | b'|' | b'$' | b'\\' => out.push_str(&format!("%5C%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
