//! Why a call was answered as it was: its rules asked again, with what they were asked with then.
//!
//! What is told is what the caller's rules saw: data that consent withheld from them is not in it.

use std::collections::HashMap;
use std::sync::Arc;

use cds_hooks::seams::{CallRecord, Caller};
use cds_hooks::{Asked, Config, ServiceSet, replay};
use engine_patient::system::zone::UTC;
use rules::explanation::{Explanation, Part};
use serde::Serialize;
use serde_json::Value;

/// A call, and why it was answered as it was. Holds patient data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallExplanation {
    /// The id of the service.
    pub service: String,
    /// The hook.
    pub hook: String,
    /// As it came.
    pub hook_instance: String,
    /// When the call came.
    pub time: String,
    /// The moment that it was evaluated for, by the clock of the service's zone.
    pub at: String,
    /// The zone.
    pub time_zone: String,
    /// `context.patientId`.
    pub patient: String,
    /// `context.userId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// What names the rules that answered.
    pub rule_set: String,
    /// The cards that were answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<CardTold>,
    /// Each rule, in the author's order.
    pub rules: Vec<RuleTold>,
    /// What was sent and fetched, by the keys of discovery.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyTold>,
    /// What was lacking, in the words of the integrator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
    /// The patient's consents were asked, and some data was withheld from the rules.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withheld_by_consent: bool,
    /// The patient's consents could not be looked up, and no rule saw any data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_consents: bool,
}

/// A card that was answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardTold {
    /// As in the answer.
    pub uuid: String,
    /// `info`, `warning` or `critical`.
    pub indicator: &'static str,
    /// As in the answer.
    pub summary: String,
    /// The rules it is of.
    pub rules: Vec<String>,
}

/// A rule of the call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleTold {
    /// Its id.
    pub rule: String,
    /// Its version; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Its title.
    pub title: String,
    /// What it came to then: `fired`, `silent`, `unknown`, `failed` or `late`.
    pub outcome: &'static str,
    /// It is on trial: nobody saw its cards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_shadow: bool,
    /// How many cards it had.
    pub cards: usize,
    /// Why it could not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// The answer in a sentence.
    pub verdict: String,
    /// Why, part by part. A measure has none: `tandem measure explain` has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Explanation>,
}

/// What stood under a key.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyTold {
    /// As in discovery.
    pub key: String,
    /// As in discovery.
    pub template: String,
    /// What the client sent: `data`, `null` or `nothing`.
    pub sent: &'static str,
    /// It was fetched from the FHIR server.
    pub is_fetched: bool,
}

/// What says of a call that something was withheld.
const WITHHELD: &str = "withheld by consent";

/// What says of a call that it could not be known what is to be withheld.
const WITHOUT: &str = "consents could not be looked up";

/// Explains a call by its record ([`CallRecord::request`], [`CallRecord::fetched`]) and the rules that answered
/// it. `caller` is who called then: consent is asked for them again. It takes as long as the call did, times
/// some ten, and blocks; nothing is fetched.
///
/// # Errors
/// In plain words, without anything of the patient: the record does not have what it takes.
pub fn explain_call(
    set: &Arc<ServiceSet>,
    record: &CallRecord,
    caller: Caller,
    config: &Config,
) -> Result<CallExplanation, String> {
    let mut rules: Vec<RuleTold> = vec![];
    let mut look = |asked: &Asked<'_>| rules.push(rule_told(record, asked));
    let replayed = replay(set, record, caller, config, &mut look)?;
    // A rule that is none has no verdict of its own.
    for (rule, again) in rules.iter_mut().zip(&replayed.rules) {
        if rule.why.is_none() {
            rule.verdict = match &again.reason {
                Some(reason) => format!("Could not be checked: {reason}"),
                None if again.cards > 0 => "Applies".to_owned(),
                None => "Does not apply".to_owned(),
            };
        }
    }
    let cards = record.cards.iter().filter(|card| !card.is_shadow);
    let at = record
        .at
        .unwrap_or_else(|| config.time_zone.moment(record.time));
    Ok(CallExplanation {
        service: record.service.clone(),
        hook: record.hook.clone(),
        hook_instance: record.hook_instance.clone(),
        time: UTC.moment(record.time).to_string(),
        at: at.to_string(),
        time_zone: config.time_zone.to_string(),
        patient: record.patient.clone(),
        user: record.user.clone(),
        status: record.status,
        rule_set: record.configuration.clone(),
        cards: cards
            .map(|card| CardTold {
                uuid: card.uuid.clone(),
                indicator: card.indicator,
                summary: card.summary.clone(),
                rules: card.rules.iter().map(|(id, _)| id.clone()).collect(),
            })
            .collect(),
        rules,
        keys: keys(set, record),
        withheld_by_consent: record.lacking.iter().any(|said| said.contains(WITHHELD)),
        without_consents: record.lacking.iter().any(|said| said.contains(WITHOUT)),
        lacking: record.lacking.clone(),
    })
}

