//! Counting: patients come one after the other, each with all its rows, in a fixed order.

mod difference;
mod rule;
mod said;

use std::collections::{BTreeMap, BTreeSet};

use rules::Status;

use crate::asked::Asked;
use crate::history::Dating;
use crate::program::Candidate;

pub(crate) use difference::DifferenceTally;
pub(crate) use rule::RuleTally;
pub(crate) use said::{CallSaid, Count, Said};
use said::{entry, month};

/// All counts of a rehearsal.
#[derive(Debug)]
pub(crate) struct Tally {
    pub patients_called: u64,
    /// Calls and patients with one, by hook.
    pub hooks: BTreeMap<String, (u64, u64)>,
    pub months: BTreeMap<String, Count>,
    pub rules: Vec<RuleTally>,
    pub clinicians: BTreeMap<String, Count>,
    pub sites: BTreeMap<String, Count>,
    /// Numbers of two rules, the smaller first.
    pub together: BTreeMap<(usize, usize), u64>,
    pub dating: Dating,
    pub difference: Vec<DifferenceTally>,
    /// Patients whose evaluation failed as a whole.
    pub failed: u64,
}

impl Tally {
    pub fn new(asked: &Asked<'_>) -> Self {
        let tally = |c: &Candidate| RuleTally::new(asked, c);
        Tally {
            patients_called: 0,
            hooks: BTreeMap::new(),
            months: BTreeMap::new(),
            rules: asked.candidates.iter().map(tally).collect(),
            clinicians: BTreeMap::new(),
            sites: BTreeMap::new(),
            together: BTreeMap::new(),
            dating: Dating::default(),
            difference: asked.pairs().map(DifferenceTally::new).collect(),
            failed: 0,
        }
    }

    /// All calls of a patient.
    pub fn add(&mut self, asked: &Asked<'_>, patient: &str, calls: &[CallSaid]) {
        if calls.is_empty() {
            return;
        }
        self.patients_called += 1;
        let mut hooks = BTreeSet::new();
        for one in calls {
            let hook = one.call.hook.as_str();
            self.hooks.entry(hook.to_owned()).or_default().0 += 1;
            hooks.insert(hook);
            // A shadow rule interrupts nobody.
            let shown = |rule: usize| {
                let candidate = asked.candidates.get(rule);
                candidate.is_some_and(|c| c.rule.status != Status::Shadow)
            };
            let said = || one.said.iter().filter(|s| shown(s.rule));
            let cards: u64 = said().map(|s| s.row.cards.len() as u64).sum();
            let count = |to: &mut Count| {
                to.calls += 1;
                to.interrupted += u64::from(cards > 0);
                to.cards += cards;
            };
            count(self.months.entry(month(&one.call)).or_default());
            count(entry(&mut self.clinicians, one.call.clinician.as_deref()));
            count(entry(&mut self.sites, one.call.site.as_deref()));
            let fired: Vec<usize> = said().filter(|s| s.fires()).map(|s| s.rule).collect();
            for (place, first) in fired.iter().enumerate() {
                for second in fired.iter().skip(place + 1) {
                    *self.together.entry((*first, *second)).or_default() += 1;
                }
            }
        }
        for hook in hooks {
            self.hooks.entry(hook.to_owned()).or_default().1 += 1;
        }
        for (number, rule) in self.rules.iter_mut().enumerate() {
            rule.add(number, patient, calls);
        }
        for difference in &mut self.difference {
            difference.add(patient, calls);
        }
    }
}
