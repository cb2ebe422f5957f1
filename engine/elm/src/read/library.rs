//! An ELM library as it was read: its definitions by name, expressions still JSON.

use std::sync::Arc;

use serde_json::Value as Json;

use rustc_hash::{FxHashMap, FxHashSet};

use engine_patient::finding::{Code, ElmNode, Finding, Place};

/// Deepest nesting of ELM JSON. Official content stays under 130.
pub const MAX_DEPTH: usize = 1000;

/// Overloads of one name that are compared with each other.
const OVERLOADS: usize = 100;

/// A library.
#[derive(Debug)]
pub struct Library {
    pub name: Arc<str>,
    pub version: Option<Arc<str>>,
    /// The file it came from.
    pub source: Arc<str>,
    pub includes: Vec<Include>,
    pub parameters: Vec<Entry>,
    pub code_systems: Vec<Entry>,
    pub value_sets: Vec<Entry>,
    pub codes: Vec<Entry>,
    pub concepts: Vec<Entry>,
    pub definitions: Vec<Definition>,
    /// Places of the definitions that are no functions, by name; and of the functions.
    expressions: FxHashMap<Arc<str>, usize>,
    functions: FxHashMap<Arc<str>, Vec<usize>>,
    /// What the reader noticed.
    pub issues: Vec<Finding>,
}

#[derive(Debug)]
pub struct Include {
    pub alias: Arc<str>,
    /// The name of the library, without a namespace.
    pub name: Arc<str>,
    pub version: Option<Arc<str>>,
}

/// A definition that is not a statement: its JSON by its name.
#[derive(Debug)]
pub struct Entry {
    pub name: Arc<str>,
    pub json: Json,
}

/// An `ExpressionDef` or `FunctionDef`.
#[derive(Debug)]
pub struct Definition {
    pub name: Arc<str>,
    pub is_function: bool,
    pub external: bool,
    /// Names and type specifiers of the operands of a function.
    pub operands: Vec<(Arc<str>, Json)>,
    pub context: Option<Arc<str>>,
    pub expression: Option<Json>,
    pub result_type: Option<Json>,
    pub local_id: Option<Arc<str>>,
    pub locator: Option<Arc<str>>,
    /// The CQL text, as annotations carry it.
    pub annotation: Option<Arc<Json>>,
}

impl Library {
    /// `Name|version`.
    pub fn id(&self) -> Arc<str> {
        match &self.version {
            Some(version) => format!("{}|{version}", self.name).into(),
            None => Arc::clone(&self.name),
        }
    }

