//! How CQL writes operators and constants.

use engine_patient::system::date_time::Precision;

use crate::operators::operator::{Attributes, Operator, Spelling};
use crate::tree::constant::{Constant, ConstantCode};

/// An operator as CQL writes it, with its precision.
pub enum Phrase {
    Infix(String),
    Prefix(String),
    Suffix(&'static str),
    /// `days between A and B`: what stands before `A`.
    Between(String),
    /// `AgeInYearsAt`, `CalculateAgeInYearsAt`: what stands after `Age`.
    Age(String),
    Nothing,
    /// As a function, by its name in ELM.
    Call,
}

/// How an operator is written.
pub fn phrase(operator: &Operator, extra: &Attributes) -> Phrase {
    let precision = extra.precision.map(|p| match extra.week {
        true => "week",
        false => precision_word(p),
    });
    let infix = |word: &str| Phrase::Infix(with_precision(word, precision));
    let prefix = |word: &str| Phrase::Prefix(word.to_owned());
    match (operator.name, operator.spelling) {
        ("DurationBetween", _) => {
            Phrase::Between(format!("{}s between ", precision.unwrap_or("day")))
        }
        ("DifferenceBetween", _) => Phrase::Between(format!(
            "difference in {}s between ",
            precision.unwrap_or("day")
        )),
        ("CalculateAge" | "CalculateAgeAt", _) => {
            let at = operator.name.strip_prefix("CalculateAge").unwrap_or("");
            let unit = capital(precision.unwrap_or("year"));
            Phrase::Age(format!("In{unit}s{at}"))
        }
        ("DateTimeComponentFrom", _) => {
            Phrase::Prefix(format!("{} from ", precision.unwrap_or("year")))
        }
        ("DateFrom", _) => prefix("date from "),
        ("TimeFrom", _) => prefix("time from "),
        ("TimezoneFrom" | "TimezoneOffsetFrom", _) => prefix("timezoneoffset from "),
        ("PointFrom", _) => prefix("point from "),
        ("SingletonFrom", _) => prefix("singleton from "),
        ("Width", _) => prefix("width of "),
        ("Successor", _) => prefix("successor of "),
        ("Predecessor", _) => prefix("predecessor of "),
        ("Flatten", _) => prefix("flatten "),
        ("Distinct", _) => prefix("distinct "),
        ("Negate", _) => prefix("-"),
        ("TruncatedDivide", _) => infix("div"),
        ("Modulo", _) => infix("mod"),
        ("Power", _) => infix("^"),
        ("Starts", _) => infix("starts"),
        ("Ends", _) => infix("ends"),
        ("Meets", _) => infix("meets"),
        ("MeetsBefore", _) => infix("meets before"),
        ("MeetsAfter", _) => infix("meets after"),
        // A point is during an interval where there is a precision, and in it where there is none.
        ("In", _) if precision.is_some() => infix("during"),
        ("ProperContains", _) => infix("properly includes"),
        ("ProperIn", _) => infix("properly included in"),
        (_, Spelling::Infix(word)) => infix(word),
        (_, Spelling::Prefix(word)) => prefix(word),
        (_, Spelling::Suffix(word)) => Phrase::Suffix(word),
        (_, Spelling::Nothing) => Phrase::Nothing,
        (_, Spelling::Call) => Phrase::Call,
    }
}

/// `same day as`, `before day of`.
fn with_precision(word: &str, precision: Option<&str>) -> String {
    match (precision, word.strip_prefix("same ")) {
        (Some(precision), Some(rest)) => format!("same {precision} {rest}"),
        (Some(precision), None) => format!("{word} {precision} of"),
        (None, _) => word.to_owned(),
    }
}

fn precision_word(precision: Precision) -> &'static str {
    match precision {
        Precision::Year => "year",
        Precision::Month => "month",
        Precision::Day => "day",
        Precision::Hour => "hour",
        Precision::Minute => "minute",
        Precision::Second => "second",
        Precision::Millisecond => "millisecond",
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// `"Office Visit"`
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\\\""))
}

/// A constant as CQL writes it, as far as readers need.
pub fn constant(value: &Constant) -> String {
    let code = |c: &ConstantCode| {
        let named = c.display.as_deref().or(c.code.as_deref());
        quoted(named.unwrap_or("?"))
    };
    match value {
        Constant::Null => "null".into(),
        Constant::Boolean(b) => b.to_string(),
        Constant::Integer(i) => i.to_string(),
        Constant::Long(l) => format!("{l}L"),
        Constant::Decimal(d) => d.to_string(),
        Constant::String(text) => format!("'{}'", text.replace('\'', "\\'")),
        Constant::Date(d) | Constant::DateTime(d) => format!("@{d}"),
        Constant::Time(time) => {
            let seconds = time.millis / 1000;
            let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            format!("@T{hour:02}:{minute:02}:{second:02}")
        }
        Constant::Quantity(value, unit) => quantity(*value, unit),
        Constant::Ratio(parts) => {
            let [(n, n_unit), (d, d_unit)] = &**parts;
            format!("{}:{}", quantity(*n, n_unit), quantity(*d, d_unit))
        }
        Constant::Code(c) => code(c),
        Constant::Concept(codes, display) => match display {
            Some(display) => quoted(display),
            None => codes.iter().map(code).collect::<Vec<_>>().join(", "),
        },
        Constant::ValueSet(set) => quoted(&set.name),
        Constant::CodeSystem(system) => quoted(&system.name),
        Constant::List(items) => {
            let items: Vec<String> = items.iter().map(constant).collect();
            format!("{{ {} }}", items.join(", "))
        }
    }
}

/// `9 '%'`; calendar units stand without quotes.
fn quantity(value: rust_decimal::Decimal, unit: &str) -> String {
    const CALENDAR: [&str; 8] = [
        "year",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
    ];
    match unit {
        "" | "1" => value.to_string(),
        unit if CALENDAR.contains(&unit.trim_end_matches('s')) => format!("{value} {unit}"),
        unit => format!("{value} '{unit}'"),
    }
}
