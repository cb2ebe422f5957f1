//! Who may call: tokens, certificates, TLS (CDS Hooks, "Security and Safety").
//!
//! ```text
//! request ─ bearer ─ token (taken apart) ─ client by iss ─ aud ─ exp ─ tenant ─ key ─ signature ─ jti ─▶ Caller
//!                                                                      │ own keys,          │
//!                                                                      └ KeyCache ─ KeyFetcher   ReplayStore
//! ```
//!
//! Invariants:
//! - no cryptography is written here: `jsonwebtoken` checks signatures, `rustls` speaks TLS;
//! - no symmetric algorithm and no `none` can be named, and no key is ever taken from a token;
//! - nothing is fetched from an address that the configuration does not list;
//! - whatever tokens say, memory stays bounded: sizes, keys, addresses, and remembered tokens;
//! - a [`Denied`] tells the log what was wrong; those outside get a status, and 401 without a word;
//! - no token, no signature and no `jti` in logs or errors;
//! - the time is an argument.

#![deny(missing_docs)]

mod algorithm;
mod authenticate;
mod bearer;
mod caller;
mod certificate;
mod check;
mod client;
mod denied;
mod endpoint;
mod key_cache;
mod key_fetcher;
mod key_set;
mod replay;
mod role;
mod strict_json;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod token;

pub use algorithm::Algorithm;
pub use authenticate::{Authenticator, Presented};
pub use bearer::bearer;
pub use caller::{Caller, Proof};
pub use certificate::PeerCertificate;
pub use check::Problem;
pub use client::{CertificateBinding, ClaimPath, Client, Policy, RoleClaim, Security};
pub use denied::{Answer, Claimed, Denied, Reason};
pub use endpoint::Endpoint;
pub use key_cache::{FetchCounts, KeyState};
pub use key_fetcher::{KeyFetcher, NoFetcher};
pub use key_set::KeySet;
pub use replay::{MemoryReplay, ReplayStore};
pub use role::{Action, DEFAULT_ROLE, Permissions, Role, built_in};
pub use tls::{ClientCertificates, Facts, TlsAccepted, TlsFiles, TlsServer};
