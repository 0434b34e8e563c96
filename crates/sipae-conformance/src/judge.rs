//! From what was seen to a verdict, by the catalogue.

mod deliveries;

use sipae::message::Message;
use sipae_events::{Finding, Verdict};
use sipae_gen::{Check, Expect, Mode};
use sipae_spec::{LegalReactions, ReactionClass, Requirement};

use crate::ledger::Ledger;
use crate::observation::Observation;
use crate::reaction::{Reaction, Signature};

/// Reads one observation. Every check names its row; what a broken row means follows from the row alone.
#[derive(Debug)]
pub struct Judge<'o> {
    observation: &'o Observation,
    mode: Mode,
    ledger: Ledger<'o>,
    waits: bool,
}

/// What a judge found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict, as far as the observation tells.
    pub verdict: Verdict,
    /// The rows that are broken.
    pub findings: Vec<Finding>,
    /// Why nothing could be decided.
    pub undecided: Option<String>,
    /// Whether silence decides it that time alone can prove.
    pub waits: bool,
}

impl<'o> Judge<'o> {
    /// A judge who has decided nothing yet.
    #[must_use]
    pub fn new(
        observation: &'o Observation,
        requirements: &'o [&'static str],
        mode: Mode,
        strict: bool,
    ) -> Self {
        Self { observation, mode, ledger: Ledger::new(requirements, strict), waits: false }
    }

    /// What was seen.
    #[must_use]
    pub const fn observation(&self) -> &'o Observation {
        self.observation
    }

    /// Scheme and version under test.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What checks say. A row that the catalogue does not have decides nothing.
    pub fn all(&mut self, checks: &[Check]) {
        for check in checks {
            match Requirement::get(&check.requirement) {
                Some(row) => self.expect(row.id, check.message.as_str(), check.expect),
                None => self.undecide(format!("the catalogue has no row {}", check.requirement)),
            }
        }
    }

    fn expect(&mut self, requirement: &'static str, message: &str, expect: Expect) {
        match expect {
            Expect::Accepted => self.accepted(requirement, message),
            Expect::AcceptedUnlessClosed => self.accepted_unless_closed(requirement, message),
            Expect::Processed => self.processed(requirement, message),
            Expect::Verified => self.verified(requirement, message),
            Expect::Refused => self.refused(requirement, message),
            Expect::NotGranted => self.not_granted(requirement, message),
            Expect::ProcessedIfSent if self.observation.seen(message).is_none() => {}
            Expect::ProcessedIfSent => self.processed(requirement, message),
            Expect::NotGrantedIfSent if self.observation.seen(message).is_none() => {}
            Expect::NotGrantedIfSent => self.not_granted(requirement, message),
            Expect::Legal => self.refusal(requirement, message),
            Expect::Challenged => self.challenged(requirement, message),
            Expect::ChallengedUnlessClosed => self.challenged_unless_closed(requirement, message),
            Expect::Continued => {
                let goes_on = |reaction: &Reaction| {
                    matches!(reaction, Reaction::Continuation(_)) || reaction.is_acceptance()
                };
                self.answered_as(requirement, message, "the handshake goes on", goes_on);
            }
            Expect::NotContinued => match self.observation.reaction(message) {
                Some(Reaction::Continuation(_)) => {
                    self.check(
                        requirement,
                        &format!("{message}: refused"),
                        Err("a handshake token".to_owned()),
                    );
                }
                _ => self.refused(requirement, message),
            },
            Expect::Silent => self.silent(requirement, message),
            Expect::Undelivered => self.undelivered(requirement, message),
            Expect::Reaches(account) => self.reaches(requirement, message, account),
            Expect::Misses(party) => self.misses(requirement, message, party),
            Expect::Once => self.once(requirement, message),
            Expect::Delivered(party) => {
                self.delivery(
                    requirement,
                    message,
                    party,
                    "delivered, and signed for who gets it",
                    |delivery| match &delivery.signature {
                        Signature::Verified(_) | Signature::Replayed(_) => Ok(()),
                        Signature::Unsigned => Err("it is not signed".to_owned()),
                        Signature::Bad(why) => Err(why.clone()),
                    },
                );
            }
        }
    }

    /// The message was answered under its association; a number that is used up is another row's matter.
    pub fn verified(&mut self, requirement: &'static str, message: &str) {
        let is_signed = |reaction: &Reaction| {
            matches!(
                reaction,
                Reaction::Final { signature: Signature::Verified(_) | Signature::Replayed(_), .. }
            )
        };
        self.answered_as(requirement, message, "an answer that is signed", is_signed);
    }

    /// The reaction to a message must be one of the row's legal reactions.
    pub fn reaction(&mut self, requirement: &'static str, message: &str) {
        self.reaction_with(requirement, message, &[]);
    }

    /// The same; reactions in `weak` are findings that fail nobody, whether the list of the row has them or not: its
    /// note says so.
    pub fn reaction_with(&mut self, requirement: &'static str, message: &str, weak: &[ReactionClass]) {
        let Some(reaction) = self.observed(message) else { return };
        let Some(row) = self.row(requirement) else { return };
        let Some(legal) = row.legal() else {
            return self.undecide(format!("{requirement} lists no legal reactions"));
        };
        let classes = reaction.classes();
        let is_weak = !reaction.is_acceptance() && classes.iter().any(|class| covers(weak, *class));
        let may_drop = legal.allows(ReactionClass::Drop) || weak.contains(&ReactionClass::Drop);
        let expected = || {
            let words: Vec<String> = legal.legal.iter().map(ToString::to_string).collect();
            format!("{message}: {}", words.join(" or "))
        };
        if let Some(delivery) = self.observation.deliveries(message).first().filter(|_| !accepts(legal)) {
            return self.found(row, false, expected(), format!("delivered to {}", delivery.to));
        }
        if is_weak {
            return self.found(row, true, expected(), reaction.to_string());
        }
        if may_drop && self.doubts_silence(message, reaction) {
            return;
        }
        if classes.iter().any(|class| legal.allows(*class)) {
            self.ledger.held();
        } else {
            self.missed(row, reaction);
            self.found(row, false, expected(), reaction.to_string());
        }
    }

    /// The same for a row that asks for a challenge of whatever scheme: one of Digest alone will do.
    pub fn challenge_with(&mut self, requirement: &'static str, message: &str, weak: &[ReactionClass]) {
        match self.observation.reaction(message) {
            Some(Reaction::DigestChallenge(_)) => self.ledger.held(),
            _ => self.reaction_with(requirement, message, weak),
        }
    }

    /// The message was challenged. A target may read a request before it asks who sent it, and find it wanting: a 400 fails
    /// nobody.
    fn challenged(&mut self, requirement: &'static str, message: &str) {
        self.challenge_with(requirement, message, &[ReactionClass::Status(400)]);
    }

    /// The message was not processed, whatever the target did instead: no final answer under the association, no success,
    /// no delivery. For rows without a list of legal reactions.
    pub fn refused(&mut self, requirement: &'static str, message: &str) {
        let Some(reaction) = self.observed(message) else { return };
        if let Some(delivery) = self.observation.deliveries(message).first() {
            let got = Err(format!("delivered to {}", delivery.to));
            return self.check(requirement, &format!("{message}: not processed"), got);
        }
        if self.doubts_silence(message, reaction) {
            return;
        }
        // A server that has found the association signs this refusal too.
        let is_processed = reaction.is_acceptance() && !is_told_refusal(reaction);
        let holds = if is_processed { Err(reaction.to_string()) } else { Ok(()) };
        self.check(requirement, &format!("{message}: not processed"), holds);
    }

    /// The message was no success, and reached nobody.
    pub fn not_granted(&mut self, requirement: &'static str, message: &str) {
        let Some(reaction) = self.observed(message) else { return };
        if self.doubts_silence(message, reaction) {
            return;
        }
        let is_success = matches!(reaction, Reaction::Final { status: 200..300, .. });
        let holds = match self.observation.deliveries(message).first() {
            Some(delivery) => Err(format!("delivered to {}", delivery.to)),
            None if is_success => Err(reaction.to_string()),
            None => Ok(()),
        };
        self.check(requirement, &format!("{message}: not granted"), holds);
    }

    /// What is preferred and not asked for: where it does not hold, that is written down.
    pub fn recorded(&mut self, requirement: &'static str, what: &str, holds: Result<(), String>) {
        match holds {
            Ok(()) => self.check(requirement, what, Ok(())),
            Err(got) => self.record(requirement, what, &got),
        }
    }

    /// The message must be refused: as the row lists it, or in another way, which is a finding that fails nobody. What
    /// matters to such rows is what must never happen: that the message is accepted.
    pub fn refusal(&mut self, requirement: &'static str, message: &str) {
        let Some(legal) = self.row(requirement).and_then(Requirement::legal) else {
            return self.refused(requirement, message);
        };
        if let Some(reaction) =
            self.observation.reaction(message).filter(|reaction| is_told_refusal(reaction))
            && self.observation.deliveries(message).is_empty()
            && reaction.is_acceptance()
            && !reaction.classes().iter().any(|class| legal.allows(*class))
        {
            // It is told, under the association, what is wrong with the message.
            return self.weakly(requirement, &format!("{message}: refused"), Err(reaction.to_string()));
        }
        let observed = self.observation.reaction(message).map(Reaction::classes).unwrap_or_default();
        let others = observed.into_iter().chain([ReactionClass::Drop]).filter(|class| !legal.allows(*class));
        self.reaction_with(requirement, message, &others.collect::<Vec<_>>());
    }

    /// What is written down, whatever it is: the row asks for nothing more.
    pub fn record(&mut self, requirement: &'static str, what: &str, got: &str) {
        self.ledger.record(requirement, what, got);
    }

    /// The message was processed: any final answer that is no challenge, signed or not.
    pub fn processed(&mut self, requirement: &'static str, message: &str) {
        let is_final = |reaction: &Reaction| matches!(reaction, Reaction::Final { .. });
        self.answered_as(requirement, message, "a final answer that is no challenge", is_final);
    }

    /// The message was processed under its association: a signed answer, or a success. An unsigned 400 is a refusal here,
    /// since nothing about the message is wrong.
    pub fn accepted(&mut self, requirement: &'static str, message: &str) {
        self.answered_as(requirement, message, "processed", Reaction::is_acceptance);
    }

    /// The message was processed, as its answer or a delivery shows.
    fn accepted_unless_closed(&mut self, requirement: &'static str, message: &str) {
        if !self.observation.deliveries(message).is_empty() {
            self.check(requirement, "processed", Ok(()));
        } else if !self.owes_nothing(message) {
            self.accepted(requirement, message);
        }
    }

    fn challenged_unless_closed(&mut self, requirement: &'static str, message: &str) {
        let is_challenge =
            |reaction: &Reaction| matches!(reaction, Reaction::Challenge(_) | Reaction::DigestChallenge(_));
        if self.observation.reaction(message).is_some_and(is_challenge) || !self.owes_nothing(message) {
            self.challenged(requirement, message);
        }
    }

    /// Whether the message was not processed, and its connection has ended: whoever closes connections owes nothing on them.
    /// Nothing is decided then.
    fn owes_nothing(&mut self, message: &str) -> bool {
        let Some(seen) = self.observation.seen(message) else { return false };
        let is_processed = seen.reaction.is_acceptance() || !seen.deliveries.is_empty();
        let is_excused = !is_processed && self.observation.ended.contains_key(&seen.connection);
        if is_excused {
            self.undecide(format!("{message}: {}, and its connection has ended", seen.reaction));
        }
        is_excused
    }

    /// The message was answered in this way; where it was not answered at all, that is looked into once more.
    pub fn answered_as(
        &mut self,
        requirement: &'static str,
        message: &str,
        expected: &str,
        holds: impl FnOnce(&Reaction) -> bool,
    ) {
        let Some(reaction) = self.observed(message) else { return };
        if let Some(row) = self.row(requirement) {
            self.missed(row, reaction);
        }
        if holds(reaction) {
            self.check(requirement, expected, Ok(()));
        } else {
            self.check(requirement, &format!("{message}: {expected}"), Err(reaction.to_string()));
        }
    }

    /// A statement about what was seen; `Err` says what was there instead.
    pub fn check(&mut self, requirement: &'static str, expected: &str, holds: Result<(), String>) {
        self.ledger.check(requirement, false, expected, holds);
    }

    /// A statement that fails nobody, however sure its row is: a note says that it does not hold for every server.
    pub fn weakly(&mut self, requirement: &'static str, expected: &str, holds: Result<(), String>) {
        self.ledger.check(requirement, true, expected, holds);
    }

    /// The message was not answered at all, as it must be for ACK, CANCEL and responses.
    pub fn silent(&mut self, requirement: &'static str, message: &str) {
        let Some(reaction) = self.observed(message) else { return };
        if self.doubts_silence(message, reaction) {
            return;
        }
        match reaction {
            Reaction::Silent => self.check(requirement, message, Ok(())),
            Reaction::Closed | Reaction::Reset => {
                self.weakly(requirement, &format!("{message}: no answer"), Err(reaction.to_string()));
            }
            other => self.check(requirement, &format!("{message}: no answer"), Err(other.to_string())),
        }
    }

    /// Whether something that the case builds on was processed; if not, nothing is decided.
    pub fn presupposes(&mut self, message: &str) -> bool {
        let Some(reaction) = self.observed(message) else { return false };
        let is_processed = matches!(reaction, Reaction::Final { .. });
        if !is_processed {
            self.undecide(format!("{message}: {reaction}"));
        }
        is_processed
    }

    /// A statement about the final answer to a message. Without an answer nothing is decided here: that is a matter
    /// of the reaction.
    pub fn answer(
        &mut self,
        requirement: &'static str,
        message: &str,
        expected: &str,
        holds: impl FnOnce(&Message<'_>) -> Result<(), String>,
    ) {
        match self.observation.answer(message, holds) {
            Some(holds) => self.check(requirement, expected, holds),
            None => self.undecide(format!("{message} has no answer to look at")),
        }
    }

    /// The reaction to a message that was sent.
    pub fn observed(&mut self, message: &str) -> Option<&'o Reaction> {
        let reaction = self.observation.reaction(message);
        if reaction.is_none() {
            let why = self.observation.broken.clone().unwrap_or_else(|| "the script ended before".to_owned());
            self.undecide(format!("{message} was not sent: {why}"));
        }
        reaction
    }

    /// What was seen does not decide it.
    pub fn undecide(&mut self, why: String) {
        self.ledger.undecide(why);
    }

    /// Whether nothing came and that proves no silence: there was no fence, or something came that fits no request and
    /// may have been the answer. Nothing is decided then.
    fn doubts_silence(&mut self, message: &str, reaction: &Reaction) -> bool {
        match reaction {
            Reaction::Overdue => {
                self.waits = true;
                self.undecide(format!("{message}: silence could not be proven"));
            }
            Reaction::Silent if 0 < self.observation.unmatched => {
                self.undecide(format!("{message}: an answer came that fits no request"));
            }
            _ => return false,
        }
        true
    }

    /// Silence is the cause of a failure where the row that it breaks can fail.
    fn missed(&mut self, row: &Requirement, reaction: &Reaction) {
        if matches!(reaction, Reaction::Overdue | Reaction::Silent) {
            self.ledger.missed(row);
        }
    }

    fn row(&mut self, requirement: &'static str) -> Option<&'static Requirement> {
        self.ledger.row(requirement)
    }

    fn found(&mut self, row: &Requirement, is_weak: bool, expected: String, got: String) {
        self.ledger.found(row, is_weak, expected, got);
    }

    /// The verdict: the worst finding; without one a pass, if something was checked and nothing is open.
    #[must_use]
    pub fn judgement(self) -> Judgement {
        let (verdict, findings, undecided) = self.ledger.close();
        Judgement { verdict, findings, undecided, waits: self.waits }
    }
}

