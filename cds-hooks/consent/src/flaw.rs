//! What of Consents was not understood or does not count: for the log, without anything of the patient.

use std::fmt;

/// Something of a Consent that was not understood. Whatever hangs on it is unclear.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Flaw {
    /// `Consent/<id>`, or `Consent` where it has no id.
    pub consent: String,
    /// `Consent.provision.period`: names of FHIR R4 only.
    pub place: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// `Consent/1: Consent.provision.period: cannot be read`
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.consent, self.place, self.what)
    }
}

/// How many Consents do not count, by why.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PassedOver {
    /// Of a `status` other than `active`.
    pub not_active: usize,
    /// Of a `scope` that says nothing about data: `treatment`, `adr`; advance directives by `category`.
    pub other_scope: usize,
    /// Of another patient.
    pub another_patient: usize,
    /// No Consent at all.
    pub no_consent: usize,
}

impl PassedOver {
    /// All of them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.not_active + self.other_scope + self.another_patient + self.no_consent
    }
}
