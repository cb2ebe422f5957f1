//! Entries that were not used, or not in full: how many, why, and where they stand.

use std::collections::BTreeSet;

use engine_patient::fhir::names::Name;

/// Why an entry is not used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Why {
    /// It is another patient's.
    Anothers,
    /// It names two patients.
    TwoPatients,
    /// It names its patient by a URL that there is nothing to compare with.
    UnknownServer,
    /// It does not say whose it is.
    Unsaid,
    /// It cannot be read as FHIR R4.
    Broken,
    /// It came twice, with different content.
    Contradicting,
    /// It orders, or tells of, what is not among the drafts.
    Elsewhere,
}

impl Why {
    /// For the integrator, and for the clinician.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Anothers => (
                "of another patient, or of another server by its `fullUrl`",
                "of another patient, or of another system",
            ),
            Self::TwoPatients => ("that names two patients", "two patients are named"),
            Self::UnknownServer => (
                "that names its patient by a URL (there is no `fhirServer` to compare it with)",
                "it is not clear which patient is meant",
            ),
            Self::Unsaid => ("that does not say whose it is", "no patient is named"),
            Self::Broken => ("that is not valid FHIR R4", "not readable"),
            Self::Contradicting => (
                "that came twice with different content",
                "sent twice with different content",
            ),
            Self::Elsewhere => (
                "that orders what is no draft of the call",
                "what it orders was not received as an order",
            ),
        }
    }
}

/// The entries that were left out for one reason.
#[derive(Default)]
pub(crate) struct LeftOut {
    pub(crate) count: usize,
    /// Where the first of them stand. Names keys, types and elements, never an id or a value.
    pub(super) places: Vec<String>,
    pub(super) types: BTreeSet<Name>,
    /// The numbers of the first of them among their entries, from 1.
    numbers: Vec<usize>,
}

impl LeftOut {
    /// More would be a list to read, not a hint.
    const PLACES: usize = 5;

    /// Where they stand; of many the first.
    pub(super) fn listed(&self) -> String {
        let more = self.count.saturating_sub(self.places.len());
        let places = self.places.join("; ");
        match more {
            0 => places,
            _ => format!("{places}; {more} more"),
        }
    }

    /// Of drafts, for the clinician: by their numbers, as they came.
    pub(crate) fn of_drafts(&self, why: Why) -> String {
        let (_, plain) = why.words();
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        let more = self.count.saturating_sub(numbers.len());
        let which = match (&numbers[..], more) {
            ([], _) => return format!("The drafts were not used: {plain}"),
            ([one], 0) => return format!("Draft {one} of the call was not used: {plain}"),
            (_, 0) => numbers.join(", "),
            (_, more) => format!("{} and {more} more", numbers.join(", ")),
        };
        format!("Drafts {which} of the call were not used: {plain}")
    }

    /// One more, under a key: the number of its entry, its type, what is wrong with which element.
    pub(crate) fn add(
        &mut self,
        key: &str,
        entry: Option<usize>,
        ty: Option<Name>,
        flaw: Option<&str>,
    ) {
        self.count += 1;
        self.types.extend(ty);
        if self.places.len() >= Self::PLACES {
            return;
        }
        self.numbers.extend(entry.map(|number| number + 1));
        let mut place = match entry {
            Some(number) => format!("`{key}` entry[{number}]"),
            None => format!("`{key}`"),
        };
        if let Some(ty) = ty {
            place.push_str(&format!(" {}", ty.as_str()));
        }
        if let Some(flaw) = flaw {
            place.push_str(&format!(": {flaw}"));
        }
        self.places.push(place);
    }
}
