//! Reading fields of mappings, and collecting what is wrong with them.

use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::finding::{Code, Finding, did_you_mean};

use crate::document::{ALL, Object};
use crate::words::{Kind, Word};
use crate::yaml::{Entry, Found, Node, Text, Value};

/// Everything found in a file.
pub(super) struct Report<'t> {
    pub text: &'t Text,
    found: Found,
    /// The holes of the resource that is being read, where it may have some.
    pub holes: Option<Vec<RawHole>>,
}

/// A text with `{{ expression }}` in a resource.
pub(super) struct RawHole {
    pub node: Node,
    pub element: String,
    pub ty: &'static str,
    pub codes: Option<&'static RequiredCodes>,
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
            found: Found::default(),
            holes: None,
        }
    }

    pub fn into_findings(self) -> Vec<Finding> {
        self.found.sorted()
    }

    /// How many errors so far.
    pub fn errors(&self) -> usize {
        self.found.errors()
    }

    pub fn error(
        &mut self,
        code: Code,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) {
        let error = Finding::error(code, message).maybe_help(help);
        self.add(error, span);
    }

    pub fn warning(
        &mut self,
        code: Code,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) {
        let warning = Finding::warning(code, message).maybe_help(help);
        self.add(warning, span);
    }

    /// A finding at these characters of the file.
    pub fn add(&mut self, finding: Finding, span: (usize, usize)) {
        self.found.push(self.text.placed(finding, span));
    }

    /// A finding that has its place: in another file.
    pub fn elsewhere(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// An error at a node, and nothing in its place.
    pub fn wrong<T>(&mut self, code: Code, message: String, node: &Node, help: &str) -> Option<T> {
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
                    Code::WrongKind,
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
                self.wrong::<()>(Code::WrongKind, message, node, "begin each item with `- `");
                &[]
            }
        }
    }

    /// The fields of a mapping of a rule of this kind: those that it does not have are refused, those that
    /// it must have demanded.
    pub fn fields<'n>(
        &mut self,
        node: &'n Node,
        object: &Object,
        kind: Option<Kind>,
    ) -> Option<Fields<'n>> {
        let what = object.what;
        if !matches!(node.value, Value::Mapping(_)) {
            self.entries(node, what);
            return None;
        }
        let entries = self.entries(node, what);
        for entry in entries {
            self.known(entry, object, kind);
        }
        let fields = Fields { entries };
        for field in object.fields.iter().filter(|f| f.is_required(kind)) {
            let name = field.name;
            if fields.get(name).is_none() {
                let empty = entries.iter().find(|e| e.key == name);
                let message = match (empty, kind) {
                    (Some(_), _) => format!("`{name}` is empty"),
                    (None, Some(kind)) if field.required.len() < ALL.len() => {
                        format!("{} needs the field `{name}`", kind.noun())
                    }
                    _ => format!("{what} needs the field `{name}`"),
                };
                let help = (field.required.len() < ALL.len()).then(|| field.doc.to_owned());
                let at = empty.map_or(node.at, |e| e.at);
                self.error(Code::MissingField, message, (at, at + 1), help);
            }
        }
        Some(fields)
    }

    /// Refuses a field that the object does not have in a rule of this kind.
    fn known(&mut self, entry: &Entry, object: &Object, kind: Option<Kind>) {
        let (what, name) = (object.what, entry.key.as_str());
        let (message, help) = match object.field(name) {
            Some(field) if field.is_of(kind) => return,
            Some(field) => {
                let owners: Vec<&str> = field.kinds.iter().map(|k| k.noun()).collect();
                let message = format!(
                    "`{name}` is a field of {}, this is {}",
                    owners.join(" and "),
                    kind.map_or("something else", Kind::noun)
                );
                let instead = match kind {
                    Some(Kind::CareGap) => "a care gap asks `eligible`, `excluded` and `satisfied`",
                    _ => "an alert and a family ask `when`",
                };
                (message, instead.to_owned())
            }
            None => {
                let known = object.fields.iter().filter(|f| f.is_of(kind));
                let known: Vec<&str> = known.map(|f| f.name).collect();
                let help = match did_you_mean(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are `{}`", known.join("`, `")),
                };
                (format!("{what} has no field `{name}`"), help)
            }
        };
        let span = (entry.at, entry.at + name.chars().count());
        self.error(Code::UnknownField, message, span, Some(help));
    }

    /// A text of any length, as it stands.
    pub fn text_of(&mut self, node: &Node) -> Option<String> {
        match node.scalar() {
            Some(scalar) if !scalar.text.trim().is_empty() => Some(scalar.text.clone()),
            Some(_) => self.wrong(Code::WrongValue, "this is empty".into(), node, ""),
            None => {
                let help = match node.value {
                    Value::Mapping(_) => "a text that begins with `{` must stand in quotes",
                    _ => "a text that begins with `[` must stand in quotes",
                };
                self.wrong(
                    Code::WrongKind,
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
            Code::WrongValue,
            format!("`{text}` is not known here"),
            node,
            &help,
        )
    }

    /// The value of an enum with a table of words.
    pub fn enumerated<T: Word>(&mut self, node: &Node) -> Option<T> {
        self.word(node, T::WORDS)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, node: Option<&Node>) -> bool {
        let word = node.and_then(|n| self.word(n, &[("true", true), ("false", false)]));
        word.unwrap_or_default()
    }

    /// A whole number between two.
    pub fn whole(&mut self, node: &Node, from: u32, to: u32) -> Option<u32> {
        let text = self.line(node)?;
        let number = text.parse().ok().filter(|n| (from..=to).contains(n));
        number.or_else(|| {
            let help = format!("a whole number from {from} to {to}");
            self.wrong(
                Code::WrongValue,
                format!("`{text}` does not fit here"),
                node,
                &help,
            )
        })
    }

    /// A web address.
    pub fn url(&mut self, node: &Node) -> Option<String> {
        let url = self.line(node)?;
        let web = url.starts_with("https://") || url.starts_with("http://");
        if !web || url.contains(char::is_whitespace) {
            let message = format!("`{url}` is not a web address");
            return self.wrong(Code::WrongValue, message, node, "it begins with `https://`");
        }
        Some(url)
    }
}
