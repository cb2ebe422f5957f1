//! From an error of a database to ours. Its own text may quote what was to be stored (PostgreSQL quotes
//! values), so that only its code is told.

use crate::StoreError;

/// The error in our words.
pub(super) fn told(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            of_code(&code)
        }
        sqlx::Error::Io(error) => StoreError::Unavailable(format!(
            "the database cannot be reached: {}",
            of_connection(&error)
        )),
        sqlx::Error::Tls(_) => {
            StoreError::Unavailable("the database cannot be reached: TLS with it failed".into())
        }
        sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
            StoreError::Unavailable("the connection to the database broke".into())
        }
        sqlx::Error::Configuration(_) => StoreError::Mistake(
            "the address of the database cannot be used: expected postgres://USER@HOST:PORT/DATABASE"
                .into(),
        ),
        sqlx::Error::ColumnDecode { index, .. } => StoreError::Damaged(format!(
            "column {index} of an answer of the database is not of the type that was written"
        )),
        _ => StoreError::Internal("an unexpected error of the database driver".into()),
    }
}

/// Why there is no connection. The text of a look-up has no name for its kind.
fn of_connection(error: &std::io::Error) -> String {
    match error.to_string().starts_with("failed to lookup") {
        true => "nobody knows the name of its host".to_owned(),
        false => error.kind().to_string(),
    }
}

/// The code of a row that is there already, so that the statement was refused.
const TWICE: &str = "the database has such a row already";

/// Whether a statement failed for a row that is there already.
pub(crate) fn is_twice(error: &StoreError) -> bool {
    matches!(error, StoreError::Internal(text) if text.starts_with(TWICE))
}

/// By SQLSTATE (five letters and digits), or by the extended result code of SQLite (a number).
fn of_code(code: &str) -> StoreError {
    let postgres = code.len() == 5;
    match (postgres, code.parse::<u32>()) {
        (false, Ok(number)) => of_sqlite(number),
        _ => of_postgres(code),
    }
}

fn of_sqlite(extended: u32) -> StoreError {
    let code = format!("SQLite code {extended}");
    // https://www.sqlite.org/rescode.html: the low byte is the primary code.
    match extended & 0xff {
        5 | 6 => StoreError::Busy(format!(
            "another process holds the database ({code}): it was waited for, in vain"
        )),
        13 => StoreError::Full(format!("no room on the disk of the database ({code})")),
        10 | 14 => StoreError::Unavailable(format!(
            "the database file cannot be read or written ({code})"
        )),
        8 | 3 | 23 => StoreError::NotAllowed(format!(
            "the database file or its folder may not be written to ({code})"
        )),
        11 => StoreError::Damaged(format!(
            "the database file is damaged ({code}): restore it from a copy"
        )),
        26 => StoreError::Mistake(format!("the file is no SQLite database ({code})")),
        19 if matches!(extended, 1555 | 2067) => StoreError::Internal(format!("{TWICE} ({code})")),
        _ => StoreError::Internal(format!("SQLite refused a statement ({code})")),
    }
}

fn of_postgres(code: &str) -> StoreError {
    let told = format!("SQLSTATE {code}");
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    match code.get(..2).unwrap_or_default() {
        "08" | "57" => StoreError::Unavailable(format!(
            "PostgreSQL is not there, is starting or is shutting down ({told})"
        )),
        "28" => StoreError::NotAllowed(format!("PostgreSQL refuses the login ({told})")),
        "3D" => StoreError::NotAllowed(format!("PostgreSQL has no such database ({told})")),
        "42" if code == "42501" => {
            StoreError::NotAllowed(format!("the user may not do that in PostgreSQL ({told})"))
        }
        "25" if code == "25P03" => StoreError::Unavailable(format!(
            "PostgreSQL took a transaction back that stood still ({told})"
        )),
        "25" => StoreError::Unavailable(format!(
            "PostgreSQL may only be read at present, as a standby is ({told})"
        )),
        "40" | "55" => StoreError::Busy(format!(
            "PostgreSQL took a transaction back for another one's sake ({told})"
        )),
        "53" if code == "53100" => {
            StoreError::Full(format!("no room on the disk of PostgreSQL ({told})"))
        }
        "53" | "58" => {
            StoreError::Unavailable(format!("PostgreSQL has no resources left ({told})"))
        }
        "XX" => StoreError::Damaged(format!("PostgreSQL found damage or failed ({told})")),
        "23" if code == "23505" => StoreError::Internal(format!("{TWICE} ({told})")),
        _ => StoreError::Internal(format!("PostgreSQL refused a statement ({told})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a host that nobody knows the system has no kind of error.
    #[tokio::test]
    async fn a_host_that_is_not_known() {
        let error = tokio::net::TcpStream::connect("nowhere.invalid:5432").await;
        let told = told(sqlx::Error::Io(error.unwrap_err())).to_string();
        assert_eq!(
            told,
            "the database cannot be reached: nobody knows the name of its host"
        );
    }

    #[test]
    fn codes_are_told_by_what_can_be_done() {
        assert!(matches!(of_code("13"), StoreError::Full(_)));
        assert!(matches!(of_code("2067"), StoreError::Internal(_)));
        assert!(is_twice(&of_code("2067")) && is_twice(&of_code("23505")));
        assert!(!is_twice(&of_code("1299")));
        assert!(matches!(of_code("261"), StoreError::Busy(_)));
        assert!(matches!(of_code("4874"), StoreError::Unavailable(_)));
        assert!(matches!(of_code("53100"), StoreError::Full(_)));
        assert!(matches!(of_code("57P03"), StoreError::Unavailable(_)));
        assert!(matches!(of_code("28P01"), StoreError::NotAllowed(_)));
        assert!(of_code("25P03").to_string().contains("stood still"));
        assert!(matches!(of_code("40P01"), StoreError::Busy(_)));
        // All digits, and yet of PostgreSQL.
        assert!(matches!(of_code("08006"), StoreError::Unavailable(_)));
    }
}
