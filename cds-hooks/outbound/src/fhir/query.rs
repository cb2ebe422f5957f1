//! A read or a search, as it is sent.

use url::Url;

use super::access::Access;

/// A FHIR read, or a search of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    /// `Observation`.
    pub(crate) resource_type: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// By the id, as it is and not encoded.
    Read(String),
    /// By parameters, percent-encoded.
    Search(String),
}

/// Where a query goes: the URL, and the form of a POST.
pub(crate) struct Sent {
    pub(crate) url: Url,
    pub(crate) form: Option<String>,
}

impl Query {
    /// A search whose URL is longer than `max_get_url` is a POST.
    pub(crate) fn sent(&self, access: &Access, max_get_url: usize) -> Sent {
        let ty = &self.resource_type;
        match &self.what {
            What::Read(id) => Sent {
                url: access.url(&format!("{ty}/{}", encoded(id)), None),
                form: None,
            },
            What::Search(query) => {
                let url = access.url(ty, Some(query));
                if url.as_str().len() <= max_get_url {
                    return Sent { url, form: None };
                }
                Sent {
                    url: access.url(&format!("{ty}/_search"), None),
                    form: Some(query.clone()),
                }
            }
        }
    }
}

/// All but the unreserved characters of RFC 3986 percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
