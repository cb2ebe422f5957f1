//! The rows of a CSV file (RFC 4180), without a copy of what needs none: the built-in dictionary is
//! read at every start.

use std::borrow::Cow;

/// Rows that are not empty, each with its line from 1; or why one cannot be read, with the line where that
/// shows.
pub(super) struct Rows<'f> {
    bytes: &'f [u8],
    at: usize,
    line: u64,
    separator: u8,
}

/// The fields of a row.
type Row<'f> = Result<Vec<Cow<'f, str>>, &'static str>;

impl<'f> Rows<'f> {
    pub fn new(bytes: &'f [u8]) -> Self {
        Rows::separated(bytes, b',')
    }

    /// With another separator than the comma.
    pub fn separated(bytes: &'f [u8], separator: u8) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Rows {
            bytes,
            at: 0,
            line: 1,
            separator,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The end of a line here, if one is: it is stepped over.
    fn ends(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = match rest {
            [] => return true,
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// What stands in quotes; the first quote was read. Nothing where the file ends before the last one.
    fn quoted(&mut self) -> Option<Cow<'f, [u8]>> {
        let mut field: Cow<'f, [u8]> = Cow::Borrowed(&[]);
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'"', rest) else {
                self.at = self.bytes.len();
                return None;
            };
            let part = rest.get(..length).unwrap_or_default();
            self.line += part.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at += length + 1;
            match field.is_empty() {
                true => field = Cow::Borrowed(part),
                false => field.to_mut().extend_from_slice(part),
            }
            // Two quotes are one of the text.
            if self.peek() != Some(b'"') {
                return Some(field);
            }
            field.to_mut().push(b'"');
            self.at += 1;
        }
    }

    /// What stands up to the next separator or end of line, which is not stepped over.
    fn plain(&mut self) -> &'f [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = memchr::memchr3(self.separator, b'\n', b'\r', rest).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}

impl<'f> Iterator for Rows<'f> {
    type Item = (u64, Row<'f>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.bytes.len() && self.ends() {}
        self.peek()?;
        let (line, mut row, mut utf8) = (self.line, Vec::with_capacity(5), true);
        // The first quote that does not do, with its line: of an unclosed one rows may have been taken for text.
        let mut quote: Option<(u64, &'static str)> = None;
        loop {
            let field: Cow<'f, [u8]> = match self.peek() {
                Some(b'"') => {
                    let begun = self.line;
                    self.at += 1;
                    let Some(field) = self.quoted() else {
                        return Some((begun, Err(UNCLOSED)));
                    };
                    // Nothing but a separator or an end belongs behind a quote.
                    if !self.plain().trim_ascii().is_empty() {
                        quote.get_or_insert((begun, TEXT_BEHIND));
                    }
                    field
                }
                _ => Cow::Borrowed(self.plain()),
            };
            match text(field) {
                Some(field) => row.push(field),
                None => utf8 = false,
            }
            match self.peek() {
                Some(byte) if byte == self.separator => self.at += 1,
                _ => {
                    self.ends();
                    break;
                }
            }
        }
        Some(match (quote, utf8) {
            (Some((line, why)), _) => (line, Err(why)),
            (None, true) => (line, Ok(row)),
            (None, false) => (line, Err("the row is not UTF-8")),
        })
    }
}

/// Of a quote whose other one is not in the file.
const UNCLOSED: &str =
    "a quote begins on this line and never ends: all rows behind it would be one text";

/// Of a quote that ends within a field.
const TEXT_BEHIND: &str = "the quote that begins on this line ends, and text stands behind it";

fn text(bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_as_rfc_4180_has_them() {
        let text = "\u{feff}a,b\r\n\n1,\"x, \"\"y\"\"\nz\"\n\"\",\n\"a\"\"\",\"\"\"b\"\"\"\nlast";
        let rows: Vec<_> = Rows::new(text.as_bytes()).collect();
        let rows: Vec<_> = rows.into_iter().map(|(n, r)| (n, r.unwrap())).collect();
        let expected: [(u64, &[&str]); 5] = [
            (1, &["a", "b"]),
            (3, &["1", "x, \"y\"\nz"]),
            (5, &["", ""]),
            (6, &["a\"", "\"b\""]),
            (7, &["last"]),
        ];
        assert_eq!(rows.len(), expected.len());
        for ((line, row), (wanted, fields)) in rows.iter().zip(expected) {
            assert_eq!(
                (*line, row.as_slice()),
                (
                    wanted,
                    &fields.iter().map(|f| Cow::Borrowed(*f)).collect::<Vec<_>>()[..]
                )
            );
        }
        assert!(Rows::new(b"").next().is_none());
        assert!(Rows::new(b"\xff").next().unwrap().1.is_err());
    }

    /// A quote that is not closed must not swallow the rows behind it in silence.
    #[test]
    fn quotes_that_do_not_end() {
        for (text, line, why) in [
            ("a,b\n1,x\n2,\"y\n3,z\n", 3, UNCLOSED),
            ("a,\"", 1, UNCLOSED),
            ("a,\"b\"\"", 1, UNCLOSED),
            ("a\n\"b\nc\",\"d\n", 3, UNCLOSED),
            // The next quote, of another row, is taken for its end.
            ("a,b\n1,\"x\n2,\"y\"\n", 2, TEXT_BEHIND),
            ("\"a\" b,c\n", 1, TEXT_BEHIND),
        ] {
            let rows: Vec<_> = Rows::new(text.as_bytes()).collect();
            let wrong: Vec<_> = rows.iter().filter(|(_, row)| row.is_err()).collect();
            assert_eq!(wrong.len(), 1, "{text:?}");
            assert_eq!((wrong[0].0, &wrong[0].1), (line, &Err(why)), "{text:?}");
        }
        // Space behind a quote is no text.
        let row = Rows::new(b"\"a\" ,b").next().unwrap().1.unwrap();
        assert_eq!(row, ["a", "b"]);
    }
}
