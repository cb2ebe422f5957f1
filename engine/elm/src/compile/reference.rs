//! References: to definitions, functions, parameters, operands, aliases, codes and value sets.

use engine_patient::plural::several;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Linker, Role, null, result_type};
use crate::fhir::property::Path;
use crate::operators::fhir_helpers;
use crate::operators::operator::Attributes;
use crate::read::library::{Entry, Library, text};
use crate::tree::constant::{Constant, ConstantCode, ConstantCodeSystem, ConstantValueSet};
use crate::tree::libraries::{Parameter, ValueSetUse};
use crate::tree::node::{Kind, NO_CLAUSE, Node};
use crate::values::types::Type;
use engine_patient::finding::{Code, Finding};
use engine_patient::terminology::{Completeness, TerminologyError, code_key};

/// Versions of FHIRHelpers whose functions the native ones have been proven equal to.
const NATIVE: [&str; 1] = ["4.4.000"];

const NO_LIBRARY: &str = "a reference into a library that is not there";

/// A section of a library.
type Section = fn(&Library) -> &[Entry];

impl<'l> Linker<'l> {
    pub(super) fn reference(&mut self, node: &str, json: &Json) -> Kind {
        let name = text(json, "name").unwrap_or_default();
        match node {
            "OperandRef" => self.local("operand", &name, Role::Operand),
            "AliasRef" => self.local("alias", &name, Role::Alias),
            "QueryLetRef" => self.local("let", &name, Role::Let),
            "IdentifierRef" => self.identifier(&name, json),
            "Current" | "Total" => self.current(node, json),
            "FunctionRef" => self.function_ref(&name, json),
            _ => match self.library_of(json) {
                Some(library) => match node {
                    "ExpressionRef" => self.expression_ref(library, &name),
                    "ParameterRef" => self.parameter_ref(library, &name),
                    "ValueSetRef" => self.value_set_ref(library, &name),
                    "CodeSystemRef" => self.code_system_ref(library, &name),
                    "CodeRef" => match self.code_ref(library, &name) {
                        Some(code) => Kind::Const(Constant::Code(Box::new(code))),
                        None => null().kind,
                    },
                    _ => self.concept_ref(library, &name),
                },
                None => null().kind,
            },
        }
    }

    fn local(&mut self, what: &str, name: &str, role: Role) -> Kind {
        match self.scope.find(role, name) {
            Some(slot) => Kind::Local(slot),
            None => self.unknown_name(what, name, role).kind,
        }
    }

    pub(super) fn unknown_name(&mut self, what: &str, name: &str, role: Role) -> Node {
        let known: Vec<Arc<str>> = self
            .scope
            .names
            .iter()
            .filter(|(r, _, _)| *r == role)
            .map(|(_, n, _)| Arc::clone(n))
            .collect();
        let near = self
            .near(name, known.iter().map(|n| &**n))
            .map(str::to_owned);
        let help = near.map(|n| format!("did you mean `{n}`?"));
        let message = format!("there is no {what} `{name}` here");
        self.report(Finding::error(Code::ElmUnknownReference, message).maybe_help(help));
        null()
    }

    /// In `sort by`, a bare name is an element of the item; elsewhere a definition or parameter.
    fn identifier(&mut self, name: &str, json: &Json) -> Kind {
        if let Some(slot) = self.scope.sort_item
            && json.get("libraryName").is_none()
        {
            self.scope.lowest = self.scope.lowest.min(slot);
            let item = Node {
                kind: Kind::Local(slot),
                clause: NO_CLAUSE,
            };
            if name == "$this" {
                return item.kind;
            }
            if let Some(path) = Path::parse(name) {
                return Kind::Property(Box::new(item), Box::new(path));
            }
        }
        let Some(library) = self.library_of(json) else {
            return null().kind;
        };
        let source = self.libraries.get(library as usize);
        let parameter = source.is_some_and(|l| l.parameters.iter().any(|p| *p.name == *name));
        if parameter {
            return self.parameter_ref(library, name);
        }
        self.expression_ref(library, name)
    }

