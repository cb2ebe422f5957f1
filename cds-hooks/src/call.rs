//! One call: received, evaluated within its deadline, recorded, answered.
//!
//! ```text
//! receive ─▶ evaluate ─┬─▶ fetch ─▶ evaluate ─▶ answer ─▶ record ─▶ respond
//!                      └───────── nothing is missing ──▲
//! ```
//!
//! *Invariant:* whatever rules and sources do, an answer goes out by the deadline: what is not done by then is
//! left out and said to be. Only a record that a call must have is waited for, as long as
//! [`crate::Limits::recording`] has it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{timeout, timeout_at};

use crate::answer::{Answer, Style, answer};
use crate::evaluate::{About, Ask, Known, Progress, Read, Step};
use crate::fetch::{Fetched, Plan};
use crate::hash;
use crate::http::{App, json};
use crate::log::Line;
use crate::receive::Received;
use crate::refusal::{Logged, Refusal};
use crate::request::is_uuid;
use crate::seams::{CallRecord, CallSeen, Caller, KeySeen, Observer, Recorder, RuleSeen};
use crate::set::ServiceSet;
use crate::trace::TraceParent;

/// Of a deadline the part in which data may be fetched; the rest is for the rules.
const FETCHING: f64 = 0.75;

/// How long data may be fetched where there is no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// How long an answer that is late already waits for a record that it need not have.
const GRACE: Duration = Duration::from_millis(20);

/// How an evaluation ended.
enum Ended {
    /// As far as it came by the deadline.
    Known(Box<Known>),
    Refused(Box<Known>, Refusal),
    /// A bug of ours.
    Broken,
}

impl App {
    /// What the log calls a hook instance. One that is no UUID may hold anything.
    fn named(&self, hook_instance: &str) -> String {
        match self.config.whole_hook_instances && is_uuid(hook_instance) {
            true => hook_instance.to_owned(),
            false => hash::short(&[hook_instance]),
        }
    }

    /// Answers a call that was let in.
    pub(crate) async fn called(
        self: &Arc<Self>,
        set: Arc<ServiceSet>,
        id: &str,
        caller: Caller,
        request: Request,
        start: Instant,
    ) -> Response {
        let _under_way = UnderWay::new(self.config.seams.observer.as_ref());
        let trace = TraceParent::of(request.headers());
        let now = (self.config.clock)();
        let at = self.config.at.unwrap_or(now);
        let received = self.gate.receive(request).await;
        let most = self.config.limits.deadline;
        let deadline = most.map(|most| Instant::now() + most);
        let ended = match received {
            Ok(body) => self.evaluate(&set, id, &caller, body, at, deadline).await,
            Err(refusal) => Ended::Refused(Box::default(), refusal),
        };
        let (mut answer, about, read) = self.answered(&set, &caller, ended);
        answer.hook_instance = about.as_ref().map(|about| self.named(&about.hook_instance));
        let entry = about
            .as_ref()
            .and_then(|about| set.entries.get(about.entry));
        let hook = entry.map(|entry| entry.service.hook.name);
        if let Some(about) = about.filter(|_| self.config.seams.recorder.is_some()) {
            let record = self.record(
                &set,
                id,
                &caller,
                &about,
                read.as_ref(),
                &answer,
                at,
                now,
                start,
            );
            if let Err(refusal) = self.write_down(record, start).await {
                answer.body = Some(Err(refusal));
                (answer.cards, answer.shadow) = (0, None);
            }
        }
        self.count(entry, id, &caller, read.as_ref(), &answer);
        self.respond(id, hook, &caller, answer, trace, start)
    }

    /// Evaluates a call, as far as it comes by its deadline.
    async fn evaluate(
        self: &Arc<Self>,
        set: &Arc<ServiceSet>,
        id: &str,
        caller: &Caller,
        body: Received,
        at: DateTime,
        deadline: Option<Instant>,
    ) -> Ended {
        let config = &self.config;
        let recorder = config.seams.recorder.as_ref();
        let candidates = set.of_id(id).to_vec();
        let mut entries = candidates.iter().filter_map(|n| set.entries.get(*n));
        let short = body.is_small() && entries.all(|entry| entry.is_short());
        let ask = Arc::new(Ask {
            set: Arc::clone(set),
            candidates,
            body: Arc::new(body),
            caller: Arc::new(caller.clone()),
            at,
            zone: config.time_zone.clone(),
            most_drafts: config.limits.max_drafts,
            filter: config.seams.filter.clone(),
            may_fetch: config.seams.data.is_some(),
            wants_request: recorder.is_some_and(|recorder| recorder.wants_request()),
            wants_evidence: recorder.is_some(),
        });
        let progress = Arc::new(Progress::default());
        let mut fetched: Option<Fetched> = None;
        loop {
            let step = match short && deadline.is_none() {
                // Nobody waits for it, and it is soon done.
                true => Some(run(&ask, &progress, fetched.take())),
                false => match self.gate.turn(short, deadline).await {
                    Ok(turn) => on_a_thread(&ask, &progress, fetched.take(), turn, deadline).await,
                    Err(refusal) => Some(Step::Refused(refusal)),
                },
            };
            match step {
                Some(Step::Fetch(plan)) => {
                    fetched = Some(self.fetch(*plan, caller, deadline).await)
                }
                Some(Step::Refused(refusal)) => {
                    return Ended::Refused(Box::new(progress.take()), refusal);
                }
                Some(Step::Broken) => return Ended::Broken,
                Some(Step::Done) | None => return Ended::Known(Box::new(progress.take())),
            }
        }
    }

