//! What the tests share: a store in each database, and records to write.

use std::collections::HashSet;
use std::path::PathBuf;

use cds_store::{
    AuditEntry, AuditKind, CallRecord, Feedback, FeedbackBatch, FeedbackOutcome, Place, Reader,
    RuleOutcome, RuleRun, Settings, Shown, ShownCard, ShownRule, Store,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tempfile::TempDir;

use crate::postgres;

pub use jiff::Timestamp;

/// A place for a store, empty at first.
pub struct Base {
    pub url: String,
    pub place: Place,
    pub is_postgres: bool,
    folder: Option<TempDir>,
}

impl Base {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("store.db").display().to_string();
        Base {
            place: url.parse().unwrap(),
            url,
            is_postgres: false,
            folder: Some(folder),
        }
    }

    pub fn of(cluster: &postgres::Cluster) -> Self {
        let url = cluster.database();
        Base {
            place: url.parse().unwrap(),
            url,
            is_postgres: true,
            folder: None,
        }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("store.db")
    }

    pub async fn open(&self) -> Store {
        self.open_with(Settings::default()).await
    }

    pub async fn open_with(&self, settings: Settings) -> Store {
        Store::open(&self.place, settings, "test").await.unwrap()
    }

    pub async fn reader(&self) -> Reader {
        Reader::open(&self.place).await.unwrap()
    }

    /// Changes the database behind the store's back.
    pub async fn sql(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres {
            let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            done.rows_affected()
        } else {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut connection = options.connect().await.unwrap();
            let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            done.rows_affected()
        }
    }

    /// A number of the database.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres {
            let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            sqlx::query(sql)
                .fetch_one(&mut connection)
                .await
                .unwrap()
                .get(0)
        } else {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut connection = options.connect().await.unwrap();
            sqlx::query(sql)
                .fetch_one(&mut connection)
                .await
                .unwrap()
                .get(0)
        }
    }

    /// A text of the database.
    pub async fn text(&self, sql: &str) -> String {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres {
            let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            sqlx::query(sql)
                .fetch_one(&mut connection)
                .await
                .unwrap()
                .get(0)
        } else {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut connection = options.connect().await.unwrap();
            sqlx::query(sql)
                .fetch_one(&mut connection)
                .await
                .unwrap()
                .get(0)
        }
    }

    /// Texts of the database.
    pub async fn texts(&self, sql: &str) -> HashSet<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres {
            let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        } else {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut connection = options.connect().await.unwrap();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
    }
}

/// Runs a test with SQLite, and with PostgreSQL where there is one.
pub async fn both(test: impl AsyncFn(Base)) {
    println!("SQLite");
    test(Base::sqlite()).await;
    if let Some(cluster) = postgres::shared() {
        println!("PostgreSQL");
        test(Base::of(cluster)).await;
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// So many seconds after noon.
pub fn noon(seconds: i64) -> Timestamp {
    Timestamp::from_second(at("2026-11-30T12:00:00Z").as_second() + seconds).unwrap()
}

pub fn uuid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

pub fn entry(number: u64) -> AuditEntry {
    let mut entry = AuditEntry::new(
        uuid(number),
        noon(i64::try_from(number).unwrap()),
        AuditKind::Call,
    );
    entry.client = Some("https://ehr.example".into());
    entry.subject = Some("Practitioner/7".into());
    entry.patient = Some(format!("p{}", number % 10));
    entry.services = vec!["alerts".into()];
    entry.hook = Some("order-sign".into());
    entry.hook_instance = Some(uuid(1_000_000 + number));
    entry.rules = vec![RuleRun {
        rule: "warfarin-nsaid".into(),
        version: "1.2.0".into(),
        hash: "ab".repeat(32),
        outcome: RuleOutcome::Fired,
        cards: 1,
    }];
    entry.status = 200;
    entry
}

/// A call at which one card was shown.
pub fn call(number: u64, rule: &str) -> CallRecord {
    let entry = entry(number);
    CallRecord {
        shown: Some(Shown {
            call_id: entry.id.clone(),
            hook_instance: uuid(1_000_000 + number),
            hook: "order-sign".into(),
            service: "alerts".into(),
            client: "https://ehr.example".into(),
            tenant: String::new(),
            site: Some("ward-1".into()),
            role: Some("physician".into()),
            patient: entry.patient.clone(),
            at: entry.at,
            cards: vec![ShownCard {
                card: card(number),
                suggestions: vec![uuid(3_000_000 + number)],
                rules: vec![ShownRule {
                    rule: rule.into(),
                    version: "1.2.0".into(),
                    hash: "ab".repeat(32),
                }],
                evidence: r#"{"MedicationRequest":["m1"]}"#.into(),
            }],
        }),
        entry,
        recorded: None,
    }
}

pub fn card(number: u64) -> String {
    uuid(2_000_000 + number)
}

pub fn overridden(card: &str, moment: &str) -> Feedback {
    Feedback {
        card: card.into(),
        outcome: FeedbackOutcome::Overridden,
        outcome_timestamp: moment.into(),
        outcome_at: at(moment),
        accepted_suggestions: vec![],
        reason: None,
        comment: None,
    }
}

pub fn accepted(card: &str, moment: &str) -> Feedback {
    Feedback {
        outcome: FeedbackOutcome::Accepted,
        accepted_suggestions: vec![uuid(3_000_000)],
        ..overridden(card, moment)
    }
}

pub fn batch(entries: Vec<Feedback>) -> FeedbackBatch {
    FeedbackBatch {
        service: "alerts".into(),
        client: "https://ehr.example".into(),
        tenant: String::new(),
        received: at("2026-11-30T18:00:00Z"),
        entries,
    }
}
