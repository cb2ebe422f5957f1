//! Feedback (CDS Hooks 2.0, "Feedback"), checked: everything that is wrong with it is said at once. What it
//! says may be repeated, of any card, in any order.

use std::collections::HashSet;

use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::UTC;
use serde_json::{Map, Value};

use crate::json;
use crate::refusal::Refusal;
use crate::seams::{FeedbackEntry, FeedbackOutcome, FeedbackReason};

/// Entries of one request. Whoever has more sends several.
const MOST: usize = 1000;

/// Complaints about one request; more would be a list to read, not a hint.
const COMPLAINTS: usize = 20;

/// Longest text of an entry, in bytes: codes, displays, comments.
const LONGEST: usize = 4096;

/// The entries of a body. Members that are not of the specification are passed over.
///
/// # Errors
/// Everything that is wrong with its shape.
pub(crate) fn entries(body: &[u8]) -> Result<Vec<FeedbackEntry>, Refusal> {
    let mut check = Check { wrong: vec![] };
    let body = json::value(body)?;
    let Some(all) = body.get("feedback").and_then(Value::as_array) else {
        let said = "`feedback` must be a list of what became of cards";
        return Err(Refusal::NoFeedback(vec![said.to_owned()]));
    };
    if all.len() > MOST {
        let said = format!(
            "`feedback` has {} entries; send {MOST} at most at once",
            all.len()
        );
        return Err(Refusal::NoFeedback(vec![said]));
    }
    let mut entries = vec![];
    for (number, entry) in all.iter().enumerate() {
        entries.extend(check.entry(entry, &format!("feedback[{number}]")));
    }
    match check.wrong.is_empty() {
        true => Ok(entries),
        false => {
            let more = check.wrong.len().saturating_sub(COMPLAINTS);
            check.wrong.truncate(COMPLAINTS);
            if more > 0 {
                check.wrong.push(format!("and {more} more"));
            }
            Err(Refusal::NoFeedback(check.wrong))
        }
    }
}

struct Check {
    wrong: Vec<String>,
}

impl Check {
    /// One entry; `None` where something is wrong with it.
    fn entry(&mut self, entry: &Value, path: &str) -> Option<FeedbackEntry> {
        let before = self.wrong.len();
        let Some(entry) = entry.as_object() else {
            return self.is_wrong(path, "an object");
        };
        let card = self.uuid(entry.get("card"), &format!("{path}.card"));
        let outcome = match entry.get("outcome").and_then(Value::as_str) {
            Some("accepted") => Some(FeedbackOutcome::Accepted),
            Some("overridden") => Some(FeedbackOutcome::Overridden),
            _ => self.is_wrong(&format!("{path}.outcome"), "`accepted` or `overridden`"),
        };
        let time = self.time(entry, path);
        let accepted_suggestions = self.suggestions(entry, path, outcome);
        let (reason, comment) = self.reason(entry, path);
        if self.wrong.len() > before {
            return None;
        }
        let (outcome_timestamp, outcome_time) = time?;
        Some(FeedbackEntry {
            card: card?,
            outcome: outcome?,
            accepted_suggestions,
            reason,
            comment,
            outcome_timestamp,
            outcome_time,
        })
    }

    fn is_wrong<T>(&mut self, path: &str, wanted: &str) -> Option<T> {
        self.wrong.push(format!("`{path}` must be {wanted}"));
        None
    }

    /// A UUID, in small letters; with `urn:uuid:` before it, too.
    fn uuid(&mut self, value: Option<&Value>, path: &str) -> Option<String> {
        let text = value.and_then(Value::as_str).map(str::trim);
        let text = text.map(|text| text.strip_prefix("urn:uuid:").unwrap_or(text));
        let known = text.filter(|t| t.len() == 36 && uuid::Uuid::try_parse(t).is_ok());
        match known {
            Some(uuid) => Some(uuid.to_ascii_lowercase()),
            None => self.is_wrong(path, "the uuid of a card or suggestion of this service"),
        }
    }

    /// `outcomeTimestamp`: a whole moment (RFC 3339).
    fn time(&mut self, entry: &Map<String, Value>, path: &str) -> Option<(String, i64)> {
        let text = entry.get("outcomeTimestamp").and_then(Value::as_str);
        let moment = text
            .and_then(DateTime::parse)
            .filter(|moment| moment.precision() >= Precision::Second && moment.offset().is_some());
        match (text, moment) {
            (Some(text), Some(moment)) if text.len() <= 64 => {
                Some((text.to_owned(), moment.earliest(&UTC)))
            }
            _ => self.is_wrong(
                &format!("{path}.outcomeTimestamp"),
                "a moment as in `2026-11-30T17:05:00Z`",
            ),
        }
    }

