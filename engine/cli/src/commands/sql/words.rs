//! What went wrong with a query, in words of SQL: those of the engine that answers it name its own parts,
//! and of a value that cannot be converted it shows the value, which may be a patient's.

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use engine_patient::finding::did_you_mean;
use engine_population::statement::ONLY_QUESTIONS;

use crate::failure::Failure;

/// The failure that an error of a query is.
pub fn failure(e: &DataFusionError) -> Failure {
    match e.find_root() {
        DataFusionError::SQL(error, _) => Failure::User(not_sql(error)),
        DataFusionError::NotImplemented(text) => not_implemented(text),
        DataFusionError::SchemaError(error, _) => Failure::User(of_columns(error)),
        DataFusionError::ArrowError(error, _) => Failure::User(of_values(error)),
        DataFusionError::Plan(text) => Failure::User(of_plan(text)),
        DataFusionError::Execution(text) => Failure::User(of_execution(text)),
        DataFusionError::Internal(_) => Failure::Internal(e.strip_backtrace()),
        _ => Failure::User(e.strip_backtrace()),
    }
}

fn not_sql(error: &ParserError) -> String {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "it nests too deep".to_owned(),
    };
    let text = text.replace("found: EOF", "found: the end of the query");
    let text = text.replace(" at Line: ", " at line ");
    format!(
        "the query is no SQL: {}",
        text.replace("Column: ", "column ")
    )
}

fn not_implemented(text: &str) -> Failure {
    if text.contains("single SQL statement") {
        return Failure::User(
            "one query at a time: leave out what comes after the first `;`, or ask twice"
                .to_owned(),
        );
    }
    // The text goes on with the whole expression as the engine holds it.
    let subquery = ["InSubquery", "Exists(", "ScalarSubquery"];
    Failure::Unsupported(match subquery.iter().any(|s| text.contains(s)) {
        true => {
            "a subquery at this place is not supported: join it instead, or compute it with WITH"
                .to_owned()
        }
        false => {
            let end = text.find(['{', '(']).unwrap_or(text.len());
            format!(
                "not supported in a query: {}",
                text.get(..end).unwrap_or(text).trim_end()
            )
        }
    })
}

fn of_columns(error: &SchemaError) -> String {
    let SchemaError::FieldNotFound {
        field,
        valid_fields,
    } = error
    else {
        return error.to_string();
    };
    let all: Vec<&str> = valid_fields.iter().map(|c| c.name.as_str()).collect();
    let near = did_you_mean(&field.name, all.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let columns = match all.is_empty() {
        true => "there are none here".to_owned(),
        false => format!("those here are {}", all.join(", ")),
    };
    let name = match &field.relation {
        Some(table) => format!("{}.{}", table.table(), field.name),
        None => field.name.clone(),
    };
    format!("there is no column `{name}`{near}\n{columns}")
}

/// Without the values.
fn of_values(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => {
            "a division by zero: `x / nullif(y, 0)` is null there".to_owned()
        }
        ArrowError::CastError(text) | ArrowError::ParseError(text) => {
            let to = text.rsplit_once(" to value of ").map(|(_, to)| to);
            let to = to.and_then(|to| to.strip_suffix(" type"));
            format!(
                "a value cannot be converted{}: `try_cast(x AS type)` is null there",
                to.map_or_else(String::new, |to| format!(" to {to}"))
            )
        }
        ArrowError::ArithmeticOverflow(_) => {
            "a number is too large for its type: `cast(x AS double)` has room".to_owned()
        }
        other => {
            let text = other.to_string();
            let (kind, rest) = text.split_once(": ").unwrap_or(("", &text));
            match kind.ends_with("error") {
                true => rest.to_owned(),
                false => text,
            }
        }
    }
}

fn of_execution(text: &str) -> String {
    // Functions of dates show the text that is none.
    match text.contains("parsing timestamp") || text.contains("parsing date") {
        true => "a text is no date or time: `try_cast(x AS timestamp)` is null there".to_owned(),
        false => text.to_owned(),
    }
}

/// The beginnings of what the planner says of what is no question.
const NO_QUESTION: [&str; 3] = [
    "DDL not supported",
    "DML not supported",
    "Statement not supported",
];

