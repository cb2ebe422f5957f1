//! Cards as they go over the wire (CDS Hooks 2.0, "CDS Service Response").
//!
//! A field without a value is left out: nothing here is ever `null`, `""`, `[]` or `{}`, save for
//! `cards: []`.

use serde::Serialize;
use serde_json::Value;

use rules::text;

use crate::hash;
use crate::service::CardContent;

/// Longest summary: the specification wants fewer than 140 characters. Counted in UTF-16, as browsers do.
pub const MAX_SUMMARY: usize = 139;

/// The body of an answer with status 200.
#[derive(Clone, Debug, Serialize)]
pub struct Response {
    /// The cards; empty where there is nothing to say.
    pub cards: Vec<Card>,
}

/// One card.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    uuid: String,
    summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    indicator: Indicator,
    source: Source,
    #[serde(flatten)]
    suggestions: Option<Suggestions>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    override_reasons: Vec<Coding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

/// How urgent a card is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Indicator {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Harm is near.
    Critical,
}

/// Who says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Source {
    /// Name for people. Not empty.
    pub label: String,
    /// Absolute; sent only where it is http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the card is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Coding>,
}

/// A code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coding {
    /// Its system.
    pub system: String,
    /// The code.
    pub code: String,
    /// For people; required in override reasons.
    pub display: String,
}

/// A link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Link {
    /// For people.
    pub label: String,
    /// Absolute.
    pub url: String,
    /// A page, or an app.
    #[serde(flatten)]
    pub target: LinkTarget,
}

/// What a link opens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LinkTarget {
    /// A page.
    Absolute,
    /// A SMART app.
    Smart {
        /// A string handed to the app.
        #[serde(rename = "appContext", skip_serializing_if = "Option::is_none")]
        app_context: Option<String>,
    },
}

/// Suggestions and how they may be taken: the specification requires both or neither.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestions {
    /// How many may be taken.
    pub selection_behavior: SelectionBehavior,
    /// Not empty.
    pub suggestions: Vec<Suggestion>,
}

/// How many suggestions of a card may be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionBehavior {
    /// None or one.
    AtMostOne,
    /// Any number.
    Any,
}

/// Something to do at a click.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// For people.
    pub label: String,
    /// Names it in feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The one to prefer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_recommended: Option<bool>,
    /// Done together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// A change of one resource.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Action {
    /// For people.
    pub description: String,
    /// What is done.
    #[serde(flatten)]
    pub change: Change,
}

/// What an action does.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Change {
    /// Creates this resource.
    Create {
        /// The whole resource.
        resource: Value,
    },
    /// Replaces a resource by this.
    Update {
        /// The whole resource with its id.
        resource: Value,
    },
    /// Deletes a resource.
    Delete {
        /// `Type/id`.
        #[serde(rename = "resourceId")]
        resource_id: String,
    },
}

impl Card {
    /// The card of a content. `scope` names the call (service, hook instance, patient); with the
    /// content it makes the uuid, so that the same call answered twice has the same bytes.
    pub(crate) fn new(content: CardContent, scope: &[&str]) -> Self {
        let indicator = content.indicator;
        let content = clean(content);
        let (summary, rest) = fit(content.summary);
        let detail = match rest.map(|whole| text::markdown(&whole)) {
            Some(whole) if content.detail.is_empty() => whole,
            Some(whole) => format!("{whole}\n\n{}", content.detail),
            None => content.detail,
        };
        let urgency = match indicator {
            Indicator::Info => "info",
            Indicator::Warning => "warning",
            Indicator::Critical => "critical",
        };
        let content_fields = [urgency, &summary, &detail, &content.source.label];
        let uuid = hash::uuid(&[scope, &content_fields].concat());
        Card {
            uuid,
            summary,
            detail,
            indicator,
            source: content.source,
            suggestions: content.suggestions.filter(|s| !s.suggestions.is_empty()),
            override_reasons: content.override_reasons,
            links: content.links,
        }
    }
}

/// Without what is invisible and could mislead, and without links that do not lead to http or https.
fn clean(mut content: CardContent) -> CardContent {
    let plain = |text: &mut String| *text = text::plain(text);
    plain(&mut content.summary);
    content.detail = text::shown(&content.detail);
    plain(&mut content.source.label);
    content.source.url = content.source.url.as_deref().and_then(text::link);
    if let Some(topic) = &mut content.source.topic {
        plain(&mut topic.display);
    }
    for reason in &mut content.override_reasons {
        plain(&mut reason.display);
    }
    content.links.retain_mut(|link| {
        plain(&mut link.label);
        let url = text::link(&link.url);
        url.map(|url| link.url = url).is_some()
    });
    let suggestions = content.suggestions.iter_mut();
    for suggestion in suggestions.flat_map(|s| &mut s.suggestions) {
        plain(&mut suggestion.label);
        for action in &mut suggestion.actions {
            plain(&mut action.description);
        }
    }
    content
}

/// A summary on one line within the limit, and the whole where it had to be cut.
fn fit(line: String) -> (String, Option<String>) {
    if text::width(&line) <= MAX_SUMMARY {
        return (line, None);
    }
    let mut cut = text::front(&line, MAX_SUMMARY - 1).to_owned();
    if let Some((words, _)) = cut.rsplit_once(' ').filter(|(words, _)| words.len() > 60) {
        cut = words.to_owned();
    }
    cut.push('…');
    (cut, Some(line))
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
