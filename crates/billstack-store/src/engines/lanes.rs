//! The queue in front of threads that read: whoever reads much cannot take all of them.
//!
//! Each team has a line of short reads and one of long ones, and the lines take turns. Long reads have half of the
//! threads, and those of one team half of that, so that a page of a list waits for other pages only, and a team for
//! its own reads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Receiver;

use super::queue::{Job, Verdict};
use crate::seam::{Fault, Tx};

/// How much a read touches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// A page of a list, or a few rows by key.
    Short,
    /// Thousands of rows.
    Long,
}

/// Whose read it is, and how much it touches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// The number of the team; 0 for the server itself.
    pub team: i64,
    /// How much it touches.
    pub weight: Weight,
}

impl Share {
    /// A short read of the server itself.
    pub const OWN: Share = Share {
        team: 0,
        weight: Weight::Short,
    };
}

/// Where a thread gets its next job.
pub(crate) trait Source {
    /// Waits for one; none once all are done and none can come.
    fn wait(&self) -> Option<Box<dyn Job>>;
    /// One that may begin now.
    fn at_once(&self) -> Option<Box<dyn Job>>;
}

impl Source for Receiver<Box<dyn Job>> {
    fn wait(&self) -> Option<Box<dyn Job>> {
        self.recv().ok()
    }

    fn at_once(&self) -> Option<Box<dyn Job>> {
        self.try_recv().ok()
    }
}

/// The queue of some threads.
pub(crate) struct Lanes {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    /// The most long reads at once.
    most_long: usize,
    /// The most of them of one team.
    most_long_of_team: usize,
}

struct State {
    is_open: bool,
    queued: usize,
    long: usize,
    /// The line whose turn it is comes first. Each waits or runs.
    lines: VecDeque<Line>,
}

struct Line {
    share: Share,
    jobs: VecDeque<Box<dyn Job>>,
    running: usize,
}

impl Lanes {
    /// A queue for so many threads, which holds so many jobs.
    pub(crate) fn new(threads: usize, capacity: usize) -> Arc<Lanes> {
        let most_long = (threads / 2).max(1);
        Arc::new(Lanes {
            state: Mutex::new(State {
                is_open: true,
                queued: 0,
                long: 0,
                lines: VecDeque::new(),
            }),
            changed: Condvar::new(),
            capacity,
            most_long,
            most_long_of_team: (most_long / 2).max(1),
        })
    }

