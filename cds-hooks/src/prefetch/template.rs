//! Prefetch templates from data requirements: authors never write any.

use std::sync::Arc;

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::requirements::DataRequirement;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::ask::{Ask, add_once, join};
use super::include::Include;
use super::parameters;
use super::search::Codes;
use crate::service::CardService;

/// The token that stands for the patient's id.
const PATIENT: &str = "{{context.patientId}}";

/// How many resources show which code systems a type is coded in.
const SAMPLE: usize = 20;

/// One prefetch template of a service.
#[derive(Clone, Debug)]
pub struct Template {
    /// The key in discovery and in the request.
    pub key: String,
    /// A relative FHIR read or search with the token `{{context.patientId}}`.
    pub query: String,
    /// The type it gives.
    pub resource_type: Name,
    /// It reads the patient; every other template is a search.
    pub is_read: bool,
    /// It shows which code systems the type is coded in, and may be left unanswered.
    pub is_sample: bool,
    /// The codes it asks by; `None` where it asks for the whole type.
    codes: Option<Codes>,
    /// What is to come along with the matches.
    pub(super) includes: Vec<Include>,
    /// The titles of the value sets whose codes it asks for.
    pub(super) about: Vec<Arc<str>>,
}

impl Template {
    /// Whether it gives something of what another template asks for.
    fn has(&self, other: &Template) -> bool {
        self.resource_type == other.resource_type
            && match (&self.codes, &other.codes) {
                (Some(own), Some(asked)) => own.meets(asked),
                _ => true,
            }
    }
}

/// All prefetch templates of a service, in the order of discovery.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// The templates, keys and queries each once.
    pub list: Vec<Template>,
    /// Required types that no template can ask for.
    pub out_of_reach: Vec<Name>,
    /// Required types that belong to no patient: they come along with others, by `_include`.
    pub(super) along: Vec<Name>,
}

impl Templates {
    /// The templates that together give all a service requires.
    ///
    /// A value set of more than 30 codes asks for the whole type, never for a part of the codes;
    /// where a whole type is asked for, no narrower query of it is. Value sets of one type share a
    /// query as long as that has no more than 30 codes: each query costs the client a search. The
    /// patient is always asked for: every record has one, so rules do not require it.
    pub fn of(requirements: &[DataRequirement]) -> Self {
        let mut templates = Templates::default();
        let patient = Name::of("Patient").map(|ty| (ty, Ask::Patient));
        let mut asked: Vec<(Name, Ask)> = patient.into_iter().collect();
        // Types whose codes stand in another resource, and that resource's type.
        let mut coded_elsewhere: Vec<(Name, Name)> = vec![];
        for requirement in requirements {
            let ty = requirement.resource_type;
            match Ask::of(requirement) {
                None => {}
                Some(Ask::OutOfReach) => add_once(&mut templates.out_of_reach, ty),
                Some(Ask::Along) => add_once(&mut templates.along, ty),
                Some(ask) => {
                    let other = requirement.shared_type().map(|other| (ty, other));
                    coded_elsewhere.extend(other);
                    join(&mut asked, ty, ask);
                }
            }
        }
        for (ty, ask) in &asked {
            let mut includes = vec![];
            let elsewhere = coded_elsewhere.iter().filter(|(from, _)| from == ty);
            let along = templates.along.iter().copied();
            for target in along.chain(elsewhere.map(|(_, target)| *target)) {
                for include in Include::all(*ty, target) {
                    add_once(&mut includes, include);
                }
            }
            // A read brings nothing along.
            includes.retain(|_| *ask != Ask::Patient);
            templates.add(*ty, ask, includes);
        }
        let comes = |ty: &Name| {
            let mut all = templates.list.iter().flat_map(|t| &t.includes);
            all.any(|include| include.target == *ty)
        };
        let (along, unreferred) = templates.along.iter().partition(|ty| comes(ty));
        templates.along = along;
        templates.out_of_reach.extend::<Vec<Name>>(unreferred);
        templates
    }

    /// Why a type is out of reach, for whoever chose the service.
    pub(crate) fn why_out_of_reach(&self, ty: Name) -> String {
        let name = ty.as_str();
        let info = Model::r4().resource(name);
        if info.is_some_and(|info| !info.patient_links.is_empty()) {
            return format!(
                "{name}: FHIR R4 has no search parameter that finds those of a patient"
            );
        }
        let searched = self.list.iter().filter(|t| !t.is_read && !t.is_sample);
        let mut types: Vec<&str> = vec![];
        for template in searched {
            add_once(&mut types, template.resource_type.as_str());
        }
        match types.is_empty() {
            true => format!(
                "{name}: it belongs to no patient, and nothing else is asked for that it could come along with"
            ),
            false => format!(
                "{name}: it belongs to no patient, and no search parameter of what is asked for ({}) refers to it, so that `_include` cannot bring it along",
                types.join(", ")
            ),
        }
    }

