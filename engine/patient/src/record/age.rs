//! Which of two versions of a resource is newer: one rule for records, for the lake, for deletions.

use super::Element;
use crate::system::date_time::instant_micros;

/// By `meta.lastUpdated`, then by `meta.versionId`: greater is newer, what is missing is oldest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Age {
    /// Microseconds since 1970 UTC.
    pub updated: Option<i64>,
    /// The number of the version, where it is one.
    pub version: Option<u64>,
}

impl Age {
    /// Of a resource.
    pub fn of(resource: Element<'_>) -> Age {
        let meta = resource.get_named("meta");
        let text = |name| meta.and_then(|m| m.get_str(name));
        Age {
            updated: text("lastUpdated").and_then(|t| instant_micros(&t)),
            version: text("versionId").and_then(|t| Age::number(&t)),
        }
    }

    /// The number of a version: `2`, and as an ETag `W/"2"` or `"2"` (RFC 9110 §8.8.3), which some
    /// servers write as `meta.versionId`. `None` for `abc`.
    pub fn number(version: &str) -> Option<u64> {
        let text = version.trim();
        let text = text.strip_prefix("W/").unwrap_or(text);
        text.trim_matches('"').parse().ok()
    }

    /// Whether a deletion comes after a version: by time, then by version; where they do not both
    /// tell, by the order in which they came (greater is later).
    pub fn is_later<T: Ord>(deletion: (Age, T), version: (Age, T)) -> bool {
        let by = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) if a != b => Some(a > b),
            _ => None,
        };
        let (a, b) = (deletion.0, version.0);
        let number = |v: Option<u64>| v.map(|v| i64::try_from(v).unwrap_or(i64::MAX));
        by(a.updated, b.updated)
            .or_else(|| by(number(a.version), number(b.version)))
            .unwrap_or_else(|| deletion.1 > version.1)
    }
}
