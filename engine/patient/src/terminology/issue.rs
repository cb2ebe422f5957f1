//! Errors of a lookup.

/// A lookup that found nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerminologyError {
    /// No resource has this url.
    #[error("unknown {kind} `{canonical}`{}", did_you_mean(.suggestions))]
    Unknown {
        /// `value set` or `code system`.
        kind: &'static str,
        /// The canonical asked for.
        canonical: String,
        /// Urls of the nearest ones, best first; empty when nothing is near.
        suggestions: Vec<String>,
    },
    /// The url is known, the version is not.
    #[error("unknown version `{version}` of {kind} `{url}`; loaded: {}", .available.join(", "))]
    UnknownVersion {
        /// `value set` or `code system`.
        kind: &'static str,
        /// The url asked for.
        url: String,
        /// The version asked for.
        version: String,
        /// The versions that are loaded, highest first; `(none)` for one without version.
        available: Vec<String>,
    },
}

fn did_you_mean(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        some => format!("; did you mean `{}`?", some.join("` or `")),
    }
}
