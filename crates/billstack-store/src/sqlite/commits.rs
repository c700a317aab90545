//! How many commits there were, for those who want to know whether there was another.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts commits. The number is odd while one is under way: then some threads may see it already and others not.
#[derive(Debug, Default)]
pub(crate) struct Commits(AtomicU64);

impl Commits {
    /// Commits.
    pub(super) fn count<T>(&self, commit: impl FnOnce() -> T) -> T {
        self.0.fetch_add(1, Ordering::SeqCst);
        let committed = commit();
        self.0.fetch_add(1, Ordering::SeqCst);
        committed
    }

    /// A number that is the same for as long as nothing is committed, `None` while something is.
    pub(super) fn settled(&self) -> Option<u64> {
        let count = self.0.load(Ordering::SeqCst);
        count.is_multiple_of(2).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_settled_during_a_commit_and_everything_is_different_after_it() {
        let commits = Commits::default();
        let before = commits.settled();
        assert_eq!(commits.settled(), before);
        assert!(before.is_some());
        assert_eq!(commits.count(|| commits.settled()), None);
        assert!(commits.settled().is_some());
        assert_ne!(commits.settled(), before);
    }
}
