//! One call, from the body of the request to the body of the answer. Knows nothing of HTTP but
//! the refusals.

use engine_patient::context::EvaluationContext;
use rules::text;

use crate::hash;
use crate::prefetch::{self, Prefetched, Templates};
use crate::refusal::Refusal;
use crate::request::HookRequest;
use crate::service::{CardContent, CardService, Outcome};
use crate::wire::{Card, Response};

/// How a call ended, also where it was refused: for the log.
#[derive(Default)]
pub(crate) struct Answer {
    /// The body, or why there is none.
    pub(crate) body: Option<Result<Vec<u8>, Refusal>>,
    /// Names the hook instance without giving it away.
    pub(crate) hook_instance: Option<String>,
    /// How many cards.
    pub(crate) cards: usize,
    /// The service could not tell.
    pub(crate) unknown: bool,
    /// Entries of the prefetch that were not used.
    pub(crate) left_out: usize,
    /// A bug of ours, in words that name the rule's text and hold nothing of the patient.
    pub(crate) bug: Option<String>,
}

/// Answers a body for a service.
pub(crate) fn answer(
    service: &dyn CardService,
    templates: &Templates,
    body: &[u8],
    context: &EvaluationContext,
) -> Answer {
    let mut answer = Answer::default();
    let request = match HookRequest::read(body, service.hook()) {
        Ok(request) => request,
        Err(refusal) => {
            answer.body = Some(Err(refusal));
            return answer;
        }
    };
    answer.hook_instance = Some(hash::short(&[&request.hook_instance]));
    let data = prefetch::read(templates, &request.prefetch, &request.patient);
    answer.left_out = data.left_out;
    let outcome = service.decide(&data.record, context);
    answer.unknown = matches!(outcome, Outcome::Unknown { .. });
    let scope = [service.id(), &request.hook_instance, &request.patient.id];
    if let Outcome::Failed(bug) = &outcome {
        answer.bug = Some(bug.to_string());
    }
    let content = match content(outcome, &data, &scope) {
        Ok(content) => content.map(|content| dated(content, context)),
        Err(refusal) => {
            answer.body = Some(Err(refusal));
            return answer;
        }
    };
    let cards: Vec<Card> = content.into_iter().map(|c| Card::new(c, &scope)).collect();
    answer.cards = cards.len();
    let body = serde_json::to_vec(&Response { cards });
    // Plain strings under fixed names: there is nothing that could fail.
    answer.body = Some(body.map_err(|_| Refusal::Internal(hash::short(&scope))));
    answer
}

/// Says when the card was made and of what: a chart stays open, and its data changes.
fn dated(mut content: CardContent, context: &EvaluationContext) -> CardContent {
    let at = context.at.to_string();
    let day = at.split('T').next().unwrap_or_default();
    let line = format!("*Checked on {day} with the data sent at that time.*");
    let detail = [content.detail.trim_end(), &line].join("\n\n");
    content.detail = detail.trim_start().to_owned();
    content
}

/// The card to show. Where the service could not tell, shows no card and the client held data
/// back, the specification asks for 412 rather than an answer that looks like "nothing to do".
fn content(
    outcome: Outcome,
    data: &Prefetched,
    scope: &[&str],
) -> Result<Option<CardContent>, Refusal> {
    match outcome {
        Outcome::Failed(_) => Err(Refusal::Internal(hash::short(scope))),
        Outcome::NoCard => Ok(None),
        Outcome::Card(content) => Ok(Some(content)),
        Outcome::Unknown { card: None, .. } if data.lacking.is_empty() => Ok(None),
        Outcome::Unknown { card: None, .. } => Err(Refusal::Lacking(data.lacking.clone())),
        Outcome::Unknown {
            reason,
            card: Some(mut content),
        } => {
            // It names code systems and units as the data has them.
            let known = reason.map(|reason| text::reason(&reason));
            let known = known.filter(|r| !r.is_empty() && !content.detail.contains(&**r));
            let mut paragraphs = vec![];
            if !content.detail.is_empty() {
                paragraphs.push(content.detail);
            }
            paragraphs.extend(known.map(|reason| format!("Could not be checked: {reason}.")));
            if !data.lacking.is_empty() {
                let items = data.lacking.iter().map(|item| format!("- {item}"));
                let items = items.collect::<Vec<_>>().join("\n");
                paragraphs.push(format!("Data that this system did not get:\n\n{items}"));
            }
            if data.unresolved > 0 {
                paragraphs.push(format!(
                    "{} references in the data that was sent name nothing: searches, another server's, or urns that no entry has.",
                    data.unresolved
                ));
            }
            content.detail = paragraphs.join("\n\n");
            Ok(Some(content))
        }
    }
}
