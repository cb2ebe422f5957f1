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
        // Whether what stands before gives a name to the items of a list: `.filter(`.
        let mut names_items = false;
        // Those names, each with the brackets that it holds in.
        let mut bound: Vec<(String, usize)> = vec![];
        let mut depth = 0;
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
                    let of_another = std::mem::take(&mut member);
                    names_items = of_another && NAMING_ITEMS.contains(&name.as_str());
                    if !of_another && !bound.iter().any(|(b, _)| *b == name) {
                        self.names.insert(name);
                    }
                }
                c => {
                    at += 1;
                    match c {
                        '(' => {
                            depth += 1;
                            let rest = chars.get(at..).unwrap_or_default();
                            if let Some(name) = first_name(rest).filter(|_| names_items) {
                                bound.push((name, depth));
                            }
                        }
                        ')' => {
                            bound.retain(|(_, within)| *within != depth);
                            depth = depth.saturating_sub(1);
                        }
                        _ => {}
                    }
                    if !c.is_whitespace() {
                        member = c == '.';
                        names_items = false;
                    }
                }
            }
        }
    }
}

/// Functions of lists whose first argument is a name for the items.
const NAMING_ITEMS: &[&str] = &["exists", "all", "exists_one", "filter", "map"];

/// The name that begins a text, where a comma follows it.
fn first_name(text: &[char]) -> Option<String> {
    let text: String = text.iter().take_while(|c| !"(){}".contains(**c)).collect();
    let (name, _) = text.split_once(',')?;
    let name = name.trim();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    plain.then(|| name.to_owned())
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
        // The name of the items is none outside.
        let mut found = Named::default();
        found
            .scan("taken.filter(order, (order.x) == y(order)).exists( z , z == item) && all(o, w)");
        let mut names: Vec<&str> = found.names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["all", "item", "o", "taken", "w", "y"]);
        found.scan("order.map(order, order.id)");
        assert!(found.names.contains("order"));
    }
}
