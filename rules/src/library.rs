//! What all rules of a folder share: `library.yaml`.

use std::sync::Arc;

use engine_patient::finding::{Code, Finding, Span};
use engine_patient::terminology::DrugDictionary;

/// Value sets, definitions and drug classes of a folder of rules.
#[derive(Debug, Default)]
pub struct Library {
    /// The file it was read from, as the user named it.
    pub file: String,
    /// What is not wrong but worth a look.
    pub warnings: Vec<Finding>,
    pub(crate) value_sets: Vec<Shared>,
    pub(crate) defines: Vec<Shared>,
    pub(crate) classes: Vec<SharedClass>,
}

/// A name with its text, and where that stands.
#[derive(Debug)]
pub(crate) struct Shared {
    pub name: String,
    pub text: String,
    pub span: Span,
}

/// A class of drugs.
#[derive(Debug)]
pub(crate) struct SharedClass {
    pub id: String,
    pub name: String,
    pub members: Vec<(String, Span)>,
    /// Where its id stands.
    pub span: Span,
}

impl Library {
    /// The names of its definitions, and the url of each of its value sets with its name.
    pub fn names(&self) -> (Vec<&str>, Vec<(&str, &str)>) {
        let defines = self.defines.iter().map(|d| d.name.as_str());
        let sets = self.value_sets.iter();
        let sets = sets.map(|s| (s.name.as_str(), s.text.as_str()));
        (defines.collect(), sets.collect())
    }

    /// The drugs with the classes of this library beside theirs.
    ///
    /// # Errors
    /// Members and names that are wrong, each with its place.
    pub fn drugs(&self, drugs: &Arc<DrugDictionary>) -> Result<Arc<DrugDictionary>, Vec<Finding>> {
        if self.classes.is_empty() {
            return Ok(Arc::clone(drugs));
        }
        let mut made: DrugDictionary = (**drugs).clone();
        let mut found = vec![];
        for class in &self.classes {
            let members: Vec<&str> = class
                .members
                .iter()
                .map(|(text, _)| text.as_str())
                .collect();
            let wrong = made.add_class(&class.id, &class.name, &members);
            for (member, error) in wrong.err().into_iter().flatten() {
                let member = member.and_then(|index| class.members.get(index));
                let span = member.map_or(&class.span, |(_, span)| span);
                let error = Finding::error(Code::WrongValue, error.message).help(error.help);
                found.push(error.in_file(self.file.as_str()).spanning(span.clone()));
            }
        }
        match found.is_empty() {
            true => Ok(Arc::new(made)),
            false => Err(found),
        }
    }
}
