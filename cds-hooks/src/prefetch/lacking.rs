//! What is lacking, said twice: to whoever built the call, with the keys, and to the clinician, without.
//! Neither holds anything of the patient.

use engine_patient::fhir::names::Name;
use rules::plain_words::{code_title, resources};

use super::bundle::{MOST_ENTRIES, Shortfall};
use super::include::Include;
use super::left_out::{LeftOut, Why};
use super::template::Template;
use crate::seams::KeyFailure;

/// Something that the service did not get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lacking {
    /// With the keys of discovery: for the integrator (412, log, extension of the card).
    pub(crate) technical: String,
    /// A sentence without its full stop, in the words of the field: for the card.
    pub(crate) plain: String,
    /// The client did not send what it was asked for, or sent it so that it could not be used. What the
    /// chart itself does not have is no fault of the call.
    pub(crate) withheld: bool,
    /// The types it is about; none for all.
    pub(crate) types: Vec<Name>,
    /// Nothing was sent, as opposed to something that cannot be used.
    pub(crate) absent: bool,
    /// The number of the template it is about; `None` where it is no single one.
    pub(crate) template: Option<usize>,
    /// The patient does not want it to be seen, or nobody knows: of what it is about nothing is said.
    pub(crate) by_consent: bool,
}

impl Lacking {
    fn withheld(technical: String, plain: String) -> Self {
        Lacking {
            technical,
            plain,
            withheld: true,
            types: vec![],
            absent: false,
            template: None,
            by_consent: false,
        }
    }

    fn about(self, ty: Name) -> Self {
        Lacking {
            types: vec![ty],
            ..self
        }
    }

    /// About the template of this number.
    pub(super) fn of_template(self, number: usize) -> Self {
        Lacking {
            template: Some(number),
            ..self
        }
    }

    /// What the patient does not want to be seen. That is no fault of the call.
    pub(super) fn withheld_by_consent(types: Vec<Name>) -> Self {
        Lacking {
            withheld: false,
            types,
            by_consent: true,
            ..Lacking::withheld(
                "some data is withheld by consent".to_owned(),
                "Some of the patient's data is withheld by consent".to_owned(),
            )
        }
    }

    /// What may be what the patient does not want to be seen: nobody could find out. What of the call is at
    /// fault, if anything is, stands beside.
    pub(super) fn without_consents(types: Vec<Name>) -> Self {
        Lacking {
            technical: "the patient's consents could not be looked up".to_owned(),
            plain: "The patient's consents could not be looked up, so that none of the patient's data was used"
                .to_owned(),
            ..Lacking::withheld_by_consent(types)
        }
    }

    /// A key as a whole; and why it could not be fetched, where that was tried.
    pub(super) fn of_key(
        shortfall: Shortfall,
        template: &Template,
        failure: Option<&KeyFailure>,
    ) -> Self {
        let what = what(template);
        let plain = match shortfall {
            _ if template.is_read => {
                "The patient's own record was not received from the EHR".to_owned()
            }
            Shortfall::NotSent | Shortfall::NoPatient => {
                format!("No {what} were received from the EHR")
            }
            Shortfall::Failed => {
                format!("The EHR's search for {what} failed or was incomplete")
            }
            Shortfall::MorePages | Shortfall::Partial => {
                format!("Only a part of the {what} was received from the EHR")
            }
            Shortfall::TooManyEntries => {
                format!("There were more {what} than can be looked at")
            }
            Shortfall::TooMany | Shortfall::OtherTypes | Shortfall::WrongStructure => {
                format!("What was received from the EHR as {what} could not be read")
            }
        };
        let mut technical = technical(shortfall, &template.key, template.is_read);
        if let Some(failure) = failure {
            technical.push_str(&format!(", and could not be fetched: {failure}"));
        }
        Lacking {
            absent: shortfall == Shortfall::NotSent,
            ..Lacking::withheld(technical, plain).about(template.resource_type)
        }
    }

    /// A type that no template asks for.
    pub(super) fn out_of_reach(ty: Name) -> Self {
        Lacking::withheld(
            format!("`{}` cannot be prefetched", ty.as_str()),
            format!("No {} can be received from the EHR", resources(ty.as_str())),
        )
        .about(ty)
    }

    /// Resources refer to others that did not come along. Where none came, the search was made without
    /// `_include`; where some did, the others are not there.
    pub(super) fn not_included(template: &Template, include: &Include, came: bool) -> Self {
        let (target, key) = (include.target.as_str(), &template.key);
        let query = include.query(template.resource_type);
        let because = match came {
            true => "although others did",
            false => "as if the search had been made without it",
        };
        Lacking {
            technical: format!(
                "`{key}` refers to {target} resources that did not come along by `{query}`, {because}: send them as entries with `search.mode` `include`"
            ),
            plain: referred(target, template.resource_type.as_str()),
            withheld: !came,
            types: vec![include.target],
            absent: false,
            template: None,
            by_consent: false,
        }
    }

