//! What an evaluation is told from outside: nothing of it is read from the machine.

use std::sync::Arc;

use crate::hook_call::HookCall;
use crate::now::{Ahead, Now};
use crate::outcomes_seen::OutcomesSeen;
use crate::system::date_time::DateTime;
use crate::system::zone::Zone;

/// The moment an evaluation is for, and how to read what the data leaves open.
#[derive(Clone, Debug)]
pub struct EvaluationContext {
    /// CQL `Now()`: the moment of the encounter, or the end of a measurement period.
    pub at: DateTime,
    /// Where dates, and date-times without an offset, are taken to be. Printed on reports.
    pub zone: Zone,
    /// How what is dated after that moment is taken.
    pub ahead: Ahead,
    /// Measurement period, both ends inclusive, where there is one.
    pub period: Option<(DateTime, DateTime)>,
    /// The call of a hook, where there is one: its drafts, its user.
    pub call: Option<Arc<HookCall>>,
    /// Notes which outcomes conditions have, where that is asked: while the tests of a definition run.
    pub outcomes_seen: Option<Arc<OutcomesSeen>>,
}

impl EvaluationContext {
    /// For one moment, at which the data is all there is: see [`Ahead::CALL`]. Its own offset is the zone, UTC where it has none.
    pub fn at(at: DateTime) -> Self {
        let zone = Zone::fixed(at.offset().unwrap_or(0));
        EvaluationContext {
            at,
            zone,
            ahead: Ahead::CALL,
            period: None,
            call: None,
            outcomes_seen: None,
        }
    }

    /// For a measurement period of whole days, evaluated at its end. Each end has the offset of its own
    /// moment.
    pub fn for_period(start: DateTime, end: DateTime, zone: Zone) -> Self {
        let at = zone.moment(end.latest(&zone));
        let start = zone.moment(start.earliest(&zone));
        EvaluationContext {
            at,
            zone,
            ahead: Ahead::PAST,
            period: Some((start, at)),
            call: None,
            outcomes_seen: None,
        }
    }

    /// What is dated after its moment is taken so.
    pub fn with_ahead(mut self, ahead: Ahead) -> Self {
        self.ahead = ahead;
        self
    }

    /// Its moment, for what is judged at it.
    pub fn now(&self) -> Now<'_> {
        Now {
            at: self.at,
            zone: &self.zone,
            ahead: self.ahead,
        }
    }

    /// For a call of a hook.
    pub fn with_call(mut self, call: Arc<HookCall>) -> Self {
        self.call = Some(call);
        self
    }

    /// For a look at which outcomes conditions have.
    pub fn noting(mut self, outcomes: Arc<OutcomesSeen>) -> Self {
        self.outcomes_seen = Some(outcomes);
        self
    }
}
