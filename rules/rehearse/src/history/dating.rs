//! How resources were dated, and what was assumed of them.

use serde::{Deserialize, Serialize};

/// How many resources of the patients who had a call were dated how, and what was assumed of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dating {
    /// By the moment they were recorded.
    pub recorded: u64,
    /// By their clinical time.
    pub clinical: u64,
    /// Without any date: taken as known from the start.
    pub undated: u64,
    /// Dated by a month or year in which there was a call: in the record from its first day on, where a rule
    /// judges the date as it does in a live call; or whose end is dated so.
    pub imprecise: u64,
    /// Dated by the day of a call, without a time: known from the end of that day.
    pub day_of_call: u64,
    /// Whose later end, status or death was taken back until it happened: it came after a call.
    pub taken_back: u64,
    /// Requests that are ended now and do not say when: taken to have ended after the assumed days.
    pub assumed_end: u64,
    /// Whose status is of later and has no date: left as it is.
    pub not_undone: u64,
    /// Patients who are dead without a date: alive at each call.
    pub revived: u64,
    /// Requests that nobody signed (drafts, proposals, plans, reported ones): no call.
    pub unsigned: u64,
    /// Requests without a readable `authoredOn`: no call.
    pub undated_orders: u64,
    /// Requests that are dated by a month or year only: no call.
    pub imprecise_orders: u64,
    /// Requests that were entered in error: no call.
    pub orders_in_error: u64,
    /// Requests not to do something (`doNotPerform`): no call.
    pub not_to_do: u64,
    /// Planned or cancelled visits: no call.
    pub no_visit: u64,
    /// Visits without a readable start: no call.
    pub undated_visits: u64,
    /// Visits whose start is a month or year only: no call.
    pub imprecise_visits: u64,
    /// Visits that were entered in error: no call.
    pub visits_in_error: u64,
    /// Visits and requests that are dated by a day without a time: called at its end.
    pub at_day_end: u64,
}

impl Dating {
    /// Adds another patient's.
    pub fn add(&mut self, other: &Dating) {
        let pairs = [
            (&mut self.recorded, other.recorded),
            (&mut self.clinical, other.clinical),
            (&mut self.undated, other.undated),
            (&mut self.imprecise, other.imprecise),
            (&mut self.day_of_call, other.day_of_call),
            (&mut self.taken_back, other.taken_back),
            (&mut self.assumed_end, other.assumed_end),
            (&mut self.not_undone, other.not_undone),
            (&mut self.revived, other.revived),
            (&mut self.unsigned, other.unsigned),
            (&mut self.undated_orders, other.undated_orders),
            (&mut self.imprecise_orders, other.imprecise_orders),
            (&mut self.orders_in_error, other.orders_in_error),
            (&mut self.not_to_do, other.not_to_do),
            (&mut self.no_visit, other.no_visit),
            (&mut self.undated_visits, other.undated_visits),
            (&mut self.imprecise_visits, other.imprecise_visits),
            (&mut self.visits_in_error, other.visits_in_error),
            (&mut self.at_day_end, other.at_day_end),
        ];
        for (own, more) in pairs {
            *own += more;
        }
    }
}
