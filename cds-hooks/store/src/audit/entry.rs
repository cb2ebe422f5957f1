//! What an entry of the audit log says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditKind {
    /// A CDS service was called.
    Call,
    /// Feedback came.
    Feedback,
    /// Somebody read the explanation of a call.
    Explain,
    /// Somebody read a report, or the audit log itself.
    Read,
    /// Other rules, terminology or settings are live.
    Reload,
    /// Old entries were removed; `details` says which.
    Purge,
}

impl AuditKind {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            AuditKind::Call => "call",
            AuditKind::Feedback => "feedback",
            AuditKind::Explain => "explain",
            AuditKind::Read => "read",
            AuditKind::Reload => "reload",
            AuditKind::Purge => "purge",
        }
    }
}

/// What a rule did at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// It had cards.
    Fired,
    /// It had nothing to say.
    Silent,
    /// It could not tell.
    Unknown,
    /// It was not done in time, and was left out.
    Late,
    /// It has cards that nobody sees.
    Shadow,
    /// Its cards were left out: there were too many, or the same were shown lately.
    LeftOut,
    /// Its evaluation failed.
    Failed,
}

impl RuleOutcome {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleOutcome::Fired => "fired",
            RuleOutcome::Silent => "silent",
            RuleOutcome::Unknown => "unknown",
            RuleOutcome::Late => "late",
            RuleOutcome::Shadow => "shadow",
            RuleOutcome::LeftOut => "left-out",
            RuleOutcome::Failed => "failed",
        }
    }
}

/// A rule that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleRun {
    /// Its id.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// A hash of its content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// What it did.
    pub outcome: RuleOutcome,
    /// How many cards.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cards: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An entry of the audit log. It holds ids, no content of a chart and no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Names it, and the call: a UUID. Two entries never have the same.
    pub id: String,
    /// When.
    #[serde(with = "crate::time::text")]
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// Empty where there are no tenants.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Who called: issuer, or the name of a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The user behind it: `Practitioner/1`, or the subject of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Roles of the user, if known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Id of the patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The services that were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// `order-sign`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// `hookInstance`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_instance: Option<String>,
    /// The rules that were asked, those that said nothing too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleRun>,
    /// Names the settings that were live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Names the rules that were live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_set: Option<String>,
    /// Status of the answer as HTTP has it; 0 for what is no request.
    #[serde(default)]
    pub status: u16,
    /// How it ended, in words that hold nothing of the patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What the patient's consent kept from the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// SHA-256 of the body of the request ([`crate::sha256`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<String>,
    /// SHA-256 of the body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_hash: Option<String>,
    /// What else there is to say, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<(String, String)>,
}

impl AuditEntry {
    /// An entry of which nothing else is known yet.
    pub fn new(id: impl Into<String>, at: Timestamp, kind: AuditKind) -> Self {
        AuditEntry {
            id: id.into(),
            at,
            kind,
            tenant: String::new(),
            client: None,
            subject: None,
            roles: vec![],
            patient: None,
            services: vec![],
            hook: None,
            hook_instance: None,
            rules: vec![],
            configuration: None,
            rule_set: None,
            status: 0,
            outcome: None,
            consent: None,
            request_hash: None,
            response_hash: None,
            details: vec![],
        }
    }
}
