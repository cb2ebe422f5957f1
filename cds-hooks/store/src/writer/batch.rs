//! What a transaction writes, in an order in which servers do not wait for each other in a circle: rows by
//! their keys, and the end of the chain last, since from there on all others wait.

use super::job::{Done, Job, Work};
use crate::StoreError;
use crate::audit::{Appended, Head, Prepared, append, purge, stored};
use crate::db::Connection;
use crate::feedback::{self, FeedbackCounts};
use crate::jti::{self, Used};
use crate::tokens::taken;
use crate::{recorded, shown};

/// How to write.
pub(super) struct How {
    /// Something of it may be there already.
    pub careful: bool,
    /// Entries from one checkpoint to the next.
    pub every: u64,
    /// Expired tokens are to be removed.
    pub forget: bool,
    /// Names this server, where it has to be the one that knows the tokens.
    pub owner: Option<String>,
}

/// What was written, job by job.
pub(super) struct Written {
    pub done: Vec<Done>,
    pub appended: Vec<Appended>,
    /// Expired tokens that are left.
    pub forgets_more: bool,
    /// The end of the log, where it does not have any more what was acknowledged.
    pub set_back: Option<Head>,
}

/// Writes all jobs. Nothing counts before the commit.
pub(super) async fn apply(
    connection: &mut Connection,
    batch: &[Job],
    how: &How,
) -> Result<Written, StoreError> {
    let mut done: Vec<Option<Done>> = vec![];
    for job in batch {
        done.push(match how.careful {
            true => before(connection, &job.work).await?,
            false => None,
        });
    }
    let open: Vec<&Work> = batch
        .iter()
        .zip(&done)
        .filter(|(_, done)| done.is_none())
        .map(|(job, _)| &job.work)
        .collect();
    let (mut results, forgets_more) = parts(connection, &open, how).await?;
    let mut appended = vec![];
    let entries: Vec<&Prepared> = open.iter().filter_map(|work| work.entry()).collect();
    if !entries.is_empty() {
        appended.push(append(connection, &entries, how.every).await?);
    }
    is_own(connection, &open, how, &appended).await?;
    if !connection.is_postgres() {
        jti::keep(connection, &tokens(&open)).await?;
    }
    let mut heads = appended
        .iter()
        .flat_map(|a| a.heads.clone())
        .collect::<Vec<_>>()
        .into_iter();
    for (work, result) in open.iter().zip(&mut results) {
        let head = work.entry().and_then(|_| heads.next());
        if let (None, Some(head)) = (&result, head) {
            *result = Some(Done::Entry(head));
        }
        if let Work::Purge { before, entry } = work {
            let (purged, said) = purge(connection, *before, entry, how.every).await?;
            appended.extend(said);
            *result = Some(Done::Purged(purged));
        }
    }
    let mut results = results.into_iter().flatten();
    let done: Option<Vec<Done>> = done
        .into_iter()
        .map(|own| own.or_else(|| results.next()))
        .collect();
    let done =
        done.ok_or_else(|| StoreError::Internal("a record was written without a result".into()))?;
    Ok(Written {
        done,
        appended,
        forgets_more,
        set_back: None,
    })
}

/// Refuses to write where another server took the tokens over.
async fn is_own(
    connection: &mut Connection,
    open: &[&Work],
    how: &How,
    appended: &[Appended],
) -> Result<(), StoreError> {
    let takes = |work: &&Work| matches!(work, Work::TakeOver { .. });
    let Some(owner) = &how.owner else {
        return Ok(());
    };
    let is_own = match appended.first() {
        _ if open.iter().any(takes) => true,
        Some(appended) => appended.tokens_of.as_ref() == Some(owner),
        None => jti::are_of(connection, owner).await?,
    };
    match is_own {
        true => Ok(()),
        false => Err(taken()),
    }
}

fn tokens<'a>(open: &[&'a Work]) -> Vec<&'a Used> {
    let used = open.iter().filter_map(|work| match work {
        Work::Used { used, .. } => Some(used),
        _ => None,
    });
    used.collect()
}

/// What belongs to no chain; and whether expired tokens are left.
async fn parts(
    connection: &mut Connection,
    open: &[&Work],
    how: &How,
) -> Result<(Vec<Option<Done>>, bool), StoreError> {
    let used = tokens(open);
    let mut first = match connection.is_postgres() {
        true => jti::write(connection, &used).await?,
        // What is given to be written to SQLite is known to be the first.
        false => vec![true; used.len()],
    }
    .into_iter();
    let now = open.iter().find_map(|work| match work {
        Work::Used { now, .. } => Some(*now),
        _ => None,
    });
    let forgets_more = match now.filter(|_| how.forget) {
        Some(now) => jti::forget(connection, now).await?,
        None => how.forget,
    };
    let all_shown = open.iter().filter_map(|work| match work {
        Work::Entry { shown, .. } => shown.as_deref(),
        _ => None,
    });
    shown::write(connection, all_shown).await?;
    let all_recorded = open.iter().filter_map(|work| match work {
        Work::Entry { recorded, .. } => recorded.as_ref(),
        _ => None,
    });
    recorded::write(connection, all_recorded).await?;
    let mut results = vec![];
    for work in open {
        results.push(match work {
            Work::Feedback { batch, .. } => {
                Some(Done::Feedback(feedback::write(connection, batch).await?))
            }
            Work::Used { .. } => first.next().map(Done::First),
            Work::TakeOver { owner } => {
                Some(Done::Tokens(jti::take_over(connection, owner).await?))
            }
            Work::Nothing => Some(Done::Nothing),
            Work::Entry { .. } | Work::Purge { .. } => None,
        });
    }
    Ok((results, forgets_more))
}

/// The result of what is there already, by its entry in the audit log.
async fn before(connection: &mut Connection, work: &Work) -> Result<Option<Done>, StoreError> {
    let Some(entry) = work.entry() else {
        return Ok(None);
    };
    let head = stored(connection, entry).await?;
    Ok(head.map(|head| match work {
        Work::Feedback { batch, .. } => Done::Feedback(FeedbackCounts {
            new: batch.entries.len() as u64,
            ..FeedbackCounts::default()
        }),
        _ => Done::Entry(head),
    }))
}
