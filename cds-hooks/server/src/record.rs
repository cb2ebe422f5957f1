//! Calls and feedback into the store: the [`Recorder`] of the card service.

use cds_hooks::seams::{
    BoxFuture, CallRecord, CardRecord, FeedbackEntry, FeedbackOutcome, FeedbackRecord,
    FeedbackTaken, NotRecorded, Recorder, RuleOutcome, RuleRecord,
};
use cds_store::{
    AuditEntry, AuditKind, Feedback, FeedbackBatch, Ids, ReasonCoding, RecordedCall, RuleRun,
    Shown, ShownCard, ShownRule, Store, StoreError, Timestamp, sha256,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Writes to a store. What it acknowledges is durable.
pub struct StoreRecorder {
    store: Store,
    ids: Ids,
    settings: RecordSettings,
}

/// What is recorded.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    /// A call that cannot be recorded is refused with 503.
    pub is_required: bool,
    /// Calls are recorded in full, for a replay. That is the patient's data as it was sent.
    pub records_calls: bool,
    /// A hash of the settings that are live.
    pub configuration: Option<String>,
}

impl Default for RecordSettings {
    /// Required, and without the calls themselves.
    fn default() -> Self {
        RecordSettings {
            is_required: true,
            records_calls: false,
            configuration: None,
        }
    }
}

impl StoreRecorder {
    /// Writes to this store. `name` tells this process from others that write to it.
    pub fn new(store: Store, name: &str, settings: RecordSettings) -> Self {
        StoreRecorder {
            store,
            ids: Ids::new(name),
            settings,
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Recorder for StoreRecorder {
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            let at = moment(call.time)?;
            let id = self.ids.next(at);
            let recorded = self.recorded(call, &id, at);
            let mut entry = entry(call, id.clone(), at);
            entry.configuration.clone_from(&self.settings.configuration);
            if let Some(recorded) = &recorded {
                entry.request_hash = Some(sha256(recorded.request.as_bytes()));
                entry.response_hash = Some(sha256(recorded.response.as_bytes()));
            }
            let record = cds_store::CallRecord {
                shown: Some(shown(call, id, at)),
                entry,
                recorded,
            };
            self.store.record(record).await.map_err(told)?;
            Ok(())
        })
    }

    fn feedback<'a>(
        &'a self,
        feedback: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        Box::pin(async move {
            let at = moment(feedback.time)?;
            let mut entry = AuditEntry::new(self.ids.next(at), at, AuditKind::Feedback);
            entry.tenant = feedback.tenant.clone().unwrap_or_default();
            entry.client.clone_from(&feedback.client);
            entry.subject.clone_from(&feedback.subject);
            entry.services = vec![feedback.service.clone()];
            entry.configuration.clone_from(&self.settings.configuration);
            entry.status = 200;
            let count = feedback.entries.len().to_string();
            entry.details.push(("entries".to_owned(), count));
            let entries = feedback.entries.iter().map(said);
            let batch = FeedbackBatch {
                service: feedback.service.clone(),
                client: feedback.client.clone().unwrap_or_default(),
                tenant: feedback.tenant.clone().unwrap_or_default(),
                received: at,
                entries: entries.collect(),
            };
            let counts = self.store.feedback(batch, Some(&entry)).await;
            let counts = counts.map_err(told)?;
            let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
            Ok(FeedbackTaken {
                new: count(counts.new),
                repeated: count(counts.repeated),
                unknown: count(counts.unmatched + counts.foreign),
            })
        })
    }

    fn is_required(&self) -> bool {
        self.settings.is_required
    }

    fn wants_request(&self) -> bool {
        self.settings.records_calls
    }
}

impl StoreRecorder {
    fn recorded(&self, call: &CallRecord, id: &str, at: Timestamp) -> Option<RecordedCall> {
        let body = call
            .request
            .as_ref()
            .filter(|_| self.settings.records_calls)?;
        let fetched = call.fetched.iter();
        let fetched = fetched.map(|(key, json)| (key.clone(), Value::from(json.as_str())));
        // The body as it came, digit for digit.
        let body = std::str::from_utf8(body).ok().and_then(|body| {
            let raw = RawValue::from_string(body.to_owned());
            raw.ok()
        })?;
        // Who asked, since what consent withholds depends on it.
        let request = json!({
            "at": call.time, "fetched": fetched.collect::<serde_json::Map<_, _>>(),
            "client": call.client, "tenant": call.tenant, "subject": call.subject,
            "roles": call.roles, "purpose": call.purpose,
        });
        let request = format!("{{\"call\":{request},\"body\":{body}}}");
        let cards = call.cards.iter().map(card_told);
        let response = json!({ "status": call.status, "cards": cards.collect::<Vec<_>>() });
        Some(RecordedCall {
            id: id.to_owned(),
            at,
            service: call.service.clone(),
            request,
            response: response.to_string(),
        })
    }
}

fn card_told(card: &CardRecord) -> Value {
    json!({
        "content": card.content,
        "indicator": card.indicator,
        "summary": card.summary,
        "rules": card.rules,
        "shadow": card.is_shadow,
    })
}

