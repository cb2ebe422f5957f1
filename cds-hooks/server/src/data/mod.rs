//! Data that a client did not send, from the FHIR server that its call names.
//!
//! A call may name any server, so only those of the settings are asked, and for each client its own. What
//! cannot be had is told by its kind; the whole reason, which may say something of this side's network, goes
//! to the operators.

mod failure;
mod servers;
mod told;

use std::time::{Duration, Instant};

use cds_hooks::seams::{BoxFuture, DataAsk, DataSource, KeyAnswer, KeyData, KeyFailure};
use outbound::fhir::{Access, Limits, Tokens, Want, fulfil};
use outbound::{Client, Failure, Secret};

use crate::settings::{Outbound, Settings};
use crate::told::Tell;

use servers::Servers;
use told::Reasons;

/// What is kept back of the time for an answer, to hand it over.
const MARGIN: Duration = Duration::from_millis(10);

/// Fetches from the FHIR servers of the settings.
pub struct FhirData {
    client: Client,
    servers: Servers,
    limits: Limits,
    /// The longest that one call is fetched for.
    timeout: Duration,
    reasons: Reasons,
}

impl FhirData {
    /// A source with a client for the origins of the settings. `tell` takes what operators should know, at most
    /// once a minute for each server and reason.
    pub fn of(client: Client, settings: &Settings, tell: Tell) -> Self {
        FhirData {
            client,
            servers: Servers::of(settings),
            limits: limits(&settings.outbound),
            timeout: settings.outbound.timeout,
            reasons: Reasons::new(tell),
        }
    }

    async fn answers(&self, ask: &DataAsk<'_>) -> Result<Vec<KeyAnswer>, KeyFailure> {
        let client = ask.caller.client.as_deref();
        if !self.servers.may(client, ask.server) {
            // Each client once: what it names is its own choice, and could be another each time.
            let whose = client.map_or("a caller".to_owned(), |client| format!("client `{client}`"));
            self.reasons.tell(&whose, || {
                format!(
                    "{whose} named {} as `fhirServer`: {}",
                    servers::origin(ask.server),
                    self.servers.listed(client)
                )
            });
            return Err(KeyFailure::NotAllowed);
        }
        let authorization = ask.authorization.filter(|a| !a.access_token.is_empty());
        if let Some(given) = authorization {
            if given.expires_in.is_some_and(|seconds| seconds <= 0) {
                return Err(KeyFailure::NoToken);
            }
            // The call was refused already; nothing is asked for another patient in any case.
            if given.patient.as_deref().is_some_and(|p| p != ask.patient) {
                return Err(KeyFailure::NotAllowed);
            }
        }
        let token = authorization.map(|a| (Secret::new(a.access_token.reveal()), "Bearer"));
        let has_token = token.is_some();
        let access = Access::new(&self.client, ask.server, token, Some(ask.patient))
            .map_err(|failure| self.failure(&failure, has_token, false))?;
        let wants: Vec<(String, Want<'_>)> = ask
            .keys
            .iter()
            .map(|key| {
                let want = key.next.map_or(Want::Template(key.template), Want::Next);
                (key.key.to_owned(), want)
            })
            .collect();
        let tokens = Tokens::of(ask.tokens);
        let latest = Instant::now() + self.timeout;
        let asked = ask.deadline.checked_sub(MARGIN).unwrap_or(ask.deadline);
        let deadline = asked.min(latest);
        let found = fulfil(
            &self.client,
            &access,
            &wants,
            &tokens,
            deadline,
            &self.limits,
        )
        .await;
        let answers = ask.keys.iter().zip(found).map(|(ask, (key, found))| {
            let answer = match found {
                Ok(found) => {
                    if let Some(why) = &found.incomplete {
                        self.tell(why);
                    }
                    Ok(KeyData {
                        json: found.json,
                        pages: u32::try_from(found.pages).unwrap_or(u32::MAX),
                        resources: u32::try_from(found.resources).unwrap_or(u32::MAX),
                    })
                }
                Err(why) => Err(self.failure(&why, has_token, ask.next.is_some())),
            };
            KeyAnswer { key, answer }
        });
        Ok(answers.collect())
    }

    fn failure(&self, failure: &Failure, has_token: bool, is_next: bool) -> KeyFailure {
        self.tell(failure);
        failure::key_failure(failure, has_token, is_next)
    }

    /// What depends on one call only (a token without a value) is no matter of the operators.
    fn tell(&self, failure: &Failure) {
        if failure.token.is_none() {
            let server = failure.origin().unwrap_or("a FHIR server");
            let told = format!("{server}: {}", failure.reason());
            self.reasons.tell(&told, || told.clone());
        }
    }
}

impl DataSource for FhirData {
    fn fetch<'a>(&'a self, ask: DataAsk<'a>) -> BoxFuture<'a, Vec<KeyAnswer>> {
        Box::pin(async move {
            self.answers(&ask).await.unwrap_or_else(|failure| {
                let failed = |key: &str| KeyAnswer {
                    key: key.to_owned(),
                    answer: Err(failure.clone()),
                };
                ask.keys.iter().map(|ask| failed(ask.key)).collect()
            })
        })
    }
}

/// The bounds of the settings; where they have none, those of [`Limits`].
fn limits(outbound: &Outbound) -> Limits {
    let usual = Limits::default();
    let bytes = usize::try_from(outbound.max_bytes).unwrap_or(usize::MAX);
    Limits {
        max_parallel: outbound.parallel,
        max_pages: outbound.max_pages,
        max_entries: outbound.max_resources,
        max_page_bytes: bytes,
        max_bytes: bytes.max(usual.max_bytes),
        ..usual
    }
}

#[cfg(test)]
mod end_to_end;
#[cfg(test)]
mod tests;
