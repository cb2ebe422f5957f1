//! From what the parts of a service have to say to one answer: ranked, each thing once, not too many. Knows
//! nothing of HTTP but the refusals.

use rules::text;

use crate::card_order::{Listed, capped, once, ranked};
use crate::evaluate::{About, PartResult, Read};
use crate::refusal::Refusal;
use crate::seams::{CardRecord, Knows, RuleOutcome, RuleRecord};
use crate::service::CardContent;
use crate::set::{Entry, Part};
use crate::wire::{
    Action, ActionSelectionBehavior, AnswerExtension, Card, Indicator, NotEvaluated, NotShown,
    Response, SelectionBehavior, Source, Suggestion, Suggestions,
};

/// How a call ended, also where it was refused: for the log, and for the record.
#[derive(Default)]
pub(crate) struct Answer {
    /// The body, or why there is none; neither after an error of ours.
    pub(crate) body: Option<Result<Vec<u8>, Refusal>>,
    /// Names the hook instance without giving it away.
    pub(crate) hook_instance: Option<String>,
    /// How many cards.
    pub(crate) cards: usize,
    /// How many there would be of rules on trial, where nobody sees them.
    pub(crate) shadow: Option<usize>,
    /// Selections that name no draft of the call.
    pub(crate) unknown_selections: usize,
    /// A rule could not tell.
    pub(crate) unknown: bool,
    /// What was there and could not be understood, and nothing depended on it.
    pub(crate) passed_over: Vec<String>,
    /// Entries of the prefetch that were not used.
    pub(crate) left_out: usize,
    /// What a rule could not tell for lack of it: keys and types.
    pub(crate) lacking: Vec<String>,
    /// Why it could not tell: elements and types.
    pub(crate) reason: Option<String>,
    /// A bug of ours, in words that name the rule's text and hold nothing of the patient.
    pub(crate) bug: Option<String>,
    /// Each rule, in the author's order.
    pub(crate) rules: Vec<RuleRecord>,
    /// The cards that are shown, and then those that would be of rules on trial.
    pub(crate) card_records: Vec<CardRecord>,
}

/// How a call is to be answered.
pub(crate) struct Style {
    pub(crate) max_cards: usize,
    pub(crate) knows: Knows,
    /// `systemActions` may be sent.
    pub(crate) system_actions: bool,
}

/// Answers a call with what is known of it: of `results` there are as many as were done in time.
pub(crate) fn answer(
    entry: &Entry,
    about: &About,
    read: Option<&Read>,
    results: Vec<PartResult>,
    style: &Style,
) -> Answer {
    let mut answer = Answer {
        passed_over: about.passed_over.clone(),
        ..Answer::default()
    };
    if let Some(read) = read {
        answer.left_out = read.left_out;
        answer.unknown_selections = read.unknown_selections;
        answer.passed_over.extend(read.passed_over.iter().cloned());
    }
    let done = results.len();
    let late = entry.parts.iter().skip(done).map(PartResult::late);
    let results: Vec<PartResult> = results.into_iter().chain(late).collect();
    let all: Vec<(&Part, PartResult)> = entry.parts.iter().zip(results).collect();
    answer.rules = all
        .iter()
        .map(|(part, result)| record(part, result))
        .collect();
    let unknown = |(_, r): &&(&Part, PartResult)| r.outcome == RuleOutcome::Unknown;
    if let Some((_, first)) = all.iter().find(unknown) {
        answer.unknown = true;
        answer.reason.clone_from(&first.reason);
        answer.lacking = read.map(|read| read.technical.clone()).unwrap_or_default();
    }
    answer.bug = all.iter().find_map(|(_, result)| result.bug.clone());
    if let Some(refusal) = refused(&all) {
        answer.body = refusal.map(Err);
        answer.rules.iter_mut().for_each(|rule| rule.cards = 0);
        return answer;
    }
    let extension = AnswerExtension {
        not_evaluated: not_evaluated(&all),
        not_shown: None,
    };
    let scope = [&*entry.service.id, &about.hook_instance, &about.patient];
    let (mut shown, mut on_trial) = (vec![], vec![]);
    for (number, (part, mut result)) in all.into_iter().enumerate() {
        let list = match part.service.is_shadow() {
            true => &mut on_trial,
            false => &mut shown,
        };
        let evidence = std::mem::take(&mut result.evidence);
        list.extend(result.contents.into_iter().map(|content| Listed {
            parts: vec![number],
            content,
            evidence: evidence.clone(),
        }));
    }
    let response = response(entry, shown, extension, &scope, about, style, &mut answer);
    if entry.parts.iter().any(|part| part.service.is_shadow()) {
        answer.shadow = Some(on_trial.len());
        cards(entry, on_trial, &scope, true, &mut answer);
    }
    answer.cards = response.cards.len();
    // Plain strings under fixed names: there is nothing that could fail.
    answer.body = serde_json::to_vec(&response).ok().map(Ok);
    answer
}

