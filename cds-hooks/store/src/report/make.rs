//! From the counts of the database to a report.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{self, Scope};
use super::{
    Asked, Breakdown, BreakdownRow, By, Comment, Counts, MostlyIf, NamedCount, Reason, Report,
    RuleReport, Span, codes,
};
use crate::StoreError;
use crate::db::Connection;
use crate::time::{micros, moment};

/// Asks the database, and puts together what it says.
pub(crate) async fn make(connection: &mut Connection, asked: &Asked) -> Result<Report, StoreError> {
    let scope = Scope {
        from: asked.from.map_or(i64::MIN, micros),
        to: micros(asked.to.unwrap_or(asked.now)),
        tenant: asked.tenant.clone(),
    };
    if scope.from >= scope.to {
        return Err(StoreError::Mistake(
            "the period ends before it begins: give --from a moment before --to".into(),
        ));
    }
    let mut rules = by_rule(connection, &scope).await?;
    let more_reasons = reasons(connection, &scope, &mut rules).await?;
    let mut silent_clients = without_feedback(connection, &scope).await?;
    let more_without_feedback = silent_clients.len() > query::CLIENTS;
    silent_clients.truncate(query::CLIENTS);
    if asked.comments > 0 {
        comments(connection, &scope, asked.comments, &mut rules).await?;
    }
    let total = query::total(connection, &scope).await?;
    let mut by = vec![];
    for one in asked.by.iter().filter(|by| **by != By::Rule) {
        by.push(breakdown(connection, &scope, *one).await?);
    }
    let span = query::span(connection, &scope).await?;
    let first = asked.from.map(micros).or(span.map(|(first, _)| first));
    let period = (
        moment(first.unwrap_or(scope.to))?.to_string(),
        moment(scope.to)?.to_string(),
    );
    let mostly = |rule: &&RuleReport| {
        let counts = &rule.line.counts;
        counts.shown >= asked.min_shown
            && counts.answered() >= asked.min_answered.max(1)
            && counts.overridden * 100 >= counts.answered() * asked.override_percent
    };
    Ok(Report {
        made: asked.now,
        period,
        tenant: asked.tenant.clone(),
        total: total.into(),
        mostly_overridden: rules
            .iter()
            .filter(mostly)
            .map(|r| r.rule.clone())
            .collect(),
        mostly_overridden_if: MostlyIf {
            shown: asked.min_shown,
            answered: asked.min_answered,
            percent: asked.override_percent,
        },
        rules,
        by,
        over_time: over_time(connection, &scope, span).await?,
        feedback: query::feedback(connection, &scope).await?,
        without_feedback: silent_clients,
        more_without_feedback,
        more_reasons,
    })
}

