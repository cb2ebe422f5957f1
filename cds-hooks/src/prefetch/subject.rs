//! Whose a resource is. A wrong patient's data must never count.

use std::collections::HashSet;

use engine_patient::bundle::{Entry, server_key};
use engine_patient::fhir::model::Model;
use engine_patient::record::Element;
use engine_patient::requirements::reference_target;

/// The patient the request is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patient {
    /// `context.patientId`.
    pub(crate) id: String,
    /// `fhirServer` in the form of [`server_key`], where the request has one.
    pub(crate) server: Option<String>,
}

/// Whose a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// The patient's.
    Theirs,
    /// Nobody's: a medication, an organization.
    Nobodys,
    /// Another patient's.
    Anothers,
    /// It names two patients.
    TwoPatients,
    /// It names a patient by a URL, and the request has no `fhirServer` to compare that with.
    UnknownServer,
    /// It does not say, or not in a way that can be followed.
    Unsaid,
}

/// URLs that are the patient's within one Bundle: the `fullUrl`s under which the patient is in it.
#[derive(Default, Debug)]
pub(crate) struct Urls(HashSet<String>);

impl Patient {
    /// The URLs that are the patient's in a Bundle of these entries.
    pub(crate) fn urls(&self, entries: &[Entry<'_>]) -> Urls {
        let mut urls = HashSet::new();
        for entry in entries.iter().filter(|e| !e.collides) {
            let resource = entry.resource.filter(|r| {
                let text = |name| r.get_str(name);
                text("resourceType").as_deref() == Some("Patient")
                    && text("id").as_deref() == Some(&self.id)
            });
            let url = resource.and_then(|_| entry.element.get_str("fullUrl"));
            urls.extend(url.map(|url| server_key(&url).into_owned()));
        }
        Urls(urls)
    }

    /// Whose this resource is: by its id for a Patient, else by the elements that name the patient.
    /// Others that these may name as well (a group, a device) are no second patient.
    pub(crate) fn whose(&self, resource: Element<'_>, type_name: &str, urls: &Urls) -> Whose {
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
            whose = match (whose, self.names(&reference, urls)) {
                (before, Whose::Unsaid) => before,
                (Whose::Unsaid, named) => named,
                (before, named) if before == named => before,
                _ => Whose::TwoPatients,
            };
        }
        whose
    }

    /// An absolute reference counts only where it is to the server of the request, or to the patient
    /// that the Bundle has under that URL.
    fn names(&self, reference: &str, urls: &Urls) -> Whose {
        let Some(("Patient", id)) = reference_target(reference) else {
            return Whose::Unsaid;
        };
        let literal = reference
            .split_once("/_history/")
            .map_or(reference, |(r, _)| r);
        let base = literal.rsplit_once("Patient/").map_or("", |(base, _)| base);
        let base = base.strip_suffix('/').unwrap_or(base);
        let here = match &self.server {
            _ if base.is_empty() => true,
            Some(server) => *server == server_key(base),
            None if id != self.id => false,
            None if urls.0.contains(&*server_key(literal)) => true,
            None => return Whose::UnknownServer,
        };
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
