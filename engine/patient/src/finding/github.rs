//! A finding as GitHub's workflows read it from what a step prints: beside the line of a change.

use super::visible::in_line;
use super::{Finding, Severity};

impl Finding {
    /// `::error file=a.yaml,line=3,col=5,endColumn=9,title=unknown-function::message`, on one line.
    pub fn to_github(&self) -> String {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let place = &*self.place;
        let mut properties = vec![];
        if !place.file.is_empty() {
            properties.push(format!("file={}", property(&place.file)));
        }
        if let Some(span) = &place.span {
            properties.push(format!("line={}", span.line));
            if let Some(column) = span.column {
                properties.push(format!("col={column},endColumn={}", column + span.length));
            }
        }
        properties.push(format!("title={}", property(self.code.as_str())));
        let mut message = in_line(&self.message).into_owned();
        if let Some(help) = &self.help {
            message.push_str(&format!("\nhelp: {}", in_line(help)));
        }
        format!("::{kind} {}::{}", properties.join(","), data(&message))
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
