//! `provision.class`, `code` and `data`: which data is meant.

use engine_patient::fhir::model::Model;
use engine_patient::record::Element;
use engine_patient::system::truth::Truth;

use crate::criteria::any;
use crate::read::{Code, Named, Reader, list, one};
use crate::seen::{Seen, find};

/// A kind of data.
pub(crate) enum Class {
    /// Of this type; of any where R4 means all by it.
    Type(String),
    Every,
    /// Of this profile.
    Profile(String),
    /// Documents of this media type.
    Media(String),
    /// A code of the type of a document, or of what is in it.
    Coded(Code),
    /// Nobody knows what.
    Unknown,
}

/// Types that carry documents.
const DOCUMENTS: &[&str] = &[
    "Binary",
    "Communication",
    "Composition",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "Media",
];

const TYPES: &[&str] = &[
    "http://hl7.org/fhir/resource-types",
    "http://hl7.org/fhir/fhir-types",
    "http://hl7.org/fhir/ValueSet/resource-types",
    "",
];

const STRUCTURES: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Systems of codes that documents and data have.
const CODED: &[&str] = &[
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10",
];

impl Class {
    pub(crate) fn of((system, code): &Code) -> Class {
        let is_type = |code: &str| Model::r4().resource(code).is_some();
        match (system.as_str(), code.as_str()) {
            (system, "Resource" | "DomainResource") if TYPES.contains(&system) => Class::Every,
            (system, code) if TYPES.contains(&system) && is_type(code) => {
                Class::Type(code.to_owned())
            }
            ("urn:ietf:rfc:3986" | "", url) if url.contains("://") => {
                match url.strip_prefix(STRUCTURES).filter(|name| is_type(name)) {
                    Some(name) => Class::Type(name.to_owned()),
                    None => Class::Profile(url.to_owned()),
                }
            }
            ("urn:ietf:bcp:13", media) => Class::Media(media.to_owned()),
            (system, _) if CODED.contains(&system) => {
                Class::Coded((system.to_owned(), code.clone()))
            }
            _ => Class::Unknown,
        }
    }

    pub(crate) fn is(&self, seen: &Seen<'_>) -> Truth {
        let truth = |holds| if holds { Truth::True } else { Truth::False };
        match self {
            Class::Every => Truth::True,
            Class::Type(name) => truth(seen.ty == name),
            Class::Profile(url) => {
                let own = seen.profiles();
                match own.iter().any(|own| url_of(own) == url_of(url)) {
                    true => Truth::True,
                    // What claims no profile may be of this one all the same.
                    false if own.is_empty() => Truth::Unknown,
                    false => Truth::False,
                }
            }
            Class::Media(media) if DOCUMENTS.contains(&seen.ty) => {
                let mut own = vec![];
                media_types(seen.resource, 0, &mut own);
                match own.contains(media) {
                    true => Truth::True,
                    false if own.is_empty() => Truth::Unknown,
                    false => Truth::False,
                }
            }
            Class::Media(_) => Truth::False,
            Class::Coded(code) => seen.has_code(code),
            Class::Unknown => Truth::Unknown,
        }
    }
}

/// Without the version.
fn url_of(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}

/// `contentType` wherever it stands.
fn media_types(element: Element<'_>, depth: usize, found: &mut Vec<String>) {
    found.extend(element.get_str("contentType").map(|text| text.into_owned()));
    if depth < 8 {
        element
            .children()
            .for_each(|child| media_types(child, depth + 1, found));
    }
}

/// What a Consent says of a resource that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Instance,
    Related,
    Dependents,
    AuthoredBy,
    Unknown,
}

/// `provision.data`.
pub(crate) struct Data {
    meaning: Meaning,
    what: Named,
    /// As it is written, to find it in the record.
    literal: String,
    is_known: bool,
}

impl Data {
    pub(crate) fn read(data: Element<'_>, place: &str, reader: &mut Reader<'_>) -> Data {
        let mut is_known = reader.knows(data, &["meaning", "reference"], place);
        let meaning = match one(data, "meaning").and_then(Element::as_str).as_deref() {
            Some("instance") => Meaning::Instance,
            Some("related") => Meaning::Related,
            Some("dependents") => Meaning::Dependents,
            Some("authoredby") => Meaning::AuthoredBy,
            _ => {
                reader.flaw(place, "does not say what it means by the resource");
                Meaning::Unknown
            }
        };
        let reference = one(data, "reference");
        let what = reference.map(Named::of).unwrap_or_default();
        if !what.is_literal() && what.identifier().is_none() {
            reader.flaw(place, "does not say which resource");
            is_known = false;
        }
        let literal = reference.and_then(|r| r.get_str("reference"));
        Data {
            meaning,
            what,
            literal: literal.unwrap_or_default().into_owned(),
            is_known,
        }
    }

    pub(crate) fn is(&self, seen: &Seen<'_>) -> Truth {
        if !self.is_known {
            return Truth::Unknown;
        }
        let truth = |holds| if holds { Truth::True } else { Truth::False };
        let itself = seen.is(&self.what);
        match self.meaning {
            Meaning::AuthoredBy => seen.is_from(&self.what),
            _ if itself => Truth::True,
            // A reference without an address: another may be the one that is meant.
            _ if !self.what.is_literal() && self.meaning != Meaning::Instance => Truth::Unknown,
            Meaning::Instance => truth(false),
            Meaning::Dependents => truth(seen.refers_to(&self.what)),
            // Every record refers to the patient: that is not what is meant.
            Meaning::Related if seen.ty == "Patient" => truth(false),
            Meaning::Related => match find(seen.resource, &self.literal) {
                Some(named) => any(list_of_references(named).map(|one| truth(seen.is(&one)))),
                // What it refers to is not known.
                None => Truth::Unknown,
            },
            Meaning::Unknown => Truth::Unknown,
        }
    }
}

fn list_of_references(resource: Element<'_>) -> impl Iterator<Item = Named> {
    let all = resource.references().filter_map(Element::as_str);
    all.map(|text| Named::parse(&text))
}

/// The Codings of a list; what is no code there is told.
pub(crate) fn codings(
    provision: Element<'_>,
    name: &str,
    place: &str,
    reader: &mut Reader<'_>,
) -> Vec<Option<Code>> {
    let mut all = vec![];
    for concept in list(provision, name) {
        let place = format!("{place}.{name}");
        let found = crate::read::codes(concept);
        if !reader.counts() || found.is_empty() {
            reader.flaw(&place, "has no code");
            all.push(None);
            continue;
        }
        all.extend(found.into_iter().map(Some));
    }
    all
}
