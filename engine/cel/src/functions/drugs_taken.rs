//! Lists of medications and allergies, as of the moment of evaluation.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::medication::{
    Reason, candidates, is_current, is_taken, taken_since, was_taken,
};
use engine_patient::now::Now;
use engine_patient::record::Element;
use engine_patient::requirements::is_entered_in_error;
use engine_patient::system::date_arithmetic::plus_in;

use super::call::Call;
use super::drugs::held;
use super::drugs_known::Gathered;
use super::filters::filters;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::Role;
use super::row::{FunctionInfo, PLAIN};
use crate::lack::Lack;
use crate::value::Val;

const REQUEST: &str = "MedicationRequest";
const STATEMENT: &str = "MedicationStatement";
const ALLERGY: &str = "AllergyIntolerance";
/// What the lists of medications read: a code may stand in a Medication.
const MEDICATIONS: Role = Role::Reads(&[REQUEST, STATEMENT, "Medication"]);

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "allergies",
        params: &[],
        returns: R::ListOf(ALLERGY),
        code: allergies,
        role: Role::Reads(&[ALLERGY]),
        doc: "The allergies and intolerances that stand: clinically active, neither refuted nor entered in \
         error, not dated later than the moment of evaluation (in a call by more than 15 minutes: then it may be in it or not). One without a clinical status may be in it \
         or not: what it would decide is unknown.",
        example: "allergies().exists(a, a.criticality == \"high\")",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "isAllergen",
        params: &[P::AllergyOrMany, P::Drugs],
        returns: R::Filtered,
        code: is_allergen,
        role: Role::Filter,
        doc: "Of a list those, of one AllergyIntolerance whether it is one, that are to these drugs, by the \
         codes of what it is to (RxNorm, NDC, or those of a table given with `--drugs`) and of the substances of its \
         reactions; drugs as in `isDrug`. Where no code is known, by what it is called, if all its names are of \
         ingredients or classes and nothing else: `Penicillin`, `Allergy to amoxicillin (finding)`. Of a class the \
         known members count; of any other drug it is unknown, as no list of a class is complete. False where its \
         only categories are food or environment, or it says that no allergies are known, by its code or its whole \
         text. Otherwise unknown: beside it ask `inValueSet(a.code, \"set\")` for those in SNOMED CT.",
        example: "allergies().exists(a, isAllergen(a, \"penicillin V|amoxicillin\"))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "medications",
        params: &[],
        returns: R::ListOf("Resource"),
        code: medications,
        role: MEDICATIONS,
        doc: "What the patient takes at the moment of evaluation: active MedicationRequests that order or plan (no \
         proposal or option, not `doNotPerform`), written by then and not over, by the end of all \
         dosages (`timing.repeat.boundsPeriod`); and MedicationStatements that are active or intended, \
         begun and not over, or completed and over later. A day counts whole; of a month or year the first day. In a \
         call what is dated less than 15 minutes ahead counts, what is dated later may be in it or not. Without the requests that a \
         draft of the call changes (of the same id) or replaces (`priorPrescription`). One of which it cannot be told may be in it or not: what it would \
         decide is unknown.",
        example: "medications().isDrug(\"warfarin\").size() > 0",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "medicationsEver",
        params: &[],
        returns: R::ListOf("Resource"),
        code: medications_ever,
        role: MEDICATIONS,
        doc: "What the patient took at any time up to the moment of evaluation, as far as requests that \
         order or plan (active, on hold, completed or stopped) and statements (the same, not `not-taken`) tell.",
        example: "medicationsEver().exists(m, inDrugClass(m, \"maoi\"))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "takenInLast",
        params: &[P::OneOrMany(TAKEN), P::Duration],
        returns: R::Filtered,
        code: taken_in_last,
        role: Role::Filter,
        doc: "Of medications those, of one whether it is one, that the patient took at some time so long before \
         the moment of evaluation or later: for what has to be washed out. What is taken still is one of them. When \
         one that is over was last taken, tell the end of all dosages (`timing.repeat.boundsPeriod`; of an order that is \
         on hold only the latest that it can be), else of a \
         completed order the supply (`expectedSupplyDuration` from `authoredOn`, as often as \
         `numberOfRepeatsAllowed` says, or from the end of `validityPeriod`); the end of a statement's or an \
         administration's `effective`; of what was handed over its `daysSupply`. Where none of these is given it was \
         between its beginning and what can be no later: the moment of evaluation, `dateAsserted`, \
         `meta.lastUpdated` of what is over by then; if that does not tell, it may be one or not. By the day where the \
         times do not tell: one that ended exactly 14 days ago is outside of `days(14)`. Administrations and \
         dispenses are asked for themselves: `MedicationAdministration()`.",
        example: "medicationsEver().inDrugClass(\"maoi\").takenInLast(days(14)).exists()",
        gives: "false",
        ..PLAIN
    },
];

