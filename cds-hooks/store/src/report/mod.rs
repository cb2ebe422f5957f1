//! What became of cards: shown, accepted, overridden and why, silent. Counts only, but for comments, which
//! are free text of clinicians and may say anything of a patient: they are counted, and printed only where
//! that is asked for.

mod chart;
mod codes;
mod html;
mod make;
mod query;
mod style;
mod table;

use jiff::Timestamp;
use serde::Serialize;

pub use html::page;
pub(crate) use make::make;
pub use table::{Cells, Field};

/// By what the cards of a rule are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// By the rule alone.
    Rule,
    /// By hook.
    Hook,
    /// By where the card was shown.
    Site,
    /// By role of the user.
    Role,
    /// By CDS service.
    Service,
    /// By client.
    Client,
    /// By tenant.
    Tenant,
    /// By version of the rule.
    Version,
}

impl By {
    /// All of them.
    pub const ALL: [By; 8] = [
        By::Rule,
        By::Hook,
        By::Site,
        By::Role,
        By::Service,
        By::Client,
        By::Tenant,
        By::Version,
    ];

    /// As on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            By::Rule => "rule",
            By::Hook => "hook",
            By::Site => "site",
            By::Role => "role",
            By::Service => "service",
            By::Client => "client",
            By::Tenant => "tenant",
            By::Version => "version",
        }
    }
}

/// What a report is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Cards shown from this moment on. None: from the first.
    pub from: Option<Timestamp>,
    /// Cards shown before this moment. None: up to `now`.
    pub to: Option<Timestamp>,
    /// When the report is made.
    pub now: Timestamp,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// By what else than the rule.
    pub by: Vec<By>,
    /// So many of the latest comments of each rule are in it; 0 for none.
    pub comments: u64,
    /// A rule is mostly overridden if it was shown at least so often, …
    pub min_shown: u64,
    /// … so many of its cards were answered, …
    pub min_answered: u64,
    /// … and of these at least so many of a hundred were overridden.
    pub override_percent: u64,
}

impl Asked {
    /// Everything up to `now`, by rule; a rule is mostly overridden from 30 cards shown, 10 answered and
    /// 80 of 100 overridden on.
    pub fn new(now: Timestamp) -> Self {
        Asked {
            from: None,
            to: None,
            now,
            tenant: None,
            by: vec![],
            comments: 0,
            min_shown: 30,
            min_answered: 10,
            override_percent: 80,
        }
    }
}

/// Below so many answered cards a rate says little.
pub const FEW: u64 = 30;

/// Counts of cards. A card counts once: by what was said of it last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Cards that were shown.
    pub shown: u64,
    /// Of which a suggestion was taken.
    pub accepted: u64,
    /// Which were overridden.
    pub overridden: u64,
    /// Overridden with a coded reason.
    pub with_reason: u64,
    /// With a comment.
    pub with_comment: u64,
}

impl Counts {
    /// Of which nothing was said. That is not the same as overridden.
    pub fn silent(&self) -> u64 {
        self.shown.saturating_sub(self.answered())
    }

    /// Of which something was said.
    pub fn answered(&self) -> u64 {
        self.accepted + self.overridden
    }

    /// Overridden of those that were answered, from 0 to 1; none where none was.
    pub fn override_rate(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let rate = |part: u64, whole: u64| part as f64 / whole as f64;
        (self.answered() > 0).then(|| rate(self.overridden, self.answered()))
    }

    /// Whether the rate is of so few that it says little.
    pub fn is_few(&self) -> bool {
        self.answered() < FEW
    }

    pub(super) fn add(&mut self, other: &Counts) {
        self.shown += other.shown;
        self.accepted += other.accepted;
        self.overridden += other.overridden;
        self.with_reason += other.with_reason;
        self.with_comment += other.with_comment;
    }
}

