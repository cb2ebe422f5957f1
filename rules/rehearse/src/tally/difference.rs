//! What another version of a rule would have said instead.

use engine_patient::system::truth::Truth;

use super::said::{CallSaid, Said};

/// Two versions of a rule over the same calls.
#[derive(Debug)]
pub(crate) struct DifferenceTally {
    /// Number of the rule, and of the version it is compared with.
    pub pair: (usize, usize),
    /// Calls at which both fired.
    pub both: u64,
    /// Of these: with other cards.
    pub other_cards: u64,
    pub only_this: u64,
    pub only_other: u64,
    /// Calls at which one could not tell, and the other could.
    pub other_unknown: u64,
    /// Patients for whom this one fired and the other never.
    pub gained: Vec<String>,
    pub lost: Vec<String>,
}

impl DifferenceTally {
    pub fn new(pair: (usize, usize)) -> Self {
        DifferenceTally {
            pair,
            both: 0,
            other_cards: 0,
            only_this: 0,
            only_other: 0,
            other_unknown: 0,
            gained: vec![],
            lost: vec![],
        }
    }

    pub fn add(&mut self, patient: &str, calls: &[CallSaid]) {
        let (mut this_ever, mut other_ever) = (false, false);
        for one in calls {
            let find = |rule: usize| one.said.iter().find(|s| s.rule == rule);
            let (this, other) = (find(self.pair.0), find(self.pair.1));
            let fires = |said: Option<&Said>| said.is_some_and(Said::fires);
            let unknown = |said: Option<&Said>| said.is_some_and(|s| s.truth == Truth::Unknown);
            self.other_unknown += u64::from(unknown(this) != unknown(other));
            match (fires(this), fires(other)) {
                (true, true) => {
                    self.both += 1;
                    let same = this.map(|s| &s.row.cards) == other.map(|s| &s.row.cards);
                    self.other_cards += u64::from(!same);
                }
                (true, false) => self.only_this += 1,
                (false, true) => self.only_other += 1,
                (false, false) => {}
            }
            this_ever |= fires(this);
            other_ever |= fires(other);
        }
        match (this_ever, other_ever) {
            (true, false) => self.gained.push(patient.to_owned()),
            (false, true) => self.lost.push(patient.to_owned()),
            _ => {}
        }
    }
}
