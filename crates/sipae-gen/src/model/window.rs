//! What is known of the numbers of an association, on either side of the wire.

use std::collections::BTreeSet;

/// Whoever plays a script answers so many requests of the target at most by itself, each with a number of its own.
const ANSWERED: u32 = 64;
/// How far ahead of the last number the next one may be for certain: the first window ends there.
const WIDTH: u32 = 256;
/// last-256 itself is not judged (SIPAE-3.1.1-07).
const BELOW: u32 = WIDTH + 2;
/// Numbers that are remembered of those that are left out in one jump.
const REMEMBERED: u32 = 8;
/// Above every window that a script reaches.
pub(super) const FAR: u32 = 100_000;

/// The numbers of one association, between bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// What the target has accepted last is no lower.
    least: u32,
    /// What the suite has given last is no higher, but for answers that nobody foresaw.
    given: u32,
    /// Numbers that nobody has had and nobody will have by itself.
    left_out: BTreeSet<u32>,
    /// A number that only a forged message has had.
    forged: Option<u32>,
}

impl Window {
    /// The request that completed the handshake has had the first number, or none.
    pub(super) const fn new() -> Self {
        Self { least: 0, given: 1, left_out: BTreeSet::new(), forged: None }
    }

    /// No number that was given is higher.
    const fn highest(&self) -> u32 {
        self.given.saturating_add(ANSWERED)
    }

    /// Whether a number is above the last one, and near enough, for certain.
    pub(super) const fn takes(&self, number: u32) -> bool {
        self.highest() < number && number - self.least <= WIDTH
    }

    /// Whether whatever number comes next is near enough, and the one behind it.
    pub(super) const fn takes_next(&self) -> bool {
        self.highest() + 2 - self.least <= WIDTH
    }

    /// A number behind so many that are left out.
    pub(super) const fn ahead(&self, left_out: u32) -> u32 {
        self.highest().saturating_add(1).saturating_add(left_out)
    }

    pub(super) const fn beyond(&self, by: u32) -> u32 {
        self.ahead(WIDTH).saturating_add(by)
    }

    /// The last number of those left out that is inside the window for certain.
    pub(super) fn skipped(&self) -> Option<u32> {
        self.left_out.last().copied().filter(|number| self.highest() < number + WIDTH)
    }

    /// A number below the window: rather one that nobody has had.
    pub(super) fn below(&self) -> Option<u32> {
        let bottom = self.least.checked_sub(BELOW).filter(|bottom| 0 < *bottom)?;
        Some(self.left_out.range(..=bottom).next_back().copied().unwrap_or(bottom))
    }

    pub(super) fn forged(&self) -> Option<u32> {
        self.forged.filter(|number| self.takes(*number))
    }

    /// The next number was given.
    pub(super) const fn give(&mut self) {
        self.given += 1;
    }

    /// The next number was given, and accepted.
    pub(super) const fn accept(&mut self) {
        self.give();
        self.least += 1;
    }

    /// This number was given: those who play a script may go on behind it.
    pub(super) fn give_number(&mut self, number: u32) {
        self.left_out.remove(&number);
        self.given = self.given.max(number);
    }

    /// This number was given, and accepted.
    pub(super) fn accept_number(&mut self, number: u32) {
        if self.highest() < number {
            let first = (self.highest() + 1).max(number.saturating_sub(REMEMBERED));
            self.left_out.extend(first..number);
        }
        self.least = self.least.max(number);
        self.give_number(number);
    }

    pub(super) const fn forge(&mut self, number: u32) {
        self.forged = Some(number);
    }

    /// Bounds that hold for both.
    pub(super) fn merged(&self, other: &Self) -> Self {
        Self {
            least: self.least.min(other.least),
            given: self.given.max(other.given),
            left_out: self.left_out.intersection(&other.left_out).copied().collect(),
            forged: self.forged.filter(|number| other.forged == Some(*number)),
        }
    }
}
