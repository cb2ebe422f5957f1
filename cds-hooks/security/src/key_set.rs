//! Key sets (JWK Set, RFC 7517), and which of their keys fit a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::Value;

mod pem;

use crate::algorithm::{Algorithm, KeyKind};

/// Keys of one set that are looked at.
const MAX_KEYS: usize = 100;

/// Keys of a set without any good one of which it is told what is wrong with them.
const TOLD: usize = 5;

/// Keys that one token is tried with: a set may have several of one `kid`.
const MAX_TRIED: usize = 4;

/// The public keys of a client that can verify a signature.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    /// What was left out of the set, and why; no key material.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug)]
struct Key {
    kid: Option<String>,
    /// It has no name, and may have any.
    unnamed: bool,
    kind: KeyKind,
    /// The one algorithm that it is for.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Of JSON, `{"keys":[…]}`, or of PEM, `-----BEGIN PUBLIC KEY-----`. A key in PEM has no name: it is
    /// tried for every `kid`. Keys that cannot verify a signature of ours are left out: of other kinds
    /// (RFC 7517 §5), for encryption, too short, malformed; and private or symmetric ones, which do not
    /// belong there.
    ///
    /// # Errors
    /// Where it is no key set, or none of its keys is left.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        KeySet::published(bytes)?.with_keys()
    }

    /// The same, as a client publishes it: perhaps without any key that is left, since that says something,
    /// too: the keys before are withdrawn.
    ///
    /// # Errors
    /// Where it is no key set.
    pub(crate) fn published(bytes: &[u8]) -> Result<Self, String> {
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Ok(KeySet::of_keys(pem::keys(bytes)));
        }
        let json: Value = serde_json::from_slice(bytes).map_err(|_| {
            "is neither JSON nor PEM: write a JWK Set, `{\"keys\":[…]}`, or a public key".to_owned()
        })?;
        KeySet::of_json(&json)
    }

    /// The same, of JSON that is read.
    ///
    /// # Errors
    /// As [`parse`](KeySet::parse).
    pub fn of(json: &Value) -> Result<Self, String> {
        KeySet::of_json(json)?.with_keys()
    }

    fn of_json(json: &Value) -> Result<Self, String> {
        let Some(Value::Array(items)) = json.get("keys") else {
            return Err("has no list `keys`: write a JWK Set, `{\"keys\":[…]}`".to_owned());
        };
        let read = items.iter().take(MAX_KEYS).map(key).collect();
        let mut set = KeySet::of_keys(read);
        if let Some(more @ 1..) = items.len().checked_sub(MAX_KEYS) {
            set.left_out
                .push(format!("{more} keys after the first {MAX_KEYS}"));
        }
        Ok(set)
    }

    fn of_keys(read: Vec<Result<Key, String>>) -> Self {
        let mut set = KeySet::default();
        for (index, key) in read.into_iter().enumerate() {
            let key = key.and_then(|key| match set.like(&key) < MAX_TRIED {
                true => Ok(key),
                false => Err(format!(
                    "there are {MAX_TRIED} before it that the same tokens could be signed with, and no more are tried: give keys a `kid` of their own, and take old ones out"
                )),
            });
            match key {
                Ok(key) => set.keys.push(key),
                Err(why) => set.left_out.push(format!("keys[{index}]: {why}")),
            }
        }
        set
    }

    /// How many keys there are that one and the same token could be signed with, beside this one.
    fn like(&self, key: &Key) -> usize {
        let like = |other: &&Key| {
            let same_name = other.kid.is_some() && other.kid == key.kid;
            other.kind == key.kind
                && (other.unnamed || key.unnamed || same_name)
                && match (other.algorithm, key.algorithm) {
                    (Some(one), Some(other)) => one == other,
                    _ => true,
                }
        };
        self.keys.iter().filter(like).count()
    }

    /// Itself, where it has a key.
    fn with_keys(self) -> Result<Self, String> {
        match self.lack() {
            None => Ok(self),
            Some(why) => Err(why),
        }
    }

    /// Why there is no key.
    pub(crate) fn lack(&self) -> Option<String> {
        if !self.keys.is_empty() {
            return None;
        }
        let mut why = match self.left_out.is_empty() {
            true => "it is empty".to_owned(),
            false => self
                .left_out
                .iter()
                .take(TOLD)
                .cloned()
                .collect::<Vec<_>>()
                .join("; "),
        };
        if let Some(more @ 1..) = self.left_out.len().checked_sub(TOLD) {
            why.push_str(&format!("; and {more} more"));
        }
        Some(format!("has no key that could verify a signature ({why})"))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether there are keys that are tried for every `kid`.
    pub(crate) fn has_unnamed(&self) -> bool {
        self.keys.iter().any(|key| key.unnamed)
    }

    /// The keys that a token of this algorithm and `kid` may be signed with. Without `kid` it must be
    /// the only one that fits.
    pub(crate) fn fitting(&self, algorithm: Algorithm, kid: Option<&str>) -> Vec<&DecodingKey> {
        let fits = |key: &&Key| {
            key.kind == algorithm.key_kind()
                && key.algorithm.is_none_or(|only| only == algorithm)
                && (kid.is_none() || key.unnamed || key.kid.as_deref() == kid)
        };
        let found: Vec<_> = self.keys.iter().filter(fits).map(|key| &key.key).collect();
        match kid {
            None if found.len() != 1 => vec![],
            _ => found.into_iter().take(MAX_TRIED).collect(),
        }
    }
}

