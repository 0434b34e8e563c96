//! Whom a message reaches.

use std::collections::BTreeSet;

use sipae_gen::{AccountRole, Party};

use super::Judge;
use crate::observation::{Delivery, Seen};
use crate::reaction::Reaction;

impl Judge<'_> {
    /// The message reached nobody.
    pub fn undelivered(&mut self, requirement: &'static str, message: &str) {
        if self.observed(message).is_none() {
            return;
        }
        let holds = match self.observation.deliveries(message).first() {
            Some(delivery) => Err(format!("delivered to {}", delivery.to)),
            None => Ok(()),
        };
        self.check(requirement, &format!("{message}: delivered to nobody"), holds);
    }

    /// The message must reach an endpoint of a user. Whoever has closed its connection or one of those owes nothing, and where
    /// answers are missing it may still come.
    pub fn reaches(&mut self, requirement: &'static str, message: &str, account: AccountRole) {
        let Some(has_come) = self.has_come(message, |to| to.account == account) else { return };
        let is_overdue = |seen: &Seen| seen.reaction == Reaction::Overdue;
        let own = self.observation.seen(message).map(|seen| seen.connection);
        let receivers = Party::all().filter(|party| party.account == account);
        let mut owing = receivers.map(|party| party.connection().0).chain(own);
        let is_doubtful = owing.any(|number| self.observation.ended.contains_key(&number))
            || self.observation.messages.values().any(is_overdue);
        let party = Party { account, endpoint: 1 };
        if !has_come && is_doubtful {
            return self.undecide(format!("{message} did not reach {party}, and not all was answered"));
        }
        let holds = if has_come { Ok(()) } else { Err("it was not delivered".to_owned()) };
        self.check(requirement, &format!("{message}: delivered to {party}"), holds);
    }

    /// The message must not reach a party.
    pub fn misses(&mut self, requirement: &'static str, message: &str, party: Party) {
        let Some(has_come) = self.has_come(message, |to| to == party) else { return };
        let holds = if has_come { Err(format!("delivered to {party}")) } else { Ok(()) };
        self.check(requirement, &format!("{message}: not delivered to {party}"), holds);
    }

    /// The message must reach nobody twice. Where a connection has ended it may have been sent again.
    pub fn once(&mut self, requirement: &'static str, message: &str) {
        if self.observed(message).is_none() {
            return;
        }
        let deliveries = self.observation.deliveries(message);
        let parties: BTreeSet<Party> = deliveries.iter().map(|delivery| delivery.to).collect();
        let is_again = parties.len() < deliveries.len();
        if is_again && !self.observation.ended.is_empty() {
            return self.undecide(format!("{message} came twice, and a connection has ended"));
        }
        let holds = if is_again { Err(format!("delivered {} times", deliveries.len())) } else { Ok(()) };
        self.check(requirement, &format!("{message}: delivered once"), holds);
    }

    fn has_come(&mut self, message: &str, is_meant: impl Fn(Party) -> bool) -> Option<bool> {
        self.observed(message)?;
        Some(self.observation.deliveries(message).iter().any(|delivery| is_meant(delivery.to)))
    }

    /// A statement about a message as it reached a party. What has not reached it decides nothing here.
    pub fn delivery(
        &mut self,
        requirement: &'static str,
        message: &str,
        party: Party,
        expected: &str,
        holds: impl FnOnce(&Delivery) -> Result<(), String>,
    ) {
        let Some(_) = self.observed(message) else { return };
        let delivery = self.observation.deliveries(message).iter().find(|delivery| delivery.to == party);
        match delivery {
            Some(delivery) => self.check(requirement, expected, holds(delivery)),
            None => self.undecide(format!("{message} did not reach {party}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sipae::auth::Scheme;
    use sipae::version::Version;
    use sipae_events::{Cause, Verdict};
    use sipae_gen::{Check, Expect, Label, Mode};

    use super::*;
    use crate::observation::Observation;
    use crate::reaction::Signature;

    const MODE: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };
    const ROW: &str = "SIPAE-3.3.1-01";
    const FAIL: Verdict = Verdict::Fail(Cause::Reaction);
    const SILENT: Verdict = Verdict::Fail(Cause::Silent);
    const PEER: Party = Party::PEER;
    const SECOND: Party = Party::PEER_SECOND;

    /// What one message comes to that was answered so and delivered to these.
    fn verdict(expect: Expect, reaction: Reaction, to: &[Party], has_ended: bool) -> Verdict {
        let delivered = |to: &Party| {
            let (octets, signature, signed_by) = (Vec::new(), Signature::Unsigned, None);
            Delivery { to: *to, octets, signature, signed_by }
        };
        let mut seen = Seen::unanswered(reaction, Vec::new());
        seen.deliveries = to.iter().map(delivered).collect();
        let mut observation = Observation { messages: [("m".into(), seen)].into(), ..Observation::default() };
        let own = observation.messages[&Label::new("m")].connection;
        observation.ended.extend(has_ended.then_some((own, Reaction::Closed)));
        let mut judge = Judge::new(&observation, &[ROW], MODE, false);
        judge.all(&[Check::new("m", ROW, expect)]);
        judge.judgement().verdict
    }

    fn answered(status: u16) -> Reaction {
        Reaction::Final { status, signature: Signature::Unsigned }
    }

    #[rstest]
    #[case::it_came(Expect::Reaches(AccountRole::Peer), answered(200), &[PEER], Verdict::Pass)]
    #[case::to_another_endpoint(Expect::Reaches(AccountRole::Peer), answered(200), &[SECOND], Verdict::Pass)]
    #[case::to_another_user(Expect::Reaches(AccountRole::Peer), answered(200), &[Party::USER], FAIL)]
    #[case::it_did_not_come(Expect::Reaches(AccountRole::Peer), answered(200), &[], FAIL)]
    #[case::it_may_still_come(Expect::Reaches(AccountRole::Peer), Reaction::Overdue, &[], Verdict::Inconclusive)]
    #[case::not_to_this_one(Expect::Misses(PEER), answered(200), &[SECOND], Verdict::Pass)]
    #[case::to_this_one(Expect::Misses(PEER), answered(200), &[SECOND, PEER], FAIL)]
    #[case::to_nobody(Expect::Once, answered(200), &[], Verdict::Pass)]
    #[case::to_each_once(Expect::Once, answered(200), &[PEER, SECOND], Verdict::Pass)]
    #[case::to_one_twice(Expect::Once, answered(200), &[PEER, SECOND, PEER], FAIL)]
    #[case::it_was_delivered(Expect::AcceptedUnlessClosed, Reaction::Silent, &[PEER], Verdict::Pass)]
    #[case::it_was_not(Expect::AcceptedUnlessClosed, Reaction::Silent, &[], SILENT)]
    #[case::nobody_was_to_get_it(Expect::Undelivered, answered(200), &[PEER], FAIL)]
    fn a_message_reaches_whom_it_must(
        #[case] expect: Expect,
        #[case] reaction: Reaction,
        #[case] to: &[Party],
        #[case] expected: Verdict,
    ) {
        assert_eq!(verdict(expect, reaction, to, false), expected);
    }

    /// It may have been sent again, and whoever closes connections owes nothing on them.
    #[rstest]
    #[case::it_did_not_come(Expect::Reaches(AccountRole::Peer), answered(200), &[], Verdict::Inconclusive)]
    #[case::it_came_twice(Expect::Once, answered(200), &[PEER, PEER], Verdict::Inconclusive)]
    #[case::it_came_once(Expect::Once, answered(200), &[PEER], Verdict::Pass)]
    #[case::it_was_not_processed(Expect::AcceptedUnlessClosed, Reaction::Closed, &[], Verdict::Inconclusive)]
    #[case::it_was_processed(Expect::AcceptedUnlessClosed, answered(200), &[], Verdict::Pass)]
    #[case::it_came_to_this_one(Expect::Misses(PEER), answered(200), &[PEER], FAIL)]
    fn where_a_connection_has_ended_only_what_must_not_happen_fails(
        #[case] expect: Expect,
        #[case] reaction: Reaction,
        #[case] to: &[Party],
        #[case] expected: Verdict,
    ) {
        assert_eq!(verdict(expect, reaction, to, true), expected);
    }

    /// The row says which reactions are challenges.
    #[rstest]
    #[case::closed(Reaction::Closed, Verdict::Inconclusive)]
    #[case::processed(answered(200), FAIL)]
    #[case::challenged(Reaction::Challenge(sipae::auth::ChallengeKind::Www), Verdict::Pass)]
    fn whoever_closes_owes_no_challenge(#[case] reaction: Reaction, #[case] expected: Verdict) {
        const ROW: &str = "SIPAE-3.3.5.1-01";
        let seen = Seen::unanswered(reaction, Vec::new());
        let ended = [(seen.connection, Reaction::Closed)].into();
        let observation =
            Observation { messages: [("m".into(), seen)].into(), ended, ..Observation::default() };
        let mut judge = Judge::new(&observation, &[ROW], MODE, false);
        judge.all(&[Check::new("m", ROW, Expect::ChallengedUnlessClosed)]);
        assert_eq!(judge.judgement().verdict, expected);
    }
}
