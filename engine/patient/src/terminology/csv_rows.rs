//! The rows of a CSV file (RFC 4180), without a copy of what needs none: the built-in dictionary is
//! read at every start.

use std::borrow::Cow;

/// Rows that are not empty, each with its line from 1; or why one cannot be read.
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

    /// What stands in quotes; the first quote was read.
    fn quoted(&mut self) -> Cow<'f, [u8]> {
        let mut field: Cow<'f, [u8]> = Cow::Borrowed(&[]);
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = memchr::memchr(b'"', rest).unwrap_or(rest.len());
            let part = rest.get(..length).unwrap_or_default();
            self.line += part.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = (self.at + length + 1).min(self.bytes.len());
            match field.is_empty() {
                true => field = Cow::Borrowed(part),
                false => field.to_mut().extend_from_slice(part),
            }
            // Two quotes are one of the text.
            if self.peek() != Some(b'"') {
                return field;
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
        loop {
            let mut field: Cow<'f, [u8]> = match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    self.quoted()
                }
                _ => Cow::Borrowed(&[]),
            };
            // Nothing but a separator or an end belongs behind a quote; what is there is kept.
            let plain = self.plain();
            match field.is_empty() {
                true => field = Cow::Borrowed(plain),
                false => field.to_mut().extend_from_slice(plain),
            }
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
        Some((
            line,
            if utf8 {
                Ok(row)
            } else {
                Err("the row is not UTF-8")
            },
        ))
    }
}

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
}