async fn by_rule(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Vec<RuleReport>, StoreError> {
    let rows = query::grouped(connection, scope, By::Version).await?;
    if rows.len() > query::MOST {
        return Err(StoreError::Mistake(format!(
            "cards of more than {} versions of rules were shown in the period: ask for a shorter one",
            query::MOST
        )));
    }
    let mut rules: BTreeMap<String, (BTreeSet<String>, Counts)> = BTreeMap::new();
    for row in &rows {
        let (versions, counts) = rules.entry(row.text(0)?).or_default();
        versions.insert(row.text(1)?);
        counts.add(&query::counts(row, 2)?);
    }
    let rule = |(rule, (versions, counts)): (String, (BTreeSet<String>, Counts))| RuleReport {
        rule,
        versions: versions.into_iter().collect(),
        line: counts.into(),
        reasons: vec![],
        comments: vec![],
    };
    let mut rules: Vec<RuleReport> = rules.into_iter().map(rule).collect();
    rules.sort_by(|a, b| {
        let shown = |r: &RuleReport| r.line.counts.shown;
        (shown(b), &a.rule).cmp(&(shown(a), &b.rule))
    });
    Ok(rules)
}

/// The reasons of each rule; whether there are more.
async fn reasons(
    connection: &mut Connection,
    scope: &Scope,
    rules: &mut [RuleReport],
) -> Result<bool, StoreError> {
    let rows = query::reasons(connection, scope).await?;
    for row in rows.iter().take(query::MOST) {
        let rule = row.text(0)?;
        let system = row.maybe_text(1)?.unwrap_or_default().to_owned();
        let code = row.text(2)?;
        let known = codes::find(&system, &code);
        let said = row.maybe_text(3)?.filter(|said| !said.trim().is_empty());
        let reason = Reason {
            display: match (known, said) {
                (Some(known), _) => known.display.to_owned(),
                (None, Some(said)) => said.to_owned(),
                (None, None) => code.clone(),
            },
            category: known.and_then(|known| known.category).map(str::to_owned),
            system,
            code,
            count: row.count(4)?,
        };
        if let Some(own) = rules.iter_mut().find(|own| own.rule == rule) {
            own.reasons.push(reason);
        }
    }
    Ok(rows.len() > query::MOST)
}

async fn comments(
    connection: &mut Connection,
    scope: &Scope,
    most: u64,
    rules: &mut [RuleReport],
) -> Result<(), StoreError> {
    for row in query::comments(connection, scope, most).await? {
        let rule = row.text(0)?;
        let comment = Comment {
            at: moment(row.int(1)?)?.to_string(),
            text: row.text(2)?,
        };
        if let Some(own) = rules.iter_mut().find(|own| own.rule == rule) {
            own.comments.push(comment);
        }
    }
    Ok(())
}

async fn breakdown(
    connection: &mut Connection,
    scope: &Scope,
    by: By,
) -> Result<Breakdown, StoreError> {
    let rows = query::grouped(connection, scope, by).await?;
    let row = |row: &crate::db::Row| -> Result<BreakdownRow, StoreError> {
        Ok(BreakdownRow {
            rule: row.text(0)?,
            name: row.maybe_text(1)?.unwrap_or_default().to_owned(),
            line: query::counts(row, 2)?.into(),
        })
    };
    Ok(Breakdown {
        by,
        more: rows.len() > query::MOST,
        rows: rows
            .iter()
            .take(query::MOST)
            .map(row)
            .collect::<Result<_, _>>()?,
    })
}

/// Columns of the chart at most: what is longer has more days in one.
const COLUMNS: i64 = 120;
const DAY: i64 = 86_400_000_000;

async fn over_time(
    connection: &mut Connection,
    scope: &Scope,
    span: Option<(i64, i64)>,
) -> Result<Vec<Span>, StoreError> {
    let Some((first, last)) = span else {
        return Ok(vec![]);
    };
    let all = (last / DAY - first / DAY + 1).max(1);
    let days = match all {
        ..=COLUMNS => 1,
        all if all <= COLUMNS * 7 => 7,
        all => (all / COLUMNS + 1).max(30),
    };
    let rows = query::over_time(connection, scope, days).await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        found.insert(row.int(0)?, query::counts(row, 1)?);
    }
    // Days without a card are there, too.
    let width = days * DAY;
    let all = first / width..=last / width;
    let span = |number: i64| -> Result<Span, StoreError> {
        let counts = found.get(&number).copied().unwrap_or_default();
        let from = moment(number.saturating_mul(width))?.to_string();
        Ok(Span {
            from: from.split('T').next().unwrap_or_default().to_owned(),
            days: u64::try_from(days).unwrap_or(1),
            line: counts.into(),
        })
    };
    all.map(span).collect()
}

async fn without_feedback(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Vec<NamedCount>, StoreError> {
    let rows = query::without_feedback(connection, scope).await?;
    let row = |row: &crate::db::Row| -> Result<NamedCount, StoreError> {
        Ok(NamedCount {
            name: row.text(0)?,
            count: row.count(1)?,
        })
    };
    rows.iter().map(row).collect()
}
