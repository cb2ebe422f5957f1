//! The drafts of a call: orders that are being made, often before their details are there.
//!
//! ```text
//! context.draftOrders ─ resolved, without what is empty ─▶ Drafts ─▶ HookCall
//! context.selections ───────────────────────────────────────┘
//! ```
//!
//! *Invariants:* whatever a draft looks like, the call is answered. A draft is kept as it is, however
//! much of it is wrong: what cannot be read of it is unknown where it is asked for. One that is another
//! patient's, or no resource at all, is left out, and its type is then not known in full: those that are
//! there count, and there may be more. The work is linear in what was sent.

mod groups;
mod selections;
mod stored;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use engine_patient::bundle::{Bundle, Context, References, resolved};
use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::hook_call::HookCall;
use engine_patient::record::{Element, Kind, PatientRecord};
use engine_patient::requirements::reference_target;

use crate::hook::Hook;
use crate::prefetch::{Lacking, LeftOut, Patient, Whose, Why};
use crate::request::CallContext;
use crate::wire::Resource;

use groups::ORDERS;
pub(crate) use groups::is_order;
use selections::Named;

/// What tells of a drug that is given, and is no order: what it says is not asked.
const GIVEN: [&str; 3] = [
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationStatement",
];

/// The drafts of a call, and what is wrong with them.
#[derive(Default)]
pub(crate) struct Drafts {
    /// JSON, each with an id.
    texts: Vec<String>,
    /// The number of the text of each `Type/id`.
    by_name: HashMap<String, usize>,
    /// What is passed over: types that are no orders. For the log.
    pub(crate) passed_over: Vec<String>,
    /// Types of which not every draft could be taken.
    incomplete: BTreeSet<Name>,
    /// What is lacking and why. Holds nothing of the patient.
    pub(crate) lacking: Vec<Lacking>,
    /// Entries that were not taken.
    pub(crate) left_out: usize,
    /// As `Type/id` of a draft; `None` where the hook has none.
    selections: Option<HashSet<String>>,
    /// Selections that name no draft.
    pub(crate) unknown_selections: usize,
    /// `Type/id` of drafts that came without an id, or with that of another: nobody else knows which is
    /// meant.
    made_up: HashSet<String>,
    /// References as they are here, and as they came.
    references: HashMap<String, String>,
    /// The hook is about orders: what is none is told.
    are_orders: bool,
}

impl Drafts {
    /// Reads the drafts of a call, at most so many. Nothing where the hook has none.
    pub(crate) fn read(
        context: &CallContext<'_>,
        hook: &Hook,
        patient: &Patient,
        most: usize,
    ) -> Self {
        let mut drafts = Drafts::default();
        let mut named = Named::default();
        if let Some((field, json)) = &context.drafts {
            drafts.are_orders = hook.has_orders();
            named = drafts.bundle(json, &format!("context.{field}"), patient, most);
        }
        if let Some(sent) = &context.selections {
            let (mut found, mut looked_up) = (HashSet::new(), HashSet::new());
            let mut unknown = Unknown::default();
            for (number, selection) in sent.iter().enumerate() {
                match named.meant_by(selection) {
                    // Said again, however often and in whatever words, it means no more.
                    Some((name, meant)) => {
                        if looked_up.insert(name) {
                            found.extend(meant.iter().cloned());
                        }
                    }
                    None => {
                        drafts.unknown_selections += 1;
                        drafts.selection_lacks(number, selection, &mut unknown);
                    }
                }
            }
            drafts.selections = Some(found);
            drafts.lacking.extend(unknown.told());
        }
        drafts
    }

