//! Sessions of anonymous clients, and what the focus answers in them ([MS-SIPAE] 3.3.5.5).

use std::collections::BTreeMap;

use super::Visit;
use crate::clock::Time;
use crate::draft::Draft;
use crate::message::{HeaderName, Message};
use crate::sa::Lifetime;
use crate::server::{Output, Scene, Server, ServerEvent, is_silent};

/// The association of an anonymous endpoint with a conference.
#[derive(Debug)]
struct Session {
    lifetime: Lifetime,
    dialog: Option<Dialog>,
}

/// The dialog of an INVITE.
#[derive(Debug, PartialEq, Eq)]
struct Dialog {
    call_id: Vec<u8>,
    from_tag: Vec<u8>,
    to_tag: Vec<u8>,
}

impl Dialog {
    fn of(message: &Message<'_>) -> Option<Self> {
        let (call_id, from, to) = (message.call_id().ok()?, message.from().ok()?, message.to().ok()?);
        let (from_tag, to_tag) = (from.tag?.to_vec(), to.tag?.to_vec());
        Some(Self { call_id: call_id.raw().to_vec(), from_tag, to_tag })
    }
}

/// Sessions by who holds them, at most `capacity`; the least recently used gives way.
#[derive(Debug)]
pub(super) struct Sessions {
    capacity: usize,
    /// No session ends before.
    earliest_end: Time,
    by_holder: BTreeMap<String, Session>,
}

impl Sessions {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { capacity, earliest_end: Time(u64::MAX), by_holder: BTreeMap::new() }
    }

    pub(super) fn has(&self, holder: &str) -> bool {
        self.by_holder.contains_key(holder)
    }

    /// Whether this endpoint has joined any conference: only a defective server asks.
    pub(super) fn has_caller(&self, caller: &str) -> bool {
        let caller = format!("{caller} ");
        self.by_holder.keys().any(|holder| holder.starts_with(&caller))
    }

    /// Forgets what has ended.
    pub(super) fn expire(&mut self, now: Time) {
        if now < self.earliest_end {
            return;
        }
        self.by_holder.retain(|_, session| !session.lifetime.is_over(now));
        let ends = self.by_holder.values().map(|session| session.lifetime.end());
        self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
    }

    fn open(&mut self, holder: String, lifetime: Lifetime) -> &mut Session {
        let is_new = !self.has(&holder);
        if is_new && self.capacity <= self.by_holder.len() {
            let used = |(_, session): &(&String, &Session)| session.lifetime.used();
            let least = self.by_holder.iter().min_by_key(used).map(|(holder, _)| holder.clone());
            least.map(|least| self.by_holder.remove(&least));
        }
        self.earliest_end = self.earliest_end.min(lifetime.end());
        self.by_holder.entry(holder).or_insert(Session { lifetime, dialog: None })
    }
}

impl Server {
    /// A request of an anonymous client that has been let in.
    pub(super) fn joined(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, visit: &Visit<'_>) {
        scene.has_authenticated = true;
        let lifetime = Lifetime::start(scene.now, &self.config.durations);
        let holder = visit.holder();
        if !self.focus.sessions.has(&holder) {
            scene.outputs.push(Output::Event(ServerEvent::Joined {
                caller: visit.caller.clone(),
                conference: String::from_utf8_lossy(visit.target).into_owned(),
            }));
        }
        let session = self.focus.sessions.open(holder, lifetime);
        session.lifetime.touch(scene.now);
        let has_tag = message.to().is_ok_and(|to| to.tag.is_some());
        let is_inside = has_tag && session.dialog.is_some() && session.dialog == Dialog::of(message);
        let status = if has_tag && !is_inside { 481 } else { 200 };
        if is_silent(visit.method) && visit.method != b"CANCEL" {
            return;
        }
        let answer = answer(scene, message, visit, status);
        if status == 200 && visit.method == b"INVITE" {
            session.dialog = answer.read(|answer| Ok(Dialog::of(answer))).ok().flatten();
        } else if is_inside && visit.method == b"BYE" {
            session.dialog = None;
        }
        scene.send(answer.to_octets());
    }
}

/// Unsigned; the focus stays where it is.
fn answer(scene: &mut Scene<'_>, message: &Message<'_>, visit: &Visit<'_>, status: u16) -> Draft {
    let mut draft = Server::respond_to(scene, message, status);
    if status == 200 && visit.method == b"INVITE" {
        let contact = [b"<".as_slice(), visit.target, b">;isfocus"].concat();
        draft.push(HeaderName::Contact, contact);
    }
    draft.close()
}
