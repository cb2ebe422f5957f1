//! What the rate of a proportion could be: every patient (or resource) of whom something could not be
//! told is counted as it would lower the rate most, and as it would raise it most.
//!
//! A member can stand in three ways: not at all (0 of 0), missed (0 of 1), met (1 of 1). Since a rate
//! is between 0 and 1, the choice that is best for it is best for every one alone: met, or else not
//! at all, raises it most; missed, or else not at all, lowers it most. So no search is needed.
//!
//! *Invariant:* the rate lies within the bounds whatever the unknown turns out to be. They are
//! reached, except by members of whom even the denominator could not be told, or a numerator that has
//! an exclusion: rows do not tell what those would be counted as within it.

use engine_patient::program::PopulationIndex;
use engine_patient::system::truth::Truth;

use crate::package::{GroupDefinition, PopulationCode as Code, Scoring};

/// The extremes, as numerator and denominator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateBounds {
    low: (u64, u64),
    high: (u64, u64),
    /// Some resources could not even be named, so that there is no upper end to how many they are.
    open: bool,
    /// Something could not be told at all.
    uncertain: bool,
}

/// A member's state in a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// What is certain.
    pub(crate) outcome: Truth,
    /// What is counted.
    pub(crate) counted: bool,
}

impl Default for State {
    fn default() -> Self {
        State {
            outcome: Truth::False,
            counted: false,
        }
    }
}

/// Where the populations of a proportion stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positions {
    denominator: PopulationIndex,
    numerator: PopulationIndex,
    exclusion: Option<PopulationIndex>,
    exception: Option<PopulationIndex>,
    numerator_exclusion: Option<PopulationIndex>,
}

impl Positions {
    /// `None` where the group is no proportion.
    pub(crate) fn of(group: &GroupDefinition) -> Option<Positions> {
        if group.scoring != Scoring::Proportion {
            return None;
        }
        Some(Positions {
            denominator: group.position(Code::Denominator)?,
            numerator: group.position(Code::Numerator)?,
            exclusion: group.position(Code::DenominatorExclusion),
            exception: group.position(Code::DenominatorException),
            numerator_exclusion: group.position(Code::NumeratorExclusion),
        })
    }
}

impl RateBounds {
    /// One patient, or one resource: its states in the group's populations.
    pub(crate) fn add(&mut self, at: Positions, states: impl Fn(PopulationIndex) -> State) {
        let state = |at: Option<PopulationIndex>| at.map(&states).unwrap_or_default();
        let (d, n) = (states(at.denominator), states(at.numerator));
        let (x, e) = (state(at.exclusion), state(at.exception));
        let nx = state(at.numerator_exclusion);
        let can = |s: State| s.outcome != Truth::False;
        let must = |s: State| s.outcome == Truth::True;
        let uncertain = [d, n, x, e, nx].iter().any(|s| s.outcome == Truth::Unknown);
        // What is counted although unknown holds unless something takes the member out altogether; or
        // it is in doubt itself, which shows where all that it is gated by is certain.
        let sure = |gates: &[State]| gates.iter().all(|s| s.outcome != Truth::Unknown);
        let holds = |s: State, gates: &[State]| must(s) || (s.counted && !sure(gates));
        let (x_holds, n_holds) = (holds(x, &[d]), holds(n, &[d, x]));
        let (nx_holds, e_holds) = (holds(nx, &[d, x, n]), holds(e, &[d, x, n]));
        let met = can(n) && !nx_holds;
        let not_met = !n_holds || can(nx);
        let missed = can(d) && !x_holds && !e_holds && not_met;
        let gone = !must(d) || can(x) || can(e);
        self.uncertain |= uncertain;
        let (low, high) = match (met, missed, gone) {
            (true, false, false) => ((1, 1), (1, 1)),
            (true, false, true) => ((0, 0), (1, 1)),
            (true, true, _) => ((0, 1), (1, 1)),
            (false, true, false) => ((0, 1), (0, 1)),
            (false, true, true) => ((0, 1), (0, 0)),
            (false, false, _) => ((0, 0), (0, 0)),
        };
        self.low = (self.low.0 + low.0, self.low.1 + low.1);
        self.high = (self.high.0 + high.0, self.high.1 + high.1);
    }

