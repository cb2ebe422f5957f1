//! `[[client]]`, `[[role]]`: who may call, and what they may do.

use std::path::PathBuf;
use std::time::Duration;

use cds_hooks::seams::Permission;
use engine_patient::finding::did_you_mean;
use url::Url;

use super::read::secret::Secret;
use super::read::table::{Table, Wrong, one_of};
use super::read::values;
use super::server::size;

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
        role(
            "quality",
            &[
                Permission::Explain,
                Permission::Reports,
                Permission::Population,
            ],
        ),
        role("auditor", &[Permission::Explain, Permission::Audit]),
        role("operator", &[Permission::Metrics, Permission::Admin]),
    ]
}

impl Role {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let name = table.text("name", values::name);
        if !table.has("name") {
            table.missing("name", "a short name");
        }
        let permissions = table.list("permissions", permission);
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

/// By its word.
fn permission(text: &str) -> Result<Permission, Wrong> {
    Permission::of(text).ok_or_else(|| {
        let words = Permission::ALL.map(Permission::as_str);
        let near = did_you_mean(text, words);
        Wrong(
            format!("one of {}", words.join(", ")),
            near.map(|near| format!("did you mean {near:?}?")),
        )
    })
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
    /// What else than the address called may be the `aud` of its tokens.
    pub audiences: Vec<String>,
    /// A claim of its tokens that gives further roles.
    pub role_claim: Option<RoleClaim>,
    /// FHIR servers that it may have asked: names of `[[fhir_server]]`.
    pub fhir_servers: Vec<String>,
    /// The certificate that it has to show. Without `issuer` it needs no token beside it.
    pub certificate: Option<Certificate>,
    /// The purpose of its calls (v3 PurposeOfUse), for consent.
    pub purpose: Option<String>,
    /// Who it is, in the references of Consents.
    pub party: Party,
    /// It is known to support `actionSelectionBehavior` of suggestions (CDS Hooks 3.0).
    pub action_selection_behavior: bool,
    /// It is known to carry out `systemActions`.
    pub system_actions: bool,
}

/// Roles by a claim of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleClaim {
    /// The member of the payload, or the way to it.
    pub path: Vec<String>,
    /// What stands there, and the role that it gives.
    pub map: Vec<(String, String)>,
}

/// What the certificate of a client has to be. All that is given has to fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: Option<String>,
    /// A subject alternative name: `dns:ehr.example` or `uri:urn:example:ehr`.
    pub san: Option<String>,
    /// The common name of its subject.
    pub common_name: Option<String>,
}

/// Who a client is, in the references of Consents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// Organizations that it belongs to or acts for: `Organization/1`.
    pub organizations: Vec<String>,
    /// The program itself: `Device/1`.
    pub devices: Vec<String>,
    /// Organizations that hold the data it sends: `Organization/1`.
    pub custodians: Vec<String>,
    /// Business identifiers of any of these: system and value.
    pub identifiers: Vec<(String, String)>,
}

impl Party {
    fn read(table: Table<'_>) -> Self {
        let reference = |text: &str| {
            let parts = text.split_once('/');
            let fits = parts.is_some_and(|(ty, id)| !ty.is_empty() && !id.is_empty());
            match fits {
                true => Ok(text.to_owned()),
                false => Err(Wrong::expected("a reference, as in \"Organization/1\"")),
            }
        };
        let party = Party {
            organizations: table.list("organizations", reference),
            devices: table.list("devices", reference),
            custodians: table.list("custodians", reference),
            identifiers: table.list("identifiers", |text| match text.split_once('|') {
                Some((system, value)) if !value.is_empty() => {
                    Ok((system.to_owned(), value.to_owned()))
                }
                _ => Err(Wrong::expected(
                    "an identifier, as in \"http://example.org/ids|42\"",
                )),
            }),
        };
        table.done();
        party
    }
}

impl RoleClaim {
    fn read(table: Table<'_>) -> Option<Self> {
        let path = match table.is_list("claim") {
            true => table.list("claim", values::some_text),
            false => table.text("claim", values::some_text).into_iter().collect(),
        };
        if table.is_there() && path.is_empty() && !table.has("claim") {
            table.missing(
                "claim",
                "the name of the claim, or the list of names that leads to it",
            );
        }
        let map = table.texts("map");
        if table.has("map") && map.is_empty() {
            let help = "as in map = { \"Pharmacist\" = \"ehr\" }, or leave out [client.role_claim]";
            table.wrong("map", "gives no role", Some(help.to_owned()));
        }
        if table.is_there() && !table.has("map") {
            table.missing(
                "map",
                "which role each text gives, as in map = { \"Pharmacist\" = \"ehr\" }",
            );
        }
        table.done();
        (!path.is_empty()).then_some(RoleClaim { path, map })
    }
}

