//! From paths to a package: finds the resources in the files and hands each to its reader.
#![allow(clippy::disallowed_methods, reason = "a package is files")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;
use sources::{Layout, Source, is_lines, open};
use xxhash_rust::xxh3::Xxh3;

use engine_patient::fhir::model::Model;
use engine_patient::terminology::{ContentHash, TerminologyBuilder};

use super::element::Report;
use super::elm;
use super::files::{find, path_text, problem};
use super::json::{Peek, RawBundle, Spot, parse, utf8};
use super::library::{self, Libraries};
use super::measure::{measure, top};
use super::resolve::{self, Read};
use super::{Loaded, Package, SourceFile, near_libraries, summary};
use engine_patient::finding::{Code, Finding, Severity, did_you_mean};

/// Bundles within Bundles beyond this are taken for a mistake.
const DEPTH: usize = 32;
/// Broken lines of one NDJSON file that are told one by one.
const LINES: usize = 20;

/// Reads packages from files and directories.
///
/// Files are `.json` and `.ndjson` (`.jsonl`), also packed; directories are searched.
pub fn load<P: AsRef<Path>>(paths: &[P]) -> Loaded {
    load_with(paths, TerminologyBuilder::new())
}

/// As [`load`], with terminology that was collected elsewhere. It is expanded together with that of the
/// package; its issues are among the findings.
pub fn load_with<P: AsRef<Path>>(paths: &[P], terminology: TerminologyBuilder) -> Loaded {
    let found = find(paths);
    let mut loader = Loader {
        among_folders: paths.iter().any(|path| path.as_ref().is_dir()),
        terminology,
        issues: found.issues,
        measures: vec![],
        libraries: Libraries::default(),
        ignored: BTreeMap::new(),
        no_fhir: vec![],
        files: vec![],
    };
    for source in &found.files {
        loader.file(source);
    }
    let mut loaded = loader.finish(found.skipped, paths.is_empty());
    let given: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    near_libraries::suggest(&mut loaded.issues, &given);
    loaded
}

struct Loader {
    /// Folders are named, too: a file among them may be there because a shell wrote out `packages/*`.
    among_folders: bool,
    terminology: TerminologyBuilder,
    issues: Vec<Finding>,
    measures: Vec<Read>,
    libraries: Libraries,
    ignored: BTreeMap<String, usize>,
    /// JSON files in directories that have nothing to do with FHIR.
    no_fhir: Vec<String>,
    files: Vec<SourceFile>,
}

/// What is known about the file that is being read.
struct Current {
    name: String,
    named: bool,
    /// Resources that are part of a package.
    part: usize,
    /// Resources of other types.
    other: usize,
    /// There are value sets or code systems in what was read last.
    terminology: bool,
    /// There are more Bundles within Bundles than are followed: no other reader should follow them.
    too_deep: bool,
    /// Findings about the text itself.
    broken: Vec<Finding>,
    broken_more: usize,
    /// Line of the first object that is no FHIR resource, and how many there are.
    untyped: Option<(usize, usize)>,
}

impl Current {
    fn broken(&mut self, issue: Finding) {
        match self.broken.len() < LINES {
            true => self.broken.push(issue),
            false => self.broken_more += 1,
        }
    }
}

impl Loader {
    fn file(&mut self, source: &Source) {
        let mut current = Current {
            name: path_text(&source.path),
            named: source.named,
            part: 0,
            other: 0,
            terminology: false,
            too_deep: false,
            broken: vec![],
            broken_more: 0,
            untyped: None,
        };
        let opened = match open(source, &()) {
            Ok(opened) => opened,
            Err(error) => return self.issues.push(problem(&source.path, &error)),
        };
        let reader = &mut BufReader::with_capacity(1 << 16, opened.bytes);
        let hash = match source.layout {
            Layout::Lines => self.ndjson(&mut current, &source.path, reader),
            Layout::Document => self.json(&mut current, &source.path, reader),
        };
        if current.part > 0
            && let Some(hash) = hash
        {
            let path = current.name.clone();
            self.files.push(SourceFile { path, hash });
        }
        self.text_findings(current);
    }

    fn json(
        &mut self,
        current: &mut Current,
        path: &Path,
        reader: &mut dyn BufRead,
    ) -> Option<ContentHash> {
        let mut bytes = vec![];
        if let Err(error) = reader.read_to_end(&mut bytes) {
            self.issues.push(problem(path, &error));
            return None;
        }
        if is_lines(&bytes) {
            return self.ndjson(current, path, &mut Cursor::new(bytes));
        }
        let mut hash = Xxh3::new();
        hash.update(&bytes);
        let spot = Spot::line(1);
        match utf8(&bytes, &spot) {
            Ok(text) => self.resource(current, &spot, text),
            Err(issue) => current.broken(*issue),
        }
        if current.terminology && !current.too_deep {
            self.terminology.add_json(&current.name, &bytes);
        }
        Some(ContentHash(hash.digest128()))
    }

