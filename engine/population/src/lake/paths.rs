//! Which elements of a resource are in `facts`: the paths that retrieves compare codes on.

use std::sync::LazyLock;

use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::{Name, choice_name};

/// The number of a path in `facts`. 0 stands for the resource itself: every resource has one such
/// row, so a retrieve without codes, or by a path that is not here, finds all of its type.
///
/// Numbers are in files: append, never reorder.
const PATHS: &[&str] = &[
    "",
    "category",
    "class",
    "code",
    "device.code",
    "event",
    "issue.code",
    "location",
    "medication",
    "module",
    "name",
    "reasonCode",
    "relationship",
    "serviceType",
    "target",
    "topic",
    "type",
    "vaccineCode",
];

/// Of every resource, whatever its codes.
pub const PRESENCE: i16 = 0;

/// The code key of a row whose code stands in another resource (`medicationReference`): it may
/// match any value set.
pub const REFERENCE_KEY: i64 = 0;

/// The number of a path, if `facts` has it for this type.
pub fn path_id(resource_type: Name, path: &str) -> Option<i16> {
    let id = PATHS.iter().position(|p| *p == path)?;
    let id = i16::try_from(id).ok()?;
    let indexed = coded_paths(resource_type).iter().any(|p| p.id == id);
    indexed.then_some(id)
}

/// A coded element of a type.
pub struct CodedPath {
    /// Its number in `facts`.
    pub id: i16,
    /// The properties it can stand under, from the resource down.
    pub steps: Vec<Vec<Name>>,
}

/// The numbers of resource types in `facts` and `resources`: their rank in the R4 list.
/// Numbers are in files; R4 is frozen.
pub fn type_id(resource_type: Name) -> i16 {
    let found = TYPES.by_name.get(usize_of(resource_type));
    found.copied().unwrap_or(-1)
}

/// The coded elements of a type that `facts` holds.
pub fn coded_paths(resource_type: Name) -> &'static [CodedPath] {
    let index = usize::try_from(type_id(resource_type)).ok();
    index
        .and_then(|i| TYPES.paths.get(i))
        .map_or(&[], Vec::as_slice)
}

struct Types {
    by_name: Vec<i16>,
    paths: Vec<Vec<CodedPath>>,
}

fn usize_of(name: Name) -> usize {
    usize::from(name.number())
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut by_name = vec![];
    let mut paths = vec![];
    for ty in Model::r4().types().filter(|t| t.is_resource) {
        let Some(name) = Name::of(ty.name) else {
            continue;
        };
        if by_name.len() <= usize_of(name) {
            by_name.resize(usize_of(name) + 1, -1);
        }
        if let (Some(slot), Ok(id)) = (by_name.get_mut(usize_of(name)), i16::try_from(paths.len()))
        {
            *slot = id;
        }
        let mut wanted: Vec<&str> = ty.primary_code_path.into_iter().collect();
        if Model::r4()
            .element(ty.name, "category")
            .is_some_and(|e| e.types == ["CodeableConcept"])
        {
            wanted.push("category");
        }
        wanted.dedup();
        paths.push(
            wanted
                .into_iter()
                .filter_map(|path| coded_path(ty.name, path))
                .collect(),
        );
    }
    Types { by_name, paths }
});

fn coded_path(ty: &'static str, path: &str) -> Option<CodedPath> {
    let id = PATHS
        .iter()
        .position(|p| *p == path)
        .and_then(|i| i16::try_from(i).ok())?;
    let mut steps = vec![];
    let mut owner = ty;
    for step in path.split('.') {
        let element = Model::r4().element(owner, step)?;
        owner = element.types.first().copied()?;
        steps.push(match element.cardinality {
            Cardinality::Choice => {
                let names = element.types.iter();
                names
                    .filter_map(|t| Name::of(&choice_name(element.name, t)))
                    .collect()
            }
            _ => vec![Name::of(element.name)?],
        });
    }
    Some(CodedPath { id, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A primary code path that is missing here would empty retrieves in silence.
    #[test]
    fn every_primary_code_path_of_the_model_is_indexed() {
        for ty in Model::r4().types().filter(|t| t.is_resource) {
            let name = Name::of(ty.name).unwrap();
            assert!(type_id(name) >= 0, "{}", ty.name);
            // A path through a reference is no retrieve's: see `DataRequirement::coded`.
            if let Some(path) = ty.primary_code_path.filter(|p| !p.contains('.')) {
                assert!(path_id(name, path).is_some(), "{}.{path}", ty.name);
            }
        }
        assert_eq!(type_id(Name::of("valueQuantity").unwrap()), -1);
    }

    /// The numbers are in files.
    #[test]
    fn numbers_do_not_change() {
        let id = |t: &str| type_id(Name::of(t).unwrap());
        assert_eq!(
            (id("Account"), id("Observation"), id("Patient")),
            (0, 95, 102)
        );
        assert_eq!(path_id(Name::of("Observation").unwrap(), "code"), Some(3));
        assert_eq!(
            path_id(Name::of("Immunization").unwrap(), "vaccineCode"),
            Some(17)
        );
    }
}
