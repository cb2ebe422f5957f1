//! Prefetch templates from data requirements: authors never write any.

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::requirements::DataRequirement;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::search::{self, Codes, Filter};
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
}

/// All prefetch templates of a service, in the order of discovery.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// The templates, keys and queries each once.
    pub list: Vec<Template>,
    /// Required types that no template can ask for.
    pub out_of_reach: Vec<Name>,
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
        for requirement in requirements {
            let ty = requirement.resource_type;
            match Ask::of(requirement) {
                None => {}
                Some(Ask::OutOfReach) if templates.out_of_reach.contains(&ty) => {}
                Some(Ask::OutOfReach) => templates.out_of_reach.push(ty),
                Some(ask) => join(&mut asked, ty, ask),
            }
        }
        for (ty, ask) in &asked {
            templates.add(*ty, ask);
        }
        templates
    }

    /// The templates of a service. Where it judges by code systems and a type is asked for by codes,
    /// a search without codes for a few resources of the type follows: an empty answer to "these
    /// codes" says "not done" only where the type is coded in their systems at all.
    pub fn of_service(service: &dyn CardService) -> Self {
        let mut templates = Self::of(service.requirements());
        if service.judges_code_systems() {
            let mut types: Vec<Name> = vec![];
            for template in &templates.list {
                let coded = template.query.contains('&');
                if coded && !types.contains(&template.resource_type) {
                    types.push(template.resource_type);
                }
            }
            for ty in types {
                templates.sample(ty);
            }
        }
        templates
    }

    fn sample(&mut self, ty: Name) {
        let key = self.free(format!("{}-sample", ty.as_str().to_ascii_lowercase()));
        self.list.push(Template {
            key,
            query: format!("{}?patient={PATIENT}&_count={SAMPLE}", ty.as_str()),
            resource_type: ty,
            is_read: false,
            is_sample: true,
        });
    }

    fn add(&mut self, ty: Name, ask: &Ask) {
        let type_name = ty.as_str();
        let lower = type_name.to_ascii_lowercase();
        let (key, query, is_read) = match ask {
            Ask::Patient => (lower, format!("Patient/{PATIENT}"), true),
            Ask::Coded { codes, name } => {
                let query = format!("{type_name}?patient={PATIENT}{}", codes.query());
                (format!("{lower}-{name}"), query, false)
            }
            _ => (lower, format!("{type_name}?patient={PATIENT}"), false),
        };
        let key = self.free(key);
        self.list.push(Template {
            key,
            query,
            resource_type: ty,
            is_read,
            is_sample: false,
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

/// What is asked of a type.
#[derive(PartialEq, Eq)]
enum Ask {
    Patient,
    Whole,
    Coded { codes: Codes, name: String },
    OutOfReach,
}

impl Ask {
    /// `None` where there is nothing to ask for.
    fn of(requirement: &DataRequirement) -> Option<Self> {
        let ty = requirement.resource_type.as_str();
        if ty == "Patient" {
            return Some(Ask::Patient);
        }
        let linked = Model::r4()
            .resource(ty)
            .is_some_and(|info| !info.patient_links.is_empty());
        if !linked || !search::has_patient_parameter(ty) {
            return Some(Ask::OutOfReach);
        }
        let Some(filter) = &requirement.codes else {
            return Some(Ask::Whole);
        };
        match search::filter(ty, filter) {
            Filter::Whole => Some(Ask::Whole),
            Filter::Nothing => None,
            Filter::Codes(codes) => Some(Ask::Coded {
                codes,
                name: key_part(&filter.value_set.url),
            }),
        }
    }
}

/// Adds what is asked of a type to what is asked already.
fn join(asked: &mut Vec<(Name, Ask)>, ty: Name, ask: Ask) {
    let Ask::Coded { codes, name } = ask else {
        // The patient, or the whole type: one query, in the place of the first.
        let at = asked
            .iter()
            .position(|(t, _)| *t == ty)
            .unwrap_or(asked.len());
        asked.retain(|(t, _)| *t != ty);
        asked.insert(at, (ty, ask));
        return;
    };
    for (_, before) in asked.iter_mut().filter(|(t, _)| *t == ty) {
        match before {
            Ask::Whole => return,
            Ask::Coded {
                codes: others,
                name: others_name,
            } => {
                if let Some(both) = others.and(&codes) {
                    *others = both;
                    if *others_name != name {
                        "codes".clone_into(others_name);
                    }
                    return;
                }
            }
            _ => {}
        }
    }
    asked.push((ty, Ask::Coded { codes, name }));
}

/// The last part of a canonical as part of a key: `…/ValueSet/hba1c-lab` is `hba1c-lab`.
fn key_part(url: &str) -> String {
    let last = url
        .rsplit(['/', ':'])
        .find(|part| !part.is_empty())
        .unwrap_or("codes");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    last.chars().map(plain).collect()
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
