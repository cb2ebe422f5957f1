//! Services by set: all rules of a set at a hook are one service, so that a client calls once and gets what
//! they have to say together, ranked, each thing once.

use std::sync::Arc;

use rules::Rule;

use crate::hook::Hook;
use crate::rule::rule_services;
use crate::service::{CardService, Service};

/// Rules that belong together: those that are built in, or a folder of an organization's own.
pub struct RuleSet {
    /// The first part of the ids of its services: letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// For people, short: `Tandem starter library`.
    pub title: String,
    /// Its rules, in the author's order.
    pub rules: Vec<Arc<Rule>>,
    /// What else gives advice with them, such as measures.
    pub others: Vec<Arc<dyn CardService>>,
    /// All its services have its id, told apart by their hooks: each call makes the cards of an earlier one
    /// obsolete. Some clients know one service of an id only. Otherwise each is `<id>-<hook>`.
    pub is_one_id: bool,
}

/// The services of sets: for each set one at each hook that something of it is for, in the order of the table
/// of hooks, organizations' own last.
pub fn services_by_set(sets: Vec<RuleSet>) -> Vec<Service> {
    let mut services = vec![];
    for set in sets {
        let mut parts = rule_services(set.rules);
        parts.extend(set.others);
        let mut hooks: Vec<&'static Hook> = Hook::ALL.to_vec();
        for part in &parts {
            let hook = part.hook();
            if !hooks.iter().any(|known| known.name == hook.name) {
                hooks.push(hook);
            }
        }
        for hook in hooks {
            let of_hook = parts.iter().filter(|part| part.hook().name == hook.name);
            let of_hook: Vec<Arc<dyn CardService>> = of_hook.cloned().collect();
            if of_hook.is_empty() {
                continue;
            }
            let id = match set.is_one_id {
                true => set.id.clone(),
                false => format!("{}-{}", set.id, hook.name),
            };
            services.push(Service {
                id,
                hook,
                title: format!("{}, {}", set.title, hook.name),
                description: described(&of_hook),
                parts: of_hook,
            });
        }
    }
    services
}

/// What a service of several parts looks for: their titles.
fn described(parts: &[Arc<dyn CardService>]) -> String {
    /// More would be a list to read, not a description.
    const NAMED: usize = 40;
    let shown = parts.iter().filter(|part| !part.is_shadow());
    let titles: Vec<&str> = shown.map(|part| part.title().trim()).collect();
    if titles.is_empty() {
        return "Rules on trial: they are called and logged, and no card is shown.".to_owned();
    }
    let mut named: Vec<&str> = titles.iter().copied().take(NAMED).collect();
    let more = format!("{} more", titles.len().saturating_sub(NAMED));
    if titles.len() > NAMED {
        named.push(&more);
    }
    format!("Looks for: {}.", named.join("; "))
}