    fn bundle(&mut self, json: &str, key: &str, patient: &Patient, most: usize) -> Named {
        let mut named = Named::default();
        let mut document = PatientRecord::new();
        let mut left_out: BTreeMap<Why, LeftOut> = BTreeMap::new();
        let Ok(root) = document.push_document(json) else {
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
        let mut ids = ids(&bundle);
        let mut groups = vec![];
        let mut others: BTreeMap<Name, usize> = BTreeMap::new();
        for (number, entry) in bundle.entries().iter().enumerate() {
            if number >= most {
                self.too_many(key, bundle.entries().len(), most);
                break;
            }
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
            if holds_others || (groups::is_group(ty.as_str()) && contains()) {
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
                    .entry(after.into_owned())
                    .or_insert(before.into_owned());
            }
            let own_id = resource.get_str("id").filter(|id| !id.is_empty());
            let given = entry.given_id.as_deref();
            // A hash of the content is known to nobody else.
            let given = given.filter(|id| !id.starts_with("content-"));
            let known = own_id.as_deref().or(given);
            let id = known.map_or_else(|| free(&mut ids, number), str::to_owned);
            let url = entry.element.get_str("fullUrl");
            let name = self.add(ty, id, known.is_some(), resource, &mut ids, number);
            named.add(
                ty.as_str(),
                known.unwrap_or_default(),
                url.as_deref(),
                &name,
            );
            if groups::is_group(ty.as_str()) {
                groups.push((number, ty, groups::ordered(resource)));
            }
            if !self.are_orders {
                continue;
            }
            if GIVEN.contains(&ty.as_str()) {
                leave(Why::Elsewhere, Some(ty), Some("it is no order"));
                self.incomplete.extend(Name::of("MedicationRequest"));
            } else if !ORDERS.contains(&ty.as_str()) && !groups::is_group(ty.as_str()) {
                *others.entry(ty).or_default() += 1;
            }
        }
        for (number, ty, ordered) in groups {
            if let Some(flaw) = self.of_group(ordered) {
                let of_reason = left_out.entry(Why::Elsewhere).or_default();
                of_reason.add(key, Some(number), Some(ty), Some(flaw));
            }
        }
        let others = others.into_iter();
        self.passed_over.extend(others.map(|(ty, count)| {
            format!("`{key}` has {count} × {}, which is no order", ty.as_str())
        }));
        self.tell(&left_out);
        named
    }

    /// Adds a draft; under another id, where its own is that of another draft with other content: both are
    /// ordered. Returns its name here.
    fn add(
        &mut self,
        ty: Name,
        id: String,
        is_known: bool,
        resource: Element<'_>,
        ids: &mut HashSet<String>,
        number: usize,
    ) -> String {
        let mut name = format!("{}/{id}", ty.as_str());
        let mut text = written::resource(resource, &id);
        if let Some(other) = self.by_name.get(&name) {
            // The same twice is one draft.
            if self.texts.get(*other) == Some(&text) {
                return name;
            }
            self.made_up.insert(name);
            let id = free(ids, number);
            name = format!("{}/{id}", ty.as_str());
            text = written::resource(resource, &id);
            self.made_up.insert(name.clone());
        } else if !is_known {
            self.made_up.insert(name.clone());
        }
        self.by_name.insert(name.clone(), self.texts.len());
        self.texts.push(text);
        name
    }

    /// What a group orders that is no draft of the call: its types are not known in full.
    fn of_group(&mut self, ordered: Vec<groups::Ordered>) -> Option<&'static str> {
        let mut flaw = None;
        for one in ordered {
            let ty = match one {
                groups::Ordered::Named(name) if self.by_name.contains_key(&name) => continue,
                groups::Ordered::Named(name) => {
                    flaw = Some("it refers to an order that is not in the call");
                    name.split('/').next().and_then(Name::of)
                }
                groups::Ordered::Within(ty) => {
                    flaw = flaw.or(Some("it orders something by itself"));
                    ty
                }
            };
            match ty {
                Some(ty) => {
                    self.incomplete.insert(ty);
                }
                None => self.any_order(),
            }
        }
        flaw
    }

    fn too_many(&mut self, key: &str, came: usize, most: usize) {
        let more = came.saturating_sub(most);
        self.left_out += more;
        self.any_order();
        self.lacking.push(Lacking {
            technical: format!(
                "left out: {more} entries of `{key}`, which has {came}; {most} are looked at (--max-drafts)"
            ),
            plain: format!(
                "{more} of the {came} drafts were not checked: a call can have {most}"
            ),
            withheld: false,
            types: vec![],
            absent: false,
            template: None,
            by_consent: false,
        });
    }

