//! What a report asks the database. Everything is grouped there; what comes back is bounded.

use super::By;
use crate::StoreError;
use crate::db::{Connection, Row, Value};

/// Rows of a group that are taken at most; the rarest are left out, and that is said.
pub(super) const MOST: usize = 5000;

/// Clients that are named at most, likewise.
pub(super) const CLIENTS: usize = 100;

/// The period, and the tenant.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub from: i64,
    pub to: i64,
    pub tenant: Option<String>,
}

impl Scope {
    fn values(&self) -> Vec<Value> {
        let tenant = self.tenant.as_deref();
        vec![self.from.into(), self.to.into(), Value::maybe(tenant)]
    }
}

/// Cards shown in the period, each with what was said of it last. The latest is that of the latest
/// `outcomeTimestamp`, but none is later than when it was received (a clock that is ahead); of two at one
/// moment that which came last.
const CARDS: &str = "WITH said AS (\
    SELECT tenant, client, card, outcome, reason_system, reason_code, reason_display, comment, ordered_at, \
      ROW_NUMBER() OVER (PARTITION BY tenant, client, card ORDER BY ordered_at DESC, outcome_at DESC, number DESC) AS place \
    FROM cds_feedback \
    WHERE card IN (SELECT card FROM cds_shown WHERE shown_at >= $1 AND shown_at < $2)\
  ), cards AS (\
    SELECT s.rule, s.rule_number, s.rule_version, s.hook, s.service, s.site, s.role, s.client, s.tenant, s.shown_at, \
      f.outcome, f.reason_system, f.reason_code, f.reason_display, f.comment, f.ordered_at \
    FROM cds_shown s LEFT JOIN said f \
      ON f.card = s.card AND f.tenant = s.tenant AND f.client = s.client AND f.place = 1 \
    WHERE s.shown_at >= $1 AND s.shown_at < $2 AND ($3 IS NULL OR s.tenant = $3)\
  ) ";

const COUNTED: &str = "COUNT(*), \
    SUM(CASE WHEN outcome = 'accepted' THEN 1 ELSE 0 END), \
    SUM(CASE WHEN outcome = 'overridden' THEN 1 ELSE 0 END), \
    SUM(CASE WHEN outcome = 'overridden' AND reason_code IS NOT NULL THEN 1 ELSE 0 END), \
    SUM(CASE WHEN outcome = 'overridden' AND comment IS NOT NULL THEN 1 ELSE 0 END)";

/// Where the counts begin in a row that has `names` before them.
pub(super) fn counts(row: &Row, names: usize) -> Result<super::Counts, StoreError> {
    Ok(super::Counts {
        shown: row.count(names)?,
        accepted: row.count(names + 1)?,
        overridden: row.count(names + 2)?,
        with_reason: row.count(names + 3)?,
        with_comment: row.count(names + 4)?,
    })
}

async fn ask(
    connection: &mut Connection,
    scope: &Scope,
    rest: &str,
) -> Result<Vec<Row>, StoreError> {
    // Made of texts in this program.
    let sql = sqlx::AssertSqlSafe(format!("{CARDS}{rest}"));
    connection.rows(sql, scope.values()).await
}

/// Rule, name, counts: the most shown first.
pub(super) async fn grouped(
    connection: &mut Connection,
    scope: &Scope,
    by: By,
) -> Result<Vec<Row>, StoreError> {
    let column = match by {
        By::Rule | By::Version => "rule_version",
        By::Hook => "hook",
        By::Site => "site",
        By::Role => "role",
        By::Service => "service",
        By::Client => "client",
        By::Tenant => "tenant",
    };
    let rest = format!(
        "SELECT rule, {column}, {COUNTED} FROM cards GROUP BY rule, {column} \
         ORDER BY 3 DESC, 1, 2 LIMIT {}",
        MOST + 1
    );
    ask(connection, scope, &rest).await
}

