//! What is due for the log, by what is known of it: numbers only, so that every step can be tested.

use sqlite_pacing::Pace;

/// New pages in the log (4 KiB each) for which a pass of the checkpointer is worth its while. Under load a
/// page is in the log many times and is copied once: a pass for each commit copies twice as many.
const PASS_PAGES: i32 = 4_000;

/// Pages in the log from which it is begun anew as soon as next to nothing of it is left to copy. Until then
/// passes follow each other briskly, each shorter than the one before.
const LONG_LOG_PAGES: i32 = 16_384;

/// Next to nothing: so many pages the writer copies by itself, in a few milliseconds.
const FEW_PAGES: i32 = 256;

/// Pages in the log from which the writer copies up to [`PASS_PAGES`] by itself, and holds each commit up
/// while a pass is under way: a bound on the file even when the disk takes pages more slowly than they are
/// written, for as long as no read holds on to an old snapshot.
const FULL_LOG_PAGES: i32 = 32_768;

/// Operations that wait for the next commit from which a pass is to be over soon. When few wait, a commit
/// is for one or two of them, and each that it slows down they feel: then the pass takes its time.
const RUSH: usize = 8;

/// What is to be done for the log after a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// A pass of the checkpointer.
    Pass(Pace),
    /// The writer copies what is left, and begins the log anew.
    Emptying,
}

/// How far the log has come, and how far its copying.
#[derive(Debug)]
pub(super) struct Course {
    pages: i32,
    copied: i32,
    /// Whether a pass is under way, so that `copied` is what was known before it.
    in_pass: bool,
    /// No pass is worth it before there are so many pages: the last one got nowhere.
    stuck_until: i32,
    /// The log is not emptied before there are so many pages: further on each time it could not be.
    empty_from: i32,
}

impl Course {
    /// An empty log.
    pub(super) const fn new() -> Course {
        Course {
            pages: 0,
            copied: 0,
            in_pass: false,
            stuck_until: 0,
            empty_from: LONG_LOG_PAGES,
        }
    }

    /// The log has so many pages after a commit.
    pub(super) const fn grown_to(&mut self, pages: i32) {
        // SQLite begins the log anew by itself when all of it was copied and nobody reads.
        if pages < self.pages {
            self.begun_anew();
        }
        self.pages = pages;
    }

    /// The checkpointer was sent on a pass.
    pub(super) const fn pass_began(&mut self) {
        self.in_pass = true;
    }

    /// Whether the checkpointer is on a pass.
    pub(super) const fn is_in_pass(&self) -> bool {
        self.in_pass
    }

    /// Whether commits are to be held up while a pass is under way.
    pub(super) const fn is_full(&self) -> bool {
        self.pages >= FULL_LOG_PAGES
    }

    /// A pass has ended with so many pages of the log in the database.
    pub(super) const fn pass_ended(&mut self, copied: i32) {
        self.in_pass = false;
        if !self.copied_to(copied) {
            self.stuck_until = self.pages.saturating_add(PASS_PAGES);
        }
    }

    /// So many pages are in the database; `false` when that is nothing new. A number that cannot be is SQLite's
    /// -1 for "not known", or of a log that has been begun anew since.
    const fn copied_to(&mut self, copied: i32) -> bool {
        let is_news = copied > self.copied && copied <= self.pages;
        if is_news {
            self.copied = copied;
        }
        is_news
    }

    /// The next commit is the first of the log.
    pub(super) const fn begun_anew(&mut self) {
        *self = Course {
            in_pass: self.in_pass,
            ..Course::new()
        };
    }

    /// It could not be begun anew, because something is still read from it or because it failed; so many
    /// pages are in the database now.
    pub(super) const fn not_emptied(&mut self, copied: i32) {
        self.copied_to(copied);
        self.empty_from = self.pages.saturating_add(PASS_PAGES);
    }

