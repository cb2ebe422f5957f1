//! One Consent.

use engine_patient::record::{Element, Kind};
use engine_patient::system::truth::Truth;

use crate::codes::Purpose;
use crate::criteria::Asked;
use crate::flaw::PassedOver;
use crate::moment::Span;
use crate::possible::Possible;
use crate::provision::Provision;
use crate::read::{Named, Reader, codes, list, one};

/// What holds where the provision does not say otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Base {
    Permit,
    Deny,
    /// Emergency treatment only.
    Emergency,
    /// No policy, or one that neither opts in nor out.
    Silent,
    /// A policy that is not known.
    Unknown,
}

/// What a Consent is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    Privacy,
    /// It counts where the purpose is research.
    Research,
    /// It does not say.
    Unknown,
}

/// A Consent that counts.
pub(crate) struct Directive {
    /// `Consent/<id>`
    pub(crate) name: String,
    /// When it was given, as far as that is known.
    pub(crate) given: Span,
    scope: Scope,
    base: Base,
    provision: Option<Provision>,
    /// Something of it is not understood.
    is_open: bool,
    /// Whether it counts at all is not certain.
    is_doubtful: bool,
}

const ELEMENTS: &[&str] = &[
    "resourceType",
    "meta",
    "language",
    "text",
    "contained",
    "identifier",
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "organization",
    "sourceAttachment",
    "sourceReference",
    "policy",
    "policyRule",
    "verification",
    "provision",
];

/// Base policies of v3 ActCode (ActConsentDirective), and of FHIR's own codes those that restrict.
const POLICIES: &[(&str, Base)] = &[
    ("OPTIN", Base::Permit),
    ("OPTINR", Base::Permit),
    ("IMPLIED", Base::Permit),
    ("IMPLIEDD", Base::Permit),
    ("OPTOUT", Base::Deny),
    ("OPTOUTE", Base::Deny),
    ("EMRGONLY", Base::Emergency),
    ("GRANTORCHOICE", Base::Silent),
    ("NOCONSENT", Base::Silent),
    ("NOPP", Base::Silent),
    ("cric", Base::Silent),
    ("ga4gh", Base::Silent),
    ("hipaa-auth", Base::Silent),
    ("hipaa-npp", Base::Silent),
    ("hipaa-research", Base::Silent),
    ("nci", Base::Silent),
    ("nih-527", Base::Silent),
    ("nih-grdr", Base::Silent),
    ("nih-hipaa", Base::Silent),
    ("ssa-827", Base::Silent),
];

impl Directive {
    /// Reads a Consent; `None` and counted where it does not count.
    pub(crate) fn read(
        consent: Element<'_>,
        patient: &str,
        passed_over: &mut PassedOver,
        reader: &mut Reader<'_>,
    ) -> Option<Directive> {
        let is_consent = consent.get_str("resourceType").as_deref() == Some("Consent");
        if !is_consent {
            passed_over.no_consent += 1;
            return None;
        }
        let id = consent.get_str("id").filter(|id| !id.is_empty());
        let name = id.map_or_else(|| "Consent".to_owned(), |id| format!("Consent/{id}"));
        reader.consent.clone_from(&name);
        let mut is_doubtful = match is_about(consent, patient) {
            Truth::True => false,
            Truth::False => {
                passed_over.another_patient += 1;
                return None;
            }
            Truth::Unknown => {
                reader.flaw("Consent.patient", "does not say who it is");
                true
            }
        };
        match one(consent, "status").and_then(Element::as_str).as_deref() {
            Some("active") => {}
            Some("draft" | "proposed" | "rejected" | "inactive" | "entered-in-error") => {
                passed_over.not_active += 1;
                return None;
            }
            _ => {
                reader.flaw("Consent.status", "is not known");
                is_doubtful = true;
            }
        }
        let Some(scope) = scope(consent, reader) else {
            passed_over.other_scope += 1;
            return None;
        };
        let mut is_open = !reader.knows(consent, ELEMENTS, "Consent");
        let provision = match one(consent, "provision") {
            // R5 has a list, and means something else by it.
            Some(found) if found.kind() == Kind::Array => {
                reader.flaw(
                    "Consent.provision",
                    "is a list, which FHIR R4 does not have there",
                );
                is_open = true;
                None
            }
            found => found.map(|p| Provision::read(p, "Consent.provision", 0, reader)),
        };
        let given = one(consent, "dateTime").and_then(|at| Span::of_date_time(at, reader.zone));
        if given.is_none() {
            reader.flaw("Consent.dateTime", "is not there or cannot be read");
        }
        Some(Directive {
            name,
            given: given.unwrap_or(Span::EVER),
            scope,
            base: base(consent, reader),
            provision,
            is_open,
            is_doubtful,
        })
    }

