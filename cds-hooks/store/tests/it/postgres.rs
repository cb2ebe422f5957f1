//! A cluster of PostgreSQL in a temporary folder, run by a user that may (root may not).

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A running cluster. It ends, and its folder goes, with the process that made it, however that ends.
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    watch: Child,
    databases: AtomicU64,
}

/// The cluster that all tests share, each with databases of its own; none where there is no PostgreSQL.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(Cluster::start).as_ref()
}

/// Where `initdb`, `postgres` and `psql` are: links to some of them may stand elsewhere.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter_map(|folder| folder.join("initdb").canonicalize().ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned))
        .collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let all = ["initdb", "postgres", "pg_ctl", "psql"];
    let has_all = |folder: &PathBuf| all.iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(has_all)
}

fn uid() -> String {
    let out = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// As a user other than root, where we are root.
fn unprivileged(program: &Path) -> Command {
    if uid() != "0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command.arg(program);
    command
}

impl Cluster {
    /// A cluster of one's own, to be killed.
    pub fn start() -> Option<Self> {
        let Some(bin) = binaries() else {
            println!("skipped for PostgreSQL: there is no initdb and postgres on this machine");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("tandem-pg")
            .tempdir()
            .unwrap()
            .keep();
        if uid() == "0" {
            let owned = Command::new("chown").arg("postgres").arg(&folder).output();
            if !owned.is_ok_and(|o| o.status.success()) {
                println!("skipped for PostgreSQL: there is no user postgres to run it");
                std::fs::remove_dir_all(&folder).unwrap();
                return None;
            }
        }
        let made = unprivileged(&bin.join("initdb"))
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(folder.join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let watch = Cluster::run(&bin, &folder);
        let cluster = Cluster {
            folder,
            bin,
            watch,
            databases: AtomicU64::new(0),
        };
        cluster.wait();
        Some(cluster)
    }

    /// A shell that waits for the server (a process that nobody waits for is still there for PostgreSQL after it
    /// was killed), ends it and removes the folder when this process is gone (its input ends).
    fn run(bin: &Path, folder: &Path) -> Child {
        let server = unprivileged(&bin.join("postgres"));
        let script = r#"folder=$1; shift; ("$@" >"$folder/log" 2>&1; true) & read -r _
            pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
            sleep 0.3; rm -rf "$folder""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(folder);
        command.arg(server.get_program()).args(server.get_args());
        command
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(folder);
        command.args([
            "-c",
            "listen_addresses=",
            "-c",
            "shared_buffers=32MB",
            "-c",
            "max_connections=200",
        ]);
        // A signal to the group of the tests is not for it: it has to clear up.
        command
            .current_dir("/")
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap()
    }

    fn psql(&self, sql: &str) -> bool {
        let out = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "-U", "postgres", "-d", "postgres", "-h"])
            .arg(&self.folder)
            .args(["-c", sql])
            .output();
        out.is_ok_and(|o| o.status.success())
    }

    /// Until it answers.
    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.psql("SELECT 1") {
            let log = || std::fs::read_to_string(self.folder.join("log"));
            assert!(
                Instant::now() < end,
                "PostgreSQL does not start: {:?}",
                log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address of a new, empty database.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        assert!(self.psql(&format!("CREATE DATABASE {name}")));
        format!(
            "postgres://postgres@localhost/{name}?host={}",
            self.folder.display()
        )
    }

    /// kill -9 of the postmaster.
    pub fn kill(&self) {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = file.lines().next().unwrap().to_owned();
        let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
        assert!(killed.success());
    }

    /// Starts it again, as soon as the rest of the killed one is gone.
    pub fn start_again(&mut self) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let server = unprivileged(&self.bin.join("pg_ctl"));
            let mut command = Command::new(server.get_program());
            command
                .args(server.get_args())
                .args(["-w", "-t", "20", "-D"]);
            command
                .arg(self.folder.join("data"))
                .arg("-l")
                .arg(self.folder.join("log2"));
            let options = format!(
                "-k {} -c listen_addresses= -c shared_buffers=32MB",
                self.folder.display()
            );
            command
                .arg("-o")
                .arg(options)
                .arg("start")
                .current_dir("/")
                .stdin(Stdio::null());
            if command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
            {
                break;
            }
            assert!(Instant::now() < end, "PostgreSQL does not start again");
            std::thread::sleep(Duration::from_millis(100));
        }
        self.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}
