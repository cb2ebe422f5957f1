//! One patient's resources, indexed for retrieve: the same type for a prefetch and for the lake.

mod age;
mod append;
pub mod element;
pub mod json;
mod kept;

use std::fmt;
use std::sync::Arc;

pub use age::Age;
pub use element::{Children, Element};
pub use json::{JsonError, Kind};
pub(crate) use kept::{Gather, InOrder};

use crate::fhir::model::Model;
use crate::fhir::names::{self, CodedElement, Name};
use crate::terminology::canonical_system;
use json::Tree;
use kept::Kept;

/// The resources of one patient, as they came, with a tree over them.
///
/// Reused for the next patient with [`PatientRecord::clear`], which keeps the memory.
#[derive(Default)]
pub struct PatientRecord {
    text: String,
    tree: Tree,
    resources: Vec<ResourceSlot>,
    /// All resources that were ever added, by their roots, ascending.
    roots: Vec<ResourceSlot>,
    /// Those of which sealing kept another version.
    replaced: Vec<ResourceSlot>,
    /// So many of the first resources are in the order of [`PatientRecord::seal`].
    in_order: usize,
    /// What was found in it since it was sealed.
    kept: Kept,
    /// Types that nobody could be asked for: a retrieve of them is unknown, not empty.
    unavailable: Vec<Name>,
    /// Types of which only a part may be here: what is here is so, what is not may be all the same.
    incomplete: Vec<Name>,
    /// Code systems of resources of the patient that are not here, by element.
    systems: Vec<(CodedElement, Arc<str>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ResourceSlot {
    ty: Name,
    root: u32,
}

/// Why a text is not a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourceError {
    /// Not JSON.
    Json(JsonError),
    /// JSON, but no object.
    NotAnObject,
    /// No `resourceType`, or not a string.
    NoResourceType,
    /// A `resourceType` that FHIR R4 does not have.
    UnknownResourceType(String),
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(e) => write!(f, "not valid JSON: {e}"),
            Self::NotAnObject => write!(f, "a FHIR resource is a JSON object, this is not"),
            Self::NoResourceType => write!(f, "no `resourceType`"),
            Self::UnknownResourceType(t) => {
                // Only what looks like a type name is repeated: anything else may be data.
                let plain = t.len() <= 40 && t.chars().all(|c| c.is_ascii_alphanumeric());
                let shown = if plain { t.as_str() } else { "…" };
                write!(f, "`{shown}` is not a FHIR R4 resource type")
            }
        }
    }
}

impl std::error::Error for ResourceError {}

