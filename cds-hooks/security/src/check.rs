//! What is wrong with a configuration: all of it at once.

use std::collections::HashMap;

use url::{Host, Url};

use crate::certificate::{ATTRIBUTES, fingerprint_of};
use crate::client::{CertificateBinding, Client, Policy, Security};
use crate::endpoint::base;
use crate::role::{Role, built_in};

/// Key sets of one client; each may take a fetch.
const MAX_JKU: usize = 8;

/// Something in a configuration that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `clients[2].jku[0]`, counted from 0, by the names of [`Security`].
    pub at: String,
    /// What, and what instead.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// The problems so far.
#[derive(Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, at: impl Into<String>, text: impl Into<String>) {
        self.0.push(Problem {
            at: at.into(),
            text: text.into(),
        });
    }
}

impl Security {
    /// All that is wrong with it, without a look at the files that it names.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if self.public_urls.is_empty() {
            problems.add(
                "public_urls",
                "is empty: write the base URL that clients call, such as `https://cds.example`; the `aud` of their tokens is compared with it",
            );
        }
        for (index, url) in self.public_urls.iter().enumerate() {
            if let Err(why) = base(url) {
                problems.add(format!("public_urls[{index}]"), format!("`{url}` {why}"));
            }
        }
        policy(&self.policy, &mut problems);
        roles(&self.roles, &mut problems);
        names("tenants", self.tenants.iter(), &mut problems);
        names(
            "clients",
            self.clients.iter().map(|c| &c.name),
            &mut problems,
        );
        if self.clients.is_empty() {
            problems.add("clients", "is empty: nobody could come in");
        }
        let roles = self.all_roles();
        for (index, client) in self.clients.iter().enumerate() {
            self.client(&format!("clients[{index}]"), client, &roles, &mut problems);
        }
        self.unlike(&mut problems);
        problems.0
    }

    /// The built-in roles and those that are configured.
    pub(crate) fn all_roles(&self) -> Vec<Role> {
        let mut roles = built_in();
        roles.retain(|role| self.roles.iter().all(|own| own.name != role.name));
        roles.extend(self.roles.iter().cloned());
        roles
    }

    fn client(&self, at: &str, client: &Client, roles: &[Role], problems: &mut Problems) {
        match (&client.iss, client.certificates.is_empty()) {
            (None, true) => problems.add(
                at,
                "has neither `iss` (it sends a token) nor `certificates` (it shows one): nothing would prove who it is",
            ),
            (Some(_), _) => token_client(at, client, problems),
            (None, false) => {
                let unused = [
                    ("jku", !client.jku.is_empty()),
                    ("keys", client.keys.is_some()),
                    ("keys_file", client.keys_file.is_some()),
                    ("algorithms", client.algorithms.is_some()),
                    ("audiences", !client.audiences.is_empty()),
                    ("role_claim", client.role_claim.is_some()),
                ];
                for (name, _) in unused.iter().filter(|(_, there)| *there) {
                    problems.add(format!("{at}.{name}"), "is for tokens, and there is no `iss`");
                }
            }
        }
        if client.comes_alone() && client.tenants.len() > 1 {
            problems.add(
                format!("{at}.tenants"),
                "has several, and without a token nothing says which one a call is for",
            );
        }
        if client.certificate_alone && client.certificates.is_empty() {
            problems.add(
                format!("{at}.certificate_alone"),
                "is set, and there are no `certificates`",
            );
        }
        if client
            .max_lifetime_seconds
            .is_some_and(|most| !(1..=86_400).contains(&most))
        {
            problems.add(
                format!("{at}.max_lifetime_seconds"),
                "must be from 1 to 86400",
            );
        }
        for (index, tenant) in client.tenants.iter().enumerate() {
            if !self.tenants.contains(tenant) {
                let known = listed(self.tenants.iter());
                problems.add(
                    format!("{at}.tenants[{index}]"),
                    format!("`{tenant}` is no tenant; there are {known}"),
                );
            }
        }
        let mut role = |at: String, name: &str| {
            if !roles.iter().any(|role| role.name == name) {
                let known = listed(roles.iter().map(|role| &role.name));
                problems.add(at, format!("`{name}` is no role; there are {known}"));
            }
        };
        for (index, name) in client.roles.iter().flatten().enumerate() {
            role(format!("{at}.roles[{index}]"), name);
        }
        for (value, name) in client.role_claim.iter().flat_map(|claim| &claim.map) {
            role(format!("{at}.role_claim.map.{value}"), name);
        }
        if client
            .role_claim
            .as_ref()
            .is_some_and(|c| c.claim.members().is_empty())
        {
            problems.add(format!("{at}.role_claim.claim"), "names no member");
        }
        for (index, url) in client.fhir_servers.iter().enumerate() {
            if let Err(why) = web_address(url, false) {
                problems.add(
                    format!("{at}.fhir_servers[{index}]"),
                    format!("`{url}` {why}"),
                );
            }
        }
        for (index, binding) in client.certificates.iter().enumerate() {
            certificate(&format!("{at}.certificates[{index}]"), binding, problems);
        }
    }

    /// Two clients that could not be told apart.
    fn unlike(&self, problems: &mut Problems) {
        let mut by_iss = HashMap::new();
        let mut bindings: Vec<(&CertificateBinding, &str)> = vec![];
        for (index, client) in self.clients.iter().enumerate() {
            if let Some(iss) = &client.iss
                && let Some(other) = by_iss.insert(iss, &client.name)
            {
                problems.add(
                    format!("clients[{index}].iss"),
                    format!(
                        "`{iss}` is the issuer of client `{other}` too: each client has its own"
                    ),
                );
            }
            let own = client.certificates.iter().enumerate();
            for (number, binding) in own.filter(|_| client.comes_alone()) {
                if let Some((_, other)) = bindings.iter().find(|(b, _)| *b == binding) {
                    problems.add(
                        format!("clients[{index}].certificates[{number}]"),
                        format!("is one of client `{other}` too: nothing tells them apart"),
                    );
                }
                bindings.push((binding, &client.name));
            }
        }
    }
}

