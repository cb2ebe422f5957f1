//! Handshakes, with the certificate of now.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::{Read, TlsFiles, read};
use super::leaf::Facts;
use crate::check::Problem;

/// The TLS side of the service. Connections that are open keep what they began with; a reload is for
/// those that come.
pub struct TlsServer {
    files: TlsFiles,
    hosts: Vec<String>,
    live: RwLock<Live>,
}

struct Live {
    config: Arc<ServerConfig>,
    facts: Facts,
}

/// A connection after its handshake.
pub struct TlsAccepted {
    /// What the client sends and gets, in clear.
    pub stream: TlsStream<TcpStream>,
    /// The client's own certificate (DER); its chain, its time and its key are verified.
    pub client_certificate: Option<Arc<[u8]>>,
}

impl TlsServer {
    /// Reads the files. `hosts` are the names under which clients call (of the public URLs); `now` is in
    /// seconds since 1970. What clients may not like is told beside it.
    ///
    /// # Errors
    /// All that is wrong with the files.
    pub fn load(
        files: TlsFiles,
        hosts: Vec<String>,
        now: i64,
    ) -> Result<(Self, Vec<String>), Vec<Problem>> {
        let Read {
            config,
            facts,
            warnings,
        } = read(&files, &hosts, now)?;
        let live = RwLock::new(Live { config, facts });
        let server = TlsServer { files, hosts, live };
        Ok((server, warnings))
    }

    /// Reads the files anew. Blocks for as long as that takes.
    ///
    /// # Errors
    /// All that is wrong with them; what was there before stays in use then.
    pub fn reload(&self, now: i64) -> Result<Vec<String>, Vec<Problem>> {
        let Read {
            config,
            facts,
            warnings,
        } = read(&self.files, &self.hosts, now)?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        *live = Live { config, facts };
        Ok(warnings)
    }

    /// What the certificate in use says.
    pub fn facts(&self) -> Facts {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.facts.clone()
    }

    /// Does the handshake (TLS 1.3 or 1.2). The time that it may take is the caller's.
    ///
    /// # Errors
    /// Where the client does not speak TLS, ends it, or shows a certificate that is not valid, or none
    /// where one is required.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsAccepted> {
        let config = {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&live.config)
        };
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let client_certificate = session.peer_certificates().and_then(<[_]>::first);
        let client_certificate = client_certificate.map(|der| Arc::from(der.as_ref()));
        Ok(TlsAccepted {
            stream,
            client_certificate,
        })
    }
}
