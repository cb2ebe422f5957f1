//! A strict JSON parser into a flat arena: 16 bytes a node, no allocation per node, names interned.
//!
//! Accepts what RFC 8259 allows and no more, and in addition refuses a property that occurs twice
//! (FHIR JSON: property names are unique) and nesting deeper than [`MAX_DEPTH`].

use std::fmt;

use rustc_hash::FxHashSet;

use crate::fhir::names::{self, Name};

/// Deepest nesting of objects and arrays. FHIR resources stay under 30.
pub const MAX_DEPTH: u32 = 100;

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number; its text is kept, so no digit is lost.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// One value of the document. Children follow their parent; the next sibling is at `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    /// The string holds an escape.
    pub(crate) escaped: bool,
    /// Index after the last descendant.
    pub(crate) end: u32,
    /// Byte offset of the text: of a string without its quotes.
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// The name of a property that the model does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnknownName {
    pub(crate) node: u32,
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Why a text is not a JSON document we take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonError {
    /// Byte offset from the start of the document.
    pub offset: usize,
    /// What is wrong there, in plain words, without any of the data.
    pub message: &'static str,
    /// Whether that is a document which is whole, and something behind it: perhaps lines of them.
    pub is_text_behind: bool,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for JsonError {}

/// The growing tree that documents are parsed into.
#[derive(Default, Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) unknown: Vec<UnknownName>,
}

impl Tree {
    /// Parses one document that stands in `text` from `from` to its end. Returns its root. On an
    /// error the tree is as it was before.
    pub(crate) fn parse(&mut self, text: &str, from: usize) -> Result<u32, JsonError> {
        let (nodes, unknown) = (self.nodes.len(), self.unknown.len());
        let mut parser = Parser {
            bytes: text.as_bytes(),
            text,
            at: from,
            tree: self,
        };
        let parsed = parser.document();
        let (at, behind) = (parser.at, parsed.is_ok() && parser.peek().is_some());
        let parsed = match behind {
            true => Err("text after the end of the JSON document"),
            false => parsed,
        };
        parsed.map_err(|message| {
            self.nodes.truncate(nodes);
            self.unknown.truncate(unknown);
            let offset = at.saturating_sub(from);
            JsonError {
                offset,
                message,
                is_text_behind: behind,
            }
        })
    }
}

/// Properties of one object that the model does not know: each is remembered, since none may occur
/// twice.
const MOST_UNKNOWN: usize = 100_000;

pub(super) type Parsed<T> = Result<T, &'static str>;

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    tree: &'a mut Tree,
}

pub(super) fn short(n: usize) -> Parsed<u32> {
    u32::try_from(n).map_err(|_| "a record of more than 4 GiB is not supported")
}

