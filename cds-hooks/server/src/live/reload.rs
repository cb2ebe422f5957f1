//! Reading again: at a signal, at a wish of an operator, or when files changed.

use std::path::PathBuf;
use std::sync::Arc;

use cds_hooks::Clock;
use engine_patient::system::zone::UTC;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::fingerprint::Fingerprint;
use super::hangup::Hangup;
use super::settings_file::SettingsFile;
use super::state::{Failed, State};
use super::watch::Watch;
use crate::admin::Wish;
use crate::kept::Kept;
use crate::metrics::Metrics;
use crate::settings::Reload;
use crate::told::Tell;

/// Something that is read from files and can be read again while calls go on.
pub trait Part: Send + Sync {
    /// `rules`, `keys` or `certificate`.
    fn name(&self) -> &'static str;

    /// The tenant whose rules they are.
    fn tenant(&self) -> Option<&str> {
        None
    }

    /// Files and folders that it is read from, those that are not there among them.
    fn paths(&self) -> Vec<PathBuf>;

    /// What they were like just before it was last read.
    fn last(&self) -> Fingerprint;

    /// Reads it again, and puts it in the place of what was live: whole, or not at all. Blocks.
    ///
    /// # Errors
    /// What is wrong with it; what was live is live still.
    fn read(&self) -> Result<Again, Vec<String>>;
}

/// What came of reading again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Again {
    /// It is another than before.
    pub is_other: bool,
    /// For people: warnings, what is left out.
    pub notes: Vec<String>,
}

/// What reads again.
pub struct Reloader {
    /// All that can be.
    pub parts: Vec<Arc<dyn Part>>,
    /// When.
    pub settings: Reload,
    /// The file that the settings were read from, if any.
    pub settings_file: Option<Arc<SettingsFile>>,
    /// What is live.
    pub state: Arc<State>,
    /// Counts.
    pub metrics: Metrics,
    /// Where it is written that others are live, if anywhere.
    pub kept: Option<Kept>,
    /// Is told.
    pub tell: Tell,
    /// The time.
    pub clock: Clock,
}

impl Reloader {
    /// Goes on until nobody can wish for anything any more.
    pub async fn run(self, mut wishes: mpsc::Receiver<Wish>, mut hangup: Hangup) {
        let settle = self.settings.settle;
        let watched = self.parts.iter().filter(|_| self.settings.watch);
        let mut watches: Vec<Watch> = watched.map(|_| Watch::new(settle)).collect();
        let mut rhythm = tokio::time::interval(self.settings.every);
        rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wish = wishes.recv() => {
                    let Some(Wish(told)) = wish else { return };
                    let failed = self.all("as was asked").await;
                    // Who asked may be gone.
                    let _ = told.send(failed);
                }
                () = hangup.came() => {
                    self.all("at SIGHUP").await;
                }
                _ = rhythm.tick(), if !watches.is_empty() => {
                    self.look_at_settings().await;
                    watches = self.changed(watches).await;
                }
            }
        }
    }

    /// Reads all parts again. What failed.
    async fn all(&self, why: &str) -> Vec<Failed> {
        let mut failed = vec![];
        self.look_at_settings().await;
        for part in &self.parts {
            failed.extend(self.one(part, why).await);
        }
        failed
    }

    /// Tells whoever expects that the settings are read again, too.
    async fn look_at_settings(&self) {
        let Some(file) = self.settings_file.clone() else {
            return;
        };
        // A panic is logged.
        let looked = tokio::task::spawn_blocking(move || file.look()).await;
        if let Ok(Some(said)) = looked {
            (self.tell)(&said);
        }
    }

    /// Reads those parts again whose files changed.
    async fn changed(&self, mut watches: Vec<Watch>) -> Vec<Watch> {
        let every = self.settings.every;
        let parts = self.parts.clone();
        let cut = watches.iter().filter(|watch| watch.is_cut()).count();
        let looked = tokio::task::spawn_blocking(move || {
            let looks = watches.iter_mut().zip(parts);
            let looks = looks.map(|(watch, part)| watch.look(&part.paths(), &part.last(), every));
            let looks: Vec<bool> = looks.collect();
            (watches, looks)
        });
        let Ok((watches, looks)) = looked.await else {
            // It panicked, which is logged: nothing is watched any more.
            (self.tell)("files are not watched any more, after an error of ours");
            return vec![];
        };
        if watches.iter().filter(|watch| watch.is_cut()).count() > cut {
            (self.tell)(
                "there are more files than are watched for changes: of others only SIGHUP and POST /admin/reload take notice",
            );
        }
        for (part, changed) in self.parts.iter().zip(looks) {
            if changed {
                self.one(part, "since files changed").await;
            }
        }
        watches
    }

    async fn one(&self, part: &Arc<dyn Part>, why: &str) -> Option<Failed> {
        let (name, tenant) = (part.name(), part.tenant().map(str::to_owned));
        let there = Arc::clone(part);
        let read = tokio::task::spawn_blocking(move || there.read()).await;
        let read = read.unwrap_or_else(|_| Err(vec!["an error of ours; see the log".to_owned()]));
        let of = tenant
            .as_ref()
            .map_or_else(String::new, |t| format!(" of tenant {t}"));
        match read {
            Ok(Again { is_other, notes }) => {
                self.state.mended(name, tenant.as_deref());
                let (word, what) = match (is_other, were(name)) {
                    (true, "was") => ("changed", "another is live now"),
                    (true, _) => ("changed", "others are live now"),
                    (false, "was") => ("same", "it is the same"),
                    (false, _) => ("same", "they are the same"),
                };
                self.metrics.reloaded(name, word);
                let were = were(name);
                (self.tell)(&format!("{name}{of} {were} read again {why}: {what}"));
                if is_other {
                    notes
                        .iter()
                        .for_each(|note| (self.tell)(&format!("{name}{of}: {note}")));
                    self.note(name, tenant.as_deref()).await;
                }
                None
            }
            Err(lines) => {
                self.metrics.reloaded(name, "failed");
                let all = lines.join("\n");
                (self.tell)(&format!(
                    "{name}{of} {} read again {why}, and {} wrong; what was live goes on: {all}",
                    were(name),
                    if were(name) == "was" { "is" } else { "are" }
                ));
                let failed = Failed {
                    part: name,
                    tenant,
                    at: (self.clock)().to_string(),
                    why: lines,
                };
                self.state.failed(failed.clone());
                Some(failed)
            }
        }
    }

    /// Others are live: that is written down.
    async fn note(&self, part: &'static str, tenant: Option<&str>) {
        let Some(kept) = &self.kept else { return };
        let set = match part {
            "rules" => self.state.of(tenant),
            _ => None,
        };
        let now = (self.clock)().earliest(&UTC);
        if let Err(why) = kept.live(now, part, tenant, set.as_deref()).await {
            (self.tell)(&format!(
                "the audit log does not say that others are live: {why}"
            ));
        }
    }
}

