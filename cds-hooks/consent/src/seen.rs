//! A resource as provisions look at it. What is costly is found once, where it is asked for.

use std::cell::OnceCell;
use std::collections::HashSet;

use engine_patient::fhir::model::Model;
use engine_patient::record::{Element, Kind};
use engine_patient::requirements::{choice, reference_target, referenced};
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::Zone;

use crate::moment::{self, Span};
use crate::read::{Code, Named, codes, list};

/// A resource that is asked for.
pub(crate) struct Seen<'r> {
    pub(crate) resource: Element<'r>,
    pub(crate) ty: &'static str,
    /// Whether its source labels what is sensitive, so that what has no label is not.
    pub(crate) is_labelled: bool,
    zone: &'r Zone,
    labels: OnceCell<Vec<Code>>,
    codes: OnceCell<Codes>,
}

/// The codes of a resource, wherever they stand in it, and in the Medication that it refers to.
struct Codes {
    all: HashSet<Code>,
    /// There are more in a resource that is not here.
    elsewhere: bool,
}

/// Elements that say whom a resource is from.
const AUTHORS: &[&str] = &[
    "author",
    "recorder",
    "asserter",
    "performer",
    "requester",
    "informationSource",
    "enterer",
    "sender",
    "provider",
];

/// And who holds it, or where it was made: "a specific organization (or service delivery location)".
const CUSTODIANS: &[&str] = &["custodian", "managingOrganization", "serviceProvider"];

/// How deep codes are looked for: deeper than FHIR has them.
const DEEPEST: usize = 64;

impl<'r> Seen<'r> {
    pub(crate) fn new(resource: Element<'r>, is_labelled: bool, zone: &'r Zone) -> Self {
        Seen {
            resource,
            ty: resource.resource_type().map_or("", |ty| ty.as_str()),
            is_labelled,
            zone,
            labels: OnceCell::new(),
            codes: OnceCell::new(),
        }
    }

    /// `meta.security`.
    pub(crate) fn labels(&self) -> &[Code] {
        self.labels.get_or_init(|| {
            let meta = self.resource.get_named("meta");
            let labels = meta.into_iter().flat_map(|meta| list(meta, "security"));
            labels.flat_map(codes).collect()
        })
    }

    /// `meta.profile`.
    pub(crate) fn profiles(&self) -> Vec<String> {
        let meta = self.resource.get_named("meta");
        let profiles = meta.into_iter().flat_map(|meta| list(meta, "profile"));
        let texts = profiles.filter_map(|profile| Some(profile.as_str()?.into_owned()));
        texts.collect()
    }

    /// Whether a code is found in it.
    pub(crate) fn has_code(&self, (system, code): &Code) -> Truth {
        let codes = self.codes.get_or_init(|| Codes::of(self.resource));
        let found = match system.is_empty() {
            true => codes.all.iter().any(|(_, own)| own == code),
            false => {
                codes.all.contains(&(system.clone(), code.clone()))
                    || codes.all.contains(&(String::new(), code.clone()))
            }
        };
        match (found, codes.elsewhere) {
            (true, _) => Truth::True,
            (false, false) => Truth::False,
            (false, true) => Truth::Unknown,
        }
    }

    /// When it was.
    pub(crate) fn time(&self) -> Option<Span> {
        moment::of_resource(self.ty, self.resource, self.zone)
    }

    /// Whether it is the patient, or something that belongs to no patient: neither is from anyone, or of a
    /// time.
    pub(crate) fn is_nobodys(&self) -> bool {
        let info = Model::r4().resource(self.ty);
        self.ty == "Patient" || info.is_some_and(|info| info.patient_links.is_empty())
    }

    /// Whether it is from someone.
    pub(crate) fn is_from(&self, who: &Named) -> Truth {
        if self.is_nobodys() {
            return Truth::False;
        }
        let own: Vec<Named> = self.people(AUTHORS).chain(self.custodians()).collect();
        if own.iter().any(|one| one.is(who)) {
            return Truth::True;
        }
        // Another of the same type is another; what a person belongs to is not known here.
        let same_type = own.iter().any(|one| one.type_name() == who.type_name());
        match same_type && who.is_literal() {
            true => Truth::False,
            false => Truth::Unknown,
        }
    }

    pub(crate) fn custodians(&self) -> impl Iterator<Item = Named> {
        self.people(CUSTODIANS)
    }

    fn people(&self, elements: &'static [&'static str]) -> impl Iterator<Item = Named> {
        let resource = self.resource;
        let all = elements.iter().flat_map(move |name| list(resource, name));
        all.map(|one| match one.get_named("actor") {
            Some(actor) => Named::of(actor),
            None => Named::of(one),
        })
    }

    /// What it refers to, anywhere in it.
    pub(crate) fn refers_to(&self, who: &Named) -> bool {
        let all = self.resource.references();
        all.filter_map(Element::as_str)
            .any(|text| Named::parse(&text).is(who))
    }

    /// Whether it is the one that is named.
    pub(crate) fn is(&self, who: &Named) -> bool {
        let id = self.resource.get_str("id");
        let own = id.map(|id| Named::parse(&format!("{}/{id}", self.ty)));
        if own.is_some_and(|own| own.is(who)) {
            return true;
        }
        let Some((system, value)) = who.identifier() else {
            return false;
        };
        list(self.resource, "identifier").any(|identifier| {
            let is = |name: &str, wanted: &str| {
                identifier.get_named(name).is_some_and(|e| e.is_str(wanted))
            };
            is("system", system) && is("value", value)
        })
    }
}

impl Codes {
    fn of(resource: Element<'_>) -> Codes {
        let mut codes = Codes {
            all: HashSet::new(),
            elsewhere: false,
        };
        codes.gather(resource, 0);
        let medication = choice(resource, "medication").and_then(|m| m.get_str("reference"));
        if let Some(reference) = medication.filter(|text| !text.starts_with('#')) {
            match referenced(resource, &reference) {
                Some(medication) => codes.gather(medication, 0),
                None => codes.elsewhere = true,
            }
        }
        codes
    }

    fn gather(&mut self, element: Element<'_>, depth: usize) {
        if depth > DEEPEST {
            self.elsewhere = true;
            return;
        }
        if element.kind() == Kind::Object
            && let Some(code) = element.get_str("code")
        {
            let system = element.get_str("system").unwrap_or_default();
            self.all.insert((system.into_owned(), code.into_owned()));
        }
        for child in element.children() {
            if matches!(child.kind(), Kind::Object | Kind::Array) {
                self.gather(child, depth + 1);
            }
        }
    }
}

/// The resource of the record that a reference names, of whatever server.
pub(crate) fn find<'r>(from: Element<'r>, who: &str) -> Option<Element<'r>> {
    reference_target(who)?;
    referenced(from, who)
}