fn told(error: StoreError) -> NotRecorded {
    NotRecorded(error.to_string())
}

fn moment(millis: i64) -> Result<Timestamp, NotRecorded> {
    Timestamp::from_millisecond(millis)
        .map_err(|_| NotRecorded("the time of the call is beyond the year 9999".to_owned()))
}

fn entry(call: &CallRecord, id: String, at: Timestamp) -> AuditEntry {
    let mut entry = AuditEntry::new(id, at, AuditKind::Call);
    entry.tenant = call.tenant.clone().unwrap_or_default();
    entry.client.clone_from(&call.client);
    // Who sits before the screen; the token is of the EHR.
    entry.subject = call.user.clone().or_else(|| call.subject.clone());
    entry.roles.clone_from(&call.roles);
    entry.patient = Some(call.patient.clone()).filter(|patient| !patient.is_empty());
    entry.services = vec![call.service.clone()];
    entry.hook = Some(call.hook.clone());
    entry.hook_instance = Some(call.hook_instance.clone());
    entry.rules = call.rules.iter().map(run).collect();
    entry.rule_set = Some(call.configuration.clone()).filter(|name| !name.is_empty());
    entry.status = call.status;
    entry.consent.clone_from(&call.consent);
    if !call.lacking.is_empty() {
        entry.outcome = Some(format!("lacking: {}", call.lacking.join("; ")));
    }
    let optional = [
        ("token-subject", &call.subject),
        ("encounter", &call.encounter),
        ("fhir-server", &call.fhir_server),
        ("purpose", &call.purpose),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            entry.details.push((name.to_owned(), value.clone()));
        }
    }
    let cards = call.cards.iter().filter(|card| !card.is_shadow).count();
    entry.details.push(("cards".to_owned(), cards.to_string()));
    if let Some(evaluated) = &call.at {
        entry
            .details
            .push(("evaluated-for".to_owned(), evaluated.to_string()));
    }
    entry
}

fn run(rule: &RuleRecord) -> RuleRun {
    use cds_store::RuleOutcome as Stored;
    RuleRun {
        rule: rule.rule.clone(),
        version: rule.version.clone(),
        hash: rule.hash.clone(),
        outcome: match rule.outcome {
            RuleOutcome::Fired if rule.is_shadow => Stored::Shadow,
            RuleOutcome::Fired => Stored::Fired,
            RuleOutcome::Silent => Stored::Silent,
            RuleOutcome::Unknown => Stored::Unknown,
            RuleOutcome::Failed => Stored::Failed,
            RuleOutcome::Late => Stored::Late,
        },
        cards: rule.cards as u64,
    }
}

fn shown(call: &CallRecord, call_id: String, at: Timestamp) -> Shown {
    let cards = call.cards.iter().filter(|card| !card.is_shadow);
    Shown {
        call_id,
        hook_instance: call.hook_instance.clone(),
        hook: call.hook.clone(),
        service: call.service.clone(),
        client: call.client.clone().unwrap_or_default(),
        tenant: call.tenant.clone().unwrap_or_default(),
        // One installation of an EHR has one FHIR server.
        site: call.fhir_server.clone(),
        role: match call.roles.is_empty() {
            true => None,
            false => Some(call.roles.join(", ")),
        },
        patient: Some(call.patient.clone()).filter(|patient| !patient.is_empty()),
        at,
        cards: cards.map(|card| shown_card(call, card)).collect(),
    }
}

fn shown_card(call: &CallRecord, card: &CardRecord) -> ShownCard {
    let rule = |(id, version): &(String, String)| {
        let own = call
            .rules
            .iter()
            .find(|own| own.rule == *id && own.version == *version);
        ShownRule {
            rule: id.clone(),
            version: version.clone(),
            hash: own.map(|own| own.hash.clone()).unwrap_or_default(),
        }
    };
    ShownCard {
        card: card.uuid.clone(),
        suggestions: card.suggestions.clone(),
        rules: card.rules.iter().map(rule).collect(),
        evidence: json!(card.evidence).to_string(),
    }
}

fn said(entry: &FeedbackEntry) -> Feedback {
    let reason = entry.reason.as_ref().map(|reason| ReasonCoding {
        system: reason.system.clone().unwrap_or_default(),
        code: reason.code.clone(),
        display: reason.display.clone(),
    });
    Feedback {
        card: entry.card.clone(),
        outcome: match entry.outcome {
            FeedbackOutcome::Accepted => cds_store::FeedbackOutcome::Accepted,
            FeedbackOutcome::Overridden => cds_store::FeedbackOutcome::Overridden,
        },
        outcome_timestamp: entry.outcome_timestamp.clone(),
        // The last hours of the year 9999 are beyond what can be kept: it is the latest then.
        outcome_at: Timestamp::from_millisecond(entry.outcome_time).unwrap_or(Timestamp::MAX),
        accepted_suggestions: entry.accepted_suggestions.clone(),
        reason,
        comment: entry.comment.clone(),
    }
}
