//! A token taken apart (JWS compact serialization, RFC 7515 §7.1): nothing here is verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::denied::{Denied, Reason, shown};
use crate::strict_json;

/// The longest `jti`, `kid` and `tenant`, in bytes.
const MAX_NAME: usize = 256;

/// The longest `iss`, in bytes.
const MAX_ISS: usize = 2048;

/// The last second of the year 9999: what is later is no time.
const LAST: f64 = 253_402_300_799.0;

/// What a token says, and what it is signed over.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) header: Header,
    pub(crate) claims: Claims,
    /// What the signature is of.
    pub(crate) message: &'a str,
    pub(crate) signature: &'a str,
}

/// The members of the header that count. `jwk`, `x5u` and `x5c` are passed over: no key is ever taken
/// from a token.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) jku: Option<String>,
}

/// The members of the payload that count, of the right types.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: Vec<String>,
    /// Seconds since 1970.
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: String,
    pub(crate) tenant: Option<String>,
    pub(crate) sub: Option<String>,
    /// All of it.
    pub(crate) all: Map<String, Value>,
}

/// Takes a token apart.
///
/// # Errors
/// Where it is no JWS of three parts of strict JSON, its header asks for something that is never
/// taken, or a member is missing or of a wrong type.
pub(crate) fn read(token: &str) -> Result<Token<'_>, Denied> {
    let malformed = |text: &str| Denied::new(Reason::Malformed, text);
    let (message, signature) = token
        .rsplit_once('.')
        .ok_or_else(|| malformed("the token has not three parts"))?;
    let (header, payload) = message
        .split_once('.')
        .filter(|(_, payload)| !payload.contains('.'))
        .ok_or_else(|| malformed("the token has not three parts"))?;
    let part = |text: &str, name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let object = bytes.and_then(|bytes| strict_json::object(&bytes));
        object.ok_or_else(|| {
            malformed(&format!(
                "the {name} of the token is no JSON object in base64url, or a member of it stands twice"
            ))
        })
    };
    let header = read_header(&part(header, "header")?)?;
    let claims = read_claims(part(payload, "payload")?)?;
    Ok(Token {
        header,
        claims,
        message,
        signature,
    })
}

fn read_header(members: &Map<String, Value>) -> Result<Header, Denied> {
    let refused = |text: String| Err(Denied::new(Reason::Header, text));
    let name = match members.get("alg") {
        Some(Value::String(name)) => name,
        _ => return refused("the header has no `alg`".to_owned()),
    };
    let Some(algorithm) = Algorithm::named(name) else {
        let name = shown(name);
        return refused(format!("`alg` is `{name}`, which is never taken"));
    };
    // Another type is another kind of token, made for something else.
    match members.get("typ") {
        Some(Value::String(typ)) if typ.eq_ignore_ascii_case("JWT") => {}
        Some(_) => return refused("`typ` of the header is not `JWT`".to_owned()),
        None => return refused("the header has no `typ`: it must be `JWT`".to_owned()),
    }
    for name in ["crit", "b64", "cty", "enc", "zip"] {
        if members.contains_key(name) {
            return refused(format!("the header has `{name}`, which is not supported"));
        }
    }
    Ok(Header {
        algorithm,
        kid: text(members, "kid", MAX_NAME, Reason::Header)?,
        jku: text(members, "jku", MAX_ISS, Reason::Header)?,
    })
}

fn read_claims(all: Map<String, Value>) -> Result<Claims, Denied> {
    let missing =
        |name: &str| Denied::new(Reason::Malformed, format!("the payload has no `{name}`"));
    let needed = |name: &str, most: usize| {
        text(&all, name, most, Reason::Malformed)?.ok_or_else(|| missing(name))
    };
    let iss = needed("iss", MAX_ISS)?;
    let jti = needed("jti", MAX_NAME)?;
    let exp = time(&all, "exp")?.ok_or_else(|| missing("exp"))?;
    let iat = time(&all, "iat")?.ok_or_else(|| missing("iat"))?;
    Ok(Claims {
        iss,
        aud: audiences(&all)?,
        exp,
        iat,
        nbf: time(&all, "nbf")?,
        jti,
        tenant: text(&all, "tenant", MAX_NAME, Reason::Malformed)?,
        sub: text(&all, "sub", MAX_NAME, Reason::Malformed)?,
        all,
    })
}

/// An optional text; `null` is none. An empty one is neither.
fn text(
    members: &Map<String, Value>,
    name: &str,
    most: usize,
    reason: Reason,
) -> Result<Option<String>, Denied> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text))
            if !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control) =>
        {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Denied::new(
            reason,
            format!("`{name}` is not a text of 1 to {most} bytes without control characters"),
        )),
    }
}

/// An optional time in seconds since 1970 (`NumericDate`, RFC 7519 §2), of which a part of a second is
/// dropped.
fn time(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, Denied> {
    let seconds = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(_) => None,
    };
    match seconds {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a whole number of less than 2^53"
        )]
        Some(seconds) if (0.0..=LAST).contains(&seconds) => Ok(Some(seconds.floor() as i64)),
        _ => Err(Denied::new(
            Reason::Malformed,
            format!("`{name}` is not a number of seconds since 1970"),
        )),
    }
}

/// `aud`: one text, or a list of texts.
fn audiences(members: &Map<String, Value>) -> Result<Vec<String>, Denied> {
    let wrong = || {
        Denied::new(
            Reason::Malformed,
            "`aud` is neither a text nor a list of texts",
        )
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    match members.get("aud") {
        Some(Value::Array(items)) if !items.is_empty() => items.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
        None => Err(Denied::new(Reason::Malformed, "the payload has no `aud`")),
    }
}
