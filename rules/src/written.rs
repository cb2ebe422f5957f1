//! A rule's file as it was written: where each of its expressions stands, and the file with one of them
//! changed.

use engine_patient::finding::{Finding, Span};

use crate::every_expression::Expression;
use crate::template::{Part, parse};
use crate::yaml::{self, Node, Style, Text, Value};

/// The text and the tree of a rule's file.
#[derive(Clone, Debug)]
pub struct Written {
    pub(crate) text: Text,
    pub(crate) root: Node,
}

/// A way from the top of the file: numbers of entries and items.
type Path = Vec<usize>;

/// Where an expression stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ExpressionPlace {
    path: Path,
    /// The character of the text at which it begins; not 0 within `{{ }}`.
    offset: usize,
}

impl Written {
    /// Reads a file. `file` is its name for findings.
    ///
    /// # Errors
    /// Where it is not YAML of the kind that rules use.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Finding>> {
        let (text, root) = yaml::read(file, text)?;
        Ok(Written { text, root })
    }

    /// The value of a field at the top.
    pub(crate) fn field(&self, name: &str) -> Option<&Node> {
        field(&self.root, name)
    }

    /// The text at a way of fields from the top.
    pub fn text(&self, way: &[&str]) -> Option<String> {
        let mut node = &self.root;
        for name in way {
            node = field(node, name)?;
        }
        Some(node.scalar()?.text.clone())
    }

    /// The names and texts of a mapping at the top.
    pub fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let Some(Value::Mapping(entries)) = self.field(name).map(|n| &n.value) else {
            return vec![];
        };
        let texts = entries.iter();
        let texts = texts.filter_map(|e| Some((e.key.clone(), e.value.scalar()?.text.clone())));
        texts.collect()
    }

    /// The texts of the fields of this name anywhere below a field at the top, in the order of the file.
    pub fn texts_named(&self, top: &str, name: &str) -> Vec<String> {
        let mut found = vec![];
        if let Some(node) = self.field(top) {
            named(node, name, &mut found);
        }
        found
    }

    /// As JSON: texts, whole numbers, true and false.
    pub fn to_json(&self) -> serde_json::Value {
        json(&self.root)
    }

    /// All texts, of cases too.
    pub(crate) fn texts(&self) -> Vec<&Node> {
        let (mut found, mut stack) = (vec![], vec![&self.root]);
        while let Some(node) = stack.pop() {
            match &node.value {
                Value::Scalar(_) => found.push(node),
                Value::Mapping(entries) => stack.extend(entries.iter().map(|e| &e.value)),
                Value::Sequence(items) => stack.extend(items),
            }
        }
        found
    }

    /// Where an expression stands; `None` where it is of another file. Of several with one text in one field it
    /// is the one of its number.
    pub(crate) fn place_of(&self, expression: &Expression<'_>) -> Option<ExpressionPlace> {
        let (mut node, mut path) = (&self.root, vec![]);
        for key in expression.field.split('.') {
            let Value::Mapping(entries) = &node.value else {
                return None;
            };
            let (number, entry) = entries.iter().enumerate().find(|(_, e)| e.key == key)?;
            path.push(number);
            node = &entry.value;
        }
        let mut found = vec![];
        find(node, &expression.compiled.source, &mut path, &mut found);
        found.into_iter().nth(expression.number)
    }

    /// The characters of the file behind characters of an expression.
    pub(crate) fn span(&self, place: &ExpressionPlace, (from, to): (usize, usize)) -> Span {
        let Some(node) = at(&self.root, &place.path) else {
            return Span::line(1, None);
        };
        let (from, to) = (place.offset + from, place.offset + to);
        self.text.span(self.text.span_in(node, (from, to)))
    }

    /// The tree with other characters in the place of some of an expression.
    pub(crate) fn changed(
        &self,
        place: &ExpressionPlace,
        (from, to): (usize, usize),
        new: &str,
    ) -> Node {
        let mut root = self.root.clone();
        if let Some(Node {
            value: Value::Scalar(scalar),
            ..
        }) = at_mut(&mut root, &place.path)
        {
            let (from, to) = (place.offset + from, place.offset + to);
            let old = scalar.text.chars();
            let (head, tail) = (old.clone().take(from), old.skip(to));
            scalar.text = head.chain(new.chars()).chain(tail).collect();
        }
        root
    }
}

/// The value of a field of a mapping.
pub(crate) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(entries) => {
            let entry = entries.iter().find(|e| e.key == name)?;
            Some(&entry.value)
        }
        _ => None,
    }
}

fn named(node: &Node, name: &str, found: &mut Vec<String>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| named(item, name, found)),
        Value::Mapping(entries) => {
            for entry in entries {
                match entry.value.scalar() {
                    Some(scalar) if entry.key == name => found.push(scalar.text.clone()),
                    _ => named(&entry.value, name, found),
                }
            }
        }
    }
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar(scalar) if scalar.style != Style::Plain => scalar.text.as_str().into(),
        Value::Scalar(scalar) => match scalar.text.as_str() {
            "" | "~" | "null" => serde_json::Value::Null,
            "true" => true.into(),
            "false" => false.into(),
            text => match text.parse::<i64>() {
                // `007` is no number.
                Ok(number) if number.to_string() == text => number.into(),
                _ => text.into(),
            },
        },
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            let fields = entries.iter().map(|e| (e.key.clone(), json(&e.value)));
            serde_json::Value::Object(fields.collect())
        }
    }
}

/// The scalars below that are this expression, or have it within `{{ }}`.
fn find(node: &Node, source: &str, path: &mut Path, found: &mut Vec<ExpressionPlace>) {
    let mut add = |offset| {
        let path = path.clone();
        found.push(ExpressionPlace { path, offset });
    };
    let children: Vec<&Node> = match &node.value {
        Value::Scalar(scalar) if scalar.text == source => return add(0),
        Value::Scalar(scalar) => {
            for part in parse(&scalar.text).unwrap_or_default() {
                match part {
                    Part::Expression(text, at) if text == source => add(at),
                    _ => {}
                }
            }
            return;
        }
        Value::Mapping(entries) => entries.iter().map(|e| &e.value).collect(),
        Value::Sequence(items) => items.iter().collect(),
    };
    for (number, child) in children.into_iter().enumerate() {
        path.push(number);
        find(child, source, path, found);
        path.pop();
    }
}

fn at<'n>(node: &'n Node, path: &[usize]) -> Option<&'n Node> {
    let Some((first, rest)) = path.split_first() else {
        return Some(node);
    };
    let child = match &node.value {
        Value::Scalar(_) => None,
        Value::Mapping(entries) => entries.get(*first).map(|e| &e.value),
        Value::Sequence(items) => items.get(*first),
    };
    at(child?, rest)
}

fn at_mut<'n>(node: &'n mut Node, path: &[usize]) -> Option<&'n mut Node> {
    let Some((first, rest)) = path.split_first() else {
        return Some(node);
    };
    let child = match &mut node.value {
        Value::Scalar(_) => None,
        Value::Mapping(entries) => entries.get_mut(*first).map(|e| &mut e.value),
        Value::Sequence(items) => items.get_mut(*first),
    };
    at_mut(child?, rest)
}
