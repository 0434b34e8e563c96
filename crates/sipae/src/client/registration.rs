//! How long a registration and its association live, and what follows them ([MS-SIPAE] 3.2.2, 3.2.6).

use std::time::Duration;

use super::{Client, ClientEvent, Established, Scene, State, careless};
use crate::clock::Time;
use crate::defects::Defect;
use crate::message::Message;

/// No timer of the client is shorter, whatever lifetime a server grants.
const SHORTEST: Duration = Duration::from_secs(1);

/// When to act in a lifetime: `margin` before its end. A lifetime that is not longer than the margin is halved
/// instead, so that it gives neither a negative timer nor one that fires at once (SIPAE-3.2.2-05).
fn wait(lifetime: Duration, margin: Duration) -> Duration {
    let wait = if margin < lifetime { lifetime.saturating_sub(margin) } else { lifetime / 2 };
    wait.max(SHORTEST)
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

impl Client {
    /// The registration is refreshed 30 seconds before it ends, the association renewed 5 minutes before.
    pub(super) fn tick(&mut self, scene: &mut Scene<'_>) {
        let State::Established(established) = &self.state else { return };
        let is_due = |time: Time| time <= scene.now;
        let defects = self.config.defects;
        if is_due(established.reauthenticate) && !defects.has(Defect::ClientNeverExpires) {
            self.renew(scene);
        } else if established.refresh.is_some_and(is_due) && !defects.has(Defect::NeverRefreshes) {
            self.register(scene);
        }
    }

    /// The association is gone: a whole new authentication, begun bare (SIPAE-3.2.5.1-22, SIPAE-3.2.6-01). A client that
    /// is leaving begins none (SIPAE-3.2.5.1-23).
    pub(super) fn renew(&mut self, scene: &mut Scene<'_>) {
        let is_leaving = self.unregistering && !self.config.defects.has(Defect::ReturnsWhileLeaving);
        self.forget();
        if !is_leaving {
            self.register(scene);
        }
    }

    /// Back to the beginning: nothing that was asked before is waited for.
    pub(super) fn forget(&mut self) {
        if let State::Established(established) = std::mem::replace(&mut self.state, State::Idle) {
            self.former = careless::remembered_on_return(self.config.defects, established.association);
        }
        self.unregistering = false;
        self.register_is_out = false;
        self.pending.clear();
    }

    /// The final answer has proven the server, whatever it says (SIPAE-3.2.5.1-30). The association ends with what was
    /// shown for it: certificate or ticket (SIPAE-3.2.2-02, -03).
    pub(super) fn establish(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        let State::Completing { association, kind, end } = std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let durations = &self.config.durations;
        let left = end.map_or(durations.expiry, |end| durations.expiry.min(end.since(scene.now)));
        let is_late = self.config.defects.has(Defect::RenewsLate);
        let margin = if is_late { Duration::ZERO } else { durations.client_margin };
        let reauthenticate = scene.now.plus(wait(left, margin));
        self.failed.clear();
        self.state = State::Established(Box::new(Established {
            association: *association,
            kind,
            reauthenticate,
            refresh: None,
            registered_until: None,
        }));
        self.register_is_out = false;
        scene.event(ClientEvent::Established { status });
        if self.unregistering {
            self.register(scene);
        } else if is_success(status) {
            self.schedule_refresh(message, scene.now);
        }
    }

    /// A verified final answer to the REGISTER that was out.
    pub(super) fn registered(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        self.register_is_out = false;
        match (is_success(status), self.unregistering) {
            (true, true) if self.config.defects.has(Defect::StaysAfterLeaving) => self.unregistering = false,
            (true, true) => self.forget(),
            (true, false) => self.schedule_refresh(message, scene.now),
            (false, false) => self.retry_refresh(scene),
            // The wish to leave stands, and the registration is not refreshed.
            (false, true) => {}
        }
    }

    fn schedule_refresh(&mut self, message: &Message<'_>, now: Time) {
        let granted =
            message.expires().ok().flatten().and_then(|value| crate::octets::decimal::<u32>(value.raw()));
        let margin = self.config.durations.register_margin;
        if let (State::Established(established), Some(granted)) = (&mut self.state, granted) {
            let granted = Duration::from_secs(u64::from(granted));
            established.registered_until = Some(now.plus(granted));
            let at_once = self.config.defects.has(Defect::RefreshesAtOnce);
            established.refresh = Some(if at_once { now } else { now.plus(wait(granted, margin)) });
        }
    }

    /// A refused refresh is tried again after half of the time that is left to the registration. When none is left the
    /// server is about to drop the association too (SIPAE-3.3.2-04): it is replaced. The number of tries is thus a
    /// matter of the logarithm of what is left.
    fn retry_refresh(&mut self, scene: &mut Scene<'_>) {
        let State::Established(established) = &mut self.state else { return };
        let Some(end) = established.registered_until else { return };
        let left = end.since(scene.now);
        if left.is_zero() {
            return self.renew(scene);
        }
        established.refresh = Some(scene.now.plus((left / 2).max(SHORTEST)));
    }
}
