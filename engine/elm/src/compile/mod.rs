//! From libraries to the compiled tree: names resolved, overloads chosen, value sets and codes interned; all that
//! is wrong reported at once, with its place.

mod bare_property;
mod constant_folding;
mod expression;
mod literal;
mod query;
mod reference;
mod retrieve;
mod specifier;

use engine_patient::plural::several;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::read::library::{Definition, Library};
use crate::tree::constant::Constant;
use crate::tree::libraries::{
    Clause, Compiled, CompiledLibraries, Expression, Function, FunctionHandle, LibraryInfo,
};
use crate::tree::node::{Kind, NO_CLAUSE, Node};
use crate::values::types::Type;
use engine_patient::finding::{Code, Finding, did_you_mean};
use engine_patient::terminology::TerminologyProvider;

/// How to link.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A value set that is missing is a warning, not an error.
    pub allow_missing_value_sets: bool,
    /// Run FHIRHelpers natively.
    pub native_helpers: bool,
    /// Evaluate what depends on nothing but the patient once, not for every row of a query. `false`
    /// only to prove that it makes no difference.
    pub hoist: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            allow_missing_value_sets: false,
            native_helpers: true,
            hoist: true,
        }
    }
}

/// Longest chain of definitions and functions that refer to each other. Official content stays under
/// 40, and an evaluation has no room for more.
const CHAIN: u32 = 1000;
/// Findings beyond this come without a guess what was meant.
const NEAR: usize = 50;
/// Most names that a guess looks at.
const NAMES: usize = 2000;

/// Compiles what is asked for, and what that refers to.
pub struct Linker<'l> {
    libraries: &'l [Library],
    terminology: &'l dyn TerminologyProvider,
    options: Options,
    compiled: CompiledLibraries,
    issues: BTreeSet<Finding>,
    /// Per library: alias to library.
    includes: Vec<FxHashMap<Arc<str>, u32>>,
    definitions: FxHashMap<(u32, Arc<str>), State>,
    functions: FxHashMap<(u32, usize), u32>,
    /// `None` while its default is compiled.
    parameters: FxHashMap<(u32, Arc<str>), Option<u32>>,
    /// Types that FHIR R4 lacks and that were told, by library.
    lacking: BTreeSet<(u32, Box<str>)>,
    /// Definitions and functions that are being compiled.
    open: u32,
    at: Place,
    scope: Scope,
}

#[derive(Clone, Copy)]
enum State {
    Open,
    Done(u32),
}

/// Where the compiler is.
#[derive(Clone, Default)]
struct Place {
    library: u32,
    definition: Option<Arc<str>>,
    nodes: Vec<(Arc<str>, Option<Arc<str>>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alias,
    Let,
    Operand,
}

/// The names and slots of a definition.
#[derive(Default)]
struct Scope {
    names: Vec<(Role, Arc<str>, u32)>,
    next: u32,
    /// The lowest slot that was referred to since somebody looked.
    lowest: u32,
    /// Inside a loop or a function, what depends on the patient only is worth a memo.
    repeated: u32,
    retrieves: BTreeSet<u32>,
    /// The item of a `sort by` expression, whose properties stand there as bare names.
    sort_item: Option<u32>,
    /// Where the names of each query that stands around begin in `names`, outermost first.
    queries: Vec<usize>,
    /// Where the items of an alias come from, by its slot.
    origins: FxHashMap<u32, bare_property::Origins>,
    /// The items of `Filter`, `ForEach`, `Repeat`, `Aggregate`: scope name, item, total.
    items: Vec<(Option<Arc<str>>, u32, Option<u32>)>,
}

impl Scope {
    fn slot(&mut self) -> u32 {
        let slot = self.next;
        self.next = self.next.saturating_add(1);
        slot
    }

    fn declare(&mut self, role: Role, name: &str) -> u32 {
        let slot = self.slot();
        self.names.push((role, name.into(), slot));
        slot
    }

