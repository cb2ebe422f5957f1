//! The order of an examination.

use std::collections::HashSet;

use super::Doctor;
use crate::judge::discovery::Service;

impl Doctor<'_> {
    /// Each service once as a good client; the first of each hook with all cases.
    pub(crate) async fn services(&mut self, services: &[Service]) {
        let mut answering = vec![];
        for service in services {
            if self.good_client(service).await {
                answering.push(service);
            }
        }
        // What is not answered when all is right says nothing of what is not.
        let mut seen = HashSet::new();
        for service in &answering {
            let first = seen.insert(service.hook.clone());
            if first || self.options.every_service {
                self.broken_client(service).await;
                self.odd_client(service).await;
                self.states_of_prefetch(service).await;
                self.fetching(service).await;
                self.feedback(service).await;
            }
        }
        if answering.is_empty() {
            self.note("no service answers a good call: the other cases were left out".to_owned());
        }
        let first = answering.first().copied().or(services.first());
        if let Some(service) = first {
            self.huge(service).await;
            self.wrong_addresses(service).await;
            self.browser(service).await;
            self.security(service).await;
        }
        self.latency();
    }
}
