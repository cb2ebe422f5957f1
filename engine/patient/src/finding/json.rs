//! A finding for machines: one flat object, without what is not known.

use serde::Serialize;
use serde_json::Value;

use super::Finding;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'f> {
    code: &'static str,
    severity: &'static str,
    blame: &'static str,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'f str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_id: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locator: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<&'f str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    measures: &'f [String],
}

impl Finding {
    /// As JSON. `line` and `column` count from 1: in `file`, or in the expression at `path`.
    pub fn to_json(&self) -> Value {
        let place = &*self.place;
        let span = place.span.as_ref();
        let node = place.node.as_ref();
        let flat = Flat {
            code: self.code.as_str(),
            severity: self.severity.as_str(),
            blame: self.blame.as_str(),
            message: &self.message,
            help: self.help.as_deref(),
            file: &place.file,
            line: span.map(|s| s.line),
            column: span.and_then(|s| s.column),
            length: span.filter(|s| s.text.is_some()).map(|s| s.length),
            path: place.path.as_deref(),
            library: node.map(|n| &*n.library),
            definition: node.and_then(|n| n.definition.as_deref()),
            local_id: node.and_then(|n| n.local_id.as_deref()),
            locator: node.and_then(|n| n.locator.as_deref()),
            canonical: place.canonical.as_deref(),
            measures: &self.measures,
        };
        // Texts and numbers only: it cannot fail.
        serde_json::to_value(flat).unwrap_or_default()
    }
}
