//! The signature algorithms that can be trusted: none that is symmetric, and never `none`.

use jsonwebtoken::Algorithm as Library;
use serde::{Deserialize, Serialize};

/// A signature algorithm of JWS (RFC 7518 §3.1). CDS Hooks recommends ES384 and RS384.
///
/// There is no value for `none` or for the symmetric ones (`HS256` and its like): with those whoever can
/// check a token can make one, and the public key is known to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the names are those of RFC 7518, and of RFC 8037"
)]
pub enum Algorithm {
    ES256,
    ES384,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    EdDSA,
}

/// The public key that an algorithm goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Rsa,
    Ed25519,
}

/// Every algorithm with its name.
const ALL: [(Algorithm, &str, Library, KeyKind); 9] = [
    (Algorithm::ES256, "ES256", Library::ES256, KeyKind::P256),
    (Algorithm::ES384, "ES384", Library::ES384, KeyKind::P384),
    (Algorithm::RS256, "RS256", Library::RS256, KeyKind::Rsa),
    (Algorithm::RS384, "RS384", Library::RS384, KeyKind::Rsa),
    (Algorithm::RS512, "RS512", Library::RS512, KeyKind::Rsa),
    (Algorithm::PS256, "PS256", Library::PS256, KeyKind::Rsa),
    (Algorithm::PS384, "PS384", Library::PS384, KeyKind::Rsa),
    (Algorithm::PS512, "PS512", Library::PS512, KeyKind::Rsa),
    (Algorithm::EdDSA, "EdDSA", Library::EdDSA, KeyKind::Ed25519),
];

impl Algorithm {
    /// What a client may use where nothing else is configured: `ES384` and `RS384`.
    pub const RECOMMENDED: [Algorithm; 2] = [Algorithm::ES384, Algorithm::RS384];

    /// By its name, letter by letter: `es384` is none.
    pub fn named(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|(_, known, ..)| *known == name);
        found.map(|(algorithm, ..)| *algorithm)
    }

    /// The name in the header of a token.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn library(self) -> Library {
        self.row().2
    }

    pub(crate) fn key_kind(self) -> KeyKind {
        self.row().3
    }

    fn row(self) -> (Self, &'static str, Library, KeyKind) {
        let found = ALL.iter().find(|(algorithm, ..)| *algorithm == self);
        // Every one has its row: see the test.
        found
            .copied()
            .unwrap_or((self, "", Library::ES384, KeyKind::P384))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        for (algorithm, name, library, _) in ALL {
            assert_eq!(algorithm.name(), name);
            assert_eq!(Algorithm::named(name), Some(algorithm));
            assert_eq!(format!("{library:?}"), name);
            assert_eq!(serde_json::to_value(algorithm).unwrap(), name);
        }
    }

    #[test]
    fn nothing_symmetric_and_not_none() {
        for name in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "es384", "ES384 ",
        ] {
            assert_eq!(Algorithm::named(name), None, "{name}");
            assert!(serde_json::from_value::<Algorithm>(name.into()).is_err());
        }
    }
}
