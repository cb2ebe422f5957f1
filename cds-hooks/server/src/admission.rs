//! Who may call: the clients of the settings, by token or certificate ([`cds_security`]).

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cds_hooks::ClientCertificate;
use cds_hooks::seams::{
    Admission, BoxFuture, Caller, Endpoint, Knows, NotAdmitted, Permission, Permissions,
};
use cds_security::{
    Action, Answer, Authenticator, CertificateBinding, ClaimPath, Denied, KeyFetcher,
    PeerCertificate, Policy, Presented, ReplayStore, RoleClaim, Security,
};

use crate::live::{Again, Fingerprint, Marked, Part};
use crate::settings::{Client, Role, Settings};

/// Lets in whom the settings name. Key files can be read again while calls go on.
pub struct Door {
    security: Security,
    fetcher: Arc<dyn KeyFetcher>,
    replay: Arc<dyn ReplayStore>,
    now: RwLock<Arc<Authenticator>>,
    /// What the key files were like when they were last read.
    marked: Marked,
}

impl Door {
    /// Reads the key files that the settings name.
    ///
    /// # Errors
    /// All that is wrong with the clients, each with the name of the client in front.
    pub fn new(
        settings: &Settings,
        fetcher: Arc<dyn KeyFetcher>,
        replay: Arc<dyn ReplayStore>,
    ) -> Result<Self, Vec<String>> {
        let (security, marked) = (security(settings)?, Marked::default());
        marked.mark(&key_files(&security));
        let first = authenticator(&security, &fetcher, &replay, None)?;
        Ok(Door {
            security,
            fetcher,
            replay,
            now: RwLock::new(Arc::new(first)),
            marked,
        })
    }

    /// What lets in now.
    pub fn authenticator(&self) -> Arc<Authenticator> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now)
    }

    /// Key sets that could not be fetched, by address, and why.
    pub fn missing_keys(&self) -> Vec<String> {
        let states = self.authenticator().key_states();
        let missing = states.into_iter().filter(|state| state.keys == 0);
        missing.map(|state| not_at_hand(&state)).collect()
    }

    /// Whether anybody at all could come in.
    ///
    /// # Errors
    /// Every client is known by a key set that is fetched, and none of these is at hand. That one of several
    /// is not keeps the others from nothing.
    pub fn lets_in(&self) -> Result<(), String> {
        let by_itself = |client: &cds_security::Client| {
            client.iss.is_none() || client.keys.is_some() || client.keys_file.is_some()
        };
        let states = self.authenticator().key_states();
        let at_hand = states.iter().any(|state| state.keys > 0);
        match at_hand || self.security.clients.iter().any(by_itself) {
            true => Ok(()),
            false => {
                let all: Vec<String> = states.iter().map(not_at_hand).collect();
                Err(format!("no client could come in: {}", all.join("; ")))
            }
        }
    }

    /// How often key sets were fetched, and could not be, by address.
    pub fn fetches(&self) -> Vec<(String, u64, u64)> {
        let states = self.authenticator().key_states().into_iter();
        states
            .map(|state| (state.url, state.counts.fetched, state.counts.failed))
            .collect()
    }

    /// Keys of the sets of the settings and of their files that are of no use, and why.
    pub fn left_out(&self) -> Vec<String> {
        let own = self.authenticator().left_out().into_iter();
        own.map(|(client, why)| format!("client {client:?}: {why}"))
            .collect()
    }
}

fn not_at_hand(state: &cds_security::KeyState) -> String {
    let why = state.failure.as_deref().unwrap_or("not fetched yet");
    format!("{}: {why}", state.url)
}

fn authenticator(
    security: &Security,
    fetcher: &Arc<dyn KeyFetcher>,
    replay: &Arc<dyn ReplayStore>,
    before: Option<&Authenticator>,
) -> Result<Authenticator, Vec<String>> {
    let made = Authenticator::new(security, Arc::clone(fetcher), Arc::clone(replay), before);
    made.map_err(|problems| {
        let said = problems.into_iter();
        said.map(|problem| format!("{}: {}", named(&problem.at, security), problem.text))
            .collect()
    })
}

