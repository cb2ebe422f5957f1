//! Whether a file is lines, or one document.

/// How a file is divided into resources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// A resource or Bundle a line.
    Lines,
    /// `.json`: a resource, a Bundle, or lines after all; the content decides.
    Document,
}

/// Whether what begins like this is lines, each a document, in a file whose name says one document.
pub fn is_lines(start: &[u8]) -> bool {
    let blank = |b: &u8| b.is_ascii_whitespace() || [0xef, 0xbb, 0xbf].contains(b);
    let mut lines = start.split(|b| *b == b'\n').map(|line| {
        let from = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
        let line = line.get(from..).unwrap_or_default();
        line.trim_ascii_end()
    });
    let mut lines = lines.by_ref().filter(|l| !l.is_empty());
    let first = lines.next().unwrap_or_default();
    let second = lines.next().unwrap_or_default();
    first.starts_with(b"{") && first.ends_with(b"}") && second.starts_with(b"{")
}
