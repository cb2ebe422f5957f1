//! `define`, and what of the library's definitions and value sets the file uses.

use std::collections::HashSet;

use engine_cel::{Compiled, functions};
use engine_patient::finding::{Code, Finding, Span};

use super::compile::{ANYTHING, Compiler};
use super::fields::{Fields, Report};
use crate::document::{Object, Shape};
use crate::library::Library;
use crate::scan::Named;
use crate::template::{Part, parse};
use crate::yaml::{Entry, Node, Value};

/// The definitions of a rule: those of the library that it uses, then its own.
#[derive(Default)]
pub(super) struct Defines {
    pub names: Vec<String>,
    pub of_library: usize,
    /// Where those of the file stand.
    pub spans: Vec<Span>,
    /// `None` where one is wrong.
    pub compiled: Vec<Option<Compiled>>,
}

/// What the expressions of a file name, those of the library's definitions that they use included.
pub(super) fn named(root: &Node, object: &'static Object, library: Option<&Library>) -> Named {
    let mut named = Named::default();
    collect(root, Shape::Object(object), &mut named);
    if let Some(library) = library {
        let own = own_defines(root);
        let mut done = HashSet::new();
        loop {
            let used = library.defines.iter().find(|d| {
                named.names.contains(&d.name)
                    && !own.contains(&d.name.as_str())
                    && !done.contains(&d.name)
            });
            let Some(used) = used else { break };
            named.scan(&used.text);
            done.insert(used.name.clone());
        }
    }
    named
}

/// The names under `define` and `for_each` of the file.
fn own_defines(root: &Node) -> Vec<&str> {
    let Value::Mapping(entries) = &root.value else {
        return vec![];
    };
    let fields = entries.iter();
    let fields = fields.filter(|e| e.key == "define" || e.key == "for_each");
    let names = fields.flat_map(|e| match &e.value.value {
        Value::Mapping(names) => names.as_slice(),
        _ => &[],
    });
    names.map(|d| d.key.as_str()).collect()
}

fn collect(node: &Node, shape: Shape, named: &mut Named) {
    let template = |node: &Node, named: &mut Named| {
        let parts = node.scalar().and_then(|s| parse(&s.text).ok());
        for part in parts.into_iter().flatten() {
            if let Part::Expression(source, _) = part {
                named.scan(&source);
            }
        }
    };
    match (shape, &node.value) {
        (Shape::Expression(_), Value::Scalar(scalar)) => named.scan(&scalar.text),
        (
            Shape::Template | Shape::Resource { templates: true } | Shape::Elements,
            Value::Scalar(_),
        ) => {
            template(node, named);
        }
        (Shape::Object(object), Value::Mapping(entries)) => {
            for entry in entries {
                if let Some(field) = object.field(&entry.key) {
                    collect(&entry.value, field.shape, named);
                }
            }
        }
        (Shape::Named(inner), Value::Mapping(entries)) => {
            entries
                .iter()
                .for_each(|e| collect(&e.value, *inner, named));
        }
        (Shape::List(inner), Value::Sequence(items)) => {
            items.iter().for_each(|item| collect(item, *inner, named));
        }
        (Shape::Resource { templates: true } | Shape::Elements, Value::Mapping(entries)) => {
            entries.iter().for_each(|e| collect(&e.value, shape, named));
        }
        (Shape::Resource { templates: true } | Shape::Elements, Value::Sequence(items)) => {
            items.iter().for_each(|item| collect(item, shape, named));
        }
        _ => {}
    }
}

impl Compiler<'_, '_> {
    /// Checks the definitions of the library that the file uses.
    pub fn library_defines(
        &mut self,
        fields: &Fields<'_>,
        library: Option<&Library>,
        used: &Named,
    ) -> Defines {
        let mut defines = Defines::default();
        let Some(library) = library else {
            return defines;
        };
        let own = own_entries(fields);
        for shared in library.defines.iter() {
            let mut own = own.iter().chain(items(fields));
            let is_own = own.any(|e| e.key == shared.name);
            if is_own || !used.names.contains(&shared.name) {
                continue;
            }
            let compiled = match self.checker.compile(&shared.text, None) {
                Ok(mut compiled) => {
                    // They are told once, where the library is checked.
                    compiled.warnings.clear();
                    Some(compiled)
                }
                Err(problems) => {
                    for problem in problems {
                        let message = format!(
                            "the definition `{}` cannot be used here: {}",
                            shared.name, problem.message
                        );
                        let error = Finding::error(problem.code, message);
                        let error = error.maybe_help(problem.help.clone());
                        let error = error.in_file(library.file.as_str());
                        self.report.elsewhere(error.spanning(shared.span.clone()));
                    }
                    None
                }
            };
            self.known(&shared.name, &compiled);
            defines.names.push(shared.name.clone());
            defines.compiled.push(compiled);
        }
        defines.of_library = defines.names.len();
        defines
    }

