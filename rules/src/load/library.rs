//! Reading `library.yaml`.

use engine_patient::finding::Finding;
use engine_patient::terminology::{DrugDictionary, TerminologyProvider};

use super::compile::Compiler;
use super::defines::define_name;
use super::fields::Report;
use super::value_sets::value_sets;
use crate::document::{DRUG_CLASS, LIBRARY};
use crate::library::{Library, Shared, SharedClass};
use crate::yaml::{self, Entry, Node};

impl Library {
    /// Reads what the rules of a folder share. Whether its names mean something [`Library::check`] tells.
    ///
    /// # Errors
    /// Everything that is wrong with its form.
    pub fn load(file: &str, text: &str) -> Result<Library, Vec<Finding>> {
        let (text, root) = yaml::read(file, text)?;
        let mut report = Report::new(&text);
        let library = library(&mut report, &root);
        let errors = report.errors();
        let found = report.into_findings();
        match library {
            Some(mut library) if errors == 0 => {
                library.warnings = found;
                Ok(library)
            }
            _ => Err(found),
        }
    }

    /// What is wrong with its definitions and value sets, whether a rule uses them or not.
    pub fn check(
        file: &str,
        text: &str,
        terminology: &dyn TerminologyProvider,
        drugs: &std::sync::Arc<DrugDictionary>,
    ) -> Vec<Finding> {
        let (text, root) = match yaml::read(file, text) {
            Ok(read) => read,
            Err(found) => return found,
        };
        let mut report = Report::new(&text);
        let Some(library) = library(&mut report, &root) else {
            return report.into_findings();
        };
        let drugs = match library.drugs(drugs) {
            Ok(drugs) => drugs,
            Err(found) => {
                found.into_iter().for_each(|f| report.elsewhere(f));
                std::sync::Arc::clone(drugs)
            }
        };
        let fields = report.fields(&root, &LIBRARY, None);
        if let Some(fields) = fields {
            let sets = fields.get("value_sets");
            let sets = sets.map(|n| value_sets(&mut report, n, terminology));
            let mut compiler = Compiler {
                checker: super::checker(sets.unwrap_or_default(), &drugs),
                terminology,
                report: &mut report,
            };
            compiler.defines(&fields, false, &mut Default::default());
        }
        report.into_findings()
    }
}

fn library(report: &mut Report<'_>, root: &Node) -> Option<Library> {
    let fields = report.fields(root, &LIBRARY, None)?;
    let mut shared = |name: &str, define: bool| {
        let entries = fields
            .get(name)
            .map(|n| report.entries(n, &format!("`{name}`")))
            .unwrap_or_default();
        let mut all = vec![];
        for entry in entries {
            if define {
                define_name(report, entry);
            }
            all.extend(shared(report, entry));
        }
        all
    };
    let value_sets = shared("value_sets", false);
    let defines = shared("define", true);
    let classes = fields
        .get("drug_classes")
        .map(|n| report.entries(n, "`drug_classes`"))
        .unwrap_or_default();
    let mut read = vec![];
    for entry in classes {
        read.extend(class(report, entry));
    }
    Some(Library {
        file: report.text.file().to_owned(),
        warnings: vec![],
        value_sets,
        defines,
        classes: read,
    })
}

fn shared(report: &mut Report<'_>, entry: &Entry) -> Option<Shared> {
    let text = report.text_of(&entry.value)?;
    let span = (entry.at, entry.at + entry.key.chars().count().max(1));
    Some(Shared {
        name: entry.key.clone(),
        text,
        span: report.text.span(span),
    })
}

fn class(report: &mut Report<'_>, entry: &Entry) -> Option<SharedClass> {
    let id = entry.key.as_str();
    let span = (entry.at, entry.at + id.chars().count().max(1));
    let fields = report.fields(&entry.value, &DRUG_CLASS, None)?;
    let name = report.paragraph(fields.get("name"));
    let items = fields
        .get("members")
        .map(|n| report.items(n, "`members`"))
        .unwrap_or_default();
    let mut members = vec![];
    for item in items {
        if let Some(text) = report.line(item) {
            members.push((text, report.text.span((item.at, item.end))));
        }
    }
    Some(SharedClass {
        id: id.to_owned(),
        name: name?,
        members,
        span: report.text.span(span),
    })
}
