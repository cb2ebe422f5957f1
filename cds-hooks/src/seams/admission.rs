//! Who calls, and whether they may (CDS Hooks 2.0, "Security and Safety").

use std::sync::Arc;

use axum::http::request::Parts;

use super::boxed::BoxFuture;
use super::permission::{Permission, Permissions};

/// Lets callers in, or not. Asked once per request, before its body is read. A CORS preflight is not a
/// call and is answered without it.
pub trait Admission: Send + Sync {
    /// Who calls. `at` is the time of the call in seconds from 1970, by the clock of the service.
    ///
    /// `head` has the headers as they came, and in its extensions what the connection knows (a client's
    /// certificate).
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        endpoint: Endpoint<'a>,
        at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>>;
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Endpoint<'a> {
    /// `GET /cds-services`.
    Discovery,
    /// `POST /cds-services/{id}`. There need not be such a service.
    Call(&'a str),
    /// `POST /cds-services/{id}/feedback`.
    Feedback(&'a str),
    /// `GET /cds-services/{id}/explain/{hookInstance}`.
    Explain(&'a str, &'a str),
    /// Another address of the composed server, by its path and what it takes.
    Other(&'a str, Permission),
}

impl Endpoint<'_> {
    /// The path below the base URL, as the `aud` of a token has it.
    pub fn path(self) -> String {
        match self {
            Endpoint::Discovery => "/cds-services".to_owned(),
            Endpoint::Call(id) => format!("/cds-services/{id}"),
            Endpoint::Feedback(id) => format!("/cds-services/{id}/feedback"),
            Endpoint::Explain(id, instance) => format!("/cds-services/{id}/explain/{instance}"),
            Endpoint::Other(path, _) => path.to_owned(),
        }
    }

    /// What it takes.
    pub fn permission(self) -> Permission {
        match self {
            Endpoint::Discovery | Endpoint::Call(_) => Permission::Call,
            Endpoint::Feedback(_) => Permission::Feedback,
            Endpoint::Explain(..) => Permission::Explain,
            Endpoint::Other(_, permission) => permission,
        }
    }

    /// For logs and metrics, without ids.
    pub fn name(self) -> &'static str {
        match self {
            Endpoint::Discovery => "discovery",
            Endpoint::Call(_) => "call",
            Endpoint::Feedback(_) => "feedback",
            Endpoint::Explain(..) => "explain",
            Endpoint::Other(..) => "other",
        }
    }
}

/// Who calls, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// The client, by the name it is configured under. Nobody's patient.
    pub client: Option<Arc<str>>,
    /// The tenant, whose rules answer.
    pub tenant: Option<Arc<str>>,
    /// The subject of the token, for audit.
    pub subject: Option<Arc<str>>,
    /// Its roles, for consent and audit.
    pub roles: Vec<Arc<str>>,
    /// Why it asks (v3 `PurposeOfUse`: `TREAT`), for consent.
    pub purpose: Option<Arc<str>>,
    /// What it may do. Where an endpoint takes what is not here the answer is 403.
    pub permissions: Permissions,
    /// The ids of the services it may discover, call and send feedback to; `None`: all of its tenant's.
    pub services: Option<Arc<[Arc<str>]>>,
    /// What the client is known to support beyond CDS Hooks 2.0.
    pub knows: Knows,
}

impl Caller {
    /// Somebody of whom nothing is known, and who may do everything.
    pub fn anyone() -> Self {
        Caller {
            permissions: Permissions::ALL,
            ..Caller::default()
        }
    }

    /// Whether it may see the service of this id.
    pub fn may_see(&self, service: &str) -> bool {
        let all = self.services.as_deref();
        all.is_none_or(|all| all.iter().any(|id| **id == *service))
    }
}

/// What a client is known to support, agreed beforehand ("Capability Documentation").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Knows {
    /// `actionSelectionBehavior` of suggestions (3.0).
    pub action_selection_behavior: bool,
    /// It carries out `systemActions`.
    pub system_actions: bool,
}

/// Why a caller is not let in. What is said is for the log: the caller is told the status and no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotAdmitted {
    /// 401: no token, or one that does not hold.
    Unauthorized(String),
    /// 403: it is known who calls, and they may not.
    Forbidden(String),
    /// 503: it cannot be told now, since no room is left to remember tokens, or their store is away. Only for
    /// a token whose signature holds: nobody outside can make a 5xx.
    Unavailable(String),
}

impl NotAdmitted {
    /// For the log. Holds no token and nothing of a patient.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unauthorized(reason) | Self::Forbidden(reason) | Self::Unavailable(reason) => {
                reason
            }
        }
    }
}

/// Lets everyone in.
pub struct Open;

impl Admission for Open {
    fn admit<'a>(
        &'a self,
        _head: &'a Parts,
        _endpoint: Endpoint<'a>,
        _at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        Box::pin(std::future::ready(Ok(Caller::anyone())))
    }
}
