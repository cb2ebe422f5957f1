//! Reading fields of mappings, and collecting what is wrong with them.

use engine_patient::diagnostic::{Diagnostic, Severity, did_you_mean};

use crate::words::Word;
use crate::yaml::{Entry, MAX_FOUND, Node, Text, Value};

/// Everything found in a file.
pub(super) struct Report<'t> {
    pub text: &'t Text,
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// The fields of a mapping whose names were checked.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The value of a field that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|e| e.key == name)?;
        (!entry.value.is_nothing()).then_some(&entry.value)
    }
}

impl<'t> Report<'t> {
    pub fn new(text: &'t Text) -> Self {
        Report {
            text,
            found: vec![],
            errors: 0,
            warnings: 0,
        }
    }

    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }

    /// How many errors so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    pub fn error(
        &mut self,
        code: &'static str,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) {
        self.errors += 1;
        if self.errors <= MAX_FOUND {
            self.found.push(self.text.error(code, message, span, help));
        }
    }

    pub fn warning(
        &mut self,
        code: &'static str,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) {
        self.warnings += 1;
        if self.warnings <= MAX_FOUND {
            let error = self.text.error(code, message, span, help);
            self.found.push(Diagnostic {
                severity: Severity::Warning,
                ..error
            });
        }
    }

    /// An error at a node, and nothing in its place.
    pub fn wrong<T>(
        &mut self,
        code: &'static str,
        message: String,
        node: &Node,
        help: &str,
    ) -> Option<T> {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.error(code, message, (node.at, node.end), help);
        None
    }

    /// The entries of a mapping.
    pub fn entries<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.value {
            Value::Mapping(entries) => entries,
            _ => {
                let message = format!(
                    "{what} must be a mapping (`key: value`), this is {}",
                    node.kind()
                );
                self.wrong::<()>(
                    "wrong-kind",
                    message,
                    node,
                    "write `key: value` lines, indented",
                );
                &[]
            }
        }
    }

    /// The items of a list.
    pub fn items<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            _ => {
                let message = format!("{what} must be a list, this is {}", node.kind());
                self.wrong::<()>("wrong-kind", message, node, "begin each item with `- `");
                &[]
            }
        }
    }

    /// The fields of a mapping: unknown ones are refused, the first `required` of `known` demanded.
    pub fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
        required: usize,
    ) -> Option<Fields<'n>> {
        if !matches!(node.value, Value::Mapping(_)) {
            self.entries(node, what);
            return None;
        }
        let entries = self.entries(node, what);
        for entry in entries {
            let name = entry.key.as_str();
            if !known.contains(&name) && self.errors < MAX_FOUND {
                let help = match did_you_mean(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are `{}`", known.join("`, `")),
                };
                let span = (entry.at, entry.at + name.chars().count());
                self.error(
                    "unknown-field",
                    format!("{what} has no field `{name}`"),
                    span,
                    Some(help),
                );
            }
        }
        let fields = Fields { entries };
        for name in known.iter().take(required) {
            if fields.get(name).is_none() {
                let empty = entries.iter().find(|e| e.key == *name);
                let message = match empty {
                    Some(_) => format!("`{name}` is empty"),
                    None => format!("{what} needs the field `{name}`"),
                };
                let at = empty.map_or(node.at, |e| e.at);
                self.error("missing-field", message, (at, at + 1), None);
            }
        }
        Some(fields)
    }

    /// A text of any length, as it stands.
    pub fn text_of(&mut self, node: &Node) -> Option<String> {
        match node.scalar() {
            Some(scalar) if !scalar.text.trim().is_empty() => Some(scalar.text.clone()),
            Some(_) => self.wrong("wrong-value", "this is empty".into(), node, ""),
            None => {
                let help = match node.value {
                    Value::Mapping(_) => "a text that begins with `{` must stand in quotes",
                    _ => "a text that begins with `[` must stand in quotes",
                };
                self.wrong(
                    "wrong-kind",
                    format!("this must be a text, it is {}", node.kind()),
                    node,
                    help,
                )
            }
        }
    }

    /// A text as one line: white space is one space.
    pub fn paragraph(&mut self, node: Option<&Node>) -> Option<String> {
        let text = self.text_of(node?)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// A text without line breaks and space around it.
    pub fn line(&mut self, node: &Node) -> Option<String> {
        self.paragraph(Some(node))
    }

    /// One of these words.
    pub fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let text = self.line(node)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if let Some((_, value)) = found {
            return Some(*value);
        }
        let names = words.iter().map(|(word, _)| *word);
        let help = match did_you_mean(&text, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of `{}`", names.collect::<Vec<_>>().join("`, `")),
        };
        self.wrong(
            "wrong-value",
            format!("`{text}` is not known here"),
            node,
            &help,
        )
    }

    /// The value of an enum with a table of words.
    pub fn enumerated<T: Word>(&mut self, node: &Node) -> Option<T> {
        self.word(node, T::WORDS)
    }
}
