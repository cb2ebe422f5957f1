//! `bindings.yaml`: which value sets of a hospital stand for those that rules and measures ask for.
//!
//! ```yaml
//! bindings:
//!   - value_set: diabetes                # a built-in one by its short name, or any url
//!     to: urn:oid:2.16.840.1.113883.3.464.1003.103.12.1001
//!   - value_set: hospice
//!     to: [https://hospital.example/ValueSet/hospice, palliative-care]
//!     mode: replace                      # or union, which is meant where nothing is said
//! ```

use engine_patient::finding::{Code, Finding, Place, did_you_mean};
use engine_patient::terminology::{Binding, BindingMode, Named};
use rules::yaml::{self, Entry, Node, Text, Value};

const FIELDS: [&str; 3] = ["value_set", "to", "mode"];
const SHAPE: &str = "write `bindings:` and below it, for each, `- value_set: …` and `to: …`";

/// The bindings of a file, or all that is wrong with how they are written.
pub(crate) fn read(file: &str, text: &str) -> Result<Vec<Binding>, Vec<Finding>> {
    let (text, root) = yaml::read(file, text)?;
    let mut reader = Reader {
        text: &text,
        wrong: vec![],
    };
    let bindings = reader.file(&root);
    match reader.wrong.is_empty() {
        true => Ok(bindings),
        false => Err(reader.wrong),
    }
}

struct Reader<'t> {
    text: &'t Text,
    wrong: Vec<Finding>,
}

