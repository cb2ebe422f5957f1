//! All that is missing for one call, at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;

use crate::client::Client;
use crate::failure::{Failure, Family};

use super::access::Access;
use super::limits::Limits;
use super::pages::{Found, Source};
use super::query::{Query, Sent, What};
use super::template;
use super::tokens::Tokens;

/// What is wanted for a key.
#[derive(Clone, Copy)]
pub enum Want<'a> {
    /// All that a prefetch template asks for.
    Template(&'a str),
    /// The pages from this URL on: the `next` link of a Bundle that is there.
    Next(&'a str),
}

/// What came for a key. Holds data of a patient.
#[derive(Clone)]
pub struct Fetched {
    /// A resource, or one searchset Bundle with the entries of all pages. A Bundle has a `next` link where
    /// [`Fetched::incomplete`] says why. Of [`Want::Next`] it holds the entries of those pages, and no `total`.
    pub json: String,
    /// Why pages are missing.
    pub incomplete: Option<Failure>,
    /// Pages that were read.
    pub pages: usize,
    /// Entries of the Bundle, or 1.
    pub resources: usize,
    /// Entries that name other patients beside those of this one: to be left out by whoever reads it. (An answer
    /// that names others only is a [`Failure`].)
    pub anothers: usize,
    /// How long it took.
    pub elapsed: Duration,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched")
            .field("pages", &self.pages)
            .field("resources", &self.resources)
            .field("incomplete", &self.incomplete)
            .finish_non_exhaustive()
    }
}

/// Fetches what is wanted, in parallel, each query once; all answers are there by `deadline`, in the order
/// of the wants.
///
/// What is late, refused or cannot be used is a [`Failure`]: never an empty Bundle. A read that is answered
/// with 404 is one, too: that the resource is not there is not what a server says by it.
pub async fn fulfil(
    client: &Client,
    access: &Access,
    wants: &[(String, Want<'_>)],
    tokens: &Tokens,
    deadline: Instant,
    limits: &Limits,
) -> Vec<(String, Result<Fetched, Failure>)> {
    let budget = client.budget(limits.max_bytes);
    let source = Source {
        client,
        access,
        limits,
        budget: &budget,
        deadline,
    };
    let mut tasks: Vec<Task> = vec![];
    let mut known: HashMap<Query, usize> = HashMap::new();
    // For each want the number of its task, or why there is none.
    let mut places: Vec<Result<usize, Failure>> = vec![];
    for (number, (_, want)) in wants.iter().enumerate() {
        let task = match number < limits.max_keys {
            true => Task::of(want, &source, tokens),
            false => Err(Failure::new(
                Family::Busy,
                "too many keys are missing in one call",
            )),
        };
        places.push(task.map(|task| {
            let before = match &task {
                Task::Query(query) => known.get(query).copied(),
                Task::Next(_) => None,
            };
            before.unwrap_or_else(|| {
                if let Task::Query(query) = &task {
                    known.insert(query.clone(), tasks.len());
                }
                tasks.push(task);
                tasks.len() - 1
            })
        }));
    }
    let all = tasks.into_iter().map(|task| task.run(&source));
    let done: Vec<(Result<Found, Failure>, Duration)> = stream::iter(all)
        .buffered(limits.max_parallel.max(1))
        .collect()
        .await;
    let fetched = |place: Result<usize, Failure>| {
        let Some((found, elapsed)) = done.get(place?) else {
            return Err(Failure::new(Family::NotAsked, "it was not asked for"));
        };
        found.clone().map(|found| Fetched {
            json: found.json,
            incomplete: found.incomplete,
            pages: found.pages,
            resources: found.resources,
            anothers: found.anothers,
            elapsed: *elapsed,
        })
    };
    let keys = wants.iter().map(|(key, _)| key.clone());
    keys.zip(places.into_iter().map(fetched)).collect()
}

enum Task {
    Query(Query),
    Next(url::Url),
}

impl Task {
    fn of(want: &Want<'_>, source: &Source<'_>, tokens: &Tokens) -> Result<Self, Failure> {
        let query = match want {
            Want::Next(link) => return source.access.next(source.client, link).map(Task::Next),
            Want::Template(template) => template::resolve(template, tokens)?,
        };
        let patient = source.access.patient.as_deref();
        if query.resource_type == "Patient"
            && let (What::Read(id), Some(patient)) = (&query.what, patient)
            && id != patient
        {
            let why = "data of another patient than the call's is not asked for";
            return Err(Failure::new(Family::NotAllowed, why));
        }
        Ok(Task::Query(query))
    }

    async fn run(self, source: &Source<'_>) -> (Result<Found, Failure>, Duration) {
        let start = Instant::now();
        let found = match self {
            Task::Next(url) => source.search(Sent { url, form: None }, true).await,
            Task::Query(query) => {
                let sent = query.sent(source.access, source.limits.max_get_url);
                match &query.what {
                    What::Read(id) => source.read(sent, &query.resource_type, id).await,
                    What::Search(_) => source.search(sent, false).await,
                }
            }
        };
        (found, start.elapsed())
    }
}