/// Why the call is not answered with cards, where that is so. Where no rule at all could tell, none shows
/// a card, and the client did not send all that it was asked for, the specification asks for 412 rather
/// than an answer that looks like "nothing to do". An error of ours has no refusal yet: its id is made
/// where all are. Nobody is to notice a rule on trial.
fn refused(all: &[(&Part, PartResult)]) -> Option<Option<Refusal>> {
    let shown = all.iter().filter(|(part, _)| !part.service.is_shadow());
    let shown: Vec<&PartResult> = shown.map(|(_, result)| result).collect();
    let is = |result: &&PartResult, outcome| result.outcome == outcome;
    if shown.is_empty() || shown.iter().any(|result| !result.contents.is_empty()) {
        return None;
    }
    if shown.iter().all(|result| is(result, RuleOutcome::Failed)) {
        return Some(None);
    }
    let knows = |r: &&PartResult| is(r, RuleOutcome::Silent) || is(r, RuleOutcome::Fired);
    let withheld = |r: &&&PartResult| is(r, RuleOutcome::Unknown) && r.withheld;
    let mut lacking: Vec<String> = vec![];
    for said in shown.iter().filter(withheld).flat_map(|r| &r.lacking) {
        if !lacking.contains(said) {
            lacking.push(said.clone());
        }
    }
    let any = !shown.iter().any(knows) && shown.iter().any(|r| withheld(&r));
    any.then_some(Some(Refusal::Lacking(lacking)))
}

/// The rules of which nobody could think that they had nothing to say: those that were late or failed, and
/// those that lacked data and have no card that says so.
fn not_evaluated(all: &[(&Part, PartResult)]) -> Vec<NotEvaluated> {
    let shown = all.iter().filter(|(part, _)| !part.service.is_shadow());
    let of = |(part, result): &(&Part, PartResult)| {
        let says = result.contents.iter().any(|content| content.says_unknown);
        let (why, lacking) = match result.outcome {
            RuleOutcome::Late => ("late", vec![]),
            RuleOutcome::Failed => ("failed", vec![]),
            RuleOutcome::Unknown if !says && !result.lacking.is_empty() => {
                ("lacking", result.lacking.clone())
            }
            _ => return None,
        };
        Some(NotEvaluated {
            rule: part.name.id.clone(),
            version: part.name.version.clone(),
            why,
            lacking,
        })
    };
    shown.filter_map(of).collect()
}

fn record(part: &Part, result: &PartResult) -> RuleRecord {
    RuleRecord {
        rule: part.name.id.clone(),
        version: part.name.version.clone(),
        hash: part.name.hash.clone(),
        outcome: result.outcome,
        is_shadow: part.service.is_shadow(),
        cards: result.contents.len(),
        reason: result.reason.clone(),
        millis: result.seconds * 1e3,
    }
}

fn response(
    entry: &Entry,
    shown: Vec<Listed>,
    mut extension: AnswerExtension,
    scope: &[&str],
    about: &About,
    style: &Style,
    answer: &mut Answer,
) -> Response {
    let most = about.options.max_cards.unwrap_or(style.max_cards);
    let (mut kept, cut) = capped(ranked(once(shown)), most.min(style.max_cards));
    let mut system_actions: Vec<Action> = vec![];
    for listed in kept.iter_mut() {
        let actions = std::mem::take(&mut listed.content.system_actions);
        if style.system_actions && style.knows.system_actions {
            system_actions.extend(actions);
            let suggestions = listed.content.suggestions.iter_mut();
            suggestions.for_each(|offered| system_actions.extend(automatic(offered)));
        }
        let suggestions = listed.content.suggestions.iter_mut();
        suggestions.for_each(|offered| understood(offered, style.knows));
    }
    if !cut.is_empty() {
        extension.not_shown = Some(NotShown { cards: cut.len() });
        if most > 0 {
            kept.push(Listed {
                parts: vec![],
                content: of_the_rest(entry, &cut),
                evidence: vec![],
            });
        }
    }
    Response {
        cards: cards(entry, kept, scope, false, answer),
        system_actions,
        extension,
    }
}

