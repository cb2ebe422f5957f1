//! From a request to its caller, in the order of checklist 82: `iss`, `aud`, `exp`, `tenant`, signature,
//! `jti`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use url::Url;

use crate::algorithm::Algorithm;
use crate::bearer::bearer;
use crate::caller::{Caller, Proof};
use crate::certificate::PeerCertificate;
use crate::check::{Problem, Problems};
use crate::client::{CertificateBinding, Client, Policy, RoleClaim, Security};
use crate::denied::{Claimed, Denied, Reason, hash, shown};
use crate::endpoint::{Audiences, Endpoint, without_instance};
use crate::key_cache::{KeyCache, KeyState};
use crate::key_fetcher::KeyFetcher;
use crate::key_set::KeySet;
use crate::replay::ReplayStore;
use crate::role::{DEFAULT_ROLE, Permissions, Role};
use crate::token::{self, Claims, Token};

/// What a request shows of its caller.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The values of its `Authorization` headers, all of them.
    pub authorization: &'a [&'a [u8]],
    /// The certificate of the client at the other end of the TLS connection, verified.
    pub certificate: Option<&'a PeerCertificate>,
}

/// Knows who may come in.
pub struct Authenticator {
    audiences: Audiences,
    policy: Policy,
    clients: Vec<Known>,
    by_iss: HashMap<String, usize>,
    keys: KeyCache,
    replay: Arc<dyn ReplayStore>,
}

/// A client, ready for use.
struct Known {
    name: Arc<str>,
    jku: Vec<String>,
    keys: Option<KeySet>,
    algorithms: Vec<Algorithm>,
    audiences: Vec<String>,
    tenants: Vec<Arc<str>>,
    roles: Vec<Role>,
    /// What it may do by its roles alone.
    permissions: Arc<Permissions>,
    role_claim: Option<(RoleClaim, HashMap<String, Role>)>,
    fhir_servers: Arc<[String]>,
    iss: Option<String>,
    certificates: Vec<CertificateBinding>,
    /// Whether a certificate does without a token.
    certificate_alone: bool,
    max_lifetime: Option<u32>,
    purpose: Option<Arc<str>>,
    action_selection_behavior: bool,
    system_actions: bool,
}

impl Authenticator {
    /// Of a configuration; reads the key files that it names. Key sets that `before` has fetched are
    /// kept, so that a reload does not wait for them.
    ///
    /// # Errors
    /// All that is wrong with the configuration and the files.
    pub fn new(
        security: &Security,
        fetcher: Arc<dyn KeyFetcher>,
        replay: Arc<dyn ReplayStore>,
        before: Option<&Authenticator>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems(security.check());
        let roles = security.all_roles();
        let mut clients = vec![];
        for (index, client) in security.clients.iter().enumerate() {
            let keys = own_keys(client, &format!("clients[{index}]"), &mut problems);
            clients.push(Known::new(client, keys, &roles));
        }
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let iss = |(index, client): (usize, &Known)| Some((client.iss.clone()?, index));
        let urls = clients
            .iter()
            .flat_map(|c| c.jku.iter().map(String::as_str));
        let by_iss: HashMap<_, _> = clients.iter().enumerate().filter_map(iss).collect();
        replay.shared_by(by_iss.len());
        Ok(Authenticator {
            audiences: Audiences::new(&security.public_urls, security.base_audience),
            policy: security.policy.clone(),
            by_iss,
            keys: KeyCache::new(urls, &security.policy, fetcher, before.map(|b| &b.keys)),
            clients,
            replay,
        })
    }