impl Certificate {
    fn read(table: Table<'_>) -> Option<Self> {
        let certificate = Certificate {
            fingerprint: table.text("fingerprint", fingerprint),
            san: table.text("san", san),
            common_name: table.text("common_name", values::some_text),
        };
        let names = ["fingerprint", "san", "common_name"];
        let says = names.iter().any(|name| table.has(name));
        if table.is_there() && !says {
            table.missing(
                "san",
                "what the certificate has to say: `san`, `fingerprint` or `common_name`",
            );
        }
        table.done();
        says.then_some(certificate)
    }
}

fn fingerprint(text: &str) -> Result<String, Wrong> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    match digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(digits.to_ascii_lowercase()),
        false => Err(Wrong::expected(
            "the SHA-256 of a certificate, 64 hexadecimal digits",
        )),
    }
}

fn san(text: &str) -> Result<String, Wrong> {
    let name = text
        .strip_prefix("dns:")
        .or_else(|| text.strip_prefix("uri:"));
    match name.is_some_and(|name| !name.is_empty()) {
        true => Ok(text.to_owned()),
        false => Err(Wrong::expected(
            "a subject alternative name, as in \"dns:ehr.example\" or \"uri:urn:example:ehr\"",
        )),
    }
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
}

const ALGORITHMS: [(&str, Algorithm); 8] = [
    ("ES384", Algorithm::Es384),
    ("RS384", Algorithm::Rs384),
    ("ES256", Algorithm::Es256),
    ("RS256", Algorithm::Rs256),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
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
            true => Wrong(
                expected,
                Some("CDS Hooks forbids `none` and symmetric algorithms".to_owned()),
            ),
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
        if !table.has("roles") && !table.has("role_claim") {
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
            audiences: table.list("audiences", values::some_text),
            role_claim: RoleClaim::read(table.table("role_claim")),
            fhir_servers: table.list("fhir_servers", values::name),
            certificate: Certificate::read(table.table("certificate")),
            purpose: table.text("purpose", |text| {
                super::records::purpose(text).map(|_| text.to_owned())
            }),
            party: Party::read(table.table("party")),
            action_selection_behavior: table.boolean("action_selection_behavior", false),
            system_actions: table.boolean("system_actions", false),
        };
        let has_keys = table.has("jku")
            || table.has("keys_file")
            || table.has("keys")
            || table.has("keys_from");
        match (&client.issuer, has_keys) {
            (Some(_), false) => table.missing(
                "jku",
                "the addresses of the client's key set, or `keys_file` with the set itself",
            ),
            (None, true) => table.missing("iss", "the issuer of the client's tokens"),
            (None, false) if !table.has("certificate") && !table.has("iss") => table.missing(
                "iss",
                "the issuer of the client's tokens, with `jku` or `keys_file`; or `certificate`",
            ),
            _ => {}
        }
        table.done();
        name.map(|_| client)
    }
}

/// Limits on tokens and key sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tokens {
    /// How far clocks may differ.
    pub leeway: Duration,
    /// The longest time between `iat` and `exp`.
    pub max_lifetime: Duration,
    /// The largest token, in bytes.
    pub max_bytes: usize,
    /// How long a key set that was fetched is used without a look for a newer one.
    pub keys_fresh: Duration,
    /// How long it is used where a newer one cannot be had.
    pub keys_usable: Duration,
    /// The time after which one more look may be taken at an address.
    pub keys_retry: Duration,
    /// How long a fetch may take.
    pub keys_timeout: Duration,
    /// Tokens that are remembered at once, where no store does that.
    pub max_remembered: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens {
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(3600),
            max_bytes: 16 << 10,
            keys_fresh: Duration::from_secs(600),
            keys_usable: Duration::from_secs(3600),
            keys_retry: Duration::from_secs(5),
            keys_timeout: Duration::from_secs(2),
            max_remembered: 1_000_000,
        }
    }
}

impl Tokens {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Tokens::default();
        let time = |name, default, most| {
            table.value_or(name, default, |value| {
                values::duration(value, Duration::from_secs(1), Duration::from_secs(most))
            })
        };
        let tokens = Tokens {
            leeway: time("leeway", usual.leeway, 600),
            max_lifetime: time("max_lifetime", usual.max_lifetime, 86_400),
            max_bytes: size(
                table.value_or("max_bytes", usual.max_bytes as u64, |value| {
                    values::bytes(value, 512, 64 << 10)
                }),
            ),
            keys_fresh: time("keys_fresh", usual.keys_fresh, 86_400),
            keys_usable: time("keys_usable", usual.keys_usable, 7 * 86_400),
            keys_retry: time("keys_retry", usual.keys_retry, 3600),
            keys_timeout: time("keys_timeout", usual.keys_timeout, 30),
            max_remembered: size(table.number(
                "max_remembered",
                usual.max_remembered as u64,
                100,
                50_000_000,
            )),
        };
        table.done();
        tokens
    }
}
