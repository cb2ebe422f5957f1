//! Loading: bytes in, a store and everything that was noticed out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bind::Named;
use super::code::Code as CodedEntry;
use super::drugs_csv::DrugFileError;
use super::drugs_files::FoundDrugFiles;
use super::expand::Expander;
use super::read::{Read, Spot};
use super::store::TerminologyStore;
use super::value_set::ValueSet;
use super::value_set_definition::ValueSetDefinition;
use crate::finding::{Code, Finding};

/// Collects FHIR ValueSets and CodeSystems from any number of sources, then expands them together.
///
/// ```
/// use engine_patient::terminology::{TerminologyBuilder, TerminologyProvider, code_key};
///
/// let mut builder = TerminologyBuilder::new();
/// builder.add_json("a.json", br#"{"resourceType": "ValueSet", "url": "http://x/vs",
///     "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "4548-4"}]}]}}"#);
/// let (store, issues) = builder.build();
/// assert!(issues.is_empty());
/// assert!(store.value_set("http://x/vs").unwrap().contains(code_key("http://loinc.org", "4548-4")));
/// ```
#[derive(Debug, Default)]
pub struct TerminologyBuilder {
    read: Read,
    /// Of tables: they add to value sets of the same url, whatever their version.
    tables: Vec<ValueSetDefinition>,
    short_names: Vec<Named>,
    drugs: FoundDrugFiles,
}

impl TerminologyBuilder {
    /// Nothing loaded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one JSON document: a ValueSet, a CodeSystem, or a Bundle (of Bundles) of them.
    ///
    /// Resources of other types are counted and reported by [`Self::build`]. Errors are kept until
    /// then too, so that one call tells all of them.
    pub fn add_json(&mut self, source: &str, bytes: &[u8]) -> &mut Self {
        let spot = Spot::start(&Arc::from(source));
        if let Some(text) = self.utf8(&spot, bytes) {
            self.read.resource(&spot, text);
        }
        self
    }

    /// Adds NDJSON: one resource per line; blank lines are skipped. A broken line does not stop the
    /// others.
    pub fn add_ndjson(&mut self, source: &str, bytes: &[u8]) -> &mut Self {
        let mut spot = Spot::start(&Arc::from(source));
        for line in bytes.split(|byte| *byte == b'\n') {
            if !line.trim_ascii().is_empty()
                && let Some(text) = self.utf8(&spot, line)
            {
                self.read.resource(&spot, text);
            }
            spot.line += 1;
        }
        self
    }

    /// Adds value sets as a table (CSV): a row a code, under the columns `value_set`, `system`, `code` and
    /// perhaps `display`. A table adds its codes to a value set of the same url.
    ///
    /// A table of drugs, as `terminology rxnorm` writes them or of codes of other systems, is read as that.
    pub fn add_table(&mut self, source: &str, bytes: &[u8]) -> &mut Self {
        if self.drugs.keep(source, bytes) {
            return self;
        }
        let source: Arc<str> = Arc::from(source);
        if let Some(text) = self.utf8(&Spot::start(&source), bytes) {
            let (sets, names) = self.read.table(&source, text);
            self.tables.extend(sets);
            self.short_names.extend(names);
        }
        self
    }

    /// The short names of value sets that tables use: whether such a one is built in is the caller's to
    /// know.
    #[must_use]
    pub fn short_names(&self) -> &[Named] {
        &self.short_names
    }

