//! When what is over now has ended: until then it was not.

use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::record::Element;
use engine_patient::system::date_time::DateTime;

use super::dating::Dating;
use super::known::{ALWAYS, date, has_call, instant, possible};
use crate::settings::{DAY, Settings};

/// What is to be taken back of a resource.
pub(super) enum Ending {
    /// Nothing.
    None,
    /// Until this moment.
    At(i64),
    /// Until this moment, which nobody recorded.
    Assumed(i64),
    /// At every call.
    Never,
}

/// The statuses that say "over", and the one before, by type. `Condition` and `Patient` have none.
pub(super) const STATUSES: &[(&str, &[&str], &str)] = &[
    ("CarePlan", &["completed", "revoked"], "active"),
    ("CareTeam", &["inactive"], "active"),
    ("Encounter", &["finished"], "in-progress"),
    ("EpisodeOfCare", &["finished"], "active"),
    ("Flag", &["inactive"], "active"),
    (
        "MedicationRequest",
        &["cancelled", "completed", "stopped"],
        "active",
    ),
    ("MedicationStatement", &["completed", "stopped"], "active"),
    ("ServiceRequest", &["completed", "revoked"], "active"),
];

/// Codes of `clinicalStatus` that are not of the beginning.
const INACTIVE: &[&str] = &["inactive", "remission", "resolved"];

/// Statuses of whatever type that a resource comes to later, and whose date no element has: they stay.
const LATER: &[&str] = &[
    "abandoned",
    "amended",
    "appended",
    "cancelled",
    "corrected",
    "not-taken",
    "on-hold",
    "onhold",
    "onleave",
    "revoked",
    "stopped",
    "suspended",
];

/// `from`: since when the resource is known for sure.
pub(super) fn ending(
    ty: &str,
    resource: Element<'_>,
    from: i64,
    calls: &[i64],
    settings: &Settings,
    dating: &mut Dating,
) -> Ending {
    // A rule judges an abatement or a death that is a month or a year by itself: it stays from then on.
    let dated = |at: DateTime, dating: &mut Dating| {
        let from = possible(at, &settings.zone);
        let is_open = has_call(calls, (from, instant(at, &settings.zone)));
        dating.imprecise += u64::from(is_open);
        Ending::At(from)
    };
    match ty {
        "Patient" => {
            return match date(resource, "deceasedDateTime") {
                Some(at) => dated(at, dating),
                None => death(resource, dating),
            };
        }
        "Condition" => {
            if is_refuted(resource) {
                dating.not_undone += 1;
                return Ending::None;
            }
            if let Some(end) = clinical_time(ty, resource).end {
                return dated(end, dating);
            }
            dating.not_undone += u64::from(is_inactive(resource));
            return Ending::None;
        }
        "AllergyIntolerance" => {
            let is_later = is_inactive(resource) || is_refuted(resource);
            dating.not_undone += u64::from(is_later);
            return Ending::None;
        }
        _ => {}
    }
    let status = resource.get_str("status").unwrap_or_default();
    let mut all = STATUSES.iter().filter(|(t, ..)| *t == ty);
    if !all.any(|(_, over, _)| over.contains(&&*status)) {
        dating.not_undone += u64::from(LATER.contains(&&*status));
        return Ending::None;
    }
    let found = match ty {
        "MedicationRequest" => supply_end(resource, from, settings),
        "ServiceRequest" => None,
        _ => clinical_time(ty, resource)
            .end
            .map(|end| instant(end, &settings.zone)),
    };
    if let Some(end) = found {
        return Ending::At(end);
    }
    // Requests end some time after they are made; of others nothing is known.
    if matches!(ty, "MedicationRequest" | "ServiceRequest") && from != ALWAYS {
        return Ending::Assumed(from.saturating_add(i64::from(settings.assumed_days) * DAY));
    }
    dating.not_undone += 1;
    Ending::None
}

/// Who had a call was alive: a death without a date is taken back at every call.
fn death(patient: Element<'_>, dating: &mut Dating) -> Ending {
    let dead = patient.get_named("deceasedBoolean");
    if dead.and_then(Element::as_bool) == Some(true) {
        dating.revived += 1;
        return Ending::Never;
    }
    Ending::None
}

fn is_inactive(resource: Element<'_>) -> bool {
    has_code(resource, "clinicalStatus", INACTIVE)
}

/// It was thought to be so before; since when it is not, no element says.
fn is_refuted(resource: Element<'_>) -> bool {
    has_code(resource, "verificationStatus", &["refuted"])
}

fn has_code(resource: Element<'_>, name: &str, wanted: &[&str]) -> bool {
    let codings = resource.path(&[name, "coding"]);
    codings.is_some_and(|codings| {
        let mut codes = codings.items().filter_map(|c| c.get_str("code"));
        codes.any(|code| wanted.contains(&&*code))
    })
}

/// When the supply of a prescription ends: the end of its validity, of its last dosage, or of what is
/// handed out with all its refills.
fn supply_end(request: Element<'_>, from: i64, settings: &Settings) -> Option<i64> {
    let dispense = request.get_named("dispenseRequest");
    let validity = dispense.and_then(|d| d.get_named("validityPeriod"));
    let at = |period: Element<'_>| Some(instant(date(period, "end")?, &settings.zone));
    if let Some(end) = validity.and_then(at) {
        return Some(end);
    }
    let dosages = request.get_named("dosageInstruction");
    let repeats = dosages.into_iter().flat_map(Element::items);
    let repeats = repeats.filter_map(|d| d.path(&["timing", "repeat"]));
    let bounds = repeats.filter_map(|repeat| {
        let period = repeat.get_named("boundsPeriod").and_then(at);
        let duration = || millis(repeat.get_named("boundsDuration")?);
        period.or_else(|| Some(from.saturating_add(duration()?)))
    });
    if let Some(end) = bounds.max() {
        return Some(end);
    }
    let dispense = dispense?;
    let once = millis(dispense.get_named("expectedSupplyDuration")?)?;
    let refills = dispense.get_named("numberOfRepeatsAllowed");
    let refills = refills.and_then(Element::as_i64).unwrap_or(0).clamp(0, 99);
    Some(from.saturating_add(once.saturating_mul(refills + 1)))
}

/// A duration in UCUM units of time, as whole milliseconds.
fn millis(duration: Element<'_>) -> Option<i64> {
    let value = duration.get_named("value")?.as_f64()?;
    let unit = duration
        .get_str("code")
        .or_else(|| duration.get_str("unit"))?;
    let of_unit = match &*unit {
        "s" | "second" | "seconds" => 1000.0,
        "min" | "minute" | "minutes" => 60_000.0,
        "h" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        "wk" | "week" | "weeks" => 604_800_000.0,
        "mo" | "month" | "months" => 2_629_800_000.0,
        "a" | "year" | "years" => 31_557_600_000.0,
        _ => return None,
    };
    let millis = value * of_unit;
    // A century is more than any prescription lasts.
    let plausible = (0.0..=3_155_760_000_000.0).contains(&millis);
    #[expect(clippy::cast_possible_truncation, reason = "within bounds, see above")]
    plausible.then_some(millis as i64)
}
