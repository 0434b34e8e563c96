//! What a script waits for, and for how long.

use std::time::{Duration, Instant};

use sipae::client::Standing;
use sipae_gen::{Awaited, Label};

use super::{Player, ended};
use crate::edits::Broken;

impl Player {
    pub(super) fn wait_for(&mut self, label: &Label, what: &Awaited, optional: bool) -> Result<(), Broken> {
        (self.waiting, self.caught) = (Some(what.clone()), None);
        let patience = match (optional, self.links.is_empty()) {
            (_, true) => self.stage.pace.start(),
            (false, _) => self.stage.pace.patience(),
            (true, _) => self.stage.pace.quiet(self.stage.haste),
        };
        if !(optional && self.is_still_quiet()) {
            self.is_quiet = optional && self.caught.is_none();
            self.listen(patience, |player| player.caught.is_none());
        }
        self.waiting = None;
        match self.caught.take() {
            Some(place) => {
                self.seen.kept.insert(label.clone(), place);
                Ok(())
            }
            None if optional => {
                self.missed.insert(label.clone());
                Ok(())
            }
            None => Err(self.nothing_came(what)),
        }
    }

    pub(super) fn nothing_came(&mut self, what: &Awaited) -> String {
        /// So many requests are no conversation.
        const MANY: usize = 20;
        let why = match (self.stage.wire.end(), &self.seen.connections.unreadable) {
            (Some(end), Some(why)) if !end.is_crash => {
                format!("the client sent what cannot be read: {why}; and it has ended: {}", end.how)
            }
            (_, None) if self.seen.flooded => "the client floods".to_owned(),
            (Some(end), _) => ended(&end),
            (None, Some(why)) => format!("the client sent what cannot be read: {why}"),
            (None, None) if MANY < self.requests => {
                format!("it is none of the {} requests that came in time", self.requests)
            }
            (None, None) if self.links.is_empty() => "the client did not connect".to_owned(),
            (None, None) => "nothing came in time".to_owned(),
        };
        format!("waited for {what}: {why}")
    }

    pub(super) fn wait_for_answer(&mut self, label: &Label) {
        let patience = self.stage.pace.patience();
        let is_open = |player: &Self| player.current.is_some_and(|current| player.is_open(current));
        self.listen(patience, |player| {
            is_open(player) && player.seen.sent.get(label).is_some_and(|sent| sent.answer().is_none())
        });
    }

    pub(super) fn settle(&mut self) {
        if !self.is_still_quiet() {
            self.listen_until_quiet(self.stage.pace.quiet(self.stage.haste));
        }
    }

    /// What a client writes of its registration may come late: how late is measured. Of one that writes nothing of it within
    /// the time of a step nobody knows.
    pub(super) fn wait_until_told(&mut self) {
        const LOOK: Duration = Duration::from_millis(5);
        if self.has_standing_at_once() {
            return;
        }
        let (begun, until) = (self.put_at, Instant::now() + self.stage.pace.patience());
        while Instant::now() < until && self.stage.wire.end().is_none() {
            let Some(standing) = self.written_standing() else { return };
            if standing.registered || standing.failed {
                return self.stage.pace.told(begun.map(|begun| begun.elapsed()).unwrap_or_default());
            }
            self.listen(LOOK, |_| true);
        }
    }

    /// Whether it is known without waiting what the client tells.
    pub(super) fn has_standing_at_once(&self) -> bool {
        self.stage.wire.is_exact() || self.stage.wire.is_told()
    }

    pub(super) fn written_standing(&mut self) -> Option<Standing> {
        let (output, end) = (self.stage.wire.output(), self.stage.wire.end());
        self.stage.tells.standing(&output, end.as_ref())
    }

    /// Whether nothing has happened since it was known that nothing was to come: that is not waited for twice.
    pub(super) fn is_still_quiet(&mut self) -> bool {
        if self.is_quiet {
            self.look();
        }
        self.is_quiet
    }

    /// A client that goes on and on is not listened to for ever.
    pub(super) fn listen_until_quiet(&mut self, quiet: Duration) {
        let longest = self.stage.pace.patience().min(quiet * 16);
        let (mut heard, until) = (usize::MAX, Instant::now() + longest);
        while heard != self.requests && !self.seen.flooded && Instant::now() < until {
            heard = self.requests;
            self.is_quiet = true;
            self.listen(quiet, |player| player.requests == heard);
        }
    }

    pub(super) fn elapse(&mut self, time: Duration) {
        if self.stage.wire.advance(time) {
            // What a client does then it has done when it says so; what it sent may still be on its way.
            self.listen_until_quiet(self.stage.haste.aftermath());
        } else {
            self.listen(time, |_| true);
        }
        self.is_quiet = false;
    }

    /// Serves as long as something is waited for, and for as long as patience lasts.
    pub(super) fn listen(&mut self, patience: Duration, is_waiting: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + patience;
        while is_waiting(self) && !self.seen.flooded {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // What comes later is no answer to what was sent.
                self.last_sent = None;
                return;
            }
            match self.stage.wire.receive(left) {
                Some((connection, happened)) => self.happened(connection, happened),
                None if self.stage.wire.is_exact() => return,
                None if self.stage.wire.end().is_some() => return self.look(),
                None => {}
            }
        }
    }

    /// Looks at what is there already.
    pub(super) fn look(&mut self) {
        while let Some((connection, happened)) = self.stage.wire.receive(Duration::ZERO) {
            if self.seen.flooded {
                return;
            }
            self.happened(connection, happened);
        }
    }
}