    /// Says who calls. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where nobody is let in, or somebody who may not do this.
    pub async fn authenticate(
        &self,
        presented: &Presented<'_>,
        endpoint: &Endpoint,
        now: i64,
    ) -> Result<Caller, Denied> {
        let headers = presented.authorization.iter().copied();
        let caller = match bearer(headers, self.policy.max_token_bytes)? {
            Some(token) => self.by_token(token, presented, endpoint, now).await?,
            None => self.by_certificate(presented)?,
        };
        if !caller
            .permissions
            .allows(endpoint.action, endpoint.service.as_deref())
        {
            let action = endpoint.action.name();
            let text = match &endpoint.service {
                Some(id) => format!(
                    "no role lets the client `{action}` the service `{}`",
                    shown(id)
                ),
                None => format!("no role lets the client `{action}`"),
            };
            let mut denied = Denied::new(Reason::Role, text);
            denied.claimed.client = Some(caller.client.to_string());
            denied.claimed.tenant = caller.tenant.as_deref().map(str::to_owned);
            denied.claimed.jti_hash = caller.jti_hash;
            return Err(denied);
        }
        Ok(caller)
    }

    /// Fetches the key sets that were not fetched yet, so that the first calls need not wait for them.
    pub async fn warm(&self, now: i64) {
        self.keys.warm(now).await;
    }

    /// What is known of the key sets that clients publish.
    pub fn key_states(&self) -> Vec<KeyState> {
        self.keys.states()
    }

    /// What was left out of the key sets that were exchanged: client and reason.
    pub fn left_out(&self) -> Vec<(String, String)> {
        let of = |client: &Known| -> Vec<_> {
            let keys = client.keys.iter().flat_map(|keys| &keys.left_out);
            keys.map(|why| (client.name.to_string(), why.clone()))
                .collect()
        };
        self.clients.iter().flat_map(of).collect()
    }

    async fn by_token(
        &self,
        text: &str,
        presented: &Presented<'_>,
        endpoint: &Endpoint,
        now: i64,
    ) -> Result<Caller, Denied> {
        let token = token::read(text)?;
        let found = self.by_iss.get(&token.claims.iss);
        let client = found.and_then(|index| self.clients.get(*index));
        let caller = match client {
            Some(client) => self.check(client, &token, presented, endpoint, now).await,
            None => Err(Denied::new(
                Reason::Issuer,
                "`iss` is the issuer of no client",
            )),
        };
        let claims = &token.claims;
        caller.map_err(|mut denied| {
            *denied.claimed = Claimed {
                client: client.map(|client| client.name.to_string()),
                iss: Some(shown(&claims.iss)),
                tenant: claims.tenant.as_deref().map(shown),
                jti_hash: Some(hash(&claims.jti)),
            };
            denied
        })
    }

    async fn check(
        &self,
        client: &Known,
        token: &Token<'_>,
        presented: &Presented<'_>,
        endpoint: &Endpoint,
        now: i64,
    ) -> Result<Caller, Denied> {
        let (header, claims) = (&token.header, &token.claims);
        let name = &client.name;
        let jku = header.jku.as_deref().map(|jku| client.listed(jku));
        let jku = jku.transpose()?;
        if !client.algorithms.contains(&header.algorithm) {
            let text = format!(
                "`alg` is {}, which `{name}` may not use",
                header.algorithm.name()
            );
            return Err(Denied::new(Reason::Header, text));
        }
        if !self.is_for(client, claims, endpoint) {
            let expected = self.audiences.expected(endpoint);
            let sent = claims.aud.first().map_or("", String::as_str);
            let text = format!(
                "`aud` is `{}`, and the address called is `{}`",
                shown(without_instance(sent)),
                shown(without_instance(&expected))
            );
            return Err(Denied::new(Reason::Audience, text));
        }
        self.in_time(client, claims, now)?;
        let tenant = client.tenant(claims.tenant.as_deref())?;
        let proof = client.certified(presented)?;
        self.signed(client, token, jku, now).await?;
        // The clocks of servers that share what is remembered may differ, too: the one that is ahead must
        // not forget what another would still take.
        let until = claims.exp + 2 * i64::from(self.policy.leeway_seconds);
        match self
            .replay
            .remember(&claims.iss, &claims.jti, until, now)
            .await
        {
            Ok(true) => {}
            Ok(false) => return Err(Denied::new(Reason::Replay, "the token was used before")),
            Err(why) => return Err(Denied::new(Reason::ReplayStore, why)),
        }
        Ok(Caller {
            subject: claims.sub.clone(),
            jti_hash: Some(hash(&claims.jti)),
            ..client.caller(tenant, client.given(&claims.all), proof)
        })
    }