    /// Reads ELM JSON (`{"library": …}`, or the library itself). What is wrong with it comes back
    /// whole; what can be used although something is wrong has it among its issues.
    ///
    /// # Errors
    /// Where it is no ELM library at all.
    pub fn read(source: &str, bytes: &[u8]) -> Result<Library, Box<Finding>> {
        let source: Arc<str> = source.into();
        let fail = |code, message: String, help: Option<&str>| {
            let place = Place::of_elm(Arc::clone(&source), ElmNode::library("?"));
            let help = help.map(str::to_owned);
            Box::new(Finding::error(code, message).maybe_help(help).placed(place))
        };
        if depth(bytes) > MAX_DEPTH {
            let message = format!("the ELM is nested deeper than {MAX_DEPTH} levels");
            return Err(fail(Code::ElmNotJson, message, None));
        }
        // The depth is bounded; the stack grows where it has to.
        let json: Json = stacker::grow(16 << 20, || {
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            reader.disable_recursion_limit();
            let json = serde::Deserialize::deserialize(&mut reader);
            json.and_then(|json: Json| reader.end().map(|()| json))
        })
        .map_err(|e| {
            fail(
                Code::ElmNotJson,
                format!("the ELM is not valid JSON: {e}"),
                None,
            )
        })?;
        let mut json = json;
        let library = match json.get_mut("library") {
            Some(inner) => inner.take(),
            None => json,
        };
        let form = "ELM JSON has `library.identifier.id` and `library.statements.def`; translate CQL with `cql-to-elm-cli --format JSON`";
        let Json::Object(mut library) = library else {
            let message = "this is JSON, but no ELM library".into();
            return Err(fail(Code::ElmWrongForm, message, Some(form)));
        };
        let identifier = library.get("identifier");
        let part = |name| {
            let part = identifier.and_then(|i| i.get(name)).and_then(Json::as_str);
            part.filter(|p| !p.is_empty()).map(Arc::<str>::from)
        };
        let Some(name) = part("id") else {
            let message = "this ELM library has no `identifier.id`".into();
            return Err(fail(Code::ElmWrongForm, message, Some(form)));
        };
        let mut out = Library {
            name,
            version: part("version"),
            source: Arc::clone(&source),
            includes: vec![],
            parameters: vec![],
            code_systems: vec![],
            value_sets: vec![],
            codes: vec![],
            concepts: vec![],
            definitions: vec![],
            expressions: FxHashMap::default(),
            functions: FxHashMap::default(),
            issues: vec![],
        };
        out.read_annotations(library.get("annotation"));
        for model in items(library.remove("usings")) {
            out.read_using(&model);
        }
        for include in items(library.remove("includes")) {
            out.read_include(&include);
        }
        let mut names = FxHashSet::default();
        for (section, into) in [
            ("parameters", 0),
            ("codeSystems", 1),
            ("valueSets", 2),
            ("codes", 3),
            ("concepts", 4),
        ] {
            for json in items(library.remove(section)) {
                let Some(name) = text(&json, "name") else {
                    out.note(Finding::error(
                        Code::ElmWrongForm,
                        format!("an entry of `{section}` has no `name`"),
                    ));
                    continue;
                };
                let entry = Entry { name, json };
                let list = match into {
                    0 => &mut out.parameters,
                    1 => &mut out.code_systems,
                    2 => &mut out.value_sets,
                    3 => &mut out.codes,
                    _ => &mut out.concepts,
                };
                if !names.insert((into, Arc::clone(&entry.name))) {
                    let message = format!("`{}` stands twice in `{section}`", entry.name);
                    out.issues
                        .push(out.finding(Finding::error(Code::ElmDuplicate, message)));
                    continue;
                }
                list.push(entry);
            }
        }
        for statement in items(library.remove("statements")) {
            out.read_definition(statement);
        }
        Ok(out)
    }

    /// The definition of this name that is no function.
    pub fn expression(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(*self.expressions.get(name)?)
    }

    /// The functions of this name: their places among the definitions.
    pub fn functions(&self, name: &str) -> &[usize] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// A finding about this library as a whole.
    pub fn finding(&self, finding: Finding) -> Finding {
        self.finding_at(finding, None, None, None)
    }

    /// A finding at a node of this library.
    pub fn finding_at(
        &self,
        finding: Finding,
        definition: Option<Arc<str>>,
        local_id: Option<Arc<str>>,
        locator: Option<Arc<str>>,
    ) -> Finding {
        let node = ElmNode {
            library: self.id(),
            definition,
            local_id,
            locator,
        };
        let canonical = finding.place.canonical.clone();
        let place = Place {
            canonical,
            ..Place::of_elm(Arc::clone(&self.source), node)
        };
        finding.placed(place)
    }

    fn note(&mut self, finding: Finding) {
        let finding = self.finding(finding);
        self.issues.push(finding);
    }

    /// Errors that the translator wrote into its own output: such ELM has holes.
    fn read_annotations(&mut self, annotations: Option<&Json>) {
        for annotation in annotations.and_then(Json::as_array).into_iter().flatten() {
            let is = |name: &str, value: &str| {
                annotation.get(name).and_then(Json::as_str) == Some(value)
            };
            if is("type", "CqlToElmError") && is("errorSeverity", "error") {
                let message = text(annotation, "message").unwrap_or_else(|| "no message".into());
                let place = |n: &str| annotation.get(n).map(ToString::to_string);
                let locator = place("startLine").zip(place("startChar"));
                let locator = locator.map(|(line, column)| format!("{line}:{column}").into());
                let message = format!("the translator reported: {message}");
                let finding = Finding::error(Code::ElmTranslatorError, message)
                    .help("mend the CQL and translate it again");
                self.issues
                    .push(self.finding_at(finding, None, None, locator));
            }
        }
    }

