//! What has to work for calls to be answered.

use std::time::Duration;

use cds_hooks::seams::BoxFuture;

/// Looks at one part; why it does not work, without anything of a patient.
pub type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How long a part may take to say that it works.
const PATIENCE: Duration = Duration::from_secs(2);

/// The parts, by name, and whether no call can be answered without them.
#[derive(Default)]
pub struct Checks(Vec<(&'static str, bool, Check)>);

/// Parts that do not work, and why.
pub type Failing = Vec<(&'static str, String)>;

impl Checks {
    /// With one more, without which no call can be answered.
    pub fn add(&mut self, name: &'static str, check: Check) {
        self.0.push((name, true, check));
    }

    /// With one more, without which calls are answered all the same, or most of them: it is told, and the
    /// server is ready.
    pub fn add_minor(&mut self, name: &'static str, check: Check) {
        self.0.push((name, false, check));
    }

    /// Those that do not work now: those that calls cannot do without, and the others.
    pub async fn failing(&self) -> (Failing, Failing) {
        let (mut failing, mut minor) = (vec![], vec![]);
        for (name, is_needed, check) in &self.0 {
            let done = tokio::time::timeout(PATIENCE, check()).await;
            let done = done.unwrap_or_else(|_| Err("does not answer".to_owned()));
            let list = if *is_needed { &mut failing } else { &mut minor };
            list.extend(done.err().map(|why| (*name, why)));
        }
        (failing, minor)
    }
}