    /// Expands what was added. The issues are also kept in the store.
    ///
    /// Value sets that are empty, partial or not expanded are in the store with their
    /// [`super::Completeness`] and among the issues as warnings. Whether a run may go on with them is
    /// the caller's decision.
    #[must_use]
    pub fn build(self) -> (TerminologyStore, Vec<Finding>) {
        let Read {
            value_sets: definitions,
            code_systems,
            mut issues,
            ignored,
            ..
        } = self.read;
        let mut expander = Expander::new(&definitions, &code_systems);
        let mut value_sets = Vec::with_capacity(definitions.len());
        for (definition, expanded) in definitions.iter().zip(expander.expand()) {
            let mut value_set = ValueSet::new(
                Arc::clone(&definition.url),
                definition.version.clone(),
                expanded.codes.clone(),
                expanded.completeness.clone(),
                Arc::clone(&definition.spot.source),
            );
            value_set.id.clone_from(&definition.id);
            value_set.name.clone_from(&definition.name);
            value_set.title.clone_from(&definition.title);
            value_sets.push(value_set);
        }
        issues.append(&mut expander.issues);
        drop(expander);
        report_ignored(ignored, &mut issues);
        let mut store = TerminologyStore::default();
        let composes = definitions.iter().filter_map(|d| d.compose.as_ref());
        let clauses = composes.flat_map(|c| c.include.iter().chain(&c.exclude));
        let included = clauses
            .flat_map(|c| &c.value_sets)
            .filter(|v| !v.contains('|'));
        store.included = included.cloned().collect();
        for system in code_systems {
            store.insert_code_system(Arc::new(system), &mut issues);
        }
        for value_set in value_sets {
            store.insert_value_set(Arc::new(value_set), &mut issues);
        }
        store.review(&mut issues);
        match self.drugs.dictionary() {
            None => {}
            Some(Ok(drugs)) => store.drugs = Some(drugs),
            Some(Err(errors)) => issues.extend(errors.into_iter().map(of_drug_file)),
        }
        store.keep_issues(issues.clone());
        if !self.tables.is_empty() {
            // What the rest lacks was told above; a table has all that it has.
            issues.extend(store.unite(of_tables(self.tables)));
        }
        (store, issues)
    }

    fn utf8<'b>(&mut self, spot: &Spot, bytes: &'b [u8]) -> Option<&'b str> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Some(text),
            Err(error) => error,
        };
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        let last = before.iter().rposition(|byte| *byte == b'\n');
        let column = before.len() - last.map_or(0, |at| at + 1) + 1;
        let message = "this is not UTF-8 text";
        let issue = Finding::error(Code::TerminologyNotUtf8, message)
            .in_file(Arc::clone(&spot.source))
            .on_line(Some(spot.line + newlines), Some(column));
        let help = "FHIR JSON is UTF-8: convert the file, or unpack it if it is compressed";
        self.read.issues.push(issue.help(help));
        None
    }
}

fn of_drug_file(error: DrugFileError) -> Finding {
    let line = usize::try_from(error.line).ok();
    Finding::error(Code::DrugFile, error.message)
        .help(error.help)
        .in_file(error.file)
        .on_line(line, None)
}

/// Codes, and where they come from.
type CodesOf = (Vec<CodedEntry>, Vec<Arc<str>>);

/// The value sets of tables: of several tables of one url all codes.
fn of_tables(tables: Vec<ValueSetDefinition>) -> TerminologyStore {
    let mut by_url: BTreeMap<Arc<str>, CodesOf> = BTreeMap::new();
    for table in tables {
        let (codes, sources) = by_url.entry(table.url).or_default();
        codes.extend(table.expansion.into_iter().flat_map(|e| e.codes));
        sources.push(table.spot.source);
    }
    let mut store = TerminologyStore::default();
    for (url, (codes, sources)) in by_url {
        let source = sources.join(" + ");
        let set = ValueSet::from_codes(&url, None, codes, source);
        store.insert_value_set(Arc::new(set), &mut vec![]);
    }
    store
}

fn report_ignored(ignored: BTreeMap<(Arc<str>, String), usize>, issues: &mut Vec<Finding>) {
    let mut by_source: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
    for ((source, resource_type), count) in ignored {
        let text = format!("{count} `{resource_type}`");
        by_source.entry(source).or_default().push(text);
    }
    for (source, what) in by_source {
        let message = format!(
            "ignored {}: only ValueSet, CodeSystem and Bundle are terminology",
            what.join(", ")
        );
        issues.push(Finding::info(Code::TerminologyIgnored, message).in_file(source));
    }
}
