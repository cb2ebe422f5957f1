//! Parser events to a tree, within bounds.

use std::collections::HashSet;

use engine_patient::finding::{Code, Finding};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::found::Found;
use super::limits::{MAX_DEPTH, MAX_SIZE};
use super::node::{Entry, Node, Scalar, Style, Value};
use super::slips;
use super::text::Text;

/// Reads a file: its text and, where it is YAML of the kind rules use, its tree. `Err` has
/// everything that is wrong.
pub fn read(file: &str, text: &str) -> Result<(Text, Node), Vec<Finding>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_SIZE {
        let message = format!("the file has {} bytes, {MAX_SIZE} is the most", text.len());
        return Err(vec![Text::new(file, "").error(
            Code::TooLarge,
            message,
            (0, 1),
            None,
        )]);
    }
    let place = Text::new(file, text);
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        text: &place,
        problems: Found::default(),
    };
    let root = reader.document();
    let mut problems = reader.problems;
    match root {
        Ok(root) if problems.errors() == 0 => return Ok((place, root)),
        Ok(_) => {}
        Err(problem) => problems.push(*problem),
    }
    Err(problems.sorted())
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t Text,
    /// What does not keep the rest from being read.
    problems: Found,
}

type Read<T> = Result<T, Box<Finding>>;

impl<'t> Reader<'t> {
    fn next(&mut self) -> Read<(Event<'t>, (usize, usize))> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, places(span))),
            Some(Err(e)) => Err(Box::new(self.syntax(&e))),
            None => Ok((Event::StreamEnd, (0, 0))),
        }
    }

    fn syntax(&self, error: &ScanError) -> Finding {
        let at = error.marker().index();
        if let Some(slip) = slips::of(self.text.chars(), at) {
            let help = Some(slip.help);
            return self
                .text
                .error(Code::YamlSyntax, slip.message, slip.span, help);
        }
        let info = error.info();
        let help = if info.contains("mapping values") {
            "fields of one level begin in the same column: look at the line above too; a text with `: ` in it must stand in quotes, or below the field after `|`"
        } else if info.contains("quoted scalar") {
            "close the quote"
        } else if info.contains("tab") {
            "indent with spaces"
        } else if info.contains("expected key") || info.contains("indentation") {
            "fields of one level begin in the same column"
        } else {
            "YAML reads `: `, ` #`, `[`, `{`, `&`, `*`, `!`, `|`, `>`, `@` in a special way: put such a text in quotes"
        };
        let message = format!("this is not YAML: {info}");
        self.text
            .error(Code::YamlSyntax, message, (at, at + 1), Some(help.into()))
    }

    fn refuse(&self, message: &str, span: (usize, usize), help: &str) -> Box<Finding> {
        let help = (!help.is_empty()).then(|| help.to_owned());
        Box::new(
            self.text
                .error(Code::YamlUnsupported, message.into(), span, help),
        )
    }

    fn document(&mut self) -> Read<Node> {
        let root = loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd, span) => return Err(self.refuse("the file is empty", span, "")),
                (event, span) => break self.node(event, span, 0)?,
            }
        };
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentStart(_), span) => {
                    let help = "one file holds one rule: remove the `---`";
                    return Err(self.refuse("a second document begins here", span, help));
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'t>, (at, end): (usize, usize), depth: usize) -> Read<Node> {
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(Box::new(self.text.error(
                Code::TooDeep,
                message,
                (at, end),
                None,
            )));
        }
        let (anchor, tagged) = match &event {
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor, tag.is_some())
            }
            Event::Alias(_) => {
                return Err(self.refuse(
                    "aliases (`*name`) are not used in rules",
                    (at, end),
                    "write the value out, or name it under `define`",
                ));
            }
            _ => (0, false),
        };
        if anchor != 0 {
            return Err(self.refuse(
                "anchors (`&name`) are not used in rules",
                (at, end),
                "write the value out, or put it in quotes",
            ));
        }
        if tagged {
            return Err(self.refuse(
                "tags (`!name`) are not used in rules",
                (at, end),
                "put a text that begins with `!` in quotes",
            ));
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let value = Value::Scalar(Scalar {
                    text: text.into_owned(),
                    style,
                });
                Ok(Node { at, end, value })
            }
            Event::SequenceStart(..) => {
                let mut items = vec![];
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => {
                            return Ok(Node {
                                at,
                                end: span.1,
                                value: Value::Sequence(items),
                            });
                        }
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => self.mapping(at, depth),
            _ => Err(self.refuse("this part of YAML is not used in rules", (at, end), "")),
        }
    }

    fn mapping(&mut self, at: usize, depth: usize) -> Read<Node> {
        let mut entries: Vec<Entry> = vec![];
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Node {
                    at,
                    end: span.1,
                    value: Value::Mapping(entries),
                });
            }
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar(Scalar { text: name, .. }) = key.value else {
                if let Some(slip) = slips::of(self.text.chars(), span.0) {
                    return Err(self.refuse(&slip.message, slip.span, &slip.help));
                }
                let help = "a text that begins with `{` or `[` must stand in quotes";
                return Err(self.refuse("a key must be a word", span, help));
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if seen.insert(name.clone()) {
                entries.push(Entry {
                    key: name,
                    at: span.0,
                    value,
                });
            } else {
                let message = format!("`{name}` stands here a second time");
                let help = Some("keep one of them".to_owned());
                let twice = self.text.error(Code::DuplicateKey, message, span, help);
                self.problems.push(twice);
            }
        }
    }
}

fn places(span: Span) -> (usize, usize) {
    (span.start.index(), span.end.index())
}
