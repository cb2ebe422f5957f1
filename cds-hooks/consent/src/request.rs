//! Who asks, and for what.

use std::fmt;

use crate::codes::Purpose;

/// What is done with data: a code of `http://terminology.hl7.org/CodeSystem/consentaction`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// `collect`
    Collect,
    /// `access`
    Access,
    /// `use`
    Use,
    /// `disclose`
    Disclose,
    /// `correct`
    Correct,
}

impl Action {
    /// The action of this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Action> {
        Some(match code {
            "collect" => Action::Collect,
            "access" => Action::Access,
            "use" => Action::Use,
            "disclose" => Action::Disclose,
            "correct" => Action::Correct,
            _ => return None,
        })
    }
}

/// Who asks for a patient's data, and for what. What is left open is not known: what a Consent says of it is
/// unclear then.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What for, as the caller says it. A Consent for a narrower purpose is not about it.
    pub purpose: Option<Purpose>,
    /// Who is in front of the screen: `Practitioner/1`, `PractitionerRole/1`, `Patient/1`, `RelatedPerson/1`,
    /// relative or with the server. It is of one of these types.
    pub user: Option<String>,
    /// The organizations that the caller belongs to or acts for: `Organization/1`.
    pub organizations: Vec<String>,
    /// The program or machine that asks: `Device/1`.
    pub devices: Vec<String>,
    /// Business identifiers of any of these: system and value, such as an NPI.
    pub identifiers: Vec<(String, String)>,
    /// The organizations that hold the data asked for: `Organization/1`.
    pub custodians: Vec<String>,
    /// What is done with the data: a provision that names any of it is about the request.
    pub actions: Vec<Action>,
}

impl Request {
    /// For a purpose, by nobody in particular. The EHR discloses, Tandem accesses and uses.
    #[must_use]
    pub fn of(purpose: Purpose) -> Self {
        Request {
            purpose: Some(purpose),
            user: None,
            organizations: vec![],
            devices: vec![],
            identifiers: vec![],
            custodians: vec![],
            actions: vec![Action::Access, Action::Use, Action::Disclose],
        }
    }
}

/// Without the identifiers, which name people.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = self.purpose.map_or("not said", Purpose::code);
        write!(f, "Request({purpose}, {:?})", self.actions)
    }
}
