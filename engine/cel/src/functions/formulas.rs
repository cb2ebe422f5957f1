//! Clinical formulas, each with its source. Numbers are decimals; results are rounded to a hundredth.

use std::borrow::Cow;

use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::decimal::{MAX, divide, multiply, round};
use engine_patient::system::exponentials::power;
use rust_decimal::Decimal;

use super::call::Call;
use super::measured::{Measured, each};
use super::observations::{number_of, one_of};
use super::patient::age_bounds;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "hba1cPercent",
        params: &[P::Measured],
        returns: R::Double,
        code: hba1c_percent,
        doc: "HbA1c in % (NGSP), of an Observation or of the latest of several: of one in mmol/mol (IFCC) \
         0.09148 times that and 2.152 more, to a tenth, by the NGSP's master equation. A number is taken \
         for %.",
        example: "Observation(\"hba1c\").hba1cPercent() > 9.0",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "ckdEpi2021",
        params: &[P::Measured],
        returns: R::Double,
        code: ckd_epi_2021,
        doc: "Estimated GFR in mL/min/1.73 m², by the CKD-EPI 2021 creatinine equation (Inker et al., N Engl \
         J Med 2021;385:1737): of serum creatinine as an Observation, as the latest of several, or as a \
         number in mg/dL. An Observation may be in mg/dL or in umol/L (88.4 to the mg/dL) and counts with \
         the age at its date. Unknown below 18 years, without a birth date, and where \
         the recorded gender is neither male nor female.",
        example: "Observation(\"creatinine\").ckdEpi2021()",
        gives: "35.57",
        ..PLAIN
    },
    FunctionInfo {
        name: "creatinineClearance",
        params: &[P::Measured, P::Measured],
        returns: R::Double,
        code: creatinine_clearance,
        doc: "Creatinine clearance in mL/min, by Cockcroft and Gault (Nephron 1976;16:31): of serum \
         creatinine (mg/dL) and body weight (kg), each an Observation, the latest of several, or a number. \
         Unknown below 18 years, without a birth date, and where the recorded gender is neither male nor \
         female.",
        example: "creatinineClearance(Observation(\"creatinine\"), Observation(\"weight\"))",
        gives: "44.27",
        ..PLAIN
    },
    FunctionInfo {
        name: "bodySurface",
        params: &[P::Measured, P::Measured],
        returns: R::Double,
        code: body_surface,
        doc: "Body surface area in m², by Mosteller (N Engl J Med 1987;317:1098): of height (cm) and weight \
         (kg), each an Observation, the latest of several, or a number.",
        example: "bodySurface(170, 70)",
        gives: "1.82",
        ..PLAIN
    },
    FunctionInfo {
        name: "bmi",
        params: &[P::Measured, P::Measured],
        returns: R::Double,
        code: bmi,
        doc: "Body mass index in kg/m²: of height (cm) and weight (kg), each an Observation, the latest of \
         several, or a number.",
        example: "bmi(Observation(\"height\"), Observation(\"weight\"))",
        gives: "27.68",
        ..PLAIN
    },
];

const NO_RESULT: &str = "a number that the formula is not made for";

fn hba1c_percent<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    each(call, 0, |observation| {
        let percent = number_of(call, observation, "%");
        if percent.number().is_some() {
            return percent;
        }
        let ifcc = number_of(call, observation, "mmol/mol");
        let Some(ifcc) = ifcc.number() else {
            return percent;
        };
        let ngsp = Decimal::new(9148, 5) * ifcc + Decimal::new(2152, 3);
        Val::Decimal(round(ngsp, 1))
    })
    .into_val()
}

fn creatinine<'r>(call: &Call<'_, 'r>) -> Measured<'r> {
    each(call, 0, |observation| {
        let mass = number_of(call, observation, "mg/dL");
        if mass.number().is_some() {
            return mass;
        }
        let moles = number_of(call, observation, "umol/L").number();
        match moles.and_then(|n| divide(n, Decimal::new(884, 1))) {
            Some(number) => Val::Decimal(number),
            None => mass,
        }
    })
}

/// 142 · min(S/κ, 1)^α · max(S/κ, 1)^-1.2 · 0.9938^age · 1.012 for women.
fn ckd_epi_2021<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let d = Decimal::new;
    of_adults(call, creatinine(call), |creatinine, age, female| {
        let (kappa, alpha) = match female {
            true => (d(7, 1), d(-241, 3)),
            false => (d(9, 1), d(-302, 3)),
        };
        let ratio = divide(creatinine, kappa)?;
        let below = power(ratio.min(Decimal::ONE), alpha)?;
        let above = power(ratio.max(Decimal::ONE), d(-12, 1))?;
        let aged = power(d(9938, 4), age)?;
        let sex = if female { d(1012, 3) } else { Decimal::ONE };
        [below, above, aged, sex]
            .into_iter()
            .try_fold(d(142, 0), multiply)
    })
}