/// A key that can verify.
fn key(item: &Value) -> Result<Key, String> {
    let text = |name: &str| match item.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{name}` is not a text")),
    };
    let member = |name: &str| text(name)?.ok_or_else(|| format!("there is no `{name}`"));
    // Whoever reads the set can sign with it.
    for private in ["d", "p", "q", "k"] {
        if item.get(private).is_some() {
            return Err(format!(
                "it is a private or symmetric key (`{private}`), which must never be given to anybody: make a new one"
            ));
        }
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err("`use` is not `sig`".to_owned());
    }
    match item.get("key_ops") {
        None | Some(Value::Null) => {}
        Some(Value::Array(ops)) if ops.iter().any(|op| op == "verify") => {}
        Some(_) => return Err("`key_ops` has no `verify`".to_owned()),
    }
    let algorithm = match text("alg")? {
        None => None,
        Some(name) => {
            Some(Algorithm::named(name).ok_or_else(|| "`alg` is none that is taken".to_owned())?)
        }
    };
    let (kind, key) = match member("kty")? {
        "EC" => elliptic(member("crv")?, member("x")?, member("y")?)?,
        "RSA" => rsa(member("n")?, member("e")?)?,
        "OKP" => edwards(member("crv")?, member("x")?)?,
        _ => return Err("`kty` is none of `EC`, `RSA` and `OKP`".to_owned()),
    };
    if algorithm.is_some_and(|algorithm| algorithm.key_kind() != kind) {
        return Err("`alg` does not go with the kind of the key".to_owned());
    }
    Ok(Key {
        kid: text("kid")?.map(str::to_owned),
        unnamed: false,
        kind,
        algorithm,
        key,
    })
}

/// RFC 7518 §6.2.1. Each coordinate should have as many bytes as the curve; there are programs that leave
/// out zeros at the front, or put one more there.
fn elliptic(curve: &str, x: &str, y: &str) -> Result<(KeyKind, DecodingKey), String> {
    let (kind, length) = match curve {
        "P-256" => (KeyKind::P256, 32),
        "P-384" => (KeyKind::P384, 48),
        _ => return Err("`crv` is neither `P-256` nor `P-384`".to_owned()),
    };
    let mut point = vec![UNCOMPRESSED];
    for coordinate in [x, y] {
        let number = number(coordinate).filter(|bytes| bytes.len() <= length);
        let Some(number) = number else {
            return Err(format!("`x` or `y` is not {length} bytes in base64url"));
        };
        point.resize(point.len() + length - number.len(), 0);
        point.extend_from_slice(&number);
    }
    Ok((kind, DecodingKey::from_ec_der(&point)))
}

/// How a point of both coordinates begins (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

fn rsa(n: &str, e: &str) -> Result<(KeyKind, DecodingKey), String> {
    match (number(n), number(e)) {
        (Some(modulus), Some(exponent)) => rsa_key(&modulus, &exponent),
        _ => Err("`n` or `e` is not in base64url".to_owned()),
    }
}

/// RFC 7518 §6.3.1 and §3.3: at least 2,048 bits; and at most 8,192, since checking takes longer.
fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<(KeyKind, DecodingKey), String> {
    let bits = bits(modulus);
    if !(2048..=8192).contains(&bits) {
        return Err(format!("it has {bits} bits, and 2048 to 8192 are taken"));
    }
    let odd = exponent.last().is_some_and(|last| last & 1 == 1);
    if !odd || !(2..=33).contains(&self::bits(exponent)) {
        return Err("`e` is no exponent of a public key".to_owned());
    }
    let key = DecodingKey::from_rsa_raw_components(modulus, exponent);
    Ok((KeyKind::Rsa, key))
}

/// RFC 8037 §2.
fn edwards(curve: &str, x: &str) -> Result<(KeyKind, DecodingKey), String> {
    if curve != "Ed25519" {
        return Err("`crv` is not `Ed25519`".to_owned());
    }
    match URL_SAFE_NO_PAD.decode(x) {
        Ok(point) if point.len() == 32 => Ok((KeyKind::Ed25519, DecodingKey::from_ed_der(&point))),
        _ => Err("`x` is not 32 bytes in base64url".to_owned()),
    }
}

/// A number in base64url without the zeros at its front, which do not belong there either.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    Some(without_zeros(&bytes).to_vec())
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// How many bits a number without zeros at its front has.
fn bits(bytes: &[u8]) -> usize {
    let first = bytes.first().map_or(0, |b| b.leading_zeros() as usize);
    bytes.len() * 8 - first
}
