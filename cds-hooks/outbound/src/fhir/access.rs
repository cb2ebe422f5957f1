//! The FHIR server of a call, and what may be read there.

use url::Url;

use crate::client::Client;
use crate::failure::{Failure, Family};
use crate::secret::Secret;

/// A FHIR server that may be called, with the token for it.
///
/// `Debug` shows where, and neither the token nor the patient.
#[derive(Clone)]
pub struct Access {
    /// Its path ends with a slash.
    base: Url,
    pub(crate) token: Option<Secret>,
    pub(crate) patient: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The access that a call gives: `fhirServer` (with or without a slash at its end, with or without a
    /// path), and the `access_token` and `token_type` of `fhirAuthorization` where there is one. `patient`
    /// is the id of the only patient whose data may be read: that of the call.
    ///
    /// # Errors
    ///
    /// The address is none, or none that may be called; the token is not of the type `Bearer`.
    pub fn new(
        client: &Client,
        server: &str,
        token: Option<(Secret, &str)>,
        patient: Option<&str>,
    ) -> Result<Self, Failure> {
        client.check(server)?;
        let mut base = client.parse(server)?;
        let origin = base.origin().ascii_serialization();
        let refuse = |why: &str| Err(Failure::at(&origin, Family::NotAllowed, why));
        if server.contains(['?', '#']) {
            return refuse("the base URL of a FHIR server has no query and no fragment");
        }
        // The parser resolves them; what was named is what is compared.
        let after = server.split_once("://").map_or("", |(_, after)| after);
        let path = after.split_once('/').map_or("", |(_, path)| path);
        if leads_up(path) {
            return refuse("the base URL of a FHIR server has no `..` in it");
        }
        if let Some((_, ty)) = &token
            && !ty.eq_ignore_ascii_case("Bearer")
        {
            return Err(Failure::at(
                &origin,
                Family::NotAsked,
                "the access token is not of the type `Bearer`",
            ));
        }
        let slashed = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&slashed);
        Ok(Access {
            base,
            token: token.map(|(token, _)| token),
            patient: patient.map(str::to_owned),
        })
    }

    pub(crate) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The path of the base, with its slash.
    pub(crate) fn path(&self) -> &str {
        self.base.path()
    }

    /// A URL under the base. `path` and `query` are encoded.
    pub(crate) fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url.set_query(query);
        url
    }

    /// The URL of a `next` link: absolute, or relative to the base. It must stay on the server: on its origin
    /// and under its path, or the path itself (`…/fhir?_getpages=…`).
    pub(crate) fn next(&self, client: &Client, link: &str) -> Result<Url, Failure> {
        let url = match link.contains("://") || link.starts_with("//") {
            true => client.parse(link)?,
            false if link.is_empty() || link.contains(char::is_whitespace) => {
                return Err(self.elsewhere());
            }
            false => self.base.join(link).map_err(|_| self.elsewhere())?,
        };
        let path = url.path();
        let under = path.starts_with(self.base.path()) || format!("{path}/") == self.base.path();
        let bare = url.username().is_empty() && url.password().is_none();
        match under && bare && !leads_up(path) && url.origin() == self.base.origin() {
            true => Ok(url),
            false => Err(self.elsewhere()),
        }
    }

    fn elsewhere(&self) -> Failure {
        let why = "a link to the next page leads to another place, and is not followed";
        Failure::at(&self.origin(), Family::NotAllowed, why)
    }
}

/// Whether a path has `.` or `..` for a segment, however it is written: a server may take an encoded slash for
/// one.
fn leads_up(path: &str) -> bool {
    let plain = path
        .to_ascii_lowercase()
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "/");
    plain
        .split('/')
        .any(|segment| matches!(segment, "." | ".."))
}