    fn current(&mut self, node: &str, json: &Json) -> Kind {
        let scope = text(json, "scope");
        let items = self.scope.items.iter().rev();
        let mut items = items.filter(|(name, _, _)| scope.is_none() || *name == scope);
        let found = items.next().copied_parts();
        let slot = match (node, found) {
            ("Current", Some((item, _))) => Some(item),
            ("Total", Some((_, total))) => total,
            _ => None,
        };
        match slot {
            Some(slot) => {
                self.scope.lowest = self.scope.lowest.min(slot);
                Kind::Local(slot)
            }
            None => {
                let message = format!("`{node}` stands in no iteration");
                self.report(Finding::error(Code::ElmUnknownReference, message));
                null().kind
            }
        }
    }

    fn expression_ref(&mut self, library: u32, name: &str) -> Kind {
        let Some(source) = self.libraries.get(library as usize) else {
            return Kind::Broken(NO_LIBRARY);
        };
        let found = source.expression(name);
        let Some(found) = found else {
            let names = source.definitions.iter().filter(|d| !d.is_function);
            let near = self.near(name, names.map(|d| &*d.name));
            let help = near.map(|n| format!("did you mean `{n}`?"));
            let message = format!("the library `{}` has no definition `{name}`", source.name);
            self.report(Finding::error(Code::ElmUnknownReference, message).maybe_help(help));
            return null().kind;
        };
        match self.definition(library, &found.name) {
            Some(index) => {
                if let Some(definition) = self.compiled.definitions.get(index as usize) {
                    self.scope.retrieves.extend(definition.retrieves.iter());
                }
                Kind::Def(index)
            }
            None => null().kind,
        }
    }

    fn function_ref(&mut self, name: &str, json: &Json) -> Kind {
        let mut args = vec![];
        let operands = json.get("operand").and_then(Json::as_array);
        for operand in operands.into_iter().flatten() {
            args.push(self.expr(operand));
        }
        let Some(library) = self.library_of(json) else {
            return null().kind;
        };
        let Some(source) = self.libraries.get(library as usize) else {
            return Kind::Broken(NO_LIBRARY);
        };
        let native = self.options.native_helpers
            && &*source.name == "FHIRHelpers"
            && source
                .version
                .as_deref()
                .is_some_and(|v| NATIVE.contains(&v));
        if native
            && args.len() == 1
            && let Some(operator) = fhir_helpers::find(name)
        {
            return Kind::Op(operator, args.into(), Attributes::default());
        }
        let takes = |i: &usize| {
            let definition = source.definitions.get(*i);
            definition.is_some_and(|d| d.operands.len() == args.len())
        };
        let candidates: Vec<usize> = source
            .functions(name)
            .iter()
            .copied()
            .filter(takes)
            .collect();
        if candidates.is_empty() {
            self.no_function(library, name, args.len());
            return null().kind;
        }
        let chosen = match candidates.as_slice() {
            [only] => Some(*only),
            several => self.overload(library, several, json),
        };
        let compile: Vec<usize> = match chosen {
            Some(one) => vec![one],
            None => candidates
                .into_iter()
                .filter(|i| source.definitions.get(*i).is_some_and(|d| !d.external))
                .collect(),
        };
        let mut compiled = vec![];
        for index in compile {
            if let Some(function) = self.compile_function(library, index) {
                if let Some(compiled) = self.compiled.functions.get(function as usize) {
                    self.scope.retrieves.extend(compiled.retrieves.iter());
                }
                compiled.push(function);
            }
        }
        match compiled.as_slice() {
            [only] => Kind::Call(*only, args.into()),
            [] => {
                let message = format!("the function `{name}` has no body: it is external");
                self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                null().kind
            }
            _ => Kind::Dispatch(compiled.into(), args.into()),
        }
    }

