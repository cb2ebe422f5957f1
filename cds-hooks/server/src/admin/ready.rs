//! What has to work for calls to be answered.

use std::time::Duration;

use cds_hooks::seams::BoxFuture;

/// Looks at one part; why it does not work, without anything of a patient.
pub type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How long a part may take to say that it works.
const PATIENCE: Duration = Duration::from_secs(2);

/// The parts, by name.
#[derive(Default)]
pub struct Checks(Vec<(&'static str, Check)>);

impl Checks {
    /// With one more.
    pub fn add(&mut self, name: &'static str, check: Check) {
        self.0.push((name, check));
    }

    /// Those that do not work now.
    pub async fn failing(&self) -> Vec<(&'static str, String)> {
        let mut failing = vec![];
        for (name, check) in &self.0 {
            let done = tokio::time::timeout(PATIENCE, check()).await;
            let done = done.unwrap_or_else(|_| Err("does not answer".to_owned()));
            failing.extend(done.err().map(|why| (*name, why)));
        }
        failing
    }
}
