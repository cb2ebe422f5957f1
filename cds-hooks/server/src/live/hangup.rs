//! The signal to read again.

/// SIGHUP, where there is such a thing.
pub struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    /// From now on it does not end the process, and what comes is remembered. Must be called in a Tokio runtime.
    #[cfg(unix)]
    pub fn watch() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Hangup {
            signal: signal(SignalKind::hangup()).ok(),
        }
    }

    #[cfg(unix)]
    pub(super) async fn came(&mut self) {
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }

    /// Never comes.
    #[cfg(not(unix))]
    pub fn watch() -> Self {
        Hangup {}
    }

    #[cfg(not(unix))]
    pub(super) async fn came(&mut self) {
        std::future::pending().await
    }
}