    fn no_function(&mut self, library: u32, name: &str, operands: usize) {
        let Some(source) = self.libraries.get(library as usize) else {
            return;
        };
        let functions = || source.definitions.iter().filter(|d| d.is_function);
        let arities: Vec<String> = functions()
            .filter(|d| *d.name == *name)
            .map(|d| d.operands.len().to_string())
            .collect();
        if arities.is_empty() {
            let near = self.near(name, functions().map(|d| &*d.name));
            let help = near.map(|n| format!("did you mean `{n}`?"));
            let message = format!("the library `{}` has no function `{name}`", source.name);
            self.report(Finding::error(Code::ElmUnknownReference, message).maybe_help(help));
        } else {
            let message = format!(
                "the function `{name}` of `{}` is called with {}; it takes {}",
                source.name,
                several(operands as u64, "operand", "operands"),
                arities.join(" or ")
            );
            self.report(Finding::error(Code::ElmNoOverload, message));
        }
    }

    /// The overload that the text names, or that the types of the operands leave.
    fn overload(&mut self, library: u32, candidates: &[usize], json: &Json) -> Option<usize> {
        let signature = json.get("signature").and_then(Json::as_array);
        let mut wanted: Vec<Option<Type>> = vec![];
        match signature.filter(|s| !s.is_empty()) {
            Some(signature) => {
                for ty in signature {
                    wanted.push(Some(self.specifier(ty)));
                }
            }
            None => {
                for operand in json.get("operand").and_then(Json::as_array)? {
                    wanted.push(result_type(self, operand));
                }
            }
        }
        let mut fits = vec![];
        for index in candidates {
            let source = self.libraries.get(library as usize)?;
            let operands = &source.definitions.get(*index)?.operands;
            let types: Vec<Type> = operands.iter().map(|(_, ty)| self.specifier(ty)).collect();
            let same = types
                .iter()
                .zip(&wanted)
                .all(|(ty, w)| w.as_ref() == Some(ty));
            if same && types.len() == wanted.len() {
                fits.push(*index);
            }
        }
        match fits.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn parameter_ref(&mut self, library: u32, name: &str) -> Kind {
        let key = (library, Arc::<str>::from(name));
        match self.parameters.get(&key) {
            Some(Some(index)) => return Kind::Param(*index),
            Some(None) => {
                let message = format!("the default of the parameter `{name}` refers to itself");
                self.report(Finding::error(Code::ElmCircle, message));
                return null().kind;
            }
            None => {}
        }
        let Some(source) = self.libraries.get(library as usize) else {
            return Kind::Broken(NO_LIBRARY);
        };
        let Some(entry) = source.parameters.iter().find(|p| *p.name == *name) else {
            self.missing("parameter", library, name, |l| &l.parameters);
            return null().kind;
        };
        self.parameters.insert(key.clone(), None);
        // The default stands in the library of the parameter, whoever refers to it.
        let outer_place = std::mem::replace(
            &mut self.at,
            super::Place {
                library,
                ..super::Place::default()
            },
        );
        let ty = match (
            entry.json.get("parameterTypeSpecifier"),
            entry.json.get("parameterType"),
        ) {
            (Some(ty), _) | (None, Some(ty)) => Some(self.specifier(ty)),
            (None, None) => None,
        };
        let outer = std::mem::take(&mut self.scope);
        let default = entry
            .json
            .get("default")
            .filter(|d| d.is_object())
            .map(|d| self.expr(d));
        let scope = std::mem::replace(&mut self.scope, outer);
        self.at = outer_place;
        let index = u32::try_from(self.compiled.parameters.len()).unwrap_or(u32::MAX);
        self.compiled.parameters.push(Parameter {
            name: Arc::clone(&entry.name),
            ty,
            default,
            frame: scope.next,
        });
        self.parameters.insert(key, Some(index));
        Kind::Param(index)
    }

    fn missing(&mut self, what: &str, library: u32, name: &str, section: Section) {
        let Some(source) = self.libraries.get(library as usize) else {
            return;
        };
        let near = self.near(name, section(source).iter().map(|e| &*e.name));
        let help = near.map(|n| format!("did you mean `{n}`?"));
        let message = format!("the library `{}` has no {what} `{name}`", source.name);
        self.report(Finding::error(Code::ElmUnknownReference, message).maybe_help(help));
    }

    fn entry(
        &mut self,
        what: &str,
        library: u32,
        name: &str,
        section: Section,
    ) -> Option<&'l Json> {
        let source: &'l Library = self.libraries.get(library as usize)?;
        let found = section(source).iter().find(|e| *e.name == *name);
        if found.is_none() {
            self.missing(what, library, name, section);
        }
        found.map(|e| &e.json)
    }

