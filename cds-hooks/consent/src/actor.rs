//! `provision.actor`: who is meant, of those who ask and of those whom the data is from.

use engine_patient::record::Element;
use engine_patient::system::truth::Truth;

use crate::criteria::any;
use crate::read::{Code, Named, Reader, codes, one};
use crate::request::Request;
use crate::seen::Seen;

/// What an actor has to do with the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// It gets the data.
    Recipient,
    /// The data is from it, as its author or informant.
    Author,
    /// It holds the data.
    Custodian,
    /// Something else, or nobody knows what.
    Other,
}

/// An actor of a provision.
pub(crate) struct Actor {
    part: Part,
    who: Named,
    is_known: bool,
}

/// v3 ParticipationType, v3 RoleClass and the security roles: who receives data or acts on it.
const RECIPIENTS: &[&str] = &[
    "PRCP",
    "IRCP",
    "REFT",
    "NOT",
    "AGNT",
    "ASSIGNED",
    "EMP",
    "PROV",
    "NOK",
    "PAT",
    "GUARD",
    "DELEGATEE",
    "GRANTEE",
    "humanuser",
    "dataprocessor",
    "datacollector",
];

impl Part {
    /// A role without a code says nothing: then it is the one who gets the data.
    fn of(roles: &[Code]) -> Part {
        let one_of = |known: &[&str]| roles.iter().any(|(_, code)| known.contains(&code.as_str()));
        match roles {
            [] => Part::Recipient,
            _ if one_of(&["AUT", "INF"]) => Part::Author,
            _ if one_of(&["CST"]) => Part::Custodian,
            _ if one_of(RECIPIENTS) => Part::Recipient,
            _ => Part::Other,
        }
    }
}

impl Actor {
    pub(crate) fn read(actor: Element<'_>, place: &str, reader: &mut Reader<'_>) -> Actor {
        let mut is_known = reader.knows(actor, &["role", "reference"], place);
        let roles = one(actor, "role").map(codes).unwrap_or_default();
        let part = Part::of(&roles);
        if part == Part::Other {
            reader.flaw(place, "has a role that is not known");
        }
        let who = one(actor, "reference").map(Named::of).unwrap_or_default();
        if !who.is_literal() && who.identifier().is_none() {
            reader.flaw(place, "does not say who it is");
            is_known = false;
        }
        Actor {
            part,
            who,
            is_known,
        }
    }
}

/// Whether actors are about this request and this resource: one of those who get the data, and one of those
/// whom it is from, where there are any.
pub(crate) fn are(actors: &[Actor], request: &Request, seen: &Seen<'_>) -> Truth {
    let of = |wanted: &[Part]| {
        let mut some = actors
            .iter()
            .filter(|actor| wanted.contains(&actor.part))
            .peekable();
        match some.peek() {
            None => Truth::True,
            Some(_) => any(some.map(|actor| actor.is(request, seen))),
        }
    };
    of(&[Part::Recipient, Part::Other]).and(of(&[Part::Author, Part::Custodian]))
}

impl Actor {
    fn is(&self, request: &Request, seen: &Seen<'_>) -> Truth {
        let found = match self.part {
            Part::Recipient => self.asks(request),
            Part::Author => seen.is_from(&self.who),
            Part::Custodian => self.holds(request, seen),
            Part::Other => match self.asks(request) {
                Truth::True => Truth::True,
                _ => Truth::Unknown,
            },
        };
        match self.is_known {
            true => found,
            false => Truth::Unknown,
        }
    }

    /// Whether it is among those who ask.
    fn asks(&self, request: &Request) -> Truth {
        let identified = self.who.identifier();
        if identified.is_some_and(|own| request.identifiers.contains(own)) {
            return Truth::True;
        }
        let user = request.user.as_deref().map(Named::parse);
        let user_is = |ty: &str| user.as_ref().and_then(Named::type_name) == Some(ty);
        let among = |all: &[String]| match all.iter().any(|one| Named::parse(one).is(&self.who)) {
            true => Truth::True,
            // Of whom nothing is known, it cannot be told.
            false if all.is_empty() || !self.who.is_literal() => Truth::Unknown,
            false => Truth::False,
        };
        match self.who.type_name() {
            Some("Organization") => among(&request.organizations),
            Some("Device") => among(&request.devices),
            Some(ty @ ("Practitioner" | "PractitionerRole" | "Patient" | "RelatedPerson")) => {
                match &user {
                    None => Truth::Unknown,
                    Some(user) if user.is(&self.who) => Truth::True,
                    Some(_) if !self.who.is_literal() => Truth::Unknown,
                    Some(_) if user_is(ty) => Truth::False,
                    // Who has which role is not known here.
                    Some(_) if ty.starts_with("Practitioner") => {
                        let staff = user_is("Practitioner") || user_is("PractitionerRole");
                        if staff { Truth::Unknown } else { Truth::False }
                    }
                    Some(_) => Truth::False,
                }
            }
            // Groups and teams: who is in them is not known here.
            _ => Truth::Unknown,
        }
    }

    fn holds(&self, request: &Request, seen: &Seen<'_>) -> Truth {
        let known = request.custodians.iter().map(|one| Named::parse(one));
        let known: Vec<Named> = known.chain(seen.custodians()).collect();
        match known.iter().any(|one| one.is(&self.who)) {
            true => Truth::True,
            false if known.is_empty() || !self.who.is_literal() => Truth::Unknown,
            false => Truth::False,
        }
    }
}
