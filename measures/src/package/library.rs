//! `Library`: the ELM inside, and what it calls itself.

use std::collections::BTreeMap;

use super::definition::LibraryId;
use super::element::{At, Report};
use super::elm::{elm, same_elm};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use engine_patient::finding::{Code, Finding};

/// A library in ELM, as it came in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibrarySource {
    /// `identifier.id` of the ELM.
    pub name: String,
    /// `identifier.version` of the ELM.
    pub version: Option<String>,
    /// `identifier.system` of the ELM: the namespace that includes may write before the name.
    pub namespace: Option<String>,
    /// `Library.url`; `None` for an ELM file.
    pub url: Option<String>,
    /// `Library.version`, which may differ from that of the ELM.
    pub resource_version: Option<String>,
    /// `Library.id`.
    pub id: Option<String>,
    /// File as the user named it.
    pub source: String,
    /// The ELM: syntactically correct JSON.
    pub elm: Vec<u8>,
    /// FHIRPath of the content in that file; empty for an ELM file.
    pub fhir_path: String,
}

impl LibrarySource {
    /// Name and version.
    #[must_use]
    pub fn library_id(&self) -> LibraryId {
        LibraryId {
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }
}

/// A Library resource without ELM that can be used.
pub(super) struct Lacking {
    pub name: Option<String>,
    pub id: Option<String>,
    pub url: Option<String>,
    pub version: Option<String>,
    /// Told only if no ELM file takes its place.
    pub issue: Option<Finding>,
}

/// All libraries read so far.
#[derive(Default)]
pub(super) struct Libraries {
    pub sources: Vec<LibrarySource>,
    pub lacking: Vec<Lacking>,
    /// How often a library came again with the same content.
    pub again: BTreeMap<LibraryId, usize>,
}

pub(super) const TRANSLATOR: &str = "translate the CQL with the cqframework translator: `cql-to-elm-cli --input <file>.cql --format JSON`, and put the result into the Library as base64 `application/elm+json`, or give the ELM file beside it";

/// Reads a Library resource. Returns the kind of library if it is none that holds logic.
pub(super) fn library(report: &mut Report, at: &At<'_>, all: &mut Libraries) -> Option<String> {
    let ty = at.get("type").map(|t| t.value.clone()).unwrap_or_default();
    let ty = super::concept::code_of(&ty, |c| c == "logic-library");
    if let Some(ty) = ty.filter(|t| OTHER_TYPES.contains(&t.as_str())) {
        return Some(ty);
    }
    let mut lacking = Lacking {
        name: report.text(at, "name"),
        id: report.text(at, "id"),
        url: report.text(at, "url"),
        version: report.text(at, "version"),
        issue: None,
    };
    let label = [&lacking.name, &lacking.id, &lacking.url];
    let label = label.into_iter().flatten().next().cloned();
    let label = label.unwrap_or_else(|| report.file.clone());
    let Some((bytes, path)) = content(report, at, &label, &mut lacking) else {
        all.lacking.push(lacking);
        return None;
    };
    let Some(mut source) = elm(report, &bytes, &path, &label) else {
        all.lacking.push(lacking);
        return None;
    };
    compare_names(report, at, &lacking, &source);
    file_name(report, &source);
    source.url = lacking.url;
    source.id = lacking.id;
    source.resource_version = lacking.version;
    all.add(report, source);
    None
}

/// Kinds of Library that hold no logic.
const OTHER_TYPES: [&str; 3] = ["model-definition", "asset-collection", "module-definition"];

/// The bytes of the ELM and where they stood.
fn content(
    report: &mut Report,
    at: &At<'_>,
    label: &str,
    lacking: &mut Lacking,
) -> Option<(Vec<u8>, String)> {
    let contents = report.objects(at, "content");
    let mut kinds = vec![];
    let mut elms = vec![];
    for one in &contents {
        let kind = report.text(one, "contentType").unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        match kind.as_str() {
            "application/elm+json" => elms.push(one),
            _ => kinds.push(kind),
        }
    }
    let Some(one) = elms.first() else {
        let has = |kind: &str| kinds.iter().any(|k| k == kind);
        let (message, family) = if has("application/elm+xml") {
            (format!("library `{label}` has its ELM as XML only"), true)
        } else if has("text/cql") {
            (format!("library `{label}` has CQL only, no ELM"), true)
        } else {
            (format!("library `{label}` has no ELM"), false)
        };
        let mut issue = Finding::error(Code::LibraryNoElm, message).help(TRANSLATOR);
        if family {
            issue = issue.not_supported();
        }
        // Kept back: an ELM file may take its place.
        report.add(&at.path, issue);
        lacking.issue = report.issues.pop();
        return None;
    };
    if elms.len() > 1 {
        let message = format!(
            "library `{label}` has ELM {} times; the first is used",
            elms.len()
        );
        let help = "keep one `application/elm+json`";
        report.add(
            &one.path,
            Finding::warning(Code::LibraryNoElm, message).help(help),
        );
    }
    let path = format!("{}.data", one.path);
    let Some(data) = report.text(one, "data") else {
        let message = format!("library `{label}` has its ELM not inside");
        let help = "put it into `content.data` as base64: links (`content.url`) are not followed";
        report.add(
            &one.path,
            Finding::error(Code::LibraryNoElm, message).help(help),
        );
        return None;
    };
    let data: Vec<u8> = data.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let padding = DecodePaddingMode::Indifferent;
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    match GeneralPurpose::new(&STANDARD, config).decode(data) {
        Ok(bytes) => Some((bytes, path)),
        Err(_) => {
            let message = format!("the ELM of library `{label}` is not base64");
            let help = "encode the JSON of the ELM as base64 (RFC 4648, with `+` and `/`)";
            report.add(
                &path,
                Finding::error(Code::LibraryNotBase64, message).help(help),
            );
            None
        }
    }
}

/// The ELM's own name and version are those that includes use.
fn compare_names(report: &mut Report, at: &At<'_>, resource: &Lacking, elm: &LibrarySource) {
    if let Some(name) = &resource.name
        && *name != elm.name
    {
        let message = format!(
            "the Library is called `{name}`, its ELM `{}`: the latter is used",
            elm.name
        );
        let help = "give both the name that the CQL has";
        report.add(
            &format!("{}.name", at.path),
            Finding::warning(Code::LibraryNames, message).help(help),
        );
    }
    if resource.version != elm.version
        && let Some(version) = &resource.version
    {
        let own = elm.version.as_deref().unwrap_or("(none)");
        let message = format!(
            "the Library `{}` has version `{version}`, its ELM `{own}`: the latter is used",
            elm.name
        );
        let help = "give both the version that the CQL has";
        report.add(
            &format!("{}.version", at.path),
            Finding::warning(Code::LibraryNames, message).help(help),
        );
    }
}

/// A file `<Name>-<version>.json` that holds another version.
fn file_name(report: &mut Report, elm: &LibrarySource) {
    let file = report.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let rest = file
        .strip_prefix(&elm.name)
        .and_then(|r| r.strip_prefix('-'));
    let Some((stated, _)) = rest.and_then(|r| r.split_once(".json")) else {
        return;
    };
    let is_version = stated.starts_with(|c: char| c.is_ascii_digit());
    if is_version && elm.version.as_deref() != Some(stated) {
        let own = elm.version.as_deref().unwrap_or("(none)");
        let message =
            format!("the file is named after version `{stated}`, the library in it has `{own}`");
        report.add(&elm.fhir_path, Finding::info(Code::FileVersion, message));
    }
}

impl Libraries {
    /// Adds a library, unless it is there already.
    pub fn add(&mut self, report: &mut Report, new: LibrarySource) {
        let same = |s: &&mut LibrarySource| {
            s.name == new.name && s.version == new.version && s.namespace == new.namespace
        };
        let Some(known) = self.sources.iter_mut().find(same) else {
            self.sources.push(new);
            return;
        };
        if same_elm(&known.elm, &new.elm) {
            *self.again.entry(new.library_id()).or_default() += 1;
            if known.url.is_none() {
                known.url = new.url;
                known.id = new.id;
                known.resource_version = new.resource_version;
            }
            return;
        }
        let version = new.version.as_deref().unwrap_or("(none)");
        let message = format!(
            "library `{}` version `{version}` is in the package twice with different content, first in `{}`",
            new.name, known.source
        );
        let help = "keep the edition that the measures were published with; two packages that disagree can be loaded apart";
        report.add(
            &new.fhir_path,
            Finding::error(Code::LibraryTwice, message).help(help),
        );
    }
}
