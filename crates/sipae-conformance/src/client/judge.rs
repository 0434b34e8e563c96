//! From what was seen of a client to a verdict, by the catalogue.

use sipae::auth::{AuthHeader, Scheme};
use sipae::client::Standing;
use sipae::message::{HeaderName, Message};
use sipae_events::{Finding, Verdict};
use sipae_gen::{Label, Mode};
use sipae_spec::{LegalReactions, ReactionClass, Requirement};

use super::generated::Foreseen;
use super::seen::{Conversation, Heard, Next, Sent};
use crate::ledger::{Ledger, holds_if};
use crate::reaction::Signature;

/// Reads one conversation. Every check names its row; what a broken row means follows from the row alone.
#[derive(Debug)]
pub struct ClientJudge<'o> {
    seen: &'o Conversation,
    good: Option<&'o Conversation>,
    ledger: Ledger<'o>,
}

/// What a client did about a request of the suite.
enum Answered<'o> {
    /// It answered, so.
    With(u16, &'o Signature),
    /// It did not, and that is proven.
    Silent,
    /// It closed the connection.
    Closed,
    /// It did not, as far as anybody knows.
    Unknown,
}

impl<'o> ClientJudge<'o> {
    /// A judge who has decided nothing yet.
    #[must_use]
    pub(crate) fn new(seen: &'o Conversation, requirements: &'o [&'static str], strict: bool) -> Self {
        Self { seen, good: None, ledger: Ledger::new(requirements, strict) }
    }

    /// The conversation that the run began with, to compare with.
    #[must_use]
    pub(crate) const fn beside(mut self, good: Option<&'o Conversation>) -> Self {
        self.good = good;
        self
    }

    /// The conversation that the run began with.
    #[must_use]
    pub const fn good(&self) -> Option<&'o Conversation> {
        self.good
    }

