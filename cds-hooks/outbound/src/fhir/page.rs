//! One answer of a search: a page of a Bundle.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::{Failure, Family};

use super::whose::{Head, Whose};
use super::{outcome, shape};

/// A page, read as far as it must be: what the entries hold is left to whoever uses them.
pub(crate) struct Page<'a> {
    pub(crate) entries: Vec<&'a RawValue>,
    pub(crate) total: Option<&'a RawValue>,
    pub(crate) meta: Option<&'a RawValue>,
    /// The URL of the first link `next`.
    pub(crate) next: Option<String>,
    /// The link `self`, as it came.
    pub(crate) itself: Option<&'a RawValue>,
    /// Links that are none of `self`, `first`, `previous`, `last` and the `next` above, and what is no link.
    pub(crate) other_links: Vec<&'a RawValue>,
    /// Entries of the patient, and of others.
    pub(crate) theirs: usize,
    pub(crate) anothers: usize,
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
    #[serde(rename = "type")]
    ty: Option<String>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    link: Option<&'a RawValue>,
    #[serde(borrow)]
    entry: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Link {
    relation: String,
    url: String,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads the answer to a search; `patient` is whose data it may be, `most` how many entries it may have.
    ///
    /// # Errors
    ///
    /// It is no JSON, or no Bundle of type `searchset`, or has more entries; an OperationOutcome in its place is an error of the
    /// server. Texts hold nothing of the answer.
    pub(crate) fn read(
        json: &'a str,
        patient: Option<&str>,
        origin: &str,
        most: usize,
    ) -> Result<Self, Failure> {
        let bundle: Bundle<'a> = serde_json::from_str(json).map_err(|e| unreadable(origin, &e))?;
        let wrong = |text: &str| Failure::at(origin, Family::NotAsAsked, text);
        match bundle.resource_type.as_deref() {
            Some("Bundle") => {}
            Some("OperationOutcome") => return Err(reported(origin, json)),
            _ => return Err(wrong("the answer to a search is no Bundle")),
        }
        if bundle.ty.as_deref().is_some_and(|ty| ty != "searchset") {
            return Err(wrong(
                "the answer to a search is a Bundle of another type than `searchset`",
            ));
        }
        let mut page = Page {
            entries: vec![],
            total: bundle.total,
            meta: bundle.meta,
            next: None,
            itself: None,
            other_links: vec![],
            theirs: 0,
            anothers: 0,
        };
        if let Some(entries) = bundle.entry {
            if shape::items(entries.get().as_bytes()) > most {
                let text = format!("a page has more than {most} entries");
                return Err(Failure::at(origin, Family::TooLarge, text));
            }
            page.entries = serde_json::from_str(entries.get())
                .map_err(|_| wrong("`entry` of the Bundle is no list"))?;
        }
        if let Some(link) = bundle.link {
            page.links(link);
        }
        if let Some(patient) = patient {
            page.count(patient);
        }
        Ok(page)
    }

    fn links(&mut self, all: &'a RawValue) {
        let Ok(links) = serde_json::from_str::<Vec<&'a RawValue>>(all.get()) else {
            self.other_links.push(all);
            return;
        };
        for raw in links {
            let link: Option<Link> = serde_json::from_str(raw.get()).ok();
            match link.as_ref().map(|l| l.relation.as_str()) {
                Some("self") => self.itself = Some(raw),
                Some("first" | "previous" | "prev" | "last") => {}
                Some("next") if self.next.is_none() => self.next = link.map(|l| l.url),
                _ => self.other_links.push(raw),
            }
        }
    }

    fn count(&mut self, patient: &str) {
        for entry in &self.entries {
            let entry: Option<Entry<'_>> = serde_json::from_str(entry.get()).ok();
            let resource = entry.and_then(|e| e.resource);
            let head = resource.and_then(|r| serde_json::from_str::<Head<'_>>(r.get()).ok());
            match head.map(|head| head.whose(patient)) {
                Some(Whose::Theirs) => self.theirs += 1,
                Some(Whose::Anothers) => self.anothers += 1,
                _ => {}
            }
        }
    }
}

/// What is no JSON, or not of the form of FHIR. Where it ends, and not what it says.
pub(crate) fn unreadable(origin: &str, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    if error.is_data() {
        let text = "the answer has not the form of a FHIR resource";
        return Failure::at(origin, Family::NotAsAsked, text);
    }
    let text = match error.is_eof() {
        true => "the answer ends before its JSON does".to_owned(),
        false => format!("the answer is no JSON (at line {line}, column {column})"),
    };
    Failure::at(origin, Family::NotJson, text)
}

/// An OperationOutcome with status 200.
pub(crate) fn reported(origin: &str, json: &str) -> Failure {
    let codes = outcome::codes(json.as_bytes());
    let codes = codes.map_or(String::new(), |codes| format!(" ({codes})"));
    let text = format!("it reports an error in place of data{codes}");
    Failure::at(origin, Family::NotAsAsked, text)
}
