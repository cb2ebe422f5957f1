//! `tandem serve --ready`: whether the server that these settings start is ready, for health checks of containers,
//! which have no other program that could ask.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use cds_server::settings::Server;

use crate::failure::{Done, Failure};

/// How long it may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `GET /readyz`.
pub fn ask(server: &Server) -> Done {
    let address = at(server)?;
    let answer = exchange(address);
    let answer = answer.map_err(|e| Failure::No(format!("{address} does not answer: {e}")))?;
    // `HTTP/1.1 200 OK`
    match answer.split(' ').nth(1) {
        Some("200") => {
            say!("{address}: ready");
            Ok(ExitCode::SUCCESS)
        }
        Some("503") => Err(Failure::No(format!("{address}: not ready"))),
        _ => Err(Failure::No(format!(
            "{address} answers, but not as this server does"
        ))),
    }
}

/// Where operators look, on this machine.
fn at(server: &Server) -> Result<SocketAddr, Failure> {
    let listens = server.admin_listen.unwrap_or(server.listen);
    let is_plain = server.tls.is_none()
        || server
            .admin_listen
            .is_some_and(|address| address.ip().is_loopback());
    if !is_plain {
        return Err(Failure::Unsupported(
            "--ready asks in plain HTTP, and this server speaks TLS only: give it `admin_listen` at a loopback address, as in \"127.0.0.1:9090\", which speaks plain HTTP".to_owned(),
        ));
    }
    let ip = match listens.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    Ok(SocketAddr::new(ip, listens.port()))
}

/// The beginning of the answer.
fn exchange(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut begin = vec![];
    stream.take(64).read_to_end(&mut begin)?;
    Ok(String::from_utf8_lossy(&begin).into_owned())
}

#[cfg(test)]
mod tests {
    use cds_server::settings::{Server, Tls};

    use super::*;

    #[test]
    fn where_it_asks() {
        let server = |listen: &str, admin: Option<&str>, is_secure: bool| Server {
            listen: listen.parse().unwrap(),
            admin_listen: admin.map(|address| address.parse().unwrap()),
            tls: is_secure.then(|| Tls {
                cert: "c".into(),
                key: "k".into(),
                client_ca: None,
                client_required: false,
            }),
            ..Server::default()
        };
        for (listen, admin, is_secure, asked) in [
            ("0.0.0.0:8080", None, false, Some("127.0.0.1:8080")),
            ("[::]:8080", None, false, Some("[::1]:8080")),
            ("10.0.0.1:8080", None, false, Some("10.0.0.1:8080")),
            ("0.0.0.0:443", None, true, None),
            ("0.0.0.0:443", Some("0.0.0.0:9090"), true, None),
            (
                "0.0.0.0:443",
                Some("127.0.0.1:9090"),
                true,
                Some("127.0.0.1:9090"),
            ),
        ] {
            let found = at(&server(listen, admin, is_secure)).ok();
            assert_eq!(found, asked.map(|a| a.parse().unwrap()), "{listen}");
        }
    }
}