/// Counts of all cards: one of several rules counts once.
pub(super) async fn total(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<super::Counts, StoreError> {
    let rest = format!("SELECT {COUNTED} FROM cards WHERE rule_number = 0");
    let rows = ask(connection, scope, &rest).await?;
    rows.first()
        .map_or(Ok(super::Counts::default()), |row| counts(row, 0))
}

/// Number of the span since 1970, counts.
pub(super) async fn over_time(
    connection: &mut Connection,
    scope: &Scope,
    days: i64,
) -> Result<Vec<Row>, StoreError> {
    let width = days * 86_400_000_000;
    let rest = format!(
        "SELECT shown_at / {width}, {COUNTED} FROM cards WHERE rule_number = 0 GROUP BY 1 ORDER BY 1 LIMIT {MOST}"
    );
    ask(connection, scope, &rest).await
}

/// Rule, system, code, a display, how often.
pub(super) async fn reasons(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Vec<Row>, StoreError> {
    let rest = format!(
        "SELECT rule, reason_system, reason_code, MAX(reason_display), COUNT(*) FROM cards \
         WHERE outcome = 'overridden' AND reason_code IS NOT NULL \
         GROUP BY rule, reason_system, reason_code ORDER BY 5 DESC, 1, 2, 3 LIMIT {}",
        MOST + 1
    );
    ask(connection, scope, &rest).await
}

/// Rule, moment, comment: of each rule the latest.
pub(super) async fn comments(
    connection: &mut Connection,
    scope: &Scope,
    most: u64,
) -> Result<Vec<Row>, StoreError> {
    let rest = format!(
        "SELECT rule, ordered_at, comment FROM (\
           SELECT rule, ordered_at, comment, \
             ROW_NUMBER() OVER (PARTITION BY rule ORDER BY ordered_at DESC) AS place \
           FROM cards WHERE comment IS NOT NULL\
         ) AS latest WHERE place <= {} ORDER BY rule, place",
        most.min(1000)
    );
    ask(connection, scope, &rest).await
}

/// The first and last moment at which a card was shown.
pub(super) async fn span(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT MIN(shown_at), MAX(shown_at) FROM cds_shown \
               WHERE shown_at >= $1 AND shown_at < $2 AND ($3 IS NULL OR tenant = $3)";
    let row = connection.row(sql, scope.values()).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.maybe_int(0)?.zip(row.maybe_int(1)?))
}

/// Entries received in the period: how many, repeats, of unknown cards, of others' cards.
pub(super) async fn feedback(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<super::FeedbackTotals, StoreError> {
    let sql = "SELECT COUNT(*), CAST(SUM(repeats) AS BIGINT), \
      SUM(CASE WHEN known = 0 THEN 1 ELSE 0 END), \
      SUM(CASE WHEN known = 1 AND own = 0 THEN 1 ELSE 0 END) FROM (\
        SELECT f.repeats, \
          CASE WHEN EXISTS (SELECT 1 FROM cds_shown s WHERE s.card = f.card) THEN 1 ELSE 0 END AS known, \
          CASE WHEN EXISTS (SELECT 1 FROM cds_shown s WHERE s.card = f.card AND s.tenant = f.tenant \
            AND s.client = f.client) THEN 1 ELSE 0 END AS own \
        FROM cds_feedback f \
        WHERE f.received >= $1 AND f.received < $2 AND ($3 IS NULL OR f.tenant = $3)\
      ) AS told";
    let row = connection.row(sql, scope.values()).await?;
    let Some(row) = row else {
        return Ok(super::FeedbackTotals::default());
    };
    Ok(super::FeedbackTotals {
        entries: row.count(0)?,
        repeats: row.count(1)?,
        unmatched: row.count(2)?,
        foreign: row.count(3)?,
    })
}

/// Clients with cards in the period that never sent any feedback, and how many cards.
pub(super) async fn without_feedback(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT client, COUNT(*) FROM cds_shown s \
      WHERE shown_at >= $1 AND shown_at < $2 AND ($3 IS NULL OR tenant = $3) AND rule_number = 0 \
        AND NOT EXISTS (SELECT 1 FROM cds_feedback f WHERE f.tenant = s.tenant AND f.client = s.client) \
      GROUP BY client ORDER BY 2 DESC, 1 LIMIT {}",
        CLIENTS + 1
    );
    // Made of a number of this program.
    let sql = sqlx::AssertSqlSafe(sql);
    connection.rows(sql, scope.values()).await
}
