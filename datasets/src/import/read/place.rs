//! Where a resource stands in the input.

/// Where a resource stands, for errors.
#[derive(Clone, Copy)]
pub struct Place {
    pub line: u64,
    pub offset: u64,
    /// Where the file begins among all that is read.
    pub base: u64,
}

impl Place {
    /// The place behind a text that starts here.
    pub fn after(self, text: &str) -> Place {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        Place {
            line: self.line + lines as u64,
            offset: self.offset + text.len() as u64,
            ..self
        }
    }

    /// Later in the input is greater: its place among all bytes that are read, unpacked.
    pub fn sequence(self) -> u64 {
        self.base.saturating_add(self.offset)
    }
}