    fn is_for(&self, client: &Known, claims: &Claims, endpoint: &Endpoint) -> bool {
        let promised = |aud: &String| client.audiences.contains(aud);
        self.audiences.fits(&claims.aud, endpoint) || claims.aud.iter().any(promised)
    }

    fn in_time(&self, client: &Known, claims: &Claims, now: i64) -> Result<(), Denied> {
        let leeway = i64::from(self.policy.leeway_seconds);
        let most = client
            .max_lifetime
            .unwrap_or(self.policy.max_lifetime_seconds);
        let most = i64::from(most);
        let wrong = |text: String| Err(Denied::new(Reason::Time, text));
        let lifetime = claims.exp - claims.iat;
        if now >= claims.exp + leeway {
            return wrong(format!("the token expired {} s ago", now - claims.exp));
        }
        if claims.iat > now + leeway {
            return wrong(format!(
                "`iat` is {} s ahead: is a clock wrong?",
                claims.iat - now
            ));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now + leeway) {
            return wrong("`nbf` is still ahead".to_owned());
        }
        if !(1..=most).contains(&lifetime) {
            return wrong(format!(
                "`exp` is {lifetime} s after `iat`, and 1 to {most} s are taken"
            ));
        }
        Ok(())
    }

    async fn signed(
        &self,
        client: &Known,
        token: &Token<'_>,
        jku: Option<&String>,
        now: i64,
    ) -> Result<(), Denied> {
        let (algorithm, kid) = (token.header.algorithm, token.header.kid.as_deref());
        let fits = |keys: &KeySet| {
            let mut keys = keys.fitting(algorithm, kid).into_iter();
            keys.any(|key| {
                let (signature, message) = (token.signature, token.message.as_bytes());
                jsonwebtoken::crypto::verify(signature, message, key, algorithm.library())
                    .unwrap_or(false)
            })
        };
        let own = client.keys.as_ref();
        if let Some(own) = own.filter(|keys| !keys.fitting(algorithm, kid).is_empty()) {
            let is_signed = fits(own);
            // A key without a name is tried for every `kid`, also for that of a newer key, which is published.
            if is_signed || client.jku.is_empty() || !own.has_unnamed() {
                return signed(is_signed);
            }
        }
        let urls = match jku {
            Some(jku) => std::slice::from_ref(jku),
            None => client.jku.as_slice(),
        };
        if urls.is_empty() {
            let why = "no key of the client has this `kid` and algorithm";
            return Err(Denied::new(Reason::Key, why));
        }
        match self.keys.find(urls, algorithm, kid, now).await {
            Ok(keys) => signed(fits(&keys)),
            // A set that cannot be had is 401 as well, and no 5xx: whoever writes tokens of a client whose
            // keys cannot be had would make this service look broken, and learn who its clients are.
            Err(why) => Err(Denied::new(Reason::Key, why)),
        }
    }

    /// The one client that is bound to a certificate and to nothing else.
    fn by_certificate(&self, presented: &Presented<'_>) -> Result<Caller, Denied> {
        let Some(certificate) = presented.certificate else {
            return Err(Denied::new(Reason::Missing, "there is no token"));
        };
        let bound = |client: &&Known| {
            client.certificate_alone && certificate.fits_one(&client.certificates)
        };
        let mut found = self.clients.iter().filter(bound);
        let client = match (found.next(), found.next()) {
            (Some(client), None) => client,
            (None, _) => {
                let text = "there is no token, and the certificate is that of no client";
                return Err(Denied::new(Reason::Certificate, text));
            }
            (Some(one), Some(other)) => {
                let text = format!("the certificate fits `{}` and `{}`", one.name, other.name);
                return Err(Denied::new(Reason::Certificate, text));
            }
        };
        Ok(client.caller(client.tenant(None)?, vec![], Proof::Certificate))
    }
}