impl Parser<'_> {
    /// A document, and the white space behind it.
    fn document(&mut self) -> Parsed<u32> {
        let root = short(self.tree.nodes.len())?;
        self.space();
        self.value(Name::NONE, 0)?;
        self.space();
        Ok(root)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn push(&mut self, name: Name, kind: Kind) -> Parsed<usize> {
        let index = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            name,
            kind,
            escaped: false,
            end: short(index + 1)?,
            start: short(self.at)?,
            len: 0,
        });
        Ok(index)
    }

    /// Ends a node: everything pushed since belongs to it.
    fn close(&mut self, index: usize) -> Parsed<()> {
        let (end, at) = (short(self.tree.nodes.len())?, short(self.at)?);
        if let Some(node) = self.tree.nodes.get_mut(index) {
            node.end = end;
            node.len = at.saturating_sub(node.start);
        }
        Ok(())
    }

    fn value(&mut self, name: Name, depth: u32) -> Parsed<()> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let index = self.push(name, Kind::String)?;
                let escaped = self.string()?;
                // The text ends before the closing quote.
                let at = short(self.at)?;
                if let Some(node) = self.tree.nodes.get_mut(index) {
                    node.escaped = escaped;
                    node.len = at.saturating_sub(node.start).saturating_sub(1);
                }
                Ok(())
            }
            Some(b'{') => self.object(name, depth),
            Some(b'[') => self.array(name, depth),
            Some(b'-' | b'0'..=b'9') => {
                let index = self.push(name, Kind::Number)?;
                self.number()?;
                self.close(index)
            }
            Some(b't') => self.word(name, Kind::True, "true"),
            Some(b'f') => self.word(name, Kind::False, "false"),
            Some(b'n') => self.word(name, Kind::Null, "null"),
            Some(_) => Err("a JSON value was expected here"),
            None => Err("the JSON document ends too early"),
        }
    }

    fn word(&mut self, name: Name, kind: Kind, word: &'static str) -> Parsed<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err("a JSON value was expected here");
        }
        let index = self.push(name, kind)?;
        self.at += word.len();
        self.close(index)
    }

    fn object(&mut self, name: Name, depth: u32) -> Parsed<()> {
        if depth >= MAX_DEPTH {
            return Err("nesting is deeper than 100 levels");
        }
        let index = self.push(name, Kind::Object)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.close(index);
        }
        // A bit per name seen: only where it is set already are the siblings compared.
        let mut seen = 0u64;
        let mut others: Option<FxHashSet<String>> = None;
        loop {
            if self.peek() != Some(b'"') {
                return Err(match self.peek() {
                    None => "the JSON document ends too early",
                    Some(_) => "a property name in double quotes was expected here",
                });
            }
            self.at += 1;
            let start = self.at;
            let escaped = self.string()?;
            let end = self.at.saturating_sub(1);
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            let key = match escaped {
                true => names::lookup(unescape(self.text.get(start..end).unwrap_or("")).as_bytes()),
                false => names::lookup(bytes),
            };
            let repeated = if key == Name::UNKNOWN {
                let node = short(self.tree.nodes.len())?;
                let (from, len) = (short(start)?, short(end - start)?);
                self.tree.unknown.push(UnknownName {
                    node,
                    start: from,
                    len,
                });
                let name = self.text.get(start..end).map(unescape).unwrap_or_default();
                let others = others.get_or_insert_default();
                if others.len() >= MOST_UNKNOWN {
                    return Err(
                        "an object has more than 100,000 properties that FHIR does not have",
                    );
                }
                !others.insert(name)
            } else {
                let bit = 1u64 << (key.0 % 64);
                let repeated = seen & bit != 0 && self.repeats(index, key);
                seen |= bit;
                repeated
            };
            if repeated {
                self.at = start;
                return Err("a property occurs twice in one object");
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(match self.peek() {
                    None => "the JSON document ends too early",
                    Some(_) => "`:` was expected after the property name",
                });
            }
            self.at += 1;
            self.space();
            self.value(key, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                Some(_) => return Err("`,` or `}` was expected here"),
                None => return Err("the JSON document ends too early"),
            }
            self.space();
        }
        self.at += 1;
        self.close(index)
    }

    /// Whether the object at `index` has a property of this name already.
    fn repeats(&self, index: usize, key: Name) -> bool {
        let mut child = index + 1;
        while let Some(node) = self.tree.nodes.get(child) {
            if node.name == key {
                return true;
            }
            child = node.end as usize;
        }
        false
    }

    fn array(&mut self, name: Name, depth: u32) -> Parsed<()> {
        if depth >= MAX_DEPTH {
            return Err("nesting is deeper than 100 levels");
        }
        let index = self.push(name, Kind::Array)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return self.close(index);
        }
        loop {
            self.value(Name::NONE, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(_) => return Err("`,` or `]` was expected here"),
                None => return Err("the JSON document ends too early"),
            }
            self.space();
        }
        self.at += 1;
        self.close(index)
    }

    /// From after the opening quote to after the closing one. True if it holds an escape.
    fn string(&mut self) -> Parsed<bool> {
        let mut escaped = false;
        loop {
            self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return Err("a control character must be escaped in a string"),
                None => return Err("the JSON document ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Parsed<()> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.hex4()? {
                    0xDC00..=0xDFFF => Err("a low surrogate without a high one"),
                    0xD800..=0xDBFF => {
                        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                            return Err("a high surrogate without a low one");
                        }
                        self.at += 2;
                        match self.hex4()? {
                            0xDC00..=0xDFFF => Ok(()),
                            _ => Err("a high surrogate without a low one"),
                        }
                    }
                    _ => Ok(()),
                }
            }
            Some(_) => Err("an unknown escape in a string"),
            None => Err("the JSON document ends inside a string"),
        }
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        let value = value.ok_or("`\\u` needs four hexadecimal digits")?;
        self.at += 4;
        Ok(value)
    }

    fn number(&mut self) -> Parsed<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err("a number needs a digit here"),
        }
        if let Some(b'0'..=b'9') = self.peek() {
            return Err("a number must not start with a zero");
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Parsed<()> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from {
            Err("a number needs a digit here")
        } else {
            Ok(())
        }
    }
}

impl Tree {
    /// The text, still escaped, of a name the model does not know.
    pub(crate) fn unknown_name<'t>(&self, text: &'t str, node: u32) -> Option<&'t str> {
        let at = self.unknown.binary_search_by_key(&node, |u| u.node).ok()?;
        let unknown = self.unknown.get(at)?;
        let start = unknown.start as usize;
        text.get(start..start + unknown.len as usize)
    }
}

/// How many bytes from the start are neither a quote, a backslash nor a control character.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut done = 0;
    let (chunks, tail) = bytes.as_chunks();
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
        let quote = zero(word ^ (ONES * 0x22));
        let slash = zero(word ^ (ONES * 0x5C));
        // Bytes under 0x20, exact only up to the first hit: enough, since the first hit decides.
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let hit = quote | slash | control;
        if hit != 0 {
            return done + (hit.trailing_zeros() / 8) as usize;
        }
        done += 8;
    }
    let plain = |b: &u8| *b != b'"' && *b != b'\\' && *b >= 0x20;
    done + tail.iter().take_while(|b| plain(b)).count()
}

/// The text of a JSON string, its escapes resolved. The parser has checked them.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let hex = |chars: &mut std::str::Chars<'_>| {
        let digits: String = chars.take(4).collect();
        u32::from_str_radix(&digits, 16).unwrap_or(0xFFFD)
    };
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let mut code = hex(&mut chars);
                if (0xD800..0xDC00).contains(&code) {
                    chars.nth(1); // the `\u` of the low half
                    let low = hex(&mut chars);
                    code = 0x10000 + ((code - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                }
                out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
