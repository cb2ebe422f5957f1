//! One line of JSON per call. Holds no patient data: no ids, no body, no message of a panic.

use serde::Serialize;

use crate::answer::Answer;

/// A line of the log.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_instance: Option<&'a str>,
    status: u16,
    ms: f64,
    cards: usize,
    unknown: bool,
    left_out: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Of an answer that took so long.
    pub(crate) fn new(service: &'a str, answer: &'a Answer, status: u16, seconds: f64) -> Self {
        Line {
            service,
            hook_instance: answer.hook_instance.as_deref(),
            status,
            ms: (seconds * 1e6).round() / 1e3,
            cards: answer.cards,
            unknown: answer.unknown,
            left_out: answer.left_out,
            error_id: None,
        }
    }

    /// With the id that the caller was told.
    pub(crate) fn with_error(mut self, id: Option<&'a str>) -> Self {
        self.error_id = id;
        self
    }

    /// Without the end of line.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