    /// Queues a job. A full queue refuses it at once.
    pub(crate) fn enqueue(&self, share: Share, job: Box<dyn Job>) -> Result<(), Fault> {
        let mut state = self.state();
        if state.queued >= self.capacity {
            return Err(Fault::Overloaded);
        }
        state.queued += 1;
        let line = state.lines.iter_mut().find(|line| line.share == share);
        match line {
            Some(line) => line.jobs.push_back(job),
            None => state.lines.push_back(Line {
                share,
                jobs: VecDeque::from([job]),
                running: 0,
            }),
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Lets the threads end once nothing is queued.
    pub(crate) fn close(&self) {
        self.state().is_open = false;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first job that may begin; its line goes to the end.
    fn take(self: &Arc<Self>, state: &mut State) -> Option<Box<dyn Job>> {
        let may_begin = |line: &Line| {
            let has_room = match line.share.weight {
                Weight::Short => true,
                Weight::Long => {
                    state.long < self.most_long && line.running < self.most_long_of_team
                }
            };
            has_room && !line.jobs.is_empty()
        };
        let place = state.lines.iter().position(may_begin)?;
        let mut line = state.lines.remove(place)?;
        let job = line.jobs.pop_front()?;
        let share = line.share;
        line.running += 1;
        state.lines.push_back(line);
        state.queued -= 1;
        state.long += usize::from(share.weight == Weight::Long);
        let place = Place {
            lanes: Arc::clone(self),
            share,
        };
        Some(Box::new(Placed { job, place }))
    }

    fn leave(&self, share: Share) {
        let mut state = self.state();
        state.long -= usize::from(share.weight == Weight::Long);
        let place = state.lines.iter().position(|line| line.share == share);
        if let Some(mut line) = place.and_then(|place| state.lines.remove(place)) {
            line.running -= 1;
            if line.running > 0 || !line.jobs.is_empty() {
                // Whoever waited meanwhile comes first.
                state.lines.push_back(line);
            }
        }
        drop(state);
        self.changed.notify_one();
    }
}

impl Source for Arc<Lanes> {
    fn wait(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state();
        loop {
            if let Some(job) = self.take(&mut state) {
                return Some(job);
            }
            if !state.is_open && state.queued == 0 {
                // Whoever waits with this thread ends too.
                self.changed.notify_all();
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn at_once(&self) -> Option<Box<dyn Job>> {
        self.take(&mut self.state())
    }
}

/// A place among those that read; given up when it is dropped.
struct Place {
    lanes: Arc<Lanes>,
    share: Share,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lanes.leave(self.share);
    }
}

/// A job that has its place until it is answered.
struct Placed {
    job: Box<dyn Job>,
    place: Place,
}

impl Job for Placed {
    fn run(&mut self, tx: &mut dyn Tx) -> Verdict {
        self.job.run(tx)
    }

    fn answer(self: Box<Self>, committed: Result<(), Fault>) {
        let Placed { job, place } = *self;
        // Whoever is answered may ask again at once, and finds the place free.
        drop(place);
        job.answer(committed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::queue::job;

    fn share(team: i64, weight: Weight) -> Share {
        Share { team, weight }
    }

    /// Queues a job that does nothing.
    fn add(lanes: &Lanes, share: Share) {
        let (job, _) = job(|_: &mut dyn Tx| Ok::<_, crate::Abort>(()));
        lanes.enqueue(share, job).expect("room");
    }

    /// Whose job may begin now; it stays where it was put.
    fn next(lanes: &Arc<Lanes>, running: &mut Vec<Box<dyn Job>>) -> Option<Share> {
        let job = lanes.at_once();
        running.extend(job);
        let state = lanes.state();
        let last = state.lines.back().map(|line| line.share);
        last.filter(|_| state.lines.iter().any(|line| line.running > 0))
    }

    fn free(running: &mut Vec<Box<dyn Job>>) {
        running.remove(0).answer(Ok(()));
    }

    #[test]
    fn long_reads_leave_threads_to_pages_and_to_other_teams() {
        let lanes = Lanes::new(4, 100);
        let mut running = Vec::new();
        for _ in 0..4 {
            add(&lanes, share(1, Weight::Long));
        }
        assert_eq!(next(&lanes, &mut running), Some(share(1, Weight::Long)));
        assert!(lanes.at_once().is_none(), "a team has one of them");
        add(&lanes, share(2, Weight::Long));
        add(&lanes, share(3, Weight::Long));
        add(&lanes, share(1, Weight::Short));
        assert_eq!(next(&lanes, &mut running), Some(share(2, Weight::Long)));
        assert_eq!(next(&lanes, &mut running), Some(share(1, Weight::Short)));
        assert!(lanes.at_once().is_none(), "long reads have half");
        free(&mut running);
        assert_eq!(next(&lanes, &mut running), Some(share(3, Weight::Long)));
        assert_eq!(running.len(), 3);
    }

    #[test]
    fn teams_take_turns() {
        let lanes = Lanes::new(2, 100);
        for _ in 0..3 {
            add(&lanes, share(1, Weight::Short));
        }
        add(&lanes, share(2, Weight::Short));
        let mut running = Vec::new();
        let turns: Vec<_> = (0..4)
            .filter_map(|_| next(&lanes, &mut running))
            .map(|share| share.team)
            .collect();
        assert_eq!(turns, [1, 2, 1, 1]);
    }

    #[test]
    fn what_is_queued_is_done_after_the_end() {
        let lanes = Lanes::new(1, 1);
        add(&lanes, share(1, Weight::Long));
        let (more, _) = job(|_: &mut dyn Tx| Ok::<_, crate::Abort>(()));
        assert_eq!(
            lanes.enqueue(share(2, Weight::Short), more),
            Err(Fault::Overloaded)
        );
        lanes.close();
        let last = lanes.wait();
        assert!(last.is_some());
        drop(last);
        assert!(lanes.wait().is_none());
        assert!(lanes.state().lines.is_empty());
    }
}
