//! The settings file (TOML): one place for all that an operator decides.
//!
//! Everything in it is checked before anything listens, and all that is wrong is told at once, with line
//! and column. A name that nobody knows is an error. Paths are relative to the folder of the file.
//! [`EXAMPLE`] is a whole file with every name, its default and what it does.

mod across;
mod clients;
mod network;
mod notes;
mod problem;
mod read;
mod records;
mod rules;
mod server;
mod telling;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use clients::{Algorithm, Certificate, Client, Party, Role, RoleClaim, Tokens, usual_roles};
pub use network::{FhirServer, Outbound};
pub use problem::{Problem, Problems};
pub use read::file::{Machine, Surroundings};
pub use read::secret::Secret;
pub use records::{Consent, Explain, RETENTION, Store};
pub use rules::{GroupBy, Reload, Rules, Tenant};
pub use server::{Server, Tls};
pub use telling::{Log, Metrics, Readers, Tracing};

use read::file::{File, WithoutSecrets};
use read::table::Table;

/// A whole file with every name, its default, and what it does. It is itself valid.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Files are not larger than this.
const LARGEST: usize = 1 << 20;

/// All that an operator decides.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file that they were read from.
    pub file: Option<PathBuf>,
    /// Where and how to answer.
    pub server: Server,
    /// What is served to clients whose tenant has no rules of its own.
    pub rules: Rules,
    /// When it is read again.
    pub reload: Reload,
    /// Clients with rules of their own.
    pub tenants: Vec<Tenant>,
    /// Who may call; without any only `--insecure-dev` serves at all.
    pub clients: Vec<Client>,
    /// Names for permissions, those of [`usual_roles`] among them.
    pub roles: Vec<Role>,
    /// Limits on tokens and key sets.
    pub tokens: Tokens,
    /// FHIR servers that may be asked.
    pub fhir_servers: Vec<FhirServer>,
    /// Bounds of calls that the server makes.
    pub outbound: Outbound,
    /// Where cards, feedback and the audit log are kept.
    pub store: Option<Store>,
    /// The log on standard error.
    pub log: Log,
    /// Numbers for Prometheus.
    pub metrics: Metrics,
    /// OpenTelemetry.
    pub tracing: Tracing,
    /// Why a call was answered as it was.
    pub explain: Explain,
    /// What patients allow.
    pub consent: Consent,
}

impl Settings {
    /// Reads and checks a file that is at `path`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(text: &str, path: &Path, around: &dyn Surroundings) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let file = File::new(text, path, around);
        if text.len() > LARGEST {
            file.wrong(
                0..0,
                format!("the file is larger than {LARGEST} bytes"),
                None,
            );
        }
        let (root, found) = match file.is_fine() {
            true => DeTable::parse_recoverable(text),
            false => DeTable::parse_recoverable(""),
        };
        read::syntax::told(&file, text, &found);
        // What an unreadable line takes with it is not missing.
        let settings = match file.is_fine() {
            true => Some(Settings::of(&Table::root(&file, root.get_ref()))),
            false => None,
        };
        match (file.problems(&name), settings) {
            (None, Some(settings)) => Ok(Settings {
                file: Some(path.to_owned()),
                ..settings
            }),
            (problems, _) => Err(problems.unwrap_or(Problems {
                file: name,
                list: vec![],
            })),
        }
    }

    /// The same, from a file.
    ///
    /// # Errors
    /// All that is wrong with it, or that it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Settings::load_in(path, &Machine)
    }

    /// The same for whoever opens nothing that the settings have a secret for: secrets that are not here are not
    /// needed.
    ///
    /// # Errors
    /// All else that is wrong with it, or that it cannot be read.
    pub fn load_without_secrets(path: &Path) -> Result<Self, Problems> {
        Settings::load_in(path, &WithoutSecrets)
    }

    fn load_in(path: &Path, around: &dyn Surroundings) -> Result<Self, Problems> {
        let whole = |message: String| Problems {
            file: path.display().to_string(),
            list: vec![Problem {
                line: 1,
                column: 1,
                message,
                help: None,
            }],
        };
        let bytes = Machine.file(path);
        let bytes = bytes.map_err(|e| whole(format!("the file cannot be read: {e}")))?;
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| whole("the file is not a text in UTF-8".to_owned()))?;
        let mut settings = Settings::read(&text, path, around)?;
        settings.file = Some(path.to_owned());
        Ok(settings)
    }

    fn of(root: &Table<'_>) -> Self {
        let own: Vec<Option<Role>> = root.tables("role").into_iter().map(Role::read).collect();
        let named = own
            .iter()
            .map(|role| role.as_ref().map(|role| role.name.clone()));
        let named: Vec<Option<String>> = named.collect();
        let mut roles: Vec<Role> = own.into_iter().flatten().collect();
        for usual in usual_roles() {
            if !roles.iter().any(|role| role.name == usual.name) {
                roles.push(usual);
            }
        }
        let each = |name| root.tables(name).into_iter();
        let lists = across::Lists {
            tenants: each("tenant").map(Tenant::read).collect(),
            clients: each("client").map(Client::read).collect(),
            fhir_servers: each("fhir_server").map(FhirServer::read).collect(),
            roles: named,
        };
        let mut settings = Settings {
            file: None,
            server: Server::read(root.table("server")),
            rules: rules_of(root),
            reload: Reload::read(root.table("reload")),
            tenants: vec![],
            clients: vec![],
            roles,
            tokens: Tokens::read(root.table("tokens")),
            fhir_servers: vec![],
            outbound: Outbound::read(root.table("outbound")),
            store: Store::read(root.table("store")),
            log: Log::read(root.table("log")),
            metrics: Metrics::read(root.table("metrics")),
            tracing: Tracing::read(root.table("tracing")),
            explain: Explain::read(root.table("explain")),
            consent: Consent::read(root.table("consent")),
        };
        root.unknown();
        across::check(&settings, &lists, root);
        settings.tenants = lists.tenants.into_iter().flatten().collect();
        settings.clients = lists.clients.into_iter().flatten().collect();
        settings.fhir_servers = lists.fhir_servers.into_iter().flatten().collect();
        settings
    }
}

fn rules_of(root: &Table<'_>) -> Rules {
    let table = root.table("rules");
    match table.is_there() {
        true => Rules::read(table),
        false => Rules::default(),
    }
}