    /// Resources of whom nothing is known, not even how many.
    pub(crate) fn leave_open(&mut self) {
        self.open = true;
    }

    /// The lowest and the highest rate, where something is uncertain and both are rates.
    pub(crate) fn rates(&self) -> Option<(f64, f64)> {
        match self.extent() {
            Some(Extent::Rates(low, high)) => Some((low, high)),
            _ => None,
        }
    }

    /// What the rate could be; nothing where all is certain.
    pub(crate) fn extent(&self) -> Option<Extent> {
        if self.open {
            return Some(Extent::Open);
        }
        if !self.uncertain {
            return None;
        }
        let rate = |(n, d): (u64, u64)| (d > 0).then(|| ratio(n, d));
        Some(match (rate(self.low), rate(self.high)) {
            (Some(low), Some(high)) => Extent::Rates(low, high),
            (Some(rate), None) | (None, Some(rate)) => Extent::RateOrNone(rate),
            (None, None) => Extent::NoRate,
        })
    }
}

/// What a rate could be if all were known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Extent {
    /// The lowest and the highest.
    Rates(f64, f64),
    /// This one, or nobody is in the denominator.
    RateOrNone(f64),
    /// Nobody is in the denominator, whatever the unknown is.
    NoRate,
    /// It has no end: how many resources there are is not known.
    Open,
}

/// The nearest double.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people are far below 2^53"
)]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Positions {
        Positions {
            denominator: PopulationIndex::new(0),
            numerator: PopulationIndex::new(1),
            exclusion: Some(PopulationIndex::new(2)),
            exception: None,
            numerator_exclusion: None,
        }
    }

    fn bounds(denominator: State, numerator: State, exclusion: State) -> Option<(f64, f64)> {
        let mut bounds = RateBounds::default();
        // One who is met for certain, so that there is a rate.
        for states in [[YES, YES, NO], [denominator, numerator, exclusion]] {
            bounds.add(at(), |at| states[at.position()]);
        }
        bounds.rates()
    }

    const YES: State = State {
        outcome: Truth::True,
        counted: true,
    };
    const NO: State = State {
        outcome: Truth::False,
        counted: false,
    };
    const COUNTED: State = State {
        outcome: Truth::Unknown,
        counted: true,
    };
    const OPEN: State = State {
        outcome: Truth::Unknown,
        counted: false,
    };

    /// `not exists` of a value set that is not here is counted, and might be either.
    #[test]
    fn what_is_counted_and_in_doubt_itself_might_not_hold() {
        assert_eq!(bounds(YES, COUNTED, NO), Some((0.5, 1.0)));
        // Excluded, perhaps not; and whether the numerator holds then cannot be told.
        assert_eq!(bounds(YES, OPEN, COUNTED), Some((0.5, 1.0)));
        assert_eq!(bounds(YES, NO, COUNTED), Some((0.5, 1.0)));
    }

    /// Whoever might be in the denominator misses the numerator: a rate of 0, or of nobody.
    #[test]
    fn a_rate_may_have_one_value_or_none() {
        let mut one = RateBounds::default();
        one.add(at(), |at| [OPEN, NO, NO][at.position()]);
        assert_eq!(one.extent(), Some(Extent::RateOrNone(0.0)));
        assert_eq!(one.rates(), None);
        one.leave_open();
        assert_eq!(one.extent(), Some(Extent::Open));
        let mut certain = RateBounds::default();
        certain.add(at(), |at| [YES, NO, NO][at.position()]);
        assert_eq!(certain.extent(), None);
        let mut nobody = RateBounds::default();
        nobody.add(at(), |at| [OPEN, NO, YES][at.position()]);
        assert_eq!(nobody.extent(), Some(Extent::NoRate));
    }

    /// What is unknown for its gate alone is met, or out altogether.
    #[test]
    fn what_is_counted_beside_an_unknown_exclusion_holds_or_is_out() {
        assert_eq!(bounds(YES, COUNTED, OPEN), Some((1.0, 1.0)));
        assert_eq!(bounds(YES, YES, NO), None);
    }
}
