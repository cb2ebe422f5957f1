//! The card: texts with values, and what it offers.

use std::borrow::Cow;

use engine_cel::explain::show;
use engine_cel::{Evaluation, TOO_MUCH, Val};
use engine_patient::program::EvaluationError;
use engine_patient::system::decimal;

use super::fill::{Made, change};
use crate::outcome::{CardAction, CardSource, CardSuggestion, CardText};
use crate::program::{Fragment, IndicatorOf, SuggestionProgram};
use crate::rule::Rule;
use crate::template::{SUMMARY_LENGTH, cut};
use crate::text;
use crate::words::{Indicator, Word};

impl Rule {
    /// The card for what the evaluation is about now.
    pub(super) fn card<'r>(
        &'r self,
        evaluation: &Evaluation<'r>,
    ) -> Result<CardText, EvaluationError> {
        let program = &self.program.expressions.card;
        let indicator = match &program.indicator {
            IndicatorOf::Always(indicator) => *indicator,
            IndicatorOf::From(expression) => match evaluation.evaluate(expression)? {
                Val::Str(word) => Indicator::of_word(&word).unwrap_or(Indicator::Warning),
                _ => Indicator::Warning,
            },
        };
        let mut detail = render(evaluation, &program.detail, true)?;
        let (summary, untold) = rendered(evaluation, &program.summary, false)?;
        let summary = match untold {
            None => summary,
            // "unknown" says nothing: what could not be told is, and why.
            Some(reason) => {
                let title = text::markdown(&self.artifact.title);
                let why = text::reason(&reason);
                detail = format!(
                    "What **{title}** has to say here could not be told: {why}.\n\n{detail}"
                );
                self.unknown_summary.clone()
            }
        };
        if program.why {
            detail.push_str(&self.evidence(evaluation));
        }
        let mut card = CardText::text(indicator, cut(&summary, SUMMARY_LENGTH), detail);
        if let Some((label, url)) = &program.source {
            let url = match url {
                Some(url) => address(evaluation, url)?,
                None => None,
            };
            card.source = Some(CardSource {
                label: render(evaluation, label, false)?,
                url,
            });
        }
        for (label, url) in &program.links {
            // A row without an address has no link.
            if let Some(url) = address(evaluation, url)? {
                card.links.push((render(evaluation, label, false)?, url));
            }
        }
        for program in &program.suggestions {
            match suggestion(evaluation, program)? {
                Ok(suggestion) => card.suggestions.push(suggestion),
                // What cannot be offered is told, not left out in silence.
                Err((label, reason)) => card.detail.push_str(&format!(
                    "\n\n“{}” cannot be offered here: {}.",
                    text::markdown(&label),
                    text::reason(&reason)
                )),
            }
        }
        card.any_suggestions = program.any_suggestions;
        card.override_reasons.clone_from(&program.override_reasons);
        Ok(card)
    }

    /// What could not be checked, and why: questions with their reasons.
    pub(super) fn unknown_card<'r, 'o>(
        &'r self,
        evaluation: &Evaluation<'r>,
        reasons: impl Iterator<Item = (&'o str, &'o str)>,
    ) -> Result<CardText, EvaluationError> {
        let reasons: Vec<(&str, &str)> = reasons.collect();
        let is_too_much = |(_, reason): &(&str, &str)| reason.contains(TOO_MUCH);
        let because = match !reasons.is_empty() && reasons.iter().all(is_too_much) {
            true => "",
            false => ", because data is missing or unclear",
        };
        let mut detail = format!(
            "**{}** could not be checked{because}:\n",
            text::markdown(&self.artifact.title)
        );
        let program = &self.program.expressions.card;
        let about = render(evaluation, &program.unknown_detail, true)?;
        if !about.trim().is_empty() {
            detail.push_str(&format!("\n{}\n", about.trim_end()));
        }
        for (question, reason) in reasons {
            let colon = if question.is_empty() { "" } else { ": " };
            detail.push_str(&format!("\n- {question}{colon}{}", text::reason(reason)));
        }
        let summary = cut(&self.unknown_summary, SUMMARY_LENGTH);
        Ok(CardText::text(Indicator::Info, summary, detail))
    }
}