    /// Something refers to resources of a type, by an element that no search follows.
    pub(super) fn not_followed(ty: Name) -> Self {
        let target = ty.as_str();
        Lacking {
            technical: format!(
                "the data refers to {target} resources that no search parameter of R4 brings along"
            ),
            plain: format!(
                "Some {} that the data refers to were not received from the EHR",
                resources(target)
            ),
            withheld: false,
            types: vec![ty],
            absent: false,
            template: None,
            by_consent: false,
        }
    }

    /// `#m`, and there is no contained `m`.
    pub(super) fn not_contained(template: &Template, ty: Name) -> Self {
        Lacking {
            technical: format!(
                "`{}` refers to contained resources that are not in it",
                template.key
            ),
            plain: referred(ty.as_str(), template.resource_type.as_str()),
            withheld: false,
            types: vec![ty],
            absent: false,
            template: None,
            by_consent: false,
        }
    }

    pub(super) fn several_servers() -> Self {
        Lacking::withheld(
            "the results are from several servers (by their `fullUrl`), and there is no `fhirServer` to say which of them has the patient".to_owned(),
            "The data came from several systems, and it is not said which of them has this patient".to_owned(),
        )
    }

    /// Entries of which a part is no FHIR R4. Where it is `open` what they are, they may be any of those
    /// that were asked for.
    pub(super) fn in_part(entries: &LeftOut, open: bool) -> Self {
        let count = entries.count;
        let were = match count {
            1 => "entry was",
            _ => "entries were",
        };
        let (said, plain) = match open {
            true => (
                "of which it cannot be told what it is",
                "it is not said what it is",
            ),
            false => (
                "of which a part is not valid FHIR R4",
                "a part is not readable",
            ),
        };
        Lacking {
            withheld: open,
            types: entries.types.iter().copied().collect(),
            ..Lacking::withheld(
                format!(
                    "not used in full: {count} × a resource {said}: {}",
                    entries.listed()
                ),
                format!("{count} {were} not used in full: {plain}"),
            )
        }
    }

    /// Entries that were left out for one reason.
    pub(crate) fn left_out(why: Why, entries: &LeftOut) -> Self {
        let (technical, plain) = why.words();
        let count = entries.count;
        let were = match count {
            1 => "entry was",
            _ => "entries were",
        };
        let places = entries.listed();
        Lacking {
            types: entries.types.iter().copied().collect(),
            ..Lacking::withheld(
                format!("left out: {count} × a resource {technical}: {places}"),
                format!("{count} {were} not used: {plain}"),
            )
        }
    }
}

fn referred(target: &str, from: &str) -> String {
    format!(
        "The {} that {} refer to were not all received from the EHR",
        resources(target),
        resources(from)
    )
}

/// `observations (HbA1c lab test)`.
fn what(template: &Template) -> String {
    let ty = resources(template.resource_type.as_str());
    let titles: Vec<String> = template
        .about
        .iter()
        .filter_map(|t| code_title(t))
        .collect();
    /// More would be a list to read, not a hint.
    const NAMED: usize = 3;
    let mut named = titles.iter().take(NAMED).cloned().collect::<Vec<_>>();
    if titles.len() > NAMED {
        named.push(format!("{} more", titles.len() - NAMED));
    }
    match named.is_empty() || titles.len() < template.about.len() {
        true => ty.into_owned(),
        false => format!("{ty} ({})", named.join(", ")),
    }
}

/// About a key, for the integrator.
fn technical(shortfall: Shortfall, key: &str, is_read: bool) -> String {
    match shortfall {
        Shortfall::NotSent => format!("`{key}` was not sent"),
        Shortfall::NoPatient => format!("`{key}` was sent without a patient"),
        Shortfall::Failed if is_read => format!(
            "`{key}` holds an OperationOutcome: the read of the resource failed, or found nothing"
        ),
        Shortfall::Failed => format!("the search for `{key}` failed or was incomplete"),
        Shortfall::MorePages => format!("`{key}` has further pages that were not sent"),
        Shortfall::TooMany => format!("`{key}` has more results than its `total` says"),
        Shortfall::Partial => format!("`{key}` has resources of which only a part was sent"),
        Shortfall::OtherTypes => {
            format!("`{key}` has results of another type than was asked for")
        }
        Shortfall::TooManyEntries => format!("`{key}` has more than {MOST_ENTRIES} entries"),
        Shortfall::WrongStructure => format!("`{key}` is not the FHIR data that was asked for"),
    }
}