    /// What was seen.
    #[must_use]
    pub const fn seen(&self) -> &'o Conversation {
        self.seen
    }

    /// Scheme and version under test.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.seen.mode
    }

    /// The verdict, the findings, and what is open.
    pub(crate) fn close(self) -> (Verdict, Vec<Finding>, Option<String>) {
        self.ledger.close()
    }

    /// A statement about what was seen; `Err` says what was there instead.
    pub fn check(&mut self, requirement: &'static str, expected: &str, holds: Result<(), String>) {
        self.ledger.check(requirement, false, expected, holds);
    }

    /// A statement that fails nobody: products are known for which it does not hold.
    pub fn weakly(&mut self, requirement: &'static str, expected: &str, holds: Result<(), String>) {
        self.ledger.check(requirement, true, expected, holds);
    }

    /// What is written down, whatever it is.
    pub fn record(&mut self, requirement: &'static str, what: &str, got: &str) {
        self.ledger.record(requirement, what, got);
    }

    /// What is preferred and not asked for: where it does not hold, that is written down.
    pub fn recorded(&mut self, requirement: &'static str, what: &str, holds: Result<(), String>) {
        match holds {
            Ok(()) => self.ledger.held(),
            Err(got) => self.record(requirement, what, &got),
        }
    }

    /// What was seen does not decide it.
    pub fn undecide(&mut self, why: impl Into<String>) {
        self.ledger.undecide(why.into());
    }

    /// A message of the suite that was sent; nothing is decided without it.
    pub fn sent(&mut self, message: &str) -> Option<&'o Sent> {
        let sent = self.seen.sent(message);
        if sent.is_none() {
            let why = self.seen.broken.as_deref().unwrap_or("the script ended before");
            self.undecide(format!("{message} was not sent: {why}"));
        }
        sent
    }

    /// A request of the client that was waited for; nothing is decided without it.
    pub fn request(&mut self, message: &str) -> Option<&'o Heard> {
        let heard = self.seen.request(message);
        if heard.is_none() {
            let why = self.seen.broken.as_deref().unwrap_or("it did not come");
            self.undecide(format!("{message}: {why}"));
        }
        heard
    }

    /// The next thing that the client does after a message of the suite must be one of the row's legal reactions.
    pub fn next(&mut self, requirement: &'static str, message: &str) {
        self.next_with(requirement, message, &[]);
    }

    /// The same; reactions in `weak` are findings that fail nobody.
    pub fn next_with(&mut self, requirement: &'static str, message: &str, weak: &[ReactionClass]) {
        if self.sent(message).is_none() {
            return;
        }
        let next = self.seen.next(message);
        let Some(row) = self.ledger.row(requirement) else { return };
        let Some(legal) = row.legal() else {
            return self.undecide(format!("{requirement} lists no legal reactions"));
        };
        let classes = next.classes();
        if classes.iter().any(|class| legal.allows(*class)) {
            return self.ledger.held();
        }
        let is_weak = classes.iter().any(|class| weak.iter().any(|weak| weak.covers(*class)));
        if next == Next::Nothing {
            self.ledger.missed(row);
        }
        self.ledger.found(row, is_weak, format!("after {message}: {}", words(legal)), next.to_string());
    }

    /// What the client did after a message of the suite; nothing is decided without that message.
    pub fn next_of(&mut self, message: &str) -> Option<Next> {
        self.sent(message).map(|_| self.seen.next(message))
    }

    /// The client must have begun a handshake with the scheme under test; where products are known that do not read such
    /// a challenge, it fails nobody that it has not.
    pub fn begins(&mut self, requirement: &'static str, message: &str, is_weak: bool) {
        let Some(next) = self.next_of(message) else { return };
        let holds = holds_if(matches!(next, Next::First { .. }), next.to_string());
        self.missed(requirement, &next);
        let expected = format!("after {message}: a first token of the scheme");
        self.ledger.check(requirement, is_weak, &expected, holds);
    }

    /// The client must have completed a handshake.
    pub fn establishes(&mut self, requirement: &'static str) {
        if self.seen.heard.is_empty() {
            return self.undecide(self.seen.broken.clone().unwrap_or_else(|| "nothing was heard".to_owned()));
        }
        let holds = match self.seen.request("completing") {
            Some(_) => Ok(()),
            None => Err(self.seen.broken.clone().unwrap_or_else(|| "it did not come".to_owned())),
        };
        self.check(requirement, "the handshake is completed", holds);
    }

    /// The client must have gone on with the handshake.
    pub fn goes_on(&mut self, requirement: &'static str, message: &str) {
        if self.sent(message).is_none() {
            return;
        }
        let next = self.seen.next(message);
        let holds = matches!(next, Next::Continued | Next::First { .. } | Next::Signed(_));
        self.missed(requirement, &next);
        let got = holds_if(holds, next.to_string());
        self.check(requirement, &format!("after {message}: the handshake goes on"), got);
    }

    fn missed(&mut self, requirement: &'static str, next: &Next) {
        if *next == Next::Nothing
            && let Some(row) = self.ledger.row(requirement)
        {
            self.ledger.missed(row);
        }
    }

    /// The client must not have gone on with the handshake.
    pub fn does_not_go_on(&mut self, requirement: &'static str, message: &str) {
        if let Some(holds) = self.stays(message) {
            self.check(requirement, &format!("after {message}: the handshake does not go on"), holds);
        }
    }

    /// Whether it has not; an AUTHENTICATE goes on, whomever it is for. Nothing is known without the message.
    pub fn stays(&mut self, message: &str) -> Option<Result<(), String>> {
        let sent = self.sent(message)?;
        let next = self.seen.next(message);
        let goes_on = match next {
            Next::Continued | Next::Signed(_) | Next::Crashed => true,
            Next::Stray => {
                let heard = self.seen.heard.get(sent.before..).unwrap_or_default();
                heard.first().is_some_and(|heard| is_authenticate(heard, self.mode().scheme))
            }
            _ => false,
        };
        Some(holds_if(!goes_on, next.to_string()))
    }

    fn answered(&self, sent: &'o Sent) -> Answered<'o> {
        // Who rings has acted.
        let rings = sent.replies.iter().find(|reply| (101..200).contains(&reply.status));
        match sent.answer().or(rings) {
            Some(reply) => Answered::With(reply.status, &reply.signature),
            None if sent.is_fenced => Answered::Silent,
            None if 0 < self.seen.connections.closed => Answered::Closed,
            None => Answered::Unknown,
        }
    }

    /// A request of the suite must have been processed: a final answer that is signed.
    pub fn processed(&mut self, requirement: &'static str, message: &str) {
        self.processing(requirement, message, false);
    }

    /// The same, where products are known that do not read it.
    pub fn processed_weakly(&mut self, requirement: &'static str, message: &str) {
        self.processing(requirement, message, true);
    }

    fn processing(&mut self, requirement: &'static str, message: &str, is_weak: bool) {
        let Some(sent) = self.sent(message) else { return };
        let answered = self.answered(sent);
        if matches!(answered, Answered::Closed)
            && let Some(before) = self.unanswered_before(sent)
        {
            return self.undecide(format!("{message}: its connection was closed, maybe because of {before}"));
        }
        let holds = match answered {
            Answered::With(_, Signature::Verified(_)) => Ok(()),
            Answered::With(status, signature) => Err(answer_text(status, signature)),
            Answered::Silent => Err("no answer, though a later request was answered".to_owned()),
            Answered::Closed => Err("its connection is closed".to_owned()),
            Answered::Unknown => Err("no answer in time".to_owned()),
        };
        if sent.answer().is_none()
            && let Some(row) = self.ledger.row(requirement)
        {
            self.ledger.missed(row);
        }
        self.ledger.check(requirement, is_weak, &format!("{message}: answered, and signed"), holds);
    }

    /// An earlier request on the same connection that was not answered: who closes upon that may be right.
    fn unanswered_before(&self, sent: &Sent) -> Option<&'o Label> {
        let is_it = |other: &Sent| {
            other.place < sent.place
                && other.connection == sent.connection
                && other.answer().is_none()
                && !other.is_fenced
                && ![&b"SIP/"[..], b"ACK "].iter().any(|start| other.octets.starts_with(start))
        };
        self.seen.sent.iter().find(|(_, other)| is_it(other)).map(|(label, _)| label)
    }

    /// What was foreseen of generated messages. A row that the catalogue does not have decides nothing.
    pub(crate) fn foreseen(&mut self, foreseen: &[Foreseen]) {
        for Foreseen { message, processed, requirement } in foreseen {
            match Requirement::get(requirement) {
                None => self.undecide(format!("the catalogue has no row {requirement}")),
                Some(row) if *processed => self.processed(row.id, message.as_str()),
                Some(row) if row.id == "SIPAE-3.2.5.2-11" => self.refused_or_told(row.id, message.as_str()),
                Some(row) => self.refused(row.id, message.as_str()),
            }
            // Who closes upon what is not to be acted upon hears nothing of what comes behind it.
            let sent = self.seen.sent(message.as_str());
            if !processed && sent.is_some_and(|sent| matches!(self.answered(sent), Answered::Closed)) {
                return;
            }
        }
    }

    /// A copy of a request must not have been acted upon again. The octets of the first answer may come again: that is
    /// how transactions answer what they have seen.
    pub fn not_again(&mut self, requirement: &'static str, copy: &str, original: &str) {
        let first = self.seen.sent(original).and_then(Sent::answer).map(|reply| reply.octets.as_slice());
        let again = self.seen.sent(copy).and_then(Sent::answer).map(|reply| reply.octets.as_slice());
        if first.is_some() && first == again {
            return self.ledger.held();
        }
        self.refused(requirement, copy);
    }

    /// A request of the suite must have been refused: silently, or as the row lists it. What the row does not list and is
    /// no success, such as a 4xx, is a finding that fails nobody.
    pub fn refused(&mut self, requirement: &'static str, message: &str) {
        self.refusal(requirement, message, false);
    }

    /// The same of a request that any refusal is right for, told or not.
    pub fn refused_or_told(&mut self, requirement: &'static str, message: &str) {
        self.refusal(requirement, message, true);
    }

    fn refusal(&mut self, requirement: &'static str, message: &str, may_tell: bool) {
        let Some(sent) = self.sent(message) else { return };
        let expected = format!("{message}: not acted upon");
        match self.answered(sent) {
            Answered::Silent => self.check(requirement, &expected, Ok(())),
            Answered::Closed => {
                let Some(row) = self.ledger.row(requirement) else { return };
                let is_legal = row.legal().is_none_or(|legal| legal.allows(ReactionClass::Close));
                let holds = holds_if(is_legal, "its connection is closed");
                self.weakly(requirement, &expected, holds);
            }
            Answered::With(status @ 400.., _) if may_tell || self.tells_refusal(requirement, status) => {
                let Some(row) = self.ledger.row(requirement) else { return };
                let is_legal = may_tell || is_listed(row, status);
                let holds = holds_if(is_legal, format!("answered {status}"));
                self.weakly(requirement, &expected, holds);
            }
            Answered::With(status, signature) => {
                self.check(requirement, &expected, Err(answer_text(status, signature)));
            }
            Answered::Unknown => {
                let why = self.seen.broken.as_deref().unwrap_or("silence could not be proven");
                self.undecide(format!("{message}: {why}"));
            }
        }
    }

    /// Whether a status says that nothing was done: one that the row lists, or another one than good requests have had.
    fn tells_refusal(&self, requirement: &str, status: u16) -> bool {
        let is_listed = Requirement::get(requirement).is_some_and(|row| is_listed(row, status));
        let fences = self.seen.sent.values().filter(|sent| sent.is_fence);
        let mut good = fences.filter_map(Sent::answer).map(|reply| reply.status).peekable();
        is_listed
            || if good.peek().is_none() { is_told_refusal(status) } else { good.all(|good| good != status) }
    }

    /// What the client would tell its user; nothing is decided without it.
    pub fn standing(&mut self, name: &str) -> Option<&'o Standing> {
        let standing = self.seen.standings.get(&name.into()).and_then(Option::as_ref);
        if standing.is_none() {
            let why =
                self.seen.broken.as_deref().unwrap_or("nobody can know what the client would tell its user");
            self.undecide(format!("{name}: {why}"));
        }
        standing
    }

    /// The status that the client took for the answer to what it was made to do.
    pub fn outcome(&mut self, standing: &str, what: &str) -> Option<Option<u16>> {
        let number = self.seen.asked.get(&what.into()).copied();
        if number.is_none() {
            let why = self.seen.broken.as_deref().unwrap_or("the script ended before");
            self.undecide(format!("{what} was not asked for: {why}"));
        }
        let number = number?;
        self.standing(standing).map(|standing| standing.outcomes.get(&number).copied())
    }

    /// A statement about a request of the client.
    pub fn of_request(
        &mut self,
        requirement: &'static str,
        message: &str,
        expected: &str,
        holds: impl FnOnce(&Message<'_>) -> Result<(), String>,
    ) {
        let Some(heard) = self.request(message) else { return };
        if let Some(holds) = heard.look(holds) {
            self.check(requirement, expected, holds);
        }
    }

    /// A statement about the credential of a request of the client.
    pub fn of_credential(
        &mut self,
        requirement: &'static str,
        message: &str,
        expected: &str,
        holds: impl FnOnce(HeaderName, &AuthHeader<'_>) -> Result<(), String>,
    ) {
        let Some(heard) = self.request(message) else { return };
        let scheme = self.seen.mode.scheme;
        let holds = heard.credential(scheme, holds).unwrap_or_else(|| Err("no credential".to_owned()));
        self.check(requirement, expected, holds);
    }
}

/// Whether a request carries the last token of NTLM.
fn is_authenticate(heard: &Heard, scheme: Scheme) -> bool {
    let token = heard.credential(scheme, |_, header| header.token().ok().flatten()).flatten();
    token.is_some_and(|token| token.starts_with(b"NTLMSSP\0\x03"))
}

fn answer_text(status: u16, signature: &Signature) -> String {
    match signature {
        Signature::Unsigned => format!("answered {status}, not signed"),
        Signature::Verified(number) => format!("answered {status}, signed with cnum {number}"),
        Signature::Replayed(number) => format!("answered {status}, with cnum {number}, which is used up"),
        Signature::Bad(why) => format!("answered {status} with a signature that proves nothing: {why}"),
    }
}

fn words(legal: &LegalReactions) -> String {
    let words: Vec<String> = legal.legal.iter().map(ToString::to_string).collect();
    words.join(" or ")
}

/// Whether the row lists an answer with this status among its legal reactions, in whatever words.
fn is_listed(row: &Requirement, status: u16) -> bool {
    use ReactionClass::{Challenge401, Challenge407, Status};
    let challenge = match status {
        401 => Some(Challenge401),
        407 => Some(Challenge407),
        _ => None,
    };
    let mut classes = [Some(Status(status)), challenge].into_iter().flatten();
    row.legal().is_some_and(|legal| classes.any(|class| legal.allows(class)))
}

/// The status codes that say that nothing was done, of a client whose answers to good requests are not known.
const fn is_told_refusal(status: u16) -> bool {
    status == 401 || sipae_gen::model::is_told_refusal(status)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sipae::version::Version;

    use super::super::seen::Reply;
    use super::*;

    const MODE: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

    /// Requests of the suite in their order, with the status that each was answered with.
    fn conversation(requests: &[(&str, Option<u16>)]) -> Conversation {
        let mut seen = Conversation::new(MODE, 0);
        for (place, (name, status)) in requests.iter().enumerate() {
            let reply = |status| Reply { octets: Vec::new(), status, signature: Signature::Verified(1) };
            let sent = Sent {
                octets: b"OPTIONS sip:x SIP/2.0".to_vec(),
                place,
                replies: status.map(reply).into_iter().collect(),
                is_fence: *name == "fence",
                ..Sent::default()
            };
            seen.sent.insert((*name).into(), sent);
        }
        seen
    }

    fn verdict(seen: &Conversation, row: &'static str, read: impl Fn(&mut ClientJudge<'_>)) -> Verdict {
        let rows = [row];
        let mut judge = ClientJudge::new(seen, &rows, false);
        read(&mut judge);
        judge.close().0
    }

    /// The row lists a challenge; any other answer than a good request has had says that nothing was done.
    #[rstest]
    #[case::nothing("SIPAE-3.1.1-06", None, Verdict::Inconclusive)]
    #[case::listed_as_a_status("SIPAE-3.1.1-06", Some(482), Verdict::Pass)]
    #[case::listed_as_a_challenge("SIPAE-3.1.1-06", Some(407), Verdict::Pass)]
    #[case::another_refusal("SIPAE-3.2.5.2-08", Some(488), Verdict::Loose)]
    #[case::what_a_good_one_has("SIPAE-3.2.5.2-08", Some(200), FAIL)]
    fn a_refusal_is_told_by_what_good_requests_are_not_answered_with(
        #[case] row: &'static str,
        #[case] status: Option<u16>,
        #[case] expected: Verdict,
    ) {
        let seen = conversation(&[("bad", status), ("fence", Some(200))]);
        assert_eq!(verdict(&seen, row, |judge| judge.refused(row, "bad")), expected);
    }

    /// One that refuses good requests too tells nothing by that.
    #[test]
    fn the_refusal_that_a_good_request_has_is_none() {
        let seen = conversation(&[("bad", Some(405)), ("fence", Some(405))]);
        let row = "SIPAE-3.2.5.2-08";
        assert_eq!(verdict(&seen, row, |judge| judge.refused(row, "bad")), FAIL);
    }

    const FAIL: Verdict = Verdict::Fail(sipae_events::Cause::Reaction);

    /// To close is a right answer to a forgery, and says nothing of the good request behind it.
    #[rstest]
    #[case::behind_a_forgery(&[("bad", None), ("good", None)], Verdict::Inconclusive)]
    #[case::behind_what_was_answered(
        &[("first", Some(200)), ("good", None)],
        Verdict::Fail(sipae_events::Cause::Silent)
    )]
    fn who_closes_upon_a_forgery_is_not_blamed_for_what_comes_behind_it(
        #[case] requests: &[(&str, Option<u16>)],
        #[case] expected: Verdict,
    ) {
        let mut seen = conversation(requests);
        seen.connections.closed = 1;
        let row = "SIPAE-3.1.1-09";
        assert_eq!(verdict(&seen, row, |judge| judge.processed(row, "good")), expected);
    }

    #[test]
    fn what_is_foreseen_behind_a_right_close_is_not_asked_for() {
        let mut seen = conversation(&[("one", Some(200)), ("bad", None), ("good", None)]);
        seen.connections.closed = 1;
        let foreseen = |message: &str, processed, row: &str| Foreseen {
            message: message.into(),
            processed,
            requirement: row.to_owned(),
        };
        let all = [
            foreseen("one", true, "SIPAE-3.2.5.2-08"),
            foreseen("bad", false, "SIPAE-3.2.5.2-08"),
            foreseen("good", true, "SIPAE-3.2.5.2-08"),
        ];
        let judged = |all: &[Foreseen]| verdict(&seen, "SIPAE-3.2.5.2-08", |judge| judge.foreseen(all));
        assert_eq!(judged(&all), Verdict::Pass);
        assert_eq!(judged(&all[..2]), Verdict::Pass);
    }
}
