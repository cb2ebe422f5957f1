//! What comes along with the matches of a search (`_include`): resources that belong to no patient, such
//! as a Medication, can be had no other way.

use engine_patient::fhir::names::Name;
use engine_patient::record::Element;

use super::parameters::{ReferenceParameter, including};

/// One `_include` of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Include {
    parameter: &'static ReferenceParameter,
    /// The type that is to come along.
    pub(super) target: Name,
}

impl PartialEq for Include {
    fn eq(&self, other: &Self) -> bool {
        self.target == other.target && self.parameter.name == other.parameter.name
    }
}

impl Include {
    /// Every way in which resources of a type bring those of another with them.
    pub(super) fn all(resource_type: Name, target: Name) -> Vec<Self> {
        let parameters = including(resource_type.as_str(), target);
        parameters
            .map(|parameter| Include { parameter, target })
            .collect()
    }

    /// `_include=MedicationRequest:medication`; with the target where the parameter may name others.
    pub(super) fn query(&self, resource_type: Name) -> String {
        let of = format!("{}:{}", resource_type.as_str(), self.parameter.name);
        match self.parameter.has_several_targets() {
            true => format!("_include={of}:{}", self.target.as_str()),
            false => format!("_include={of}"),
        }
    }

    /// The references of a resource that this follows.
    pub(super) fn references<'r>(&self, resource: Element<'r>) -> Vec<Element<'r>> {
        let mut found = vec![];
        for path in &self.parameter.paths {
            let mut here = vec![resource];
            for name in path {
                let next = here.into_iter().filter_map(|e| e.get_named(name));
                here = next.flat_map(Element::items).collect();
            }
            found.extend(here.into_iter().filter_map(|e| e.get_named("reference")));
        }
        found
    }
}
