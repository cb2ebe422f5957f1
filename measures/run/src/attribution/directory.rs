//! Organizations, practitioners and locations: one key for each, however it is referred to, and its name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use engine_population::lake::Lake;
use measures::person::{At, human_name, list};
use serde_json::Value;

use super::by::Attribution;
use super::stored::{parsed, shared};
use crate::error::RunError;
use crate::lake_rows::each_row;

/// A key, and the display beside it.
pub(super) type Found = (String, Option<String>);

/// What else an element may refer to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Targets {
    /// Nothing: a reference in it that does not say its type is of this kind.
    One,
    /// Other types, too: a relative is a participant.
    Several,
}

/// Where a reference leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    /// To one of the kind.
    To(Found),
    /// To something else, or nowhere.
    Elsewhere,
    /// It does not say of what type it is, and the lake does not know it.
    Unknown,
}

/// What is known of places.
#[derive(Default)]
pub(super) struct Directory {
    /// By `Type/id`.
    resources: HashMap<String, Resource>,
    /// By type and `system|value`; nothing where two have it.
    identifiers: HashMap<(String, String), Option<String>>,
}

#[derive(Default)]
struct Resource {
    name: Option<String>,
    /// Of a PractitionerRole.
    practitioner: Option<Value>,
}

/// A role is the practitioner who has it.
const ROLE: &str = "PractitionerRole";

/// What a role may be followed to. It has no `practitioner` itself: a role is followed once.
const WHO: &[&str] = &["Practitioner"];

impl Directory {
    /// What the lake has of the types of these, with the names that hold then.
    pub async fn read(
        lake: &Lake,
        threads: usize,
        kinds: &[Attribution],
        at: At<'_>,
    ) -> Result<Directory, RunError> {
        let types: Vec<&str> = kinds
            .iter()
            .flat_map(|kind| kind.types())
            .copied()
            .collect();
        let mut directory = Directory::default();
        if types.is_empty() {
            return Ok(directory);
        }
        let rows = shared(lake, threads, &types).await?;
        let make = |[ty, id, raw]: [&str; 3]| {
            let resource = parsed(ty, raw, &["identifier", "name", "practitioner"])?;
            Ok(Some((ty.to_owned(), id.to_owned(), resource)))
        };
        each_row(rows, make, &mut |(ty, id, resource)| {
            directory.add(&ty, &id, &resource, at);
        })
        .await?;
        Ok(directory)
    }