    async fn fetch(&self, plan: Plan, caller: &Caller, deadline: Option<Instant>) -> Fetched {
        let now = Instant::now();
        let until = match deadline {
            Some(end) => now + end.saturating_duration_since(now).mul_f64(FETCHING),
            None => now + NO_DEADLINE,
        };
        match &self.config.seams.data {
            Some(source) => plan.fetch(source.as_ref(), caller, until).await,
            None => plan.nothing(),
        }
    }

    fn answered(
        &self,
        set: &ServiceSet,
        caller: &Caller,
        ended: Ended,
    ) -> (Answer, Option<About>, Option<Read>) {
        let refused = |refusal| Answer {
            body: Some(Err(refusal)),
            ..Answer::default()
        };
        match ended {
            Ended::Broken => (Answer::default(), None, None),
            Ended::Refused(known, refusal) => (refused(refusal), known.about, known.read),
            Ended::Known(known) => {
                let Known {
                    about,
                    read,
                    results,
                } = *known;
                let entry = about
                    .as_ref()
                    .and_then(|about| set.entries.get(about.entry));
                let answer = match (&about, entry) {
                    (Some(about), Some(entry)) => {
                        let style = Style {
                            max_cards: self.config.limits.max_cards,
                            knows: caller.knows,
                            system_actions: self.config.protocol.system_actions,
                        };
                        let make = || answer(entry, about, read.as_ref(), results, &style);
                        catch_unwind(AssertUnwindSafe(make)).unwrap_or_default()
                    }
                    // Not even the request was read by the deadline.
                    _ => refused(Refusal::Late),
                };
                (answer, about, read)
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all that a record is made of, once"
    )]
    fn record(
        &self,
        set: &ServiceSet,
        id: &str,
        caller: &Caller,
        about: &About,
        read: Option<&Read>,
        answer: &Answer,
        at: DateTime,
        now: DateTime,
        start: Instant,
    ) -> CallRecord {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let hook = set
            .entries
            .get(about.entry)
            .map(|entry| entry.service.hook.name);
        let status = match &answer.body {
            Some(Ok(_)) => 200,
            Some(Err(refusal)) => refusal.status().as_u16(),
            None => 500,
        };
        CallRecord {
            service: id.to_owned(),
            hook: hook.unwrap_or_default().to_owned(),
            hook_instance: about.hook_instance.clone(),
            time: now.earliest(&UTC),
            at: Some(at),
            millis: start.elapsed().as_secs_f64() * 1e3,
            status,
            client: text(&caller.client),
            tenant: text(&caller.tenant),
            subject: text(&caller.subject),
            purpose: text(&caller.purpose),
            roles: caller.roles.iter().map(ToString::to_string).collect(),
            patient: about.patient.clone(),
            user: about.user.clone(),
            encounter: about.encounter.clone(),
            fhir_server: about.server.clone(),
            configuration: set.name().to_owned(),
            rules: answer.rules.clone(),
            cards: answer.card_records.clone(),
            lacking: read.map(|read| read.technical.clone()).unwrap_or_default(),
            consent: match &answer.body {
                Some(Err(Refusal::Withheld(why))) => Some(why.clone()),
                _ => read.and_then(|read| read.consent.clone()),
            },
            request: about.request.clone(),
            fetched: read.map(|read| read.fetched.clone()).unwrap_or_default(),
        }
    }

    /// Writes a call down; a refusal where it must be and cannot be. Where it need not be, the answer does not
    /// wait for it beyond its deadline: it is written down beside it. It goes on where the client goes away.
    async fn write_down(
        self: &Arc<Self>,
        record: CallRecord,
        start: Instant,
    ) -> Result<(), Refusal> {
        let Some(recorder) = self.config.seams.recorder.clone() else {
            return Ok(());
        };
        let is_required = recorder.is_required();
        let app = Arc::clone(self);
        let writing = tokio::spawn(async move { app.kept(recorder.as_ref(), &record).await });
        if is_required {
            return match writing.await {
                Ok(true) => Ok(()),
                _ => Err(Refusal::NotRecorded),
            };
        }
        let limits = &self.config.limits;
        let left = limits.deadline.map_or(limits.recording, |most| {
            most.saturating_sub(start.elapsed()).max(GRACE)
        });
        let _ = timeout(left, writing).await;
        Ok(())
    }

    /// Whether a call could be written down; where it could not, that is told.
    async fn kept(&self, recorder: &dyn Recorder, record: &CallRecord) -> bool {
        let written = timeout(self.config.limits.recording, recorder.call(record)).await;
        let reason = match written {
            Ok(Ok(())) => return true,
            Ok(Err(not)) => not.0,
            Err(_) => "it took too long".to_owned(),
        };
        self.config.seams.observer.not_recorded(&reason);
        self.server_line(&format!("a call could not be recorded: {reason}"));
        false
    }

    /// Something that the server itself met.
    pub(crate) fn server_line(&self, what: &str) {
        if let Some(log) = &self.config.log {
            log.line(&crate::log::of_server((self.config.clock)(), what));
        }
    }

    fn count(
        &self,
        entry: Option<&crate::set::Entry>,
        id: &str,
        caller: &Caller,
        read: Option<&Read>,
        answer: &Answer,
    ) {
        let observer = &self.config.seams.observer;
        let Some(entry) = entry else { return };
        let keys = read.map_or(&[][..], |read| &read.keys);
        for (template, (state, fetched)) in entry.templates.list.iter().zip(keys) {
            observer.key(&KeySeen {
                service: id,
                key: &template.key,
                client: caller.client.as_deref(),
                state: *state,
                fetched: *fetched,
            });
        }
        for rule in &answer.rules {
            observer.rule(&RuleSeen {
                service: id,
                hook: entry.service.hook.name,
                tenant: caller.tenant.as_deref(),
                rule: &rule.rule,
                version: &rule.version,
                outcome: rule.outcome,
                is_shadow: rule.is_shadow,
                cards: rule.cards,
                seconds: rule.millis / 1e3,
            });
        }
    }

    /// An id that says nothing but which failure of which service it was.
    fn internal(&self, id: &str) -> Refusal {
        let count = self.failures.fetch_add(1, Ordering::Relaxed).to_string();
        let process = std::process::id().to_string();
        Refusal::Internal(hash::short(&[id, &process, &count]))
    }

    fn respond(
        &self,
        id: &str,
        hook: Option<&str>,
        caller: &Caller,
        mut answer: Answer,
        trace: Option<TraceParent>,
        start: Instant,
    ) -> Response {
        let (mut error_id, no_store) = (None, [(CACHE_CONTROL, "no-store")]);
        let body = answer.body.take();
        let mut response = match body.unwrap_or_else(|| Err(self.internal(id))) {
            Ok(body) => (no_store, json(Bytes::from(body))).into_response(),
            Err(refusal) => {
                if let Refusal::Internal(id) = &refusal {
                    error_id = Some(id.clone());
                }
                (no_store, refusal).into_response()
            }
        };
        let error = response.extensions_mut().remove();
        let error = error.and_then(|Logged(error)| error);
        let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
        if let Some(log) = &self.config.log {
            let now = (self.config.clock)();
            let line = Line::new(now, Some(id), &answer, status, seconds);
            let line = line.with_error(error.as_deref()).with_caller(caller);
            let line = line.with_trace(trace);
            log.line(&line.with_id(error_id.as_deref()).text());
        }
        self.config.seams.observer.ended(&CallSeen {
            endpoint: "call",
            service: Some(id),
            hook,
            client: caller.client.as_deref(),
            tenant: caller.tenant.as_deref(),
            hook_instance: answer.hook_instance.as_deref(),
            trace,
            status,
            seconds,
            cards: answer.cards,
            shadow: answer.shadow.unwrap_or(0),
        });
        response
    }
}

/// A call that is under way, until it is dropped: also where its client goes away, and nobody waits for the
/// answer any more.
struct UnderWay<'a>(&'a dyn Observer);

impl<'a> UnderWay<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        observer.began();
        UnderWay(observer)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.left();
    }
}

fn run(ask: &Ask, progress: &Progress, fetched: Option<Fetched>) -> Step {
    let work = AssertUnwindSafe(|| ask.run(progress, fetched.as_ref()));
    catch_unwind(work).unwrap_or(Step::Broken)
}

/// Runs an evaluation on a thread for blocking work; `None` where it is not done by the deadline. Its memory
/// and its turn are given back when the work is done, also where nobody waits for it any more.
async fn on_a_thread(
    ask: &Arc<Ask>,
    progress: &Arc<Progress>,
    fetched: Option<Fetched>,
    turn: OwnedSemaphorePermit,
    deadline: Option<Instant>,
) -> Option<Step> {
    let (ask, progress) = (Arc::clone(ask), Arc::clone(progress));
    let work = move || {
        let step = run(&ask, &progress, fetched);
        drop((ask, turn));
        step
    };
    let work = tokio::task::spawn_blocking(work);
    let done = match deadline {
        Some(end) => timeout_at(end.into(), work).await.ok()?,
        None => work.await,
    };
    Some(done.unwrap_or(Step::Broken))
}