    /// Line by line, so that large files of data take no memory.
    fn ndjson(
        &mut self,
        current: &mut Current,
        path: &Path,
        reader: &mut dyn BufRead,
    ) -> Option<ContentHash> {
        let mut hash = Xxh3::new();
        let mut line = vec![];
        // The lines that are terminology, and empty ones in place of the others: numbers stay right.
        let mut kept: Vec<u8> = vec![];
        let mut any = false;
        let mut spot = Spot::line(1);
        loop {
            line.clear();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    let issue = problem(path, &error);
                    self.issues.push(issue.on_line(Some(spot.line), None));
                    return None;
                }
            }
            hash.update(&line);
            let text = line.trim_ascii_end();
            (current.terminology, current.too_deep) = (false, false);
            if !text.is_empty() {
                match utf8(text, &spot) {
                    Ok(text) => self.resource(current, &spot, text),
                    Err(issue) => current.broken(*issue),
                }
            }
            if current.terminology && !current.too_deep {
                any = true;
                kept.extend_from_slice(text);
            }
            kept.push(b'\n');
            spot.line += 1;
        }
        if any {
            self.terminology.add_ndjson(&current.name, &kept);
        }
        Some(ContentHash(hash.digest128()))
    }

    /// Tells what is wrong with the text of a file. A file of data that lies beside the package is not
    /// what this call is about: there it is a warning.
    fn text_findings(&mut self, current: Current) {
        let beside = !current.named && current.part == 0 && current.other > 0;
        let severity = match beside {
            true => Severity::Warning,
            false => Severity::Error,
        };
        let other_name = current.named && !sources::FHIR.takes(Path::new(&current.name));
        for mut issue in current.broken {
            issue.severity = severity;
            if other_name {
                issue = issue.help("leave it out, or name the folder as a whole: of a folder only files that end in .json, .ndjson or .jsonl are read");
            }
            self.issues.push(issue.in_file(&*current.name));
        }
        if current.broken_more > 0 {
            let message = format!("{} more lines are broken", current.broken_more);
            let help = "NDJSON has one resource in each line";
            let mut issue = Finding::error(Code::NotJson, message).help(help);
            issue.severity = severity;
            self.issues.push(issue.in_file(&*current.name));
        }
        let Some((line, count)) = current.untyped else {
            return;
        };
        if !current.named && current.part == 0 {
            // Other JSON lies in many directories. That the user named it is another matter.
            return self.no_fhir.push(current.name);
        }
        let message = match count {
            1 => "this is JSON without `resourceType`, so no FHIR resource".to_owned(),
            n => format!("{n} objects without `resourceType` are no FHIR resources"),
        };
        let severity = match self.among_folders && current.part == 0 {
            true => Severity::Warning,
            false => Severity::Error,
        };
        let message = match severity {
            Severity::Warning => format!("{message}: not read"),
            _ => message,
        };
        let help = "a package consists of Measure, Library, ValueSet, CodeSystem and Bundle";
        let mut issue = Finding::error(Code::NoResource, message)
            .help(help)
            .on_line((line > 1).then_some(line), None);
        issue.severity = severity;
        self.issues.push(issue.in_file(&*current.name));
    }

    /// Reads one resource, or the resources of a Bundle.
    fn resource(&mut self, current: &mut Current, spot: &Spot, text: &str) {
        if !text.trim_start().starts_with('{') {
            match parse::<&RawValue>(text, spot) {
                Ok(_) => untyped(current, spot),
                Err(issue) => current.broken(*issue),
            }
            return;
        }
        let peek = match parse::<Peek<'_>>(text, spot) {
            Ok(peek) => peek,
            Err(issue) => return current.broken(*issue),
        };
        let Some(raw) = peek.resource_type else {
            if spot.depth == 0 && peek.library.is_some_and(is_elm) {
                return self.elm_file(current, spot, text);
            }
            return untyped(current, spot);
        };
        let Ok(ty) = serde_json::from_str::<String>(raw.get()) else {
            let issue = Finding::error(Code::ElementType, "`resourceType` is not text")
                .on_line(spot.told(), None)
                .at(format!("{}.resourceType", spot.root("Resource")));
            return current.broken(issue.help("write the type of the resource, such as `Measure`"));
        };
        match ty.as_str() {
            "Measure" => self.measure(current, spot, text),
            "Library" => self.library(current, spot, text),
            "Bundle" => self.bundle(current, spot, text),
            "ValueSet" | "CodeSystem" => {
                current.part += 1;
                current.terminology = true;
            }
            other => self.other(current, spot, other),
        }
    }

    fn measure(&mut self, current: &mut Current, spot: &Spot, text: &str) {
        current.part += 1;
        let content = match parse::<Value>(text, spot) {
            Ok(content) => content,
            Err(issue) => return current.broken(*issue),
        };
        let mut report = Report::new(&current.name, spot.told());
        let definition = measure(&mut report, &top(&content, spot.root("Measure")));
        let usable = !report.has_errors();
        self.issues.append(&mut report.issues);
        self.measures.push(Read {
            definition,
            content,
            line: spot.told(),
            usable,
        });
    }

    fn library(&mut self, current: &mut Current, spot: &Spot, text: &str) {
        let content = match parse::<Value>(text, spot) {
            Ok(content) => content,
            Err(issue) => {
                current.part += 1;
                return current.broken(*issue);
            }
        };
        let mut report = Report::new(&current.name, spot.told());
        let at = top(&content, spot.root("Library"));
        match library::library(&mut report, &at, &mut self.libraries) {
            None => current.part += 1,
            Some(kind) => {
                current.other += 1;
                *self.ignored.entry(format!("Library ({kind})")).or_default() += 1;
            }
        }
        self.issues.append(&mut report.issues);
    }

    /// ELM as the translator writes it, not wrapped in a Library.
    fn elm_file(&mut self, current: &mut Current, spot: &Spot, text: &str) {
        current.part += 1;
        let mut report = Report::new(&current.name, spot.told());
        let label = current.name.clone();
        if let Some(source) = elm::elm(&mut report, text.as_bytes(), "", &label) {
            self.libraries.add(&mut report, source);
        }
        for issue in &mut report.issues {
            issue.place.path = issue.place.path.take().filter(|p| !p.is_empty());
        }
        self.issues.append(&mut report.issues);
    }

    fn bundle(&mut self, current: &mut Current, spot: &Spot, text: &str) {
        if spot.depth >= DEPTH {
            let message = format!("more than {DEPTH} Bundles within Bundles");
            let issue = Finding::error(Code::BundleDepth, message)
                .on_line(spot.told(), None)
                .at(spot.root("Bundle"));
            current.too_deep = true;
            return current.broken(issue.help("put the resources into one Bundle"));
        }
        let bundle = match parse::<RawBundle<'_>>(text, spot) {
            Ok(bundle) => bundle,
            Err(issue) => return current.broken(*issue),
        };
        let root = spot.root("Bundle");
        let mut inner = spot.clone();
        inner.depth += 1;
        let mut done = 0;
        for (index, entry) in bundle.entry.iter().enumerate() {
            let Some(resource) = entry.resource else {
                continue;
            };
            let resource = resource.get();
            // The raw value borrows from `text`, so the distance of the pointers is its offset.
            let start = (resource.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            inner.advance(text.get(done..start).unwrap_or_default());
            done = start;
            inner.within = format!("{root}.entry[{index}].resource");
            self.resource(current, &inner, resource);
        }
    }

    fn other(&mut self, current: &mut Current, spot: &Spot, ty: &str) {
        current.other += 1;
        *self.ignored.entry(ty.to_owned()).or_default() += 1;
        let model = Model::r4();
        if model.resource(ty).is_some() {
            return;
        }
        let all = model.types().filter(|t| t.is_resource).map(|t| t.name);
        let issue = Finding::warning(
            Code::UnknownResourceType,
            format!("no FHIR R4 resource is called `{ty}`: ignored"),
        );
        let issue = issue
            .meant(
                did_you_mean(ty, all),
                "a package consists of Measure, Library, ValueSet, CodeSystem and Bundle",
            )
            .in_file(&*current.name)
            .on_line(spot.told(), None)
            .at(format!("{}.resourceType", spot.root("Resource")));
        self.issues.push(issue);
    }

    fn finish(mut self, skipped: BTreeMap<String, usize>, no_paths: bool) -> Loaded {
        let (terminology, found) = self.terminology.build();
        // What was ignored and what is no resource has been told already, once for all kinds.
        let found = found.into_iter().filter(|i| {
            !matches!(
                i.code,
                Code::TerminologyNoResource | Code::TerminologyIgnored
            )
        });
        self.issues.extend(found);
        let (measures, refused) =
            resolve::resolve(self.measures, &mut self.libraries, &mut self.issues);
        if measures.is_empty() && refused.is_empty() {
            let message = match no_paths {
                true => "no path was given",
                false => "there is no Measure in the files",
            };
            let help = "give the files of a measure package: Measure, Library and ValueSet resources as FHIR JSON";
            self.issues
                .push(Finding::error(Code::NothingToRead, message).help(help));
        }
        summary::no_fhir(&self.no_fhir, &mut self.issues);
        summary::ignored(&self.ignored, &mut self.issues);
        summary::skipped(&skipped, &mut self.issues);
        let package = Package {
            measures,
            refused,
            libraries: self.libraries.sources,
            terminology,
            ignored: self.ignored,
            skipped,
            files: self.files,
        };
        Loaded {
            package,
            issues: self.issues,
        }
    }
}

fn untyped(current: &mut Current, spot: &Spot) {
    match &mut current.untyped {
        Some((_, count)) => *count += 1,
        none => *none = Some((spot.line, 1)),
    }
}

/// Whether the member `library` of an object is an ELM library.
fn is_elm(library: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Sign<'a> {
        #[serde(borrow)]
        identifier: Option<&'a RawValue>,
    }
    library.get().starts_with('{')
        && serde_json::from_str::<Sign<'_>>(library.get()).is_ok_and(|s| s.identifier.is_some())
}
