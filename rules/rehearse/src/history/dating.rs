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
    /// Visits without a readable start, planned or cancelled ones: no call.
    pub no_visit: u64,
}

impl Dating {
    /// Adds another patient's.
    pub fn add(&mut self, other: &Dating) {
        let pairs = [
            (&mut self.recorded, other.recorded),
            (&mut self.clinical, other.clinical),
            (&mut self.undated, other.undated),
            (&mut self.taken_back, other.taken_back),
            (&mut self.assumed_end, other.assumed_end),
            (&mut self.not_undone, other.not_undone),
            (&mut self.revived, other.revived),
            (&mut self.unsigned, other.unsigned),
            (&mut self.undated_orders, other.undated_orders),
            (&mut self.no_visit, other.no_visit),
        ];
        for (own, more) in pairs {
            *own += more;
        }
    }
}
