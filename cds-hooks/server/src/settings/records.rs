//! `[store]`, `[explain]`, `[consent]`: what is kept of a call, and what may be seen of a patient.

use std::time::Duration;

use consent::{Precedence, Purpose};

use super::read::secret::Secret;
use super::read::table::{Table, Wrong};
use super::read::values;
use super::server::size;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_millis(31_557_600_000);

/// Where cards, feedback and the audit log are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// `sqlite:PATH` (or a path), or `postgres://…`. It may hold a password.
    pub url: Secret,
    /// Whether a call whose record cannot be kept is refused (503).
    pub required: bool,
    /// How long a call waits for its record at most, beyond its deadline.
    pub wait: Duration,
    /// How long the audit log is kept.
    pub retention: Duration,
    /// Whether requests are kept whole, for replay. They hold the data of patients.
    pub record_requests: bool,
    /// Makes pseudonyms of the ids of patients in the records of cards; without it they are kept as they are. The
    /// audit log, which says who was looked at, has them as they are.
    pub pseudonym_key: Option<Secret>,
    /// How often what is over its time is removed.
    pub purge_every: Duration,
}

/// Six years: the time that HIPAA has documentation kept (45 CFR 164.316(b)(2)(i)).
pub const RETENTION: Duration = Duration::from_millis(6 * 31_557_600_000);

/// The file of SQLite, from the folder of the settings where it is relative.
fn located(table: &Table<'_>, url: &Secret) -> Secret {
    let text = url.expose();
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    // `sqlite://…` and `postgres://…` say where from the root.
    let is_path = !path.contains("://") && !path.starts_with("//") && !path.is_empty();
    // What is no place is told as it stands: it must not become the name of a file.
    match is_path && text.parse::<cds_store::Place>().is_ok() {
        true => Secret::new(format!("sqlite:{}", table.file.path(path).display())),
        false => url.clone(),
    }
}

impl Store {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let url = table
            .secret("url", "url_file")
            .map(|url| located(&table, &url));
        if table.is_there() && !table.has("url") && !table.has("url_file") {
            table.missing(
                "url",
                "\"sqlite:tandem.db\", or \"postgres://…\", or `url_file` with such a text",
            );
        }
        let wait = table.value_or("wait", Duration::from_secs(2), |value| {
            values::duration(value, Duration::from_millis(50), Duration::from_secs(30))
        });
        let store = (
            table.boolean("required", true),
            table.value_or("retention", RETENTION, |value| {
                values::duration(value, DAY, 100 * YEAR)
            }),
            table.boolean("record_requests", false),
            table.secret("pseudonym_key", "pseudonym_key_file"),
            table.value_or("purge_every", DAY, |value| {
                values::duration(value, Duration::from_secs(60), 365 * DAY)
            }),
        );
        if let Some(key) = &store.3
            && key.expose().len() < 16
        {
            let name = match table.has("pseudonym_key") {
                true => "pseudonym_key",
                false => "pseudonym_key_file",
            };
            table.wrong(name, "is shorter than 16 characters", None);
        }
        table.done();
        let (required, retention, record_requests, pseudonym_key, purge_every) = store;
        Some(Store {
            url: url?,
            required,
            wait,
            retention,
            record_requests,
            pseudonym_key,
            purge_every,
        })
    }
}

/// Why a call was answered as it was: kept in memory for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explain {
    /// Off unless it is switched on: what is kept holds the data of patients.
    pub enabled: bool,
    /// Calls that are kept at most; the oldest goes first.
    pub max_calls: usize,
    /// Bytes that they may take.
    pub max_bytes: usize,
    /// How long each is kept.
    pub max_age: Duration,
}

impl Default for Explain {
    fn default() -> Self {
        Explain {
            enabled: false,
            max_calls: 1000,
            max_bytes: 64 << 20,
            max_age: Duration::from_secs(900),
        }
    }
}

impl Explain {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Explain::default();
        let explain = Explain {
            enabled: table.boolean("enabled", usual.enabled),
            max_calls: size(table.number("max_calls", usual.max_calls as u64, 1, 1_000_000)),
            max_bytes: size(
                table.value_or("max_bytes", usual.max_bytes as u64, |value| {
                    values::bytes(value, 1 << 16, 1 << 36)
                }),
            ),
            max_age: table.value_or("max_age", usual.max_age, |value| {
                values::duration(value, Duration::from_secs(1), 30 * DAY)
            }),
        };
        table.done();
        explain
    }
}

/// What patients allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// Whether a patient's Consent resources decide what rules may see.
    pub enabled: bool,
    /// What Consents leave to the policy of the place.
    pub policy: consent::Settings,
    /// Whether a call is refused (412) where consents cannot be had; else everything is unknown.
    pub refuse_unavailable: bool,
    /// The purpose of a call that names none (v3 PurposeOfUse).
    pub purpose: Purpose,
}

impl Default for Consent {
    fn default() -> Self {
        Consent {
            enabled: false,
            policy: consent::Settings::default(),
            refuse_unavailable: false,
            purpose: Purpose::TREATMENT,
        }
    }
}

/// A code of v3 PurposeOfUse.
pub(super) fn purpose(text: &str) -> Result<Purpose, Wrong> {
    Purpose::parse(text).map_err(|e| {
        Wrong(
            "a code of v3 PurposeOfUse".to_owned(),
            Some(match e.near() {
                Some(near) => format!("did you mean {near:?}?"),
                None => "\"TREAT\" is treatment, \"ETREAT\" an emergency, \"HPAYMT\" payment, \"HOPERAT\" operations, \"HRESCH\" research; others are in https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html".to_owned(),
            }),
        )
    })
}

impl Consent {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Consent::default();
        let mut permitted = table.list("permitted_without", purpose);
        if !table.has("permitted_without") {
            permitted.clone_from(&usual.policy.permitted_without);
        }
        let consent = Consent {
            enabled: table.boolean("enabled", usual.enabled),
            policy: consent::Settings {
                permitted_without: permitted,
                not_asked: table.list("not_asked", purpose),
                unclear_permits: table.word(
                    "unclear",
                    usual.policy.unclear_permits,
                    &[("withhold", false), ("permit", true)],
                ),
                precedence: table.word(
                    "precedence",
                    usual.policy.precedence,
                    &[
                        ("most-recent", Precedence::MostRecent),
                        ("deny-overrides", Precedence::DenyOverrides),
                    ],
                ),
                is_labelled: table.word(
                    "labels",
                    usual.policy.is_labelled,
                    &[("seen", None), ("all", Some(true)), ("none", Some(false))],
                ),
            },
            refuse_unavailable: table.word(
                "unavailable",
                usual.refuse_unavailable,
                &[("refuse", true), ("unknown", false)],
            ),
            purpose: table.text("purpose", purpose).unwrap_or(usual.purpose),
        };
        table.done();
        consent
    }
}
