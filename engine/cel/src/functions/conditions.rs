//! Conditions.

use std::cmp::Ordering;

use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::record::Element;
use engine_patient::requirements::is_entered_in_error;
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[FunctionInfo {
    name: "active",
    params: &[P::Element("Condition")],
    returns: R::Bool,
    code: active,
    doc: "Whether a Condition goes on: clinical status active, recurrence or relapse, no abatement at \
         or before the moment of evaluation, not refuted. Unknown without a clinical status and \
         without an abatement.",
    example: "Condition(\"diabetes\").exists(c, active(c) && start(c) <= at)",
    ..PLAIN
}];

fn active<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Element(condition)] => goes_on(*condition, call.at(), call.zone()),
        _ => call.other_kind(),
    }
}

/// Whether a Condition goes on at this moment.
fn goes_on<'r>(condition: Element<'_>, at: DateTime, zone: &Zone) -> Val<'r> {
    if is_entered_in_error(condition) || status_is(condition, "verificationStatus", &["refuted"]) {
        return Val::Bool(false);
    }
    if status_is(
        condition,
        "clinicalStatus",
        &["inactive", "remission", "resolved"],
    ) {
        return Val::Bool(false);
    }
    let time = clinical_time("Condition", condition);
    if let Some(element) = time.unreadable_end {
        return Val::Unknown(format!("`Condition.{element}` cannot be read").into());
    }
    match time.end.map(|end| compare(end, at, None, zone)) {
        Some(Some(Ordering::Less | Ordering::Equal)) => return Val::Bool(false),
        Some(None) => return Val::unknown("`Condition.abatement` is too imprecise"),
        _ => {}
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
