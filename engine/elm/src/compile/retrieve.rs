//! Retrieves: each distinct one is compiled, and answered, once.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use super::{Linker, null};
use crate::context::doubt::about_set;
use crate::fhir::elements::{child, choices};
use crate::fhir::property::Path;
use crate::read::library::text;
use crate::tree::constant::Constant;
use crate::tree::node::{Kind, Node};
use crate::tree::retrieve::{CodeFilter, CodePath, Codes, Retrieve, Wanted};
use crate::values::types::{FHIR, TypeId};
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::Name;
use engine_patient::fhir::profiles::Profile;
use engine_patient::finding::{Code as FindingCode, Finding};
use engine_patient::requirements::{CodeFilter as RequiredCodes, DataRequirement};
use engine_patient::terminology::{Code, ValueSet};

impl Linker<'_> {
    pub(super) fn retrieve(&mut self, json: &Json) -> Kind {
        let (before, lowest) = (self.scope.next, self.scope.lowest);
        self.scope.lowest = u32::MAX;
        let compiled = self.compile_retrieve(json);
        // It refers to an alias, let or operand around it.
        let open = self.scope.lowest < before;
        self.scope.lowest = lowest.min(self.scope.lowest);
        match compiled {
            Some(mut retrieve) => {
                retrieve.open = open;
                let index = self.keep_retrieve(retrieve);
                self.scope.retrieves.insert(index);
                Kind::Retrieve(index)
            }
            None => null().kind,
        }
    }

    fn unsupported(&mut self, message: String) {
        self.report(Finding::unsupported(FindingCode::ElmRetrieve, message));
    }

    fn compile_retrieve(&mut self, json: &Json) -> Option<Retrieve> {
        let data_type = text(json, "dataType").unwrap_or_default();
        let named = data_type.strip_prefix('{').and_then(|d| d.split_once('}'));
        let info = named
            .filter(|(namespace, _)| *namespace == FHIR)
            .and_then(|(_, name)| Model::r4().resource(name));
        let Some(info) = info else {
            let message = format!("`{data_type}` is not a FHIR R4 resource type");
            self.report(Finding::error(FindingCode::ElmRetrieve, message));
            return None;
        };
        let resource_type = Name::of(info.name)?;
        let type_id = TypeId::of(info.name)?;
        for list in ["include", "codeFilter", "dateFilter", "otherFilter"] {
            // Translators write these beside the attributes they repeat.
            let items = json.get(list).and_then(Json::as_array);
            if items.is_some_and(|i| !i.is_empty()) {
                self.unsupported(format!("a retrieve with `{list}` elements"));
            }
        }
        for attribute in ["id", "context", "dateLowProperty", "dateHighProperty"] {
            if json.get(attribute).is_some_and(|a| !a.is_null()) {
                self.unsupported(format!("a retrieve with `{attribute}`"));
            }
        }
        let template = text(json, "templateId");
        let base = format!("{FHIR}/StructureDefinition/{}", info.name);
        let profile = template
            .as_deref()
            .filter(|t| *t != base)
            .map(|t| Profile::of(t, resource_type));
        let mut requirement = DataRequirement {
            resource_type,
            codes: None,
        };
        let mut label = info.name.to_owned();
        let mut wanted = None;
        let code = match json.get("codes").filter(|c| c.is_object()) {
            Some(codes) => {
                let (filter, required) = self.code_filter(
                    json,
                    codes,
                    info.name,
                    resource_type,
                    (&mut label, &mut wanted),
                )?;
                requirement.codes = required;
                Some(filter)
            }
            None => None,
        };
        let date = match (
            json.get("dateRange").filter(|d| d.is_object()),
            text(json, "dateProperty"),
        ) {
            (Some(range), Some(property)) => {
                let node = self.expr(range);
                Path::parse(&property).map(|path| (path, node))
            }
            (Some(_), None) => {
                self.unsupported("a retrieve with a date range and no `dateProperty`".into());
                None
            }
            _ => None,
        };
        Some(Retrieve {
            resource_type,
            type_id,
            profile,
            code,
            date,
            requirement,
            label: label.into(),
            wanted,
            open: false,
        })
    }

    fn code_filter(
        &mut self,
        json: &Json,
        codes: &Json,
        type_name: &'static str,
        resource_type: Name,
        (label, wanted): (&mut String, &mut Option<Wanted>),
    ) -> Option<(CodeFilter, Option<RequiredCodes>)> {
        let info = Model::r4().resource(type_name)?;
        let property = text(json, "codeProperty")
            .or_else(|| info.primary_code_path.map(Arc::from))
            .unwrap_or_default();
        let Some(element) = Model::r4().element(type_name, &property) else {
            let message = format!("`{type_name}` has no element `{property}` to compare codes on");
            self.report(Finding::error(FindingCode::ElmRetrieve, message));
            return None;
        };
        let path: &'static str = element.name;
        let type_id = TypeId::of(type_name)?;
        let names: Vec<Name> = if element.cardinality == Cardinality::Choice {
            let of_type = |n: &&Name| child(type_id, **n).is_some();
            choices(path).iter().filter(of_type).copied().collect()
        } else {
            Name::of(path).into_iter().collect()
        };
        let path_index = self.code_path(CodePath {
            resource_type,
            names,
        });
        let comparator = text(json, "codeComparator").unwrap_or_else(|| "in".into());
        let node = self.expr(codes);
        let doubt = match &node.kind {
            Kind::Const(Constant::ValueSet(set)) if comparator.as_ref() == "in" => match &set.set {
                None => Some(about_set(&set.name, false)),
                Some(found) if !found.completeness().is_trusted() => {
                    Some(about_set(&set.name, true))
                }
                Some(_) => None,
            },
            _ => None,
        };
        *wanted = Some(Wanted {
            element: path,
            comparator: Box::from(&*comparator),
            names: names_of(&node).into(),
        });
        let (codes, required) = self.codes(&comparator, node, path)?;
        if let Some(required) = &required {
            let set = &required.value_set;
            let shown = set
                .name
                .as_deref()
                .or(set.title.as_deref())
                .unwrap_or(&set.url);
            *label = format!("{type_name}: {path} {comparator} {shown}");
        } else if let Codes::WholeSet(url) = &codes {
            *label = format!("{type_name}: {path} about the whole of {url}");
        }
        // What may match although its code is not known to must be here to be told apart. (A medication
        // is looked for where a requirement with codes refers to it.)
        let required = required.filter(|_| doubt.is_none() || path == "medication");
        Some((
            CodeFilter {
                path: path_index,
                codes,
                doubt: doubt.map(Box::from),
            },
            required,
        ))
    }

    fn codes(
        &mut self,
        comparator: &str,
        node: Node,
        path: &'static str,
    ) -> Option<(Codes, Option<RequiredCodes>)> {
        let known = matches!(comparator, "in" | "~" | "=");
        if !known {
            let message = format!("`{comparator}` is no comparator of a retrieve");
            self.report(Finding::error(FindingCode::ElmRetrieve, message));
            return None;
        }
        Some(match node.kind {
            Kind::Const(Constant::ValueSet(set)) if comparator == "in" => {
                let required = set.set.as_ref().map(|set| RequiredCodes {
                    path,
                    value_set: Arc::clone(set),
                });
                // Without its codes it matches nothing; `code_filter` tells what is read.
                let required = required.or_else(|| {
                    let empty = ValueSet::from_codes(&set.id, Some("missing"), vec![], "missing");
                    Some(RequiredCodes {
                        path,
                        value_set: Arc::new(empty),
                    })
                });
                (Codes::Set(set.set), required)
            }
            Kind::Const(Constant::ValueSet(set)) => {
                let url: Box<str> = set.id;
                (Codes::WholeSet(url), None)
            }
            Kind::Const(value) => {
                let mut keys = FxHashSet::default();
                let mut codes = vec![];
                constant_codes(&value, &mut keys, &mut codes);
                codes.sort_by(|a, b| (&a.system, &a.code).cmp(&(&b.system, &b.code)));
                let names: Vec<String> = codes
                    .iter()
                    .map(|c| format!("{}|{}", c.system, c.code))
                    .collect();
                let url = format!("codes: {}", names.join(", "));
                let set = ValueSet::from_codes(&url, None, codes, "the library");
                let required = RequiredCodes {
                    path,
                    value_set: Arc::new(set),
                };
                (Codes::Keys(keys), Some(required))
            }
            other => {
                let node = Node {
                    kind: other,
                    clause: node.clause,
                };
                (Codes::Expression(Box::new(node)), None)
            }
        })
    }

    fn code_path(&mut self, path: CodePath) -> u32 {
        let found = self.compiled.code_paths.iter().position(|p| *p == path);
        let index = found.unwrap_or_else(|| {
            self.compiled.code_paths.push(path);
            self.compiled.code_paths.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The place of a retrieve: the one that is there already where it asks for the same.
    fn keep_retrieve(&mut self, retrieve: Retrieve) -> u32 {
        let found = self
            .compiled
            .retrieves
            .iter()
            .position(|r| same(r, &retrieve));
        let index = found.unwrap_or_else(|| {
            self.compiled.retrieves.push(retrieve);
            self.compiled.retrieves.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }
}

/// Whether two retrieves ask for the same. Those that depend on expressions are taken as different.
fn same(a: &Retrieve, b: &Retrieve) -> bool {
    let codes = match (&a.code, &b.code) {
        (None, None) => true,
        (Some(x), Some(y)) => {
            x.path == y.path
                && match (&x.codes, &y.codes) {
                    (Codes::Set(Some(x)), Codes::Set(Some(y))) => {
                        Arc::ptr_eq(x, y) || (x.url == y.url && x.version == y.version)
                    }
                    (Codes::Set(None), Codes::Set(None)) => a.label == b.label,
                    (Codes::Keys(x), Codes::Keys(y)) => x == y,
                    (Codes::WholeSet(x), Codes::WholeSet(y)) => x == y,
                    _ => false,
                }
        }
        _ => false,
    };
    codes
        && a.resource_type == b.resource_type
        && a.profile.as_ref().map(Profile::url) == b.profile.as_ref().map(Profile::url)
        && a.date.is_none()
        && b.date.is_none()
}

/// What a library calls the codes and value sets that are compared with.
fn names_of(node: &Node) -> Vec<Box<str>> {
    fn of(value: &Constant, out: &mut Vec<Box<str>>) {
        let code = |c: &crate::tree::constant::ConstantCode| {
            let named = c.display.as_deref().or(c.code.as_deref());
            Box::from(named.unwrap_or_default())
        };
        match value {
            Constant::ValueSet(set) => out.push(set.name.clone()),
            Constant::Code(c) => out.push(code(c)),
            Constant::Concept(_, Some(display)) => out.push(display.clone()),
            Constant::Concept(codes, None) => out.extend(codes.iter().map(code)),
            Constant::List(items) => items.iter().for_each(|item| of(item, out)),
            _ => {}
        }
    }
    let mut out = vec![];
    if let Kind::Const(value) = &node.kind {
        of(value, &mut out);
    }
    out
}

fn constant_codes(value: &Constant, keys: &mut FxHashSet<i64>, codes: &mut Vec<Code>) {
    let mut push = |code: &crate::tree::constant::ConstantCode| {
        keys.insert(code.key);
        codes.push(Code::new(
            code.system.as_deref().unwrap_or_default(),
            code.code.as_deref().unwrap_or_default(),
        ));
    };
    match value {
        Constant::Code(code) => push(code),
        Constant::Concept(all, _) => all.iter().for_each(push),
        Constant::List(items) => {
            for item in items {
                constant_codes(item, keys, codes);
            }
        }
        _ => {}
    }
}