impl Reader<'_> {
    fn error(&mut self, code: Code, message: String, span: (usize, usize), help: &str) {
        let error = self.text.error(code, message, span, Some(help.to_owned()));
        self.wrong.push(error);
    }

    fn kind(&mut self, what: &str, node: &Node, help: &str) {
        let message = format!("{what}, this is {}", node.kind());
        self.error(Code::WrongKind, message, (node.at, node.end), help);
    }

    fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let name = &entry.key;
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are `{}`", known.join("`, `")),
        };
        let span = (entry.at, entry.at + name.chars().count());
        let message = format!("a binding has no field `{name}`");
        self.error(Code::UnknownField, message, span, &help);
    }

    fn file(&mut self, root: &Node) -> Vec<Binding> {
        let Value::Mapping(entries) = &root.value else {
            self.kind(
                "a file of bindings is a mapping (`bindings: …`)",
                root,
                SHAPE,
            );
            return vec![];
        };
        let mut all = vec![];
        let others = entries.iter().filter(|e| e.key != "bindings");
        others.for_each(|entry| self.unknown(entry, &["bindings"]));
        match entries
            .iter()
            .find(|e| e.key == "bindings")
            .map(|e| &e.value)
        {
            None => {
                let message = "the file has no field `bindings`".to_owned();
                self.error(Code::MissingField, message, (root.at, root.at + 1), SHAPE);
            }
            Some(node) => match &node.value {
                Value::Sequence(items) => all.extend(items.iter().filter_map(|i| self.binding(i))),
                // A file may be there before anything is bound.
                _ if node.is_nothing() => {}
                _ => self.kind(
                    "`bindings` must be a list",
                    node,
                    "begin each with `- value_set: …`",
                ),
            },
        }
        all
    }

    fn binding(&mut self, node: &Node) -> Option<Binding> {
        let Value::Mapping(entries) = &node.value else {
            self.kind("a binding must be a mapping (`value_set: …`)", node, SHAPE);
            return None;
        };
        let unknown = entries.iter().filter(|e| !FIELDS.contains(&e.key.as_str()));
        unknown.for_each(|entry| self.unknown(entry, &FIELDS));
        let field = |name: &str| entries.iter().find(|e| e.key == name).map(|e| &e.value);
        let value_set = match field("value_set") {
            Some(node) => self.name(node),
            None => self.missing("value_set", node),
        };
        let to = match field("to") {
            Some(node) => self.names(node),
            None => {
                self.missing("to", node);
                vec![]
            }
        };
        let mode = field("mode").map_or(Some(BindingMode::Union), |node| self.mode(node));
        Some(Binding {
            value_set: value_set?,
            to: Some(to).filter(|to| !to.is_empty())?,
            mode: mode?,
        })
    }

    fn missing(&mut self, name: &str, node: &Node) -> Option<Named> {
        let message = format!("a binding needs the field `{name}`");
        self.error(Code::MissingField, message, (node.at, node.at + 1), SHAPE);
        None
    }

    fn names(&mut self, node: &Node) -> Vec<Named> {
        match &node.value {
            Value::Sequence(items) if items.is_empty() => {
                let message = "`to` is empty: there is nothing to bind to".to_owned();
                let help = "name at least one value set, or remove the binding";
                self.error(Code::MissingField, message, (node.at, node.end), help);
                vec![]
            }
            Value::Sequence(items) => items.iter().filter_map(|item| self.name(item)).collect(),
            _ => self.name(node).into_iter().collect(),
        }
    }

    fn name(&mut self, node: &Node) -> Option<Named> {
        let help = "write a url, an OID as `urn:oid:…`, or the short name of a built-in value set";
        match node.scalar().map(|scalar| scalar.text.trim()) {
            Some(_) if node.is_nothing() => {
                let message = "the name of a value set is missing".to_owned();
                self.error(Code::MissingField, message, (node.at, node.at + 1), help);
                None
            }
            // What VSAC shows as the OID.
            Some(oid) if oid.starts_with(|c: char| c.is_ascii_digit()) && !oid.contains(':') => {
                let message = format!("`{oid}` is no url of a value set");
                let help = format!("write `urn:oid:{oid}`");
                self.error(Code::WrongValue, message, (node.at, node.end), &help);
                None
            }
            Some(name) => Some(Named {
                name: name.into(),
                place: self.place(node),
            }),
            None => {
                self.kind("the name of a value set must be a text", node, help);
                None
            }
        }
    }

    fn place(&self, node: &Node) -> Place {
        let mut place = Place::in_file(self.text.file());
        place.span = Some(self.text.span((node.at, node.end)));
        place
    }

    fn mode(&mut self, node: &Node) -> Option<BindingMode> {
        match node.scalar().map(|scalar| scalar.text.as_str()) {
            Some("union") => Some(BindingMode::Union),
            Some("replace") => Some(BindingMode::Replace),
            _ => {
                let message = "`mode` is `union` or `replace`".to_owned();
                let help = "`union` adds to the codes that are there, `replace` puts others in their place";
                self.error(Code::WrongValue, message, (node.at, node.end), help);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lists_and_modes() {
        let text = "bindings:\n  - value_set: diabetes\n    to: urn:oid:1.2.3\n  - {value_set: 'http://x/vs', \
                    to: [a-set, 'http://y/vs|2'], mode: replace}\n";
        let all = read("bindings.yaml", text).unwrap();
        let shown: Vec<_> = all
            .iter()
            .map(|b| {
                let to: Vec<&str> = b.to.iter().map(|one| &*one.name).collect();
                (
                    &*b.value_set.name,
                    to,
                    b.mode,
                    b.value_set.place.span.as_ref().unwrap().line,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("diabetes", vec!["urn:oid:1.2.3"], BindingMode::Union, 2),
                (
                    "http://x/vs",
                    vec!["a-set", "http://y/vs|2"],
                    BindingMode::Replace,
                    4
                ),
            ]
        );
        assert_eq!(read("bindings.yaml", "bindings:\n").unwrap(), []);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let text = "binding: x\nbindings:\n  - {valueset: a, to: b}\n  - {value_set: a, to: []}\n  \
                    - {value_set: 2.16.840, to: [{x: y}], mode: both}\n  - text\n";
        let wrong = read("b.yaml", text).unwrap_err();
        let shown: Vec<String> = wrong
            .iter()
            .map(|f| {
                format!(
                    "{}:{} {}",
                    f.line().unwrap_or(0),
                    f.column().unwrap_or(0),
                    f.message
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1:1 a binding has no field `binding`",
                "3:6 a binding has no field `valueset`",
                "3:5 a binding needs the field `value_set`",
                "4:24 `to` is empty: there is nothing to bind to",
                "5:17 `2.16.840` is no url of a value set",
                "5:32 the name of a value set must be a text, this is a mapping (`key: value`)",
                "5:47 `mode` is `union` or `replace`",
                "6:5 a binding must be a mapping (`value_set: …`), this is a text",
            ]
        );
        assert!(
            read("b.yaml", "- a").unwrap_err()[0]
                .message
                .contains("is a mapping")
        );
    }
}
