//! The tree.

/// A piece of the file and what it says.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its first character in the file, from 0.
    pub at: usize,
    /// The character after its last.
    pub end: usize,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text, number, or anything else that is one word or several.
    Scalar(Scalar),
    /// `key: value` pairs, in the order of the file; no key stands twice.
    Mapping(Vec<Entry>),
    /// Items.
    Sequence(Vec<Node>),
}

/// A scalar as YAML understands it: folded, unquoted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>` and indented lines.
    Block,
}

/// A pair of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The first character of the key.
    pub at: usize,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether nothing stands there: `key:`.
    pub fn is_nothing(&self) -> bool {
        let scalar = self.scalar();
        scalar.is_some_and(|s| {
            s.style == Style::Plain && matches!(s.text.as_str(), "" | "~" | "null")
        })
    }

    /// In words, for an error.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_nothing() => "nothing",
            Value::Scalar(_) => "a text",
            Value::Mapping(_) => "a mapping (`key: value`)",
            Value::Sequence(_) => "a list",
        }
    }
}