    /// Checks the definitions of the file that are about the patient alone, or those that are about the item
    /// or the row; each in their order.
    pub fn defines(&mut self, fields: &Fields<'_>, varying: bool, defines: &mut Defines) {
        let varies = varying_names(fields);
        for entry in own_entries(fields) {
            if varies.contains(entry.key.as_str()) != varying {
                continue;
            }
            define_name(self.report, entry);
            let compiled = self.expression(Some(&entry.value), None);
            self.known(&entry.key, &compiled);
            let span = (entry.at, entry.at + entry.key.chars().count());
            defines.spans.push(self.report.text.span(span));
            defines.names.push(entry.key.clone());
            defines.compiled.push(compiled);
        }
    }

    /// Whether the file defines this name.
    pub fn is_defined(&self, fields: &Fields<'_>, name: &str) -> bool {
        own_entries(fields).iter().any(|e| e.key == name)
    }

    fn known(&mut self, name: &str, compiled: &Option<Compiled>) {
        let stand_in = match compiled {
            None => self.checker.compile(ANYTHING, None).ok(),
            Some(_) => None,
        };
        if let Some(known) = compiled.as_ref().or(stand_in.as_ref()) {
            self.checker.define(name, known);
        }
    }

    /// Warns of what of the file no expression names.
    pub fn unused(&mut self, fields: &Fields<'_>) {
        let sets: HashSet<&str> = self.checker.unused_value_sets().collect();
        let definitions: HashSet<&str> = self.checker.unused_definitions().collect();
        for (field, kind, unused) in [
            ("value_sets", "value set", sets),
            ("define", "definition", definitions),
        ] {
            let Some(Value::Mapping(entries)) = fields.get(field).map(|n| &n.value) else {
                continue;
            };
            for entry in entries.iter().filter(|e| unused.contains(e.key.as_str())) {
                let name = entry.key.as_str();
                let span = (entry.at, entry.at + name.chars().count());
                let message = format!("the {kind} `{name}` is not used");
                let help = Some("remove it".to_owned());
                self.report.warning(Code::Unused, message, span, help);
            }
        }
    }
}

/// The definitions of the file.
fn own_entries<'n>(fields: &Fields<'n>) -> &'n [Entry] {
    match fields.get("define").map(|n| &n.value) {
        Some(Value::Mapping(entries)) => entries,
        _ => &[],
    }
}

/// What `for_each` names.
fn items<'n>(fields: &Fields<'n>) -> &'n [Entry] {
    match fields.get("for_each").map(|n| &n.value) {
        Some(Value::Mapping(entries)) => entries,
        _ => &[],
    }
}

/// Those of them that name the item or the row, or another one that does.
fn varying_names<'n>(fields: &Fields<'n>) -> HashSet<&'n str> {
    let mut varies: HashSet<&str> = HashSet::from(["row"]);
    varies.extend(items(fields).iter().map(|e| e.key.as_str()));
    for entry in own_entries(fields) {
        let mut named = Named::default();
        let text = entry.value.scalar().map(|s| s.text.as_str());
        named.scan(text.unwrap_or_default());
        if varies.iter().any(|name| named.names.contains(*name)) {
            varies.insert(&entry.key);
        }
    }
    varies
}

const RESERVED: &[&str] = &[
    "at",
    "hook",
    "patient",
    "period_start",
    "period_end",
    "row",
    "userId",
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "exists",
    "all",
    "exists_one",
    "filter",
    "map",
    "has",
];

/// Refuses a name that is none for a definition or an item.
pub(super) fn define_name(report: &mut Report<'_>, entry: &Entry) {
    let name = entry.key.as_str();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(good);
    let what = if !plain {
        "is not a name for a definition"
    } else if RESERVED.contains(&name) || functions::find(name).is_some() {
        "is a word of the language"
    } else {
        return;
    };
    let help = "a small letter, then letters, digits and `_`, as in `recent_hba1c`; no word of the language";
    let span = (entry.at, entry.at + name.chars().count().max(1));
    report.error(
        Code::BadName,
        format!("`{name}` {what}"),
        span,
        Some(help.into()),
    );
}
