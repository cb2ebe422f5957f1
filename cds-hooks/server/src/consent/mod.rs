//! What rules may see of a patient: FHIR Consent, as the seam of the card service asks for it.
//!
//! Every service asks for the patient's Consents beside its own data. Where they are there, in full, they
//! decide ([`::consent`]); where they cannot be had, nothing is known, or the call is refused, as configured.
//! What is withheld is told to the audit log and to nobody else. Where Consents cannot be had it is told that they
//! could not be looked up: nobody is said to have withheld anything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ::consent::{Policy, Purpose, Request, Settings};
use cds_hooks::seams::{Caller, Filter, FilterAsk, Filtered, Withheld};
use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::DataRequirement;

use crate::settings::Party;

/// Asks the Consents of patients.
pub struct Consents {
    settings: Settings,
    /// The purpose of a call whose caller names none.
    purpose: Purpose,
    /// Where Consents cannot be had: 412, instead of "unknown" for everything.
    refuses: bool,
    clients: HashMap<String, Party>,
    requirements: Vec<DataRequirement>,
}

/// What the settings say of it; `None` where it is off.
pub(crate) fn filter(settings: &crate::settings::Settings) -> Option<Arc<dyn Filter>> {
    let own = &settings.consent;
    let clients = settings.clients.iter();
    let clients = clients.map(|client| (client.name.clone(), client.party.clone()));
    let (policy, refuses) = (own.policy.clone(), own.refuse_unavailable);
    let consents = Consents::new(policy, own.purpose, refuses, clients.collect());
    own.enabled.then(|| Arc::new(consents) as Arc<dyn Filter>)
}

impl Consents {
    /// By these settings. `clients`: by their names; of one that is not among them it is not known who it is.
    #[must_use]
    pub fn new(
        settings: Settings,
        purpose: Purpose,
        refuses: bool,
        clients: HashMap<String, Party>,
    ) -> Self {
        Consents {
            settings,
            purpose,
            refuses,
            clients,
            requirements: DataRequirement::of_type("Consent").into_iter().collect(),
        }
    }

    /// Who asks, and for what. A purpose that is none is not known.
    fn request(&self, caller: &Caller, user: Option<&str>) -> Request {
        let purpose = match caller.purpose.as_deref() {
            None => Some(self.purpose),
            Some(code) => Purpose::parse(code).ok(),
        };
        let party = caller
            .client
            .as_deref()
            .and_then(|name| self.clients.get(name));
        let party = party.cloned().unwrap_or_default();
        Request {
            purpose,
            user: user.map(str::to_owned),
            organizations: party.organizations,
            devices: party.devices,
            custodians: party.custodians,
            identifiers: party.identifiers,
            ..Request::of(self.purpose)
        }
    }

    fn is_asked(&self, request: &Request) -> bool {
        let own = request.purpose;
        let mut all = self.settings.not_asked.iter();
        !all.any(|purpose| own.is_some_and(|own| own.is_a(*purpose)))
    }

    /// Where the Consents cannot be had.
    fn without(&self, record: &PatientRecord, request: &Request) -> Filtered {
        if self.refuses {
            return Filtered::Refused(
                "the patient's consents could not be had, and this service answers nothing without them"
                    .to_owned(),
            );
        }
        let types: Vec<Name> = Model::r4()
            .types()
            .filter(|info| info.is_resource)
            .filter_map(|info| Name::of(info.name))
            .collect();
        let withheld = ::consent::Filtered::everything(record, types.iter().copied());
        let why = "the patient's consents could not be had: nothing was shown";
        let note = note(&withheld, request, Some(why), &[], 0);
        match withheld.record {
            Some(record) => Filtered::Part(Withheld {
                record,
                types,
                is_unjudged: true,
                note,
            }),
            None => Filtered::Refused(why.to_owned()),
        }
    }
}

impl Filter for Consents {
    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn filter(&self, record: &PatientRecord, ask: &FilterAsk<'_>) -> Filtered {
        let request = self.request(ask.caller, ask.user);
        let asked = self.is_asked(&request);
        let is_there = Name::of("Consent").is_some_and(|ty| record.is_available(ty));
        if asked && !is_there {
            return self.without(record, &request);
        }
        let consents: Vec<Element<'_>> = record.of_type_named("Consent").collect();
        let patient = format!("Patient/{}", ask.patient);
        let now = ask.at.earliest(ask.zone);
        let policy = Policy::of(&consents, &patient, now, ask.zone, self.settings.clone());
        let withheld = policy.filter(&request, record);
        let flaws: Vec<String> = policy.flaws().iter().map(ToString::to_string).collect();
        let why = (!asked).then_some("consents are not asked for this purpose");
        let note = note(
            &withheld,
            &request,
            why,
            &flaws,
            policy.passed_over().count(),
        );
        let types = withheld.withheld.keys().copied().collect();
        match withheld.record {
            Some(record) => Filtered::Part(Withheld {
                record,
                types,
                is_unjudged: false,
                note,
            }),
            // Something to say for the audit, and nothing withheld.
            None if why.is_some() || !flaws.is_empty() => Filtered::Part(Withheld {
                record: same(record),
                types,
                is_unjudged: false,
                note,
            }),
            None => Filtered::All,
        }
    }
}

/// A copy. The record is not to be changed, and is asked back.
fn same(record: &PatientRecord) -> PatientRecord {
    ::consent::copy(record)
}

/// For the audit log: `purpose TREAT; withheld: 2 × Condition, by Consent/1`. Ids of Consents, types and
/// numbers, nothing of the data.
fn note(
    withheld: &::consent::Filtered,
    request: &Request,
    why: Option<&str>,
    flaws: &[String],
    passed_over: usize,
) -> String {
    let purpose = request.purpose.map_or("not known", Purpose::code);
    let mut said = vec![format!("purpose {purpose}")];
    said.extend(why.map(str::to_owned));
    let types: BTreeMap<&str, usize> = withheld
        .withheld
        .iter()
        .map(|(ty, count)| (ty.as_str(), *count))
        .collect();
    let types: Vec<String> = types
        .iter()
        .map(|(ty, count)| format!("{count} × {ty}"))
        .collect();
    if !types.is_empty() {
        said.push(format!("withheld: {}", types.join(", ")));
    }
    if !withheld.consents.is_empty() {
        let names: Vec<&str> = withheld.consents.iter().map(String::as_str).collect();
        said.push(format!("by {}", names.join(", ")));
    }
    if withheld.unclear > 0 {
        said.push(format!("{} of them unclear", withheld.unclear));
    }
    if withheld.without_consent > 0 {
        let count = withheld.without_consent;
        said.push(format!(
            "{count} of them without any consent for this purpose"
        ));
    }
    if passed_over > 0 {
        said.push(format!("{passed_over} × a Consent that does not count"));
    }
    if !flaws.is_empty() {
        said.push(format!("not understood: {}", flaws.join(", ")));
    }
    said.join("; ")
}

#[cfg(test)]
mod tests;
