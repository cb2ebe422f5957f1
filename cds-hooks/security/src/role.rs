//! Who may do what.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Something that a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Discover and call services.
    Call,
    /// Send feedback about their cards.
    Feedback,
    /// Read why a recent call was answered as it was.
    Explain,
    /// Read the reports of feedback.
    Reports,
    /// Read and export the audit log.
    Audit,
    /// Read metrics.
    Metrics,
    /// The population side: measures and outreach.
    Population,
    /// See what is live, and load rules, keys and certificates anew.
    Admin,
}

impl Action {
    /// Every action, in the order of its declaration.
    pub const ALL: [Action; 8] = [
        Action::Call,
        Action::Feedback,
        Action::Explain,
        Action::Reports,
        Action::Audit,
        Action::Metrics,
        Action::Population,
        Action::Admin,
    ];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Action::Call => "call",
            Action::Feedback => "feedback",
            Action::Explain => "explain",
            Action::Reports => "reports",
            Action::Audit => "audit",
            Action::Metrics => "metrics",
            Action::Population => "population",
            Action::Admin => "admin",
        }
    }

    /// Whether it is done with one service.
    fn of_a_service(self) -> bool {
        matches!(self, Action::Call | Action::Feedback | Action::Explain)
    }
}

/// A role: what those who have it may do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What clients and claims call it.
    pub name: String,
    /// What it lets do.
    pub may: BTreeSet<Action>,
    /// The ids of the services that it may discover, call, send feedback about and read explanations of.
    /// Left out: every one of the tenant.
    #[serde(default)]
    pub services: Option<Vec<String>>,
}

/// The roles that need no configuration; one of the same name replaces it.
pub fn built_in() -> Vec<Role> {
    use Action::{Admin, Audit, Call, Explain, Feedback, Metrics, Population, Reports};
    let role = |name: &str, may: &[Action]| Role {
        name: name.to_owned(),
        may: may.iter().copied().collect(),
        services: None,
    };
    vec![
        role("ehr", &[Call, Feedback]),
        role("quality", &[Explain, Reports, Population]),
        role("auditor", &[Explain, Audit]),
        role("operator", &[Metrics, Admin]),
    ]
}

/// What a client has where no role is configured for it and none comes by a claim.
pub const DEFAULT_ROLE: &str = "ehr";

/// What a caller may do: what any of its roles lets it do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    granted: Vec<(Action, Option<Vec<String>>)>,
}

impl Permissions {
    /// Everything: for a service that is open to all who reach it.
    pub fn all() -> Self {
        Permissions {
            granted: Action::ALL.map(|action| (action, None)).into(),
        }
    }

    /// Of several roles.
    pub fn of<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Self {
        let mut granted = vec![];
        for role in roles {
            for action in &role.may {
                granted.push((*action, role.services.clone()));
            }
        }
        Permissions { granted }
    }

    /// Whether something may be done, with this service where it is about one.
    pub fn allows(&self, action: Action, service: Option<&str>) -> bool {
        self.granted.iter().any(|(granted, services)| {
            *granted == action
                && match (services, service) {
                    (Some(services), Some(id)) if action.of_a_service() => {
                        services.iter().any(|known| known == id)
                    }
                    _ => true,
                }
        })
    }

    /// The services that may be discovered and called; `None`: all.
    pub fn services(&self) -> Option<Vec<&str>> {
        let mut ids = vec![];
        for (_, services) in self.granted.iter().filter(|(a, _)| *a == Action::Call) {
            ids.extend(services.as_ref()?.iter().map(String::as_str));
        }
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_lets_do_what_it_names() {
        let roles = built_in();
        let ehr = Permissions::of([&roles[0]]);
        assert_eq!(ehr.services(), None);
        for action in Action::ALL {
            let may = matches!(action, Action::Call | Action::Feedback);
            assert_eq!(ehr.allows(action, Some("a1c")), may, "{action:?}");
            assert!(Permissions::all().allows(action, None));
            assert!(!Permissions::default().allows(action, Some("a1c")));
            let read = serde_json::from_value::<Action>(action.name().into());
            assert_eq!(read.unwrap(), action);
        }
        assert!(roles.iter().any(|role| role.name == DEFAULT_ROLE));
    }

    #[test]
    fn services_are_named() {
        let role = Role {
            name: "pharmacy".into(),
            may: [Action::Call, Action::Metrics].into(),
            services: Some(vec!["drugs".into(), "a1c".into()]),
        };
        let may = Permissions::of([&role]);
        assert!(may.allows(Action::Call, Some("a1c")));
        assert!(may.allows(Action::Call, Some("drugs")));
        assert!(!may.allows(Action::Call, Some("a1c-2")));
        assert!(!may.allows(Action::Call, Some("")));
        // Discovery: it shows what is named.
        assert!(may.allows(Action::Call, None));
        assert_eq!(may.services(), Some(vec!["a1c", "drugs"]));
        assert!(may.allows(Action::Metrics, None));
        // Two roles together: what either lets do.
        let both = built_in();
        let may = Permissions::of([&role, &both[2]]);
        assert!(may.allows(Action::Explain, Some("other")));
        assert!(!may.allows(Action::Call, Some("other")));
        assert_eq!(Permissions::of([&role, &both[0]]).services(), None);
        assert_eq!(Permissions::default().services(), Some(vec![]));
    }
}
