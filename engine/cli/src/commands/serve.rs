//! `tandem serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cds_hooks::{CardService, Clock, Config, log_to_stderr, rule_services, serve};
use clap::Args;
use engine_patient::time::DateTime;

use super::measure::{PackageArgs, elm_services, parse_zone};
use super::rule::load_rules;
use crate::failure::{Done, Failure};

/// Answer CDS Hooks calls with cards.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem serve
  tandem serve --package packages/ --measure CMS130FHIRColorectalCancerScreening
  tandem serve --listen 0.0.0.0:8080 --allow-origin https://ehr.example.org --log
  curl http://127.0.0.1:8080/cds-services")]
pub struct Serve {
    /// Address and port.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Rules of your own, as files or folders, beside the built-in ones.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Value sets of your own, as files or folders. Codes are added to built-in sets of the same url.
    #[arg(long)]
    terminology: Vec<PathBuf>,
    /// Official measures, as files or folders (FHIR Measure, Library, ValueSet): each proportion of
    /// patients is a service that shows its open gap.
    #[arg(long)]
    package: Vec<PathBuf>,
    /// Only these measures of the packages; may be given several times.
    #[arg(long)]
    measure: Vec<String>,
    /// Go on where value sets are missing: membership in them is unknown, a retrieve by them finds
    /// nothing, and what rests on that is counted as it is but not evaluable, with the set's name.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    allow_missing_valuesets: bool,
    /// Which way is better of a measure, over what it says: CMS122FHIR=decrease; several times.
    #[arg(long, value_name = "MEASURE=DIRECTION")]
    better: Vec<String>,
    /// Serve nothing if anything is wrong with one of the measures; otherwise the others are served.
    #[arg(long)]
    strict: bool,
    /// Origin that browsers may call from; may be given several times.
    #[arg(long)]
    allow_origin: Vec<String>,
    /// Largest request, in bytes.
    #[arg(long, default_value_t = 10 << 20)]
    max_body: usize,
    /// Offset from UTC of dates and of date-times without an offset.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// One line a call on standard error, without patient data.
    #[arg(long)]
    log: bool,
}

impl Serve {
    pub fn run(self) -> Done {
        let zone = parse_zone(&self.time_zone)?;
        let mut config = config(zone);
        config.listen = self.listen;
        config.allowed_origins = self.allow_origin;
        config.max_body = self.max_body;
        config.log = self.log.then(log_to_stderr);
        let rules = load_rules(&self.rules, &self.terminology)?;
        let mut services = rule_services(rules);
        if self.package.is_empty() {
            PackageArgs::refuse_better(&self.better)?;
        } else {
            let packages = PackageArgs {
                package: self.package,
                measure: self.measure,
                terminology: self.terminology,
                allow_missing_valuesets: self.allow_missing_valuesets,
                better: self.better,
                strict: self.strict,
                strict_profiles: false,
                elm_helpers: false,
            };
            let taken: Vec<String> = services.iter().map(|s| s.id().to_owned()).collect();
            services.extend(elm_services(&packages, zone, &taken)?);
        }
        listen(config, services, |address| {
            say!("CDS services at http://{address}/cds-services (Ctrl-C ends)")
        })
    }
}

/// The system's clock, at an offset.
pub fn config(zone: i16) -> Config {
    let clock: Clock = Arc::new(move || DateTime::from_utc_millis(super::now_ms(), zone));
    let mut config = Config::new(clock);
    config.time_zone_minutes = zone;
    config
}

/// Serves until Ctrl-C.
pub fn listen(
    config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
) -> Done {
    let address = config.listen;
    let served = super::runtime()?.block_on(serve(config, services, on_listening));
    match served {
        Ok(()) => Ok(std::process::ExitCode::SUCCESS),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Err(Failure::User(format!(
            "{address} is in use: choose another with --listen 127.0.0.1:8081"
        ))),
        Err(e) => Err(Failure::User(format!("{address}: {e}"))),
    }
}
