//! Clients as they are configured: plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::certificate::fingerprint_of;
use crate::role::Role;

/// All that says who may come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The base URLs under which clients know this service, as they stand before `/cds-services`: what
    /// `aud` is compared with (checklist 78). Usually one.
    pub public_urls: Vec<String>,
    /// Whether a token whose `aud` is a base URL alone is for every address under it.
    #[serde(default)]
    pub base_audience: bool,
    /// Limits on tokens and key sets.
    #[serde(default)]
    pub policy: Policy,
    /// Roles beside the built-in ones ([`built_in`](crate::role::built_in)).
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The tenants that there are; clients may name no other.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// Who may come in.
    pub clients: Vec<Client>,
}

/// One client: an EHR, a dashboard, an auditor's tool.
///
/// With `iss` it has to send a token, with `certificates` to show one of them, with both to do both.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// What logs, metrics and the audit call it. No two have the same.
    pub name: String,
    /// The issuer of its tokens, letter by letter. No two clients have the same.
    pub iss: Option<String>,
    /// The addresses of its key sets. A token that names another is refused, and nothing is fetched that is
    /// not here; large letters in the host and the port 443 make no difference.
    pub jku: Vec<String>,
    /// A file with its key set (JWK Set, RFC 7517) or its public keys (PEM), exchanged out of band.
    pub keys_file: Option<PathBuf>,
    /// The same, as a text; or a key set as a table.
    pub keys: Option<Value>,
    /// The algorithms that it may sign with. Left out: `ES384` and `RS384`.
    pub algorithms: Option<Vec<Algorithm>>,
    /// What else than the address called may be the `aud` of its tokens, letter by letter.
    pub audiences: Vec<String>,
    /// The tenants that it may speak for. With one, a token need not name it. With none, `tenant` of a
    /// token chooses nothing.
    pub tenants: Vec<String>,
    /// Its roles. Left out, and without `role_claim`: `ehr`.
    pub roles: Option<Vec<String>>,
    /// Roles by a claim of its tokens, beside `roles`.
    pub role_claim: Option<RoleClaim>,
    /// The base URLs of the FHIR servers that it may have asked for data.
    pub fhir_servers: Vec<String>,
    /// The longest time between `iat` and `exp` of its tokens, in seconds. Left out: that of the policy.
    pub max_lifetime_seconds: Option<u32>,
    /// The certificates that it may show; with some of them a token alone will not do.
    pub certificates: Vec<CertificateBinding>,
    /// Whether a certificate does without a token, where there is `iss`, too.
    pub certificate_alone: bool,
    /// Why it asks, for consent: a code of v3 `PurposeOfUse` such as `TREAT`.
    pub purpose: Option<String>,
    /// It is known to support `actionSelectionBehavior` (3.0).
    pub action_selection_behavior: bool,
    /// It is known to carry out `systemActions`.
    pub system_actions: bool,
}

/// Roles that a token gives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleClaim {
    /// Where they stand: a member of the payload, or a list of members, each inside the one before. A
    /// text (of words) or a list of texts.
    pub claim: ClaimPath,
    /// What stands there, and the role it gives. What is not here gives none. Empty: what stands there
    /// is the name of the role.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

/// A member, or the way to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ClaimPath {
    /// Of the payload itself; dots in it are part of the name.
    Member(String),
    /// Of members inside members.
    Path(Vec<String>),
}

impl ClaimPath {
    pub(crate) fn members(&self) -> &[String] {
        match self {
            ClaimPath::Member(name) => std::slice::from_ref(name),
            ClaimPath::Path(names) => names,
        }
    }
}

/// What a client's certificate has to be. All that is given has to fit.
///
/// ```
/// let bound = cds_security::CertificateBinding::of_text("ehr.example");
/// assert_eq!(bound.san.as_deref(), Some("dns:ehr.example"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateBinding {
    /// SHA-256 of the certificate (DER), in hexadecimal; colons do not matter.
    pub fingerprint: Option<String>,
    /// A subject alternative name: `dns:ehr.example` or `uri:urn:example:ehr`, letter by letter.
    pub san: Option<String>,
    /// Attributes of the subject: `CN`, `O`, `OU`, `C`, `L`, `ST`, `serialNumber`. Each has to be there
    /// once, with this value.
    pub subject: BTreeMap<String, String>,
}

impl CertificateBinding {
    /// By one text: a SHA-256 fingerprint, `dns:NAME`, `uri:URI`, or a name or URI alone.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim();
        let san = match text {
            _ if fingerprint_of(text).is_some() => {
                return CertificateBinding {
                    fingerprint: Some(text.to_owned()),
                    ..CertificateBinding::default()
                };
            }
            _ if text.starts_with("dns:") || text.starts_with("uri:") => text.to_owned(),
            _ if text.contains(':') => format!("uri:{text}"),
            _ => format!("dns:{text}"),
        };
        CertificateBinding {
            san: Some(san),
            ..CertificateBinding::default()
        }
    }
}

/// Limits on tokens and key sets. The defaults are made to be left alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How far clocks may differ, in seconds: 60. At most 600.
    pub leeway_seconds: u32,
    /// The longest time between `iat` and `exp`, in seconds: 3,600. At most a day.
    pub max_lifetime_seconds: u32,
    /// The largest token, in bytes: 16 KiB.
    pub max_token_bytes: usize,
    /// For how long a fetched key set is used without a look for a newer one, in seconds: 600.
    pub keys_fresh_seconds: u32,
    /// For how long it is used where a newer one cannot be had, in seconds: 3,600. At most a week: a
    /// key that a client has withdrawn works until then.
    pub keys_usable_seconds: u32,
    /// The time after which one more look may be taken at an address, in seconds: 5; three may follow each
    /// other at once. A token with an unknown `kid` is a reason to look, and anybody can write one: so long,
    /// and no longer, can they put off that a new key is found.
    pub keys_retry_seconds: u32,
    /// How long a fetch may take, in milliseconds: 2,000.
    pub keys_timeout_ms: u64,
    /// The largest key set, in bytes: 256 KiB.
    pub max_keys_bytes: usize,
    /// Tokens that are remembered at once where no database does that: 1,000,000, which takes 60 MB and is
    /// enough for 250 calls a second with tokens of an hour. Where there are as many that have not expired,
    /// further ones are refused (503). Each client has its share, and more only of what others leave.
    pub max_remembered: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            leeway_seconds: 60,
            max_lifetime_seconds: 3600,
            max_token_bytes: 16 * 1024,
            keys_fresh_seconds: 600,
            keys_usable_seconds: 3600,
            keys_retry_seconds: 5,
            keys_timeout_ms: 2000,
            max_keys_bytes: 256 * 1024,
            max_remembered: 1_000_000,
        }
    }
}