/// Whether one of the legal reactions is that the message is processed.
fn accepts(legal: &LegalReactions) -> bool {
    use ReactionClass as Class;
    let processed = [Class::Accept, Class::FinalSignedAny, Class::Forward, Class::ForwardStripped];
    processed.into_iter().any(|class| legal.allows(class))
}

/// Whether one of the classes is that of the reaction, or a wider one.
fn covers(classes: &[ReactionClass], observed: ReactionClass) -> bool {
    classes.iter().any(|class| class.covers(observed))
}

/// Whether a status code says that nothing was done, signed or not: for a server that has found the association.
const fn is_told_refusal(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Final { status, .. } if sipae_gen::model::is_told_refusal(*status))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    const NEWEST: Mode = Mode { scheme: sipae::auth::Scheme::Ntlm, version: sipae::version::Version::V4 };

    use rstest::rstest;
    use sipae::auth::ChallengeKind;
    use sipae_events::Cause;

    use super::*;
    use crate::observation::Seen;

    fn judge(
        requirement: &'static str,
        reaction: Reaction,
        weak: &[ReactionClass],
        strict: bool,
    ) -> Judgement {
        let seen = Seen::unanswered(reaction, vec![]);
        let messages = BTreeMap::from([("m".into(), seen)]);
        let observation = Observation { messages, ..Observation::default() };
        let requirements = [requirement];
        let mut judge = Judge::new(&observation, &requirements, NEWEST, strict);
        judge.reaction_with(requirement, "m", weak);
        judge.judgement()
    }

    fn unsigned(status: u16) -> Reaction {
        Reaction::Final { status, signature: Signature::Unsigned }
    }

    /// SIPAE-3.3.5.1-03 is a known MUST of high confidence, SIPAE-3.3.5.3-02 a reconstructed one.
    #[rstest]
    #[case("SIPAE-3.3.5.1-03", Reaction::Silent, Verdict::Pass)]
    #[case("SIPAE-3.3.5.1-03", Reaction::Challenge(ChallengeKind::Www), Verdict::Fail(Cause::Reaction))]
    #[case("SIPAE-3.3.5.1-03", Reaction::Overdue, Verdict::Inconclusive)]
    #[case("SIPAE-3.3.5.1-01", Reaction::Overdue, Verdict::Fail(Cause::Silent))]
    #[case("SIPAE-3.3.5.1-01", unsigned(200), Verdict::Fail(Cause::Reaction))]
    #[case("SIPAE-3.3.5.1-01", Reaction::Challenge(ChallengeKind::Proxy), Verdict::Pass)]
    #[case("SIPAE-3.3.5.3-02", unsigned(200), Verdict::Loose)]
    fn a_verdict_follows_from_the_row(
        #[case] requirement: &'static str,
        #[case] reaction: Reaction,
        #[case] verdict: Verdict,
    ) {
        assert_eq!(judge(requirement, reaction, &[], false).verdict, verdict);
    }

    #[test]
    fn what_a_note_calls_weak_fails_nobody() {
        let weak = [ReactionClass::Close];
        assert_eq!(judge("SIPAE-3.3.5.1-03", Reaction::Closed, &weak, false).verdict, Verdict::Loose);
        assert_eq!(
            judge("SIPAE-3.3.5.1-03", Reaction::Closed, &[], false).verdict,
            Verdict::Fail(Cause::Reaction)
        );
    }

    #[test]
    fn a_judge_who_checked_nothing_passes_nothing() {
        let observation = Observation::default();
        let judgement = Judge::new(&observation, &[], NEWEST, false).judgement();
        assert_eq!(judgement.verdict, Verdict::Inconclusive);
    }
}
