//! Requests that are out: a challenge means something only if it answers one of them.

use std::collections::VecDeque;

use crate::message::Message;

/// How many unanswered requests are remembered; the oldest gives way. A challenge to a forgotten one is discarded, and
/// the loss of the association then shows at the next request or refresh.
const CAPACITY: usize = 64;

/// What a request and its responses have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    call_id: Vec<u8>,
    cseq: u32,
    method: Vec<u8>,
}

impl Transaction {
    pub(super) fn of(message: &Message<'_>) -> Option<Self> {
        let (call_id, cseq) = (message.call_id().ok()?, message.cseq().ok()?);
        Some(Self { call_id: call_id.raw().to_vec(), cseq: cseq.value()?, method: cseq.method.to_vec() })
    }

    /// A challenge is never answered for ACK or CANCEL (SIPAE-3.2.5.1-26), so it need not be recognised.
    fn may_be_challenged(&self) -> bool {
        !matches!(self.method.as_slice(), b"ACK" | b"CANCEL")
    }
}

/// Signed requests without a final answer, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Transaction>);

impl Pending {
    pub(super) fn add(&mut self, transaction: Transaction) {
        if transaction.may_be_challenged() {
            if CAPACITY <= self.0.len() {
                self.0.pop_front();
            }
            self.0.push_back(transaction);
        }
    }

    pub(super) fn contains(&self, message: &Message<'_>) -> bool {
        Transaction::of(message).is_some_and(|transaction| self.0.contains(&transaction))
    }

    /// A final answer has come.
    pub(super) fn settle(&mut self, message: &Message<'_>) {
        if let Some(answered) = Transaction::of(message) {
            self.0.retain(|transaction| *transaction != answered);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