/// What tells that a drug was taken.
const TAKEN: &[&str] = &[
    REQUEST,
    STATEMENT,
    "MedicationAdministration",
    "MedicationDispense",
    "Resource",
];

type Judge = fn(Element<'_>, Now<'_>) -> Result<bool, Reason>;

fn medications<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    gathered(call, Gathered::Taken, &[REQUEST, STATEMENT], is_taken)
}

fn medications_ever<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    gathered(call, Gathered::EverTaken, &[REQUEST, STATEMENT], was_taken)
}

fn allergies<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    gathered(call, Gathered::Allergies, &[ALLERGY], is_current)
}

/// The resources of these types that are judged to be so. Of a type that nobody could be asked for, or
/// of which only a part is here, there may be one of which nothing is known.
fn gathered<'r>(
    call: &Call<'_, 'r>,
    which: Gathered,
    types: &[&'static str],
    judge: Judge,
) -> Val<'r> {
    call.scene.drugs.list(which, || {
        let hook = call.scene.context.call.as_ref();
        let (mut found, mut more) = (vec![], vec![]);
        for ty in types {
            let Some(name) = Name::of(ty) else { continue };
            match Lack::of(call.record(), name) {
                None => {}
                Some(all @ Lack::All(_)) => {
                    found.push(all.perhaps_more());
                    continue;
                }
                Some(part) => more.push(part.perhaps_more()),
            }
            let resources: Vec<Element<'r>> = match which {
                Gathered::Taken => candidates(call.record(), name),
                _ => call.record().of_type(name).collect(),
            };
            let resources = resources.into_iter();
            for resource in resources.filter(|one| !is_entered_in_error(*one)) {
                // What a draft changes or replaces will not be taken beside it.
                if which == Gathered::Taken && hook.is_some_and(|hook| hook.replaces(resource)) {
                    continue;
                }
                match judge(resource, call.now()) {
                    Ok(true) => found.push(Val::Element(resource)),
                    Ok(false) => {}
                    Err(reason) => found.push(perhaps(Val::Element(resource), reason)),
                }
            }
        }
        found.extend(more);
        Val::List(found.into())
    })
}

fn taken_in_last<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [_, Val::Duration(length)] = call.args else {
        return call.other_kind();
    };
    let Some(limit) = plus_in(call.at(), length.negated(), call.zone()) else {
        return Val::unknown("a date outside the years 1 to 9999");
    };
    filters(call, |value| match value {
        Val::Element(medication) => match taken_since(*medication, limit, call.now()) {
            Ok(taken) => Val::Bool(taken),
            Err(reason) => Val::Unknown(reason),
        },
        _ => call.other_kind(),
    })
}

fn perhaps<'r>(value: Val<'r>, reason: Reason) -> Val<'r> {
    Val::Maybe(Arc::new(value), reason)
}

fn is_allergen<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [_, Val::Drugs(set)] = call.args else {
        return call.other_kind();
    };
    filters(call, |value| match value {
        Val::Element(allergy) => held(*allergy, &call.scene.allergen(*allergy), set),
        _ => call.other_kind(),
    })
}
