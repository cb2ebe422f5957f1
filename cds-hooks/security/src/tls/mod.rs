//! TLS of the service: certificate and key from files, clients' certificates, reload without restart.

mod files;
mod leaf;
mod server;

pub use files::{ClientCertificates, TlsFiles};
pub use leaf::Facts;
pub use server::{TlsAccepted, TlsServer};
