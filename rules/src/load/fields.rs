//! Reading fields of mappings, and collecting what is wrong with them.

use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::finding::{Code, Finding, did_you_mean};

use crate::document::{ALL, Field, Object, Shape};
use crate::words::{Hook, Kind, OwnHook, Word};
use crate::yaml::{Entry, Found, Node, Style, Text, Value};

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
    /// Those that are misspelt, by what was meant, so that what they hold is looked at too.
    meant: Vec<(&'static str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a field that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|e| e.key == name);
        let meant = self.meant.iter().find(|(meant, _)| *meant == name);
        let value = entry.map(|e| &e.value).or(meant.map(|(_, node)| *node))?;
        (!value.is_nothing()).then_some(value)
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
                let help = match node.scalar() {
                    // `for_each: selections("MedicationRequest")`
                    Some(scalar) if what == "`for_each`" => {
                        format!(
                            "give the item a name: `for_each: {{order: {}}}`",
                            scalar.text.trim()
                        )
                    }
                    _ => "write `key: value` lines, indented".to_owned(),
                };
                self.wrong::<()>(Code::WrongKind, message, node, &help);
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
                let help = match node.scalar() {
                    Some(scalar) if scalar.style == Style::Plain => {
                        format!(
                            "write `[{}]`, or begin each item with `- `",
                            scalar.text.trim()
                        )
                    }
                    _ => "begin each item with `- `".to_owned(),
                };
                self.wrong::<()>(Code::WrongKind, message, node, &help);
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
        let Value::Mapping(entries) = &node.value else {
            let needed = object.fields.iter().filter(|f| f.is_required(kind));
            let needed: Vec<&str> = needed.map(|f| f.name).collect();
            let message = format!(
                "{what} must be a mapping (`key: value`), this is {}",
                node.kind()
            );
            let help = match needed.is_empty() {
                true => "write `key: value` lines, indented".to_owned(),
                false => format!(
                    "write `key: value` lines, indented: it needs `{}`",
                    needed.join("`, `")
                ),
            };
            return self.wrong(Code::WrongKind, message, node, &help);
        };
        let mut meant = vec![];
        let mut above: Option<&Entry> = None;
        for entry in entries {
            let near = self.known(entry, above, object, kind);
            let near = near.filter(|near| !entries.iter().any(|e| e.key == *near));
            meant.extend(near.map(|near| (near, &entry.value)));
            above = Some(entry);
        }
        let fields = Fields { entries, meant };
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
                let help = Some(needed_help(field));
                let at = empty.map_or(node.at, |e| e.at);
                self.error(Code::MissingField, message, (at, at + 1), help);
            }
        }
        Some(fields)
    }

    /// Refuses a field that the object does not have in a rule of this kind; the one that was meant.
    fn known(
        &mut self,
        entry: &Entry,
        above: Option<&Entry>,
        object: &Object,
        kind: Option<Kind>,
    ) -> Option<&'static str> {
        let mut meant = None;
        let (what, name) = (object.what, entry.key.as_str());
        let (message, help) = match object.field(name) {
            Some(field) if field.is_of(kind) => return None,
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
                let usual = called_elsewhere(name).filter(|usual| known.contains(usual));
                let near = usual.or_else(|| did_you_mean(name, known.iter().copied()));
                meant = near.and_then(|near| known.iter().copied().find(|known| *known == near));
                let part_of = above.filter(|above| {
                    let shape = object.field(&above.key).map(|f| f.shape);
                    matches!(shape, Some(Shape::Named(_) | Shape::Object(_)))
                });
                let help = match (near, part_of) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, Some(above)) => format!(
                        "as a part of `{}` above it begins two blanks further in; known are `{}`",
                        above.key,
                        known.join("`, `")
                    ),
                    (None, None) => format!("known are `{}`", known.join("`, `")),
                };
                (format!("{what} has no field `{name}`"), help)
            }
        };
        let span = (entry.at, entry.at + name.chars().count());
        self.error(Code::UnknownField, message, span, Some(help));
        meant
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

    /// A hook: a published one, or an organization's own.
    pub fn hook(&mut self, node: &Node) -> Option<Hook> {
        let is_own = matches!(&node.value, Value::Scalar(text) if text.text.contains('.'));
        if !is_own {
            return self.enumerated(node);
        }
        let text = self.line(node)?;
        let found = OwnHook::of(&text).map(Hook::Own);
        found.or_else(|| {
            let message = format!("`{text}` is no name of an organization's own hook");
            let help = "write it as `org.example.name`: three or more parts of letters, digits, `-` and `_`";
            self.wrong(Code::WrongValue, message, node, help)
        })
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

/// What a field that is missing is for, and what has to stand in it.
fn needed_help(field: &Field) -> String {
    let inner = match field.shape {
        Shape::Object(object) => Some((object, "below it, indented, stand")),
        Shape::List(Shape::Object(object)) => Some((*object, "each item has")),
        _ => None,
    };
    let needed = inner.map(|(object, words)| {
        let needed = object.fields.iter().filter(|f| f.is_required(None));
        let needed: Vec<&str> = needed.map(|f| f.name).collect();
        (needed, words)
    });
    match needed {
        Some((needed, words)) if !needed.is_empty() => {
            format!("{}; {words} `{}`", field.doc, needed.join("`, `"))
        }
        _ => field.doc.to_owned(),
    }
}

/// Words that other tools have for a field.
fn called_elsewhere(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "remove" | "cancel" => "delete",
        "add" | "order" => "create",
        "change" | "replace" | "modify" => "update",
        "severity" | "priority" | "level" => "indicator",
        "message" | "headline" => "summary",
        "text" | "body" => "detail",
        "tests" | "examples" => "cases",
        "condition" | "trigger" | "if" => "when",
        "exclusions" | "exclude" => "excluded",
        "population" | "include" => "eligible",
        "variables" | "definitions" | "let" => "define",
        "valuesets" | "codes" | "sets" => "value_sets",
        "foreach" | "for" => "for_each",
        "reference" | "evidence" => "source",
        _ => return None,
    })
}
