//! The drafts of a call: orders that are being made, often before their details are there.
//!
//! ```text
//! context.draftOrders ─ resolved, without what is empty ─▶ Drafts ─▶ HookCall
//! context.selections ───────────────────────────────────────┘
//! ```
//!
//! *Invariants:* whatever a draft looks like, the call is answered. A draft is kept as it is, however
//! much of it is wrong: what cannot be read of it is unknown where it is asked for. One that is another
//! patient's, or no resource at all, is left out, and its type is then not known in full.

mod selections;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_patient::bundle::{Bundle, Context, References, resolved};
use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::hook_call::HookCall;
use engine_patient::record::{Element, Kind, PatientRecord};
use engine_patient::requirements::reference_target;
use serde_json::value::RawValue;

use crate::hook::Hook;
use crate::prefetch::{Lacking, LeftOut, Patient, Whose, Why};
use crate::request::CallContext;
use crate::wire::Resource;

use selections::Named;

/// The types of orders: where an entry cannot be read, it may be any of them.
const ORDERS: [&str; 8] = [
    "CommunicationRequest",
    "DeviceRequest",
    "ImmunizationRecommendation",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "SupplyRequest",
    "VisionPrescription",
];

/// The drafts of a call, and what is wrong with them.
#[derive(Default)]
pub(crate) struct Drafts {
    /// JSON, each with an id.
    texts: Vec<String>,
    /// Types of which not every draft could be taken.
    incomplete: BTreeSet<Name>,
    /// What is lacking and why. Holds nothing of the patient.
    pub(crate) lacking: Vec<Lacking>,
    /// Entries that were not taken.
    pub(crate) left_out: usize,
    /// As `Type/id` of a draft; `None` where the hook has none.
    selections: Option<Vec<String>>,
    /// Selections that name no draft.
    pub(crate) unknown_selections: usize,
    /// `Type/id` of drafts that came without an id: nobody else knows it.
    made_up: Vec<String>,
    /// References as they are here, and as they came.
    references: Vec<(String, String)>,
}

