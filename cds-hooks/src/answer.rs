//! One call, from the body of the request to the body of the answer. Knows nothing of HTTP but
//! the refusals.

use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use rules::text;

use crate::drafts::Drafts;
use crate::hash;
use crate::offered;
use crate::prefetch::{self, Lacking, Prefetched, Templates};
use crate::refusal::Refusal;
use crate::request::HookRequest;
use crate::service::{CardContent, CardService, Outcome};
use crate::wire::{Card, CouldNotCheck, Response};

/// How a call ended, also where it was refused: for the log.
#[derive(Default)]
pub(crate) struct Answer {
    /// The body, or why there is none; neither after an error of ours.
    pub(crate) body: Option<Result<Vec<u8>, Refusal>>,
    /// Names the hook instance without giving it away.
    pub(crate) hook_instance: Option<String>,
    /// How many cards.
    pub(crate) cards: usize,
    /// How many there would be of a service on trial, where nobody sees them.
    pub(crate) shadow: Option<usize>,
    /// Selections that name no draft of the call.
    pub(crate) unknown_selections: usize,
    /// The service could not tell.
    pub(crate) unknown: bool,
    /// What was there and could not be understood, and nothing depended on it.
    pub(crate) passed_over: Vec<String>,
    /// Entries of the prefetch that were not used.
    pub(crate) left_out: usize,
    /// What the service could not tell for lack of it: keys and types.
    pub(crate) lacking: Vec<String>,
    /// Why it could not tell: elements and types.
    pub(crate) reason: Option<String>,
    /// A bug of ours, in words that name the rule's text and hold nothing of the patient.
    pub(crate) bug: Option<String>,
}

/// Answers a body for a service.
pub(crate) fn answer(
    service: &dyn CardService,
    templates: &Templates,
    body: &[u8],
    context: &EvaluationContext,
    most_drafts: usize,
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
    let mut data = prefetch::read(templates, &request.prefetch, &request.patient);
    let hook = service.hook();
    let drafts = Drafts::read(&request.context, hook, &request.patient, most_drafts);
    answer.left_out = data.left_out + drafts.left_out;
    answer.unknown_selections = drafts.unknown_selections;
    data.lacking.extend(drafts.lacking.iter().cloned());
    answer.passed_over = request.passed_over;
    answer.passed_over.extend(data.unread.iter().cloned());
    answer
        .passed_over
        .extend(drafts.passed_over.iter().cloned());
    let call = drafts.call(hook, &request.context);
    let mut outcome = service.decide(&data.record, &context.clone().with_call(call));
    let mut for_people = None;
    if let Outcome::Unknown { reason, .. } = &mut outcome {
        for_people = reason.clone();
        *reason = reason.take().map(|reason| cause(reason, &data));
        answer.reason.clone_from(reason);
    }
    answer.unknown = matches!(outcome, Outcome::Unknown { .. });
    if answer.unknown {
        answer.lacking = technical(&data);
    }
    // What a library raised is its text, which may say anything.
    if let Outcome::Failed(EvaluationError::Bug(bug)) = &outcome {
        answer.bug = Some(bug.clone());
    }
    let contents = match contents(outcome, for_people, &data) {
        Ok(contents) => contents,
        // Nobody is to notice a service on trial. A bug of ours is in the log.
        Err(None | Some(Refusal::Lacking(_))) if service.is_shadow() => vec![],
        Err(refusal) => {
            answer.body = refusal.map(Err);
            return answer;
        }
    };
    let scope = [service.id(), &request.hook_instance, &request.patient.id];
    let contents = contents.into_iter();
    let contents = contents.map(|content| dated(offered::only(content, &drafts), context));
    let mut cards = Card::all(contents, &scope);
    if service.is_shadow() {
        answer.shadow = Some(cards.len());
        cards.clear();
    }
    answer.cards = cards.len();
    // Plain strings under fixed names: there is nothing that could fail.
    answer.body = serde_json::to_vec(&Response { cards }).ok().map(Ok);
    answer
}

