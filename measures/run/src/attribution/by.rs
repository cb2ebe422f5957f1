//! What patients are attributed to.

/// What patients are attributed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attribution {
    /// One organization.
    Organization,
    /// One practitioner.
    Practitioner,
    /// The locations of their visits.
    Location,
}

impl Attribution {
    /// As in the name of its file and columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Attribution::Organization => "organization",
            Attribution::Practitioner => "practitioner",
            Attribution::Location => "location",
        }
    }

    /// Which resources it may be.
    pub(crate) fn types(self) -> &'static [&'static str] {
        match self {
            Attribution::Organization => &["Organization"],
            Attribution::Practitioner => &["Practitioner", "PractitionerRole"],
            Attribution::Location => &["Location"],
        }
    }

    /// How it is found, for the manifest of a run: it decides the numbers.
    pub fn rule(self) -> &'static str {
        match self {
            Attribution::Organization => {
                "organization: Patient.managingOrganization, else Organization of Patient.generalPractitioner, else most visits in the period (Encounter.serviceProvider), then the latest"
            }
            Attribution::Practitioner => {
                "practitioner: first of Patient.generalPractitioner, else most visits in the period (Encounter.participant: primary performer, else attender, else others), then the latest"
            }
            Attribution::Location => {
                "location: every Encounter.location of the visits in the period"
            }
        }
    }
}
