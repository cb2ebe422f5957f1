//! Elements that are there and cannot be read, or are masked: counted per element, and the resources
//! written beside the lake's data. *The file holds ids, and no values.*

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use engine_patient::fhir::names::Name;
use engine_patient::fhir::unreadable::{Problem, unreadable};
use engine_patient::record::Element;

use super::ordered::Ordered;

/// Collects them in a scratch file.
pub struct Unreadable {
    lines: Mutex<Ordered>,
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
    pub fn create(path: PathBuf) -> std::io::Result<Unreadable> {
        let lines = Mutex::new(Ordered::create(path)?);
        Ok(Unreadable { lines })
    }

    /// Looks through a resource.
    pub fn look(
        &self,
        ty: Name,
        id: &str,
        resource: Element<'_>,
        sequence: u64,
        counts: &mut UnreadableCounts,
    ) -> std::io::Result<()> {
        let mut text = String::new();
        unreadable(ty, resource, &mut |element, problem| {
            counts.count(element, problem);
            let line = serde_json::json!({
                "element": element,
                "problem": problem.to_string(),
                "resource": format!("{}/{id}", ty.as_str()),
            });
            text += &line.to_string();
            text.push('\n');
        });
        if text.is_empty() {
            return Ok(());
        }
        let mut lines = self
            .lines
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?;
        lines.add(sequence, &text)
    }

    /// Writes them, in the order of the input, to `target` if there are any.
    pub fn finish(self, target: &Path) -> std::io::Result<()> {
        let lines = self.lines.into_inner();
        lines
            .map_err(|_| std::io::Error::other("another thread failed"))?
            .finish(target)
    }
}
