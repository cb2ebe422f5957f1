//! What data a program needs: the hinge between a definition and every source of data.

use std::sync::Arc;

use crate::fhir::model::Model;
use crate::fhir::names::Name;
use crate::record::{Element, PatientRecord};
use crate::system::codes;
use crate::terminology::ValueSet;

/// FHIR `DataRequirement`, ELM `Retrieve`: resources of a type, perhaps only those whose code is in
/// a value set.
#[derive(Clone, Debug)]
pub struct DataRequirement {
    /// The resource type.
    pub resource_type: Name,
    /// The element that is compared, and the codes it must be of. `None` is every resource.
    pub codes: Option<CodeFilter>,
}

/// `code in value set`.
#[derive(Clone, Debug)]
pub struct CodeFilter {
    /// A top-level element of type CodeableConcept, Coding or code, such as `code` or `type`; a
    /// choice element without its type (`medication`).
    pub path: &'static str,
    /// The codes.
    pub value_set: Arc<ValueSet>,
}

impl PartialEq for DataRequirement {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &CodeFilter, b: &CodeFilter| {
            let same_set = Arc::ptr_eq(&a.value_set, &b.value_set)
                || (a.value_set.url == b.value_set.url
                    && a.value_set.version == b.value_set.version);
            a.path == b.path && same_set
        };
        self.resource_type == other.resource_type
            && match (&self.codes, &other.codes) {
                (None, None) => true,
                (Some(a), Some(b)) => same(a, b),
                _ => false,
            }
    }
}

impl DataRequirement {
    /// All resources of a type. `None` where FHIR R4 has no such resource.
    pub fn of_type(resource_type: &str) -> Option<Self> {
        let info = Model::r4().resource(resource_type)?;
        Some(DataRequirement {
            resource_type: Name::of(info.name)?,
            codes: None,
        })
    }

    /// The resources of a type whose primary code path is in a value set. `None` where FHIR R4 has
    /// no such resource, or it has no primary code path of its own.
    pub fn coded(resource_type: &str, value_set: Arc<ValueSet>) -> Option<Self> {
        let info = Model::r4().resource(resource_type)?;
        let path = info.primary_code_path.filter(|p| !p.contains('.'))?;
        let codes = Some(CodeFilter { path, value_set });
        Some(DataRequirement {
            resource_type: Name::of(info.name)?,
            codes,
        })
    }

    /// Whether this resource, of the right type, is one of those asked for.
    pub fn matches(&self, resource: Element<'_>) -> Match {
        if is_entered_in_error(resource) {
            return Match::No;
        }
        match &self.codes {
            None => Match::Yes,
            Some(filter) => filter.matches(resource),
        }
    }

    /// The resources of a record that are asked for, in the order they were added; or why that
    /// cannot be told.
    pub fn retrieve<'r>(&self, record: &'r PatientRecord) -> Result<Vec<Element<'r>>, Missing> {
        if !record.is_available(self.resource_type) {
            return Err(Missing::NotAvailable);
        }
        let mut found = vec![];
        for resource in record.of_type(self.resource_type) {
            match self.matches(resource) {
                Match::Yes => found.push(resource),
                Match::No => {}
                Match::Unresolved => return Err(Missing::UnresolvedReference),
            }
        }
        Ok(found)
    }
}

impl std::fmt::Display for DataRequirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.resource_type.as_str())?;
        match &self.codes {
            Some(codes) => write!(f, ": {} in {}", codes.path, codes.value_set.url),
            None => Ok(()),
        }
    }
}

/// Whether a resource is one of those a requirement asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Its code stands in another resource that is not here.
    Unresolved,
}

/// Why a retrieve has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Nobody could be asked for resources of this type.
    NotAvailable,
    /// A resource refers to its code in a resource that is not here.
    UnresolvedReference,
}

