//! Names that authors know from other languages, and values whose type must be said.

use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::choice_name;

use crate::types::{Ty, of_fhir};

/// What stands for a function or name of another language.
pub(super) fn known_elsewhere(name: &str) -> Option<String> {
    let told = match name.to_ascii_lowercase().as_str() {
        "age" | "ageinyears" | "ageat" => "write `ageInYearsAt(at)`",
        "ageinmonths" => "write `ageInMonthsAt(at)`",
        "ageindays" => "write `ageInDaysAt(at)`",
        "now" | "today" | "currentdate" | "getdate" | "sysdate" | "timeofday" => {
            "`at` is the moment of evaluation, as in `at - months(12)`; of the last 12 months is `list.inLast(months(12))`"
        }
        "count" | "length" | "len" => "write `.size()`",
        "any" | "some" => "write `.exists(x, …)`",
        "none" | "no" => "write `.isEmpty()`, or `!list.exists(x, …)` with a condition",
        "empty" => "write `.isEmpty()`",
        "every" => "write `.all(x, …)`",
        "where" | "such" | "with" => {
            "write `.filter(x, …)`, or `.exists(x, …)` to ask whether there is one"
        }
        "select" => "write `.map(x, …)`",
        "last" | "mostrecent" | "newest" => "write `.latest()`",
        "oldest" => "write `.earliest()`",
        "avg" | "mean" => "write `list.average(\"mg/dL\")`",
        "maximum" => "write `list.highest(\"mg/dL\")` of Observations, `.max()` of numbers",
        "minimum" => "write `list.lowest(\"mg/dL\")` of Observations, `.min()` of numbers",
        "within" | "inthelast" | "withinlast" | "lookback" => "write `list.inLast(months(12))`",
        "after" => "write `list.since(date)`, or `start(x) > date`",
        "between" => "write `x >= 40 && x <= 75`; for dates `list.during(from, to)`",
        "egfr" | "gfr" => {
            "of creatinine `ckdEpi2021(Observation(\"creatinine\"))`; as the laboratory reports it `Observation(\"egfr\").latestValue(\"mL/min/{1.73_m2}\")`, each with its value set"
        }
        "takes" | "taking" | "ontherapy" | "hasmedication" | "onmedication" | "hasdrug" => {
            "write `medications().exists(m, isDrug(m, \"warfarin\"))`, or `inDrugClass(m, \"nsaid\")` for a class"
        }
        "hascondition" | "hasdiagnosis" | "hasproblem" => {
            "write `Condition(\"value set\").active().exists()`"
        }
        "bsa" => "write `bodySurface(height, weight)`",
        "coalesce" | "ifnull" | "nvl" => "write `orElse(x, y)`",
        "isnull" => "write `isUnknown(x)`; `!has(x.y)` asks whether an element is not there",
        "not" => "write `!` for not, as in `!x` or `!(a || b)`",
        "and" => "write `&&` for and",
        "or" => "write `||` for or",
        "if" | "iif" | "case" => "write `condition ? value : other value`",
        "null" => {
            "`has(x.y)` asks whether an element is there, `isUnknown(x)` whether it cannot be told"
        }
        "yes" => "write `true`",
        "isactive" => "write `Condition(\"value set\").active()`",
        "isdead" | "dead" | "alive" => {
            "write `deceased(at)`; the dead are left out of rules already"
        }
        "sex" => "write `patient.gender`",
        _ => {
            let mut types = Model::r4().types().filter(|t| t.is_resource);
            let resource = types.find(|t| t.name.eq_ignore_ascii_case(name))?.name;
            return Some(format!(
                "write `{resource}()` for all of them, `{resource}(\"value set\")` for some"
            ));
        }
    };
    Some(told.into())
}

/// How to compare an element of several types with a value of another type: `o.valueString == …`.
pub(super) fn typed(written: &str, choice: &Ty, other: &Ty, beside: &str) -> Option<String> {
    let Ty::Choice(owner, name) = choice else {
        return None;
    };
    // `start(x)` and `end(x)` take the date of any type.
    if *other == Ty::Time {
        return None;
    }
    let element = Model::r4().element(owner, name)?;
    let path = written.strip_suffix(name)?;
    let types = element.types.iter();
    let fits = types.filter(|ty| of_fhir(ty).0 == *other);
    let typed: Vec<String> = fits.map(|ty| choice_name(name, ty)).collect();
    // Of the kinds of text the plain one.
    let plain = choice_name(name, "string");
    let typed = typed.iter().find(|t| **t == plain).or(typed.first());
    let has = |ty: &str| element.types.contains(&ty);
    let mut ways = vec![];
    if matches!(other, Ty::Int | Ty::Double) && has("Quantity") {
        ways.push(format!(
            "take the number with its unit: `quantityIn({written}, \"mg/dL\") > 9.0`"
        ));
    }
    if let Some(typed) = typed {
        let what = match other {
            Ty::Int | Ty::Double => "where it is a number without a unit",
            _ => "name the type",
        };
        ways.push(format!("{what}: `{path}{typed} {beside}`"));
    }
    if *other == Ty::String && has("CodeableConcept") {
        ways.push(format!(
            "where it is coded: `inValueSet({written}, \"value set\")`"
        ));
    }
    (!ways.is_empty()).then(|| ways.join("; "))
}

#[cfg(test)]
#[path = "habits_tests.rs"]
mod tests;
