//! Spans for OpenTelemetry: one for each request, sent by OTLP over HTTP. What rules came to are its events.
//!
//! Where the caller sends `traceparent` (W3C Trace Context), the call is a span of its trace; the log has that
//! trace's id. Else the trace id is made of the name that the log has for the hook instance (sixteen digits,
//! twice), so that a line of the log leads to its trace, and calls of one hook instance are one trace. Nothing
//! of a patient is in a span. Spans wait in a bounded queue; what finds no room, or is not taken by the receiver in
//! time, is dropped: calls never wait.

mod sender;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use cds_hooks::TraceParent;
use cds_hooks::seams::{CallRecord, CallSeen};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SdkTracer, SdkTracerProvider,
};

use crate::settings::Tracing;

use self::sender::Sender;

/// Calls whose rules wait for their span, at most: those under way.
const WAITING: usize = 10_000;

/// Makes spans of requests.
pub struct Spans {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    /// What rules came to, until the request is answered.
    rules: Mutex<HashMap<OfCall, Vec<RuleEvent>>>,
}

/// The service and the name of the hook instance: an EHR calls several services at one hook.
type OfCall = (String, String);

struct RuleEvent {
    rule: String,
    version: String,
    outcome: &'static str,
    is_shadow: bool,
    cards: usize,
    millis: f64,
}

impl Spans {
    /// Spans that are sent to the endpoint of the settings; `None` where they have none. Must be called
    /// within a Tokio runtime, which sends them.
    ///
    /// # Errors
    /// Where the endpoint cannot be used.
    pub fn new(settings: &Tracing) -> Result<Option<Self>, String> {
        let Some(endpoint) = &settings.endpoint else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new(settings.timeout)?)
            .with_endpoint(endpoint.as_str())
            .with_timeout(settings.timeout)
            .build()
            .map_err(|e| format!("spans cannot be sent to {endpoint}: {e}"))?;
        let resource = Resource::builder_empty()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_id_generator(Ids::default())
            .with_sampler(Sampler::TraceIdRatioBased(settings.sample))
            .with_resource(resource)
            .build();
        Ok(Some(Spans {
            tracer: provider.tracer("tandem"),
            provider,
            rules: Mutex::default(),
        }))
    }

    /// What the rules of a call came to; its span follows when it is answered.
    pub fn rules(&self, instance: &str, call: &CallRecord) {
        let events = call.rules.iter().map(|rule| RuleEvent {
            rule: rule.rule.clone(),
            version: rule.version.clone(),
            outcome: rule.outcome.as_str(),
            is_shadow: rule.is_shadow,
            cards: rule.cards,
            millis: rule.millis,
        });
        let mut waiting = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        // Of calls whose client went away nobody says that they ended: theirs go here.
        if waiting.len() >= WAITING {
            waiting.clear();
        }
        let call = (call.service.clone(), instance.to_owned());
        waiting.insert(call, events.collect());
    }

    /// A request was answered just now.
    pub fn ended(&self, call: &CallSeen<'_>, now: SystemTime) {
        let instance = call.hook_instance.map(named);
        let rules = instance.as_ref().and_then(|instance| {
            let mut waiting = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(&(call.service?.to_owned(), instance.clone()))
        });
        let took = Duration::try_from_secs_f64(call.seconds).unwrap_or_default();
        let start = now.checked_sub(took).unwrap_or(now);
        let mut attributes = vec![
            KeyValue::new("http.response.status_code", i64::from(call.status)),
            KeyValue::new("cds.cards", count(call.cards)),
        ];
        let texts = [
            ("cds.service", call.service),
            ("cds.hook", call.hook),
            ("cds.hook_instance", call.hook_instance),
            ("cds.client", call.client),
            ("cds.tenant", call.tenant),
        ];
        for (name, text) in texts {
            attributes.extend(text.map(|text| KeyValue::new(name, text.to_owned())));
        }
        let above = call.trace.map_or_else(Context::new, above);
        Ids::next(instance.as_deref().and_then(trace_id));
        let name = match call.endpoint {
            "call" => call
                .hook
                .map_or("cds.call".to_owned(), |hook| format!("cds.call {hook}")),
            other => format!("cds.{other}"),
        };
        let builder = self.tracer.span_builder(name);
        let mut span = builder
            .with_kind(SpanKind::Server)
            .with_start_time(start)
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &above);
        Ids::next(None);
        for rule in rules.into_iter().flatten() {
            let attributes = vec![
                KeyValue::new("cds.rule", rule.rule),
                KeyValue::new("cds.rule.version", rule.version),
                KeyValue::new("cds.rule.outcome", rule.outcome),
                KeyValue::new("cds.rule.shadow", rule.is_shadow),
                KeyValue::new("cds.cards", count(rule.cards)),
                KeyValue::new("cds.rule.ms", rule.millis),
            ];
            span.add_event_with_timestamp("cds.rule", now, attributes);
        }
        if call.status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(now);
    }

    /// Sends what waits; for as long as the receiver may take.
    pub fn end(&self) {
        // What could not be sent is lost: there is nobody left to tell.
        let _ = self.provider.shutdown();
    }
}

/// The caller's span, that of the call is to be under.
fn above(parent: TraceParent) -> Context {
    let flags = match parent.is_sampled {
        true => TraceFlags::SAMPLED,
        false => TraceFlags::default(),
    };
    let (trace, span) = (TraceId::from(parent.trace_id), SpanId::from(parent.span_id));
    let span = SpanContext::new(trace, span, flags, true, TraceState::default());
    Context::new().with_remote_span_context(span)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The name of a hook instance, also where the log has it as it came.
fn named(instance: &str) -> String {
    match instance.len() == 16 {
        true => instance.to_owned(),
        false => cds_hooks::instance_name(instance),
    }
}

/// Of sixteen hexadecimal digits.
fn trace_id(instance: &str) -> Option<TraceId> {
    let half = u64::from_str_radix(instance, 16).ok()?;
    let whole = u128::from(half) << 64 | u128::from(half);
    (half != 0).then(|| TraceId::from(whole))
}

thread_local! {
    static NEXT: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Ids by chance, but for the trace id of the span that is made next on this thread.
#[derive(Default)]
struct Ids(RandomIdGenerator);

impl Ids {
    fn next(id: Option<TraceId>) {
        NEXT.set(id);
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}
