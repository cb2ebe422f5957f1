//! TLS over real sockets: files, handshakes, clients' certificates, reload.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cds_security::{ClientCertificates, PeerCertificate, TlsFiles, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// In 2027; certificates of these tests are good from 2026 to 2030 but where it is said.
const NOW: i64 = 1_800_000_000;

/// An authority, and files of what it gave out.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

struct Given {
    pem: String,
    key: String,
    chain: Vec<CertificateDer<'static>>,
    private: PrivateKeyDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority");
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn give(&self, name: &str) -> Given {
        self.give_until(name, 2030)
    }

    fn give_until(&self, name: &str, year: i32) -> Given {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Given {
            pem: certificate.pem(),
            key: key.serialize_pem(),
            chain: vec![certificate.der().clone()],
            private: key.into(),
        }
    }
}

/// Files in a folder of their own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        private(&path);
        path
    }

    fn files(&self, given: &Given) -> TlsFiles {
        TlsFiles {
            certificate: self.put("cert.pem", &given.pem),
            key: self.put("key.pem", &given.key),
            client_ca: None,
            client_certificates: ClientCertificates::default(),
        }
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn load(files: &TlsFiles, now: i64) -> Result<(TlsServer, Vec<String>), String> {
    let loaded = TlsServer::load(files.clone(), vec!["cds.example".into()], now);
    loaded.map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// Answers every connection with the name in the client's certificate, or `-`.
async fn serve(server: Arc<TlsServer>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let Ok(mut accepted) = server.accept(stream).await else {
                    return;
                };
                let der = accepted.client_certificate;
                let name = der.map(|der| PeerCertificate::of(&der).unwrap().sans.join(","));
                let text = name.unwrap_or_else(|| "-".into());
                let _ = accepted.stream.write_all(text.as_bytes()).await;
                let _ = accepted.stream.shutdown().await;
            });
        }
    });
    at
}

fn client(trusts: &Authority, shows: Option<&Given>) -> Arc<ClientConfig> {
    client_of(
        trusts,
        shows,
        &[&rustls::version::TLS13, &rustls::version::TLS12],
    )
}

