//! `tandem doctor`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cds_doctor::hostile::{Attack, attack};
use cds_doctor::{DoctorError, Options, Signer, examine};
use clap::Args;

use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};

/// Examine a CDS Hooks service as an EHR would see it.
///
/// Plays a good client, broken ones, a browser and an attacker against a running service, and holds each
/// answer against the specification: what was expected, what came, how to mend it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem doctor --url http://127.0.0.1:8080
  tandem doctor --url https://cds.example.org/r4 --origin https://ehr.example.org
  tandem doctor --url https://cds.example.org/r4 --token-key client.pem --iss https://ehr.example.org \\
      --jku https://ehr.example.org/jwks.json --kid 2026-11
  tandem doctor --url http://127.0.0.1:8080 --fhir-server    # the service may ask http://127.0.0.1:8089/fhir
  tandem doctor --url http://127.0.0.1:8080 --hostile 10000  # malformed and hostile requests instead

Requests are about a made-up patient, or the one of --patient. Feedback on her cards is sent, too: examine a
service in use only where its reports may have it. Without --token-key no token is sent, and tokens are not
examined; without --origin only preflights are.")]
pub struct Doctor {
    /// Base URL of the service: what stands before /cds-services.
    #[arg(long, value_name = "BASE")]
    url: String,
    /// Private key (PEM, PKCS#8: EC P-384 or P-256, or RSA) of a client that the service knows: signs a
    /// token for each request.
    #[arg(long, value_name = "PEM", requires = "iss")]
    token_key: Option<PathBuf>,
    /// Issuer (`iss`) of the tokens.
    #[arg(long, value_name = "URL", requires = "token_key")]
    iss: Option<String>,
    /// Key set (`jku`) that the tokens name.
    #[arg(long, value_name = "URL", requires = "token_key")]
    jku: Option<String>,
    /// Key (`kid`) that the tokens name.
    #[arg(long, value_name = "KID", requires = "token_key")]
    kid: Option<String>,
    /// Tenant that the tokens name.
    #[arg(long, value_name = "NAME", requires = "token_key")]
    tenant: Option<String>,
    /// Origin of a browser client that the service lets in, as in `https://ehr.example.org`.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A FHIR Bundle (JSON) with the data of one patient, instead of the made-up one.
    #[arg(long, value_name = "FILE")]
    patient: Option<PathBuf>,
    /// Be a FHIR server at this address, which the service may ask for what is missing in the prefetch.
    /// Allow it there: http://ADDRESS:PORT/fhir.
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:8089")]
    fhir_server: Option<SocketAddr>,
    /// Take any certificate. Only for trials.
    #[arg(long)]
    insecure: bool,
    /// Certificates (PEM) to trust beside those of the system.
    #[arg(long, value_name = "PEM")]
    ca: Option<PathBuf>,
    /// Certificate and private key (PEM, in one file) of the client, for mutual TLS.
    #[arg(long, value_name = "PEM")]
    client_cert: Option<PathBuf>,
    /// Examine each service with all cases; without it the first of each hook, and the others with a few
    /// good calls.
    #[arg(long)]
    every_service: bool,
    /// Send so many malformed and hostile requests, over plain HTTP, and examine nothing else.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    hostile: Option<u64>,
    /// What hostile requests, and the UUIDs of others, are made from. By default the time.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How to print it.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

impl Doctor {
    pub fn run(self) -> Done {
        let options = self.options()?;
        let runtime = super::runtime()?;
        let (passed, text, json, verdict) = match self.hostile {
            Some(requests) => {
                let how = Attack {
                    requests,
                    at_once: 16,
                };
                let came = runtime.block_on(attack(&options, &how)).map_err(failure)?;
                let seed = format!("the seed was {}", options.seed);
                (came.passed(), came.text(), came.json(), seed)
            }
            None => {
                let report = runtime.block_on(examine(&options)).map_err(failure)?;
                let (passed, text, json) = (report.passed(), report.text(), report.json());
                (passed, text, json, report.verdict())
            }
        };
        match self.format {
            Format::Json => data!("{json:#}"),
            _ => say!("{text}"),
        }
        match passed {
            true => Ok(std::process::ExitCode::SUCCESS),
            false => Err(Failure::No(verdict)),
        }
    }

    fn options(&self) -> Result<Options, Failure> {
        let millis = super::now_ms();
        let clock = Arc::new(|| super::now_ms().div_euclid(1000));
        let seed = self.seed.unwrap_or_else(|| of_now(millis));
        let mut options = Options::new(&self.url, clock, seed);
        options.origin.clone_from(&self.origin);
        options.fhir_server = self.fhir_server;
        options.insecure = self.insecure;
        options.every_service = self.every_service;
        options.ca = self.ca.as_deref().map(read).transpose()?;
        options.identity = self.client_cert.as_deref().map(read).transpose()?;
        if let (Some(key), Some(iss)) = (&self.token_key, &self.iss) {
            let (kid, jku, tenant) = (
                self.kid.as_deref(),
                self.jku.as_deref(),
                self.tenant.as_deref(),
            );
            let signer = Signer::new(&read(key)?, iss, kid, jku, tenant);
            options.signer = Some(signer.map_err(failure)?);
        }
        if let Some(path) = &self.patient {
            let bundle = serde_json::from_slice(&read(path)?);
            let bundle = bundle.map_err(|e| Failure::User(format!("{}: {e}", path.display())))?;
            options.patient = Some(bundle);
        }
        Ok(options)
    }
}

/// Another number for each run.
fn of_now(millis: i64) -> u64 {
    (millis.unsigned_abs() << 20) ^ u64::from(std::process::id())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::User(format!("{}: {e}", path.display())))
}

fn failure(error: DoctorError) -> Failure {
    let text = error.to_string();
    match error {
        DoctorError::PlainOnly(_) => Failure::Unsupported(text),
        DoctorError::Client(_) => Failure::Internal(text),
        _ => Failure::User(text),
    }
}
