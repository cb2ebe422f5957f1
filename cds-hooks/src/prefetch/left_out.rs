//! Entries that were not used: how many, why, and where they stand.

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
}

impl LeftOut {
    /// More would be a list to read, not a hint.
    const PLACES: usize = 5;

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
