//! Elements that are there and cannot be read, or are masked: counted per element, and the resources
//! written beside the lake's data, so many of each file. *The file holds ids, and no values.*

use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use engine_patient::fhir::names::Name;
use engine_patient::fhir::unreadable::{Problem, unreadable};
use engine_patient::record::Element;

use super::ordered::{Found, Ordered};
use super::rejects::footer;
use crate::import::scratch_file::failed;

/// Collects them in a scratch file.
pub struct Unreadable {
    lines: Mutex<Ordered>,
    names: Arc<[String]>,
    most: u64,
}

/// Per element (`Encounter.period.end`): how many values.
#[derive(Clone, Default, PartialEq, Eq, Debug, serde::Serialize)]
pub struct UnreadableCounts {
    /// There, and not of the type that FHIR R4 has there.
    pub unreadable: BTreeMap<String, u64>,
    /// Not there, and the extension data-absent-reason says why.
    pub masked: BTreeMap<String, u64>,
}

impl UnreadableCounts {
    /// Adds up.
    pub fn add(&mut self, other: &UnreadableCounts) {
        for (own, others) in [
            (&mut self.unreadable, &other.unreadable),
            (&mut self.masked, &other.masked),
        ] {
            for (element, n) in others {
                *own.entry(element.clone()).or_default() += n;
            }
        }
    }

    fn count(&mut self, element: &str, problem: Problem) {
        let counts = match problem {
            Problem::Unreadable(_) => &mut self.unreadable,
            Problem::Masked => &mut self.masked,
        };
        match counts.get_mut(element) {
            Some(n) => *n += 1,
            None => {
                counts.insert(element.to_owned(), 1);
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.unreadable.is_empty() && self.masked.is_empty()
    }
}

impl Unreadable {
    /// `most` values are listed of each of the files, which have these names.
    pub fn create(path: PathBuf, names: Arc<[String]>, most: u64) -> Result<Unreadable> {
        let lines = Mutex::new(Ordered::create(path, most)?);
        Ok(Unreadable { lines, names, most })
    }

    /// Writes them, in the order of the input, to `target` if there are any. Per file: how many are
    /// counted only.
    pub fn finish(self, target: &Path) -> Result<BTreeMap<String, u64>> {
        let lines = self.lines.into_inner().map_err(|_| failed())?;
        let name = |file: usize| self.names.get(file).map_or("", String::as_str);
        let what = "values cannot be read or are masked";
        let not_kept = lines.finish(target, |file, n| footer(name(file), n, self.most, what))?;
        Ok(not_kept
            .into_iter()
            .map(|(file, n)| (name(file).to_owned(), n))
            .collect())
    }
}

/// One thread's share.
pub struct UnreadableWriter<'s> {
    all: &'s Unreadable,
    found: Found,
    /// Kept of this chunk.
    kept: u64,
}

impl<'s> UnreadableWriter<'s> {
    pub fn new(all: &'s Unreadable) -> Self {
        UnreadableWriter {
            all,
            found: Found::default(),
            kept: 0,
        }
    }

    /// What comes is of this file.
    pub fn start(&mut self, file: usize) {
        self.found.file = file;
        self.kept = 0;
    }

    /// Looks through a resource.
    pub fn look(
        &mut self,
        ty: Name,
        id: &str,
        resource: Element<'_>,
        sequence: u64,
        counts: &mut UnreadableCounts,
    ) -> Result<()> {
        let (found, kept, most) = (&mut self.found, &mut self.kept, self.all.most);
        unreadable(ty, resource, &mut |element, problem| {
            counts.count(element, problem);
            found.found += 1;
            if *kept >= most {
                return;
            }
            let line = serde_json::json!({
                "element": element,
                "problem": problem.to_string(),
                "resource": format!("{}/{id}", ty.as_str()),
            });
            found.push(sequence, &line.to_string());
            *kept += 1;
        });
        match self.found.text.len() >= FLUSH {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Hands over what is buffered.
    pub fn flush(&mut self) -> Result<()> {
        if self.found.found == 0 {
            return Ok(());
        }
        let mut lines = self.all.lines.lock().map_err(|_| failed())?;
        lines.add(&self.found)?;
        drop(lines);
        self.found.clear();
        Ok(())
    }
}

/// Buffered by a thread.
const FLUSH: usize = 1 << 20;
