//! Requests that were forwarded and wait for their answers (RFC 3261 16.7, 17).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::location::Flow;
use crate::clock::Time;
use crate::draft::Draft;
use crate::endpoint::EndpointId;
use crate::message::{Address, HeaderName, Message};

/// How long a call may ring: timer C of RFC 3261 16.6.
pub(super) const RINGING: Duration = Duration::from_secs(180);

/// The request as it went to one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// `branch` of the server's Via.
    pub(super) id: Vec<u8>,
    pub(super) callee: EndpointId,
    /// Request-URI and To as sent.
    pub(super) uri: Vec<u8>,
    pub(super) to: Vec<u8>,
    pub(super) is_final: bool,
}

/// A message that is ready but for identity and signature.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) draft: Draft,
    /// P-Asserted-Identity.
    pub(super) asserted: Option<String>,
}

impl Outgoing {
    /// The longest one that is kept while other branches are waited for.
    const KEPT: usize = 16 * 1024;

    /// A message of the server itself, which asserts nobody.
    pub(super) const fn own(draft: Draft) -> Self {
        Self { draft, asserted: None }
    }

    fn is_long(&self) -> bool {
        let headers = self.draft.headers.iter().map(|header| header.name.len() + header.value.len());
        Self::KEPT < self.draft.body.len() + headers.sum::<usize>()
    }
}

/// One request of a caller.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) caller: EndpointId,
    /// The connection that it came over.
    pub(super) flow: Flow,
    /// `branch` of the caller's Via; empty if there is none.
    pub(super) caller_branch: Vec<u8>,
    pub(super) is_invite: bool,
    /// What every answer of the server itself repeats of the request.
    pub(super) answer: Draft,
    /// The tag of To in the request.
    pub(super) to_tag: Option<Vec<u8>>,
    pub(super) branches: Vec<Branch>,
    /// The best final answer so far.
    pub(super) best: Option<(u16, Outgoing)>,
    /// What the caller was told in the end; an INVITE is kept a while after that.
    pub(super) outcome: Option<u16>,
    /// The branches were told to stop.
    pub(super) is_cancelled: bool,
    pub(super) end: Time,
}

impl Transaction {
    /// The server's own answer.
    pub(super) fn answer(&self, status: u16) -> Draft {
        Draft { headers: self.answer.headers.clone(), ..Draft::response(status) }.close()
    }

    /// Whether no branch is waited for.
    pub(super) fn is_answered(&self) -> bool {
        self.branches.iter().all(|branch| branch.is_final)
    }

    /// Takes a final answer of a branch: success before failure, then the lowest status (RFC 3261 16.7). Of a long one
    /// only the status waits for the others.
    pub(super) fn note(&mut self, place: usize, status: u16, outgoing: Outgoing) {
        if let Some(branch) = self.branches.get_mut(place) {
            branch.is_final = true;
        }
        if self.best.as_ref().is_some_and(|(best, _)| *best <= status) {
            return;
        }
        let waits = 300 <= status && !self.is_answered();
        let is_kept = !waits || !outgoing.is_long();
        let kept = if is_kept { outgoing } else { Outgoing::own(self.answer(status)) };
        self.best = Some((status, kept));
    }

    /// Whether a response repeats what identifies the request. The server signs it for the caller: nobody may make it
    /// sign an answer to another request.
    pub(super) fn is_answered_by(&self, response: &Message<'_>) -> bool {
        let (Ok(call_id), Ok(cseq), Ok(from), Ok(to)) =
            (response.call_id(), response.cseq(), response.from(), response.to())
        else {
            return false;
        };
        let same = |name, found: &Address<'_>| {
            self.address(name)
                .is_some_and(|own| own.uri == found.uri && (name == HeaderName::To || own.tag == found.tag))
        };
        self.is_of_call(&call_id.unfolded(), cseq.number)
            && self.cseq_method() == cseq.method
            && same(HeaderName::From, &from)
            && same(HeaderName::To, &to)
            && self.to_tag.as_deref().is_none_or(|tag| to.tag == Some(tag))
    }

    fn address(&self, name: HeaderName) -> Option<Address<'_>> {
        Address::parse(self.answer.get(name)?).ok()
    }

    fn is_of_call(&self, call_id: &[u8], cseq: &[u8]) -> bool {
        self.answer.get(HeaderName::CallId) == Some(call_id) && self.cseq_number() == cseq
    }

    fn cseq(&self) -> impl Iterator<Item = &[u8]> {
        let value = self.answer.get(HeaderName::CSeq).unwrap_or_default();
        value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
    }

    /// The number of CSeq as written.
    pub(super) fn cseq_number(&self) -> &[u8] {
        self.cseq().next().unwrap_or_default()
    }

    fn cseq_method(&self) -> &[u8] {
        self.cseq().nth(1).unwrap_or_default()
    }

    /// Whether an ACK or a CANCEL of the caller is for this INVITE (RFC 3261 9.2, 17.2.3).
    fn is_meant_by(&self, message: &Message<'_>, caller: &EndpointId) -> bool {
        let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq()) else { return false };
        self.is_invite
            && self.caller == *caller
            && self.caller_branch == message.branch().unwrap_or_default()
            && self.is_of_call(&call_id.unfolded(), cseq.number)
    }
}

