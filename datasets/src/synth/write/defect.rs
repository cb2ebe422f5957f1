//! The defects of dirty data. A resource has at most one; which one is drawn from a stream of its
//! own, so that the clean resources are the same whatever the share of dirty ones.

use super::super::codes::Coded;
use super::super::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Defect {
    /// `code.text` only
    CodeMissing,
    /// local code system in place of the standard one
    CodeLocal,
    UnitMissing,
    /// `percent`, `mmHg`, or HbA1c in mmol/mol with the value converted
    UnitOdd,
    ValueMissing,
    /// no value, but a `dataAbsentReason`
    ValueAbsentReason,
    ValueAsString,
    EnteredInError,
    /// the same line twice
    DuplicateExact,
    /// the same id twice; the changed copy is the older one
    DuplicateOlder,
    /// the same id twice; the changed copy is the newer one
    DuplicateNewer,
    DateYear,
    DateMonth,
    DateMissing,
    /// points to a patient that does not exist
    SubjectGhost,
    /// points to the patient by an absolute URL
    SubjectAbsolute,
    ExtensionUnknown,
}

use Defect::*;

/// Applicable defects by kind of resource.
pub(in super::super) static FOR_QUANTITY: [Defect; 17] = [
    CodeMissing,
    CodeLocal,
    UnitMissing,
    UnitOdd,
    ValueMissing,
    ValueAbsentReason,
    ValueAsString,
    EnteredInError,
    DuplicateExact,
    DuplicateOlder,
    DuplicateNewer,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
pub(in super::super) static FOR_PRESSURE: [Defect; 13] = [
    CodeMissing,
    CodeLocal,
    UnitMissing,
    UnitOdd,
    EnteredInError,
    DuplicateExact,
    DuplicateNewer,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
pub(in super::super) static FOR_FINDING: [Defect; 13] = [
    CodeMissing,
    CodeLocal,
    ValueMissing,
    ValueAbsentReason,
    ValueAsString,
    EnteredInError,
    DuplicateExact,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
/// Condition and MedicationRequest, whose changed copy differs in status.
pub(in super::super) static FOR_STATEMENT: [Defect; 12] = [
    CodeMissing,
    CodeLocal,
    EnteredInError,
    DuplicateExact,
    DuplicateOlder,
    DuplicateNewer,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
pub(in super::super) static FOR_EVENT: [Defect; 10] = [
    CodeMissing,
    CodeLocal,
    EnteredInError,
    DuplicateExact,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
/// Encounter: its main code is the required class, which stays.
pub(in super::super) static FOR_VISIT: [Defect; 8] = [
    EnteredInError,
    DuplicateExact,
    DateYear,
    DateMonth,
    DateMissing,
    SubjectGhost,
    SubjectAbsolute,
    ExtensionUnknown,
];
pub(in super::super) static FOR_PATIENT: [Defect; 5] = [
    DuplicateExact,
    DateYear,
    DateMonth,
    DateMissing,
    ExtensionUnknown,
];

/// The defects of `applicable` that show on a resource with this main code: one that is text only
/// has no coding to lose. (The two code defects stand first in every list that has them.)
pub(in super::super) fn for_code(applicable: &'static [Defect], code: Coded) -> &'static [Defect] {
    match applicable {
        [CodeMissing, CodeLocal, rest @ ..] if code.code.is_empty() => rest,
        all => all,
    }
}

/// Draws the defect of the next resource. The number of draws does not depend on the outcome.
pub(in super::super) fn draw(rng: &mut Rng, share: f64, applicable: &[Defect]) -> Option<Defect> {
    if share <= 0.0 {
        return None;
    }
    let dirty = rng.chance(share);
    let chosen = rng.pick(applicable).copied();
    if dirty { chosen } else { None }
}
