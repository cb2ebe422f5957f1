//! TLS of the listener, with a certificate that can be exchanged while calls go on.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use cds_hooks::{ClientCertificate, Clock, Secured};
use cds_security::{ClientCertificates, Problem, TlsFiles, TlsServer};
use engine_patient::system::zone::UTC;
use tokio::net::TcpStream;

use crate::live::{Again, Fingerprint, Marked, Part};
use crate::settings::{Server, Tls};
use crate::told::Tell;

/// The TLS side of a listener.
#[derive(Clone)]
pub struct Secure(Arc<Inner>);

struct Inner {
    server: TlsServer,
    files: Vec<PathBuf>,
    /// What they were like when they were last read.
    marked: Marked,
    clock: Clock,
}

fn lines(problems: Vec<Problem>) -> Vec<String> {
    let said = problems.into_iter();
    said.map(|problem| format!("{}: {}", named(&problem.at), problem.text))
        .collect()
}

/// As the settings have it.
fn named(at: &str) -> &str {
    match at {
        "tls.certificate" => "[server.tls] cert",
        "tls.key" => "[server.tls] key",
        "tls.client_ca" => "[server.tls] client_ca",
        other => other,
    }
}

impl Secure {
    /// Reads the files that the settings name. What clients may not like is told.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn new(tls: &Tls, server: &Server, clock: Clock, tell: &Tell) -> Result<Self, Vec<String>> {
        let files = TlsFiles {
            certificate: tls.cert.clone(),
            key: tls.key.clone(),
            client_ca: tls.client_ca.clone(),
            client_certificates: match tls.client_required {
                true => ClientCertificates::Required,
                false => ClientCertificates::Optional,
            },
        };
        let public = server.public_url.iter();
        let hosts = public.filter_map(|url| url.host_str().map(str::to_owned));
        let now = clock().earliest(&UTC) / 1000;
        let ca = tls.client_ca.iter().cloned();
        let paths = [tls.cert.clone(), tls.key.clone()].into_iter().chain(ca);
        let (paths, marked): (Vec<PathBuf>, _) = (paths.collect(), Marked::default());
        marked.mark(&paths);
        let read = TlsServer::load(files, hosts.collect(), now);
        let (server, warnings) = read.map_err(lines)?;
        warnings.iter().for_each(|warning| tell(warning));
        Ok(Secure(Arc::new(Inner {
            server,
            files: paths,
            marked,
            clock,
        })))
    }
}

impl cds_hooks::Tls for Secure {
    fn accept(
        &self,
        stream: TcpStream,
    ) -> Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>> {
        let there = Arc::clone(&self.0);
        Box::pin(async move {
            let accepted = there.server.accept(stream).await?;
            Ok(Secured {
                stream: Box::new(accepted.stream),
                client_certificate: accepted.client_certificate.map(ClientCertificate),
            })
        })
    }
}

impl Part for Secure {
    fn name(&self) -> &'static str {
        "certificate"
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.0.files.clone()
    }

    fn last(&self) -> Fingerprint {
        self.0.marked.last()
    }

    fn read(&self) -> Result<Again, Vec<String>> {
        let (_, is_other) = self.0.marked.mark(&self.0.files);
        let now = (self.0.clock)().earliest(&UTC) / 1000;
        let notes = self.0.server.reload(now).map_err(lines)?;
        Ok(Again { is_other, notes })
    }
}
