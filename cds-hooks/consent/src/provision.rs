//! A provision and its exceptions.

use engine_patient::record::Element;
use engine_patient::system::truth::Truth;

use crate::criteria::{Asked, Criteria};
use crate::possible::Possible;
use crate::read::{DEEPEST, MOST_PROVISIONS, Reader, list, one};

/// `provision.type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Permit,
    Deny,
}

/// A provision, with the exceptions to it.
pub(crate) struct Provision {
    /// `None` where it does not say.
    pub(crate) kind: Option<Kind>,
    criteria: Criteria,
    /// Something of it is not understood: it may mean anything, and be about anything.
    is_open: bool,
    exceptions: Vec<Provision>,
}

const ELEMENTS: &[&str] = &[
    "type",
    "period",
    "actor",
    "action",
    "securityLabel",
    "purpose",
    "class",
    "code",
    "dataPeriod",
    "data",
    "provision",
];

impl Provision {
    pub(crate) fn read(
        provision: Element<'_>,
        place: &str,
        depth: usize,
        reader: &mut Reader<'_>,
    ) -> Provision {
        reader.provisions += 1;
        let mut is_open = !reader.knows(provision, ELEMENTS, place);
        let kind = match one(provision, "type").map(Element::as_str) {
            None => None,
            Some(text) => match text.as_deref() {
                Some("permit") => Some(Kind::Permit),
                Some("deny") => Some(Kind::Deny),
                _ => {
                    reader.flaw(&format!("{place}.type"), "is neither `permit` nor `deny`");
                    is_open = true;
                    None
                }
            },
        };
        if depth > 0 && kind.is_none() {
            reader.flaw(place, "does not say whether it permits or denies");
        }
        let criteria = Criteria::read(provision, place, reader);
        let mut exceptions = vec![];
        let inner = format!("{place}.provision");
        for exception in list(provision, "provision") {
            if depth + 1 >= DEEPEST || reader.provisions >= MOST_PROVISIONS {
                reader.flaw(&inner, "there are more provisions than can be looked at");
                is_open = true;
                break;
            }
            exceptions.push(Provision::read(exception, &inner, depth + 1, reader));
        }
        Provision {
            kind,
            criteria,
            is_open,
            exceptions,
        }
    }

    /// What it says of what is asked; `outside` where it is not about that.
    fn says(&self, asked: &Asked<'_>, inside: Possible, outside: Possible) -> Possible {
        let holds = self.criteria.hold(asked, self.kind);
        let own = match holds {
            // What is below it holds where it does, if at all.
            Truth::False => outside,
            _ => Possible::where_it(holds, self.with_exceptions(asked, inside), outside),
        };
        match self.is_open {
            true => own.or(Possible::DENY).or(Possible::SILENT),
            false => own,
        }
    }

    /// What it says by itself, where none of its exceptions is about what is asked.
    fn with_exceptions(&self, asked: &Asked<'_>, own: Possible) -> Possible {
        let said: Vec<Possible> = self
            .exceptions
            .iter()
            .map(|exception| exception.says(asked, exception.own(), Possible::SILENT))
            .collect();
        // A permission below a permission narrows it: of the rest it is unclear whether it is permitted.
        let narrows = |exception: &Provision| {
            exception.kind == Some(Kind::Permit)
                && !exception.criteria.are_for_others(&self.criteria)
                && !exception.criteria.are_open()
        };
        let own = match own.may_be(Possible::PERMIT) && self.exceptions.iter().any(narrows) {
            true => own.or(Possible::DENY),
            false => own,
        };
        Possible::beside(said.into_iter()).or_else(own)
    }

    /// What a provision with a type says; without one it may be either.
    fn own(&self) -> Possible {
        match self.kind {
            Some(Kind::Permit) => Possible::PERMIT,
            Some(Kind::Deny) => Possible::DENY,
            None => Possible::PERMIT.or(Possible::DENY),
        }
    }

    /// What it says as the root of a Consent whose policy is `base`.
    pub(crate) fn says_as_root(&self, asked: &Asked<'_>, base: Possible) -> Possible {
        let opposite = match base {
            Possible::PERMIT => Possible::DENY,
            Possible::DENY => Possible::PERMIT,
            _ => base,
        };
        match (self.kind, self.criteria.are_open()) {
            // Of what it does not name a permission below a permission says nothing certain.
            (Some(Kind::Permit), _) if base == Possible::PERMIT => {
                self.says(asked, self.own(), base.or(Possible::SILENT))
            }
            (Some(_), _) => self.says(asked, self.own(), base),
            // How long the policy holds, and the exceptions to it.
            (None, true) => self.says(asked, base, Possible::SILENT),
            // It says what it is about, and nothing of it.
            (None, false) if base == Possible::SILENT => self.says(asked, self.own(), base),
            // The scope of the policy, or an exception to it.
            (None, false) => self.says(asked, base.or(opposite), base.or(Possible::SILENT)),
        }
    }
}
