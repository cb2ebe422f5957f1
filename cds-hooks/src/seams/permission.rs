//! What a caller may do.

use std::fmt;

/// One thing that a caller may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Discover and call services.
    Call,
    /// Send feedback.
    Feedback,
    /// Read why a recent call was answered as it was. Shows patient data.
    Explain,
    /// Read the reports of feedback.
    Reports,
    /// Read the audit log. Shows patient data.
    Audit,
    /// Read metrics.
    Metrics,
    /// Use the population side.
    Population,
    /// See what is live, and reload it.
    Admin,
}

impl Permission {
    /// All of them.
    pub const ALL: [Permission; 8] = [
        Permission::Call,
        Permission::Feedback,
        Permission::Explain,
        Permission::Reports,
        Permission::Audit,
        Permission::Metrics,
        Permission::Population,
        Permission::Admin,
    ];

    /// As in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::Call => "call",
            Permission::Feedback => "feedback",
            Permission::Explain => "explain",
            Permission::Reports => "reports",
            Permission::Audit => "audit",
            Permission::Metrics => "metrics",
            Permission::Population => "population",
            Permission::Admin => "admin",
        }
    }

    /// The one of this word.
    pub fn of(word: &str) -> Option<Self> {
        Permission::ALL.into_iter().find(|p| p.as_str() == word)
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// What a caller may do: a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// Nothing.
    pub const NONE: Permissions = Permissions(0);

    /// Everything.
    pub const ALL: Permissions = Permissions(u8::MAX);

    /// What an EHR needs: to call, and to send feedback.
    pub fn of_ehr() -> Self {
        [Permission::Call, Permission::Feedback]
            .into_iter()
            .collect()
    }

    /// With one more.
    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        Permissions(self.0 | permission.bit())
    }

    /// What one of the two may do.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Permissions(self.0 | other.0)
    }

    /// Whether this is among them.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Those that are there.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        let all = Permission::ALL.into_iter();
        all.filter(move |p| self.contains(*p))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        all.into_iter().fold(Permissions::NONE, Permissions::with)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_permissions() {
        let ehr = Permissions::of_ehr();
        assert_eq!(format!("{ehr:?}"), "{Call, Feedback}");
        for permission in Permission::ALL {
            assert!(Permissions::ALL.contains(permission));
            assert!(!Permissions::NONE.contains(permission));
            assert_eq!(Permission::of(permission.as_str()), Some(permission));
            assert!(Permissions::NONE.with(permission).contains(permission));
        }
        assert_eq!(Permissions::ALL.iter().count(), Permission::ALL.len());
        assert_eq!(Permission::of("root"), None);
    }
}
