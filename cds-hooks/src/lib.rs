//! Care gaps and official measures as CDS Hooks services (<https://cds-hooks.hl7.org>): an EHR opens a
//! chart, sends what the templates in discovery ask for, and gets cards.
//!
//! ```text
//! POST /cds-services/{id}
//!   http ── request ── prefetch ──▶ PatientRecord ──▶ CardService::decide
//!                                                            │
//!   http ◀── card ◀───────────────── answer ◀────────────────┘
//! ```
//!
//! Invariants:
//! - wire types live here only; status codes are given by [`router`] alone;
//! - another patient's data never counts, and what is missing, incomplete or left out makes the
//!   answer unknown, never "no";
//! - the same request at the same time gives the same bytes;
//! - no patient data in errors or logs;
//! - nothing that clients or the log's reader do or leave undone holds up other calls: connections,
//!   bodies under way and waiting are bounded ([`Limits`]), and no serving thread writes a log;
//! - no DataFusion: the card server stays small and starts in milliseconds.

mod answer;
mod asked;
mod by_set;
mod call;
mod card;
mod card_order;
mod config;
mod configuration;
mod connection;
mod cors;
mod discovery;
mod drafts;
mod evaluate;
mod feedback;
mod fetch;
mod hash;
mod hook;
mod host;
mod http;
mod json;
mod json_text;
mod lacks;
mod limits;
mod log;
mod measure;
mod noted;
mod offered;
mod prefetch;
mod reach;
mod receive;
mod refusal;
mod replay;
mod request;
mod rule;
pub mod seams;
mod serve;
mod service;
mod set;
mod told;
mod trace;
mod wire;

pub use asked::Asked;
pub use by_set::{RuleSet, services_by_set};
pub use card::MAX_SUMMARY;
pub use config::{Clock, Config, Protocol};
pub use connection::{ClientCertificate, SecureStream, Secured, Tls, Turned};
pub use cors::is_origin;
pub use hash::instance_name;
pub use hook::{ContextField, Form, Hook, ORDER_SELECT, ORDER_SIGN, PATIENT_VIEW};
pub use http::{router, router_of_live};
pub use limits::Limits;
pub use log::{Log, LogCounts};
pub use measure::measure_services;
pub use noted::Noted;
pub use prefetch::{Template, Templates};
pub use reach::{Reach, within_reach};
pub use replay::{Replayed, replay};
pub use rule::rule_services;
pub use seams::Seams;
pub use serve::{open_files, serve, serve_live, serve_until, signal, tell_panics};
pub use service::{CardContent, CardService, Outcome, RuleName, Service};
pub use set::{Live, ServiceSet, Sets};
pub use trace::TraceParent;
pub use wire::{
    Action, ActionSelectionBehavior, Card, Change, Coding, Extension, Indicator, Link, LinkTarget,
    Resource, Response, SelectionBehavior, Source, Suggestion, Suggestions,
};