fn client_of(
    trusts: &Authority,
    shows: Option<&Given>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.der.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match shows {
        Some(given) => builder
            .with_client_auth_cert(given.chain.clone(), given.private.clone_key())
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    Arc::new(config)
}

async fn ask(at: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<String> {
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from("cds.example").unwrap();
    let mut stream = TlsConnector::from(config.clone())
        .connect(name, stream)
        .await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

/// Checklist 74.
#[tokio::test]
async fn item_74_tls_1_2_and_1_3() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let (server, warnings) = load(&folder.files(&authority.give("cds.example")), NOW).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(server.facts().names, ["cds.example"]);
    let at = serve(Arc::new(server)).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = client_of(&authority, None, &[version]);
        assert_eq!(ask(at, &config).await.unwrap(), "-");
        // A second time, with a session to go on from.
        assert_eq!(ask(at, &config).await.unwrap(), "-");
    }
    let stranger = client(&Authority::new(), None);
    assert!(ask(at, &stranger).await.is_err());
}

/// Checklist 74: mutual TLS. A certificate counts only with the signature of an authority for clients.
#[tokio::test]
async fn item_74_client_certificates_are_verified() {
    let (authority, for_clients, folder) = (Authority::new(), Authority::new(), Folder::new());
    let files = TlsFiles {
        client_ca: Some(folder.put("ca.pem", &for_clients.pem)),
        ..folder.files(&authority.give("cds.example"))
    };
    let at = serve(Arc::new(load(&files, NOW).unwrap().0)).await;
    let ehr = for_clients.give("ehr.example");
    let old = for_clients.give_until("ehr.example", 2021);
    // Of the authority of the service's own certificate, which is not one for clients.
    let other = authority.give("ehr.example");
    let config = client(&authority, Some(&ehr));
    for _ in 0..2 {
        assert_eq!(ask(at, &config).await.unwrap(), "dns:ehr.example");
    }
    for shows in [None, Some(&old), Some(&other)] {
        assert!(ask(at, &client(&authority, shows)).await.is_err());
    }
    let files = TlsFiles {
        client_certificates: ClientCertificates::Optional,
        ..files
    };
    let at = serve(Arc::new(load(&files, NOW).unwrap().0)).await;
    assert_eq!(ask(at, &client(&authority, None)).await.unwrap(), "-");
    assert_eq!(ask(at, &config).await.unwrap(), "dns:ehr.example");
    for shows in [&old, &other] {
        assert!(ask(at, &client(&authority, Some(shows))).await.is_err());
    }
}

/// New files without a restart; files with something wrong leave what is there.
#[tokio::test]
async fn certificates_are_reloaded_and_a_bad_one_never_replaces_a_good_one() {
    let (one, two, folder) = (Authority::new(), Authority::new(), Folder::new());
    let files = folder.files(&one.give("cds.example"));
    let server = Arc::new(load(&files, NOW).unwrap().0);
    let at = serve(server.clone()).await;
    let (trusts_one, trusts_two) = (client(&one, None), client(&two, None));
    assert!(ask(at, &trusts_one).await.is_ok());
    assert!(ask(at, &trusts_two).await.is_err());
    // Half of it: the key is that of before.
    let new = two.give("cds.example");
    folder.put("cert.pem", &new.pem);
    let problems = server.reload(NOW).unwrap_err();
    assert!(
        problems[0]
            .text
            .contains("is not the key of the certificate"),
        "{problems:?}"
    );
    assert!(ask(at, &trusts_one).await.is_ok());
    folder.put("key.pem", &new.key);
    assert_eq!(server.reload(NOW).unwrap(), Vec::<String>::new());
    assert!(ask(at, &trusts_two).await.is_ok());
    assert!(ask(at, &trusts_one).await.is_err());
}

#[test]
fn every_problem_with_files_is_told() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let given = authority.give("cds.example");
    let files = folder.files(&given);
    let with = |change: &dyn Fn(&mut TlsFiles)| {
        let mut changed = files.clone();
        change(&mut changed);
        load(&changed, NOW).err().unwrap_or_default()
    };
    let (certificate, key) = (files.certificate.clone(), files.key.clone());
    let none = folder.put("none.pem", "hello");
    let damaged = folder.put("damaged.pem", &given.pem.replace("MII", "M!!"));
    let no_der = folder.put(
        "no_der.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let two = folder.put("two.pem", &format!("{}{}", given.key, given.key));
    let locked = folder.put(
        "locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let other = folder.put("other.pem", &authority.give("x.example").key);
    let missing = PathBuf::from("/no/such.pem");
    for (problems, text) in [
        (
            with(&|f| f.certificate = missing.clone()),
            "tls.certificate: /no/such.pem cannot be read",
        ),
        (
            with(&|f| f.certificate = none.clone()),
            "holds no certificate in PEM",
        ),
        (
            with(&|f| f.certificate = key.clone()),
            "holds a private key and no certificate",
        ),
        (with(&|f| f.certificate = damaged.clone()), "is damaged"),
        (
            with(&|f| f.certificate = no_der.clone()),
            "certificate 1 is damaged",
        ),
        (
            with(&|f| f.key = missing.clone()),
            "tls.key: /no/such.pem cannot be read",
        ),
        (
            with(&|f| f.key = certificate.clone()),
            "holds a certificate and no private key",
        ),
        (
            with(&|f| f.key = none.clone()),
            "holds no private key in PEM",
        ),
        (with(&|f| f.key = two.clone()), "holds several keys"),
        (with(&|f| f.key = locked.clone()), "is encrypted"),
        (
            with(&|f| f.key = other.clone()),
            "is not the key of the certificate in",
        ),
        (
            with(&|f| f.client_ca = Some(missing.clone())),
            "tls.client_ca: /no/such.pem cannot be read",
        ),
        (
            with(&|f| f.client_ca = Some(no_der.clone())),
            "certificate 1 cannot be used",
        ),
    ] {
        assert!(problems.contains(text), "{text}: {problems}");
        assert!(!problems.contains("PRIVATE KEY-----\n"), "{problems}");
    }
    // All at once.
    let problems = with(&|f| {
        (f.certificate, f.key, f.client_ca) = (none.clone(), missing.clone(), Some(none.clone()));
    });
    assert_eq!(problems.lines().count(), 3, "{problems}");
}

#[test]
fn what_clients_will_not_like_is_a_warning() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let warnings = |given: &Given, now| load(&folder.files(given), now).unwrap().1.join("\n");
    let given = authority.give("cds.example");
    let end = 1_893_456_000;
    assert_eq!(warnings(&given, end - 31 * 86_400), "");
    assert!(warnings(&given, end - 10 * 86_400).contains("expires in 10 days"));
    assert!(warnings(&given, end + 5 * 86_400).contains("expired 5 days ago"));
    assert!(warnings(&given, 1_000_000_000).contains("is not valid yet"));
    let elsewhere = authority.give("other.example");
    assert!(warnings(&elsewhere, NOW).contains("is not for `cds.example`"));
    assert_eq!(warnings(&authority.give("*.example"), NOW), "");
    // The chain, and its order.
    let chain = |pem: String| Given {
        pem,
        ..authority.give("x")
    };
    let whole = Given {
        pem: format!("{}{}", given.pem, authority.pem),
        key: given.key.clone(),
        ..chain(String::new())
    };
    assert_eq!(warnings(&whole, NOW), "");
    let wrong = Given {
        pem: format!("{}{}", given.pem, given.pem),
        key: given.key.clone(),
        ..chain(String::new())
    };
    assert!(warnings(&wrong, NOW).contains("certificate 2 did not issue certificate 1"));
    // The key can be read by all.
    let files = folder.files(&given);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = load(&files, NOW).unwrap().1.join("\n");
    assert!(
        warnings.contains("can be read by other users"),
        "{warnings}"
    );
}