/// `clients[0].jku` as `client "ehr", jku`.
fn named(at: &str, security: &Security) -> String {
    let parts = at
        .strip_prefix("clients[")
        .and_then(|rest| rest.split_once(']'));
    let Some((index, rest)) = parts else {
        return match at.split('[').next() {
            Some("public_urls") => "[server] public_url".to_owned(),
            _ => at.to_owned(),
        };
    };
    let client = index
        .parse()
        .ok()
        .and_then(|i: usize| security.clients.get(i));
    match (client, rest.strip_prefix('.')) {
        (Some(client), Some(rest)) => format!("client {:?}, {rest}", client.name),
        (Some(client), None) => format!("client {:?}", client.name),
        (None, _) => at.to_owned(),
    }
}

/// The clients, roles and limits of the settings as [`cds_security`] takes them.
fn security(settings: &Settings) -> Result<Security, Vec<String>> {
    let tokens = &settings.tokens;
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let policy = Policy {
        leeway_seconds: seconds(tokens.leeway),
        max_lifetime_seconds: seconds(tokens.max_lifetime),
        max_token_bytes: tokens.max_bytes,
        keys_fresh_seconds: seconds(tokens.keys_fresh),
        keys_usable_seconds: seconds(tokens.keys_usable),
        keys_retry_seconds: seconds(tokens.keys_retry),
        keys_timeout_ms: u64::try_from(tokens.keys_timeout.as_millis()).unwrap_or(u64::MAX),
        max_remembered: tokens.max_remembered,
        ..Policy::default()
    };
    let (mut clients, mut wrong) = (vec![], vec![]);
    for client in &settings.clients {
        match of_client(client, settings) {
            Ok(client) => clients.push(client),
            Err(why) => wrong.push(format!("client {:?}, {why}", client.name)),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let public = settings.server.public_url.iter();
    Ok(Security {
        public_urls: public
            .map(|url| url.as_str().trim_end_matches('/').to_owned())
            .collect(),
        base_audience: settings.server.audience_base,
        policy,
        roles: settings.roles.iter().map(of_role).collect(),
        tenants: settings
            .tenants
            .iter()
            .map(|tenant| tenant.name.clone())
            .collect(),
        clients,
    })
}

fn of_role(role: &Role) -> cds_security::Role {
    let may = role
        .permissions
        .iter()
        .map(|permission| action(*permission));
    cds_security::Role {
        name: role.name.clone(),
        may: may.collect(),
        services: Some(role.services.clone()).filter(|services| !services.is_empty()),
    }
}

fn of_client(client: &Client, settings: &Settings) -> Result<cds_security::Client, String> {
    let keys = client.keys.as_ref();
    let keys = keys.map(|text| serde_json::Value::from(text.expose()));
    let algorithms: Result<Vec<cds_security::Algorithm>, String> = client
        .algorithms
        .iter()
        .map(|algorithm| {
            let name = serde_json::Value::from(algorithm.name());
            let known = serde_json::from_value(name);
            known.map_err(|_| format!("algorithms: {} is not taken here", algorithm.name()))
        })
        .collect();
    let servers = settings.fhir_servers.iter();
    let servers = servers.filter(|server| client.fhir_servers.contains(&server.name));
    let claim = client.role_claim.as_ref().map(|claim| RoleClaim {
        claim: ClaimPath::Path(claim.path.clone()),
        map: claim.map.iter().cloned().collect(),
    });
    let certificates = client.certificate.as_ref().map(|certificate| {
        let name = certificate.common_name.iter();
        CertificateBinding {
            fingerprint: certificate.fingerprint.clone(),
            san: certificate.san.clone(),
            subject: name.map(|name| ("CN".to_owned(), name.clone())).collect(),
        }
    });
    Ok(cds_security::Client {
        name: client.name.clone(),
        iss: client.issuer.clone(),
        jku: client
            .key_urls
            .iter()
            .map(|url| url.as_str().to_owned())
            .collect(),
        keys_file: client.keys_file.clone(),
        keys,
        // Of tokens, and it may send none.
        algorithms: client.issuer.is_some().then_some(algorithms?),
        audiences: client.audiences.clone(),
        tenants: client.tenants.clone(),
        roles: Some(client.roles.clone()),
        role_claim: claim,
        fhir_servers: servers
            .map(|server| server.url.as_str().to_owned())
            .collect(),
        certificates: certificates.into_iter().collect(),
        certificate_alone: client.issuer.is_none(),
        max_lifetime_seconds: None,
        purpose: client.purpose.clone(),
        action_selection_behavior: client.action_selection_behavior,
        system_actions: client.system_actions,
    })
}

fn action(permission: Permission) -> Action {
    match permission {
        Permission::Call => Action::Call,
        Permission::Feedback => Action::Feedback,
        Permission::Explain => Action::Explain,
        Permission::Reports => Action::Reports,
        Permission::Audit => Action::Audit,
        Permission::Metrics => Action::Metrics,
        Permission::Population => Action::Population,
        Permission::Admin => Action::Admin,
    }
}

fn endpoint(of: Endpoint<'_>) -> cds_security::Endpoint {
    match of {
        Endpoint::Discovery => cds_security::Endpoint::discovery(),
        Endpoint::Call(id) => cds_security::Endpoint::call(id),
        Endpoint::Feedback(id) => cds_security::Endpoint::feedback(id),
        Endpoint::Explain(id, instance) => cds_security::Endpoint::explain(id, instance),
        Endpoint::Other(path, permission) => {
            cds_security::Endpoint::other(action(permission), path)
        }
    }
}

impl Admission for Door {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        of: Endpoint<'a>,
        at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        Box::pin(async move {
            let headers = head.headers.get_all(AUTHORIZATION).iter();
            let headers: Vec<&[u8]> = headers.map(|value| value.as_bytes()).collect();
            let certificate = head.extensions.get::<ClientCertificate>();
            let certificate = certificate.map(|der| PeerCertificate::of(&der.0));
            let certificate = certificate
                .transpose()
                .map_err(|why| NotAdmitted::Unauthorized(format!("certificate: {why}")))?;
            let presented = Presented {
                authorization: &headers,
                certificate: certificate.as_ref(),
            };
            let authenticator = self.authenticator();
            let caller = authenticator
                .authenticate(&presented, &endpoint(of), at)
                .await;
            let caller = caller.map_err(|denied| refused(&denied))?;
            Ok(let_in(caller, of))
        })
    }
}

/// A caller who was let in to an endpoint.
fn let_in(caller: cds_security::Caller, to: Endpoint<'_>) -> Caller {
    let all = Permission::ALL.into_iter();
    // Of which service is checked where one is called.
    let may = all.filter(|permission| caller.permissions.allows(action(*permission), None));
    let mut services = caller.permissions.services();
    // Which services may be called says nothing of those whose explanations may be read, or of whose cards
    // something may be told: that was checked for the one of this address.
    if let (Some(ids), Endpoint::Feedback(id) | Endpoint::Explain(id, _)) = (&mut services, to)
        && !ids.contains(&id)
    {
        ids.push(id);
    }
    Caller {
        client: Some(caller.client),
        tenant: caller.tenant,
        subject: caller.subject.map(Arc::from),
        roles: caller.roles,
        purpose: caller.purpose,
        permissions: may.collect::<Permissions>(),
        services: services.map(|ids| ids.into_iter().map(Arc::from).collect()),
        knows: Knows {
            action_selection_behavior: caller.action_selection_behavior,
            system_actions: caller.system_actions,
        },
    }
}

fn refused(denied: &Denied) -> NotAdmitted {
    // The kind comes first: it is what is counted.
    let text = format!("{}: {denied}", denied.reason.name());
    match denied.answer() {
        Answer::Unauthenticated => NotAdmitted::Unauthorized(text),
        Answer::Forbidden => NotAdmitted::Forbidden(text),
        Answer::Unavailable => NotAdmitted::Unavailable(text),
    }
}

impl Part for Door {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn paths(&self) -> Vec<PathBuf> {
        key_files(&self.security)
    }

    fn last(&self) -> Fingerprint {
        self.marked.last()
    }

    fn read(&self) -> Result<Again, Vec<String>> {
        let (_, is_other) = self.marked.mark(&self.paths());
        let before = self.authenticator();
        let next = authenticator(&self.security, &self.fetcher, &self.replay, Some(&before))?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(Again {
            is_other,
            notes: self.left_out(),
        })
    }
}

fn key_files(security: &Security) -> Vec<PathBuf> {
    let clients = security.clients.iter();
    clients
        .filter_map(|client| client.keys_file.clone())
        .collect()
}