    /// The templates of a service. Where it judges by code systems and a type is asked for by codes,
    /// a search without codes for a few resources of the type follows: an empty answer to "these
    /// codes" says "not done" only where the type is coded in their systems at all.
    pub fn of_service(service: &dyn CardService) -> Self {
        Self::of_parts(service.requirements(), service.judges_code_systems())
    }

    /// The templates of what requires this; with samples where it judges by code systems.
    pub(crate) fn of_parts(requirements: &[DataRequirement], judges_code_systems: bool) -> Self {
        let mut templates = Self::of(requirements);
        if judges_code_systems {
            let mut types: Vec<Name> = vec![];
            for template in &templates.list {
                if template.codes.is_some() {
                    add_once(&mut types, template.resource_type);
                }
            }
            for ty in types {
                templates.sample(ty);
            }
        }
        templates
    }

    /// Which of these templates ask for something that one with these others is about: those of a rule,
    /// and these of a service with several rules.
    pub(crate) fn that_serve(&self, others: &Templates) -> Vec<usize> {
        let serves = |template: &Template| others.list.iter().any(|own| template.has(own));
        let all = self.list.iter().enumerate();
        all.filter(|(_, template)| serves(template))
            .map(|(number, _)| number)
            .collect()
    }

    /// Whether resources of a type come along with those of the template of this number.
    pub(crate) fn brings(&self, number: usize, ty: Name) -> bool {
        let template = self.list.get(number);
        template.is_some_and(|t| t.resource_type == ty || t.includes.iter().any(|i| i.target == ty))
    }

    fn sample(&mut self, ty: Name) {
        let key = self.free(format!("{}-sample", ty.as_str().to_ascii_lowercase()));
        // What a sample refers to is looked for as well as what else was sent.
        let same = self.list.iter().find(|t| t.resource_type == ty);
        let includes = same.map(|t| t.includes.clone()).unwrap_or_default();
        let query = format!("{}&_count={SAMPLE}", search_of(ty));
        self.list.push(Template {
            key,
            query: with_includes(query, ty, &includes),
            resource_type: ty,
            is_read: false,
            is_sample: true,
            codes: None,
            includes,
            about: vec![],
        });
    }

    fn add(&mut self, ty: Name, ask: &Ask, includes: Vec<Include>) {
        let lower = ty.as_str().to_ascii_lowercase();
        let is_read = *ask == Ask::Patient;
        let codes = match ask {
            Ask::Coded { codes, .. } => Some(codes.clone()),
            _ => None,
        };
        let (key, query, about) = match ask {
            Ask::Patient => (lower, format!("Patient/{PATIENT}"), vec![]),
            Ask::Coded { codes, name, about } => {
                let query = format!("{}{}", search_of(ty), codes.query());
                (format!("{lower}-{name}"), query, about.clone())
            }
            _ => (lower, search_of(ty), vec![]),
        };
        let key = self.free(key);
        self.list.push(Template {
            key,
            query: with_includes(query, ty, &includes),
            resource_type: ty,
            is_read,
            is_sample: false,
            codes,
            includes,
            about,
        });
    }

    /// The key, with a number where another value set has the same name.
    fn free(&self, key: String) -> String {
        let taken = |key: &str| self.list.iter().any(|t| t.key == key);
        let numbered = (2..).map(|n| format!("{key}-{n}"));
        let mut candidates = std::iter::once(key.clone()).chain(numbered);
        candidates.find(|k| !taken(k)).unwrap_or(key)
    }
}

/// The search for all of a patient's resources of a type. What is called `patient` takes an id; another
/// parameter may name others than patients.
fn search_of(ty: Name) -> String {
    match parameters::of_patient(ty.as_str()) {
        Some(name) if name != "patient" => {
            format!("{}?{name}=Patient/{PATIENT}", ty.as_str())
        }
        _ => format!("{}?patient={PATIENT}", ty.as_str()),
    }
}

fn with_includes(mut query: String, ty: Name, includes: &[Include]) -> String {
    for include in includes {
        query.push('&');
        query.push_str(&include.query(ty));
    }
    query
}

/// As in discovery: an object in the order of the list.
impl Serialize for Templates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.list.len()))?;
        for template in &self.list {
            map.serialize_entry(&template.key, &template.query)?;
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