fn signed(is: bool) -> Result<(), Denied> {
    match is {
        true => Ok(()),
        false => Err(Denied::new(
            Reason::Signature,
            "the signature does not fit the key",
        )),
    }
}

impl Known {
    fn new(client: &Client, keys: Option<KeySet>, all: &[Role]) -> Self {
        let role = |name: &str| all.iter().find(|role| role.name == name).cloned();
        let names = match (&client.roles, &client.role_claim) {
            (Some(names), _) => names.clone(),
            (None, Some(_)) => vec![],
            (None, None) => vec![DEFAULT_ROLE.to_owned()],
        };
        let roles: Vec<Role> = names.iter().filter_map(|name| role(name)).collect();
        let role_claim = client.role_claim.as_ref().map(|claim| {
            let given = claim.map.iter();
            let by_value = given.filter_map(|(value, name)| Some((value.clone(), role(name)?)));
            let by_name = all.iter().map(|role| (role.name.clone(), role.clone()));
            let roles = match claim.map.is_empty() {
                true => by_name.collect(),
                false => by_value.collect(),
            };
            (claim.clone(), roles)
        });
        let algorithms = client.algorithms.clone();
        Known {
            name: client.name.as_str().into(),
            jku: client.jku.clone(),
            keys,
            algorithms: algorithms.unwrap_or_else(|| Algorithm::RECOMMENDED.into()),
            audiences: client.audiences.clone(),
            tenants: client.tenants.iter().map(|t| t.as_str().into()).collect(),
            permissions: Arc::new(Permissions::of(&roles)),
            roles,
            role_claim,
            fhir_servers: client.fhir_servers.clone().into(),
            iss: client.iss.clone(),
            certificates: client.certificates.clone(),
            certificate_alone: client.certificate_alone || client.iss.is_none(),
            max_lifetime: client.max_lifetime_seconds,
            purpose: client.purpose.as_deref().map(Arc::from),
            action_selection_behavior: client.action_selection_behavior,
            system_actions: client.system_actions,
        }
    }

    /// The address of a key set as it is configured: that one is fetched, whatever the token writes.
    fn listed(&self, jku: &str) -> Result<&String, Denied> {
        let mut all = self.jku.iter();
        let found = all.find(|listed| is_same_address(listed, jku));
        found.ok_or_else(|| {
            let (jku, name) = (shown(jku), &self.name);
            let text = format!("`jku` is `{jku}`, which is not on the list of `{name}`");
            Denied::new(Reason::KeySetAddress, text)
        })
    }

    /// The tenant that a call is for.
    fn tenant(&self, claimed: Option<&str>) -> Result<Option<Arc<str>>, Denied> {
        let denied = |text: &str| Err(Denied::new(Reason::Tenant, text));
        match (self.tenants.as_slice(), claimed) {
            ([], _) => Ok(None),
            ([only], None) => Ok(Some(Arc::clone(only))),
            (_, None) => denied("the client has several tenants, and the token does not say which"),
            (tenants, Some(claimed)) => {
                match tenants.iter().find(|tenant| tenant.as_ref() == claimed) {
                    Some(tenant) => Ok(Some(Arc::clone(tenant))),
                    None => denied("`tenant` is none of the client"),
                }
            }
        }
    }

