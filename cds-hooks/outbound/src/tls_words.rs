//! Why TLS could not be had, in our words: those of the library name its types, and no remedy.

use rustls::{CertificateError, Error};

/// What is wrong, and what whoever runs the service can do.
pub(crate) fn said(error: &Error) -> String {
    let why = match error {
        Error::InvalidCertificate(wrong) => certificate(wrong),
        Error::InvalidMessage(_) => "what answers there does not speak TLS: is it plain HTTP?",
        _ => return format!("its TLS cannot be used ({error})"),
    };
    format!("its TLS cannot be used: {why}")
}

fn certificate(wrong: &CertificateError) -> &'static str {
    use CertificateError as Wrong;
    match wrong {
        Wrong::UnknownIssuer => {
            "its certificate is of an authority that is not known here: name the file with that authority's certificate (PEM), `ca` in [outbound]; or the server sends its certificate without those between it and the authority"
        }
        Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired",
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
            "its certificate is not valid yet: is the clock of this machine right?"
        }
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            "its certificate is for another host than this one"
        }
        Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => {
            "its certificate is not for servers (`extendedKeyUsage`)"
        }
        // A library of the library's own, which has no public name here.
        Wrong::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it shows the certificate of an authority as its own (self-signed, `CA:TRUE`): make it one for the server (`CA:FALSE`), and name that, or the authority that signed it, as `ca` in [outbound]"
        }
        Wrong::BadEncoding => "its certificate cannot be read",
        Wrong::BadSignature => {
            "its certificate was not signed by the authority of that name that is known here: name the right one, `ca` in [outbound]"
        }
        Wrong::Revoked => "its certificate is revoked",
        _ => "its certificate is not accepted",
    }
}
