//! What an address beside those of the service (explanations, numbers) has the log say of a request.

use std::sync::Arc;

use crate::hash::instance_name;
use crate::seams::{Caller, Endpoint};

/// To be put into the extensions of a response: the request gets a line of the log, and is counted. Holds no
/// token and nothing of a patient.
#[derive(Clone, Debug)]
pub struct Noted {
    /// `explain`, or the path of another address.
    pub(crate) endpoint: String,
    /// As it is counted.
    pub(crate) kind: &'static str,
    pub(crate) client: Option<Arc<str>>,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) service: Option<String>,
    pub(crate) hook_instance: Option<String>,
    pub(crate) error: Option<String>,
}

impl Noted {
    /// Of somebody who was let in. What the address names is said by [`Noted::with_call`], once it is known that
    /// it names something: it may hold anything.
    #[must_use]
    pub fn of(endpoint: Endpoint<'_>, caller: &Caller) -> Self {
        Noted {
            client: caller.client.clone(),
            tenant: caller.tenant.clone(),
            ..Noted::refused(endpoint, None)
        }
    }

    /// Of somebody who was not let in, and why.
    #[must_use]
    pub fn refused(endpoint: Endpoint<'_>, why: Option<&str>) -> Self {
        Noted {
            endpoint: match endpoint {
                Endpoint::Other(path, _) => path.to_owned(),
                other => other.name().to_owned(),
            },
            kind: endpoint.name(),
            client: None,
            tenant: None,
            service: None,
            hook_instance: None,
            error: why.map(str::to_owned),
        }
    }

    /// With the call that it is about.
    #[must_use]
    pub fn with_call(mut self, service: &str, hook_instance: &str) -> Self {
        self.service = Some(service.to_owned());
        self.hook_instance = Some(instance_name(hook_instance));
        self
    }
}
