//! What another version of a rule would have said instead.

use engine_patient::system::truth::Truth;

use super::said::{CallSaid, Said};

/// Two versions of a rule over the same calls.
#[derive(Debug)]
pub(crate) struct DifferenceTally {
    /// Number of the rule, and of the version it is compared with.
    pub pair: (usize, usize),
    /// Calls at which both had a card, whether that says that the rule applies or that it could not be checked.
    pub both: u64,
    /// Of these: with other cards.
    pub other_cards: u64,
    pub only_this: u64,
    pub only_other: u64,
    /// Calls at which one could not tell, and the other could.
    pub other_unknown: u64,
    /// Patients for whom this one had a card and the other never.
    pub patients_only_this: Vec<String>,
    pub patients_only_other: Vec<String>,
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
            patients_only_this: vec![],
            patients_only_other: vec![],
        }
    }

    pub fn add(&mut self, patient: &str, calls: &[CallSaid]) {
        let (mut this_ever, mut other_ever) = (false, false);
        for one in calls {
            let find = |rule: usize| one.said.iter().find(|s| s.rule == rule);
            let (this, other) = (find(self.pair.0), find(self.pair.1));
            let shows = |said: Option<&Said>| said.is_some_and(|s| !s.row.cards.is_empty());
            let unknown = |said: Option<&Said>| said.is_some_and(|s| s.truth == Truth::Unknown);
            self.other_unknown += u64::from(unknown(this) != unknown(other));
            match (shows(this), shows(other)) {
                (true, true) => {
                    self.both += 1;
                    let same = this.map(|s| &s.row.cards) == other.map(|s| &s.row.cards);
                    self.other_cards += u64::from(!same);
                }
                (true, false) => self.only_this += 1,
                (false, true) => self.only_other += 1,
                (false, false) => {}
            }
            this_ever |= shows(this);
            other_ever |= shows(other);
        }
        match (this_ever, other_ever) {
            (true, false) => self.patients_only_this.push(patient.to_owned()),
            (false, true) => self.patients_only_other.push(patient.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{CallRow, SaidRow};

    fn said(rule: usize, truth: Truth, summary: &str) -> Said {
        let row = SaidRow {
            cards: vec![("info".into(), summary.into())],
            could_not_check: truth == Truth::Unknown,
            ..SaidRow::default()
        };
        Said {
            rule,
            truth,
            row,
            reason: None,
        }
    }

    /// A card that says that something could not be checked interrupts as well.
    #[test]
    fn cards_of_what_could_not_be_checked_are_compared() {
        let call = |number: u32, said: Vec<Said>| CallSaid {
            number,
            call: CallRow::default(),
            said,
        };
        let unknown = |rule| said(rule, Truth::Unknown, "could not be checked");
        let mut tally = DifferenceTally::new((0, 1));
        tally.add("a", &[call(1, vec![unknown(0)])]);
        let applies = said(1, Truth::True, "applies");
        tally.add("b", &[call(1, vec![unknown(0), applies])]);
        tally.add("c", &[call(1, vec![unknown(0), unknown(1)])]);
        tally.add("d", &[call(1, vec![unknown(1)])]);
        let counts = (tally.both, tally.other_cards);
        assert_eq!(counts, (2, 1));
        assert_eq!((tally.only_this, tally.only_other), (1, 1));
        assert_eq!(tally.patients_only_this, ["a"]);
        assert_eq!(tally.patients_only_other, ["d"]);
    }
}
