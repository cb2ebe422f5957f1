//! A record without what may not be seen.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::reference_target;

use crate::codes::is_of_secrecy;
use crate::policy::{Policy, Verdict};
use crate::read::{codes, list};
use crate::request::Request;

/// What of a record may not be seen. For the audit: it holds no data of the patient but the ids of Consents.
#[derive(Default)]
pub struct Filtered {
    /// The record without it; `None` where nothing is withheld and the record may be used as it is. Types of
    /// which anything is withheld are not known in full there, the Patient is not available where withheld.
    pub record: Option<PatientRecord>,
    /// How many resources are withheld, by type.
    pub withheld: BTreeMap<Name, usize>,
    /// How many of these because it is unclear what the Consents say of them.
    pub unclear: usize,
    /// By which Consents: `Consent/<id>`.
    pub consents: BTreeSet<String>,
    /// How many resources because no Consent permits them and the purpose needs one.
    pub without_consent: usize,
}

impl Filtered {
    /// How many resources are withheld.
    #[must_use]
    pub fn count(&self) -> usize {
        self.withheld.values().sum()
    }

    /// All of a record, where Consents could not be had. Every type that it has, and every one of `types`, is
    /// not available.
    #[must_use]
    pub fn everything(record: &PatientRecord, types: impl IntoIterator<Item = Name>) -> Filtered {
        let mut filtered = Filtered::default();
        let mut empty = PatientRecord::new();
        availability(record, &mut empty);
        for ty in record.resources().filter_map(Element::resource_type) {
            *filtered.withheld.entry(ty).or_default() += 1;
            empty.set_unavailable(ty);
        }
        for ty in types {
            empty.set_unavailable(ty);
        }
        filtered.record = Some(empty);
        filtered
    }
}

/// How many resources that belong to no patient may refer to each other in a row.
const DEEPEST: usize = 8;

impl Policy {
    /// Whether a label that a resource does not have says that it is not so. A label of another kind ("test
    /// data") says nothing of that, nor does one of a Consent, which others write than the chart.
    pub(crate) fn is_labelled(&self, record: &PatientRecord) -> bool {
        let has_label = |resource: Element<'_>| {
            let is_consent = resource
                .resource_type()
                .is_some_and(|ty| ty.as_str() == "Consent");
            let meta = resource.get_named("meta").filter(|_| !is_consent);
            let mut labels = meta.into_iter().flat_map(|meta| list(meta, "security"));
            labels.any(|label| {
                let all = codes(label);
                all.iter().any(|(system, code)| is_of_secrecy(system, code))
            })
        };
        let given = self.settings.is_labelled;
        given.unwrap_or_else(|| record.resources().any(has_label))
    }

    /// What of a record may not be seen for a request. What belongs to no patient, such as the Medication of an
    /// order, goes with what refers to it: it is withheld where only withheld resources do.
    #[must_use]
    pub fn filter(&self, request: &Request, record: &PatientRecord) -> Filtered {
        let mut filtered = Filtered::default();
        let is_labelled = self.is_labelled(record);
        let mut withheld: HashSet<u32> = HashSet::new();
        for resource in record.resources() {
            let (names, is_unclear) = match self.judge_of(request, resource, is_labelled) {
                Verdict::Permit => continue,
                Verdict::Unclear(_) if self.settings.unclear_permits => continue,
                Verdict::Unclear(names) => (names, true),
                Verdict::Deny(names) => (names, false),
            };
            filtered.unclear += usize::from(is_unclear);
            filtered.without_consent += usize::from(names.is_empty() && !is_unclear);
            filtered.consents.extend(names);
            withheld.insert(resource.index);
        }
        if withheld.is_empty() {
            return filtered;
        }
        // What only these refer to goes along, and what only that does.
        for _ in 0..DEEPEST {
            let before = withheld.len();
            withheld.extend(only_of(record, &withheld));
            if withheld.len() == before {
                break;
            }
        }
        let mut kept = PatientRecord::new();
        availability(record, &mut kept);
        for resource in record.resources() {
            let Some(ty) = resource.resource_type() else {
                continue;
            };
            // It was a resource before: appending it does not fail, and what fails is withheld.
            if !withheld.contains(&resource.index) && kept.append(resource).is_ok() {
                continue;
            }
            *filtered.withheld.entry(ty).or_default() += 1;
            match ty.as_str() {
                "Patient" => kept.set_unavailable(ty),
                _ => kept.set_incomplete(ty),
            }
        }
        filtered.record = Some(kept);
        filtered
    }
}

/// A record with the same resources, of which the same is known.
#[must_use]
pub fn copy(record: &PatientRecord) -> PatientRecord {
    let mut copy = PatientRecord::new();
    availability(record, &mut copy);
    for resource in record.resources() {
        let ty = resource.resource_type();
        if copy.append(resource).is_err()
            && let Some(ty) = ty
        {
            copy.set_unavailable(ty);
        }
    }
    copy
}

/// What belongs to no patient and only what is withheld refers to.
fn only_of(record: &PatientRecord, withheld: &HashSet<u32>) -> Vec<u32> {
    let shared = |resource: Element<'_>| {
        let ty = resource.resource_type();
        let info = ty.and_then(|ty| Model::r4().resource(ty.as_str()));
        info.is_some_and(|info| info.name != "Patient" && info.patient_links.is_empty())
    };
    if !record.resources().any(shared) {
        return vec![];
    }
    let (mut of_withheld, mut of_others) = (HashSet::new(), HashSet::new());
    for resource in record.resources() {
        let named = match withheld.contains(&resource.index) {
            true => &mut of_withheld,
            false => &mut of_others,
        };
        for text in resource.references().filter_map(Element::as_str) {
            let target = reference_target(&text);
            named.extend(target.map(|(ty, id)| (ty.to_owned(), id.to_owned())));
        }
    }
    let all = record.resources().filter(|resource| shared(*resource));
    let only = all.filter(|resource| {
        let (ty, id) = (resource.resource_type(), resource.get_str("id"));
        let Some((ty, id)) = ty.zip(id) else {
            return false;
        };
        let key = (ty.as_str().to_owned(), id.into_owned());
        of_withheld.contains(&key) && !of_others.contains(&key)
    });
    only.map(|resource| resource.index).collect()
}

/// What is known of types in one record is known of them in the other.
fn availability(from: &PatientRecord, to: &mut PatientRecord) {
    let types = Model::r4().types().filter(|ty| ty.is_resource);
    for ty in types.filter_map(|info| Name::of(info.name)) {
        if from.is_known_in_part(ty) {
            to.set_incomplete(ty);
        } else if !from.is_available(ty) {
            to.set_unavailable(ty);
        }
    }
}
