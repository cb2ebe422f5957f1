//! Conditions: those that go on, those that ever were.

use engine_patient::fhir::clinical_time::{ClinicalTime, clinical_time};
use engine_patient::now::{Begun, Now};
use engine_patient::record::Element;
use engine_patient::requirements::is_entered_in_error;
use engine_patient::system::day_rule::is_after;

use super::call::Call;
use super::filters::filters;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "active",
        params: &[P::OneOrMany(&["Condition"])],
        returns: R::Filtered,
        code: active,
        role: Role::Filter,
        doc: "Of a list of Conditions those that go on at the moment of evaluation, of one whether it does: \
         clinical status active, recurrence or relapse, no abatement at or before that moment (a day counts \
         as over), not refuted, and no onset after it (a day counts as begun; in a call an onset less than 15 \
         minutes ahead, too, and one that is later is unknown). With an abatement after that \
         moment it goes on, whatever its status has become since. Unknown without a clinical status and \
         without an abatement; a Condition without an onset has begun.",
        example: "Condition(\"diabetes\").active().exists()",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "ever",
        params: &[P::OneOrMany(&["Condition"])],
        returns: R::Filtered,
        code: ever,
        role: Role::Filter,
        doc: "Of a list of Conditions those that the patient has or had, of one whether it is such: not \
         refuted, not entered in error, and no onset after the moment of evaluation. One without an onset, \
         or with one too imprecise, has begun.",
        example: "Condition(\"diabetes\").ever().exists()",
        gives: "true",
        ..PLAIN
    },
];

fn active<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| match value {
        Val::Element(condition) => goes_on(*condition, call.now()),
        _ => call.other_kind(),
    })
}

fn ever<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| match value {
        Val::Element(condition) => {
            let time = clinical_time("Condition", *condition);
            match (is_ruled_out(*condition), begun(time, call.now())) {
                (true, _) | (_, Begun::NotYet) => Val::Bool(false),
                (false, Begun::Yes) => Val::Bool(true),
                (false, Begun::Ahead) => Val::unknown(AHEAD),
            }
        }
        _ => call.other_kind(),
    })
}

fn is_ruled_out(condition: Element<'_>) -> bool {
    is_entered_in_error(condition) || status_is(condition, "verificationStatus", &["refuted"])
}

const AHEAD: &str = "`Condition.onset` lies in the future";

/// Whether it has begun, as far as is known: it is recorded, after all.
fn begun(time: ClinicalTime, now: Now<'_>) -> Begun {
    time.start.map_or(Begun::Yes, |start| now.begun(start))
}

/// Whether a Condition goes on at this moment.
fn goes_on<'r>(condition: Element<'_>, now: Now<'_>) -> Val<'r> {
    if is_ruled_out(condition) {
        return Val::Bool(false);
    }
    let time = clinical_time("Condition", condition);
    let begun = begun(time, now);
    if begun == Begun::NotYet {
        return Val::Bool(false);
    }
    let goes_on = |value: Val<'r>| match (begun, &value) {
        (Begun::Ahead, Val::Bool(true)) => Val::unknown(AHEAD),
        _ => value,
    };
    // The status is of when the resource was written, the abatement says when: it may be later than `at`.
    match time.end.map(|end| is_after(end, now.at, now.zone)) {
        Some(Some(later)) => return goes_on(Val::Bool(later)),
        Some(None) => return Val::unknown("`Condition.abatement` is too imprecise"),
        None => {}
    }
    if status_is(
        condition,
        "clinicalStatus",
        &["inactive", "remission", "resolved"],
    ) {
        return Val::Bool(false);
    }
    if let Some(element) = time.unreadable_end {
        return Val::Unknown(format!("`Condition.{element}` cannot be read").into());
    }
    if status_is(
        condition,
        "clinicalStatus",
        &["active", "recurrence", "relapse"],
    ) {
        return goes_on(Val::Bool(true));
    }
    Val::unknown("`Condition.clinicalStatus` is missing")
}

fn status_is(resource: Element<'_>, element: &str, codes: &[&str]) -> bool {
    let codings = resource.path(&[element, "coding"]);
    codings.is_some_and(|all| {
        let mut all = all.items().filter_map(|c| c.get_named("code"));
        all.any(|code| codes.iter().any(|wanted| code.is_str(wanted)))
    })
}
