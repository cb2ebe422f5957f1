//! The counts of one rule.

use std::collections::{BTreeMap, HashMap};

use engine_patient::system::truth::Truth;

use super::said::{CallSaid, entry, month};
use crate::asked::Asked;
use crate::program::Candidate;
use crate::samples::Samples;
use crate::settings::DAY;
use rules::Hook;

#[derive(Debug)]
pub(crate) struct RuleTally {
    id: String,
    hooks: Vec<Hook>,
    /// In milliseconds.
    repeat: i64,
    cooldown: i64,
    pub calls: u64,
    /// Calls at which it applied and had a card that says so.
    pub fired: u64,
    /// Calls with a card, whether that says that it applies or that it could not be checked.
    pub with_card: u64,
    /// All cards, also those that say that something could not be checked.
    pub cards: u64,
    /// Calls at which it could not tell, or not all of it.
    pub unknown: u64,
    pub unknown_with_card: u64,
    pub failed: u64,
    /// Cards that were not shown, for somebody had acted on it already.
    pub acted_on: u64,
    /// Patients who had a card.
    pub patients: u64,
    pub indicators: BTreeMap<String, u64>,
    /// Cards that the patient had had within the days of a repeat.
    pub repeats: u64,
    /// Cards that are left with a cool-down.
    pub kept: u64,
    pub months: BTreeMap<String, u64>,
    pub clinicians: BTreeMap<String, u64>,
    pub sites: BTreeMap<String, u64>,
    pub reasons: BTreeMap<String, u64>,
    pub samples: Samples,
}

impl RuleTally {
    pub fn new(asked: &Asked<'_>, candidate: &Candidate) -> Self {
        let days = |n: u32| i64::from(n) * DAY;
        RuleTally {
            id: candidate.rule.artifact.id.to_string(),
            hooks: candidate.hooks.clone(),
            repeat: days(asked.repeat_days),
            cooldown: days(asked.cooldown_of(&candidate.rule)),
            calls: 0,
            fired: 0,
            with_card: 0,
            cards: 0,
            unknown: 0,
            unknown_with_card: 0,
            failed: 0,
            acted_on: 0,
            patients: 0,
            indicators: BTreeMap::new(),
            repeats: 0,
            kept: 0,
            months: BTreeMap::new(),
            clinicians: BTreeMap::new(),
            sites: BTreeMap::new(),
            reasons: BTreeMap::new(),
            samples: Samples::new(asked.seed, asked.samples),
        }
    }

    /// All calls of a patient, ascending in time.
    pub fn add(&mut self, number: usize, patient: &str, calls: &[CallSaid]) {
        let mut fired: Vec<u32> = vec![];
        let mut had_card = false;
        // Of each card at a hook, when the patient had it last, and when it was let through last. One that is
        // shown as an order is selected and as it is signed is no repeat.
        let mut last: HashMap<(&str, &str), i64> = HashMap::new();
        let mut shown: HashMap<(&str, &str), i64> = HashMap::new();
        for one in calls {
            let asked = self.hooks.iter().any(|h| h.as_str() == one.call.hook);
            self.calls += u64::from(asked);
            let Some(said) = one.said.iter().find(|s| s.rule == number) else {
                continue;
            };
            self.acted_on += said.row.acted_on;
            if said.fires() {
                self.fired += 1;
                fired.push(one.number);
            }
            if said.row.failed {
                self.failed += 1;
            } else if said.truth == Truth::Unknown || said.row.could_not_check {
                self.unknown += 1;
                self.unknown_with_card += u64::from(said.row.could_not_check);
            }
            if said.truth == Truth::Unknown || said.row.could_not_check {
                *entry(&mut self.reasons, said.reason.as_deref()) += 1;
            }
            let at = one.call.at;
            for (indicator, summary) in &said.row.cards {
                self.cards += 1;
                *entry(&mut self.indicators, Some(indicator)) += 1;
                let within = |before: Option<&i64>, time: i64| {
                    before.is_some_and(|before| at.saturating_sub(*before) < time)
                };
                let card = (one.call.hook.as_str(), summary.as_str());
                self.repeats += u64::from(within(last.get(&card), self.repeat));
                last.insert(card, at);
                if !within(shown.get(&card), self.cooldown) {
                    self.kept += 1;
                    shown.insert(card, at);
                }
            }
            let cards = said.row.cards.len() as u64;
            if cards > 0 {
                had_card = true;
                self.with_card += 1;
                *entry(&mut self.months, Some(&month(&one.call))) += cards;
                *entry(&mut self.clinicians, one.call.clinician.as_deref()) += cards;
                *entry(&mut self.sites, one.call.site.as_deref()) += cards;
            }
        }
        self.patients += u64::from(had_card);
        if !fired.is_empty() {
            self.samples.offer(&self.id, patient, &fired);
        }
    }
}
