//! A resource as it is now, as versions that were known from a moment on.
//!
//! **Known from.** The moment it was recorded, where it says so (`recordedDate`, `issued`, `authoredOn`,
//! …: the table of `recorded.rs`); otherwise the clinical time, its end where something is told when it is
//! over. A day without a time is known from its end on: never too early. A month or a year is in the record
//! from its first day on, for it may have been known: a rule finds its date too imprecise, as in a live call,
//! and "not known yet" would be "not done". What has no date at all is taken as known from the start. Each
//! is counted, see [`Dating`].
//!
//! **Taken back.** What happened after: the abatement of a condition and its clinical status, the end of
//! a visit, the end of what has a period and is over now, the status of a request (it was `active` until
//! its end, see `ended.rs`), a death.
//!
//! **Not taken back**, for FHIR does not say when: corrections of values, refuted diagnoses, conditions
//! and allergies that are resolved without a date, diagnoses added to a visit, changes of name or address.
//! Where a status shows it, it is counted as `not_undone`. What was deleted since is not there at all.

mod dating;
mod ended;
mod known;
mod recorded;
mod rewrite;

pub use dating::Dating;
pub use known::instant;
pub(crate) use known::{date, is_imprecise};
pub use rewrite::draft;

use engine_patient::fhir::model::Model;
use engine_patient::record::Element;

use crate::settings::Settings;
use ended::{Ending, ending};
use known::{ALWAYS, Known, known};

/// What was known of a resource from a moment on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Milliseconds from 1970-01-01T00:00Z; [`i64::MIN`] for always.
    pub from: i64,
    /// Its JSON where that is not the resource as it is now.
    pub json: Option<String>,
}

/// The versions of a resource, ascending in time: at most two. `calls`: the moments of all calls, ascending;
/// what is of no call is not made.
pub fn versions(
    ty: &str,
    resource: Element<'_>,
    calls: &[i64],
    settings: &Settings,
    dating: &mut Dating,
) -> [Option<Version>; 2] {
    let whole = |from| Some(Version { from, json: None });
    let shared = Model::r4()
        .resource(ty)
        .is_some_and(|info| info.patient_links.is_empty());
    // The definition of a drug, a site: of no patient, and of no time.
    if shared && ty != "Patient" {
        return [whole(ALWAYS), None];
    }
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
        return [None, None];
    };
    let Known { from, sure } = match ty {
        "Patient" => Known {
            from: ALWAYS,
            sure: ALWAYS,
        },
        _ => known(ty, resource, calls, settings, dating),
    };
    if from > *last {
        return [None, None];
    }
    // A visit of one day, or one moment, goes on when its chart is opened.
    let is_over = |end: i64| end < from || (end == from && ty != "Encounter");
    match ending(ty, resource, sure, calls, settings, dating) {
        Ending::None => [whole(from), None],
        Ending::At(end) | Ending::Assumed(end) if is_over(end) || end < *first => {
            [whole(from), None]
        }
        ending @ (Ending::At(end) | Ending::Assumed(end)) => {
            dating.taken_back += 1;
            dating.assumed_end += u64::from(matches!(ending, Ending::Assumed(_)));
            let json = Some(rewrite::before_end(ty, resource));
            [Some(Version { from, json }), whole(end)]
        }
        Ending::Never => {
            let json = Some(rewrite::before_end(ty, resource));
            [Some(Version { from, json }), None]
        }
    }
}

#[cfg(test)]
mod tests;
