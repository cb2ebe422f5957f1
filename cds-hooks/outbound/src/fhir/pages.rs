//! Reads and searches, page after page.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use url::Url;

use crate::body::Budget;
use crate::client::{Answer, Client, Request, status_text};
use crate::failure::{Failure, Family};

use super::access::Access;
use super::limits::Limits;
use super::merge::Merged;
use super::outcome;
use super::page::{Page, reported, unreadable};
use super::query::Sent;
use super::shape;
use super::whose::{Head, Whose};

/// Answers of more than this are read on a thread for blocking work.
const LARGE: usize = 256 << 10;

/// A value takes some 16 to 32 bytes in memory, in a text of two: at most one in so many bytes is taken, of what
/// is not small. FHIR has one in ten or more.
const SMALLEST: usize = 8;

/// What is smaller may consist of anything.
const SMALL: usize = 64 << 10;

/// How often a server is asked again that says when (`Retry-After`).
const RETRIES: u32 = 2;

/// Where data comes from, and what it may take.
pub(crate) struct Source<'a> {
    pub(crate) client: &'a Client,
    pub(crate) access: &'a Access,
    pub(crate) limits: &'a Limits,
    pub(crate) budget: &'a Budget<'a>,
    pub(crate) deadline: Instant,
}

/// What was found.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) json: String,
    pub(crate) incomplete: Option<Failure>,
    pub(crate) pages: usize,
    pub(crate) resources: usize,
    pub(crate) anothers: usize,
}

impl Source<'_> {
    /// The resource of this type and id.
    pub(crate) async fn read(&self, sent: Sent, ty: &str, id: &str) -> Result<Found, Failure> {
        let body = self.get(sent).await?;
        let origin = self.access.origin();
        let wrong = |text: &str| Err(Failure::at(&origin, Family::NotAsAsked, text));
        let head: Head<'_> = serde_json::from_str(&body).map_err(|e| unreadable(&origin, &e))?;
        match head.resource_type.as_deref() {
            Some(found) if found == ty => {}
            Some("OperationOutcome") => return Err(reported(&origin, &body)),
            _ => return wrong("the answer to a read is a resource of another type"),
        }
        if head.id.as_deref() != Some(id) {
            return wrong("the answer to a read is another resource");
        }
        let patient = self.access.patient.as_deref();
        if patient.is_some_and(|patient| head.whose(patient) == Whose::Anothers) {
            return wrong("the answer to a read is of another patient");
        }
        Ok(Found {
            json: body,
            incomplete: None,
            pages: 1,
            resources: 1,
            anothers: 0,
        })
    }

    /// The matches of a search, of all its pages. `is_rest`: `first` is not the first page of the search.
    pub(crate) async fn search(&self, first: Sent, is_rest: bool) -> Result<Found, Failure> {
        let mut visited = HashSet::new();
        visited.insert(first.url.clone());
        let mut next = Some(first);
        let mut merged = Merged::default();
        let (mut pages, mut rest) = (0, None::<(String, Failure)>);
        while let Some(sent) = next.take() {
            let url = sent.url.to_string();
            let step = match self.get(sent).await {
                Ok(body) => {
                    let is_first = pages == 0 && !is_rest;
                    let (after, step) = self.page(body, merged, is_first).await;
                    merged = after;
                    step
                }
                Err(failure) => Err(failure),
            };
            let step = match step {
                Ok(step) => step,
                // Of the first page nothing is known, of a later one the pages before it.
                Err(failure) if pages == 0 => return Err(failure),
                Err(failure) => {
                    rest = Some((url, failure));
                    break;
                }
            };
            pages += 1;
            if let Some(only) = step.only {
                self.theirs(&merged)?;
                return Ok(Found {
                    json: only,
                    incomplete: None,
                    pages,
                    resources: merged.count,
                    anothers: merged.anothers,
                });
            }
            let Some(link) = step.next else { break };
            match self.follow(&link, &mut visited, pages, merged.count) {
                Ok(url) => next = Some(Sent { url, form: None }),
                Err(failure) => rest = Some((link, failure)),
            }
        }
        self.theirs(&merged)?;
        let (resources, anothers) = (merged.count, merged.anothers);
        let url = rest.as_ref().map(|(url, _)| url.as_str());
        Ok(Found {
            json: merged.bundle(url, !is_rest),
            incomplete: rest.map(|(_, failure)| failure),
            pages,
            resources,
            anothers,
        })
    }

    /// The next page, if there may be one more.
    fn follow(
        &self,
        link: &str,
        visited: &mut HashSet<Url>,
        pages: usize,
        entries: usize,
    ) -> Result<Url, Failure> {
        let url = self.access.next(self.client, link)?;
        let (most_pages, most_entries) = (self.limits.max_pages, self.limits.max_entries);
        let why = match visited.insert(url.clone()) {
            false => "its pages go in a circle; the rest was not read".to_owned(),
            true if pages >= most_pages => {
                format!("it has more than {most_pages} pages; the rest was not read")
            }
            true if entries >= most_entries => {
                format!("it has {most_entries} entries and more; the rest was not read")
            }
            true => return Ok(url),
        };
        Err(Failure::at(&self.access.origin(), Family::TooLarge, why))
    }

    /// Answers in which others are named, and not the patient, are of a server that looked for somebody else.
    fn theirs(&self, merged: &Merged) -> Result<(), Failure> {
        if merged.anothers == 0 || merged.theirs > 0 {
            return Ok(());
        }
        let why = "the answer to a search is of another patient";
        Err(Failure::at(&self.access.origin(), Family::NotAsAsked, why))
    }

    /// Reads a page and adds it to what is there, which comes back.
    async fn page(
        &self,
        body: String,
        mut merged: Merged,
        is_first: bool,
    ) -> (Merged, Result<Step, Failure>) {
        let patient = self.access.patient.clone();
        let origin = self.access.origin();
        let (is_large, most) = (body.len() > LARGE, self.limits.max_entries);
        let read = move || {
            let page = match Page::read(&body, patient.as_deref(), &origin, most) {
                Ok(page) => page,
                Err(failure) => return (merged, Err(failure)),
            };
            let next = page.next.clone();
            if is_first && next.is_none() {
                // All there is: as it came.
                merged.count = page.entries.len();
                (merged.theirs, merged.anothers) = (page.theirs, page.anothers);
                let only = Some(body);
                return (merged, Ok(Step { next, only }));
            }
            merged.add(&page);
            (merged, Ok(Step { next, only: None }))
        };
        if !is_large {
            return read();
        }
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|_| (Merged::default(), Err(unread())))
    }

    /// The text of an answer with status 200.
    async fn get(&self, sent: Sent) -> Result<String, Failure> {
        let origin = self.access.origin();
        let mut retries = 0;
        loop {
            let answer = self
                .client
                .send(Request {
                    url: sent.url.clone(),
                    accept: "application/fhir+json, application/json;q=0.9",
                    bearer: self.access.token.as_ref(),
                    form: sent.form.clone(),
                    under: self.access.path(),
                    max_bytes: self.limits.max_page_bytes,
                    budget: Some(self.budget),
                    deadline: self.deadline,
                })
                .await?;
            if let Some(wait) = self.wait(&answer).filter(|_| retries < RETRIES) {
                retries += 1;
                tokio::time::sleep(wait).await;
                continue;
            }
            if answer.status == 200 {
                let max_depth = self.limits.max_depth;
                if answer.body.len() <= LARGE {
                    return text(answer, max_depth, &origin);
                }
                let read = tokio::task::spawn_blocking(move || text(answer, max_depth, &origin));
                return read.await.unwrap_or_else(|_| Err(unread()));
            }
            let mut why = status_text(answer.status);
            if let Some(codes) = outcome::codes(&answer.body) {
                why.push_str(&format!(", and reports: {codes}"));
            }
            return Err(Failure::at(&origin, Family::Status(answer.status), why));
        }
    }

    /// How long to wait before the server may be asked again, where it says so and there is time for it.
    fn wait(&self, answer: &Answer) -> Option<Duration> {
        let seconds = answer
            .retry_after
            .filter(|_| matches!(answer.status, 429 | 503))?;
        let wait = Duration::from_secs(seconds);
        let left = self.deadline.saturating_duration_since(Instant::now());
        (wait < left).then_some(wait)
    }
}

