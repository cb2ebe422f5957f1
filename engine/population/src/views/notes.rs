//! Values of resources that a view could not use: counted, with the first of the resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use engine_fhirpath::views::{View, ViewNote};
use engine_patient::record::Element;

/// Resources that are named of each kind.
const NAMED: usize = 5;

/// Shared by the views of a session; what they could not use since it began.
#[derive(Debug, Default)]
pub struct ViewNotes {
    all: Mutex<BTreeMap<(String, ViewNote), Unusable>>,
}

/// Values of one kind that a view could not use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unusable {
    /// The view.
    pub view: String,
    /// Where in the view, and what is wrong: column `start`: a value that is no text, …
    pub problem: String,
    /// How many values. A view that is read twice counts twice.
    pub count: u64,
    /// The least of the resources by name, `Type/id`. Ids of patient data: for the user, not for logs.
    pub resources: BTreeSet<String>,
}

impl ViewNotes {
    pub(super) fn add(&self, view: &View, resource: Element<'_>, note: &ViewNote) {
        let Ok(mut all) = self.all.lock() else {
            return;
        };
        let key = (view.name.clone(), note.clone());
        let own = all.entry(key).or_default();
        own.count += 1;
        let id = resource.get_str("id").unwrap_or_default();
        own.resources.insert(format!("{}/{id}", view.resource));
        // The least, so that the order of reading does not matter.
        if own.resources.len() > NAMED {
            own.resources.pop_last();
        }
    }

    /// What there is to tell, by view and place.
    pub fn list(&self) -> Vec<Unusable> {
        let Ok(all) = self.all.lock() else {
            return vec![];
        };
        let told = all.iter().map(|((view, note), own)| Unusable {
            view: view.clone(),
            problem: note.to_string(),
            ..own.clone()
        });
        told.collect()
    }
}

impl std::fmt::Display for Unusable {
    /// `encounter_flat, column `start`: … (2: Encounter/1, Encounter/2)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named: Vec<&str> = self.resources.iter().map(String::as_str).collect();
        let more = if self.count > named.len() as u64 {
            ", …"
        } else {
            ""
        };
        let (view, problem, count) = (&self.view, &self.problem, self.count);
        write!(f, "{view}, {problem} ({count}: {}{more})", named.join(", "))
    }
}
