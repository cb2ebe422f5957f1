//! Whose a resource is. A wrong patient's data must never count.

use engine_patient::fhir::model::Model;
use engine_patient::record::Element;
use engine_patient::requirements::reference_target;

/// The patient the request is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patient {
    /// `context.patientId`.
    pub(crate) id: String,
    /// `fhirServer` without a slash at its end, where the request has one.
    pub(crate) server: Option<String>,
}

/// Whose a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// The patient's.
    Theirs,
    /// Nobody's: a medication, an organization.
    Nobodys,
    /// Another patient's.
    Anothers,
    /// It does not say, or not in a way that can be followed.
    Unsaid,
}

impl Patient {
    /// Whose this resource is: by its id for a Patient, else by the element that names the patient.
    pub(super) fn whose(&self, resource: Element<'_>, type_name: &str) -> Whose {
        if type_name == "Patient" {
            return match resource.get_str("id") {
                Some(id) if *id == self.id => Whose::Theirs,
                Some(_) => Whose::Anothers,
                None => Whose::Unsaid,
            };
        }
        let links = Model::r4()
            .resource(type_name)
            .map_or(&[][..], |info| &info.patient_links);
        if links.is_empty() {
            return Whose::Nobodys;
        }
        let references = links.iter().filter_map(|link| resource.get_named(link));
        let references = references.flat_map(Element::items);
        let mut whose = Whose::Unsaid;
        for reference in references.filter_map(|r| r.get_str("reference")) {
            match self.names(&reference) {
                Whose::Theirs => return Whose::Theirs,
                Whose::Anothers => whose = Whose::Anothers,
                _ => {}
            }
        }
        whose
    }

    /// An absolute reference counts only where it is to the server of the request, if that is known.
    fn names(&self, reference: &str) -> Whose {
        let Some(("Patient", id)) = reference_target(reference) else {
            return Whose::Unsaid;
        };
        let literal = reference
            .split_once("/_history/")
            .map_or(reference, |(r, _)| r);
        let base = literal.rsplit_once("Patient/").map_or("", |(base, _)| base);
        let base = base.strip_suffix('/').unwrap_or(base);
        let here = base.is_empty() || self.server.as_deref().is_none_or(|server| server == base);
        if here && id == self.id {
            Whose::Theirs
        } else {
            Whose::Anothers
        }
    }
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
