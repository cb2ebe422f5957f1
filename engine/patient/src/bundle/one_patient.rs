//! A Bundle as the record of one patient.

use rustc_hash::FxHashMap;

use super::{Bundle, Context, References, resolved};
use crate::fhir::names::Name;
use crate::record::{Age, PatientRecord, ResourceError};

/// An entry whose resource cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryError {
    /// Its number, from 0.
    pub entry: usize,
    /// Why.
    pub error: ResourceError,
}

impl std::fmt::Display for EntryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry[{}].resource: {}", self.entry, self.error)
    }
}

impl std::error::Error for EntryError {}

/// Adds the resources of a Bundle, references resolved and ids given, without those that an entry
/// deletes. Another server's resource with the id of one of this server's is left out. Returns how
/// many resources were left out.
pub fn push_entries(
    record: &mut PatientRecord,
    bundle: &Bundle<'_>,
    found: &mut References,
) -> Result<usize, EntryError> {
    let count = bundle.entries().len();
    // Later is greater.
    let sequence = |index: usize| match bundle.newest_first() {
        true => count - index,
        false => index,
    };
    let mut deletions: FxHashMap<(Name, &str), Vec<(Age, usize)>> = FxHashMap::default();
    for (index, entry) in bundle.entries().iter().enumerate() {
        if let Some(Ok(deletion)) = &entry.deletes {
            let key = (deletion.ty, deletion.id.as_str());
            deletions
                .entry(key)
                .or_default()
                .push((deletion.age, sequence(index)));
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    if bundle.newest_first() {
        // Of versions that say nothing of their age the one added later stays.
        order.reverse();
    }
    let mut left_out = 0;
    for index in order {
        let Some((entry, resource)) = bundle
            .entries()
            .get(index)
            .and_then(|e| Some((e, e.resource?)))
        else {
            continue;
        };
        let deleted = resource.resource_type().zip(resource.get_str("id"));
        let deleted = deleted.is_some_and(|(ty, id)| {
            let all = deletions.get(&(ty, &*id)).map_or(&[][..], Vec::as_slice);
            let own = (Age::of(resource), sequence(index));
            all.iter().any(|deletion| Age::is_later(*deletion, own))
        });
        if deleted || entry.collides {
            left_out += 1;
            continue;
        }
        let id = entry.given_id.as_deref();
        let context = Context::Entry(bundle, index);
        let text = resolved(resource, id, false, &context, found).text;
        record.push(&text).map_err(|error| EntryError {
            entry: index,
            error,
        })?;
    }
    Ok(left_out)
}