/// Says when the card was made and of what: a chart stays open, and its data changes.
fn dated(mut content: CardContent, context: &EvaluationContext) -> CardContent {
    let day = text::day(context.at, &context.zone);
    let line = format!("*Checked on {day} with the data sent at that time.*");
    let detail = [content.detail.trim_end(), &line].join("\n\n");
    content.detail = detail.trim_start().to_owned();
    content
}

/// The cards to show. Where the service could not tell, shows no card, and the client did not send all
/// that it was asked for, the specification asks for 412 rather than an answer that looks like "nothing
/// to do". An error of ours has no refusal yet: its id is made where all are.
fn contents(
    outcome: Outcome,
    for_people: Option<String>,
    data: &Prefetched,
) -> Result<Vec<CardContent>, Option<Refusal>> {
    match outcome {
        Outcome::Failed(_) => Err(None),
        Outcome::Cards(contents) => Ok(contents),
        Outcome::Unknown { cards, .. } if cards.is_empty() => {
            match data.lacking.iter().any(|lacking| lacking.withheld) {
                true => Err(Some(Refusal::Lacking(technical(data)))),
                false => Ok(cards),
            }
        }
        Outcome::Unknown { reason, mut cards } => {
            for content in cards.iter_mut().filter(|c| c.says_unknown) {
                say_what_lacks(content, reason.clone(), for_people.as_deref(), data);
            }
            Ok(cards)
        }
    }
}

/// Adds to a card that says that something could not be checked: why, for the clinician, and with the
/// keys for the integrator.
fn say_what_lacks(
    content: &mut CardContent,
    reason: Option<String>,
    for_people: Option<&str>,
    data: &Prefetched,
) {
    let known = for_people.map(text::reason);
    let known = known.filter(|r| !r.is_empty() && !content.detail.contains(&**r));
    let mut paragraphs = vec![];
    if !content.detail.is_empty() {
        paragraphs.push(std::mem::take(&mut content.detail));
    }
    paragraphs.extend(known.map(|reason| format!("Could not be checked: {reason}.")));
    if !data.lacking.is_empty() {
        let mut items: Vec<String> = vec![];
        for lacking in &data.lacking {
            let item = format!("- {}.", text::markdown(&lacking.plain));
            // Two keys of one type say the same.
            if !items.contains(&item) {
                items.push(item);
            }
        }
        paragraphs.push(items.join("\n"));
    }
    content.detail = paragraphs.join("\n\n");
    content.extension.could_not_check = Some(CouldNotCheck {
        reason,
        lacking: technical(data),
    });
}

/// The reason for the integrator. A rule only sees that a type is not there in full; what was sent of it
/// and could not be used is the cause.
fn cause(reason: String, data: &Prefetched) -> String {
    let named = reason
        .strip_prefix("no ")
        .or_else(|| reason.strip_prefix("not all "))
        .and_then(|rest| rest.strip_suffix(" data was given"));
    let Some(ty) = named else { return reason };
    let about = |l: &&Lacking| l.types.is_empty() || l.types.iter().any(|t| t.as_str() == ty);
    let causes: Vec<&str> = data
        .lacking
        .iter()
        .filter(about)
        .filter(|l| !l.absent)
        .map(|l| l.technical.as_str())
        .collect();
    match causes.is_empty() {
        true => reason,
        false => format!("not all {ty} data could be used: {}", causes.join("; ")),
    }
}

fn technical(data: &Prefetched) -> Vec<String> {
    let all = data.lacking.iter();
    let mut said: Vec<String> = all.map(|lacking| lacking.technical.clone()).collect();
    if data.unresolved > 0 {
        let (count, s) = (data.unresolved, if data.unresolved == 1 { "" } else { "s" });
        said.push(format!(
            "{count} reference{s} between the entries name nothing that was sent"
        ));
    }
    said
}