/// A thread that reads ended before it had.
fn unread() -> Failure {
    let why = "the answer could not be read: an error of this service";
    Failure::new(Family::NotAsAsked, why)
}

/// What came of a page.
struct Step {
    next: Option<String>,
    /// The whole answer as it came, where it is all there is.
    only: Option<String>,
}

/// The body, if it is the text of JSON as far as can be seen from outside.
fn text(answer: Answer, max_depth: usize, origin: &str) -> Result<String, Failure> {
    let no = |why: String| Failure::at(origin, Family::NotJson, why);
    let kind = answer.content_type.as_str();
    let is_json = kind.is_empty() || kind.ends_with("/json") || kind.ends_with("+json")
        // The name of FHIR DSTU2.
        || kind == "application/json+fhir";
    if !is_json {
        let what = match kind {
            "text/html" | "application/xhtml+xml" => "HTML",
            "text/plain" => "plain text",
            _ if kind.ends_with("xml") => "XML",
            _ => "of another type",
        };
        return Err(no(format!("the answer is no JSON, but {what}")));
    }
    let body = String::from_utf8(answer.body)
        .map_err(|_| no("the answer is no JSON: it is not UTF-8".to_owned()))?;
    let body = match body.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => body,
    };
    if body.trim().is_empty() {
        return Err(no("the answer is empty".to_owned()));
    }
    let (depth, values) = shape::of(body.as_bytes());
    let most = body.len().max(SMALL) / SMALLEST;
    let why = if depth > max_depth {
        format!("the answer is nested deeper than {max_depth} levels")
    } else if values > most {
        format!("the answer has more than {most} values; FHIR of this size has fewer")
    } else {
        return Ok(body);
    };
    Err(Failure::at(origin, Family::TooLarge, why))
}