    fn read_using(&mut self, model: &Json) {
        let uri = text(model, "uri").unwrap_or_default();
        let version = text(model, "version");
        let known = matches!(
            &*uri,
            "urn:hl7-org:elm-types:r1"
                | "http://hl7.org/fhir"
                | "http://hl7.org/fhir/us/qicore"
                | "http://hl7.org/fhir/us/core"
        );
        if !known {
            let message = format!("the data model `{uri}` is not supported");
            self.note(
                Finding::unsupported(Code::ElmModel, message)
                    .help("use FHIR 4.0.1, QI-Core or US Core"),
            );
        } else if &*uri == "http://hl7.org/fhir"
            && version.as_deref().is_some_and(|v| !v.starts_with("4.0"))
            && text(model, "localIdentifier").as_deref() == Some("FHIR")
        {
            let message = format!("FHIR {} is not supported", version.unwrap_or_default());
            self.note(
                Finding::unsupported(Code::ElmModel, message)
                    .help("data and logic must be FHIR R4 (4.0.1)"),
            );
        }
    }

    fn read_include(&mut self, include: &Json) {
        let (Some(alias), Some(path)) = (text(include, "localIdentifier"), text(include, "path"))
        else {
            self.note(Finding::error(
                Code::ElmWrongForm,
                "an include has no `localIdentifier` or no `path`",
            ));
            return;
        };
        // Official content writes both `FHIRHelpers` and `http://ecqi.healthit.gov/ecqms/FHIRHelpers`.
        let name = path.rsplit('/').next().unwrap_or(&path).into();
        self.includes.push(Include {
            alias,
            name,
            version: text(include, "version"),
        });
    }

    fn read_definition(&mut self, mut json: Json) {
        let Some(name) = text(&json, "name") else {
            self.note(Finding::error(
                Code::ElmWrongForm,
                "a statement has no `name`",
            ));
            return;
        };
        let is_function = json.get("type").and_then(Json::as_str) == Some("FunctionDef");
        let mut operands = vec![];
        for operand in json
            .get_mut("operand")
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
        {
            let name = text(operand, "name").unwrap_or_default();
            let specifier = match operand.get_mut("operandTypeSpecifier") {
                Some(specifier) => specifier.take(),
                None => operand
                    .get_mut("operandType")
                    .map(Json::take)
                    .unwrap_or_default(),
            };
            operands.push((name, specifier));
        }
        let result_type = match json.get_mut("resultTypeSpecifier") {
            Some(specifier) => Some(specifier.take()),
            None => json.get_mut("resultTypeName").map(Json::take),
        };
        let definition = Definition {
            is_function,
            external: json
                .get("external")
                .and_then(Json::as_bool)
                .unwrap_or(false),
            operands,
            context: text(&json, "context"),
            result_type,
            local_id: text(&json, "localId"),
            locator: text(&json, "locator"),
            annotation: json.get_mut("annotation").map(Json::take).map(Arc::new),
            expression: json.get_mut("expression").map(Json::take),
            name,
        };
        let place = self.definitions.len();
        if is_function {
            let same = |i: &usize| {
                let other = self.definitions.get(*i).map(|d| &d.operands);
                other.is_some_and(|operands| {
                    let types = operands.iter().map(|(_, ty)| ty);
                    types.eq(definition.operands.iter().map(|(_, ty)| ty))
                })
            };
            let known = self.functions(&definition.name);
            if known.iter().take(OVERLOADS).any(same) {
                let message = format!(
                    "the function `{}` is defined twice for the same operands",
                    definition.name
                );
                self.note(Finding::error(Code::ElmDuplicate, message));
                return;
            }
            let name = Arc::clone(&definition.name);
            self.functions.entry(name).or_default().push(place);
        } else if self.expressions.contains_key(&definition.name) {
            self.note(Finding::error(
                Code::ElmDuplicate,
                format!("`{}` is defined twice", definition.name),
            ));
            return;
        } else {
            self.expressions.insert(Arc::clone(&definition.name), place);
        }
        self.definitions.push(definition);
    }
}

/// Dropping deep JSON recurses too.
impl Drop for Library {
    fn drop(&mut self) {
        let definitions = std::mem::take(&mut self.definitions);
        stacker::maybe_grow(1 << 20, 16 << 20, || drop(definitions));
    }
}

/// A string property.
pub fn text(json: &Json, name: &str) -> Option<Arc<str>> {
    json.get(name).and_then(Json::as_str).map(Arc::from)
}

/// The items of `{ "def": [ … ] }`.
fn items(section: Option<Json>) -> Vec<Json> {
    match section {
        Some(Json::Object(mut section)) => match section.remove("def") {
            Some(Json::Array(items)) => items,
            Some(one @ Json::Object(_)) => vec![one],
            _ => vec![],
        },
        _ => vec![],
    }
}

/// The deepest nesting of brackets outside strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
