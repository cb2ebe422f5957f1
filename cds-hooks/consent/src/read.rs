//! Reading the elements of a Consent, strictly: what R4 does not have there may mean anything.

use engine_patient::bundle::server_key;
use engine_patient::record::{Element, Kind};
use engine_patient::requirements::reference_target;
use engine_patient::system::codes::codings;
use engine_patient::system::zone::Zone;

use crate::flaw::Flaw;

/// Provisions that are read of all Consents of a patient; of more none is understood.
pub(crate) const MOST_PROVISIONS: usize = 500;

/// Values of criteria, likewise.
pub(crate) const MOST_VALUES: usize = 5_000;

/// How deep provisions may stand in each other.
pub(crate) const DEEPEST: usize = 16;

/// Most flaws that are told of the Consents of a patient.
pub(crate) const MOST_FLAWS: usize = 50;

/// What is read of the Consents of one patient, and what was wrong with them.
pub(crate) struct Reader<'z> {
    pub(crate) zone: &'z Zone,
    /// `Consent/<id>` of the one that is read.
    pub(crate) consent: String,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) provisions: usize,
    pub(crate) values: usize,
}

impl Reader<'_> {
    /// Tells of something that is not understood.
    pub(crate) fn flaw(&mut self, place: &str, what: &'static str) {
        let flaw = Flaw {
            consent: self.consent.clone(),
            place: place.to_owned(),
            what,
        };
        if self.flaws.len() < MOST_FLAWS && !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    /// Whether all members of an object are those that R4 has there, and none changes its meaning. What
    /// is wrong is told. (A member that occurs twice is no JSON to the record.)
    pub(crate) fn knows(&mut self, object: Element<'_>, names: &[&str], place: &str) -> bool {
        if object.kind() != Kind::Object {
            self.flaw(place, "is not the object that FHIR R4 has there");
            return false;
        }
        let mut is_known = true;
        for member in object.children() {
            let property = member.property();
            let empty = member.kind() == Kind::Null;
            let what = match &*property {
                "modifierExtension" if !empty && member.items().next().is_some() => {
                    "has an extension that changes its meaning"
                }
                "id" | "extension" | "fhir_comments" | "modifierExtension" => continue,
                known if names.contains(&known) => continue,
                shadow if is_shadow(object, shadow, names) => continue,
                _ if empty => continue,
                other if other.starts_with('_') => "has an element without a value",
                _ => "has an element that FHIR R4 does not have there",
            };
            self.flaw(place, what);
            is_known = false;
        }
        is_known
    }

    /// Counts a value of a criterion; whether there is room for it.
    pub(crate) fn counts(&mut self) -> bool {
        self.values += 1;
        self.values <= MOST_VALUES
    }
}

/// Whether it stands beside a primitive that has its value.
fn is_shadow(object: Element<'_>, property: &str, names: &[&str]) -> bool {
    let beside = property
        .strip_prefix('_')
        .filter(|name| names.contains(name));
    beside
        .and_then(|name| object.get_named(name))
        .is_some_and(|value| value.kind() != Kind::Null)
}

/// What stands in a list; null is nothing.
pub(crate) fn list<'r>(object: Element<'r>, name: &str) -> impl Iterator<Item = Element<'r>> {
    let found = object.get_named(name).into_iter().flat_map(Element::items);
    found.filter(|item| item.kind() != Kind::Null)
}

/// The element of this name; null is nothing.
pub(crate) fn one<'r>(object: Element<'r>, name: &str) -> Option<Element<'r>> {
    object.get_named(name).filter(|e| e.kind() != Kind::Null)
}

/// System and code.
pub(crate) type Code = (String, String);

/// The codes of a CodeableConcept or a Coding; those without a code are none.
pub(crate) fn codes(concept: Element<'_>) -> Vec<Code> {
    let all = codings(concept).filter_map(|coding| {
        let code = coding.get_str("code")?.into_owned();
        let system = coding.get_str("system").unwrap_or_default();
        (!code.is_empty()).then(|| (system.into_owned(), code))
    });
    all.collect()
}

/// Something that is referred to.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Named {
    /// As it is written.
    literal: Option<String>,
    /// Its server, in the form of [`server_key`], where it is said.
    server: Option<String>,
    /// Type and id.
    target: Option<(String, String)>,
    /// System and value.
    identifier: Option<(String, String)>,
    /// `Reference.type`, where there is no more.
    type_name: Option<String>,
}

impl Named {
    /// What a Reference names; of a text, what the text names.
    pub(crate) fn of(reference: Element<'_>) -> Named {
        if let Some(text) = reference.as_str() {
            return Named::parse(&text);
        }
        let literal = reference.get_str("reference");
        let mut named = literal.map_or_else(Named::default, |text| Named::parse(&text));
        let identifier = one(reference, "identifier");
        named.identifier = identifier.and_then(|identifier| {
            let value = identifier.get_str("value")?.into_owned();
            let system = identifier.get_str("system")?.into_owned();
            Some((system, value))
        });
        named.type_name = reference.get_str("type").map(|ty| ty.into_owned());
        named
    }

    pub(crate) fn parse(text: &str) -> Named {
        let target = reference_target(text);
        let plain = text
            .split_once("/_history/")
            .map_or(text, |(plain, _)| plain);
        let server = target.and_then(|(ty, id)| {
            let base = plain.strip_suffix(id)?.strip_suffix('/')?;
            let base = base.strip_suffix(ty)?.strip_suffix('/')?;
            (!base.is_empty()).then(|| server_key(base).into_owned())
        });
        Named {
            literal: (!plain.is_empty()).then(|| plain.to_owned()),
            server,
            target: target.map(|(ty, id)| (ty.to_owned(), id.to_owned())),
            identifier: None,
            type_name: None,
        }
    }

    /// The type of what it names.
    pub(crate) fn type_name(&self) -> Option<&str> {
        let target = self.target.as_ref().map(|(ty, _)| ty.as_str());
        target.or(self.type_name.as_deref())
    }

    /// Whether both name the same: a reference without a server is to the server at hand.
    pub(crate) fn is(&self, other: &Named) -> bool {
        let by_target = match (&self.target, &other.target) {
            (Some(a), Some(b)) => {
                let servers = self.server.as_ref().zip(other.server.as_ref());
                a == b && servers.is_none_or(|(a, b)| a == b)
            }
            _ => self.literal.is_some() && self.literal == other.literal,
        };
        by_target || (self.identifier.is_some() && self.identifier == other.identifier)
    }

    pub(crate) fn identifier(&self) -> Option<&(String, String)> {
        self.identifier.as_ref()
    }

    /// Whether it can be followed at all.
    pub(crate) fn is_literal(&self) -> bool {
        self.target.is_some() || self.literal.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_named_in_several_ways() {
        let is = |a: &str, b: &str| Named::parse(a).is(&Named::parse(b));
        for (a, b, same) in [
            ("Organization/1", "Organization/1", true),
            ("Organization/1", "Organization/2", false),
            ("Organization/1", "Practitioner/1", false),
            ("Organization/1", "https://a.org/fhir/Organization/1", true),
            ("Organization/1/_history/3", "Organization/1", true),
            (
                "https://a.org/fhir/Organization/1",
                "https://A.org:443/fhir/Organization/1",
                true,
            ),
            (
                "https://a.org/fhir/Organization/1",
                "https://b.org/fhir/Organization/1",
                false,
            ),
            ("urn:uuid:1", "urn:uuid:1", true),
            ("urn:uuid:1", "urn:uuid:2", false),
            ("", "", false),
        ] {
            assert_eq!(is(a, b), same, "{a} {b}");
        }
    }
}