    /// Those that were taken: required where the card was (cds-fb-2).
    fn suggestions(
        &mut self,
        entry: &Map<String, Value>,
        path: &str,
        outcome: Option<FeedbackOutcome>,
    ) -> Vec<String> {
        let path = format!("{path}.acceptedSuggestions");
        let all = match entry.get("acceptedSuggestions") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(all)) => all,
            Some(_) => {
                self.is_wrong::<()>(&path, "a list of objects with `id`");
                return vec![];
            }
        };
        if all.is_empty() && outcome == Some(FeedbackOutcome::Accepted) {
            self.is_wrong::<()>(&path, "there where the outcome is `accepted`");
        }
        if all.len() > MOST {
            self.is_wrong::<()>(&path, "a shorter list");
            return vec![];
        }
        let (mut ids, mut seen) = (vec![], HashSet::new());
        for (number, one) in all.iter().enumerate() {
            let id = self.uuid(one.get("id"), &format!("{path}[{number}].id"));
            ids.extend(id.filter(|id| seen.insert(id.clone())));
        }
        ids
    }

    /// `overrideReason`: a reason, a comment, or both (cds-fb-3).
    fn reason(
        &mut self,
        entry: &Map<String, Value>,
        path: &str,
    ) -> (Option<FeedbackReason>, Option<String>) {
        let path = format!("{path}.overrideReason");
        let given = match entry.get("overrideReason") {
            None | Some(Value::Null) => return (None, None),
            Some(Value::Object(given)) => given,
            Some(_) => {
                self.is_wrong::<()>(&path, "an object with `reason`, `userComment` or both");
                return (None, None);
            }
        };
        let comment = self.text(given, &path, "userComment");
        let reason = match given.get("reason") {
            None | Some(Value::Null) => None,
            Some(Value::Object(coding)) => {
                let path = format!("{path}.reason");
                let code = self.text(coding, &path, "code");
                if code.is_none() {
                    self.is_wrong::<()>(&format!("{path}.code"), "a code");
                }
                Some(FeedbackReason {
                    system: self.text(coding, &path, "system"),
                    code: code.unwrap_or_default(),
                    display: self.text(coding, &path, "display"),
                })
            }
            Some(_) => self.is_wrong(&format!("{path}.reason"), "a Coding"),
        };
        let neither = reason.is_none() && comment.is_none();
        if neither && !given.contains_key("reason") {
            self.is_wrong::<()>(&path, "one with `reason`, `userComment` or both");
        }
        (reason, comment)
    }

    /// A text; an empty one is none.
    fn text(&mut self, of: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        let text = match of.get(name) {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => text.trim(),
            Some(_) => return self.is_wrong(&format!("{path}.{name}"), "a text"),
        };
        if text.len() > LONGEST {
            let wanted = format!("a text of {LONGEST} bytes at most");
            return self.is_wrong(&format!("{path}.{name}"), &wanted);
        }
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CARD: &str = "9368d37b-283f-44a0-93ea-547cebab93ed";

    fn of(entry: Value) -> Result<Vec<FeedbackEntry>, Vec<String>> {
        let body = json!({ "feedback": [entry] }).to_string();
        entries(body.as_bytes()).map_err(|refusal| match refusal {
            Refusal::NoFeedback(said) => said,
            other => vec![other.to_string()],
        })
    }

    /// Checklist item 69.
    #[test]
    fn item_69_what_became_of_a_card() {
        let entry = of(json!({
            "card": CARD.to_uppercase(), "outcome": "overridden",
            "overrideReason": {
                "reason": {"code": "d7ecf885", "system": "https://example.org/codes"},
                "userComment": " seen ",
            },
            "outcomeTimestamp": "2020-12-11T04:05:06.5+02:00", "later": 1,
        }));
        let entry = &entry.unwrap()[0];
        assert_eq!(entry.card, CARD);
        assert_eq!(entry.outcome, FeedbackOutcome::Overridden);
        assert_eq!(entry.comment.as_deref(), Some("seen"));
        assert_eq!(entry.reason.as_ref().unwrap().display, None);
        assert_eq!(entry.outcome_time, 1_607_652_306_500);
        let accepted = of(json!({
            "card": format!("urn:uuid:{CARD}"), "outcome": "accepted",
            "acceptedSuggestions": [{"id": CARD}, {"id": CARD}], "outcomeTimestamp": "2020-12-11T04:05:06Z",
        }));
        assert_eq!(accepted.unwrap()[0].accepted_suggestions, [CARD]);
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let said = of(json!({
            "card": "x", "outcome": "ignored", "outcomeTimestamp": "2020-12-11",
            "overrideReason": {}, "acceptedSuggestions": 7,
        }));
        let said = said.unwrap_err();
        assert_eq!(said.len(), 5, "{said:?}");
        for (part, text) in said.iter().zip([
            "`feedback[0].card` must be",
            "`feedback[0].outcome` must be `accepted` or `overridden`",
            "`feedback[0].outcomeTimestamp`",
            "`feedback[0].acceptedSuggestions` must be a list",
            "`feedback[0].overrideReason`",
        ]) {
            assert!(part.contains(text), "{part}");
        }
        let none = of(json!({
            "card": CARD, "outcome": "accepted", "outcomeTimestamp": "2020-12-11T04:05:06Z",
        }));
        assert!(none.unwrap_err()[0].contains("acceptedSuggestions"));
        assert!(of(json!(1)).is_err());
        for body in ["{}", "[]", r#"{"feedback":{}}"#, "", "\u{1}"] {
            assert!(entries(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(entries(br#"{"feedback":[]}"#).unwrap(), []);
        let many = json!({ "feedback": vec![1; MOST + 1] }).to_string();
        assert!(entries(many.as_bytes()).is_err());
    }
}