    fn value_set_ref(&mut self, library: u32, name: &str) -> Kind {
        match self.value_set(library, name) {
            Some(set) => Kind::Const(Constant::ValueSet(Box::new(set))),
            None => null().kind,
        }
    }

    /// A value set by its name in a library; that it is touched here is noted.
    pub(super) fn value_set(&mut self, library: u32, name: &str) -> Option<ConstantValueSet> {
        let json = self.entry("value set", library, name, |l| &l.value_sets)?;
        let id = text(json, "id").unwrap_or_default();
        let version = text(json, "version");
        let canonical: Arc<str> = match &version {
            Some(version) => format!("{id}|{version}").into(),
            None => Arc::clone(&id),
        };
        let found = self.terminology.value_set(&canonical);
        let place: Arc<str> = match (
            self.libraries.get(self.at.library as usize),
            &self.at.definition,
        ) {
            (Some(library), Some(definition)) => format!("{}: {definition}", library.name).into(),
            _ => "".into(),
        };
        let set = match found {
            Ok(set) => Some(set),
            Err(e) => {
                let message = match &e {
                    TerminologyError::Unknown { suggestions, .. } if suggestions.is_empty() => {
                        format!("the value set \"{name}\" is missing: {canonical}")
                    }
                    TerminologyError::Unknown { suggestions, .. } => format!(
                        "the value set \"{name}\" is missing: {canonical}; did you mean `{}`?",
                        suggestions.join("` or `")
                    ),
                    TerminologyError::UnknownVersion { available, .. } => format!(
                        "the value set \"{name}\" is missing: {canonical}; loaded are versions {}",
                        available.join(", ")
                    ),
                };
                let help = "add its FHIR ValueSet with an expansion, or run with --allow-missing-valuesets: membership in it is then unknown, a retrieve by it finds nothing, and what rests on that is counted as it is but not evaluable, with the set's name";
                let finding = match self.options.allow_missing_value_sets {
                    true => Finding::warning(Code::ElmValueSetMissing, message),
                    false => Finding::error(Code::ElmValueSetMissing, message),
                };
                self.report(finding.help(help).about(Arc::clone(&canonical)));
                None
            }
        };
        let usage = self
            .compiled
            .value_sets
            .entry(Arc::clone(&canonical))
            .or_insert_with(|| ValueSetUse {
                name: name.into(),
                version: set.as_ref().and_then(|s| s.version.clone()),
                codes: set.as_ref().map(|s| s.len()),
                completeness: set.as_ref().map_or("missing", |s| s.completeness().word()),
                touches: std::collections::BTreeSet::new(),
            });
        usage.touches.insert(place);
        if let Some(set) = &set
            && *set.completeness() != Completeness::Complete
        {
            let message = format!(
                "the value set \"{name}\" ({canonical}) is {}",
                set.completeness()
            );
            let finding = match set.completeness() {
                Completeness::NotExpanded { .. } | Completeness::Partial { missing: true, .. }
                    if !self.options.allow_missing_value_sets =>
                {
                    Finding::error(Code::ElmValueSetIncomplete, message).help(
                        "add what it lacks to the package, or run with --allow-missing-valuesets: then only the codes that are here count",
                    )
                }
                _ => Finding::warning(Code::ElmValueSetIncomplete, message),
            };
            self.report(finding.about(Arc::clone(&canonical)));
        }
        // What is not expanded is as good as missing.
        let set = set.filter(|s| !matches!(s.completeness(), Completeness::NotExpanded { .. }));
        Some(ConstantValueSet {
            id: Box::from(&*id),
            version: version.map(|v| Box::from(&*v)),
            name: name.into(),
            set,
        })
    }