/// Transactions that one connection can have.
const PER_CONNECTION: usize = 64;

/// All transactions, bounded for each connection and in all. Where a bound is reached the oldest gives way: of the same
/// connection, or of the one that has most. Who has few is never pushed out by who has many.
#[derive(Debug)]
pub(super) struct Transactions {
    capacity: usize,
    /// No transaction ends before.
    earliest_end: Time,
    /// Counts up, so that the oldest is known whatever the clock says.
    serial: u64,
    by_serial: BTreeMap<u64, Transaction>,
    /// Serial number and place of each branch.
    by_branch: BTreeMap<Vec<u8>, (u64, usize)>,
    by_flow: BTreeMap<Flow, BTreeSet<u64>>,
}

impl Transactions {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            earliest_end: Time(u64::MAX),
            serial: 0,
            by_serial: BTreeMap::new(),
            by_branch: BTreeMap::new(),
            by_flow: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_serial.len()
    }

    /// Takes a transaction in, and gives the one that has to give way.
    pub(super) fn insert(&mut self, transaction: Transaction) -> Option<Transaction> {
        let evicted = self.one_too_many(transaction.flow).and_then(|serial| self.remove(serial));
        self.serial += 1;
        for (place, branch) in transaction.branches.iter().enumerate() {
            self.by_branch.insert(branch.id.clone(), (self.serial, place));
        }
        self.by_flow.entry(transaction.flow).or_default().insert(self.serial);
        self.ends_at(transaction.end);
        self.by_serial.insert(self.serial, transaction);
        evicted
    }

    fn one_too_many(&self, flow: Flow) -> Option<u64> {
        let own = self.by_flow.get(&flow).filter(|own| PER_CONNECTION <= own.len());
        let busiest = || self.by_flow.values().max_by_key(|serials| serials.len());
        let is_full = self.capacity <= self.len();
        own.or_else(|| is_full.then(busiest).flatten()).and_then(BTreeSet::first).copied()
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<Transaction> {
        let removed = self.by_serial.remove(&serial)?;
        for branch in &removed.branches {
            if self.by_branch.get(&branch.id).is_some_and(|(of, _)| *of == serial) {
                self.by_branch.remove(&branch.id);
            }
        }
        if let Some(own) = self.by_flow.get_mut(&removed.flow) {
            own.remove(&serial);
            if own.is_empty() {
                self.by_flow.remove(&removed.flow);
            }
        }
        Some(removed)
    }

    /// The transaction and the place of the branch that a response is for.
    pub(super) fn of_response(&self, response: &Message<'_>) -> Option<(u64, usize)> {
        self.by_branch.get(response.branch()?).copied()
    }

    /// Who was sent the request that a response is for.
    pub(super) fn callee(&self, response: &Message<'_>) -> Option<&EndpointId> {
        let (serial, place) = self.of_response(response)?;
        self.by_serial.get(&serial)?.branches.get(place).map(|branch| &branch.callee)
    }

    /// The INVITE that an ACK or a CANCEL is for, which comes over the same connection.
    pub(super) fn of_invite(&self, flow: Flow, caller: &EndpointId, message: &Message<'_>) -> Option<u64> {
        let mut own = self.by_flow.get(&flow)?.iter().copied();
        own.find(|serial| self.by_serial.get(serial).is_some_and(|found| found.is_meant_by(message, caller)))
    }

    pub(super) fn get(&self, serial: u64) -> Option<&Transaction> {
        self.by_serial.get(&serial)
    }

    pub(super) fn get_mut(&mut self, serial: u64) -> Option<&mut Transaction> {
        self.by_serial.get_mut(&serial)
    }

    /// A transaction may end then.
    pub(super) fn ends_at(&mut self, end: Time) {
        self.earliest_end = self.earliest_end.min(end);
    }

    /// Takes out what has ended.
    pub(super) fn expire(&mut self, now: Time) -> Vec<Transaction> {
        if now < self.earliest_end {
            return Vec::new();
        }
        let over: Vec<u64> =
            self.by_serial.iter().filter(|(_, found)| found.end <= now).map(|(serial, _)| *serial).collect();
        let ended = over.into_iter().filter_map(|serial| self.remove(serial)).collect();
        let ends = self.by_serial.values().map(|found| found.end);
        self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
        ended
    }
}
