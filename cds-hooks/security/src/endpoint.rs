//! What is called, and what `aud` has to be for it.

use url::Url;

use crate::role::Action;

/// An address of the service, and what a request to it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What is done there.
    pub action: Action,
    /// The service that it is about.
    pub service: Option<String>,
    /// Its path under the base URL, from its `/` on and without a query.
    pub path: String,
}

impl Endpoint {
    /// `GET /cds-services`.
    pub fn discovery() -> Self {
        Endpoint::other(Action::Call, "/cds-services")
    }

    /// `POST /cds-services/{id}`.
    pub fn call(service: &str) -> Self {
        Endpoint::of_service(Action::Call, service, "")
    }

    /// `POST /cds-services/{id}/feedback`.
    pub fn feedback(service: &str) -> Self {
        Endpoint::of_service(Action::Feedback, service, "/feedback")
    }

    /// `GET /cds-services/{id}/explain/{hookInstance}`.
    pub fn explain(service: &str, hook_instance: &str) -> Self {
        let path = format!("/explain/{hook_instance}");
        Endpoint::of_service(Action::Explain, service, &path)
    }

    /// Any other.
    pub fn other(action: Action, path: &str) -> Self {
        Endpoint {
            action,
            service: None,
            path: path.to_owned(),
        }
    }

    fn of_service(action: Action, service: &str, rest: &str) -> Self {
        Endpoint {
            action,
            service: Some(service.to_owned()),
            path: format!("/cds-services/{service}{rest}"),
        }
    }
}

/// What stands before the paths of the service, for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audiences {
    bases: Vec<String>,
    /// A base URL alone is one, too.
    base_alone: bool,
}

impl Audiences {
    /// Of base URLs that [`base`] takes.
    pub(crate) fn new(bases: &[String], base_alone: bool) -> Self {
        Audiences {
            bases: bases.iter().filter_map(|url| base(url).ok()).collect(),
            base_alone,
        }
    }

    /// Whether a token with these `aud` is for this endpoint.
    pub(crate) fn fits<T: AsRef<str>>(&self, aud: &[T], endpoint: &Endpoint) -> bool {
        let called = self
            .bases
            .iter()
            .map(|base| format!("{base}{}", endpoint.path));
        let called: Vec<String> = called.filter_map(|url| address(&url)).collect();
        let known =
            |aud: &String| called.contains(aud) || self.base_alone && self.bases.contains(aud);
        aud.iter()
            .filter_map(|aud| address(aud.as_ref()))
            .any(|aud| known(&aud))
    }

    /// What `aud` should be, for the log.
    pub(crate) fn expected(&self, endpoint: &Endpoint) -> String {
        let base = self.bases.first().map_or("", String::as_str);
        format!("{base}{}", endpoint.path)
    }
}

/// An address as it is compared: host in small letters, no default port, and single slashes, none of
/// them at the end, since the service takes an address with more for the same.
///
/// `None` for what nobody can have called: with user, query or fragment, with `.` or `..` for a segment (which
/// an id of a service that came percent-encoded may be), or not of HTTP.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    // The parser takes them as slashes, or leaves them out.
    let odd = text
        .bytes()
        .any(|b| b == b'\\' || b <= b' ' || !b.is_ascii());
    let dots = |segment: &str| {
        matches!(
            &*segment.to_ascii_lowercase().replace("%2e", "."),
            "." | ".."
        )
    };
    if !plain || odd || text.split('/').any(dots) {
        return None;
    }
    let mut address = url.origin().ascii_serialization();
    for segment in url.path().split('/').filter(|s| !s.is_empty()) {
        address.push('/');
        address.push_str(segment);
    }
    Some(address)
}

/// An address for the log, without the hook instance that the one of an explanation ends with.
pub(crate) fn without_instance(address: &str) -> &str {
    const EXPLAIN: &str = "/explain/";
    let end = address.find(EXPLAIN).map(|at| at + EXPLAIN.len());
    end.and_then(|end| address.get(..end)).unwrap_or(address)
}