impl Drafts {
    /// Reads the drafts of a call. Nothing where the hook has none.
    pub(crate) fn read(context: &CallContext<'_>, hook: &Hook, patient: &Patient) -> Self {
        let mut drafts = Drafts::default();
        let field = hook.drafts().map_or("draftOrders", |field| field.name);
        let mut named = Named::default();
        if let Some(raw) = context.drafts {
            named = drafts.bundle(raw, &format!("context.{field}"), patient);
        }
        if let Some(sent) = &context.selections {
            let mut found = vec![];
            for (number, selection) in sent.iter().enumerate() {
                let meant = named.meant_by(selection);
                if meant.is_empty() {
                    drafts.unknown_selections += 1;
                    drafts.selection_lacks(number, selection);
                }
                for name in meant {
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
            drafts.selections = Some(found);
        }
        drafts
    }

    fn bundle(&mut self, raw: &RawValue, key: &str, patient: &Patient) -> Named {
        let mut named = Named::default();
        let mut document = PatientRecord::new();
        let mut left_out: BTreeMap<Why, LeftOut> = BTreeMap::new();
        let Ok(root) = document.push_document(raw.get()) else {
            left_out
                .entry(Why::Broken)
                .or_default()
                .add(key, None, None, None);
            self.any_order();
            self.tell(&left_out);
            return named;
        };
        let bundle = match &patient.server {
            Some(server) => Bundle::read_of_server(root, server),
            None => Bundle::read(root, &[]),
        };
        let urls = patient.urls(bundle.entries());
        let ids: Vec<String> = ids(&bundle);
        for (number, entry) in bundle.entries().iter().enumerate() {
            let mut leave = |why: Why, ty: Option<Name>, flaw: Option<&str>| {
                let of_reason = left_out.entry(why).or_default();
                of_reason.add(key, Some(number), ty, flaw);
            };
            // `"entry": null` is no entry.
            if root
                .get_named("entry")
                .is_some_and(|all| all.kind() == Kind::Null)
            {
                continue;
            }
            let Some(came) = entry.resource.filter(|r| r.kind() != Kind::Null) else {
                // Nothing is ordered there; so it is where an order is taken back.
                if entry.deletes.is_none() {
                    let ty = named_type(entry.element);
                    leave(Why::Broken, ty, Some("there is no `resource`"));
                    match ty {
                        Some(ty) => {
                            self.incomplete.insert(ty);
                        }
                        None => self.any_order(),
                    }
                }
                continue;
            };
            let ty = came.resource_type();
            let ty = ty.filter(|ty| Model::r4().resource(ty.as_str()).is_some());
            let Some(ty) = ty else {
                let flaw = "its `resourceType` is none of FHIR R4";
                leave(Why::Broken, None, Some(flaw));
                self.any_order();
                continue;
            };
            let holds_others = matches!(ty.as_str(), "Bundle" | "Parameters");
            let contains = || came.get_named("contained").is_some();
            if holds_others || (matches!(ty.as_str(), "RequestGroup" | "CarePlan") && contains()) {
                let flaw = "it holds resources of its own; each draft is an entry of its own";
                leave(Why::Broken, Some(ty), Some(flaw));
                self.any_order();
                continue;
            }
            let context = Context::Entry(&bundle, number);
            let text = resolved(came, None, false, &context, &mut References::default()).text;
            let mut own = PatientRecord::new();
            let resource = match own.push_document(&text) {
                Ok(resource) => resource,
                Err(_) => came,
            };
            let why = match patient.whose(came, ty.as_str(), &urls) {
                _ if entry.collides => Some(Why::Contradicting),
                Whose::Unsaid => other(patient.whose(resource, ty.as_str(), &urls)),
                // `Patient/1` in an entry of another server is that server's.
                Whose::Theirs if patient.whose(resource, ty.as_str(), &urls) != Whose::Theirs => {
                    Some(Why::Anothers)
                }
                whose => other(whose),
            };
            if let Some(why) = why {
                leave(why, Some(ty), None);
                self.incomplete.insert(ty);
                continue;
            }
            let before = came.references().filter_map(Element::as_str);
            let after = resource.references().filter_map(Element::as_str);
            for (before, after) in before.zip(after).filter(|(before, after)| before != after) {
                self.references
                    .push((after.into_owned(), before.into_owned()));
            }
            let own_id = resource.get_str("id").filter(|id| !id.is_empty());
            let given = entry.given_id.as_deref();
            // A hash of the content is known to nobody else.
            let given = given.filter(|id| !id.starts_with("content-"));
            let id = match own_id.as_deref().or(given) {
                Some(id) => id.to_owned(),
                None => {
                    let id = free(&ids, number);
                    self.made_up.push(format!("{}/{id}", ty.as_str()));
                    id
                }
            };
            let url = entry.element.get_str("fullUrl");
            named.add(ty.as_str(), &id, url.as_deref());
            let text = written::resource(resource, &id);
            // The same twice is one draft.
            if !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
        self.tell(&left_out);
        named
    }

    fn any_order(&mut self) {
        let all = ORDERS.iter().filter_map(|name| Name::of(name));
        self.incomplete.extend(all);
    }

    /// A selection that names no draft: what is selected is not known.
    fn selection_lacks(&mut self, number: usize, selection: &str) {
        let ty = selection.split('/').rev().nth(1);
        let known = ty.filter(|ty| ORDERS.contains(ty)).and_then(Name::of);
        match known {
            Some(ty) => {
                self.incomplete.insert(ty);
            }
            None => self.any_order(),
        }
        self.lacking.push(Lacking {
            technical: format!("`context.selections`[{number}] names no draft of the call"),
            plain: "An order that is selected was not received from the EHR".to_owned(),
            withheld: false,
            types: known.into_iter().collect(),
            absent: false,
        });
    }

    fn tell(&mut self, left_out: &BTreeMap<Why, LeftOut>) {
        for (why, entries) in left_out {
            self.left_out += entries.count;
            // A draft is never a reason to refuse the call.
            self.lacking.push(Lacking {
                withheld: false,
                ..Lacking::left_out(*why, entries)
            });
        }
    }

    /// Whether every draft was taken.
    pub(crate) fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// The call as definitions see it. With `all` as if the drafts that could be taken were all there are.
    pub(crate) fn call(&self, hook: &Hook, context: &CallContext<'_>, all: bool) -> Arc<HookCall> {
        let mut record = PatientRecord::new();
        for text in &self.texts {
            // What was written a moment ago is JSON; were it not, its type would not be known in full.
            if record.push(text).is_err() {
                self.incomplete
                    .iter()
                    .for_each(|ty| record.set_unavailable(*ty));
            }
        }
        for ty in self.incomplete.iter().filter(|_| !all) {
            record.set_unavailable(*ty);
        }
        let text = |text: &Option<String>| text.as_deref().map(Arc::from);
        Arc::new(HookCall {
            hook: Arc::from(hook.name),
            user: text(&context.user),
            encounter: text(&context.encounter),
            drafts: record,
            selections: self.selections.clone(),
        })
    }

    /// Whether a resource, by its `Type/id`, is one that only we have given an id.
    pub(crate) fn is_made_up(&self, name: &str) -> bool {
        self.made_up.iter().any(|made| made == name)
    }

    /// A resource with its references as they came: the client knows a draft by the name it gave it.
    pub(crate) fn as_it_came(&self, resource: Resource) -> Resource {
        if self.references.is_empty() {
            return resource;
        }
        let restored = written::with_references(resource.json(), |reference| {
            let mut pairs = self.references.iter();
            let found = pairs.find(|(here, _)| here == reference);
            found.map(|(_, came)| came.as_str())
        });
        restored
            .and_then(|text| Resource::parse(&text))
            .unwrap_or(resource)
    }
}

/// Why a resource of one of these is not taken. A draft that names nobody is of the call's patient.
fn other(whose: Whose) -> Option<Why> {
    match whose {
        Whose::Theirs | Whose::Nobodys | Whose::Unsaid => None,
        Whose::Anothers => Some(Why::Anothers),
        Whose::TwoPatients => Some(Why::TwoPatients),
        Whose::UnknownServer => Some(Why::UnknownServer),
    }
}

/// The type of the resource that an entry without one is about, by its `request.url` or `fullUrl`.
fn named_type(entry: Element<'_>) -> Option<Name> {
    let request = entry.get_named("request").and_then(|r| r.get_str("url"));
    let named = |url: &str| {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let found = reference_target(path).map_or(path, |(ty, _)| ty);
        Model::r4()
            .resource(found)
            .and_then(|info| Name::of(info.name))
    };
    let all = [request, entry.get_str("fullUrl")];
    all.into_iter().flatten().find_map(|url| named(&url))
}

/// The ids that are taken.
fn ids(bundle: &Bundle<'_>) -> Vec<String> {
    let entries = bundle.entries().iter();
    let of = |resource: Element<'_>| resource.get_str("id").map(|id| id.into_owned());
    entries
        .flat_map(|e| [e.resource.and_then(of), e.given_id.clone()])
        .flatten()
        .collect()
}

/// An id for a draft that has none.
fn free(taken: &[String], number: usize) -> String {
    let id = format!("draft-{}", number + 1);
    let longer = (2_u32..).map(|n| format!("{id}-{n}"));
    let mut all = std::iter::once(id.clone()).chain(longer);
    all.find(|id| !taken.contains(id)).unwrap_or(id)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
