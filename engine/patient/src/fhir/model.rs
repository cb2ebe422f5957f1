//! The R4 model as data: what elements a type has, how often, of what types.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// How often an element may occur.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cardinality {
    /// At most once.
    One,
    /// A list.
    Many,
    /// `name[x]`: at most once, under the name of its type.
    Choice,
}

/// An element of a type.
#[derive(Debug)]
pub struct ElementInfo {
    /// The name without `[x]`.
    pub name: &'static str,
    /// How often it may occur.
    pub cardinality: Cardinality,
    /// Its type, or its types where it is a choice.
    pub types: Vec<&'static str>,
}

/// A FHIR type: a resource, a datatype, or a backbone element such as `Observation.Component`.
#[derive(Debug)]
pub struct TypeInfo {
    /// The name.
    pub name: &'static str,
    /// The type it derives from, if any.
    pub base: Option<&'static str>,
    /// Whether it is a resource.
    pub is_resource: bool,
    /// The element that holds what the resource is (ELM: primary code path).
    pub primary_code_path: Option<&'static str>,
    /// Its own elements, without those of the base.
    pub elements: Vec<ElementInfo>,
    /// For resources: the elements that can name the patient.
    pub patient_links: Vec<&'static str>,
}

/// The FHIR R4 model.
#[derive(Debug, Default)]
pub struct Model {
    types: Vec<TypeInfo>,
    by_name: FxHashMap<&'static str, usize>,
    enumerations: FxHashSet<&'static str>,
}

static R4: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("r4.txt")));

impl Model {
    /// FHIR 4.0.1.
    pub fn r4() -> &'static Model {
        &R4
    }

    fn parse(text: &'static str) -> Model {
        let mut model = Model::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("T"), Some(name)) => {
                    let mut next = || words.next().filter(|w| *w != "-");
                    let (base, resource, primary_code_path) = (next(), next(), next());
                    model.by_name.insert(name, model.types.len());
                    model.types.push(TypeInfo {
                        name,
                        base,
                        is_resource: resource == Some("1"),
                        primary_code_path,
                        elements: vec![],
                        patient_links: vec![],
                    });
                }
                (Some("E"), Some(name)) => {
                    let cardinality = match words.next() {
                        Some("*") => Cardinality::Many,
                        Some("x") => Cardinality::Choice,
                        _ => Cardinality::One,
                    };
                    let types = words.next().unwrap_or("").split('|').collect();
                    if let Some(ty) = model.types.last_mut() {
                        let element = ElementInfo {
                            name,
                            cardinality,
                            types,
                        };
                        ty.elements.push(element);
                    }
                }
                (Some("L"), Some(name)) => {
                    let links = words.next().unwrap_or("").split(',');
                    let index = model.by_name.get(name).copied();
                    if let Some(ty) = index.and_then(|i| model.types.get_mut(i)) {
                        ty.patient_links = links.filter(|l| !l.is_empty()).collect();
                    }
                }
                (Some("N"), Some(name)) => {
                    model.enumerations.insert(name);
                }
                _ => {}
            }
        }
        model
    }

    /// All types, in the order of the specification's index.
    pub fn types(&self) -> impl Iterator<Item = &TypeInfo> {
        self.types.iter()
    }

    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&TypeInfo> {
        self.by_name.get(name).and_then(|i| self.types.get(*i))
    }

    /// Whether the FHIR model info has an enumeration of this name, such as `EncounterStatus`: a code
    /// in data.
    pub fn is_enumeration(&self, name: &str) -> bool {
        self.enumerations.contains(name)
    }

    /// The place of a type among [`Model::types`].
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The type at a place.
    pub fn at(&self, index: usize) -> Option<&TypeInfo> {
        self.types.get(index)
    }

    /// The type if it is a resource that can be retrieved, such as `Observation`.
    pub fn resource(&self, name: &str) -> Option<&TypeInfo> {
        self.get(name)
            .filter(|t| t.is_resource && !matches!(t.name, "Resource" | "DomainResource"))
    }

    /// The element of a type, its own or inherited. `valueQuantity` finds nothing: ask for `value`.
    pub fn element(&self, ty: &str, name: &str) -> Option<&ElementInfo> {
        self.chain(ty)
            .find_map(|t| t.elements.iter().find(|e| e.name == name))
    }

    /// All elements of a type, inherited ones last.
    pub fn elements<'m>(&'m self, ty: &str) -> impl Iterator<Item = &'m ElementInfo> {
        self.chain(ty).flat_map(|t| t.elements.iter())
    }

    /// The type and its bases, nearest first.
    pub fn chain<'m>(&'m self, ty: &str) -> impl Iterator<Item = &'m TypeInfo> {
        let mut next = self.get(ty);
        std::iter::from_fn(move || {
            let ty = next?;
            next = ty.base.and_then(|b| self.get(b));
            Some(ty)
        })
    }

    /// Whether `ty` is `base` or derives from it.
    pub fn is_a(&self, ty: &str, base: &str) -> bool {
        self.chain(ty).any(|t| t.name == base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_bases() {
        let model = Model::r4();
        let value = model.element("Observation", "value");
        assert!(value.is_some_and(|e| e.cardinality == Cardinality::Choice));
        assert!(model.element("Observation", "id").is_some());
        assert!(model.element("Age", "unit").is_some());
        assert!(model.element("Observation", "valueQuantity").is_none());
        assert!(
            model
                .resource("Observation")
                .is_some_and(|t| t.patient_links == ["subject"])
        );
        assert!(model.resource("DomainResource").is_none());
        assert!(model.is_enumeration("EncounterStatus"));
        // A name that QI-Core gives an element.
        assert!(!model.is_enumeration("NotDoneRecorded") && model.get("NotDoneRecorded").is_none());
        assert_eq!(model.types().filter(|t| t.is_resource).count(), 147);
    }
}