fn of_plan(text: &str) -> String {
    if NO_QUESTION.iter().any(|begin| text.starts_with(begin)) {
        return ONLY_QUESTIONS.to_owned();
    }
    if text.starts_with("No SQL statements") {
        return "the query is empty".to_owned();
    }
    let Some((_, found)) = text.split_once("argument types '") else {
        return text.to_owned();
    };
    // `sum(Utf8)'. You might … Candidate functions:\n\tsum(Int64)`
    let (call, rest) = found.split_once('\'').unwrap_or((found, ""));
    let takes = rest
        .split_once("Candidate functions:")
        .map(|(_, list)| list);
    let takes: Vec<&str> = takes.unwrap_or("").split_whitespace().collect();
    let takes = match takes.is_empty() {
        true => String::new(),
        false => format!("\nit takes {}", takes.join(" ")),
    };
    format!("there is no function `{call}`: convert with `cast(x AS type)`{takes}")
}

/// Words for a part of a date, as functions of other databases are called.
const PARTS: [&str; 7] = ["year", "month", "day", "hour", "minute", "quarter", "week"];
/// Functions of dates that others have.
const OF_DATES: [&str; 10] = [
    "datediff",
    "date_diff",
    "dateadd",
    "date_add",
    "date_sub",
    "strftime",
    "date_format",
    "timestampdiff",
    "age",
    "julianday",
];

/// What there is instead of a function that is not there.
pub fn function_missing(error: &str, functions: &[String]) -> Option<String> {
    let (_, rest) = error.split_once("Invalid function '")?;
    let (name, _) = rest.split_once('\'')?;
    let name = name.to_lowercase();
    let instead = if PARTS.contains(&&*name) {
        format!(
            "take a part of a date with `date_part('{name}', period_start)`, or begin one with `date_trunc('{name}', period_start::timestamp)`"
        )
    } else if OF_DATES.contains(&&*name) {
        "dates are texts of FHIR in the views: `period_start::date - birth_date::date` is the time between two, `date_part('year', period_start)` a part of one, `to_char(period_start::date, '%Y-%m')` its form".to_owned()
    } else if name == "len" {
        "`length(x)` counts characters".to_owned()
    } else {
        let near = did_you_mean(&name, functions.iter().map(String::as_str));
        near.map_or_else(
            || "functions are those of PostgreSQL, for the most part".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )
    };
    Some(format!("there is no function `{name}`\n{instead}"))
}

/// The table that is not there.
pub fn table_missing(error: &str) -> Option<&str> {
    let (before, _) = error.split_once("' not found")?;
    let (_, table) = before.rsplit_once('\'')?;
    Some(table.rsplit('.').next().unwrap_or(table))
}

/// Tables whose names are near to one that is not there: those that begin with it come first.
pub fn near_tables<'t>(table: &str, all: &[&'t str]) -> Vec<&'t str> {
    let wanted = table.to_lowercase();
    let stem = wanted.trim_end_matches('s');
    let begin = |t: &&&str| !stem.is_empty() && t.starts_with(stem);
    let mut near: Vec<&str> = all.iter().filter(begin).copied().collect();
    if near.is_empty() {
        near.extend(did_you_mean(&wanted, all.iter().copied()));
    }
    if near.is_empty() {
        let within =
            |t: &&&str| stem.len() > 3 && t.replace('_', "").contains(&stem.replace('_', ""));
        near.extend(all.iter().filter(within));
    }
    near.truncate(5);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_of_tables() {
        let all = [
            "patients",
            "patient_references",
            "encounter_flat",
            "condition_flat",
            "results",
        ];
        for (asked, near) in [
            ("encounter", &["encounter_flat"][..]),
            ("Encounters", &["encounter_flat"]),
            ("patient", &["patients", "patient_references"]),
            ("result", &["results"]),
            ("encountr_flat", &["encounter_flat"]),
            ("nothing", &[]),
        ] {
            assert_eq!(near_tables(asked, &all), near, "{asked}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        let cast = ArrowError::CastError("Cannot cast string 'Doe' to value of Int32 type".into());
        let text = of_values(&cast);
        assert!(
            text.starts_with("a value cannot be converted to Int32:"),
            "{text}"
        );
        let date = of_execution("Error parsing timestamp from 'Doe': error parsing date");
        assert!(!date.contains("Doe"), "{date}");
    }
}
