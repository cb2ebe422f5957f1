//! Which services a client could call at all: those whose data can be prefetched.

use std::sync::Arc;

use crate::prefetch::Templates;
use crate::service::CardService;

/// Services, sorted by whether all that they need can be prefetched.
pub struct Reach {
    /// Those that can be served.
    pub served: Vec<Arc<dyn CardService>>,
    /// For each of the others: its id, what it needs, and why no template can ask for that.
    pub refused: Vec<String>,
}

/// Sorts out services that no client could ever call with all their data: they would answer 412, or
/// stay silent, for everyone.
pub fn within_reach(services: Vec<Arc<dyn CardService>>) -> Reach {
    let mut reach = Reach {
        served: vec![],
        refused: vec![],
    };
    for service in services {
        let templates = Templates::of_service(service.as_ref());
        let out = templates.out_of_reach.iter();
        let why: Vec<String> = out.map(|ty| templates.why_out_of_reach(*ty)).collect();
        if why.is_empty() {
            reach.served.push(service);
            continue;
        }
        reach.refused.push(format!(
            "{}: no service, since it needs what a client cannot prefetch: {}",
            service.id(),
            why.join("; ")
        ));
    }
    reach
}
