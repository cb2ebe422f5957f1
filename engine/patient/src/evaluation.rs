//! What a run wants of the evaluation of a patient, and what that gives beside rows. All of it is data, so
//! that it can be asked of, and told by, another machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::context::EvaluationContext;
use crate::result_row::ResultRow;

/// Which rows a run wants beside those of populations, and which it does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowOptions {
    /// The outcomes of the clauses of criteria. Every patient is then evaluated whole.
    pub clauses: bool,
    /// The resources that were looked at.
    pub evaluated_resources: bool,
    /// The last evidence of care gaps.
    pub evidence: bool,
    /// No rows of a patient and artifact of whom nothing holds and nothing is unknown: most of a
    /// population. Who has no rows is in no population.
    pub sparse: bool,
}

/// What a run wants of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The moment, zone and measurement period.
    pub context: &'w EvaluationContext,
    /// Per artifact of the program, whether it is wanted.
    pub artifacts: &'w [bool],
    /// Which rows.
    pub rows: RowOptions,
}

/// What evaluations give.
#[derive(Clone, Debug, Default)]
pub struct EvaluationResult {
    /// The results.
    pub rows: Vec<ResultRow>,
    /// What was not found, converted or told.
    pub notes: Notes,
    /// What artifacts used, where the program counts that.
    pub used: Vec<Used>,
}

impl EvaluationResult {
    /// Nothing yet, for the next one.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.notes.0.clear();
        self.used.clear();
    }
}

/// What the evaluation of an artifact used for a patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// Which of the program's artifacts.
    pub artifact: usize,
    /// Steps.
    pub steps: u64,
    /// Whether that used up the budget of one patient.
    pub exhausted: bool,
}

/// What a note is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoteKind {
    /// A comparison or arithmetic on units that cannot be converted into each other.
    UnitsNotConvertible,
    /// A message of severity Error or Warning that the logic gave.
    Message,
    /// An element that is there and cannot be read.
    Unreadable,
    /// A resource whose profile could not be told.
    ProfileUndecided,
    /// A resource whose tag names a sibling profile.
    TaggedOtherwise,
    /// A list or tuple that a cast made null since it did not fit.
    LostInCast,
    /// A code asked of a value set that was not loaded.
    ValueSetNotLoaded,
    /// A reference that was not found.
    ReferenceNotFound,
    /// A quantity whose unit is no code of UCUM, and was read as what its text says or is a usual spelling of.
    UnitSpelling,
    /// A drug that was told by the name that its code has, where the dictionary does not know the code.
    DrugByName,
    /// A mistake of ours that an expression met: what is unknown of it, is unknown for no other reason.
    Bug,
}

impl NoteKind {
    const ALL: [NoteKind; 11] = [
        NoteKind::UnitsNotConvertible,
        NoteKind::Message,
        NoteKind::Unreadable,
        NoteKind::ProfileUndecided,
        NoteKind::TaggedOtherwise,
        NoteKind::LostInCast,
        NoteKind::ValueSetNotLoaded,
        NoteKind::ReferenceNotFound,
        NoteKind::UnitSpelling,
        NoteKind::DrugByName,
        NoteKind::Bug,
    ];

    /// The line of a run's ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NoteKind::UnitsNotConvertible => "units not convertible",
            NoteKind::Message => "messages of the logic",
            NoteKind::Unreadable => "elements that cannot be read",
            NoteKind::ProfileUndecided => "profile not certain, resource taken as matching",
            NoteKind::TaggedOtherwise => "left out by their tag, though the content fits",
            NoteKind::LostInCast => "lost in a cast that does not fit",
            NoteKind::ValueSetNotLoaded => "asked of value sets that were not loaded",
            NoteKind::ReferenceNotFound => "references not found",
            NoteKind::UnitSpelling => "units that no code of UCUM gives, read as",
            NoteKind::DrugByName => "drugs told by their names, as their codes are not known",
            NoteKind::Bug => "bugs of tandem, please report them",
        }
    }

    /// The kind of a line.
    #[must_use]
    pub fn of(line: &str) -> Option<NoteKind> {
        NoteKind::ALL.into_iter().find(|k| k.as_str() == line)
    }
}

/// How often what was noted, by kind and detail. Details never hold patient data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes(BTreeMap<(NoteKind, Arc<str>), u64>);

impl Notes {
    /// Counts something.
    pub fn add(&mut self, kind: NoteKind, detail: &str, count: u64) {
        if count > 0 {
            *self.0.entry((kind, detail.into())).or_default() += count;
        }
    }

    /// All that others noted.
    pub fn merge(&mut self, others: &Notes) {
        for ((kind, detail), count) in &others.0 {
            match self.0.get_mut(&(*kind, Arc::clone(detail))) {
                Some(own) => *own += count,
                None => {
                    self.0.insert((*kind, Arc::clone(detail)), *count);
                }
            }
        }
    }

    /// Kind, detail, count, always in their order.
    pub fn iter(&self) -> impl Iterator<Item = (NoteKind, &str, u64)> {
        let all = self.0.iter();
        all.map(|((kind, detail), count)| (*kind, &**detail, *count))
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_summed_by_kind_and_detail() {
        let mut all = Notes::default();
        all.add(NoteKind::Message, "a", 2);
        all.add(NoteKind::ReferenceNotFound, "", 0);
        let mut more = Notes::default();
        more.add(NoteKind::Message, "a", 1);
        more.add(NoteKind::Unreadable, "b", 1);
        all.merge(&more);
        let shown: Vec<_> = all.iter().collect();
        assert_eq!(
            shown,
            [(NoteKind::Message, "a", 3), (NoteKind::Unreadable, "b", 1)]
        );
        for kind in NoteKind::ALL {
            assert_eq!(NoteKind::of(kind.as_str()), Some(kind));
        }
    }
}