/// The cards of contents, and their records.
fn cards(
    entry: &Entry,
    all: Vec<Listed>,
    scope: &[&str],
    is_shadow: bool,
    answer: &mut Answer,
) -> Vec<Card> {
    let (mut of, mut contents) = (vec![], vec![]);
    for listed in all {
        of.push((listed.parts, listed.evidence, listed.content.says_unknown));
        contents.push(listed.content);
    }
    let cards = Card::all(contents.into_iter(), scope);
    for (card, (parts, evidence, says_unknown)) in cards.iter().zip(of) {
        let parts = parts.iter().filter_map(|number| entry.parts.get(*number));
        let suggestions = card.suggestions.iter().flat_map(|s| &s.suggestions);
        answer.card_records.push(CardRecord {
            uuid: card.uuid.clone(),
            rules: parts
                .map(|p| (p.name.id.clone(), p.name.version.clone()))
                .collect(),
            indicator: card.indicator.as_str(),
            content: card.content_name(),
            summary: card.summary.clone(),
            suggestions: suggestions.filter_map(|s| s.uuid.clone()).collect(),
            evidence,
            is_shadow,
            says_unknown,
        });
    }
    cards
}

/// Takes out the actions of the suggestions that need nobody's click.
fn automatic(offered: &mut Suggestions) -> Vec<Action> {
    let all = std::mem::take(&mut offered.suggestions).into_iter();
    let (done, left): (Vec<Suggestion>, Vec<Suggestion>) = all.partition(|s| s.is_automatic);
    offered.suggestions = left;
    done.into_iter().flat_map(|s| s.actions).collect()
}

/// Suggestions as a client can carry them out: one that does not know `actionSelectionBehavior` would do
/// all actions of a suggestion, so that those among which it may choose become suggestions of their own.
fn understood(offered: &mut Suggestions, knows: Knows) {
    if knows.action_selection_behavior {
        return;
    }
    let mut all: Vec<Suggestion> = vec![];
    for mut suggestion in std::mem::take(&mut offered.suggestions) {
        let behavior = suggestion.action_selection_behavior.take();
        let choose = behavior.is_some_and(|b| b != ActionSelectionBehavior::All);
        if !choose || suggestion.actions.len() < 2 {
            all.push(suggestion);
            continue;
        }
        // Of those of which one may be done, two must not be chosen.
        if behavior == Some(ActionSelectionBehavior::AtMostOne) {
            offered.selection_behavior = SelectionBehavior::AtMostOne;
        }
        let recommended = suggestion.is_recommended;
        for (number, action) in suggestion.actions.into_iter().enumerate() {
            all.push(Suggestion {
                label: format!("{}: {}", suggestion.label, action.description),
                uuid: None,
                is_recommended: recommended.filter(|_| number == 0),
                actions: vec![action],
                action_selection_behavior: None,
                is_automatic: false,
            });
        }
    }
    offered.suggestions = all;
}

/// The last card: how many are not shown, and what they say.
fn of_the_rest(entry: &Entry, cut: &[Listed]) -> CardContent {
    /// More would be a list to read, not a hint.
    const NAMED: usize = 20;
    let count = cut.len();
    let (s, are) = if count == 1 { ("", "is") } else { ("s", "are") };
    let summary = format!("{count} more notice{s} {are} not shown");
    let named = cut.iter().take(NAMED);
    let lines = named.map(|listed| format!("- {}", text::markdown(&listed.content.summary)));
    let mut lines: Vec<String> = lines.collect();
    if count > NAMED {
        lines.push(format!("- and {} more", count - NAMED));
    }
    let source = Source {
        label: entry.service.title.clone(),
        url: None,
        topic: None,
    };
    CardContent::text(Indicator::Info, &summary, &lines.join("\n"), source)
}
