//! Who called, once it is sure.

use std::sync::Arc;

use crate::role::Permissions;

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a token.
    Token,
    /// By a certificate.
    Certificate,
    /// By both.
    Both,
}

/// A caller that was let in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name of the client.
    pub client: Arc<str>,
    /// The tenant that it speaks for.
    pub tenant: Option<Arc<str>>,
    /// `sub` of its token, for the audit.
    pub subject: Option<String>,
    /// The names of its roles.
    pub roles: Vec<Arc<str>>,
    /// Why it asks: a code of v3 `PurposeOfUse`.
    pub purpose: Option<Arc<str>>,
    /// It is known to support `actionSelectionBehavior`.
    pub action_selection_behavior: bool,
    /// It is known to carry out `systemActions`.
    pub system_actions: bool,
    /// What it may do.
    pub permissions: Arc<Permissions>,
    /// The base URLs of the FHIR servers that it may have asked for data.
    pub fhir_servers: Arc<[String]>,
    /// How it proved who it is.
    pub proof: Proof,
    /// The first 16 hexadecimal digits of the SHA-256 of the `jti` of its token, for the audit.
    pub jti_hash: Option<String>,
}
