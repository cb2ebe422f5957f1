//! What is fetched of what the client did not send, and how it takes its place.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tokio::time::timeout_at;

use crate::json::Members;
use crate::prefetch::{Prefetched, Templates};
use crate::request::HookRequest;
use crate::seams::{
    Authorization, Caller, DataAsk, DataSource, KeyAnswer, KeyAsk, KeyData, KeyFailure, KeyState,
};

/// How much longer than until its deadline a source is waited for: it should have answered what it has.
const PATIENCE: Duration = Duration::from_millis(20);

/// What is to be fetched for a call.
pub(crate) struct Plan {
    server: String,
    authorization: Option<Authorization>,
    patient: String,
    tokens: Vec<(String, String)>,
    /// Key, template, next page.
    keys: Vec<(String, String, Option<String>)>,
    /// What the client sent under each template's key.
    states: Vec<(String, KeyState)>,
}

/// What was fetched.
pub(crate) struct Fetched {
    pub(crate) answers: Vec<KeyAnswer>,
    /// The keys of which only the further pages were asked for.
    continued: Vec<String>,
    states: Vec<(String, KeyState)>,
}

impl Plan {
    /// What is missing: keys that are absent, further pages, and what should have come along; `None` where
    /// nothing is, or there is nowhere to fetch it from.
    pub(crate) fn of(
        templates: &Templates,
        data: &Prefetched,
        request: &HookRequest<'_>,
    ) -> Option<Self> {
        let server = request.server.clone()?;
        let all = templates.list.iter().zip(&data.keys);
        let wanted = all.clone().filter(|(_, key)| {
            key.state == KeyState::Absent || key.has_more || key.without_include
        });
        let keys: Vec<_> = wanted
            .map(|(template, read)| {
                (
                    template.key.clone(),
                    template.query.clone(),
                    read.next.clone(),
                )
            })
            .collect();
        (!keys.is_empty()).then(|| Plan {
            server,
            authorization: request.authorization.clone(),
            patient: request.patient.id.clone(),
            tokens: request.context.tokens.clone(),
            keys,
            states: all
                .map(|(template, key)| (template.key.clone(), key.state))
                .collect(),
        })
    }

    /// Nothing is fetched.
    pub(crate) fn nothing(self) -> Fetched {
        Fetched {
            answers: vec![],
            continued: vec![],
            states: self.states,
        }
    }

    /// Fetches it. What the source does not answer by the deadline was not answered in time.
    pub(crate) async fn fetch(
        self,
        source: &dyn DataSource,
        caller: &Caller,
        deadline: Instant,
    ) -> Fetched {
        let keys: Vec<KeyAsk<'_>> = self
            .keys
            .iter()
            .map(|(key, template, next)| KeyAsk {
                key,
                template,
                next: next.as_deref(),
            })
            .collect();
        let ask = DataAsk {
            caller,
            server: &self.server,
            authorization: self.authorization.as_ref(),
            patient: &self.patient,
            tokens: &self.tokens,
            keys: &keys,
            deadline,
        };
        let answers = timeout_at((deadline + PATIENCE).into(), source.fetch(ask)).await;
        let mut answers = answers.unwrap_or_default();
        let asked = |answer: &KeyAnswer| self.keys.iter().any(|(key, ..)| *key == answer.key);
        answers.retain(asked);
        for (key, ..) in &self.keys {
            if !answers.iter().any(|answer| answer.key == *key) {
                answers.push(KeyAnswer {
                    key: key.clone(),
                    answer: Err(KeyFailure::TimedOut),
                });
            }
        }
        let continued = self.keys.iter().filter(|(_, _, next)| next.is_some());
        Fetched {
            answers,
            continued: continued.map(|(key, ..)| key.clone()).collect(),
            states: self.states,
        }
    }
}

impl Fetched {
    /// What was fetched for a call that is evaluated anew: each as it was read then.
    pub(crate) fn recorded(all: &[(String, String)]) -> Self {
        let answer = |(key, json): &(String, String)| KeyAnswer {
            key: key.clone(),
            answer: Ok(KeyData {
                json: json.clone(),
                pages: 1,
                resources: 0,
            }),
        };
        Fetched {
            answers: all.iter().map(answer).collect(),
            continued: vec![],
            states: vec![],
        }
    }