    fn find(&mut self, role: Role, name: &str) -> Option<u32> {
        let found = self
            .names
            .iter()
            .rev()
            .find(|(r, n, _)| *r == role && **n == *name)
            .map(|(_, _, slot)| *slot)?;
        self.lowest = self.lowest.min(found);
        Some(found)
    }
}

impl<'l> Linker<'l> {
    /// Links libraries by their includes. Two libraries of the same name and version are a mistake
    /// of the caller's: the first is used.
    pub fn new(
        libraries: &'l [Library],
        terminology: &'l dyn TerminologyProvider,
        options: Options,
    ) -> Self {
        let mut linker = Linker {
            libraries,
            terminology,
            options,
            compiled: CompiledLibraries::default(),
            issues: BTreeSet::new(),
            includes: vec![],
            definitions: FxHashMap::default(),
            functions: FxHashMap::default(),
            parameters: FxHashMap::default(),
            lacking: BTreeSet::new(),
            open: 0,
            at: Place::default(),
            scope: Scope::default(),
        };
        for library in libraries {
            linker.issues.extend(library.issues.iter().cloned());
            linker.compiled.libraries.push(LibraryInfo {
                name: Arc::clone(&library.name),
                version: library.version.clone(),
                source: Arc::clone(&library.source),
            });
        }
        for library in libraries {
            let aliases = linker.link(library);
            linker.includes.push(aliases);
        }
        linker.circles();
        linker
    }

    fn link(&mut self, library: &Library) -> FxHashMap<Arc<str>, u32> {
        let mut aliases = FxHashMap::default();
        for include in &library.includes {
            let found = self.find_library(&include.name, include.version.as_deref());
            match found {
                Some(index) => {
                    aliases.insert(Arc::clone(&include.alias), index);
                }
                None => {
                    let versions: Vec<String> = self
                        .libraries
                        .iter()
                        .filter(|l| l.name == include.name)
                        .map(|l| l.version.as_deref().unwrap_or("(none)").to_owned())
                        .collect();
                    let asked = match &include.version {
                        Some(version) => format!("{}|{version}", include.name),
                        None => include.name.to_string(),
                    };
                    let issue = if versions.is_empty() {
                        let names = self.libraries.iter().map(|l| &*l.name);
                        let near = did_you_mean(&include.name, names);
                        let message =
                            format!("the included library `{asked}` is not in the package");
                        let help = match near {
                            Some(near) => format!(
                                "did you mean `{near}`? Otherwise add its FHIR Library to the package"
                            ),
                            None => "add its FHIR Library to the package".into(),
                        };
                        Finding::error(Code::ElmLibraryMissing, message).help(help)
                    } else {
                        let message = format!(
                            "the included library `{asked}` is not in the package in that version"
                        );
                        Finding::error(Code::ElmLibraryVersion, message)
                            .help(format!("in the package: {}", versions.join(", ")))
                    };
                    self.issues.insert(library.finding(issue));
                }
            }
        }
        aliases
    }

    fn find_library(&self, name: &str, version: Option<&str>) -> Option<u32> {
        let mut found = self
            .libraries
            .iter()
            .enumerate()
            .filter(|(_, l)| *l.name == *name);
        let index = match version {
            Some(version) => {
                found
                    .find(|(_, l)| l.version.as_deref() == Some(version))?
                    .0
            }
            // Without a version the highest.
            None => {
                found
                    .max_by(|(_, a), (_, b)| {
                        engine_patient::terminology::compare_versions(
                            a.version.as_deref(),
                            b.version.as_deref(),
                        )
                    })?
                    .0
            }
        };
        u32::try_from(index).ok()
    }

    /// Libraries that include each other.
    fn circles(&mut self) {
        for start in 0..self.libraries.len() {
            let mut seen = vec![false; self.libraries.len()];
            let mut next: Vec<usize> = vec![start];
            while let Some(at) = next.pop() {
                let targets = self.includes.get(at).into_iter().flat_map(|a| a.values());
                for target in targets.map(|t| *t as usize) {
                    if let Some(slot) = seen.get_mut(target)
                        && !*slot
                    {
                        *slot = true;
                        next.push(target);
                    }
                }
            }
            if let (Some(true), Some(library)) = (seen.get(start), self.libraries.get(start)) {
                let message = format!(
                    "the library `{}` includes itself, through others or directly",
                    library.name
                );
                self.issues
                    .insert(library.finding(Finding::error(Code::ElmCircle, message)));
            }
        }
    }

