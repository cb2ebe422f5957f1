//! Finds out whether a head has both `Content-Length` and `Transfer-Encoding`, which hyper does not tell.

/// The bytes of a line that are kept: enough for the names and for any length.
const LINE: usize = 64;

/// Follows the bytes that a client sends from head to head, in whatever pieces they come. Bodies are
/// passed over by their length. After a chunked one nothing is looked at: the connection ends with it.
#[derive(Default, Debug)]
pub(super) struct Lengths {
    state: State,
    /// The front of the line that is coming.
    line: Vec<u8>,
    /// The line is longer than that.
    cut: bool,
    /// Of this head: its first line came, its length, and that it is chunked.
    started: bool,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Clone, Copy, Default, Debug)]
enum State {
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// Nothing is looked at any more.
    Over,
}

impl Lengths {
    /// True once a head came that has both. Also where its length cannot be read: hyper refuses that.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            match self.state {
                State::Over => return false,
                State::Body(left) => {
                    let here = left.min(bytes.len() as u64);
                    let skip = usize::try_from(here).unwrap_or(bytes.len());
                    bytes = bytes.get(skip..).unwrap_or_default();
                    self.state = match left - here {
                        0 => State::Head,
                        left => State::Body(left),
                    };
                    if bytes.is_empty() {
                        return false;
                    }
                }
                State::Head => {
                    let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
                        self.keep(bytes);
                        return false;
                    };
                    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
                    self.keep(line);
                    bytes = rest.get(1..).unwrap_or_default();
                    if self.line_ends() {
                        return true;
                    }
                }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE - self.line.len().min(LINE);
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.line.extend_from_slice(kept);
        self.cut |= kept.len() < bytes.len();
    }

    /// A line is here whole. True where a head ends with it that has both.
    fn line_ends(&mut self) -> bool {
        let cut = std::mem::take(&mut self.cut);
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if line.is_empty() {
            self.line.clear();
            return self.started && self.head_ends();
        }
        if !self.started {
            // `POST /… HTTP/1.1`
            self.started = true;
        } else if starts_with(line, b"content-length") {
            let value = line.splitn(2, |b| *b == b':').nth(1).filter(|_| !cut);
            let text = value.and_then(|v| std::str::from_utf8(v.trim_ascii()).ok());
            // One that is no number, or two that differ, never get past hyper.
            let length = text.and_then(|t| t.parse().ok()).unwrap_or(u64::MAX);
            self.length = Some(self.length.map_or(length, |before| before.max(length)));
        } else if starts_with(line, b"transfer-encoding") {
            self.chunked = true;
        }
        self.line.clear();
        false
    }

    fn head_ends(&mut self) -> bool {
        self.started = false;
        let length = self.length.take();
        self.state = match (length, std::mem::take(&mut self.chunked)) {
            (length, true) => {
                self.state = State::Over;
                return length.is_some();
            }
            (None | Some(0), false) => State::Head,
            (Some(length), false) => State::Body(length),
        };
        false
    }
}

fn starts_with(line: &[u8], name: &[u8]) -> bool {
    let front = line.get(..name.len());
    front.is_some_and(|front| front.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: &str = "POST / HTTP/1.1\r\nHost: x\r\ncOntent-lenGth: 3\r\n\r\nabc";

    /// In whatever two pieces, and byte by byte.
    fn both(text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut lengths = Lengths::default();
        let found = bytes.chunks(1).fold(false, |f, b| lengths.feed(b) | f);
        for at in 0..bytes.len() {
            let mut lengths = Lengths::default();
            let (a, b) = bytes.split_at(at);
            assert_eq!(lengths.feed(a) | lengths.feed(b), found, "{at} of {text:?}");
        }
        found
    }

    #[test]
    fn both_in_one_head() {
        let te = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
        assert!(both(&format!("{te}Content-Length: 3\r\n\r\n")));
        assert!(both(&format!("\r\n\r\n{te}content-length: 3\n\n")));
        assert!(both(&format!("{LENGTH}{te}Content-Length: 3\r\n\r\n")));
        assert!(both(&format!(
            "{LENGTH}{LENGTH}{te}Content-Length : x\r\n\r\n"
        )));
        let long = format!("X: {}\r\n", "y".repeat(200));
        assert!(both(&format!("{te}{long}Content-Length: 3\r\n\r\n")));
    }

    #[test]
    fn each_in_a_head_of_its_own_or_within_a_body() {
        let te = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(!both(LENGTH));
        assert!(!both(&format!("{LENGTH}{te}")));
        assert!(!both(&format!("GET / HTTP/1.1\r\n\r\n{LENGTH}{te}")));
        assert!(!both(&format!("{te}11\r\ncontent-length: 5\r\n0\r\n\r\n")));
        let body = "\r\n\r\ntransfer-encoding: x\r\n\r\n";
        let length = body.len();
        assert!(!both(&format!(
            "POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}{te}"
        )));
        assert!(!both(&format!(
            "{LENGTH}POST / HTTP/1.1\r\nx-content-length: 3\r\n{}",
            &te[17..]
        )));
    }
}