    pub(super) fn add(&mut self, ty: &str, id: &str, resource: &Value, at: At<'_>) {
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
            name: name_of(resource, at),
            practitioner: practitioner_of(ty, resource).cloned(),
        };
        self.resources.insert(key, known);
    }

    /// Where a reference leads, if to one of this kind. `holder` is the resource that it stands in.
    pub(super) fn find(
        &self,
        kind: Attribution,
        (reference, targets): (&Value, Targets),
        holder: &Value,
        at: At<'_>,
    ) -> Lead {
        let types = kind.types();
        if let Some(inner) = contained(reference, holder)
            && let Some(practitioner) = text(inner, "resourceType")
                .filter(|ty| types.contains(&ty.as_str()))
                .and_then(|ty| practitioner_of(&ty, inner))
            && let Lead::To(who) = self.lead(WHO, (practitioner, Targets::One), holder, at)
        {
            return Lead::To(with_display(who, text(reference, "display")));
        }
        let lead = self.lead(types, (reference, targets), holder, at);
        let Lead::To((key, display)) = lead else {
            return lead;
        };
        let role = self.resources.get(&key);
        let practitioner = role.and_then(|role| role.practitioner.as_ref());
        let who = practitioner.map(|p| self.lead(WHO, (p, Targets::One), &Value::Null, at));
        Lead::To(match who {
            Some(Lead::To(who)) => with_display(who, display),
            _ => (key, display),
        })
    }

    fn lead(
        &self,
        types: &[&str],
        (reference, targets): (&Value, Targets),
        holder: &Value,
        at: At<'_>,
    ) -> Lead {
        let display = text(reference, "display");
        let declared = text(reference, "type");
        let fits = |ty: &str| types.contains(&ty);
        let known = declared.is_some() || targets == Targets::One;
        // What stands there, where it says no type.
        let mut untyped = None;
        if let Some(inner) = contained(reference, holder) {
            return match text(inner, "resourceType").filter(|ty| fits(ty)) {
                Some(ty) => self.contained(&ty, inner, display, at),
                None => Lead::Elsewhere,
            };
        }
        if let Some(target) = text(reference, "reference").filter(|t| !t.starts_with('#')) {
            if let Some((ty, identifier)) = target.split_once("?identifier=") {
                let ty = ty.rsplit('/').next().unwrap_or(ty);
                return match fits(ty) {
                    true => Lead::To(self.by_identifier(&[ty], identifier, display)),
                    false => Lead::Elsewhere,
                };
            }
            let target = target.split("/_history/").next().unwrap_or(&target);
            let ty = target
                .rsplit('/')
                .nth(1)
                .filter(|_| !target.starts_with("urn:"));
            match ty.or(declared.as_deref()) {
                Some(ty) if fits(ty) => return Lead::To((target.to_owned(), display)),
                Some(_) => return Lead::Elsewhere,
                None if known => return Lead::To((target.to_owned(), display)),
                None => untyped = Some(Lead::Unknown),
            }
        }
        if declared.as_deref().is_some_and(|ty| !fits(ty)) {
            return Lead::Elsewhere;
        }
        if let Some(identifier) = reference.get("identifier").and_then(identified) {
            return match self.identified(types, &identifier) {
                Some(key) => Lead::To((key, display)),
                None if known => Lead::To((identifier, display)),
                None => Lead::Unknown,
            };
        }
        untyped.unwrap_or(match display {
            Some(display) if known => Lead::To((format!("display: {display}"), Some(display))),
            Some(_) => Lead::Unknown,
            None => Lead::Elsewhere,
        })
    }

    /// The key of the one of these types that has an identifier.
    fn identified(&self, types: &[&str], identifier: &str) -> Option<String> {
        let of_type = |ty: &&str| {
            let key = ((*ty).to_owned(), identifier.to_owned());
            self.identifiers.get(&key).cloned().flatten()
        };
        types.iter().find_map(of_type)
    }

    fn by_identifier(&self, types: &[&str], identifier: &str, display: Option<String>) -> Found {
        let key = self.identified(types, identifier);
        (key.unwrap_or_else(|| identifier.to_owned()), display)
    }

    fn contained(&self, ty: &str, inner: &Value, display: Option<String>, at: At<'_>) -> Lead {
        let name = name_of(inner, at).or(display);
        let identifiers: Vec<String> = list(inner, "identifier").filter_map(identified).collect();
        let known = identifiers.iter().find_map(|i| self.identified(&[ty], i));
        match known.or_else(|| identifiers.into_iter().next()) {
            Some(key) => Lead::To((key, name)),
            None => name.map_or(Lead::Elsewhere, |n| {
                Lead::To((format!("display: {n}"), Some(n)))
            }),
        }
    }

    /// The name of what has a key, where it is known.
    pub(super) fn name(&self, key: &str) -> Option<&String> {
        self.resources.get(key)?.name.as_ref()
    }
}

fn practitioner_of<'v>(ty: &str, resource: &'v Value) -> Option<&'v Value> {
    resource.get("practitioner").filter(|_| ty == ROLE)
}

/// The resource within the holder that a reference means.
fn contained<'v>(reference: &Value, holder: &'v Value) -> Option<&'v Value> {
    let target = text(reference, "reference")?;
    let id = target.strip_prefix('#')?;
    list(holder, "contained").find(|c| text(c, "id").as_deref() == Some(id))
}

fn with_display((key, own): Found, display: Option<String>) -> Found {
    (key, own.or(display))
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

fn name_of(resource: &Value, at: At<'_>) -> Option<String> {
    match resource.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => Some(name.trim().to_owned()),
        Some(names) => human_name(names, at),
        None => None,
    }
}