    /// The place of a library; without a version the highest.
    pub fn library(&self, name: &str, version: Option<&str>) -> Option<u32> {
        self.find_library(name, version)
    }

    /// Compiles an expression definition. `None`, with a finding, where there is none.
    pub fn expression(&mut self, library: u32, name: &str) -> Option<Expression> {
        self.at = Place {
            library,
            ..Place::default()
        };
        let name = self.name_in(library, name, false)?;
        self.definition(library, &name).map(Expression)
    }

    /// Compiles a function of so many operands.
    pub fn function(
        &mut self,
        library: u32,
        name: &str,
        operands: usize,
    ) -> Option<FunctionHandle> {
        self.at = Place {
            library,
            ..Place::default()
        };
        let name = self.name_in(library, name, true)?;
        let source = self.libraries.get(library as usize)?;
        let takes = |i: &usize| {
            let definition = source.definitions.get(*i);
            definition.is_some_and(|d| d.operands.len() == operands)
        };
        let found = source.functions(&name).iter().copied().find(takes);
        match found {
            Some(index) => self.compile_function(library, index).map(FunctionHandle),
            None => {
                let message = format!(
                    "the function `{name}` does not take {}",
                    several(operands as u64, "operand", "operands")
                );
                let arities: Vec<String> = source
                    .functions(&name)
                    .iter()
                    .filter_map(|i| source.definitions.get(*i))
                    .map(|d| d.operands.len().to_string())
                    .collect();
                let help = format!("it takes {}", arities.join(" or "));
                self.report(Finding::error(Code::ElmNoOverload, message).help(help));
                None
            }
        }
    }

    /// The name as the library has it: an unambiguous difference of case is accepted with a warning.
    fn name_in(&mut self, library: u32, name: &str, function: bool) -> Option<Arc<str>> {
        let source = self.libraries.get(library as usize)?;
        let of_kind = |d: &&Definition| d.is_function == function;
        let names = || source.definitions.iter().filter(of_kind).map(|d| &d.name);
        if let Some(found) = names().find(|n| ***n == *name) {
            return Some(Arc::clone(found));
        }
        let mut close: Vec<&Arc<str>> = names().filter(|n| n.eq_ignore_ascii_case(name)).collect();
        close.sort();
        close.dedup();
        if let [one] = close.as_slice() {
            let found = Arc::clone(one);
            let message = format!("`{name}` is written `{found}` in the library; taken as that");
            self.report(Finding::warning(Code::ElmNameCase, message));
            return Some(found);
        }
        let what = if function { "function" } else { "definition" };
        let other = source
            .definitions
            .iter()
            .any(|d| d.is_function != function && *d.name == *name);
        let help = if other {
            let is = if function { "definition" } else { "function" };
            Some(format!("`{name}` is a {is}; here a {what} belongs"))
        } else {
            let near = self.near(name, names().map(|n| &**n));
            near.map(|n| format!("did you mean `{n}`?"))
        };
        self.report(
            Finding::error(
                Code::ElmUnknownReference,
                format!("the library has no {what} `{name}`"),
            )
            .maybe_help(help),
        );
        None
    }

    /// Compiles every definition and function of a library, so that all that is wrong in it shows.
    pub fn everything(&mut self, library: u32) {
        let Some(source) = self.libraries.get(library as usize) else {
            return;
        };
        for (index, definition) in source.definitions.iter().enumerate() {
            self.at = Place {
                library,
                ..Place::default()
            };
            if definition.is_function {
                if !definition.external {
                    self.compile_function(library, index);
                }
            } else {
                self.definition(library, &definition.name);
            }
        }
    }