/// Of the certificate there is one.
fn were(part: &str) -> &'static str {
    match part {
        "certificate" => "was",
        _ => "were",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::super::fingerprint::Marked;
    use super::*;

    const QUICK: std::time::Duration = std::time::Duration::from_millis(20);

    struct Numbers {
        path: PathBuf,
        marked: Marked,
        read: AtomicUsize,
    }

    impl Part for Numbers {
        fn name(&self) -> &'static str {
            "rules"
        }

        fn paths(&self) -> Vec<PathBuf> {
            vec![self.path.clone()]
        }

        fn last(&self) -> Fingerprint {
            self.marked.last()
        }

        fn read(&self) -> Result<Again, Vec<String>> {
            let (_, is_other) = self.marked.mark(&self.paths());
            self.read.fetch_add(1, Ordering::SeqCst);
            let text = std::fs::read_to_string(&self.path).unwrap();
            match text.parse::<u32>() {
                Ok(n) => Ok(Again {
                    is_other,
                    notes: vec![format!("it is {n}")],
                }),
                Err(e) => Err(vec![e.to_string()]),
            }
        }
    }

    #[tokio::test]
    async fn changes_of_files_and_wishes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n");
        std::fs::write(&path, "1").unwrap();
        let part = Arc::new(Numbers {
            path: path.clone(),
            marked: Marked::default(),
            read: AtomicUsize::new(0),
        });
        part.marked.mark(&part.paths());
        let (state, lines) = (Arc::new(State::default()), Arc::new(Mutex::new(vec![])));
        let there = Arc::clone(&lines);
        let metrics = Metrics::new();
        let reloader = Reloader {
            parts: vec![part.clone()],
            settings: Reload {
                watch: true,
                every: QUICK,
                settle: QUICK,
            },
            state: Arc::clone(&state),
            metrics: metrics.clone(),
            kept: None,
            settings_file: None,
            tell: Arc::new(move |line: &str| there.lock().unwrap().push(line.to_owned())),
            clock: Arc::new(|| UTC.moment(0)),
        };
        let (sender, wishes) = mpsc::channel(1);
        let running = tokio::spawn(reloader.run(wishes, Hangup::watch()));
        let until = async |what: &dyn Fn() -> bool| {
            for _ in 0..500 {
                if what() {
                    return;
                }
                tokio::time::sleep(QUICK).await;
            }
            panic!("it does not happen");
        };
        tokio::time::sleep(5 * QUICK).await;
        assert_eq!(part.read.load(Ordering::SeqCst), 0, "nothing changed");
        std::fs::write(&path, "no number").unwrap();
        until(&|| state.all().1.len() == 1).await;
        assert_eq!(state.all().1[0].why, ["invalid digit found in string"]);
        std::fs::write(&path, "22").unwrap();
        until(&|| state.all().1.is_empty()).await;
        let before = part.read.load(Ordering::SeqCst);
        let (told, outcome) = oneshot::channel();
        sender.send(Wish(told)).await.unwrap();
        assert!(outcome.await.unwrap().is_empty());
        assert!(part.read.load(Ordering::SeqCst) > before);
        drop(sender);
        running.await.unwrap();
        let said = lines.lock().unwrap().join("\n");
        assert!(
            said.contains("what was live goes on: invalid digit"),
            "{said}"
        );
        // What is to be said of a set is said when it becomes live, and not each time that it is read.
        assert_eq!(said.matches("it is 22").count(), 1, "{said}");
        let text = metrics.text();
        for outcome in ["failed", "same"] {
            let line = format!("tandem_reloads_total{{part=\"rules\",outcome=\"{outcome}\"}} 1");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
