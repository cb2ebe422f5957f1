//! Public keys in PEM (`SubjectPublicKeyInfo`, RFC 5280 §4.1.2.7), as people exchange them by hand.

use jsonwebtoken::DecodingKey;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{Key, MAX_KEYS, UNCOMPRESSED, rsa_key, without_zeros};
use crate::algorithm::KeyKind;

/// Curves and Ed25519 by their object identifiers (RFC 5480 §2.1.1.1, RFC 8410 §3).
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const ED25519: &str = "1.3.101.112";

/// All public keys of a text.
pub(super) fn keys(bytes: &[u8]) -> Vec<Result<Key, String>> {
    let found = SubjectPublicKeyInfoDer::pem_slice_iter(bytes).take(MAX_KEYS);
    let keys: Vec<_> = found
        .map(|der| match der {
            Ok(der) => key(&der),
            Err(_) => Err("between BEGIN and END is no base64".to_owned()),
        })
        .collect();
    match keys.is_empty() {
        true => vec![Err("there is no `-----BEGIN PUBLIC KEY-----`".to_owned())],
        false => keys,
    }
}

fn key(der: &[u8]) -> Result<Key, String> {
    let unread = || "it is no public key".to_owned();
    let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| unread())?;
    let bytes = info.subject_public_key.data.as_ref();
    let id = info.algorithm.algorithm.to_id_string();
    let (kind, key) = match (id.as_str(), info.parsed().map_err(|_| unread())?) {
        (_, PublicKey::RSA(key)) => {
            rsa_key(without_zeros(key.modulus), without_zeros(key.exponent))?
        }
        (_, PublicKey::EC(_)) => {
            let parameters = info.algorithm.parameters.as_ref();
            let curve = parameters.and_then(|curve| curve.as_oid().ok());
            let (kind, length) = match curve.map(|curve| curve.to_id_string()).as_deref() {
                Some(P256) => (KeyKind::P256, 65),
                Some(P384) => (KeyKind::P384, 97),
                _ => return Err("its curve is neither P-256 nor P-384".to_owned()),
            };
            if bytes.len() != length || bytes.first() != Some(&UNCOMPRESSED) {
                return Err("its point is compressed: write it with both coordinates".to_owned());
            }
            (kind, DecodingKey::from_ec_der(bytes))
        }
        (ED25519, _) if bytes.len() == 32 => (KeyKind::Ed25519, DecodingKey::from_ed_der(bytes)),
        _ => return Err("it is of a kind that is not taken".to_owned()),
    };
    Ok(Key {
        kid: None,
        unnamed: true,
        kind,
        algorithm: None,
        key,
    })
}