impl CodeFilter {
    fn matches(&self, resource: Element<'_>) -> Match {
        if let Some(element) = resource.get_named(self.path) {
            return if codes::any_in(element, &self.value_set) {
                Match::Yes
            } else {
                Match::No
            };
        }
        let Some(concept) = choice(resource, self.path) else {
            return Match::No;
        };
        if let Some(reference) = concept.get_str("reference") {
            return match referenced(resource, &reference) {
                Some(target) => {
                    let code = target.get_named("code");
                    let hit = code.is_some_and(|c| codes::any_in(c, &self.value_set));
                    if hit { Match::Yes } else { Match::No }
                }
                None => Match::Unresolved,
            };
        }
        if codes::any_in(concept, &self.value_set) {
            Match::Yes
        } else {
            Match::No
        }
    }
}

/// The value of a choice element, whatever its type: `medication` finds
/// `medicationCodeableConcept`.
pub fn choice<'r>(element: Element<'r>, name: &str) -> Option<Element<'r>> {
    element.children().find(|child| {
        let property = child.name().as_str();
        let rest = property.strip_prefix(name);
        rest.is_some_and(|r| r.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

/// The contained resource, or the resource of the same record, that a reference names.
pub fn referenced<'r>(from: Element<'r>, reference: &str) -> Option<Element<'r>> {
    if let Some(id) = reference.strip_prefix('#') {
        let contained = from.get_named("contained")?;
        return contained
            .items()
            .find(|c| c.get_named("id").is_some_and(|i| i.is_str(id)));
    }
    let (ty, id) = reference_target(reference)?;
    let ty = Name::of(ty)?;
    let mut candidates = from.record.of_type(ty);
    candidates.find(|r| r.get_named("id").is_some_and(|i| i.is_str(id)))
}

/// The type of the resource that the code of an element stands in, where that is another one of the record.
pub(crate) fn code_elsewhere(resource: Element<'_>, path: &str) -> Option<Name> {
    let element = resource
        .get_named(path)
        .or_else(|| choice(resource, path))?;
    let reference = element.get_str("reference")?;
    Name::of(reference_target(&reference)?.0)
}

/// The resources of these types that resources of the record refer to, by type and id, each once.
pub fn referred_to(record: &PatientRecord, types: &[Name]) -> Vec<(Name, String)> {
    let mut found = vec![];
    for reference in record.references() {
        let Some(text) = reference.as_str() else {
            continue;
        };
        if let Some((ty, id)) = reference_target(&text)
            && let Some(ty) = Name::of(ty).filter(|ty| types.contains(ty))
        {
            found.push((ty, id.to_owned()));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The choice element whose code may stand in another resource.
const MEDICATION: &str = "medication";

impl DataRequirement {
    /// The type of resource that belongs to no patient and that matching this may need, or that this
    /// asks for itself: it is looked for where the patient's resources refer to it.
    pub fn shared_type(&self) -> Option<Name> {
        if self.codes.as_ref().is_some_and(|c| c.path == MEDICATION) {
            return Name::of("Medication");
        }
        let info = Model::r4().resource(self.resource_type.as_str())?;
        info.patient_links.is_empty().then_some(self.resource_type)
    }
}

/// Type and id of a literal reference: relative (`Medication/1`), absolute, with or without a
/// version. `None` for `urn:` and contained references.
pub fn reference_target(reference: &str) -> Option<(&str, &str)> {
    if reference.starts_with('#') || reference.starts_with("urn:") {
        return None;
    }
    let reference = reference
        .split_once("/_history/")
        .map_or(reference, |(r, _)| r);
    let mut parts = reference.rsplit('/');
    let (id, ty) = (parts.next()?, parts.next()?);
    let valid = !id.is_empty() && ty.starts_with(|c: char| c.is_ascii_uppercase());
    valid.then_some((ty, id))
}

/// A resource that should never have been: `entered-in-error` as its status or verification status.
pub fn is_entered_in_error(resource: Element<'_>) -> bool {
    const ERROR: &str = "entered-in-error";
    if let Some(status) = resource.get_named("status") {
        return status.is_str(ERROR);
    }
    let verification = resource.path(&["verificationStatus", "coding"]);
    verification.is_some_and(|codings| {
        codings
            .items()
            .any(|c| c.get_named("code").is_some_and(|code| code.is_str(ERROR)))
    })
}
