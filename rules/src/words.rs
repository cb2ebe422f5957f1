//! The words of a rule's file for what it chooses between.

/// Which direction of a rate is better (FHIR `improvementNotation`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Improvement {
    /// A higher rate is better.
    Increase,
    /// A lower rate is better.
    Decrease,
}

/// What an unknown outcome does on a live card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnUnknown {
    /// A card says that it could not be checked, and why.
    Card,
    /// Nothing is shown.
    Silent,
}

/// Urgency of a card (CDS Hooks `indicator`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Indicator {
    /// For information.
    Info,
    /// Needs attention.
    Warning,
    /// Needs attention now.
    Critical,
}

/// The words of a file for the values of an enum; one table serves reading and writing.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Each word with its value.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| word)
    }
}

impl Word for Improvement {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("increase", Improvement::Increase),
        ("decrease", Improvement::Decrease),
    ];
}

impl Word for OnUnknown {
    const WORDS: &'static [(&'static str, Self)] =
        &[("card", OnUnknown::Card), ("silent", OnUnknown::Silent)];
}

impl Word for Indicator {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("info", Indicator::Info),
        ("warning", Indicator::Warning),
        ("critical", Indicator::Critical),
    ];
}

impl Improvement {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl OnUnknown {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Indicator {
    /// The CDS Hooks code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}