    fn code_system(&mut self, library: u32, name: &str) -> Option<ConstantCodeSystem> {
        let json = self.entry("code system", library, name, |l| &l.code_systems)?;
        Some(ConstantCodeSystem {
            id: Box::from(&*text(json, "id").unwrap_or_default()),
            version: text(json, "version").map(|v| Box::from(&*v)),
            name: name.into(),
        })
    }

    fn code_system_ref(&mut self, library: u32, name: &str) -> Kind {
        match self.code_system(library, name) {
            Some(system) => Kind::Const(Constant::CodeSystem(Box::new(system))),
            None => null().kind,
        }
    }

    /// A `CodeDef`.
    fn code_ref(&mut self, library: u32, name: &str) -> Option<ConstantCode> {
        let json = self.entry("code", library, name, |l| &l.codes)?;
        let system = match json.get("codeSystem") {
            Some(reference) => {
                let named = text(reference, "name").unwrap_or_default();
                let outer = self.at.library;
                self.at.library = library;
                let library = self.library_of(reference);
                self.at.library = outer;
                Some(self.code_system(library?, &named)?)
            }
            None => None,
        };
        Some(owned_code(json, "id", system))
    }

    /// A `Code` selector: `Code '…' from System`.
    pub(super) fn code_literal(&mut self, json: &Json) -> Option<ConstantCode> {
        let reference = json.get("system")?;
        let library = self.library_of(reference)?;
        let named = text(reference, "name").unwrap_or_default();
        let system = self.code_system(library, &named)?;
        Some(owned_code(json, "code", Some(system)))
    }

    fn concept_ref(&mut self, library: u32, name: &str) -> Kind {
        let Some(json) = self.entry("concept", library, name, |l| &l.concepts) else {
            return null().kind;
        };
        let mut codes = vec![];
        for reference in json
            .get("code")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let outer = self.at.library;
            self.at.library = library;
            let of = self.library_of(reference);
            self.at.library = outer;
            let named = text(reference, "name").unwrap_or_default();
            if let Some(code) = of.and_then(|l| self.code_ref(l, &named)) {
                codes.push(code);
            }
        }
        let display = text(json, "display").map(|d| Box::from(&*d));
        Kind::Const(Constant::Concept(codes.into(), display))
    }
}

fn owned_code(json: &Json, code: &str, system: Option<ConstantCodeSystem>) -> ConstantCode {
    let code = text(json, code);
    let (system, version) = system.map_or((None, None), |s| (Some(s.id), s.version));
    let key = code_key(
        system.as_deref().unwrap_or_default(),
        code.as_deref().unwrap_or_default(),
    );
    ConstantCode {
        code: code.map(|c| Box::from(&*c)),
        system,
        version,
        display: text(json, "display").map(|d| Box::from(&*d)),
        key,
    }
}

/// Item and total of an iteration.
trait Parts {
    fn copied_parts(self) -> Option<(u32, Option<u32>)>;
}

impl Parts for Option<&(Option<Arc<str>>, u32, Option<u32>)> {
    fn copied_parts(self) -> Option<(u32, Option<u32>)> {
        self.map(|(_, item, total)| (*item, *total))
    }
}