    /// What was compiled, and all that was found. With an error among the findings it must not be run.
    pub fn finish(mut self) -> (CompiledLibraries, Vec<Finding>) {
        for ((library, name), state) in &self.definitions {
            if let State::Done(index) = state {
                self.compiled
                    .by_name
                    .insert((*library, Arc::clone(name)), *index);
            }
        }
        (self.compiled, self.issues.into_iter().collect())
    }

    fn definition(&mut self, library: u32, name: &Arc<str>) -> Option<u32> {
        let key = (library, Arc::clone(name));
        match self.definitions.get(&key) {
            Some(State::Done(index)) => return Some(*index),
            Some(State::Open) => {
                let message =
                    format!("the definition `{name}` refers to itself, through others or directly");
                self.report(Finding::error(Code::ElmCircle, message));
                return None;
            }
            None => {}
        }
        let source = self.libraries.get(library as usize)?;
        let found = source.expression(name)?;
        if !self.enter(name) {
            return None;
        }
        self.definitions.insert(key.clone(), State::Open);
        let outer_place = std::mem::replace(
            &mut self.at,
            Place {
                library,
                definition: Some(Arc::clone(name)),
                nodes: vec![],
            },
        );
        let outer_scope = std::mem::take(&mut self.scope);
        self.check_context(found);
        let node = match &found.expression {
            Some(json) => self.expr(json),
            None => {
                self.report(Finding::error(
                    Code::ElmWrongForm,
                    format!("`{name}` has no expression"),
                ));
                null()
            }
        };
        let scope = std::mem::replace(&mut self.scope, outer_scope);
        self.at = outer_place;
        self.open = self.open.saturating_sub(1);
        let index = u32::try_from(self.compiled.definitions.len()).ok()?;
        self.compiled.definitions.push(Compiled {
            library,
            name: Arc::clone(name),
            node,
            frame: scope.next,
            retrieves: scope.retrieves,
            annotation: found.annotation.clone(),
        });
        self.definitions.insert(key, State::Done(index));
        Some(index)
    }

    /// Begins a definition or function, unless there are too many begun.
    fn enter(&mut self, name: &str) -> bool {
        if self.open >= CHAIN {
            let message = format!(
                "`{name}` stands at the end of a chain of more than {CHAIN} definitions that refer to each other"
            );
            self.report(Finding::unsupported(Code::ElmNotJson, message));
            return false;
        }
        self.open += 1;
        true
    }