/// The whole.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// When it was made.
    #[serde(with = "crate::time::text")]
    pub made: Timestamp,
    /// The period as asked for, or from the first card to the moment it was made.
    pub period: (String, String),
    /// Only of this tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Of all cards. One of several rules counts once here, and for each of the rules below.
    pub total: Line,
    /// Each rule, the most shown first.
    pub rules: Vec<RuleReport>,
    /// By what was asked for besides.
    pub by: Vec<Breakdown>,
    /// By day, or by more days in a long period.
    pub over_time: Vec<Span>,
    /// Ids of the rules that are mostly overridden.
    pub mostly_overridden: Vec<String>,
    /// What makes a rule mostly overridden.
    pub mostly_overridden_if: MostlyIf,
    /// Entries of feedback received in the period.
    pub feedback: FeedbackTotals,
    /// Clients that were shown cards in the period and never sent any feedback: their silence says nothing.
    pub without_feedback: Vec<NamedCount>,
    /// There are more of these clients, with fewer cards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_without_feedback: bool,
    /// There are more reasons, which are rarer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_reasons: bool,
}

/// What makes a rule mostly overridden.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MostlyIf {
    /// Cards shown, at least.
    pub shown: u64,
    /// Cards answered, at least.
    pub answered: u64,
    /// Of these overridden, of 100, at least.
    pub percent: u64,
}

/// Counts, with what follows from them.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Nothing was said.
    pub silent: u64,
    /// Overridden of the answered, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_rate: Option<f64>,
    /// The rate is of fewer than `FEW`.
    pub few: bool,
}

impl From<Counts> for Line {
    fn from(counts: Counts) -> Self {
        Line {
            counts,
            silent: counts.silent(),
            override_rate: counts.override_rate(),
            few: counts.is_few(),
        }
    }
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReport {
    /// Its id.
    pub rule: String,
    /// The versions that were shown.
    pub versions: Vec<String>,
    /// Its counts.
    #[serde(flatten)]
    pub line: Line,
    /// Why it was overridden, the most frequent first.
    pub reasons: Vec<Reason>,
    /// The latest comments, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
}

/// A reason for overriding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// Empty where it has none.
    pub system: String,
    /// Its code.
    pub code: String,
    /// What it is called: as HL7 has it, as a client said, or its code.
    pub display: String,
    /// Of HL7's non-adherence reasons, the category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How often.
    pub count: u64,
}

/// A comment. It may hold data of a patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// When.
    pub at: String,
    /// What.
    pub text: String,
}

/// The counts of rules, told apart by something.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Breakdown {
    /// By what.
    pub by: By,
    /// Each with its rule; the most shown first.
    pub rows: Vec<BreakdownRow>,
    /// There are more rows; these are the most shown.
    pub more: bool,
}

/// A row of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakdownRow {
    /// `order-sign`; empty where it was not recorded.
    pub name: String,
    /// The rule.
    pub rule: String,
    /// The counts.
    #[serde(flatten)]
    pub line: Line,
}

/// Counts of some days.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The first day, in UTC.
    pub from: String,
    /// How many days.
    pub days: u64,
    /// The counts.
    #[serde(flatten)]
    pub line: Line,
}

/// Feedback, as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackTotals {
    /// Different entries.
    pub entries: u64,
    /// How often one of them came again.
    pub repeats: u64,
    /// Entries of cards that nobody was given, as far as recorded.
    pub unmatched: u64,
    /// Entries of cards that only other clients were given: they count for no card.
    pub foreign: u64,
}

/// A name and a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedCount {
    /// The name.
    pub name: String,
    /// The number.
    pub count: u64,
}

impl Report {
    /// The rules as cells, for a table or CSV: by `by`, where that was asked for.
    pub fn cells(&self, by: By) -> Cells {
        table::cells(self, by)
    }

    /// Reasons as cells.
    pub fn reasons(&self) -> Cells {
        table::reasons(self)
    }

    /// What has to be said beside the table, a line each.
    pub fn notes(&self) -> Vec<String> {
        table::notes(self)
    }
}
