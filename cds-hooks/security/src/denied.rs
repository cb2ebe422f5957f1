//! Why somebody is not let in: one thing for those outside, another for the log.

use std::fmt;

use sha2::{Digest, Sha256};

/// How much of a text that somebody outside chose is kept for the log, in characters.
const SHOWN: usize = 200;

/// What is said to those outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// 401 with `WWW-Authenticate: Bearer` and not a word more: whoever has no valid token learns neither
    /// what was wrong with it nor what there is.
    Unauthenticated,
    /// 403: the caller is known, and may not do this.
    Forbidden,
    /// 503: the caller is known, and what it takes to be sure of the rest is not to be had now.
    Unavailable,
}

impl Answer {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Answer::Unauthenticated => 401,
            Answer::Forbidden => 403,
            Answer::Unavailable => 503,
        }
    }
}

/// What was wrong, for counts: few values, whatever is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No `Authorization` header, and no certificate that names a client.
    Missing,
    /// The header or the token is malformed: size, characters, parts, JSON, types of members.
    Malformed,
    /// The header of the token asks for what is not taken: `alg`, `typ`, `crit`, `b64`, `cty`.
    Header,
    /// `iss` is no client.
    Issuer,
    /// `jku` is not on the list of the client.
    KeySetAddress,
    /// `aud` is another address.
    Audience,
    /// `exp`, `iat` or `nbf`: too late, too early, or valid for too long.
    Time,
    /// `tenant` is none of the client.
    Tenant,
    /// No key fits, or the key set cannot be had.
    Key,
    /// The signature does not fit.
    Signature,
    /// `jti` was seen before.
    Replay,
    /// A certificate is missing, or is another one than the client's.
    Certificate,
    /// Its roles do not let the caller do this.
    Role,
    /// There is no room left to remember a `jti`, or its store fails.
    ReplayStore,
}

impl Reason {
    /// A word for a label of a metric.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Missing => "missing",
            Reason::Malformed => "malformed",
            Reason::Header => "header",
            Reason::Issuer => "issuer",
            Reason::KeySetAddress => "jku",
            Reason::Audience => "audience",
            Reason::Time => "time",
            Reason::Tenant => "tenant",
            Reason::Key => "key",
            Reason::Signature => "signature",
            Reason::Replay => "replay",
            Reason::Certificate => "certificate",
            Reason::Role => "role",
            Reason::ReplayStore => "replay_store",
        }
    }

    /// What those outside get.
    pub fn answer(self) -> Answer {
        match self {
            Reason::Role => Answer::Forbidden,
            Reason::ReplayStore => Answer::Unavailable,
            _ => Answer::Unauthenticated,
        }
    }
}

/// A refusal. Its text is for the log of whoever operates the service: it never holds the token, its
/// signature or the `jti` itself, and what it quotes of a token is short and of printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// For counts.
    pub reason: Reason,
    /// What was wrong, and what to do about it.
    pub text: String,
    /// Who it was, as far as that was said.
    pub claimed: Box<Claimed>,
}

/// What a caller that was not let in says of itself. Nothing of it is sure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The configured client, once it is known whose token it claims to be.
    pub client: Option<String>,
    /// `iss` as sent.
    pub iss: Option<String>,
    /// `tenant` as sent.
    pub tenant: Option<String>,
    /// The first 16 hexadecimal digits of the SHA-256 of `jti`.
    pub jti_hash: Option<String>,
}

impl Denied {
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Denied {
            reason,
            text: text.into(),
            claimed: Box::default(),
        }
    }

    /// What those outside get.
    pub fn answer(&self) -> Answer {
        self.reason.answer()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let parts = [
            ("client", &self.claimed.client),
            ("iss", &self.claimed.iss),
            ("tenant", &self.claimed.tenant),
            ("jti sha256", &self.claimed.jti_hash),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, "; {name} `{value}`")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Denied {}

/// A text from outside as a log may show it: short, and nothing in it that a terminal obeys or that
/// makes a second line.
pub(crate) fn shown(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    let odd = |c: char| c.is_control() || c == '`' || turns(c);
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if odd(c) { '?' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Tells two `jti` apart, and does not tell what they are.
pub(crate) fn hash(jti: &str) -> String {
    let digest = Sha256::digest(jti.as_bytes());
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_one_line() {
        assert_eq!(shown("https://ehr.example"), "https://ehr.example");
        assert_eq!(shown("a\nb\u{1b}[31m\u{202e}`"), "a?b?[31m??");
        let long = shown(&"ä".repeat(5000));
        assert_eq!(long.chars().count(), SHOWN + 1);
    }

    #[test]
    fn a_refusal_says_what_who_and_which() {
        let mut denied = Denied::new(Reason::Replay, "the token was used before");
        denied.claimed.iss = Some("https://ehr.example".into());
        denied.claimed.jti_hash = Some(hash("secret"));
        let text = denied.to_string();
        assert!(text.starts_with("the token was used before; iss `https://ehr.example`"));
        assert!(!text.contains("secret"));
        assert_eq!(hash("secret"), "2bb80d537b1da3e3");
    }
}
