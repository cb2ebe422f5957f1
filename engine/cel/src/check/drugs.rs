//! Names of drugs, drug classes and types of orders, in quotes.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::finding::{Code, did_you_mean};
use engine_patient::terminology::{DrugError, DrugSet};

use super::pass::Pass;
use crate::functions::DRAFTS;
use crate::nodes::{Node, NodeKind, Span};
use crate::value::Val;

/// `"warfarin"`, `"class:maoi"`, `"11289|class:doac"`
pub(super) fn drugs_named(pass: &mut Pass<'_>, text: &str, span: Span) -> Node {
    if text.trim().is_empty() {
        let named = pass.symbols.drugs().set_of(text);
        return node(pass, named, span);
    }
    match pass.symbols.drugs().set_of_cell(text) {
        Ok(set) => node(pass, Ok(set), span),
        Err(wrong) => {
            // Within the quotes, where the text has no escapes.
            let plain = span.1.saturating_sub(span.0) == text.chars().count() + 2;
            for (place, error) in wrong {
                let from = span.0 + 1;
                let place = match plain {
                    true => (from + place.start, from + place.end),
                    false => span,
                };
                unknown(pass, error, place);
            }
            let kind = NodeKind::Wrong;
            Node { kind, span }
        }
    }
}

/// `"maoi"`; `class:` before it may be left out.
pub(super) fn class_named(pass: &mut Pass<'_>, id: &str, span: Span) -> Node {
    let id = id.trim();
    let named = pass.symbols.drugs();
    let named = named.class_set(id.strip_prefix("class:").unwrap_or(id));
    node(pass, named, span)
}

fn node(pass: &mut Pass<'_>, named: Result<DrugSet, DrugError>, span: Span) -> Node {
    let kind = match named {
        Ok(set) => NodeKind::Constant(Val::Drugs(Arc::new(set))),
        Err(error) => {
            unknown(pass, error, span);
            NodeKind::Wrong
        }
    };
    Node { kind, span }
}

fn unknown(pass: &mut Pass<'_>, error: DrugError, span: Span) {
    let DrugError { message, help } = error;
    pass.problem(Code::UnknownDrug, message, span, Some(help));
}

/// `"MedicationRequest"`
pub(super) fn draft_type(pass: &mut Pass<'_>, name: &str, span: Span) -> Node {
    let kind = match DRAFTS.iter().find(|ty| **ty == name) {
        Some(ty) => {
            let all = &mut pass.symbols.draft_types;
            let new = Name::of(ty).filter(|ty| !all.contains(ty));
            all.extend(new);
            NodeKind::Constant(Val::Str(Cow::Borrowed(ty)))
        }
        None => {
            let help = match did_you_mean(name, DRAFTS.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("drafts are `{}`", DRAFTS.join("`, `")),
            };
            let message = format!("`{name}` is no type of draft orders");
            pass.problem(Code::UnknownResource, message, span, Some(help));
            NodeKind::Wrong
        }
    };
    Node { kind, span }
}