    /// What was sent, with what was fetched in the place of what was missing.
    pub(crate) fn sent<'a>(
        &'a self,
        prefetch: &'a [(String, &'a RawValue)],
    ) -> Vec<(&'a str, Cow<'a, str>)> {
        let all = prefetch.iter();
        let mut sent: Vec<(&str, Cow<'_, str>)> = all
            .map(|(key, raw)| (key.as_str(), Cow::Borrowed(raw.get())))
            .collect();
        for answer in &self.answers {
            let Ok(data) = &answer.answer else { continue };
            let place = sent.iter_mut().find(|(key, _)| *key == answer.key);
            match place {
                None => sent.push((&answer.key, Cow::Borrowed(data.json.as_str()))),
                Some((_, json)) if self.continued.contains(&answer.key) => {
                    // What cannot be joined stays as it came: incomplete.
                    if let Some(joined) = joined(json, &data.json) {
                        *json = Cow::Owned(joined);
                    }
                }
                Some((_, json)) => *json = Cow::Borrowed(data.json.as_str()),
            }
        }
        sent
    }

    /// The keys that could not be fetched, and why.
    pub(crate) fn failures(&self) -> Vec<(&str, &KeyFailure)> {
        let failed = |answer: &'_ KeyAnswer| answer.answer.is_err();
        let failed = self.answers.iter().filter(|answer| failed(answer));
        failed
            .filter_map(|a| Some((a.key.as_str(), a.answer.as_ref().err()?)))
            .collect()
    }

    /// Of each template what the client sent, and what came of fetching it.
    pub(crate) fn keys(&self) -> Vec<(KeyState, Option<&'static str>)> {
        let of = |key: &str| {
            let answer = self.answers.iter().find(|answer| answer.key == *key)?;
            Some(match &answer.answer {
                Ok(_) => "fetched",
                Err(failure) => failure.kind(),
            })
        };
        let all = self.states.iter();
        all.map(|(key, state)| (*state, of(key))).collect()
    }
}

/// A Bundle with the entries of another behind its own, and the other's links; `None` where one of the two is
/// no Bundle.
fn joined(first: &str, rest: &str) -> Option<String> {
    let (first, rest) = (bundle(first)?, bundle(rest)?);
    let entries = |bundle: &Members<'_>| -> Option<Vec<String>> {
        let Some(raw) = bundle.get("entry") else {
            return Some(vec![]);
        };
        let all: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        Some(all.into_iter().map(|raw| raw.get().to_owned()).collect())
    };
    let mut all = entries(&first)?;
    all.extend(entries(&rest)?);
    let mut members: Vec<(&str, String)> = vec![];
    let kept = first
        .0
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "entry" | "link"));
    members.extend(kept.map(|(name, raw)| (name.as_str(), raw.get().to_owned())));
    members.extend(rest.get("link").map(|raw| ("link", raw.get().to_owned())));
    members.push(("entry", format!("[{}]", all.join(","))));
    let member =
        |(name, json): &(&str, String)| format!("{}:{json}", serde_json::Value::from(*name));
    let members: Vec<String> = members.iter().map(member).collect();
    Some(format!("{{{}}}", members.join(",")))
}

fn bundle(json: &str) -> Option<Members<'_>> {
    let members: Members<'_> = serde_json::from_str(json).ok()?;
    let ty = members.get("resourceType").and_then(crate::json::string);
    (ty.as_deref() == Some("Bundle")).then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_pages_are_joined() {
        let first = r#"{"resourceType":"Bundle","type":"searchset","total":2,"link":[{"relation":"next","url":"x"}],"entry":[{"a":1}]}"#;
        let rest = r#"{"resourceType":"Bundle","type":"searchset","entry":[{"b":1.50}]}"#;
        let whole = r#"{"resourceType":"Bundle","type":"searchset","total":2,"entry":[{"a":1},{"b":1.50}]}"#;
        assert_eq!(joined(first, rest).as_deref(), Some(whole));
        let more = rest.replace(
            "\"entry\"",
            r#""link":[{"relation":"next","url":"y"}],"entry""#,
        );
        assert!(joined(first, &more).unwrap().contains(r#""url":"y""#));
        assert_eq!(
            joined(first, r#"{"resourceType":"OperationOutcome"}"#),
            None
        );
        assert_eq!(joined(first, "null"), None);
    }
}
