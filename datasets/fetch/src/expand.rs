//! A value set, expanded whole: page after page, and proof that nothing lacks.

use std::collections::BTreeSet;

use engine_patient::terminology::{Completeness, ContentHash, TerminologyBuilder};
use serde_json::{Value, json};

use crate::error::FetchError;
use crate::page::Page;
use crate::server::Server;

/// A value set that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Canonical url.
    pub url: String,
    /// The version; the server's newest where there is none.
    pub version: Option<String>,
}

impl Asked {
    /// Of `url` or `url|version`.
    #[must_use]
    pub fn of(canonical: &str) -> Asked {
        match canonical.split_once('|') {
            Some((url, version)) => Asked {
                url: url.to_owned(),
                version: Some(version.to_owned()),
            },
            None => Asked {
                url: canonical.to_owned(),
                version: None,
            },
        }
    }

    /// `url|version`, or the url alone.
    #[must_use]
    pub fn canonical(&self) -> String {
        match &self.version {
            Some(version) => format!("{}|{version}", self.url),
            None => self.url.clone(),
        }
    }

    /// The other name of a value set of VSAC: `urn:oid:…` for its url and the reverse.
    fn alias(&self) -> Option<String> {
        const VSAC: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/";
        match self.url.strip_prefix("urn:oid:") {
            Some(oid) => Some(format!("{VSAC}{oid}")),
            None => Some(format!("urn:oid:{}", self.url.strip_prefix(VSAC)?)),
        }
    }
}

/// A value set with all its codes.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// The FHIR ValueSet, under the url that was asked for.
    pub resource: Value,
    /// Its version, as the server says.
    pub version: Option<String>,
    /// How many codes.
    pub codes: usize,
    /// Hash of the codes.
    pub hash: ContentHash,
    /// How many pages were read.
    pub pages: usize,
}

impl Server {
    /// Asks for all codes of a value set. The version of the first page is asked for with the others, so
    /// that pages of two versions never become one set.
    ///
    /// # Errors
    /// Whenever not all codes are here; see [`FetchError`].
    pub fn expand(&self, asked: &Asked) -> Result<Expansion, FetchError> {
        match self.expand_as(asked, &asked.url) {
            Err(FetchError::Unknown(text)) => match asked.alias() {
                Some(alias) => self.expand_as(asked, &alias).map_err(|e| match e {
                    // The name that was asked for tells more.
                    FetchError::Unknown(_) => FetchError::Unknown(text),
                    other => other,
                }),
                None => Err(FetchError::Unknown(text)),
            },
            done => done,
        }
    }

    fn expand_as(&self, asked: &Asked, url: &str) -> Result<Expansion, FetchError> {
        let answer = |why: String| FetchError::Answer(format!("{}: {why}", self.address()));
        let mut version = asked.version.clone();
        let mut all: Option<Page> = None;
        let (mut seen, mut count, mut pages) = (BTreeSet::new(), 0usize, 0usize);
        loop {
            let page = self.page(url, version.as_deref(), count)?;
            pages += 1;
            let here = page.count();
            if let Some(first) = &all {
                same(first, &page).map_err(answer)?;
            }
            let codes = page.codes();
            let again = codes.iter().filter(|code| seen.contains(*code)).count();
            if again > 0 && again == codes.len() && page.offset.is_none() {
                let why = match page.total {
                    Some(total) => format!(
                        "it says {total} codes, and gives the same {count} again: the expansion is cut off"
                    ),
                    None => format!(
                        "it gives the same page again, and no total: whether its {count} codes are all cannot be told"
                    ),
                };
                return Err(answer(why));
            }
            if again > 0 {
                return Err(answer(format!(
                    "its pages overlap in {again} codes, so others would be missing: the value set may have changed meanwhile"
                )));
            }
            if page.total.is_none() && here > 0 && codes.is_empty() && pages > 1 {
                return Err(answer(
                    "it gives entries without codes, page after page, and no total".into(),
                ));
            }
            seen.extend(codes);
            count += here;
            let total = page
                .total
                .or_else(|| all.as_ref().and_then(|first| first.total));
            let first = match &mut all {
                Some(first) => {
                    first.entries.extend(page.entries);
                    first
                }
                None => {
                    version = version.or_else(|| page.version().map(str::to_owned));
                    checked(asked, &page).map_err(answer)?;
                    all.insert(page)
                }
            };
            let whole = match total {
                Some(total) if count > total => {
                    return Err(answer(format!("it says {total} codes and gives {count}")));
                }
                Some(total) if count < total && here == 0 => {
                    return Err(answer(format!(
                        "it says {total} codes and gives {count}: the expansion is cut off"
                    )));
                }
                Some(total) => count == total,
                // Without a total only an empty page is the end: a server may give less than was asked for.
                // One that gives more does not page, and gives all.
                None => here == 0 || here > self.options.page,
            };
            if whole {
                let page = std::mem::replace(first, Page::empty());
                return finished(page, asked, count, pages).map_err(answer);
            }
        }
    }

