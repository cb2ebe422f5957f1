//! Conditions: those that go on, those that ever were.

use engine_patient::fhir::clinical_time::{ClinicalTime, clinical_time};
use engine_patient::record::Element;
use engine_patient::requirements::is_entered_in_error;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::day_rule::is_after;
use engine_patient::system::zone::Zone;

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
         as over), not refuted, and no onset after it (a day counts as begun). With an abatement after that \
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
        Val::Element(condition) => goes_on(*condition, call.at(), call.zone()),
        _ => call.other_kind(),
    })
}

fn ever<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    filters(call, |value| match value {
        Val::Element(condition) => {
            let time = clinical_time("Condition", *condition);
            let told = !is_ruled_out(*condition) && has_begun(time, call.at(), call.zone());
            Val::Bool(told)
        }
        _ => call.other_kind(),
    })
}

fn is_ruled_out(condition: Element<'_>) -> bool {
    is_entered_in_error(condition) || status_is(condition, "verificationStatus", &["refuted"])
}

/// Whether it has begun, as far as is known: it is recorded, after all.
fn has_begun(time: ClinicalTime, at: DateTime, zone: &Zone) -> bool {
    time.start.and_then(|start| is_after(start, at, zone)) != Some(true)
}

/// Whether a Condition goes on at this moment.
fn goes_on<'r>(condition: Element<'_>, at: DateTime, zone: &Zone) -> Val<'r> {
    if is_ruled_out(condition) {
        return Val::Bool(false);
    }
    let time = clinical_time("Condition", condition);
    if !has_begun(time, at, zone) {
        return Val::Bool(false);
    }
    // The status is of when the resource was written, the abatement says when: it may be later than `at`.
    match time.end.map(|end| is_after(end, at, zone)) {
        Some(Some(goes_on)) => return Val::Bool(goes_on),
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
        return Val::Bool(true);
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
