//! Doubt: what an outcome rests on although it could not be told.
//!
//! CQL's `where` drops a row of which it is null whether it holds, and `exists` then says "no". What is
//! counted stays that. But where the null comes from something that is there and cannot be read, from
//! a comparison that is not decided, or from a value set that is not here, the outcome is *unknown*,
//! and this module carries why, beside the values:
//!
//! * the mark of the context is raised where it happens, and is taken back by whatever decides without
//!   it: `and` by its other side, `exists` by an item that is there in any case;
//! * definitions and retrieves remember the mark with their value, slots with theirs;
//! * an interval of which a bound is unknown carries its mark itself, so that a comparison which the
//!   other bound decides stays certain;
//! * a list with a mark may know the items that are in it in any case, and those that may be missing.
//!
//! Nothing of this is touched as long as there is no doubt, but one cell.

/// A mark: none, or why there is doubt.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Doubt(pub(super) u32);

impl Doubt {
    pub const NONE: Doubt = Doubt(0);
    /// The null beside it stands for a value that is there.
    pub(super) const THERE: u32 = 1 << 31;

    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }

    /// Of two the first reason.
    #[inline]
    #[must_use]
    pub fn or(self, other: Doubt) -> Doubt {
        match (self.0, other.0) {
            (0, _) => other,
            (_, 0) => self,
            (a, b) => Doubt(a | (b & Self::THERE)),
        }
    }

    /// Whether a null with this mark is a value that is there and unknown, not one that is absent.
    pub fn is_there(self) -> bool {
        self.0 & Self::THERE != 0
    }
}

/// Why a value set raises doubt.
pub fn about_set(name: &str, loaded: bool) -> String {
    match loaded {
        true => format!("the value set \"{name}\" is not complete"),
        false => format!("the value set \"{name}\" was not loaded"),
    }
}
