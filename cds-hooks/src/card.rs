//! From what a service has to say to a card within the limits of the specification.

use std::collections::HashMap;

use rules::text;

use crate::hash;
use crate::service::CardContent;
use crate::wire::{Card, SelectionBehavior, Suggestion};

/// Longest summary: the specification wants fewer than 140 characters. Counted in UTF-16, as browsers do.
pub const MAX_SUMMARY: usize = 139;

impl Card {
    /// The cards of contents. `scope` names the call (service, hook instance, patient); with the
    /// content it makes the uuid, so that the same call answered twice has the same bytes. Two cards of
    /// one content are told apart by which comes first.
    pub(crate) fn all(contents: impl Iterator<Item = CardContent>, scope: &[&str]) -> Vec<Self> {
        let mut cards: Vec<Self> = vec![];
        let mut seen: HashMap<String, usize> = HashMap::new();
        for content in contents {
            let mut card = Card::new(content, scope);
            let before = seen.entry(card.content.clone()).or_default();
            if *before > 0 {
                let number = before.to_string();
                card.uuid = hash::uuid_within(scope, &[&card.uuid, &number]);
            }
            *before += 1;
            card.name_suggestions();
            cards.push(card);
        }
        cards
    }

    fn new(content: CardContent, scope: &[&str]) -> Self {
        let indicator = content.indicator;
        let content = clean(content);
        let (summary, rest) = fit(content.summary);
        let detail = match rest.map(|whole| text::markdown(&whole)) {
            Some(whole) if content.detail.is_empty() => whole,
            Some(whole) => format!("{whole}\n\n{}", content.detail),
            None => content.detail,
        };
        let content_fields = [indicator.as_str(), &summary, &detail, &content.source.label];
        let uuid = hash::uuid_within(scope, &content_fields);
        Card {
            content: uuid.clone(),
            uuid,
            summary,
            detail,
            indicator,
            source: content.source,
            suggestions: content.suggestions.filter(|s| !s.suggestions.is_empty()),
            override_reasons: content.override_reasons,
            links: content.links,
            extension: content.extension,
        }
    }

    /// Names what the card says, in whichever call it says it.
    pub(crate) fn content_name(&self) -> String {
        hash::short(&[
            self.indicator.as_str(),
            &self.summary,
            &self.detail,
            &self.source.label,
        ])
    }

    /// Feedback names the suggestion that was taken.
    fn name_suggestions(&mut self) {
        let suggestions = self.suggestions.iter_mut().flat_map(|s| &mut s.suggestions);
        for (number, suggestion) in suggestions.enumerate() {
            let uuid = || hash::uuid(&[&self.uuid, "suggestion", &number.to_string()]);
            suggestion.uuid.get_or_insert_with(uuid);
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
    // What a rule fills in may be empty; what the specification wants there must not be.
    if content.summary.is_empty() {
        content.summary = format!("A notice of {}", content.source.label);
    }
    content.links.retain_mut(|link| {
        plain(&mut link.label);
        let url = text::link(&link.url);
        if let (Some(url), true) = (&url, link.label.is_empty()) {
            link.label.clone_from(url);
        }
        url.map(|url| link.url = url).is_some()
    });
    for offered in content.suggestions.iter_mut() {
        // Of those of which one may be taken at most, one is recommended at most (cds-resp-1).
        let mut recommended = 0;
        for suggestion in &mut offered.suggestions {
            if suggestion.is_recommended == Some(true) {
                recommended += 1;
            }
            if recommended > 1 && offered.selection_behavior == SelectionBehavior::AtMostOne {
                suggestion.is_recommended = None;
            }
        }
    }
    let suggestions = content.suggestions.iter_mut();
    for suggestion in suggestions.flat_map(|s| &mut s.suggestions) {
        plain(&mut suggestion.label);
        for action in &mut suggestion.actions {
            plain(&mut action.description);
        }
        describe(suggestion);
    }
    let offered = content.suggestions.iter_mut();
    let all = offered.map(|offered| &mut offered.suggestions);
    for suggestions in all {
        let before = suggestions.len();
        suggestions.retain(|suggestion| !suggestion.label.is_empty());
        if suggestions.len() < before {
            let said = format!(
                "{} × a suggestion without a label",
                before - suggestions.len()
            );
            content.extension.not_offered.push(said);
        }
    }
    content
}

/// A suggestion without a label is called what its first action is, and an action without a description what
/// the suggestion is.
fn describe(suggestion: &mut Suggestion) {
    if suggestion.label.is_empty() {
        let mut described = suggestion.actions.iter().map(|action| &action.description);
        let first = described.find(|text| !text.is_empty()).cloned();
        suggestion.label = first.unwrap_or_default();
    }
    for action in &mut suggestion.actions {
        if action.description.is_empty() {
            action.description.clone_from(&suggestion.label);
        }
    }
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
