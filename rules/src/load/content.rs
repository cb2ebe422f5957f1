//! A name for what a rule is made of: its file and its tables. Another text has another name, on every
//! machine; it keeps no secret.

use crate::yaml::Text;

/// A 64-bit FNV-1a.
pub(super) struct Content(u64);

impl Content {
    /// Of a file.
    pub(super) fn of(text: &Text) -> Self {
        let mut content = Content(0xcbf2_9ce4_8422_2325);
        let text: String = text.chars().iter().collect();
        content.add(text.as_bytes());
        content
    }

    /// And of these bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Sixteen hexadecimal digits.
    pub(super) fn name(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_has_another_name() {
        let of = |text: &str, table: &str| {
            let mut content = Content::of(&Text::new("f", text));
            content.add(table.as_bytes());
            content.name()
        };
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "b"), of("ab", ""));
        assert_eq!(of("a", "b").len(), 16);
    }
}