/// (140 - age) · weight / (72 · S), 0.85 of it for women.
fn creatinine_clearance<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let weight = each(call, 1, |o| number_of(call, o, "kg"));
    let (lightest, heaviest) = match bounds(&weight) {
        Ok(bounds) => bounds,
        Err(unknown) => return unknown,
    };
    let clearance = |creatinine, age, female, weight| {
        let part = if female {
            Decimal::new(85, 2)
        } else {
            Decimal::ONE
        };
        let over = multiply(multiply(Decimal::from(140) - age, weight)?, part)?;
        divide(over, multiply(Decimal::from(72), creatinine)?)
    };
    let with = |weight| {
        of_adults(call, creatinine(call), move |creatinine, age, female| {
            clearance(creatinine, age, female, weight)
        })
    };
    match lightest == heaviest {
        true => with(lightest),
        false => one_of([with(lightest), with(heaviest)].into_iter(), weight.why),
    }
}

/// The root of height · weight / 3600.
fn body_surface<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    of_body(call, |height, weight| {
        let square = divide(multiply(height, weight)?, Decimal::from(3600))?;
        power(square, Decimal::new(5, 1))
    })
}

fn bmi<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    of_body(call, |height, weight| {
        let metres = divide(height, Decimal::ONE_HUNDRED)?;
        divide(weight, multiply(metres, metres)?)
    })
}

fn of_body<'r>(
    call: &Call<'_, 'r>,
    formula: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Val<'r> {
    let height = each(call, 0, |o| number_of(call, o, "cm"));
    let weight = each(call, 1, |o| number_of(call, o, "kg"));
    let (heights, weights) = match (bounds(&height), bounds(&weight)) {
        (Ok(heights), Ok(weights)) => (heights, weights),
        (Err(unknown), _) | (_, Err(unknown)) => return unknown,
    };
    let why = match heights.0 == heights.1 {
        true => weight.why,
        false => height.why,
    };
    let all = [heights.0, heights.1]
        .into_iter()
        .flat_map(|h| [weights.0, weights.1].map(|w| result(formula(h, w))));
    one_of(all, why)
}

/// A formula of a measured number, the age when it was measured, and the sex. It rises or falls with
/// each: its bounds are those of theirs.
fn of_adults<'r>(
    call: &Call<'_, 'r>,
    measured: Measured<'r>,
    formula: impl Fn(Decimal, Decimal, bool) -> Option<Decimal>,
) -> Val<'r> {
    let female = match sex(call.record()) {
        Ok(female) => female,
        Err(reason) => return Val::unknown(reason),
    };
    if measured.values.is_empty() {
        return Val::Unknown(measured.why);
    }
    let mut results = vec![];
    let mut why = measured.why;
    for (number, at) in measured.values {
        let (least, most) = match ages(call, at) {
            Ok(ages) => ages,
            Err(reason) => return Val::Unknown(reason),
        };
        if least < 18 {
            return Val::unknown("the formula is for adults");
        }
        if number <= Decimal::ZERO || number >= MAX {
            return match why.is_empty() {
                true => Val::unknown(NO_RESULT),
                false => Val::Unknown(why),
            };
        }
        if least != most {
            why = "`Patient.birthDate` is too imprecise".into();
        }
        results.extend([least, most].map(|age| result(formula(number, age.into(), female))));
    }
    one_of(results.into_iter(), why)
}

fn ages<'r>(call: &Call<'_, 'r>, at: Option<DateTime>) -> Result<(i64, i64), Cow<'r, str>> {
    let at = at.ok_or("the date of a result is missing, and with it the age at that time")?;
    age_bounds(call.record(), at).map_err(Cow::Borrowed)
}

/// Whether the patient is a woman, by the recorded gender.
fn sex(record: &PatientRecord) -> Result<bool, &'static str> {
    let patient = record.patient().ok_or("no Patient resource was given")?;
    match patient.get_str("gender").as_deref() {
        Some("female") => Ok(true),
        Some("male") => Ok(false),
        Some(_) => Err("`Patient.gender` is neither male nor female"),
        None => Err("`Patient.gender` is missing"),
    }
}

fn bounds<'r>(measured: &Measured<'r>) -> Result<(Decimal, Decimal), Val<'r>> {
    let values = measured.values.iter().map(|(n, _)| *n);
    let (least, most) = (values.clone().min(), values.max());
    match least.zip(most) {
        Some((least, _)) if least <= Decimal::ZERO => Err(Val::unknown(NO_RESULT)),
        Some(both) => Ok(both),
        None => Err(Val::Unknown(measured.why.clone())),
    }
}

fn result<'r>(number: Option<Decimal>) -> Val<'r> {
    number.map_or(Val::unknown(NO_RESULT), |n| Val::Decimal(round(n, 2)))
}
