//! §22 Type operators, the part on text (CQL 1.5, appendix B): how numbers, quantities, dates and
//! times are read from a string and written as one.

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Fault};
use crate::values::value::{Quantity, Ratio, Val};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::decimal;
use engine_patient::system::time_of_day::Time;
use engine_patient::system::units::CalendarUnit;
use engine_patient::system::zone::Zone;

/// `true t yes y 1` and `false f no n 0`, whatever the case.
pub fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if is(["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `(+|-)?#0`
pub fn integer(text: &str) -> Option<i64> {
    digits(text.strip_prefix(['+', '-']).unwrap_or(text)).then_some(())?;
    text.parse().ok()
}

/// `(+|-)?#0(.0#)?`. Digits after the eighth place are rounded away.
pub fn decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    if !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let kept = fraction.get(..decimal::PLACES as usize).unwrap_or(fraction);
    let next = fraction.as_bytes().get(kept.len());
    let whole = whole.trim_start_matches('0');
    // At most 20 digits before the point.
    if whole.len() > 20 {
        return None;
    }
    let mut mantissa: i128 = 0;
    for digit in whole.bytes().chain(kept.bytes()) {
        mantissa = mantissa * 10 + i128::from(digit - b'0');
    }
    mantissa += i128::from(next.is_some_and(|digit| *digit >= b'5'));
    if text.starts_with('-') {
        mantissa = -mantissa;
    }
    let scale = u32::try_from(kept.len()).ok()?;
    decimal::fit(Decimal::try_from_i128_with_scale(mantissa, scale).ok()?)
}

/// `(+|-)?#0(.0#)?('<unit>')?`: the unit is one of UCUM between quotes, or a word of the calendar.
pub fn quantity<'a>(cx: &Cx<'a>, text: &str) -> Result<Option<Quantity<'a>>, Fault> {
    let end = text
        .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.'))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let rest = rest.trim_matches(' ');
    let Some(value) = decimal(number) else {
        return Ok(None);
    };
    if rest.is_empty() {
        return Ok(Some(Quantity { value, unit: "1" }));
    }
    let unit = match rest.strip_prefix('\'') {
        Some(quoted) => match quoted.strip_suffix('\'') {
            Some(unit) => unit.replace("\\'", "'"),
            None => return Ok(None),
        },
        None if CalendarUnit::word(rest).is_some() => rest.to_owned(),
        None => return Ok(None),
    };
    if unit.is_empty() || !cx.units.is_known(&unit) {
        return Ok(None);
    }
    let unit = cx.text(&unit)?;
    Ok(Some(Quantity { value, unit }))
}

/// `<quantity>:<quantity>`; a colon between quotes belongs to a unit.
pub fn ratio<'a>(cx: &Cx<'a>, text: &str) -> Result<Option<Ratio<'a>>, Fault> {
    let (mut quoted, mut escaped) = (false, false);
    let colon = text.find(|c| {
        let plain = !escaped;
        escaped = plain && c == '\\';
        quoted ^= plain && c == '\'';
        c == ':' && !quoted
    });
    let parts = colon.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    let Some((numerator, denominator)) = parts else {
        return Ok(None);
    };
    let numerator = quantity(cx, numerator.trim_matches(' '))?;
    let denominator = quantity(cx, denominator.trim_matches(' '))?;
    Ok(numerator
        .zip(denominator)
        .map(|(numerator, denominator)| Ratio {
            numerator,
            denominator,
        }))
}

/// `YYYY-MM-DDThh:mm:ss.fff(Z|((+|-)hh:mm))` to any precision. FHIR allows a leap second, which is no
/// value of CQL.
pub fn date_time(text: &str) -> Option<DateTime> {
    DateTime::parse(text).filter(|_| !text.contains(":60"))
}

/// `hh:mm:ss.fff` to any precision, with or without a `T` before. An offset is read and ignored.
pub fn time(text: &str) -> Option<Time> {
    let text = text.strip_prefix('T').unwrap_or(text);
    let at = date_time(&format!("2000-01-01T{text}"))?;
    Some(Time {
        millis: at.millis,
        precision: at.precision,
    })
}

/// Digits with at least one after the point.
pub fn write_decimal(value: Decimal) -> String {
    if value.scale() == 0 {
        format!("{value}.0")
    } else {
        value.to_string()
    }
}

/// The conformance suite writes `125 'cm'` without digits after the point. What was written as a
/// word of the calendar is so again.
pub fn write_quantity(quantity: &Quantity<'_>) -> String {
    let (value, unit) = (quantity.value, quantity.unit);
    if CalendarUnit::word(unit).is_some() {
        format!("{value} {unit}")
    } else {
        let unit = if unit.is_empty() { "1" } else { unit };
        format!("{value} '{}'", unit.replace('\'', "\\'"))
    }
}

/// As `YYYY-MM-DDThh:mm:ss.fff(+|-)hh:mm`. The offset of the run is left out: it is what is taken
/// where none is given, and the conformance suite has it so.
pub fn write_date_time(value: DateTime, zone: &Zone) -> String {
    let plain = DateTime {
        offset: None,
        ..value
    };
    let here = zone.offset_at(value.earliest(zone));
    match value.offset {
        Some(east) if value.precision > Precision::Day && east != here => {
            let sign = if east < 0 { '-' } else { '+' };
            let size = east.unsigned_abs();
            format!("{plain}{sign}{:02}:{:02}", size / 60, size % 60)
        }
        _ => plain.to_string(),
    }
}

/// As `hh:mm:ss.fff`.
pub fn write_time(value: Time) -> String {
    let day = DateTime {
        days: 0,
        millis: value.millis,
        precision: value.precision,
        offset: None,
    };
    let text = day.to_string();
    text.split_once('T')
        .map_or(String::new(), |(_, time)| time.to_owned())
}

/// The text of a value; `None` where it has none.
pub fn write(cx: &Cx<'_>, value: &Val<'_>) -> Option<String> {
    Some(match value {
        Val::Boolean(v) => v.to_string(),
        Val::Integer(v) => v.to_string(),
        Val::Long(v) => v.to_string(),
        Val::Decimal(v) => write_decimal(*v),
        Val::String(v) => (*v).to_owned(),
        Val::Quantity(v) => write_quantity(v),
        Val::Ratio(v) => format!(
            "{}:{}",
            write_quantity(&v.numerator),
            write_quantity(&v.denominator)
        ),
        Val::Date(v) => v.to_string(),
        Val::DateTime(v) => write_date_time(*v, cx.zone),
        Val::Time(v) => write_time(*v),
        _ => return None,
    })
}
