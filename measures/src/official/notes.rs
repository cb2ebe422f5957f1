//! What the evaluation of ELM noted for a patient, as lines of the ledger.

use engine_patient::program::{NoteKind, Notes};

/// Adds what was noted.
pub(super) fn add(noted: &engine_elm::EvaluationMetrics, out: &mut Notes) {
    for ((from, to), count) in noted.units.borrow().iter() {
        let detail = format!("`{from}` and `{to}`");
        out.add(NoteKind::UnitsNotConvertible, &detail, *count);
    }
    for (code, count) in noted.messages.borrow().iter() {
        out.add(NoteKind::Message, code, *count);
    }
    for (path, count) in noted.unreadable.borrow().iter() {
        out.add(NoteKind::Unreadable, path, *count);
    }
    for (why, count) in noted.profiles.borrow().iter() {
        out.add(NoteKind::ProfileUndecided, why, *count);
    }
    for (retrieve, count) in noted.tagged_otherwise.borrow().iter() {
        out.add(NoteKind::TaggedOtherwise, retrieve, *count);
    }
    for ((what, ty), count) in noted.casts.borrow().iter() {
        let detail = format!("{what} cast to {ty}");
        out.add(NoteKind::LostInCast, &detail, *count);
    }
    for (bug, count) in noted.bugs.borrow().iter() {
        out.add(NoteKind::Bug, bug, *count);
    }
    out.add(NoteKind::ValueSetNotLoaded, "", noted.value_sets.get());
    out.add(NoteKind::ReferenceNotFound, "", noted.references.get());
}
