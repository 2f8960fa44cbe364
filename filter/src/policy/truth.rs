//! Kleene's three values: what cannot be decided stays undecided until the statement's effect says which side is the safe one.

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Unsure,
    Yes,
}

// === impl Truth ===

impl Truth {
    pub(super) fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    /// The opposite, if `wanted`.
    pub(super) fn negated_if(self, wanted: bool) -> Self {
        match self {
            Self::No if wanted => Self::Yes,
            Self::Yes if wanted => Self::No,
            same => same,
        }
    }

    /// The OR of them; stops at the first that holds.
    pub(super) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        Self::seek(truths, Self::Yes, Self::No, Ord::max)
    }

    /// The AND of them; stops at the first that does not hold.
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        Self::seek(truths, Self::No, Self::Yes, Ord::min)
    }

    fn seek(truths: impl IntoIterator<Item = Self>, end: Self, start: Self, pick: fn(Self, Self) -> Self) -> Self {
        let mut found = start;
        for truth in truths {
            found = pick(found, truth);
            if found == end {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, No, Unsure, Yes};

    #[test]
    fn what_is_decided_wins_over_what_is_not() {
        assert_eq!((Truth::any([No, Unsure]), Truth::any([Unsure, Yes]), Truth::any([])), (Unsure, Yes, No));
        assert_eq!((Truth::all([Yes, Unsure]), Truth::all([Unsure, No]), Truth::all([])), (Unsure, No, Yes));
        assert_eq!([No, Unsure, Yes].map(|truth| truth.negated_if(true)), [Yes, Unsure, No]);
        assert_eq!([No, Unsure, Yes].map(|truth| truth.negated_if(false)), [No, Unsure, Yes]);
    }
}