    fn page(&self, url: &str, version: Option<&str>, offset: usize) -> Result<Page, FetchError> {
        let mut query = vec![
            ("url", url.to_owned()),
            ("offset", offset.to_string()),
            ("count", self.options.page.to_string()),
        ];
        if let Some(version) = version {
            query.push(("valueSetVersion", version.to_owned()));
        }
        let body = self.get("ValueSet/$expand", &query)?;
        Page::read(&body).map_err(|why| FetchError::Answer(format!("{}: {why}", self.address())))
    }
}

/// Whether the first page is of what was asked for.
fn checked(asked: &Asked, page: &Page) -> Result<(), String> {
    let names = [Some(asked.url.clone()), asked.alias()];
    if let Some(url) = page.url()
        && !names.iter().flatten().any(|name| name == url)
    {
        return Err(format!("it answers with another value set: `{url}`"));
    }
    match (&asked.version, page.version()) {
        (Some(asked), Some(got)) if asked != got => Err(format!(
            "version {asked} was asked for, it answers with {got}"
        )),
        _ => Ok(()),
    }
}

/// Whether two pages are of one expansion.
fn same(first: &Page, next: &Page) -> Result<(), String> {
    let changed = |what: &str| {
        Err(format!(
            "the {what} changed while its pages were read: fetch it again"
        ))
    };
    if first.version() != next.version() {
        return changed("version");
    }
    match (first.total, next.total) {
        (Some(first), Some(next)) if first != next => changed("number of codes"),
        _ => Ok(()),
    }
}

/// Whether the parameters of an expansion say that it is of this version.
fn confirms(page: &Page, version: &str) -> bool {
    let parameters = page
        .resource
        .get("expansion")
        .and_then(|expansion| expansion.get("parameter"));
    let mut parameters = parameters.and_then(Value::as_array).into_iter().flatten();
    parameters.any(|parameter| {
        let text = |name: &str| parameter.get(name).and_then(Value::as_str);
        let used = text("valueUri").or_else(|| text("valueCanonical"));
        let used = used.and_then(|canonical| canonical.split_once('|'));
        text("name") == Some("used-valueset")
            && used.is_some_and(|(url, used)| {
                used == version && page.url().is_none_or(|name| name == url)
            })
    })
}

/// One resource of all pages, if it has all codes.
fn finished(page: Page, asked: &Asked, count: usize, pages: usize) -> Result<Expansion, String> {
    let version = match (page.version(), &asked.version) {
        (Some(version), _) => Some(version.to_owned()),
        (None, Some(version)) if confirms(&page, version) => Some(version.clone()),
        (None, Some(version)) => {
            return Err(format!(
                "version {version} was asked for, and it does not say which one it gives"
            ));
        }
        (None, None) => None,
    };
    let mut resource = page.resource;
    // Under the url by which it will be looked for.
    resource.insert("url".into(), json!(asked.url));
    if let Some(version) = &version {
        resource.insert("version".into(), json!(version));
    }
    if let Some(Value::Object(expansion)) = resource.get_mut("expansion") {
        expansion.insert("total".into(), json!(count));
        expansion.insert("contains".into(), Value::Array(page.entries));
        // How one page was asked for is not said of the whole.
        if let Some(Value::Array(parameters)) = expansion.get_mut("parameter") {
            parameters.retain(|p| {
                !matches!(
                    p.get("name").and_then(Value::as_str),
                    Some("count" | "offset")
                )
            });
            if parameters.is_empty() {
                expansion.remove("parameter");
            }
        }
    }
    let resource = Value::Object(resource);
    // The reader of every run decides whether it is whole.
    let mut builder = TerminologyBuilder::new();
    builder.add_json("the expansion", resource.to_string().as_bytes());
    let (store, issues) = builder.build();
    if let Some(error) = issues.iter().find(|issue| issue.is_error()) {
        return Err(format!("it cannot be used: {}", error.message));
    }
    let set = store.value_sets().next().ok_or("it has no url")?;
    match set.completeness() {
        Completeness::Complete => Ok(Expansion {
            version,
            codes: set.len(),
            hash: set.hash(),
            pages,
            resource,
        }),
        Completeness::Empty => Err("it has no codes".into()),
        other => Err(format!("it is {other}")),
    }
}
