//! Organizations, practitioners and locations: one key for each, however it is referred to, and its name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use engine_population::lake::Lake;
use measures::person::{human_name, list};
use serde_json::Value;

use super::by::Attribution;
use crate::error::RunError;
use crate::lake_rows::each_row;

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

/// A key, and the display beside it.
type Found = (String, Option<String>);

/// What is known of places.
#[derive(Default)]
pub(crate) struct Directory {
    /// By `Type/id`.
    resources: HashMap<String, Resource>,
    /// By type and `system|value`; nothing where two have it.
    identifiers: HashMap<(String, String), Option<String>>,
    /// Keys, and the first display by its characters.
    places: Vec<Found>,
    ids: HashMap<String, PlaceId>,
}

#[derive(Default)]
struct Resource {
    name: Option<String>,
    /// Of a PractitionerRole.
    practitioner: Option<Value>,
}

impl Directory {
    /// What the lake has of the types of these.
    pub async fn read(
        lake: &Lake,
        threads: usize,
        kinds: &[Attribution],
    ) -> Result<Directory, RunError> {
        let types: Vec<String> = kinds
            .iter()
            .flat_map(|kind| kind.types())
            .map(|ty| format!("'{ty}'"))
            .collect();
        let sql = format!(
            "SELECT resource_type, id, raw FROM shared WHERE resource_type IN ({})",
            types.join(", ")
        );
        let mut directory = Directory::default();
        each_row(lake, threads, &sql, &mut |[ty, id, raw]: [&str; 3]| {
            directory.add(ty, id, &parsed(ty, raw)?);
            Ok(())
        })
        .await?;
        Ok(directory)
    }

    pub(super) fn add(&mut self, ty: &str, id: &str, resource: &Value) {
        let key = format!("{ty}/{id}");
        for identifier in list(resource, "identifier").filter_map(identified) {
            match self.identifiers.entry((ty.to_owned(), identifier)) {
                Entry::Vacant(free) => {
                    free.insert(Some(key.clone()));
                }
                Entry::Occupied(mut taken) => {
                    if taken.get().as_ref() != Some(&key) {
                        taken.insert(None);
                    }
                }
            }
        }
        let known = Resource {
            name: name_of(resource),
            practitioner: resource.get("practitioner").cloned(),
        };
        self.resources.insert(key, known);
    }