    /// It may be an order of any type; at a hook that is about something else, any of that.
    fn any_order(&mut self) {
        const OTHERS: [&str; 4] = ["AllergyIntolerance", "Appointment", "Condition", "Task"];
        let others = OTHERS.iter().filter(|_| !self.are_orders);
        let all = ORDERS
            .iter()
            .chain(others)
            .filter_map(|name| Name::of(name));
        self.incomplete.extend(all);
    }

    /// A selection that names no draft: what is selected is not known. The others count.
    fn selection_lacks(&mut self, number: usize, selection: &str, unknown: &mut Unknown) {
        let ty = selection.split('/').rev().nth(1);
        let known = ty.filter(|ty| ORDERS.contains(ty)).and_then(Name::of);
        match known {
            Some(ty) => {
                self.incomplete.insert(ty);
            }
            None => self.any_order(),
        }
        unknown.types.extend(known);
        unknown.numbers.push(number);
    }

    fn tell(&mut self, left_out: &BTreeMap<Why, LeftOut>) {
        for (why, entries) in left_out {
            self.left_out += entries.count;
            // A draft is never a reason to refuse the call.
            self.lacking.push(Lacking {
                withheld: false,
                plain: entries.of_drafts(*why),
                ..Lacking::left_out(*why, entries)
            });
        }
    }

    /// The call as definitions see it.
    pub(crate) fn call(&self, hook: &Hook, context: &CallContext<'_>) -> Arc<HookCall> {
        let mut record = PatientRecord::new();
        for text in &self.texts {
            // What was written a moment ago is JSON; were it not, its type would not be known in full.
            if record.push(text).is_err() {
                self.incomplete
                    .iter()
                    .for_each(|ty| record.set_unavailable(*ty));
            }
        }
        for ty in &self.incomplete {
            record.set_incomplete(*ty);
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

    /// The drafts that the client knows by name, as `Type/id`, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.by_name.keys().filter(|name| !self.is_made_up(name))
    }

    /// Whether a resource, by its `Type/id`, is one that only we have given an id.
    pub(crate) fn is_made_up(&self, name: &str) -> bool {
        self.made_up.contains(name)
    }

    /// A resource with its references as they came: the client knows a draft by the name it gave it.
    pub(crate) fn as_it_came(&self, resource: Resource) -> Resource {
        if self.references.is_empty() {
            return resource;
        }
        let restored = written::with_references(resource.json(), |reference| {
            self.references.get(reference).map(String::as_str)
        });
        restored
            .and_then(|text| Resource::parse(&text))
            .unwrap_or(resource)
    }
}

/// Selections that name no draft.
#[derive(Default)]
struct Unknown {
    numbers: Vec<usize>,
    types: BTreeSet<Name>,
}

impl Unknown {
    /// Of more the number is told.
    const NAMED: usize = 5;

    /// What is lacking; nothing where every selection names a draft.
    fn told(self) -> Option<Lacking> {
        let first = self.numbers.iter().take(Self::NAMED);
        let first: Vec<String> = first.map(|n| format!("[{n}]")).collect();
        let more = match self.numbers.len().saturating_sub(first.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (verb, plain) = match self.numbers.len() {
            0 => return None,
            1 => ("names", "An order that is selected was".to_owned()),
            all => ("name", format!("{all} orders that are selected were")),
        };
        Some(Lacking {
            technical: format!(
                "`context.selections`{}{more} {verb} no draft of the call",
                first.join(", ")
            ),
            plain: format!("{plain} not received from the EHR"),
            withheld: false,
            types: self.types.into_iter().collect(),
            absent: false,
            template: None,
            by_consent: false,
        })
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
fn ids(bundle: &Bundle<'_>) -> HashSet<String> {
    let entries = bundle.entries().iter();
    let of = |resource: Element<'_>| resource.get_str("id").map(|id| id.into_owned());
    entries
        .flat_map(|e| [e.resource.and_then(of), e.given_id.clone()])
        .flatten()
        .collect()
}

/// An id for a draft that has none of its own; it is taken from now on.
fn free(taken: &mut HashSet<String>, number: usize) -> String {
    let id = format!("draft-{}", number + 1);
    let longer = (2_u32..).map(|n| format!("{id}-{n}"));
    let mut all = std::iter::once(id.clone()).chain(longer);
    let found = all.find(|id| !taken.contains(id)).unwrap_or(id);
    taken.insert(found.clone());
    found
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