/// A base URL of the service as it is compared.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn base(text: &str) -> Result<String, String> {
    let base = address(text).ok_or_else(|| {
        "is no base URL: write scheme, host and perhaps port and path, as clients call it, such as `https://cds.example`".to_owned()
    })?;
    if base.ends_with("/cds-services") {
        return Err("ends with `/cds-services`: write what stands before it".to_owned());
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audiences(base_alone: bool) -> Audiences {
        Audiences::new(&["https://CDS.example:443/r4/".into()], base_alone)
    }

    /// Checklist 71 and 78.
    #[test]
    fn aud_is_the_address_called() {
        let call = Endpoint::call("a1c");
        for right in [
            "https://cds.example/r4/cds-services/a1c",
            "https://cds.example/r4/cds-services/a1c/",
            "https://cds.example/r4//cds-services/a1c",
            "https://cds.example:443/r4/cds-services/a1c",
            "HTTPS://Cds.Example/r4/cds-services/a1c",
        ] {
            assert!(audiences(false).fits(&[right], &call), "{right}");
        }
        for wrong in [
            "",
            "a1c",
            "https://cds.example/r4",
            "https://cds.example/r4/cds-services",
            "https://cds.example/r4/cds-services/a1c/feedback",
            "https://cds.example/r4/cds-services/A1C",
            "https://cds.example/r4/cds-services/a1",
            "https://cds.example/cds-services/a1c",
            "http://cds.example/r4/cds-services/a1c",
            "https://cds.example:8443/r4/cds-services/a1c",
            "https://cds.example.evil.example/r4/cds-services/a1c",
            "https://x@cds.example/r4/cds-services/a1c",
            "https://cds.example/r4/cds-services/a1c?x=1",
            "https://cds.example/r4/cds-services/a1c#x",
            "https://cds.example/r4\\cds-services\\a1c",
            " https://cds.example/r4/cds-services/a1c",
            "https://cds.example/r4/cds-services/a1\nc",
            "https://cds.example/r4/cds-services/x/../a1c",
            "https://cds.example/r4/cds-services/./a1c",
            "https://cds.example/r4/cds-services/x/%2E%2e/a1c",
        ] {
            assert!(!audiences(false).fits(&[wrong], &call), "{wrong}");
        }
        let feedback = Endpoint::feedback("a1c");
        let called = "https://cds.example/r4/cds-services/a1c/feedback";
        assert!(audiences(false).fits(&[called], &feedback));
        let discovery = Endpoint::discovery();
        assert!(audiences(false).fits(&["https://cds.example/r4/cds-services"], &discovery));
        assert!(!audiences(false).fits(&["https://cds.example/r4/cds-services/a1c"], &discovery));
        assert_eq!(audiences(false).expected(&feedback), called);
    }

    /// An id comes from outside: with a slash or dots in it, it makes no other address of this one.
    #[test]
    fn an_id_leads_nowhere_else() {
        let feedback = "https://cds.example/r4/cds-services/a1c/feedback";
        for id in [
            "x/../a1c",
            "..",
            ".",
            "../cds-services/a1c",
            "a1c?x",
            "a1c#x",
            "%2e%2e",
        ] {
            let called = [format!("https://cds.example/r4/cds-services/{id}")];
            assert!(!audiences(false).fits(&called, &Endpoint::call(id)), "{id}");
        }
        let explain = Endpoint::explain("a1c", "../feedback");
        assert!(!audiences(false).fits(&[feedback], &explain));
        assert!(!audiences(true).fits(&["https://cds.example"], &Endpoint::call("../..")));
    }

    #[test]
    fn a_hook_instance_is_not_logged() {
        let called = "https://cds.example/r4/cds-services/a1c/explain/d1577c69";
        assert_eq!(
            without_instance(called),
            called.trim_end_matches("d1577c69")
        );
        assert_eq!(
            without_instance("https://cds.example/x"),
            "https://cds.example/x"
        );
    }

    #[test]
    fn the_base_alone_where_it_is_said() {
        let call = Endpoint::call("a1c");
        assert!(!audiences(false).fits(&["https://cds.example/r4"], &call));
        assert!(audiences(true).fits(&["https://cds.example/r4"], &call));
        assert!(audiences(true).fits(&["https://cds.example/r4/"], &call));
        assert!(!audiences(true).fits(&["https://cds.example"], &call));
    }

    #[test]
    fn what_is_no_base_url() {
        for wrong in [
            "",
            "cds.example",
            "ftp://cds.example",
            "https://cds.example/?x",
            "https://u:p@cds.example",
            "https://cds.example/cds-services/",
        ] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            base("http://127.0.0.1:8080/").unwrap(),
            "http://127.0.0.1:8080"
        );
    }
}