    /// What is due while so many operations wait for the next commit.
    pub(super) const fn due(&self, waiting: usize) -> Due {
        let (left, is_long) = (self.pages - self.copied, self.pages >= LONG_LOG_PAGES);
        let few = if self.is_full() {
            PASS_PAGES
        } else {
            FEW_PAGES
        };
        let worth_it = if is_long { FEW_PAGES } else { PASS_PAGES };
        if self.in_pass {
            Due::Nothing
        } else if self.pages >= self.empty_from && left <= few {
            Due::Emptying
        } else if left < worth_it || self.pages < self.stuck_until {
            Due::Nothing
        } else if is_long || waiting >= RUSH {
            Due::Pass(Pace::Brisk)
        } else {
            Due::Pass(Pace::Gentle)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRISK: Due = Due::Pass(Pace::Brisk);

    /// A log of so many pages of which so many were copied by a pass.
    fn course(pages: i32, copied: i32) -> Course {
        let mut course = Course::new();
        course.grown_to(pages);
        course.pass_began();
        course.pass_ended(copied);
        course
    }

    #[test]
    fn a_pass_waits_until_it_is_worth_it() {
        let mut course = Course::new();
        course.grown_to(PASS_PAGES - 1);
        assert_eq!(course.due(100), Due::Nothing);
        course.grown_to(PASS_PAGES);
        assert_eq!(course.due(RUSH - 1), Due::Pass(Pace::Gentle));
        assert_eq!(course.due(RUSH), BRISK);
    }

    #[test]
    fn nothing_is_due_during_a_pass_and_the_rest_of_it_afterwards() {
        let mut course = Course::new();
        course.grown_to(PASS_PAGES);
        course.pass_began();
        course.grown_to(2 * PASS_PAGES);
        assert_eq!(course.due(0), Due::Nothing);
        course.pass_ended(PASS_PAGES);
        assert_eq!(course.due(0), Due::Pass(Pace::Gentle));
    }

    #[test]
    fn a_long_log_is_copied_to_its_end_and_emptied() {
        let most = LONG_LOG_PAGES - FEW_PAGES;
        assert_eq!(course(LONG_LOG_PAGES, most - 1).due(0), BRISK);
        assert_eq!(course(LONG_LOG_PAGES, most).due(0), Due::Emptying);
        assert_eq!(course(LONG_LOG_PAGES - 1, most).due(0), Due::Nothing);
    }

    #[test]
    fn a_full_log_is_emptied_with_more_of_it_left() {
        let most = FULL_LOG_PAGES - PASS_PAGES;
        assert_eq!(course(FULL_LOG_PAGES, most - 1).due(0), BRISK);
        assert_eq!(course(FULL_LOG_PAGES, most).due(0), Due::Emptying);
        assert!(course(FULL_LOG_PAGES, most).is_full());
        assert_eq!(course(FULL_LOG_PAGES - 1, most).due(0), BRISK);
        assert!(!course(FULL_LOG_PAGES - 1, most).is_full());
    }

    #[test]
    fn a_pass_that_got_nowhere_is_not_repeated_at_once() {
        for pages in [PASS_PAGES, LONG_LOG_PAGES, FULL_LOG_PAGES] {
            for got in [-1, 0, 100, pages + 1] {
                let mut course = course(pages, 100);
                course.pass_began();
                course.pass_ended(got);
                assert_eq!(course.due(0), Due::Nothing, "{pages} {got}");
                course.grown_to(pages + PASS_PAGES - 1);
                assert_eq!(course.due(0), Due::Nothing, "{pages} {got}");
                course.grown_to(pages + PASS_PAGES);
                assert!(matches!(course.due(0), Due::Pass(_)), "{pages} {got}");
            }
        }
    }

    #[test]
    fn a_log_that_could_not_be_emptied_is_tried_again_later() {
        let mut course = course(LONG_LOG_PAGES, LONG_LOG_PAGES);
        course.not_emptied(-1);
        course.grown_to(LONG_LOG_PAGES + FEW_PAGES);
        assert_eq!(course.due(0), BRISK);
        course.grown_to(LONG_LOG_PAGES + PASS_PAGES);
        course.pass_began();
        course.pass_ended(LONG_LOG_PAGES + PASS_PAGES);
        assert_eq!(course.due(0), Due::Emptying);
    }

    #[test]
    fn what_the_writer_copied_itself_is_not_left() {
        let mut course = course(FULL_LOG_PAGES, FULL_LOG_PAGES - PASS_PAGES);
        course.not_emptied(FULL_LOG_PAGES);
        assert_eq!(course.due(0), Due::Nothing);
    }

    #[test]
    fn a_log_begun_anew_starts_over() {
        let mut by_sqlite = course(PASS_PAGES, PASS_PAGES);
        by_sqlite.not_emptied(-1);
        by_sqlite.grown_to(10);
        let mut by_us = course(FULL_LOG_PAGES, FULL_LOG_PAGES);
        by_us.begun_anew();
        for mut course in [by_sqlite, by_us] {
            course.grown_to(PASS_PAGES);
            assert_eq!(course.due(0), Due::Pass(Pace::Gentle));
            course.grown_to(LONG_LOG_PAGES);
            course.pass_began();
            course.pass_ended(LONG_LOG_PAGES);
            assert_eq!(course.due(0), Due::Emptying);
        }
    }

    #[test]
    fn a_pass_of_the_log_before_tells_nothing_of_this_one() {
        let mut course = course(PASS_PAGES, 0);
        course.pass_began();
        course.grown_to(10);
        assert_eq!(course.due(0), Due::Nothing, "the pass is still under way");
        course.pass_ended(PASS_PAGES);
        course.grown_to(2 * PASS_PAGES);
        assert!(matches!(course.due(0), Due::Pass(_)));
    }
}
