//! What was done, by its status.

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::Role;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[FunctionInfo {
    name: "isFinal",
    params: &[P::Element("Observation")],
    returns: R::Bool,
    code: is_final,
    role: Role::IsFinal,
    doc: "Whether an Observation's status is final, amended or corrected. Unknown without a status.",
    example: "Observation(\"hba1c\").filter(o, isFinal(o)).size() > 0",
    ..PLAIN
}];

fn is_final<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(observation)] = call.args else {
        return call.other_kind();
    };
    match observation.get_named("status") {
        Some(status) if status.as_str().is_none() => {
            Val::unknown("`Observation.status` cannot be read")
        }
        Some(status) => {
            let mut done = ["final", "amended", "corrected"].iter();
            Val::Bool(done.any(|s| status.is_str(s)))
        }
        None => Val::unknown("`Observation.status` is missing"),
    }
}
