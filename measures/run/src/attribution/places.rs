//! Places that patients are attributed to: a number for each.

use std::collections::HashMap;

use super::directory::{Directory, Found};

/// An organization, practitioner or location.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// For people: of its resource, else the `display` of a reference, else the reference.
    pub name: String,
    /// `Organization/1`; where it is referred to by identifier only `system|value`, by display only
    /// `display: …`.
    pub reference: String,
}

/// A number that stands for a place.
pub(super) type PlaceId = u32;

/// The places that references lead to.
#[derive(Default)]
pub(super) struct Places {
    /// Keys, and the first display by its characters.
    all: Vec<Found>,
    ids: HashMap<String, PlaceId>,
}

impl Places {
    /// The number of what was found; nothing where there are more than can be counted.
    pub(super) fn id(&mut self, (key, display): Found) -> Option<PlaceId> {
        let Some(id) = self.ids.get(&key).copied() else {
            let next = PlaceId::try_from(self.all.len()).ok()?;
            self.ids.insert(key.clone(), next);
            self.all.push((key, display));
            return Some(next);
        };
        if let Some((_, known)) = self.all.get_mut(id as usize) {
            *known = match (known.take(), display) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Some(id)
    }

    /// The reference of a place.
    pub(super) fn reference(&self, id: PlaceId) -> &str {
        self.all.get(id as usize).map_or("", |(key, _)| key)
    }

    /// A place.
    pub(super) fn place(&self, id: PlaceId, directory: &Directory) -> Place {
        let Some((key, display)) = self.all.get(id as usize) else {
            return Place {
                name: String::new(),
                reference: String::new(),
            };
        };
        let name = directory.name(key).or(display.as_ref()).unwrap_or(key);
        Place {
            name: name.clone(),
            reference: key.clone(),
        }
    }
}
