//! What came of a rehearsal: counts for JSON, for tables, and for a page. Samples and the lists of
//! patients are patient data; all else is counts.

mod chart;
mod html;
mod make;
mod style;
pub mod table;

use serde::Serialize;

use crate::history::Dating;

pub use html::page;
pub(crate) use make::of;

/// The whole.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// First and last moment.
    pub period: (String, String),
    /// Days of it.
    pub days: u64,
    /// Where dates are taken to be.
    pub time_zone: String,
    /// Number of the lake's snapshot.
    pub snapshot: u64,
    /// What chose the samples.
    pub seed: u64,
    /// The same card for the same patient less than so many days before makes a repeat.
    pub repeat_days: u32,
    /// A request that is ended now, and does not say when, was active for so many days.
    pub assumed_days: u32,
    /// Patients of the lake.
    pub patients: u64,
    /// Patients with a call.
    pub patients_called: u64,
    /// First and last day of what could have made a call, where the period has none of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(String, String)>,
    /// What the rules ask for and no resource of the lake matches, whoever the patient.
    pub unmatched: Vec<String>,
    /// Patients whose evaluation failed as a whole.
    pub failed: u64,
    /// Calls, by hook.
    pub hooks: Vec<HookCalls>,
    /// By month. What shadow rules would have said is in no count but their own.
    pub months: Vec<Named>,
    /// Each rule, the one with the most cards first.
    pub rules: Vec<RuleReport>,
    /// Rules that fired at one call, most frequent first.
    pub together: Vec<Together>,
    /// Who called, most cards first; at most [`LISTED`].
    pub clinicians: Vec<Named>,
    /// How many there are.
    pub clinicians_count: u64,
    /// Where, likewise.
    pub sites: Vec<Named>,
    /// How many there are.
    pub sites_count: u64,
    /// How resources were dated, and what was assumed.
    pub dating: Dating,
    /// Against other versions.
    pub differences: Vec<Difference>,
}

/// So many clinicians, sites, pairs and reasons are listed.
pub const LISTED: usize = 50;

/// The calls of a hook.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookCalls {
    /// `order-sign`
    pub hook: String,
    /// How many.
    pub calls: u64,
    /// Of how many patients.
    pub patients: u64,
    /// A day of the period.
    pub per_day: f64,
}

/// Counts of a month, a clinician, a site.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Empty where the chart has none.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Calls with at least one card.
    pub interrupted: u64,
    /// Cards.
    pub cards: u64,
    /// Cards per 100 calls.
    pub per_100_calls: f64,
}

/// A name and how often.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Empty where there is none.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// What a rule would have done.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReport {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// `care-gap`, `alert`, `family`
    pub kind: &'static str,
    /// `active`, or `shadow` and `draft`: then no card would be shown.
    pub status: &'static str,
    /// The hooks at which it was asked.
    pub hooks: Vec<&'static str>,
    /// Calls at which it was asked.
    pub calls: u64,
    /// Calls at which it applied and had a card that says so.
    pub fired: u64,
    /// Calls with a card, whether that says that it applies or that it could not be checked.
    pub with_card: u64,
    /// Cards, also those that say that something could not be checked.
    pub cards: u64,
    /// Calls with a card, of 100.
    pub per_100_calls: f64,
    /// Calls with a card, a day.
    pub per_day: f64,
    /// Patients who had a card.
    pub patients: u64,
    /// Calls with a card per 1,000 patients of the lake.
    pub per_1000_patients: f64,
    /// Cards that were not shown, for somebody had acted on it already.
    pub acted_on: u64,
    /// Calls at which it could not tell, or not all of it.
    pub unknown: u64,
    /// Of these, with a card that says so.
    pub unknown_with_card: u64,
    /// Calls at which its evaluation failed.
    pub failed: u64,
    /// Why it could not tell.
    pub reasons: Vec<Counted>,
    /// Cards by indicator.
    pub indicators: Vec<Counted>,
    /// Cards that the same patient had had at the same hook less than the days of a repeat before.
    pub repeats: u64,
    /// The cool-down in days whose effect follows: the rule's own, or the days of a repeat.
    pub cooldown_days: u32,
    /// Cards that are left with it.
    pub cards_with_cooldown: u64,
    /// Cards by month.
    pub months: Vec<Counted>,
    /// Cards by clinician.
    pub clinicians: Vec<Counted>,
    /// Cards by site.
    pub sites: Vec<Counted>,
    /// Some of its firings, chosen by the seed.
    pub samples: Vec<SampleReport>,
}

/// A firing, with its reasons. It is patient data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleReport {
    /// Id of the patient.
    pub patient: String,
    /// When.
    pub at: String,
    /// At which hook.
    pub hook: String,
    /// Id of the visit.
    pub encounter: Option<String>,
    /// Orders in the call.
    pub drafts: u32,
    /// The cards.
    pub cards: Vec<SampleCard>,
    /// Why, a line each part.
    pub why: Vec<String>,
}

/// A card of a sample.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleCard {
    /// `warning`
    pub indicator: String,
    /// One line.
    pub summary: String,
    /// Markdown.
    pub detail: String,
}

/// Two rules that fired at one call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Together {
    /// One.
    pub first: String,
    /// The other.
    pub second: String,
    /// At how many calls.
    pub calls: u64,
}

impl Report {
    /// The names of clinicians and sites, wherever they stand.
    pub(crate) fn people(&self) -> impl Iterator<Item = &String> {
        let whole = self.clinicians.iter().chain(&self.sites).map(|n| &n.name);
        whole.chain(self.rules.iter().flat_map(|rule| {
            let all = rule.clinicians.iter().chain(&rule.sites);
            all.map(|n| &n.name)
        }))
    }

    /// The same, to change them.
    pub(crate) fn people_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let whole = self.clinicians.iter_mut().chain(&mut self.sites);
        let whole = whole.map(|n| &mut n.name);
        whole.chain(self.rules.iter_mut().flat_map(|rule| {
            let all = rule.clinicians.iter_mut().chain(&mut rule.sites);
            all.map(|n| &mut n.name)
        }))
    }
}

impl RuleReport {
    /// Whether it is evaluated, and nobody sees its cards.
    pub fn is_shadow(&self) -> bool {
        self.status == rules::Status::Shadow.as_str()
    }
}

impl Difference {
    /// What this one is called beside the other.
    pub fn this(&self) -> String {
        format!("{} {}", self.rule, self.version)
    }
}

/// Two versions of a rule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// The one it is compared with.
    pub against: String,
    /// Its version.
    pub against_version: String,
    /// The file of that.
    pub against_file: String,
    /// Calls at which both had a card, whether that says that the rule applies or that it could not be checked.
    pub both: u64,
    /// Of these: with other cards.
    pub other_cards: u64,
    /// Calls at which only this one had a card.
    pub only_this: u64,
    /// Calls at which only the other had a card.
    pub only_other: u64,
    /// Calls at which one could not tell, and the other could.
    pub other_unknown: u64,
    /// Patients who had a card of this one and never one of the other. Ids: patient data.
    pub patients_only_this: Vec<String>,
    /// Patients who had a card of the other only.
    pub patients_only_other: Vec<String>,
}
