//! What a Consent may say of a resource. Of what is not understood, all that it could be.

use engine_patient::system::truth::Truth;

/// A set of answers, never empty: what is certain has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Possible(u8);

impl Possible {
    pub(crate) const PERMIT: Possible = Possible(1);
    pub(crate) const DENY: Possible = Possible(2);
    /// It says nothing of it.
    pub(crate) const SILENT: Possible = Possible(4);

    /// This or that.
    pub(crate) const fn or(self, other: Possible) -> Possible {
        Possible(self.0 | other.0)
    }

    /// Whether all of `other` is possible.
    pub(crate) fn may_be(self, other: Possible) -> bool {
        self.0 & other.0 == other.0
    }

    /// `inside` where it holds, `outside` where not; either where that cannot be told.
    pub(crate) fn where_it(holds: Truth, inside: Possible, outside: Possible) -> Possible {
        match holds {
            Truth::True => inside,
            Truth::False => outside,
            Truth::Unknown => inside.or(outside),
        }
    }

    /// What it says, and `instead` where it says nothing.
    pub(crate) fn or_else(self, instead: Possible) -> Possible {
        match self.may_be(Possible::SILENT) {
            true => Possible(self.0 & !Possible::SILENT.0 | instead.0),
            false => self,
        }
    }

    /// What provisions beside each other say together: a denial overrides a permission.
    pub(crate) fn beside(all: impl Iterator<Item = Possible> + Clone) -> Possible {
        let mut together = 0;
        if all.clone().any(|one| one.may_be(Possible::DENY)) {
            together |= Possible::DENY.0;
        }
        let denied = all.clone().any(|one| one == Possible::DENY);
        if !denied && all.clone().any(|one| one.may_be(Possible::PERMIT)) {
            together |= Possible::PERMIT.0;
        }
        let mut silent = all;
        if silent.all(|one| one.may_be(Possible::SILENT)) {
            together |= Possible::SILENT.0;
        }
        Possible(together)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: Possible = Possible::PERMIT;
    const D: Possible = Possible::DENY;
    const S: Possible = Possible::SILENT;

    #[test]
    fn a_denial_beside_a_permission_wins() {
        let of = |all: &[Possible]| Possible::beside(all.iter().copied());
        assert_eq!(of(&[]), S);
        assert_eq!(of(&[S, P]), P);
        assert_eq!(of(&[P, D, S]), D);
        assert_eq!(of(&[S, S]), S);
        // A denial that may not apply leaves it open.
        assert_eq!(of(&[P, D.or(S)]), P.or(D));
        assert_eq!(of(&[S, D.or(S)]), D.or(S));
        assert_eq!(of(&[P.or(S), D.or(S)]), P.or(D).or(S));
    }

    /// All sets of up to three answers: with one more denial a permission is never more certain.
    #[test]
    fn one_more_denial_permits_nothing() {
        let sets: Vec<Possible> = (1..8).map(Possible).collect();
        for a in &sets {
            for b in &sets {
                for more in [D, D.or(S)] {
                    let before = Possible::beside([*a, *b].into_iter());
                    let after = Possible::beside([*a, *b, more].into_iter());
                    assert!(after.may_be(D), "{a:?} {b:?}");
                    assert!(after != P || before == P, "{a:?} {b:?} {more:?}");
                }
            }
        }
    }
}
