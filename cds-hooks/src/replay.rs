//! A recorded call, evaluated anew: to explain it, to compare rules of now with those of then.

use std::sync::Arc;

use crate::answer::{Style, answer};
use crate::asked::Asked;
use crate::config::Config;
use crate::evaluate::{Ask, Progress, Step};
use crate::fetch::Fetched;
use crate::receive::Received;
use crate::seams::{CallRecord, Caller, CardRecord, RuleRecord};
use crate::set::ServiceSet;

/// What a replay came to.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// The status that the call would be answered with.
    pub status: u16,
    /// Each rule, in the author's order.
    pub rules: Vec<RuleRecord>,
    /// The cards, and then those of rules on trial.
    pub cards: Vec<CardRecord>,
    /// Keys and types that are lacking.
    pub lacking: Vec<String>,
}

/// Evaluates a recorded call with a set of rules, as at the moment that it was evaluated for, as long as it
/// takes; `look` is shown each rule when it was asked. Blocks: for a thread for blocking work.
///
/// # Errors
/// In plain words: the record is without its request, the service is not in the set, or the request cannot
/// be read.
pub fn replay(
    set: &Arc<ServiceSet>,
    call: &CallRecord,
    caller: Caller,
    config: &Config,
    look: &mut dyn FnMut(&Asked<'_>),
) -> Result<Replayed, String> {
    let Some(request) = &call.request else {
        return Err("the call was recorded without its request".to_owned());
    };
    let candidates = set.of_id(&call.service).to_vec();
    if candidates.is_empty() {
        return Err("the set has no service of that id".to_owned());
    }
    let ask = Ask {
        set: Arc::clone(set),
        candidates,
        body: Arc::new(Received::of(request.clone())),
        caller: Arc::new(caller),
        at: call
            .at
            .unwrap_or_else(|| config.time_zone.moment(call.time)),
        zone: config.time_zone.clone(),
        most_drafts: config.limits.max_drafts,
        filter: config.seams.filter.clone(),
        may_fetch: false,
        wants_request: false,
        wants_evidence: true,
    };
    let progress = Progress::default();
    let fetched = Fetched::recorded(&call.fetched);
    match ask.run_for(&progress, Some(&fetched), Some(look)) {
        Step::Done => {}
        Step::Refused(refusal) => {
            return Ok(Replayed {
                status: refusal.status().as_u16(),
                lacking: vec![refusal.to_string()],
                ..Replayed::default()
            });
        }
        Step::Fetch(_) | Step::Broken => return Err("an error of ours".to_owned()),
    }
    let known = progress.take();
    let entry = known.about.as_ref().and_then(|a| set.entries.get(a.entry));
    let (Some(about), Some(entry)) = (&known.about, entry) else {
        return Err("an error of ours".to_owned());
    };
    let style = Style {
        max_cards: config.limits.max_cards,
        knows: ask.caller.knows,
        system_actions: config.protocol.system_actions,
    };
    let answer = answer(entry, about, known.read.as_ref(), known.results, &style);
    Ok(Replayed {
        status: match &answer.body {
            Some(Ok(_)) => 200,
            Some(Err(refusal)) => refusal.status().as_u16(),
            None => 500,
        },
        rules: answer.rules,
        cards: answer.card_records,
        lacking: known.read.map(|read| read.technical).unwrap_or_default(),
    })
}