    /// The name that was meant. Looking for it takes long where there are many names, so only the
    /// first findings have it.
    fn near<'n>(&self, name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        if self.issues.len() > NEAR {
            return None;
        }
        did_you_mean(name, names.into_iter().take(NAMES))
    }

    fn check_context(&mut self, definition: &Definition) {
        let context = definition.context.as_deref();
        if let Some("Population" | "Unfiltered" | "Unspecified") = context
            && definition.expression.as_ref().is_some_and(has_retrieve)
        {
            let message = "this definition retrieves over all patients at once".to_owned();
            let help = "only the Patient context is supported".to_owned();
            self.report(Finding::unsupported(Code::ElmRetrieve, message).help(help));
        }
    }

    fn compile_function(&mut self, library: u32, index: usize) -> Option<u32> {
        if let Some(found) = self.functions.get(&(library, index)) {
            return Some(*found);
        }
        let source = self.libraries.get(library as usize)?;
        let definition = source.definitions.get(index)?;
        let place = u32::try_from(self.compiled.functions.len()).ok()?;
        if !self.enter(&definition.name) {
            return None;
        }
        let outer_place = std::mem::replace(
            &mut self.at,
            Place {
                library,
                definition: Some(Arc::clone(&definition.name)),
                nodes: vec![],
            },
        );
        let outer_scope = std::mem::take(&mut self.scope);
        self.scope.repeated = 1;
        let mut operands = vec![];
        for (name, specifier) in &definition.operands {
            let slot = self.scope.declare(Role::Operand, name);
            let mut origins = vec![];
            bare_property::specified(specifier, bare_property::DEPTH, &mut origins);
            self.scope.origins.insert(slot, origins.into());
            operands.push(self.specifier(specifier));
        }
        // Known before its body: it may call itself.
        self.functions.insert((library, index), place);
        self.compiled.functions.push(Function {
            library,
            name: Arc::clone(&definition.name),
            operands,
            operand_names: definition
                .operands
                .iter()
                .map(|(n, _)| Arc::clone(n))
                .collect(),
            retrieves: BTreeSet::new(),
            node: null(),
            frame: 0,
            annotation: definition.annotation.clone(),
        });
        let node = match &definition.expression {
            Some(json) => self.expr(json),
            None => {
                let name = &definition.name;
                let message = format!("the function `{name}` has no body: it is external");
                self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                null()
            }
        };
        let scope = std::mem::replace(&mut self.scope, outer_scope);
        self.at = outer_place;
        self.open = self.open.saturating_sub(1);
        if let Some(function) = self.compiled.functions.get_mut(place as usize) {
            function.node = node;
            function.frame = scope.next;
            function.retrieves = scope.retrieves;
        }
        Some(place)
    }

    /// Notes a finding at the present place.
    /// A finding at the node that is being compiled.
    fn report(&mut self, finding: Finding) {
        let Some(library) = self.libraries.get(self.at.library as usize) else {
            return;
        };
        let (local_id, locator) = match self.at.nodes.last() {
            Some((id, locator)) => (Some(Arc::clone(id)), locator.clone()),
            None => (None, None),
        };
        let definition = self.at.definition.clone();
        let finding = library.finding_at(finding, definition, local_id, locator);
        self.issues.insert(finding);
    }

    /// The clause of the present node.
    fn clause(&mut self, node: &'static str) -> u32 {
        let Some((id, locator)) = self.at.nodes.last() else {
            return NO_CLAUSE;
        };
        let index = u32::try_from(self.compiled.clauses.len()).unwrap_or(NO_CLAUSE);
        self.compiled.clauses.push(Clause {
            library: self.at.library,
            local_id: Arc::clone(id),
            locator: locator.clone(),
            node,
        });
        index
    }

    /// A name in another library, or in this one.
    fn library_of(&mut self, json: &Json) -> Option<u32> {
        let Some(alias) = json.get("libraryName").and_then(Json::as_str) else {
            return Some(self.at.library);
        };
        let aliases = self.includes.get(self.at.library as usize)?;
        if let Some(found) = aliases.get(alias) {
            return Some(*found);
        }
        let source = self.libraries.get(self.at.library as usize)?;
        // An include that was not found has been reported.
        if !source.includes.iter().any(|i| *i.alias == *alias) {
            let near = self.near(alias, source.includes.iter().map(|i| &*i.alias));
            let help = near.map(|n| format!("did you mean `{n}`?"));
            let message = format!("the library includes nothing as `{alias}`");
            self.report(Finding::error(Code::ElmUnknownReference, message).maybe_help(help));
        }
        None
    }
}

/// The constant null, also where a finding stands in the way.
fn null() -> Node {
    Node {
        kind: Kind::Const(Constant::Null),
        clause: NO_CLAUSE,
    }
}

/// Whether a Retrieve stands anywhere in it.
fn has_retrieve(json: &Json) -> bool {
    let mut next = vec![json];
    while let Some(json) = next.pop() {
        match json {
            Json::Object(map) => {
                if map.get("type").and_then(Json::as_str) == Some("Retrieve") {
                    return true;
                }
                next.extend(
                    map.iter()
                        .filter(|(k, _)| *k != "annotation")
                        .map(|(_, v)| v),
                );
            }
            Json::Array(items) => next.extend(items),
            _ => {}
        }
    }
    false
}

/// The type of an expression where the translator wrote it down.
fn result_type(linker: &mut Linker<'_>, json: &Json) -> Option<Type> {
    if let Some(name) = json.get("resultTypeName").and_then(Json::as_str) {
        return Type::named(name);
    }
    let specifier = json.get("resultTypeSpecifier")?;
    Some(linker.specifier(specifier))
}
