//! An origin that may be called, and what is allowed there.

use ipnet::IpNet;
use url::{Host, Url};

use crate::address::refused;

/// Where addresses are allowed that are not of the public Internet: what whoever runs the service has to know.
pub(crate) const RANGES: &str =
    "`private_ranges` of its [[fhir_server]], or `key_set_private_ranges` in [outbound]";

/// An origin (RFC 6454) that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// `https://ehr.example.org` or `https://ehr.example.org:8443`: scheme, host and perhaps a port.
    pub origin: String,
    /// `http` is taken for this origin. Tokens and data of patients then go in the clear.
    pub plain_http: bool,
    /// Ranges of addresses, otherwise refused, that the origin may have: `10.1.0.0/16`.
    pub networks: Vec<IpNet>,
    /// Certificates in PEM of authorities that are believed here beside those of the machine ([`crate::authorities`]).
    pub authorities: Option<String>,
    /// Redirects that are followed, on this origin only. A redirect elsewhere never is.
    pub redirects: u8,
}

impl Allowed {
    /// `https` only, public addresses, authorities of the machine, no redirects.
    pub fn new(origin: impl Into<String>) -> Self {
        Allowed {
            origin: origin.into(),
            plain_http: false,
            networks: vec![],
            authorities: None,
            redirects: 0,
        }
    }

    /// The origin as URLs are compared by it, or what is wrong with it.
    pub(crate) fn key(&self) -> Result<String, String> {
        let url = Url::parse(&self.origin).map_err(|e| {
            format!("no URL ({e}): an origin such as `https://ehr.example.org` is expected")
        })?;
        let bare = self.origin.trim_end_matches('/');
        let is_origin = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && bare.matches('/').count() == 2;
        if !is_origin {
            return Err(
                "more than an origin: scheme, host and perhaps a port, such as `https://ehr.example.org:8443`, is expected"
                    .to_owned(),
            );
        }
        match url.scheme() {
            "https" => {}
            "http" if self.plain_http => {}
            "http" => {
                return Err(
                    "`http` sends tokens and data of patients in the clear: write `https`, or allow plain http for this origin"
                        .to_owned(),
                );
            }
            _ => return Err("only `https` and `http` can be called".to_owned()),
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(name)) if name.ends_with('.') => {
                return Err("a host that ends with a dot: leave the dot out".to_owned());
            }
            _ => None,
        };
        if let Some(why) = address.and_then(|address| refused(address, &self.networks)) {
            return Err(format!(
                "{why}: it is called only where a range of networks of this origin has it ({RANGES})"
            ));
        }
        Ok(url.origin().ascii_serialization())
    }
}