    /// What it says of what is asked.
    pub(crate) fn says(&self, asked: &Asked<'_>) -> Possible {
        let purpose = asked.request.purpose;
        let research = purpose.map(|own| own.is_a(Purpose::RESEARCH));
        let is_about = match (self.scope, research) {
            (Scope::Research, Some(false)) => return Possible::SILENT,
            (Scope::Research, None) | (Scope::Unknown, _) => false,
            _ => true,
        };
        let base = self.base(purpose);
        let said = match &self.provision {
            Some(provision) => provision.says_as_root(asked, base),
            None => base,
        };
        let said = match self.is_open {
            true => said.or(Possible::DENY),
            false => said,
        };
        match is_about && !self.is_doubtful {
            true => said,
            false => said.or(Possible::SILENT),
        }
    }

    fn base(&self, purpose: Option<Purpose>) -> Possible {
        match (self.base, purpose) {
            (Base::Permit, _) => Possible::PERMIT,
            (Base::Deny, _) => Possible::DENY,
            (Base::Emergency, None) => Possible::PERMIT.or(Possible::DENY),
            (Base::Emergency, Some(own)) => match own.is_a(Purpose::EMERGENCY) {
                true => Possible::PERMIT,
                false => Possible::DENY,
            },
            (Base::Silent, _) => Possible::SILENT,
            (Base::Unknown, _) => Possible::SILENT.or(Possible::DENY),
        }
    }
}

/// Whether it is this patient's.
fn is_about(consent: Element<'_>, patient: &str) -> Truth {
    let Some(reference) = one(consent, "patient").and_then(|p| p.get_str("reference")) else {
        return Truth::Unknown;
    };
    let (named, patient) = (Named::parse(&reference), Named::parse(patient));
    match (named.is(&patient), named.type_name()) {
        (true, _) => Truth::True,
        (false, Some("Patient")) => Truth::False,
        (false, _) => Truth::Unknown,
    }
}

/// What it is about; `None` where that is not data.
fn scope(consent: Element<'_>, reader: &mut Reader<'_>) -> Option<Scope> {
    let scopes = one(consent, "scope").map(codes).unwrap_or_default();
    let is = |wanted: &str| scopes.iter().any(|(_, code)| code == wanted);
    let categories: Vec<_> = list(consent, "category").flat_map(codes).collect();
    let has = |wanted: &[&str]| {
        categories
            .iter()
            .any(|(_, code)| wanted.contains(&code.as_str()))
    };
    if is("patient-privacy") {
        return Some(Scope::Privacy);
    }
    if is("research") {
        return Some(Scope::Research);
    }
    if is("treatment") || is("adr") {
        return None;
    }
    // Some write what it is into the category only.
    let directives = ["acd", "dnr", "hcd", "polst", "DNRCD", "HCDIR"];
    let privacy = [
        "59284-0", "IDSCL", "INFA", "INFAO", "INFASO", "EMRGONLY", "emrgonly", "npp",
    ];
    if has(&privacy) {
        return Some(Scope::Privacy);
    }
    if has(&directives) {
        return None;
    }
    if has(&[
        "research", "RESEARCH", "rsdid", "RSDID", "rsreid", "RSREID", "IRDSCL",
    ]) {
        return Some(Scope::Research);
    }
    reader.flaw("Consent.scope", "does not say what the Consent is about");
    Some(Scope::Unknown)
}

fn base(consent: Element<'_>, reader: &mut Reader<'_>) -> Base {
    let Some(rule) = one(consent, "policyRule") else {
        let categories: Vec<_> = list(consent, "category").flat_map(codes).collect();
        let emergency = |(_, code): &(String, String)| matches!(&**code, "EMRGONLY" | "emrgonly");
        return match categories.iter().any(emergency) {
            true => Base::Emergency,
            false => Base::Silent,
        };
    };
    let mut found: Vec<Base> = vec![];
    for (_, code) in codes(rule) {
        let known = POLICIES.iter().find(|(known, _)| *known == code);
        found.extend(known.map(|(_, base)| *base));
    }
    // What neither opts in nor out adds nothing to what does.
    if found.iter().any(|base| *base != Base::Silent) {
        found.retain(|base| *base != Base::Silent);
    }
    found.dedup();
    match &found[..] {
        [one] => *one,
        _ => {
            reader.flaw("Consent.policyRule", "is a policy that is not known");
            Base::Unknown
        }
    }
}
