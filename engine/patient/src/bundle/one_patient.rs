//! A Bundle as the record of one patient.

use std::borrow::Cow;

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

/// What of a Bundle is not in the record.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Resources that the Bundle deletes, or that are another server's and collide.
    pub resources: usize,
    /// DELETE entries of which it cannot be told what they delete: see
    /// [`NotDeletable`](super::NotDeletable). It is still there.
    pub deletions: usize,
}

/// Adds the resources of a Bundle, references resolved and ids given, without those that an entry
/// deletes. Another server's resource with the id of one of this server's is left out.
pub fn push_entries(
    record: &mut PatientRecord,
    bundle: &Bundle<'_>,
    found: &mut References,
) -> Result<LeftOut, EntryError> {
    let count = bundle.entries().len();
    // Later is greater.
    let sequence = |index: usize| match bundle.newest_first() {
        true => count - index,
        false => index,
    };
    let mut deletions: FxHashMap<(Name, &str), Vec<(Age, usize)>> = FxHashMap::default();
    let mut left_out = LeftOut::default();
    for (index, entry) in bundle.entries().iter().enumerate() {
        match &entry.deletes {
            Some(Ok(deletion)) => {
                let key = (deletion.ty, deletion.id.as_str());
                let all = deletions.entry(key).or_default();
                all.push((deletion.age, sequence(index)));
            }
            Some(Err(_)) => left_out.deletions += 1,
            None => {}
        }
    }
    bundle.count_foreign(found);
    let mut order: Vec<usize> = (0..count).collect();
    if bundle.newest_first() {
        // Of versions that say nothing of their age the one added later stays.
        order.reverse();
    }
    for index in order {
        let Some((entry, resource)) = bundle
            .entries()
            .get(index)
            .and_then(|e| Some((e, e.resource?)))
        else {
            continue;
        };
        let id = entry.given_id.as_deref();
        let named = resource.get_str("id").or_else(|| id.map(Cow::Borrowed));
        let deleted = resource.resource_type().zip(named);
        let deleted = deleted.is_some_and(|(ty, id)| {
            let all = deletions.get(&(ty, &*id)).map_or(&[][..], Vec::as_slice);
            let own = (Age::of(resource), sequence(index));
            all.iter().any(|deletion| Age::is_later(*deletion, own))
        });
        if deleted || entry.collides {
            left_out.resources += 1;
            continue;
        }
        let context = Context::Entry(bundle, index);
        let text = resolved(resource, id, false, &context, found).text;
        record.push(&text).map_err(|error| EntryError {
            entry: index,
            error,
        })?;
    }
    Ok(left_out)
}
