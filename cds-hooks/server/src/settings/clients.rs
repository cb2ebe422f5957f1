//! `[[client]]`, `[[role]]`: who may call, and what they may do.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::read::secret::Secret;
use super::read::table::{Table, Wrong, one_of};
use super::read::values;

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Permission {
    /// Read the list of services, and call them.
    Call,
    /// Say what became of cards.
    Feedback,
    /// Read why a call was answered as it was.
    Explain,
    /// Read what became of cards.
    Reports,
    /// Read the audit log.
    Audit,
    /// Read numbers and the state of the server.
    Metrics,
    /// The side of whole populations.
    Population,
    /// See what is live, and have rules and keys read again.
    Admin,
}

/// The words of the file.
pub const PERMISSIONS: [(&str, Permission); 8] = [
    ("call", Permission::Call),
    ("feedback", Permission::Feedback),
    ("explain", Permission::Explain),
    ("reports", Permission::Reports),
    ("audit", Permission::Audit),
    ("metrics", Permission::Metrics),
    ("population", Permission::Population),
    ("admin", Permission::Admin),
];

/// A name for permissions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Its name, as in `roles` of a client or in a claim of a token.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// Ids of services that it may call; all where it is empty.
    pub services: Vec<String>,
}

/// The roles that there always are; one of the file that has such a name replaces it.
pub fn usual_roles() -> Vec<Role> {
    let role = |name: &str, permissions: &[Permission]| Role {
        name: name.to_owned(),
        permissions: permissions.to_vec(),
        services: vec![],
    };
    vec![
        role("ehr", &[Permission::Call, Permission::Feedback]),
        role("investigator", &[Permission::Explain]),
        role("analyst", &[Permission::Reports, Permission::Population]),
        role("auditor", &[Permission::Audit]),
        role("operator", &[Permission::Metrics, Permission::Admin]),
    ]
}

impl Role {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let name = table.text("name", values::name);
        if !table.has("name") {
            table.missing("name", "a short name");
        }
        let permissions = table.list("permissions", |text| one_of(text, &PERMISSIONS));
        if !table.has("permissions") {
            table.missing("permissions", "a list of what the role may do");
        }
        let services = table.list("services", values::name);
        table.done();
        Some(Role {
            name: name?,
            permissions,
            services,
        })
    }
}

/// A client: an EHR, or an operator's tool.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name in logs, metrics and records.
    pub name: String,
    /// `iss` of its tokens.
    pub issuer: Option<String>,
    /// Addresses of its key sets. Only these are ever fetched.
    pub key_urls: Vec<Url>,
    /// Its key set (JWK Set), as a file.
    pub keys_file: Option<PathBuf>,
    /// Its key set (JWK Set), as text.
    pub keys: Option<Secret>,
    /// Algorithms of its signatures.
    pub algorithms: Vec<Algorithm>,
    /// Tenants that it may speak for.
    pub tenants: Vec<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// The claim of its tokens that names further roles.
    pub role_claim: Option<String>,
    /// FHIR servers that it may have asked: names of `[[fhir_server]]`.
    pub fhir_servers: Vec<String>,
    /// How long its tokens may be valid (`exp` − `iat`).
    pub max_lifetime: Duration,
    /// A certificate that it must show: its subject alternative name or SHA-256 fingerprint.
    pub certificates: Vec<String>,
    /// Whether it needs no token beside its certificate.
    pub certificate_alone: bool,
    /// The purpose of its calls (v3 PurposeOfUse), for consent.
    pub purpose: Option<String>,
}

/// How a token may be signed. Symmetric algorithms and `none` are never taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// ECDSA, P-384, SHA-384.
    Es384,
    /// RSA PKCS #1, SHA-384.
    Rs384,
    /// ECDSA, P-256, SHA-256.
    Es256,
    /// RSA PKCS #1, SHA-256.
    Rs256,
    /// RSA PKCS #1, SHA-512.
    Rs512,
    /// RSA PSS, SHA-256.
    Ps256,
    /// RSA PSS, SHA-384.
    Ps384,
    /// RSA PSS, SHA-512.
    Ps512,
    /// Ed25519.
    EdDsa,
}

const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("ES384", Algorithm::Es384),
    ("RS384", Algorithm::Rs384),
    ("ES256", Algorithm::Es256),
    ("RS256", Algorithm::Rs256),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    /// Its name in the header of a token (RFC 7518).
    pub fn name(self) -> &'static str {
        let mut all = ALGORITHMS.iter();
        all.find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

fn algorithm(text: &str) -> Result<Algorithm, Wrong> {
    one_of(text, &ALGORITHMS).map_err(|Wrong(expected, help)| {
        let symmetric = text.eq_ignore_ascii_case("none") || text.to_uppercase().starts_with("HS");
        match symmetric {
            true => Wrong(expected, Some("CDS Hooks forbids `none` and symmetric algorithms".to_owned())),
            false => Wrong(expected, help),
        }
    })
}

impl Client {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let name = table.text("name", values::name);
        if !table.has("name") {
            table.missing("name", "a short name, for logs and records");
        }
        let mut algorithms = table.list("algorithms", algorithm);
        if !table.has("algorithms") {
            algorithms = vec![Algorithm::Es384, Algorithm::Rs384];
        }
        let mut roles = table.list("roles", values::name);
        if !table.has("roles") {
            roles = vec!["ehr".to_owned()];
        }
        let client = Client {
            name: name.clone().unwrap_or_default(),
            issuer: table.text("iss", values::some_text),
            key_urls: table.list("jku", values::url),
            keys_file: table.path("keys_file"),
            keys: table.secret("keys", "keys_from"),
            algorithms,
            tenants: table.list("tenants", values::name),
            roles,
            role_claim: table.text("role_claim", values::some_text),
            fhir_servers: table.list("fhir_servers", values::name),
            max_lifetime: table.value_or("max_lifetime", Duration::from_secs(300), |value| {
                values::duration(value, Duration::from_secs(1), Duration::from_secs(86_400))
            }),
            certificates: table.list("certificates", values::some_text),
            certificate_alone: table.boolean("certificate_alone", false),
            purpose: table.text("purpose", values::name),
        };
        let has_keys =
            table.has("jku") || table.has("keys_file") || table.has("keys") || table.has("keys_from");
        match (&client.issuer, has_keys) {
            (Some(_), false) => table.missing(
                "jku",
                "the addresses of the client's key set, or `keys_file` with the set itself",
            ),
            (None, true) => table.missing("iss", "the issuer of the client's tokens"),
            (None, false) if client.certificates.is_empty() && !table.has("iss") => table.missing(
                "iss",
                "the issuer of the client's tokens, with `jku` or `keys_file`; or `certificates`",
            ),
            _ => {}
        }
        if client.certificate_alone && client.certificates.is_empty() {
            table.missing("certificates", "which certificates, where they do without a token");
        }
        if client.issuer.is_none() && !client.certificates.is_empty() && !client.certificate_alone {
            table.missing(
                "iss",
                "the issuer of the client's tokens; or `certificate_alone = true` where it has none",
            );
        }
        table.done();
        name.map(|_| client)
    }
}
