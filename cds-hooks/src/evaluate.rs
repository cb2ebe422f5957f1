//! One call on a thread for blocking work: from the body of the request to what each part of the service
//! has to say. What is known is put where the thread that answers finds it, also before all is done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use rules::text;

use crate::asked::Asked;
use crate::configuration::Options;
use crate::drafts::Drafts;
use crate::fetch::{Fetched, Plan};
use crate::hook::Hook;
use crate::json;
use crate::lacks;
use crate::offered;
use crate::prefetch::{self, Lacking, Prefetched};
use crate::receive::Received;
use crate::refusal::Refusal;
use crate::request::HookRequest;
use crate::seams::{Caller, Filter, FilterAsk, Filtered, KeyAnswer, KeyState, RuleOutcome};
use crate::service::{CardContent, Outcome};
use crate::set::{Entry, Part, ServiceSet};

/// What a call is evaluated with.
pub(crate) struct Ask {
    pub(crate) set: Arc<ServiceSet>,
    /// The entries of the id that was called: one for each of its hooks.
    pub(crate) candidates: Vec<usize>,
    pub(crate) body: Arc<Received>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) at: DateTime,
    pub(crate) zone: Zone,
    pub(crate) most_drafts: usize,
    pub(crate) filter: Option<Arc<dyn Filter>>,
    /// Missing data can be fetched.
    pub(crate) may_fetch: bool,
    /// The recorder wants the request.
    pub(crate) wants_request: bool,
    /// Somebody wants to know what cards rest on.
    pub(crate) wants_evidence: bool,
}

/// How far an evaluation came.
pub(crate) enum Step {
    /// All that there is to know is known.
    Done,
    /// It goes on when this was fetched.
    Fetch(Box<Plan>),
    /// It is no call that can be answered.
    Refused(Refusal),
    /// A bug of ours.
    Broken,
}

/// What is known of a call so far.
#[derive(Default)]
pub(crate) struct Progress {
    stop: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
pub(crate) struct Known {
    pub(crate) about: Option<About>,
    pub(crate) read: Option<Read>,
    /// Of the service's parts the first, as many as are done.
    pub(crate) results: Vec<PartResult>,
}

/// What the request says.
pub(crate) struct About {
    /// The number of the entry that answers.
    pub(crate) entry: usize,
    pub(crate) hook_instance: String,
    pub(crate) patient: String,
    pub(crate) user: Option<String>,
    pub(crate) encounter: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) options: Options,
    pub(crate) passed_over: Vec<String>,
    /// The body without tokens, where it is wanted.
    pub(crate) request: Option<Vec<u8>>,
}

/// What came of the data.
pub(crate) struct Read {
    pub(crate) left_out: usize,
    pub(crate) unknown_selections: usize,
    pub(crate) passed_over: Vec<String>,
    /// What the client sent under each template's key, and what came of fetching it.
    pub(crate) keys: Vec<(KeyState, Option<&'static str>)>,
    /// What is lacking, for the integrator.
    pub(crate) technical: Vec<String>,
    pub(crate) consent: Option<String>,
    /// What was fetched, where it is wanted.
    pub(crate) fetched: Vec<(String, String)>,
}

/// What one part of a service has to say.
pub(crate) struct PartResult {
    pub(crate) outcome: RuleOutcome,
    pub(crate) contents: Vec<CardContent>,
    pub(crate) reason: Option<String>,
    /// What it lacked, for the integrator.
    pub(crate) lacking: Vec<String>,
    /// The client withheld some of that.
    pub(crate) withheld: bool,
    /// A bug of ours, in words that name the rule's text and hold nothing of the patient.
    pub(crate) bug: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) evidence: Vec<String>,
}