    /// Whether the client shows the certificate that it is bound to, where it is to one.
    fn certified(&self, presented: &Presented<'_>) -> Result<Proof, Denied> {
        if self.certificates.is_empty() {
            return Ok(Proof::Token);
        }
        let denied = |text: &str| Err(Denied::new(Reason::Certificate, text));
        match presented.certificate {
            None => denied("the client has to show a certificate beside its token"),
            Some(certificate) if certificate.fits_one(&self.certificates) => Ok(Proof::Both),
            Some(_) => denied("the certificate is not that of the client"),
        }
    }

    /// The caller, with what roles its token gives.
    fn caller(&self, tenant: Option<Arc<str>>, given: Vec<&Role>, proof: Proof) -> Caller {
        let roles = || self.roles.iter().chain(given.iter().copied());
        let permissions = match given.is_empty() {
            true => Arc::clone(&self.permissions),
            false => Arc::new(Permissions::of(roles())),
        };
        Caller {
            client: Arc::clone(&self.name),
            tenant,
            subject: None,
            roles: roles().map(|role| role.name.as_str().into()).collect(),
            purpose: self.purpose.clone(),
            action_selection_behavior: self.action_selection_behavior,
            system_actions: self.system_actions,
            permissions,
            fhir_servers: Arc::clone(&self.fhir_servers),
            proof,
            jti_hash: None,
        }
    }

    /// The roles that a token gives.
    fn given(&self, claims: &Map<String, Value>) -> Vec<&Role> {
        let Some((claim, by_value)) = &self.role_claim else {
            return vec![];
        };
        let mut members = claim.claim.members().iter();
        let first = members.next().and_then(|name| claims.get(name));
        let value = members.try_fold(first, |value, name| Some(value?.get(name)));
        let said: Vec<&str> = match value.flatten() {
            Some(Value::String(words)) => words.split_ascii_whitespace().collect(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let mut given: Vec<&Role> = vec![];
        for role in said.iter().filter_map(|said| by_value.get(*said)) {
            let known = |other: &Role| other.name == role.name;
            if !self.roles.iter().any(known) && !given.iter().any(|other| known(other)) {
                given.push(role);
            }
        }
        given
    }
}

/// Letter by letter, but for what RFC 3986 §6.2.2.1 and §6.2.3 call the same in scheme, host and port.
fn is_same_address(listed: &str, jku: &str) -> bool {
    if listed == jku {
        return true;
    }
    let parts = |text: &str| {
        // Nothing that a parser mends in silence.
        let odd = |b: u8| !b.is_ascii_graphic() || matches!(b, b'\\' | b'@' | b'#');
        let url = Url::parse(text).ok().filter(|_| !text.bytes().any(odd))?;
        let (_, rest) = text.split_once("://")?;
        let path = rest
            .find('/')
            .map_or("/", |at| rest.get(at..).unwrap_or("/"));
        Some((url.origin().ascii_serialization(), path.to_owned()))
    };
    matches!((parts(listed), parts(jku)), (Some(listed), Some(jku)) if listed == jku)
}

/// The key set that was exchanged with a client.
fn own_keys(client: &Client, at: &str, problems: &mut Problems) -> Option<KeySet> {
    let (at, keys) = match (&client.keys_file, &client.keys) {
        // Told already.
        (Some(_), Some(_)) => return None,
        (Some(path), None) => {
            let keys = match std::fs::read(path) {
                Ok(bytes) => KeySet::parse(&bytes),
                Err(error) => Err(format!("cannot be read: {error}")),
            };
            let keys = keys.map_err(|why| format!("{} {why}", path.display()));
            (format!("{at}.keys_file"), keys)
        }
        (None, Some(Value::String(text))) => (format!("{at}.keys"), KeySet::parse(text.as_bytes())),
        (None, Some(keys)) => (format!("{at}.keys"), KeySet::of(keys)),
        (None, None) => return None,
    };
    match keys {
        Ok(keys) => Some(keys),
        Err(why) => {
            problems.add(at, why);
            None
        }
    }
}
