//! The names and texts of an expression, without checking it: which of the library it may use.

use std::collections::HashSet;

/// What expressions name.
#[derive(Default)]
pub(crate) struct Named {
    /// Names that are no element of something.
    pub names: HashSet<String>,
    /// Texts in quotes.
    pub texts: HashSet<String>,
}

impl Named {
    /// Adds what an expression names.
    pub fn scan(&mut self, source: &str) {
        let chars: Vec<char> = source.chars().collect();
        let mut at = 0;
        // Whether a `.` stands before: what follows is an element or a function.
        let mut member = false;
        while let Some(c) = chars.get(at).copied() {
            match c {
                '"' | '\'' => {
                    let mut text = String::new();
                    at += 1;
                    while let Some(c) = chars.get(at).copied().filter(|inner| *inner != c) {
                        if c == '\\' {
                            at += 1;
                        }
                        text.extend(chars.get(at));
                        at += 1;
                    }
                    self.texts.insert(text);
                    at += 1;
                    member = false;
                }
                '/' if chars.get(at + 1) == Some(&'/') => {
                    while chars.get(at).is_some_and(|c| *c != '\n') {
                        at += 1;
                    }
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let rest = chars.get(at..).unwrap_or_default().iter();
                    let name: String = rest
                        .take_while(|c| c.is_alphanumeric() || **c == '_')
                        .collect();
                    at += name.chars().count();
                    if !std::mem::take(&mut member) {
                        self.names.insert(name);
                    }
                }
                c => {
                    if !c.is_whitespace() {
                        member = c == '.';
                    }
                    at += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts() {
        let mut found = Named::default();
        found.scan("adult && Condition(\"a-\\\"b\").x . y(z, 'q') // comment\n|| !last_one");
        let has = |name: &str| found.names.contains(name);
        assert!(has("adult") && has("Condition") && has("z") && has("last_one"));
        assert!(!has("x") && !has("y") && !has("comment") && !has("q"));
        assert!(found.texts.contains("a-\"b") && found.texts.contains("q"));
    }
}
