//! One Bundle of the pages of a search.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use serde_json::Value;

use super::page::Page;

/// What pages have together.
///
/// Entries stay as they came, in their order; one that came before with the same text, as where pages shift
/// while they are read, comes once. `total` is the largest that any page says: where that is more than there
/// is, something is missing.
#[derive(Default)]
pub(crate) struct Merged {
    entries: String,
    /// Where an entry of a hash stands.
    seen: HashMap<u64, Range<usize>>,
    pub(crate) count: usize,
    pub(crate) theirs: usize,
    pub(crate) anothers: usize,
    total: Option<String>,
    meta: Option<String>,
    itself: Option<String>,
    other_links: Vec<String>,
}

impl Merged {
    pub(crate) fn add(&mut self, page: &Page<'_>) {
        for entry in &page.entries {
            self.entry(entry.get());
        }
        self.theirs += page.theirs;
        self.anothers += page.anothers;
        let total = page.total.map(|raw| raw.get());
        if let Some(total) = total
            && self
                .total
                .as_deref()
                .is_none_or(|before| is_worse(total, before))
        {
            self.total = Some(total.to_owned());
        }
        let meta = page
            .meta
            .map(|raw| raw.get())
            .filter(|meta| is_telling(meta));
        if let Some(meta) = meta {
            self.meta.get_or_insert_with(|| meta.to_owned());
        }
        if let Some(itself) = page.itself {
            self.itself.get_or_insert_with(|| itself.get().to_owned());
        }
        let links = page.other_links.iter().map(|raw| raw.get().to_owned());
        self.other_links.extend(links);
    }

    fn entry(&mut self, text: &str) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        let before = self
            .seen
            .get(&hash)
            .and_then(|at| self.entries.get(at.clone()));
        if before == Some(text) {
            return;
        }
        if !self.entries.is_empty() {
            self.entries.push(',');
        }
        let start = self.entries.len();
        self.entries.push_str(text);
        self.seen.insert(hash, start..self.entries.len());
        self.count += 1;
    }

    /// The Bundle. `rest` is the URL of a page that was not read; without `with_total` what pages say of
    /// all matches is left out, where this is a part of them.
    pub(crate) fn bundle(self, rest: Option<&str>, with_total: bool) -> String {
        let mut links: Vec<String> = self.itself.into_iter().collect();
        links.extend(self.other_links);
        if let Some(url) = rest {
            links.push(format!(
                r#"{{"relation":"next","url":{}}}"#,
                Value::from(url)
            ));
        }
        let mut out = r#"{"resourceType":"Bundle","type":"searchset""#.to_owned();
        let mut member = |name: &str, json: &str| {
            out.push_str(&format!(r#","{name}":{json}"#));
        };
        if let Some(meta) = &self.meta {
            member("meta", meta);
        }
        if let Some(total) = self.total.filter(|_| with_total) {
            member("total", &total);
        }
        if !links.is_empty() {
            member("link", &format!("[{}]", links.join(",")));
        }
        if self.count > 0 {
            member("entry", &format!("[{}]", self.entries));
        }
        out.push('}');
        out
    }
}

/// A total that is no number is worse than any number, and a larger one than a smaller.
fn is_worse(total: &str, before: &str) -> bool {
    match (total.parse::<u64>(), before.parse::<u64>()) {
        (Ok(total), Ok(before)) => total > before,
        (Err(_), Ok(_)) => true,
        (_, Err(_)) => false,
    }
}

/// Tags say that something is only a part (`SUBSETTED`), and so could what is no `meta`. Times and versions of
/// a page say nothing of the whole.
fn is_telling(meta: &str) -> bool {
    match serde_json::from_str::<Value>(meta) {
        Ok(Value::Object(members)) => ["tag", "security"].iter().any(|m| members.contains_key(*m)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(pages: &[&str]) -> Merged {
        let mut merged = Merged::default();
        for json in pages {
            merged.add(&Page::read(json, Some("1"), "x", 10).unwrap());
        }
        merged
    }

    #[test]
    fn item_33_pages_become_one_bundle() {
        let merged = merged(&[
            r#"{"resourceType":"Bundle","type":"searchset","id":"a","meta":{"lastUpdated":"2026-01-01T00:00:00Z"},"total":3,"link":[{"relation":"self","url":"u1"},{"relation":"next","url":"u2"}],"entry":[{"resource":{"resourceType":"Basic","id":"1"}},{"resource":{"resourceType":"Basic","id":"2"}}]}"#,
            r#"{"resourceType":"Bundle","type":"searchset","total":4,"link":[{"relation":"self","url":"u2"},{"relation":"previous","url":"u1"}],"entry":[{"resource":{"resourceType":"Basic","id":"2"}},{"resource":{"resourceType":"Basic","id":"3"}}]}"#,
        ]);
        assert_eq!(merged.count, 3);
        assert_eq!(
            merged.bundle(None, true),
            r#"{"resourceType":"Bundle","type":"searchset","total":4,"link":[{"relation":"self","url":"u1"}],"entry":[{"resource":{"resourceType":"Basic","id":"1"}},{"resource":{"resourceType":"Basic","id":"2"}},{"resource":{"resourceType":"Basic","id":"3"}}]}"#
        );
    }

    #[test]
    fn what_says_that_something_is_missing_is_kept() {
        let merged = merged(&[
            r#"{"resourceType":"Bundle","meta":{"tag":[{"code":"SUBSETTED"}]},"total":"9","link":[{"relation":"next","url":"u2"},{"relation":"next","url":"u3"},{"relation":"nextPage"}]}"#,
        ]);
        assert_eq!(
            merged.bundle(Some("u\"2"), true),
            r#"{"resourceType":"Bundle","type":"searchset","meta":{"tag":[{"code":"SUBSETTED"}]},"total":"9","link":[{"relation":"next","url":"u3"},{"relation":"nextPage"},{"relation":"next","url":"u\"2"}]}"#
        );
    }
}
