//! `provision.securityLabel` against `meta.security` of a resource.

use engine_patient::system::truth::Truth;

use crate::codes::{Confidentiality, Sensitivity};
use crate::provision::Kind;
use crate::read::Code;
use crate::seen::Seen;

/// Whether a label that a provision names is about a resource.
pub(crate) fn is(label: &Code, kind: Option<Kind>, seen: &Seen<'_>) -> Truth {
    let (system, code) = (label.0.as_str(), label.1.as_str());
    if let Some(wanted) = Confidentiality::of(system, code) {
        return confidentiality(wanted, kind, seen);
    }
    let labels = seen.labels();
    let Some(wanted) = Sensitivity::of(system, code) else {
        return absent_unless(labels.contains(label), seen);
    };
    let own: Vec<Sensitivity> = labels
        .iter()
        .filter_map(|(system, code)| Sensitivity::of(system, code))
        .collect();
    if own.iter().any(|one| one.is_a(wanted)) {
        return Truth::True;
    }
    // Its kind may be the narrower one that is named, or the same by another name.
    let may_be = |one: &Sensitivity| wanted.is_a(*one) || one.is_near(wanted);
    match own.iter().any(may_be) {
        true => Truth::Unknown,
        false => absent_unless(false, seen),
    }
}

/// "It applies to all resources that are labeled R or lower … a high water mark": what may be seen. What may
/// not is that and more.
fn confidentiality(wanted: Confidentiality, kind: Option<Kind>, seen: &Seen<'_>) -> Truth {
    let labels = seen.labels();
    let own = labels
        .iter()
        .filter_map(|(system, code)| Confidentiality::of(system, code));
    let own = own.max().unwrap_or(Confidentiality::NORMAL);
    let holds = match kind {
        Some(Kind::Permit) => own <= wanted,
        Some(Kind::Deny) => own >= wanted,
        None if own == wanted => true,
        None => return Truth::Unknown,
    };
    if holds { Truth::True } else { Truth::False }
}

/// A label that a resource does not have says that it is not so, where its source labels what it sends.
fn absent_unless(there: bool, seen: &Seen<'_>) -> Truth {
    match (there, seen.is_labelled) {
        (true, _) => Truth::True,
        (false, true) => Truth::False,
        (false, false) => Truth::Unknown,
    }
}