fn rule_told(record: &CallRecord, asked: &Asked<'_>) -> RuleTold {
    let (name, is_shadow) = (asked.part.rule(), asked.part.is_shadow());
    let mut all = record.rules.iter();
    // What it came to then counts: it may have been late.
    let then = all.find(|one| one.rule == name.id && one.is_shadow == is_shadow);
    let rule = asked.part.as_rule();
    let mut why = rule.and_then(|rule| rule.explanation(asked.record, asked.context).ok());
    let reason = then.and_then(|then| then.reason.clone());
    if let Some(why) = &mut why {
        origins(why, asked.keys);
        if let Some(reason) = reason
            .as_ref()
            .filter(|reason| reason.contains(WITHHELD) || reason.contains(WITHOUT))
        {
            conceal(why, reason);
        }
    }
    RuleTold {
        rule: name.id,
        version: name.version,
        title: asked.part.title().to_owned(),
        outcome: then.map_or("late", |then| then.outcome.as_str()),
        is_shadow,
        cards: then.map_or(0, |then| then.cards),
        reason,
        millis: then.map_or(0.0, |then| then.millis),
        verdict: why
            .as_ref()
            .map(|why| why.verdict.clone())
            .unwrap_or_default(),
        why,
    }
}

/// Of what is withheld by consent not even the type is told.
fn conceal(why: &mut Explanation, reason: &str) {
    why.verdict = format!("Could not be checked: {reason}");
    why.reason = Some(reason.to_owned());
    why.reason_in_words = Some(reason.to_owned());
    for criterion in &mut why.criteria {
        if tells_a_type(&criterion.decided) {
            reason.clone_into(&mut criterion.decided);
        }
        instead(&mut criterion.reason, reason);
        conceal_in(&mut criterion.part, reason);
    }
}

fn conceal_in(part: &mut Part, reason: &str) {
    instead(&mut part.reason, reason);
    for one in part
        .tried
        .iter_mut()
        .filter(|one| tells_a_type(&one.because))
    {
        reason.clone_into(&mut one.because);
    }
    part.parts
        .iter_mut()
        .for_each(|inner| conceal_in(inner, reason));
}

fn instead(told: &mut Option<String>, reason: &str) {
    if told.as_deref().is_some_and(tells_a_type) {
        *told = Some(reason.to_owned());
    }
}

/// "not all Procedure data was given"
fn tells_a_type(told: &str) -> bool {
    told.contains(" data was given")
}

/// Says under which key each resource came that decided.
fn origins(why: &mut Explanation, keys: &HashMap<String, String>) {
    for resource in why.resources.iter_mut().filter(|one| !one.is_draft) {
        resource.from = keys.get(&resource.resource).cloned().into_iter().collect();
    }
}

/// What stood under the keys of discovery.
fn keys(set: &ServiceSet, record: &CallRecord) -> Vec<KeyTold> {
    let request = record.request.as_deref().unwrap_or_default();
    let request: Value = serde_json::from_slice(request).unwrap_or_default();
    let prefetch = request.get("prefetch");
    let templates = set.templates(&record.service, &record.hook);
    let all = templates.into_iter().flat_map(|templates| &templates.list);
    let told = all.map(|template| KeyTold {
        key: template.key.clone(),
        template: template.query.clone(),
        sent: match prefetch.and_then(|prefetch| prefetch.get(&template.key)) {
            None => "nothing",
            Some(Value::Null) => "null",
            Some(_) => "data",
        },
        is_fetched: record.fetched.iter().any(|(key, _)| *key == template.key),
    });
    told.collect()
}
