//! What is asked of each type: all of a patient's resources, or those of some codes.

use std::sync::Arc;

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::requirements::DataRequirement;

use super::parameters;
use super::search::{self, Codes, Filter};

/// What is asked of a type.
#[derive(PartialEq, Eq)]
pub(super) enum Ask {
    Patient,
    Whole,
    Coded {
        codes: Codes,
        name: String,
        about: Vec<Arc<str>>,
    },
    /// It belongs to no patient, and comes along with what does.
    Along,
    OutOfReach,
}

impl Ask {
    /// `None` where there is nothing to ask for.
    pub(super) fn of(requirement: &DataRequirement) -> Option<Self> {
        let ty = requirement.resource_type.as_str();
        if ty == "Patient" {
            return Some(Ask::Patient);
        }
        let linked = Model::r4()
            .resource(ty)
            .is_some_and(|info| !info.patient_links.is_empty());
        let whole = match linked {
            false => Ask::Along,
            true if parameters::of_patient(ty).is_none() => Ask::OutOfReach,
            true => Ask::Whole,
        };
        let Some(filter) = &requirement.codes else {
            return Some(whole);
        };
        match search::filter(ty, filter) {
            Filter::Nothing => None,
            _ if whole != Ask::Whole => Some(whole),
            Filter::Whole => Some(Ask::Whole),
            Filter::Codes(codes) => {
                let set = &filter.value_set;
                let title = set.title.as_ref().or(set.name.as_ref()).unwrap_or(&set.url);
                Some(Ask::Coded {
                    codes,
                    name: key_part(&set.url),
                    about: vec![Arc::clone(title)],
                })
            }
        }
    }
}

/// Adds what is asked of a type to what is asked already.
pub(super) fn join(asked: &mut Vec<(Name, Ask)>, ty: Name, ask: Ask) {
    let Ask::Coded { codes, name, about } = ask else {
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
                about: others_about,
            } => {
                if let Some(both) = others.and(&codes) {
                    *others = both;
                    if *others_name != name {
                        "codes".clone_into(others_name);
                    }
                    for title in about {
                        add_once(others_about, title);
                    }
                    return;
                }
            }
            _ => {}
        }
    }
    asked.push((ty, Ask::Coded { codes, name, about }));
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

pub(super) fn add_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