    /// The place that a reference leads to, if it names one of this kind. `holder` is the resource that
    /// the reference stands in.
    pub(super) fn place_of(
        &mut self,
        kind: Attribution,
        reference: &Value,
        holder: &Value,
    ) -> Option<PlaceId> {
        let (key, display) = self.find(kind.types(), reference, holder)?;
        let next = PlaceId::try_from(self.places.len()).ok()?;
        let id = *self.ids.entry(key.clone()).or_insert(next);
        match self.places.get_mut(id as usize) {
            None => self.places.push((key, display)),
            Some((_, known)) => {
                let other = known.take();
                *known = match (other, display) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        Some(id)
    }

    fn find(&self, types: &[&str], reference: &Value, holder: &Value) -> Option<Found> {
        let display = text(reference, "display");
        let declared = text(reference, "type");
        let fits = |ty: &str| types.contains(&ty);
        if let Some(target) = text(reference, "reference") {
            if let Some(id) = target.strip_prefix('#') {
                let mut inner = list(holder, "contained");
                if let Some(inner) = inner.find(|c| text(c, "id").as_deref() == Some(id)) {
                    let ty = text(inner, "resourceType")?;
                    return fits(&ty).then(|| self.contained(&ty, inner, holder, display))?;
                }
            } else {
                return self.literal(types, &target, declared.as_deref(), display);
            }
        }
        // Without a type it is what stands there by the model.
        if declared.as_deref().is_some_and(|ty| !fits(ty)) {
            return None;
        }
        match reference.get("identifier").and_then(identified) {
            Some(identifier) => Some(self.by_identifier(types, identifier, display)),
            None => display.map(|d| (format!("display: {d}"), Some(d))),
        }
    }

    fn literal(
        &self,
        types: &[&str],
        target: &str,
        declared: Option<&str>,
        display: Option<String>,
    ) -> Option<Found> {
        let fits = |ty: &str| types.contains(&ty);
        if let Some((ty, identifier)) = target.split_once("?identifier=") {
            let ty = ty.rsplit('/').next().unwrap_or(ty);
            return fits(ty).then(|| self.by_identifier(&[ty], identifier.to_owned(), display));
        }
        let target = target.split("/_history/").next().unwrap_or(target);
        let mut parts = target.rsplit('/');
        let ty = parts.nth(1).filter(|_| !target.starts_with("urn:"));
        let ty = ty.or(declared);
        if ty.is_some_and(|ty| !fits(ty)) {
            return None;
        }
        Some(self.followed(target.to_owned(), display))
    }

    fn by_identifier(&self, types: &[&str], identifier: String, display: Option<String>) -> Found {
        let of_type = |ty: &&str| {
            let key = ((*ty).to_owned(), identifier.clone());
            self.identifiers.get(&key).cloned().flatten()
        };
        match types.iter().find_map(of_type) {
            Some(key) => self.followed(key, display),
            None => (identifier, display),
        }
    }

    /// A role is the practitioner who has it.
    fn followed(&self, key: String, display: Option<String>) -> Found {
        let role = self.resources.get(&key);
        let practitioner = role.and_then(|r| r.practitioner.as_ref());
        let found = practitioner.and_then(|p| self.find(&["Practitioner"], p, &Value::Null));
        match found {
            Some((key, own)) => (key, own.or(display)),
            None => (key, display),
        }
    }

    fn contained(
        &self,
        ty: &str,
        inner: &Value,
        holder: &Value,
        display: Option<String>,
    ) -> Option<Found> {
        if let Some(practitioner) = inner.get("practitioner")
            && let Some((key, own)) = self.find(&["Practitioner"], practitioner, holder)
        {
            return Some((key, own.or(display)));
        }
        let name = name_of(inner).or(display);
        let identifiers: Vec<String> = list(inner, "identifier").filter_map(identified).collect();
        let known = identifiers.iter().find_map(|identifier| {
            let key = (ty.to_owned(), identifier.clone());
            self.identifiers.get(&key).cloned().flatten()
        });
        match known.or_else(|| identifiers.into_iter().next()) {
            Some(key) => Some((key, name)),
            None => name.map(|n| (format!("display: {n}"), Some(n))),
        }
    }

    /// The reference of a place.
    pub(super) fn reference(&self, id: PlaceId) -> &str {
        self.places.get(id as usize).map_or("", |(key, _)| key)
    }

    /// A place.
    pub(super) fn place(&self, id: PlaceId) -> Place {
        let Some((key, display)) = self.places.get(id as usize) else {
            return Place {
                name: String::new(),
                reference: String::new(),
            };
        };
        let own = self.resources.get(key).and_then(|r| r.name.as_ref());
        Place {
            name: own.or(display.as_ref()).unwrap_or(key).clone(),
            reference: key.clone(),
        }
    }
}

/// A resource of the lake, which is JSON. What is wrong with it may repeat patient data.
pub(super) fn parsed(ty: &str, raw: &str) -> Result<Value, RunError> {
    serde_json::from_str(raw).map_err(|_| RunError::Internal(format!("a stored {ty} is no JSON")))
}

pub(super) fn text(of: &Value, element: &str) -> Option<String> {
    let text = of.get(element)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `system|value`, or the value.
fn identified(identifier: &Value) -> Option<String> {
    let value = text(identifier, "value")?;
    Some(match text(identifier, "system") {
        Some(system) => format!("{system}|{value}"),
        None => value,
    })
}

fn name_of(resource: &Value) -> Option<String> {
    match resource.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => Some(name.trim().to_owned()),
        Some(names) => human_name(names),
        None => None,
    }
}