impl Client {
    /// Whether a certificate does without a token.
    fn comes_alone(&self) -> bool {
        self.certificate_alone || self.iss.is_none()
    }
}

fn token_client(at: &str, client: &Client, problems: &mut Problems) {
    let iss = client.iss.as_deref().unwrap_or_default();
    if iss.is_empty() || iss.len() > 2048 || iss.chars().any(char::is_control) {
        problems.add(format!("{at}.iss"), "is not a text of 1 to 2048 bytes");
    }
    if client.jku.is_empty() && client.keys.is_none() && client.keys_file.is_none() {
        problems.add(
            at,
            "has no key: write `jku` (the address of its key set), `keys_file` or `keys`",
        );
    }
    if client.keys.is_some() && client.keys_file.is_some() {
        problems.add(at, "has both `keys` and `keys_file`: write one of them");
    }
    if client.algorithms.as_ref().is_some_and(Vec::is_empty) {
        problems.add(
            format!("{at}.algorithms"),
            "is empty: leave it out for `ES384` and `RS384`, which CDS Hooks recommends",
        );
    }
    if client.jku.len() > MAX_JKU {
        problems.add(
            format!("{at}.jku"),
            format!("has more than {MAX_JKU} addresses"),
        );
    }
    for (index, url) in client.jku.iter().enumerate() {
        if let Err(why) = web_address(url, true) {
            problems.add(format!("{at}.jku[{index}]"), format!("`{url}` {why}"));
        }
    }
    if client.audiences.iter().any(String::is_empty) {
        problems.add(format!("{at}.audiences"), "has an empty text");
    }
}

