//! A `Property` with neither source nor scope: translators 3.3 to 3.18 write so the code of a
//! Medication within `with [Medication] M such that … M.code in …`. What it is of is the one alias of
//! the queries around whose resources have that element.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Linker, Role};
use crate::fhir::property::Path;
use crate::read::library::text;
use crate::tree::node::{Kind, NO_CLAUSE, Node};
use crate::values::types::{Type, TypeId};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, Finding};

/// Where items come from: all that they may be. Empty where that cannot be told from the text.
pub(super) type Origins = Box<[Origin]>;

/// What the items of a list may be.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Type(TypeId),
    /// What a definition of a library gives.
    Definition(u32, Arc<str>),
    /// What a function of a library gives.
    Function(u32, Arc<str>),
    Unknown,
}

/// Deepest look into an expression, and into definitions that refer to each other.
pub(super) const DEPTH: u32 = 16;
/// Most definitions, functions and expressions looked at for one property.
const LOOKS: u32 = 1000;

/// What stands around a property.
#[derive(Default)]
struct Around {
    /// Aliases whose items have the element.
    with: Vec<Arc<str>>,
    /// Aliases of whose items that cannot be told.
    perhaps: Vec<Arc<str>>,
}

impl Linker<'_> {
    /// The alias that a property without source and scope is of. `None`, with a finding, where there
    /// is none, or several.
    pub(super) fn bare_property(&mut self, path: &str, compiled: &Path) -> Option<Node> {
        let local = |slot| Node {
            kind: Kind::Local(slot),
            clause: NO_CLAUSE,
        };
        if let Some(slot) = self.scope.sort_item {
            self.scope.lowest = self.scope.lowest.min(slot);
            return Some(local(slot));
        }
        let element = compiled.segments.first().map_or("", |s| &*s.name);
        let mut end = self.scope.names.len();
        for begin in self.scope.queries.clone().into_iter().rev() {
            let around = self.around(begin, end, element);
            end = begin;
            match (around.with.as_slice(), around.perhaps.as_slice()) {
                ([], []) => {}
                ([alias], []) => {
                    let message = format!(
                        "the property `{path}` has neither source nor scope: taken as `{alias}.{path}`, the only alias that has such an element"
                    );
                    self.report(Finding::warning(Code::ElmBareProperty, message));
                    return self.scope.find(Role::Alias, alias).map(local);
                }
                (with, perhaps) => {
                    let all: Vec<String> = with
                        .iter()
                        .chain(perhaps)
                        .map(|alias| format!("`{alias}.{path}`"))
                        .collect();
                    let message = format!("the property `{path}` has neither source nor scope");
                    let help = format!(
                        "it may be {}: write which in the CQL, or translate it with a newer translator",
                        all.join(" or ")
                    );
                    self.report(Finding::error(Code::ElmBareProperty, message).help(help));
                    return None;
                }
            }
        }
        let message = format!(
            "the property `{path}` has neither source nor scope, and nothing around it has such an element"
        );
        let help = "translate the CQL with a newer translator".to_owned();
        self.report(Finding::error(Code::ElmBareProperty, message).help(help));
        None
    }

    /// Whether it is a FHIR Period made an interval, as far as the text tells.
    pub(super) fn is_period(&self, json: &Json) -> bool {
        let is = |node: &Json, name: &str| node.get("type").and_then(Json::as_str) == Some(name);
        if !is(json, "FunctionRef") || text(json, "name").as_deref() != Some("ToInterval") {
            return false;
        }
        let operands = json.get("operand").and_then(Json::as_array);
        let Some([of]) = operands.map(Vec::as_slice) else {
            return false;
        };
        let period = TypeId::of("Period");
        if is(of, "As") {
            let mut types = vec![];
            match of.get("asTypeSpecifier") {
                Some(specifier) => specified(specifier, DEPTH, &mut types),
                None => types.push(named_type(&text(of, "asType").unwrap_or_default())),
            }
            return matches!(types.as_slice(), [Origin::Type(ty)] if Some(*ty) == period);
        }
        let (Some(scope), Some(path)) = (text(of, "scope"), text(of, "path")) else {
            return false;
        };
        let mut names = self.scope.names.iter().rev();
        let found = names.find(|(role, name, _)| *role == Role::Alias && *name == scope);
        let Some(origins) = found.and_then(|(_, _, slot)| self.scope.origins.get(slot)) else {
            return false;
        };
        let (mut looks, mut types) = (LOOKS, vec![]);
        let mut all = origins.iter();
        let known = all.all(|o| self.types(o, DEPTH, &mut looks, &mut types));
        let is_period = |ty: &TypeId| {
            let element = Model::r4().element(ty.name(), &path);
            element.is_some_and(|e| e.types == ["Period"])
        };
        is(of, "Property") && known && !types.is_empty() && types.iter().all(is_period)
    }

    /// The aliases among some names, and whether their items have an element.
    fn around(&self, begin: usize, end: usize, element: &str) -> Around {
        let mut out = Around::default();
        let names = self.scope.names.get(begin..end).unwrap_or_default();
        for (_, name, slot) in names.iter().filter(|(role, _, _)| *role == Role::Alias) {
            let mut looks = LOOKS;
            let mut types = vec![];
            let known = self.scope.origins.get(slot).is_some_and(|origins| {
                !origins.is_empty()
                    && origins
                        .iter()
                        .all(|o| self.types(o, DEPTH, &mut looks, &mut types))
            });
            let has = |ty: &TypeId| Model::r4().element(ty.name(), element).is_some();
            match (known, types.iter().any(has)) {
                (_, true) => out.with.push(Arc::clone(name)),
                (false, false) => out.perhaps.push(Arc::clone(name)),
                (true, false) => {}
            }
        }
        out
    }

    /// What the items of an expression may be, as far as its text tells.
    pub(super) fn origins(&self, json: Option<&Json>) -> Origins {
        let mut out = vec![];
        self.gather(self.at.library, None, json, DEPTH, &mut out);
        out.into()
    }

    /// `operands`: those of the function that the expression stands in. `None` of what is being
    /// compiled, whose names are in scope.
    fn gather(
        &self,
        library: u32,
        operands: Option<&[(Arc<str>, Json)]>,
        json: Option<&Json>,
        depth: u32,
        out: &mut Vec<Origin>,
    ) {
        let Some(json) = json.filter(|_| depth > 0) else {
            return out.push(Origin::Unknown);
        };
        let named = || {
            let name = text(json, "name")?;
            Some((self.included(library, json)?, name))
        };
        let list = |field: &str| json.get(field).and_then(Json::as_array);
        match json.get("type").and_then(Json::as_str).unwrap_or_default() {
            "Retrieve" => out.push(named_type(&text(json, "dataType").unwrap_or_default())),
            "ExpressionRef" => out.push(named().map_or(Origin::Unknown, |(library, name)| {
                Origin::Definition(library, name)
            })),
            "FunctionRef" => out.push(named().map_or(Origin::Unknown, |(library, name)| {
                Origin::Function(library, name)
            })),
            "Query" if json.get("aggregate").is_none_or(Json::is_null) => {
                let returned = json.get("return").and_then(|r| r.get("expression"));
                let sources: Vec<&Json> = list("source").into_iter().flatten().collect();
                let of = match (returned, sources.as_slice()) {
                    (None, [one]) => Some(*one),
                    (Some(returned), all) => {
                        let alias = returned.get("type").and_then(Json::as_str) == Some("AliasRef");
                        let name = returned.get("name").filter(|_| alias);
                        all.iter()
                            .copied()
                            .find(|s| name.is_some() && s.get("alias") == name)
                    }
                    _ => None,
                };
                let of = of.and_then(|s| s.get("expression"));
                self.gather(library, operands, of, depth - 1, out);
            }
            "Union" | "Intersect" | "Except" => {
                for item in list("operand").into_iter().flatten() {
                    self.gather(library, operands, Some(item), depth - 1, out);
                }
            }
            "First" | "Last" => {
                self.gather(library, operands, json.get("source"), depth - 1, out);
            }
            "SingletonFrom" | "Distinct" | "ToList" => {
                self.gather(library, operands, json.get("operand"), depth - 1, out);
            }
            "As" => match json.get("asTypeSpecifier") {
                Some(specifier) => specified(specifier, depth - 1, out),
                None => out.push(named_type(&text(json, "asType").unwrap_or_default())),
            },
            node @ ("AliasRef" | "OperandRef") => {
                let name = text(json, "name").unwrap_or_default();
                if let Some(operands) = operands {
                    let found = operands.iter().find(|(n, _)| *n == name);
                    return match found.filter(|_| node == "OperandRef") {
                        Some((_, specifier)) => specified(specifier, depth - 1, out),
                        None => out.push(Origin::Unknown),
                    };
                }
                let role = match node {
                    "AliasRef" => Role::Alias,
                    _ => Role::Operand,
                };
                let mut names = self.scope.names.iter().rev();
                let found = names.find(|(r, n, _)| *r == role && *n == name);
                match found.and_then(|(_, _, slot)| self.scope.origins.get(slot)) {
                    Some(origins) => out.extend(origins.iter().cloned()),
                    None => out.push(Origin::Unknown),
                }
            }
            _ => out.push(Origin::Unknown),
        }
    }

    /// The library that a reference names.
    fn included(&self, library: u32, json: &Json) -> Option<u32> {
        match json.get("libraryName").and_then(Json::as_str) {
            None => Some(library),
            Some(alias) => self.includes.get(library as usize)?.get(alias).copied(),
        }
    }

    /// The types that an origin can have; `false` where not all could be told.
    fn types(&self, origin: &Origin, depth: u32, looks: &mut u32, out: &mut Vec<TypeId>) -> bool {
        if depth == 0 || *looks == 0 {
            return false;
        }
        *looks -= 1;
        let mut next = vec![];
        match origin {
            Origin::Type(ty) => {
                out.push(*ty);
                return true;
            }
            Origin::Unknown => return false,
            Origin::Definition(library, name) => {
                let source = self.libraries.get(*library as usize);
                let definition = source.and_then(|s| s.expression(name));
                let expression = definition.and_then(|d| d.expression.as_ref());
                self.gather(*library, Some(&[]), expression, DEPTH, &mut next);
            }
            Origin::Function(library, name) => {
                let Some(source) = self.libraries.get(*library as usize) else {
                    return false;
                };
                for index in source.functions(name) {
                    let Some(function) = source.definitions.get(*index) else {
                        continue;
                    };
                    let body = function.expression.as_ref();
                    self.gather(*library, Some(&function.operands), body, DEPTH, &mut next);
                }
            }
        }
        !next.is_empty()
            && next
                .iter()
                .all(|origin| self.types(origin, depth - 1, looks, out))
    }
}

/// A type by its qualified name, where it is one of FHIR's.
fn named_type(name: &str) -> Origin {
    match Type::named(name) {
        Some(Type::Fhir(id)) => Origin::Type(id),
        _ => Origin::Unknown,
    }
}

/// The types of the items of a specifier.
pub(super) fn specified(json: &Json, depth: u32, out: &mut Vec<Origin>) {
    if depth == 0 {
        return out.push(Origin::Unknown);
    }
    if let Some(name) = json.as_str() {
        return out.push(named_type(name));
    }
    match json.get("type").and_then(Json::as_str) {
        Some("NamedTypeSpecifier") => {
            let name = json.get("name").and_then(Json::as_str);
            out.push(named_type(name.unwrap_or_default()));
        }
        Some("ListTypeSpecifier") => match json.get("elementType") {
            Some(of) => specified(of, depth - 1, out),
            None => out.push(Origin::Unknown),
        },
        Some("ChoiceTypeSpecifier") => {
            let choices = json.get("choice").and_then(Json::as_array);
            for choice in choices.into_iter().flatten() {
                specified(choice, depth - 1, out);
            }
        }
        _ => out.push(Origin::Unknown),
    }
}