impl PatientRecord {
    /// An empty record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all resources, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.tree.nodes.clear();
        self.tree.unknown.clear();
        self.resources.clear();
        self.roots.clear();
        self.replaced.clear();
        self.in_order = 0;
        self.kept.clear();
        self.unavailable.clear();
        self.incomplete.clear();
        self.systems.clear();
    }

    /// Adds a resource. On an error the record is as before.
    pub fn push(&mut self, json: &str) -> Result<(), ResourceError> {
        let from = self.text.len();
        self.text.push_str(json);
        match self.parse_resource(from) {
            Ok(slot) => {
                self.add(slot);
                Ok(())
            }
            Err(e) => {
                self.text.truncate(from);
                Err(e)
            }
        }
    }

    /// Adds a resource that another record has parsed: a resource of its own there, or one within a
    /// document. Returns the index of its root. On an error the record is as before.
    pub fn append(&mut self, resource: Element<'_>) -> Result<u32, ResourceError> {
        let from = self.text.len();
        self.text.push_str(resource.raw());
        let (nodes, unknown) = (self.tree.nodes.len(), self.tree.unknown.len());
        let tree = &resource.record.tree;
        let root = self.tree.append(tree, resource.index, from);
        let root = root.map_err(|message| {
            ResourceError::Json(JsonError {
                offset: 0,
                message,
                is_text_behind: false,
            })
        });
        match root.and_then(|root| self.slot(root)) {
            Ok(slot) => {
                self.add(slot);
                Ok(slot.root)
            }
            Err(e) => {
                self.text.truncate(from);
                self.tree.nodes.truncate(nodes);
                self.tree.unknown.truncate(unknown);
                Err(e)
            }
        }
    }

    fn add(&mut self, slot: ResourceSlot) {
        self.resources.push(slot);
        self.roots.push(slot);
    }

    fn parse_resource(&mut self, from: usize) -> Result<ResourceSlot, ResourceError> {
        let (nodes, unknown) = (self.tree.nodes.len(), self.tree.unknown.len());
        let root = self
            .tree
            .parse(&self.text, from)
            .map_err(ResourceError::Json)?;
        self.slot(root).inspect_err(|_| {
            self.tree.nodes.truncate(nodes);
            self.tree.unknown.truncate(unknown);
        })
    }

    /// What a root is, as a resource.
    fn slot(&self, root: u32) -> Result<ResourceSlot, ResourceError> {
        let element = Element {
            record: self,
            index: root,
        };
        let ty = if element.kind() == Kind::Object {
            let ty = element
                .get_str("resourceType")
                .ok_or(ResourceError::NoResourceType);
            ty.and_then(|t| match Model::r4().resource(&t) {
                Some(info) => Name::of(info.name).ok_or(ResourceError::NoResourceType),
                None => Err(ResourceError::UnknownResourceType(t.into_owned())),
            })
        } else {
            Err(ResourceError::NotAnObject)
        };
        Ok(ResourceSlot { ty: ty?, root })
    }

    /// Puts the resources in a fixed order, by type and id, and keeps one of each type and id: the
    /// one with the later `meta.lastUpdated`, else the one added later. Whatever source the record
    /// came from, and in whatever order, programs see the same. Returns how many were dropped.
    ///
    /// A few that are added to a sealed record are put in their places.
    pub fn seal(&mut self) -> usize {
        let before = self.replaced.len();
        let added = self.resources.len() - self.in_order;
        let mut sorted = std::mem::take(&mut self.resources);
        let more = match added.saturating_mul(8) < self.in_order {
            true => sorted.split_off(self.in_order),
            false => {
                let mut all = std::mem::take(&mut sorted);
                all.sort_by(|a, b| self.key(a).cmp(&self.key(b)));
                all
            }
        };
        sorted.reserve(more.len());
        for slot in more {
            let key = self.key(&slot);
            let place = match sorted.last() {
                Some(last) if self.key(last) > key => {
                    sorted.partition_point(|other| self.key(other) <= key)
                }
                _ => sorted.len(),
            };
            let same = place.checked_sub(1).and_then(|place| sorted.get_mut(place));
            let same = same.filter(|other| key.1.is_some() && self.key(other) == key);
            match same {
                None => sorted.insert(place, slot),
                Some(other) => {
                    let replaced = match self.is_newer(other.root, slot.root) {
                        true => slot,
                        false => std::mem::replace(other, slot),
                    };
                    self.replaced.push(replaced);
                }
            }
        }
        self.in_order = sorted.len();
        self.resources = sorted;
        self.replaced.len() - before
    }

    /// What resources are sorted by.
    fn key(&self, slot: &ResourceSlot) -> (Name, Option<&str>) {
        let id = self.at(slot.root).get(names::id());
        (slot.ty, id.map(Element::raw))
    }

    fn is_sealed(&self) -> bool {
        self.in_order == self.resources.len()
    }

    fn at(&self, index: u32) -> Element<'_> {
        Element {
            record: self,
            index,
        }
    }

    /// Whether `a` is a newer version than `b`; the lake merges by the same rule.
    fn is_newer(&self, a: u32, b: u32) -> bool {
        let age = |index| {
            Age::of(Element {
                record: self,
                index,
            })
        };
        age(a) > age(b)
    }

    /// Parses a document that need not be a resource (a Bundle is one, a CDS request is not) and
    /// returns its root without adding it to the resources.
    pub fn push_document(&mut self, json: &str) -> Result<Element<'_>, JsonError> {
        let from = self.text.len();
        self.text.push_str(json);
        match self.tree.parse(&self.text, from) {
            Ok(index) => Ok(Element {
                record: self,
                index,
            }),
            Err(e) => {
                self.text.truncate(from);
                Err(e)
            }
        }
    }

    /// All resources, in the order they were added.
    pub fn resources(&self) -> impl Iterator<Item = Element<'_>> {
        self.resources.iter().map(|slot| Element {
            record: self,
            index: slot.root,
        })
    }

    /// All resources of a type, in the order they were added.
    pub fn of_type(&self, ty: Name) -> impl Iterator<Item = Element<'_>> {
        let slots = if self.is_sealed() {
            let start = self.resources.partition_point(|slot| slot.ty < ty);
            let rest = self.resources.get(start..).unwrap_or_default();
            let end = rest.partition_point(|slot| slot.ty == ty);
            rest.get(..end).unwrap_or_default()
        } else {
            &self.resources
        };
        let of = slots.iter().filter(move |slot| slot.ty == ty);
        of.map(|slot| Element {
            record: self,
            index: slot.root,
        })
    }

    /// All values of a property `reference`, wherever they stand.
    pub fn references(&self) -> impl Iterator<Item = Element<'_>> {
        let name = Name::of("reference").unwrap_or(Name::NONE);
        let nodes = self.tree.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| node.name == name && name != Name::NONE)
            .filter_map(|(index, _)| {
                Some(Element {
                    record: self,
                    index: u32::try_from(index).ok()?,
                })
            })
    }

    /// Whether the node is a resource of its own, not contained in another.
    pub fn is_root(&self, index: u32) -> bool {
        // Roots are added in the order of the text, until sealing sorts them.
        let node = Element {
            record: self,
            index,
        };
        node.name() == Name::NONE
            && self
                .roots
                .binary_search_by_key(&index, |slot| slot.root)
                .is_ok()
    }

    /// The root of the resource that a node stands in.
    pub fn root_of(&self, index: u32) -> u32 {
        let after = self.roots.partition_point(|slot| slot.root <= index);
        let slot = after.checked_sub(1).and_then(|i| self.roots.get(i));
        slot.map_or(index, |slot| slot.root)
    }

    /// All resources of a type, by its name; none where R4 does not know the type.
    pub fn of_type_named(&self, ty: &str) -> impl Iterator<Item = Element<'_>> {
        Name::of(ty).into_iter().flat_map(|ty| self.of_type(ty))
    }

    /// The patient: the first resource of type `Patient`.
    pub fn patient(&self) -> Option<Element<'_>> {
        self.of_type(Name::of("Patient")?).next()
    }

    /// How many resources.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Says that resources of this type could not be had: their absence means nothing.
    pub fn set_unavailable(&mut self, ty: Name) {
        if !self.unavailable.contains(&ty) {
            self.unavailable.push(ty);
        }
    }

    /// Says that there may be more resources of this type than are here: those here count, the absence of
    /// others means nothing.
    pub fn set_incomplete(&mut self, ty: Name) {
        if !self.incomplete.contains(&ty) {
            self.incomplete.push(ty);
        }
    }

    /// Takes back what [`PatientRecord::set_unavailable`] and [`PatientRecord::set_incomplete`] said, for
    /// who asks next of other data.
    pub fn set_all_available(&mut self) {
        self.unavailable.clear();
        self.incomplete.clear();
    }

    /// Says that resources of the patient code an element in these systems, whether they are here or were
    /// not asked for. See [`crate::systems`].
    pub fn tell_systems(
        &mut self,
        element: CodedElement,
        systems: impl IntoIterator<Item = Arc<str>>,
    ) {
        for system in systems {
            let system = match canonical_system(&system) {
                same if *same == *system => system,
                other => Arc::from(other),
            };
            if !self.systems_told(element).any(|told| *told == system) {
                self.systems.push((element, system));
            }
        }
    }

    /// What was told of an element by [`PatientRecord::tell_systems`].
    pub fn systems_told(&self, element: CodedElement) -> impl Iterator<Item = &Arc<str>> {
        let told = self.systems.iter().filter(move |(of, _)| *of == element);
        told.map(|(_, system)| system)
    }

    /// Whether the resources of this type are all here, as far as the source knows.
    pub fn is_available(&self, ty: Name) -> bool {
        !self.unavailable.contains(&ty) && !self.incomplete.contains(&ty)
    }

    /// Whether those that are here count, although there may be more.
    pub fn is_known_in_part(&self, ty: Name) -> bool {
        self.incomplete.contains(&ty) && !self.unavailable.contains(&ty)
    }
}

/// Never shows content.
impl fmt::Debug for PatientRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatientRecord({} resources)", self.resources.len())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