fn certificate(at: &str, binding: &CertificateBinding, problems: &mut Problems) {
    let CertificateBinding {
        fingerprint,
        san,
        subject,
    } = binding;
    if fingerprint.is_none() && san.is_none() && subject.is_empty() {
        problems.add(
            at,
            "says nothing of the certificate: write `fingerprint`, `san` or `subject`",
        );
    }
    if fingerprint
        .as_ref()
        .is_some_and(|f| fingerprint_of(f).is_none())
    {
        problems.add(
            format!("{at}.fingerprint"),
            "is no SHA-256 of 64 hexadecimal digits: `openssl x509 -in FILE -noout -fingerprint -sha256` prints it",
        );
    }
    let named = |san: &String| {
        let parts = san.split_once(':');
        parts.is_some_and(|(kind, name)| matches!(kind, "dns" | "uri") && !name.is_empty())
    };
    if san.as_ref().is_some_and(|san| !named(san)) {
        problems.add(format!("{at}.san"), "is neither `dns:NAME` nor `uri:URI`");
    }
    for name in subject.keys() {
        if !ATTRIBUTES.iter().any(|(known, _)| known == name) {
            let known = listed(ATTRIBUTES.iter().map(|(known, _)| *known));
            problems.add(
                format!("{at}.subject.{name}"),
                format!("is no attribute that can be named; those are {known}"),
            );
        }
    }
}

/// Names that are there, and each once.
fn names<'a>(list: &str, names: impl Iterator<Item = &'a String>, problems: &mut Problems) {
    let mut seen = vec![];
    for (index, name) in names.enumerate() {
        let at = format!("{list}[{index}]");
        if name.trim().is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
            problems.add(at, "has no name of 1 to 256 bytes");
        } else if seen.contains(&name) {
            problems.add(at, format!("`{name}` is there twice"));
        }
        seen.push(name);
    }
}

fn roles(roles: &[Role], problems: &mut Problems) {
    names("roles", roles.iter().map(|role| &role.name), problems);
    for (index, role) in roles.iter().enumerate() {
        if role.may.is_empty() {
            problems.add(
                format!("roles[{index}].may"),
                "is empty: the role lets do nothing",
            );
        }
        for (number, id) in role.services.iter().flatten().enumerate() {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if id.is_empty() || !id.chars().all(fits) {
                problems.add(
                    format!("roles[{index}].services[{number}]"),
                    format!("`{id}` is not the id of a service: those are of letters, digits, `.`, `_`, `-`"),
                );
            }
        }
    }
}

fn policy(policy: &Policy, problems: &mut Problems) {
    let numbers = [
        ("leeway_seconds", u64::from(policy.leeway_seconds), 0, 600),
        (
            "max_lifetime_seconds",
            u64::from(policy.max_lifetime_seconds),
            1,
            86_400,
        ),
        (
            "max_token_bytes",
            policy.max_token_bytes as u64,
            512,
            60 * 1024,
        ),
        (
            "keys_fresh_seconds",
            u64::from(policy.keys_fresh_seconds),
            1,
            86_400,
        ),
        (
            "keys_usable_seconds",
            u64::from(policy.keys_usable_seconds),
            1,
            604_800,
        ),
        (
            "keys_retry_seconds",
            u64::from(policy.keys_retry_seconds),
            1,
            3600,
        ),
        ("keys_timeout_ms", policy.keys_timeout_ms, 1, 60_000),
        (
            "max_keys_bytes",
            policy.max_keys_bytes as u64,
            512,
            16 << 20,
        ),
        (
            "max_remembered",
            policy.max_remembered as u64,
            1,
            100_000_000,
        ),
    ];
    for (name, value, least, most) in numbers {
        if !(least..=most).contains(&value) {
            problems.add(
                format!("policy.{name}"),
                format!("is {value}, and must be from {least} to {most}"),
            );
        }
    }
}

/// The address of something that is asked for: `https`, or `http` on this machine.
fn web_address(text: &str, of_keys: bool) -> Result<(), String> {
    let Ok(url) = Url::parse(text) else {
        return Err("is no URL: write it with `https://`".to_owned());
    };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        // Whether plain HTTP is taken there is a setting of the servers that are asked.
        "http" if here || !of_keys => {}
        "http" => {
            return Err(
                "is not `https`: whoever sits between could give keys of its own".to_owned(),
            );
        }
        _ => return Err("is no `https` address".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user in it".to_owned());
    }
    if url.fragment().is_some() {
        return Err("has a fragment (`#`), which no server gets to see".to_owned());
    }
    Ok(())
}

/// `a`, `b` and so on; or none.
fn listed(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{}`", name.as_ref())).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
