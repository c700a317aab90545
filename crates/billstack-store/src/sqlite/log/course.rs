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

/// Pages in the log from which commits are held up during a pass, so that it writes twice what they add. Each
/// pass leaves half of what it found then, and the last of them next to nothing: that bounds the file to twice
/// this length, however slow the disk, for as long as no read holds on to an old snapshot.
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
    /// How many of them the last commit added.
    added: i32,
    /// The length of the log when the pass that is under way began; `copied` is what was known before it.
    pass_from: Option<i32>,
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
            added: 0,
            pass_from: None,
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
        self.added = pages - self.pages;
        self.pages = pages;
    }

    /// The checkpointer was sent on a pass.
    pub(super) const fn pass_began(&mut self) {
        self.pass_from = Some(self.pages);
    }

    /// Whether the checkpointer is on a pass.
    pub(super) const fn is_in_pass(&self) -> bool {
        self.pass_from.is_some()
    }

    /// Whether the next commit has to wait for the pass under way, which has written so many pages by now. When
    /// it is over no more than a commit adds, it waits for all of it: else there would always be something
    /// left to copy.
    pub(super) fn is_ahead_of_pass(&self, written: u32) -> bool {
        let Some(from) = self.pass_from.filter(|_| self.pages >= FULL_LOG_PAGES) else {
            return false;
        };
        let since = i64::from(self.pages) - i64::from(from.max(FULL_LOG_PAGES));
        from - self.copied <= self.added || 2 * since > i64::from(written)
    }

    /// A pass has ended with so many pages of the log in the database.
    pub(super) const fn pass_ended(&mut self, copied: i32) {
        self.pass_from = None;
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
            pass_from: self.pass_from,
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
        let worth_it = if is_long { FEW_PAGES } else { PASS_PAGES };
        if self.is_in_pass() {
            Due::Nothing
        } else if self.pages >= self.empty_from && left <= FEW_PAGES {
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
    fn a_full_log_takes_half_of_what_a_pass_writes() {
        let mut full = course(FULL_LOG_PAGES - 10, 0);
        full.grown_to(FULL_LOG_PAGES);
        assert!(!full.is_ahead_of_pass(0), "there is no pass");
        full.pass_began();
        assert!(!full.is_ahead_of_pass(0), "nothing was added");
        full.grown_to(FULL_LOG_PAGES + 100);
        assert!(full.is_ahead_of_pass(199));
        assert!(!full.is_ahead_of_pass(200));
        full.pass_ended(FULL_LOG_PAGES);
        assert!(!full.is_ahead_of_pass(0));
    }

    #[test]
    fn a_full_log_waits_for_a_pass_that_is_over_no_more_than_a_commit() {
        let mut full = course(FULL_LOG_PAGES, FULL_LOG_PAGES);
        full.grown_to(FULL_LOG_PAGES + 1_000);
        full.pass_began();
        assert!(full.is_ahead_of_pass(1_000));
        full.pass_ended(FULL_LOG_PAGES + 1_000);
        assert_eq!(full.due(0), Due::Emptying);
        let mut full = course(FULL_LOG_PAGES, FULL_LOG_PAGES - 1);
        full.grown_to(FULL_LOG_PAGES + 1_000);
        full.pass_began();
        assert!(!full.is_ahead_of_pass(0));
    }

    #[test]
    fn a_log_that_is_not_full_takes_anything() {
        let mut long = course(LONG_LOG_PAGES, 0);
        long.pass_began();
        long.grown_to(FULL_LOG_PAGES - 1);
        assert!(!long.is_ahead_of_pass(0));
        long.grown_to(FULL_LOG_PAGES + 1);
        assert!(!long.is_ahead_of_pass(2), "only what is beyond counts");
        assert!(long.is_ahead_of_pass(1));
    }

    /// However slowly pages are copied and however many are added by a commit.
    #[test]
    fn the_log_stays_within_twice_its_full_length() {
        for (added, written) in [(10, 1), (300, 16), (3_000, 1_000), (64, 100_000)] {
            let (mut course, mut pages, mut longest) = (Course::new(), 0, 0);
            let (mut at, mut of, mut emptied) = (0, 0, 0);
            while emptied < 3 {
                if course.is_in_pass() && at < of && course.is_ahead_of_pass(at) {
                    at += written;
                    continue;
                }
                if course.is_in_pass() && at >= of {
                    course.pass_ended(i32::try_from(of).unwrap() + course.copied);
                }
                match course.due(0) {
                    Due::Nothing => {
                        pages += added;
                        course.grown_to(pages);
                    }
                    Due::Pass(_) => {
                        (at, of) = (0, u32::try_from(pages - course.copied).unwrap());
                        course.pass_began();
                    }
                    Due::Emptying => {
                        course.begun_anew();
                        (pages, emptied) = (0, emptied + 1);
                    }
                }
                longest = longest.max(pages);
            }
            // Each pass may be overrun by a commit, and there are not many.
            let most = 2 * FULL_LOG_PAGES + 16 * added;
            assert!(longest <= most, "{added} {written}: {longest}");
        }
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
        let mut course = course(LONG_LOG_PAGES, LONG_LOG_PAGES - FEW_PAGES);
        course.not_emptied(LONG_LOG_PAGES);
        course.grown_to(LONG_LOG_PAGES + FEW_PAGES - 1);
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