/// A suggestion; its label and why not, where a resource of it cannot be made.
fn suggestion<'r>(
    evaluation: &Evaluation<'r>,
    program: &'r SuggestionProgram,
) -> Result<Made<CardSuggestion, (String, String)>, EvaluationError> {
    let label = render(evaluation, &program.label, false)?;
    let mut actions = vec![];
    for action in &program.actions {
        match change(evaluation, &action.change)? {
            Ok(change) => actions.push(CardAction {
                description: render(evaluation, &action.description, false)?,
                change,
            }),
            Err(reason) => return Ok(Err((label, reason))),
        }
    }
    Ok(Ok(CardSuggestion {
        label,
        is_recommended: program.is_recommended,
        is_automatic: program.is_automatic,
        actions,
    }))
}

/// A web address; none where it is empty, cannot be told or is no address.
fn address<'r>(
    evaluation: &Evaluation<'r>,
    fragments: &'r [Fragment],
) -> Result<Option<String>, EvaluationError> {
    let url = render(evaluation, fragments, false)?;
    let web = url.starts_with("https://") || url.starts_with("http://");
    Ok((web && !url.contains(char::is_whitespace)).then_some(url))
}

/// Longest text of data that a card shows. Names of hundreds of orders have room in it.
const LONGEST: usize = 20_000;

/// A text of data; of a very long one the front, and how much more there is.
fn fit(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let (front, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            let more = rest.chars().count();
            Cow::Owned(format!("{front}… ({more} more characters)"))
        }
    }
}

/// A text with its values. An unknown value is the word "unknown"; a date is shown as its day in
/// the zone of the run. In
/// Markdown a line whose values are all unknown is left out: it would say nothing.
pub(super) fn render<'r>(
    evaluation: &Evaluation<'r>,
    fragments: &'r [Fragment],
    markdown: bool,
) -> Result<String, EvaluationError> {
    Ok(rendered(evaluation, fragments, markdown)?.0)
}

/// The same, and why it says nothing, where it does not: no value is known and no words stand beside them, or
/// one took too much work. No value is evaluated twice for it.
fn rendered<'r>(
    evaluation: &Evaluation<'r>,
    fragments: &'r [Fragment],
    markdown: bool,
) -> Result<(String, Option<String>), EvaluationError> {
    let (mut says, mut reason, mut too_much) = (false, None, None);
    let mut out = String::new();
    let (mut line, mut known, mut unknown) = (0, 0, 0);
    for fragment in fragments {
        let compiled = match fragment {
            Fragment::Value(compiled) => compiled,
            Fragment::Text(text) => {
                says |= text.contains(char::is_alphanumeric);
                for piece in text.split_inclusive('\n') {
                    out.push_str(piece);
                    if piece.ends_with('\n') {
                        if markdown && unknown > 0 && known == 0 {
                            out.truncate(line);
                        }
                        (line, known, unknown) = (out.len(), 0, 0);
                    }
                }
                continue;
            }
        };
        let value = evaluation.evaluate_for_text(compiled)?;
        match &value {
            Val::Unknown(why) => {
                unknown += 1;
                let first = match why.contains(TOO_MUCH) {
                    true => &mut too_much,
                    false => &mut reason,
                };
                first.get_or_insert_with(|| why.to_string());
            }
            _ => {
                known += 1;
                says = true;
            }
        }
        match value {
            Val::Unknown(_) => out.push_str("unknown"),
            Val::Time(time) => out.push_str(&text::day(time, evaluation.zone())),
            Val::Decimal(d) => {
                out.push_str(&show(&Val::Decimal(decimal::for_people(d))));
            }
            Val::Int(_) | Val::Bool(_) => out.push_str(&show(&value)),
            value if markdown => {
                let shown = text::value(&fit(&show(&value)), &out);
                out.push_str(&shown);
            }
            value => out.push_str(&text::plain(&fit(&show(&value)))),
        }
    }
    if markdown && unknown > 0 && known == 0 {
        out.truncate(line);
    }
    Ok((out, too_much.or(reason.filter(|_| !says))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_an_end_is_cut_and_counted() {
        let short = "é".repeat(LONGEST);
        assert_eq!(fit(&short), short);
        let long = format!("{short}üxyz");
        assert_eq!(fit(&long), format!("{short}… (4 more characters)"));
    }
}