impl Progress {
    /// Takes what is known; what comes later is lost, and nothing more is begun.
    pub(crate) fn take(&self) -> Known {
        self.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut *self.lock())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ask {
    /// Evaluates the call; a second time with what was fetched.
    pub(crate) fn run(&self, progress: &Progress, fetched: Option<&Fetched>) -> Step {
        self.run_for(progress, fetched, None)
    }

    /// The same, for somebody who looks at each rule.
    pub(crate) fn run_for(
        &self,
        progress: &Progress,
        fetched: Option<&Fetched>,
        mut look: Option<&mut dyn FnMut(&Asked<'_>)>,
    ) -> Step {
        let entries = self.candidates.iter();
        let entries: Vec<(usize, &Entry)> = entries
            .filter_map(|n| Some((*n, self.set.entries.get(*n)?)))
            .collect();
        let hooks: Vec<&'static Hook> = entries.iter().map(|(_, e)| e.service.hook).collect();
        let (hook, request) = match HookRequest::read(self.body.bytes(), &hooks) {
            Ok(read) => read,
            Err(refusal) => return Step::Refused(refusal),
        };
        let found = entries.iter().find(|(_, e)| e.service.hook == hook);
        let Some((number, entry)) = found.copied() else {
            return Step::Refused(Refusal::NotFound);
        };
        if fetched.is_none() || look.is_some() {
            progress.lock().about = Some(self.about(number, &request));
        }
        let sent = fetched.map(|fetched| fetched.sent(&request.prefetch));
        let sent = sent.unwrap_or_else(|| {
            let all = request.prefetch.iter();
            all.map(|(key, raw)| (key.as_str(), std::borrow::Cow::Borrowed(raw.get())))
                .collect()
        });
        let sent: Vec<(&str, &str)> = sent.iter().map(|(key, json)| (*key, &**json)).collect();
        let failures = fetched.map(Fetched::failures).unwrap_or_default();
        let mut data = prefetch::read(&entry.templates, &sent, &request.patient, &failures);
        if fetched.is_none() && self.may_fetch {
            let plan = Plan::of(&entry.templates, &data, &request);
            if let Some(plan) = plan {
                return Step::Fetch(Box::new(plan));
            }
        }
        let mut drafts = Drafts::read(&request.context, hook, &request.patient, self.most_drafts);
        let consent = match self.withhold(&mut data, hook, &request) {
            Ok(consent) => consent,
            Err(reason) => return Step::Refused(Refusal::Withheld(reason)),
        };
        drafts.add_stored(&request.context, &data.record);
        // What was sent is all there is, and of now.
        let mut context = EvaluationContext::at(self.at);
        context.zone = self.zone.clone();
        context = context.with_call(drafts.call(hook, &request.context));
        let read = self.seen(&data, &drafts, fetched, &sent, consent);
        progress.lock().read = Some(read);
        let keys = look
            .as_ref()
            .map(|_| prefetch::origins(&entry.templates, &sent));
        for part in &entry.parts {
            if progress.is_stopped() {
                break;
            }
            let result = self.part(entry, part, &mut data, &drafts, &context);
            progress.lock().results.push(result);
            if let (Some(look), Some(keys)) = (&mut look, &keys) {
                look(&Asked {
                    part: part.service.as_ref(),
                    record: &data.record,
                    context: &context,
                    keys,
                });
            }
        }
        Step::Done
    }

    fn about(&self, entry: usize, request: &HookRequest<'_>) -> About {
        let body = || json::without(self.body.bytes(), "fhirAuthorization");
        About {
            entry,
            hook_instance: request.hook_instance.clone(),
            patient: request.patient.id.clone(),
            user: request.context.user.clone(),
            encounter: request.context.encounter.clone(),
            server: request.server.clone(),
            options: request.options,
            passed_over: request.passed_over.clone(),
            request: self.wants_request.then(body).flatten(),
        }
    }

    /// Takes out of the data what may not be seen; what to note of it. Or why nothing may be answered.
    fn withhold(
        &self,
        data: &mut Prefetched,
        hook: &Hook,
        request: &HookRequest<'_>,
    ) -> Result<Option<String>, String> {
        let Some(filter) = &self.filter else {
            return Ok(None);
        };
        let ask = FilterAsk {
            caller: &self.caller,
            user: request.context.user.as_deref(),
            patient: &request.patient.id,
            hook: hook.name,
            at: self.at,
            zone: &self.zone,
        };
        match filter.filter(&data.record, &ask) {
            Filtered::All => Ok(None),
            Filtered::Part(withheld) => {
                let read = filter.requirements().iter().map(|read| read.resource_type);
                let unjudged: Vec<Name> = read.filter(|_| withheld.is_unjudged).collect();
                data.withhold(withheld.record, withheld.types, &unjudged);
                Ok(Some(withheld.note))
            }
            Filtered::Refused(reason) => Err(reason),
        }
    }

    fn seen(
        &self,
        data: &Prefetched,
        drafts: &Drafts,
        fetched: Option<&Fetched>,
        sent: &[(&str, &str)],
        consent: Option<String>,
    ) -> Read {
        let mut passed_over: Vec<String> = data.unread.iter().cloned().collect();
        passed_over.extend(drafts.passed_over.iter().cloned());
        let all: Vec<&Lacking> = data.lacking.iter().chain(&drafts.lacking).collect();
        let keys = match fetched {
            Some(fetched) => fetched.keys(),
            None => data.keys.iter().map(|key| (key.state, None)).collect(),
        };
        let answers = fetched.map_or(&[][..], |fetched| &fetched.answers);
        // With the pages that were sent before, so that it can be read again as it was read here.
        let kept = |answer: &KeyAnswer| {
            answer.answer.as_ref().ok()?;
            let (key, json) = sent.iter().find(|(key, _)| *key == answer.key)?;
            Some(((*key).to_owned(), (*json).to_owned()))
        };
        Read {
            left_out: data.left_out + drafts.left_out,
            unknown_selections: drafts.unknown_selections,
            passed_over,
            keys,
            technical: lacks::technical(&all, data.unresolved),
            consent,
            fetched: match self.wants_request {
                true => answers.iter().filter_map(kept).collect(),
                false => vec![],
            },
        }
    }

    /// What one part has to say.
    fn part(
        &self,
        entry: &Entry,
        part: &Part,
        data: &mut Prefetched,
        drafts: &Drafts,
        context: &EvaluationContext,
    ) -> PartResult {
        let start = Instant::now();
        // Of what the other parts need, this one lacks nothing.
        let is_one_of_many = entry.parts.len() > 1 || self.filter.is_some();
        if is_one_of_many {
            data.show_to(&part.needs);
        }
        let concerns =
            |lacking: &&Lacking| !is_one_of_many || part.lacks(&entry.templates, lacking);
        let own = data.lacking.iter().filter(concerns).chain(&drafts.lacking);
        let own: Vec<&Lacking> = own.collect();
        let decide = AssertUnwindSafe(|| part.service.decide(&data.record, context));
        let mut result = match catch_unwind(decide) {
            Ok(outcome) => result(outcome, &own, data.unresolved),
            Err(_) => PartResult::nothing(RuleOutcome::Failed),
        };
        let contents = std::mem::take(&mut result.contents).into_iter();
        let dated = |content| dated(offered::only(content, drafts), context);
        result.contents = contents.map(dated).collect();
        if self.wants_evidence && !result.contents.is_empty() {
            result.evidence = evidence(part, &data.record, drafts);
        }
        if entry.parts.len() > 1 {
            result.bug = result.bug.map(|bug| format!("{}: {bug}", part.name.id));
        }
        result.seconds = start.elapsed().as_secs_f64();
        result
    }
}

fn result(outcome: Outcome, own: &[&Lacking], unresolved: u64) -> PartResult {
    match outcome {
        Outcome::Cards(contents) => PartResult {
            contents,
            ..PartResult::nothing(RuleOutcome::Silent)
        }
        .fired(),
        Outcome::Unknown { reason, mut cards } => {
            let for_people = reason.clone();
            let reason = reason.map(|reason| lacks::cause(reason, own));
            let technical = lacks::technical(own, unresolved);
            for content in cards.iter_mut().filter(|c| c.says_unknown) {
                let known = for_people.as_deref();
                lacks::say(content, reason.clone(), known, own, &technical);
            }
            PartResult {
                contents: cards,
                reason,
                withheld: own.iter().any(|lacking| lacking.withheld),
                lacking: technical,
                ..PartResult::nothing(RuleOutcome::Unknown)
            }
        }
        // What a library raised is its text, which may say anything.
        Outcome::Failed(error) => PartResult {
            bug: match error {
                EvaluationError::Bug(bug) => Some(bug),
                _ => None,
            },
            ..PartResult::nothing(RuleOutcome::Failed)
        },
    }
}

impl PartResult {
    pub(crate) fn nothing(outcome: RuleOutcome) -> Self {
        PartResult {
            outcome,
            contents: vec![],
            reason: None,
            lacking: vec![],
            withheld: false,
            bug: None,
            seconds: 0.0,
            evidence: vec![],
        }
    }

    fn fired(mut self) -> Self {
        if !self.contents.is_empty() {
            self.outcome = RuleOutcome::Fired;
        }
        self
    }

    /// Of a part that was not done in time: the card that says so, where its author wants one.
    pub(crate) fn late(part: &Part) -> Self {
        let reason = "it was not done in time".to_owned();
        let said = part.service.late().map(|mut content| {
            lacks::say(&mut content, Some(reason.clone()), None, &[], &[]);
            content
        });
        PartResult {
            contents: said.into_iter().collect(),
            reason: Some(reason),
            ..PartResult::nothing(RuleOutcome::Late)
        }
    }
}

/// Says when the card was made and of what: a chart stays open, and its data changes.
fn dated(mut content: CardContent, context: &EvaluationContext) -> CardContent {
    let day = text::day(context.at, &context.zone);
    let line = format!("*Checked on {day} with the data sent at that time.*");
    let detail = [content.detail.trim_end(), &line].join("\n\n");
    content.detail = detail.trim_start().to_owned();
    content
}

/// What a card can rest on: what its rule asks for and is on record, and the drafts.
fn evidence(part: &Part, record: &PatientRecord, drafts: &Drafts) -> Vec<String> {
    /// More would be the record itself.
    const MOST: usize = 100;
    let mut found: Vec<String> = drafts.names().take(MOST).cloned().collect();
    for requirement in part.service.requirements() {
        let Ok(resources) = requirement.retrieve(record) else {
            continue;
        };
        for resource in resources.iter().take(MOST) {
            let ty = resource.resource_type();
            if let (Some(ty), Some(id)) = (ty, resource.get_str("id")) {
                found.push(format!("{}/{id}", ty.as_str()));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    found
}
