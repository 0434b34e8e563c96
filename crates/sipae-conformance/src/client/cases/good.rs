//! What shows in the good conversation that every run begins with.

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::encoding::decode_base64;
use sipae::message::HeaderName;
use sipae::ntlm::{Authenticate, NegotiateFlags};
use sipae::tlsdsk::{ContentType, Records};
use sipae::version::Version;

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::seen::Heard;
use super::look::{all, cseq, field, from_param, has, is, lacks, text, verify};
use crate::ledger::holds_if;
use crate::reaction::Signature;

const NTLM: &[Scheme] = &[Scheme::Ntlm];
const KERBEROS: &[Scheme] = &[Scheme::Kerberos];
const TLS_DSK: &[Scheme] = &[Scheme::TlsDsk];
const TOKENS: &[Scheme] = &[Scheme::Ntlm, Scheme::Kerberos];

pub(super) fn cases() -> Vec<ClientCase> {
    let good = |id, title, rows| ClientCase::new(id, title, rows).of_the_good();
    vec![
        good("3.1/first-request-is-bare", "the first request has no credential", &["SIPAE-3.1-06"]).judge(
            |judge| {
                first(judge, "SIPAE-3.1-06", "no credential", |heard| match heard.read.class {
                    Class::Bare => Ok(()),
                    class => Err(format!("{class:?}")),
                });
            },
        ),
        good("3.1/begins-with-register", "login begins with REGISTER", &["SIPAE-3.1-07"]).judge(|judge| {
            first(judge, "SIPAE-3.1-07", "REGISTER", |heard| is(Some(&heard.method()), "REGISTER"));
        }),
        good("3.1/ntlm-takes-three", "NTLM takes three requests", &["SIPAE-3.1-02"])
            .with(NTLM)
            .judge(|judge| takes(judge, "SIPAE-3.1-02", 3)),
        good("3.1/kerberos-takes-two", "Kerberos takes two requests", &["SIPAE-3.1-03"])
            .with(KERBEROS)
            .judge(|judge| takes(judge, "SIPAE-3.1-03", 2)),
        good("3.1/tls-dsk-takes-four", "TLS-DSK takes four requests", &["SIPAE-3.1-04"])
            .with(TLS_DSK)
            .judge(|judge| takes(judge, "SIPAE-3.1-04", 4)),
        good("3.2.1/one-epid", "From of every request has the same epid", &["SIPAE-3.2.1-07"])
            .judge(one_epid),
        good(
            "3.2.4.1/signs-with-the-long-layout",
            "what the client signs verifies over the long buffer",
            &["SIPAE-3.2.4.1-04", "SIPAE-3.2.4.1-06", "SIPAE-3.2.4.1-08", "SIPAE-3.2.4.1-24"],
        )
        .at(&[Version::V4])
        .judge(|judge| {
            for row in ["SIPAE-3.2.4.1-04", "SIPAE-3.2.4.1-06", "SIPAE-3.2.4.1-08", "SIPAE-3.2.4.1-24"] {
                let holds = verify(judge.seen());
                judge.check(row, "the signature verifies over the long buffer", holds);
            }
        }),
        good(
            "3.2.4.1/kerberos-signs-the-whole-targetname",
            "with Kerberos targetname is signed with its sip/",
            &["SIPAE-3.2.4.1-09"],
        )
        .with(KERBEROS)
        .at(&[Version::V4])
        .judge(|judge| {
            let holds = verify(judge.seen());
            judge.check("SIPAE-3.2.4.1-09", "the signature verifies", holds);
        }),
        good(
            "3.2.4.1/completing-request-is-signed",
            "at version 4 the completing request is signed beside its token, with cnum 1",
            &["SIPAE-3.2.4.1-19", "SIPAE-3.2.4.1-14"],
        )
        .with(TOKENS)
        .at(&[Version::V4])
        .judge(|judge| {
            signed_as_first(judge, "SIPAE-3.2.4.1-19");
            cnum_is_one(judge);
        }),
        good(
            "3.2.4.1/completing-request-is-not-signed",
            "below version 4 the completing request has a token and no signature",
            &["SIPAE-3.2.4.1-20"],
        )
        .with(TOKENS)
        .at(&[Version::V2, Version::V3])
        .judge(|judge| {
            let Some(heard) = judge.request("completing") else { return };
            let holds = match heard.read.signature {
                Signature::Unsigned => Ok(()),
                _ => Err("signed".to_owned()),
            };
            judge.recorded("SIPAE-3.2.4.1-20", "no signature", holds);
        }),
        good(
            "3.2.4.1/tls-dsk-completes-by-signature",
            "TLS-DSK is completed by a signed request without token",
            &["SIPAE-3.2.4.1-21", "SIPAE-3.2.4.1-14"],
        )
        .with(TLS_DSK)
        .judge(|judge| {
            signed_as_first(judge, "SIPAE-3.2.4.1-21");
            judge.of_credential("SIPAE-3.2.4.1-21", "completing", "no gssapi-data", |_, header| {
                lacks(header, &[AuthParam::GssapiData])
            });
            let is_marked = |_: HeaderName, header: &AuthHeader<'_>| has(header, &[AuthParam::Opaque]);
            judge.of_credential("SIPAE-3.2.4.1-21", "completing", "opaque", is_marked);
            cnum_is_one(judge);
        }),
        good(
            "3.2.4.1/authorization-for-401",
            "the credential for a 401 stands in Authorization",
            &["SIPAE-3.2.4.1-22"],
        )
        .judge(|judge| in_field(judge, HeaderName::Authorization)),
        good(
            "3.2.4.2/identities-of-the-client",
            "a client asserts no identity, and prefers one of each kind at most",
            &["SIPAE-3.2.4.2-02", "SIPAE-3.2.4.2-06"],
        )
        .judge(identities),
        good(
            "3.2.5.1/echoes-the-challenge",
            "realm and targetname come back as they were",
            &["SIPAE-3.2.5.1-05", "SIPAE-3.2.5.1-06", "PATENT-0007"],
        )
        .judge(|judge| echoes(judge, &["SIPAE-3.2.5.1-05", "SIPAE-3.2.5.1-06", "PATENT-0007"])),
        good(
            "3.2.5.1/repeats-with-higher-cseq",
            "the repeat has a higher CSeq, a new branch, the same Call-ID and the same epid",
            &["SIPAE-3.2.5.1-08"],
        )
        .judge(repeats),
        good(
            "3.2.5.1/ntlm-begins-empty",
            "NTLM begins with an empty token and nothing of a signature",
            &["SIPAE-3.2.5.1-09"],
        )
        .with(NTLM)
        .judge(begins_empty),
        good(
            "3.2.5.1/ntlm-answers-the-challenge",
            "the CHALLENGE is answered by an AUTHENTICATE for datagrams, with its opaque",
            &["SIPAE-3.2.5.1-10", "SIPAE-3.2.5.1-18", "SIPAE-3.2.5.1-19", "PATENT-0020"],
        )
        .with(NTLM)
        .judge(answers_challenge),
        good(
            "3.2.5.1/kerberos-frames-its-ticket",
            "Kerberos begins with an AP-REQ in GSS framing, without opaque",
            &["SIPAE-3.2.5.1-11"],
        )
        .with(KERBEROS)
        .judge(|judge| {
            judge.of_credential("SIPAE-3.2.5.1-11", "completing", "an AP-REQ in GSS framing", |_, header| {
                all([is_framed(header), lacks(header, &[AuthParam::Opaque])])
            });
        }),
        good(
            "3.2.5.1/kerberos-asks-for-integrity",
            "the context of Kerberos asks for integrity",
            &["SIPAE-3.2.5.1-12"],
        )
        .with(KERBEROS)
        .judge(|judge| {
            let asks = judge.seen().heard.iter().find_map(|heard| heard.read.asks_integrity);
            let Some(asks) = asks else { return judge.undecide("no AP-REQ was read") };
            let holds = holds_if(asks, "no INTEG");
            judge.check("SIPAE-3.2.5.1-12", "INTEG in the checksum of the authenticator", holds);
        }),
        good(
            "3.2.5.1/tls-dsk-flights",
            "each flight of TLS-DSK is one value of whole records",
            &["SIPAE-3.2.5.1-14", "SIPAE-3.2.5.1-15", "SIPAE-3.2.5.1-18"],
        )
        .with(TLS_DSK)
        .judge(flights),
        good(
            "3.2.5.1/stays-on-its-connection",
            "a challenged request is repeated over its connection",
            &["SIPAE-3.2.5.1-25"],
        )
        .judge(|judge| {
            let holds = match judge.seen().connections.opened {
                1 => Ok(()),
                opened => Err(format!("{opened} connections")),
            };
            judge.recorded("SIPAE-3.2.5.1-25", "one connection", holds);
        }),
        good(
            "3.2.5.1/success-establishes",
            "a signed success establishes the association",
            &["SIPAE-3.2.5.1-30", "PATENT-0016"],
        )
        .telling()
        .judge(|judge| {
            let Some(standing) = judge.standing("good") else { return };
            let holds = holds_if(standing.registered, "it is not registered");
            judge.check("SIPAE-3.2.5.1-30", "it takes itself for registered", holds.clone());
            judge.check("PATENT-0016", "it takes itself for registered", holds);
        }),
        good(
            "2.2/qop-is-auth",
            "qop, where it is written, is auth, and every credential of a handshake can be read",
            &["PATENT-0011"],
        )
        .judge(|judge| {
            let scheme = judge.mode().scheme;
            let credentials = judge.seen().heard.iter().filter_map(|heard| {
                heard.credential(scheme, |_, header| match text(header, AuthParam::Qop) {
                    Some(qop) if qop != "auth" => Err(format!("qop {qop:?}")),
                    _ if header.malformed().is_some() => Err("a malformed credential".to_owned()),
                    _ => Ok(()),
                })
            });
            let holds = all(credentials.collect::<Vec<_>>());
            judge.check("PATENT-0011", "qop auth, in a credential that can be read", holds);
        }),
    ]
}

fn first(
    judge: &mut ClientJudge<'_>,
    row: &'static str,
    expected: &str,
    holds: impl FnOnce(&Heard) -> Result<(), String>,
) {
    match judge.seen().heard.first() {
        Some(heard) => judge.check(row, expected, holds(heard)),
        None => judge.undecide("nothing was heard"),
    }
}

/// The requests of the first handshake that was completed, the bare one first: those of its call. Others that a client
/// sends meanwhile are none of it.
fn handshake<'o>(judge: &ClientJudge<'o>) -> Vec<&'o Heard> {
    let heard = &judge.seen().heard;
    let Some(end) = heard.iter().position(|heard| heard.read.class == Class::Completing) else {
        return Vec::new();
    };
    let call = heard.get(end).and_then(|heard| field(heard, HeaderName::CallId));
    let of_call = |other: &&Heard| field(other, HeaderName::CallId) == call && other.method() != "ACK";
    let requests: Vec<&Heard> = heard.get(..=end).unwrap_or_default().iter().filter(of_call).collect();
    // It may ask more than once before it has a password.
    let asked = requests.iter().take_while(|heard| heard.read.class == Class::Bare).count();
    requests.get(asked.saturating_sub(1)..).unwrap_or_default().to_vec()
}

/// A handshake has so many requests, the bare one and the completing one included.
fn takes(judge: &mut ClientJudge<'_>, row: &'static str, expected: usize) {
    let handshake = handshake(judge);
    if handshake.is_empty() {
        return judge.undecide("the handshake was not completed");
    }
    let found = handshake.len();
    let holds = holds_if(found == expected, format!("{found} requests"));
    judge.check(row, &format!("{expected} requests"), holds);
}

fn one_epid(judge: &mut ClientJudge<'_>) {
    let requests: Vec<&Heard> = judge.seen().heard.iter().filter(|heard| heard.method() != "ACK").collect();
    let epids: Vec<Option<Vec<u8>>> = requests.iter().map(|heard| from_param(heard, "epid")).collect();
    let holds = match epids.split_first() {
        None => Err("nothing was heard".to_owned()),
        Some(_) if epids.iter().any(Option::is_none) => Err("a From without epid".to_owned()),
        Some((first, rest)) if rest.iter().any(|epid| epid != first) => Err("another epid".to_owned()),
        Some(_) => Ok(()),
    };
    judge.check("SIPAE-3.2.1-07", "one epid", holds);
}

fn signed_as_first(judge: &mut ClientJudge<'_>, row: &'static str) {
    let Some(heard) = judge.request("completing") else { return };
    let holds = match &heard.read.signature {
        Signature::Verified(_) | Signature::Replayed(_) => Ok(()),
        Signature::Unsigned => Err("no signature".to_owned()),
        Signature::Bad(why) => Err(why.clone()),
    };
    judge.check(row, "a signature that verifies", holds);
}

fn cnum_is_one(judge: &mut ClientJudge<'_>) {
    judge.of_credential("SIPAE-3.2.4.1-14", "completing", "cnum 1", |_, header| {
        is(text(header, AuthParam::Cnum).as_deref(), "1")
    });
}

/// Crossed names are written down: servers look at both.
pub(super) fn in_field(judge: &mut ClientJudge<'_>, expected: HeaderName) {
    let Some(heard) = judge.request("completing") else { return };
    let name = heard.credential(judge.mode().scheme, |name, _| name);
    let holds = match name {
        Some(name) if name == expected => Ok(()),
        Some(name) => Err(name.to_string()),
        None => Err("no credential".to_owned()),
    };
    judge.recorded("SIPAE-3.2.4.1-22", &format!("in {expected}"), holds);
}

fn identities(judge: &mut ClientJudge<'_>) {
    let count = |heard: &Heard, scheme: &str| {
        let field = field(heard, HeaderName::PPreferredIdentity).unwrap_or_default();
        String::from_utf8_lossy(&field).to_lowercase().matches(&format!("<{scheme}:")).count()
    };
    let heard = || judge.seen().heard.iter();
    let asserts = heard().any(|heard| field(heard, HeaderName::PAssertedIdentity).is_some());
    let crowded =
        heard().any(|heard| 1 < count(heard, "sip") + count(heard, "sips") || 1 < count(heard, "tel"));
    let asserts = holds_if(!asserts, "P-Asserted-Identity");
    let crowded = holds_if(!crowded, "more than one of a kind");
    judge.check("SIPAE-3.2.4.2-02", "at most one sip and one tel identity", crowded);
    judge.recorded("SIPAE-3.2.4.2-06", "no P-Asserted-Identity", asserts);
}

/// Realm and targetname of the requests behind the challenge `challenge`, or the usual ones.
pub(super) fn echoes(judge: &mut ClientJudge<'_>, rows: &[&'static str]) {
    let Some(completing) = judge.request("completing") else { return };
    let scheme = judge.mode().scheme;
    let (realm, targetname) = sent_parameters(judge);
    let holds = completing.credential(scheme, |_, header| {
        all([
            is(text(header, AuthParam::Realm).as_deref(), &realm),
            is(text(header, AuthParam::Targetname).as_deref(), &targetname),
        ])
    });
    let holds = holds.unwrap_or_else(|| Err("no credential".to_owned()));
    for row in rows {
        judge.check(row, &format!("realm {realm:?}, targetname {targetname:?}"), holds.clone());
    }
}

/// What a challenge line of the scheme under test said.
struct SentLine {
    realm: Option<String>,
    targetname: Option<String>,
    opaque: Option<String>,
}

/// The lines of challenges as they went over the wire, the last one first.
fn sent_lines(judge: &ClientJudge<'_>) -> Vec<SentLine> {
    use sipae::message::{Limits, Message};
    let scheme = judge.mode().scheme;
    let lines = judge.seen().exchange.iter().rev().filter_map(|exchanged| {
        let octets = exchanged.exact_octets();
        let message = Message::parse(&octets, &Limits::NONE).ok()?;
        let mut lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| message.all(name));
        lines.find_map(|value| {
            let header = AuthHeader::read(value);
            let get = |param| text(&header, param);
            (header.scheme() == Some(scheme)).then(|| SentLine {
                realm: get(AuthParam::Realm),
                targetname: get(AuthParam::Targetname),
                opaque: get(AuthParam::Opaque),
            })
        })
    });
    lines.collect()
}

/// What the last challenge line of the scheme said, as it went over the wire.
fn sent_parameters(judge: &ClientJudge<'_>) -> (String, String) {
    let said = sent_lines(judge).into_iter().find_map(|line| line.realm.zip(line.targetname));
    said.unwrap_or_default()
}

/// The same between each request and the next one, up to the completing one.
fn repeats(judge: &mut ClientJudge<'_>) {
    let requests = handshake(judge);
    if requests.is_empty() {
        return judge.undecide("the handshake was not completed");
    }
    let pairs: Vec<(&Heard, &Heard)> =
        requests.iter().copied().zip(requests.iter().copied().skip(1)).collect();
    let rises = pairs.iter().all(|(one, next)| cseq(one) < cseq(next));
    let branch = |heard: &Heard| heard.look(|message| message.branch().map(<[u8]>::to_vec)).flatten();
    let is_new = pairs.iter().all(|(one, next)| branch(one).is_none() || branch(one) != branch(next));
    let tag = pairs.iter().all(|(one, next)| from_param(one, "tag") == from_param(next, "tag"));
    let row = "SIPAE-3.2.5.1-08";
    let is_same = 1 < requests.len();
    let (rises, is_same) = (holds_if(rises, "it does not rise"), holds_if(is_same, "another Call-ID"));
    let (is_new, tag) = (holds_if(is_new, "the same branch"), holds_if(tag, "another From tag"));
    judge.check(row, "CSeq rises", rises);
    judge.check(row, "the same Call-ID", is_same);
    judge.check(row, "a new branch", is_new);
    judge.weakly(row, "the same From tag", tag);
}

fn begins_empty(judge: &mut ClientJudge<'_>) {
    let empty =
        judge.seen().heard.iter().find(|heard| heard.read.is_first || heard.read.class == Class::Failed);
    let Some(heard) = empty else { return judge.undecide("no first token was heard") };
    let others = [AuthParam::Opaque, AuthParam::Crand, AuthParam::Cnum, AuthParam::Response];
    let holds = heard.credential(Scheme::Ntlm, |_, header| {
        all([is(text(header, AuthParam::GssapiData).as_deref(), ""), lacks(header, &others)])
    });
    judge.check(
        "SIPAE-3.2.5.1-09",
        "gssapi-data=\"\" alone",
        holds.unwrap_or_else(|| Err("nothing".to_owned())),
    );
}

fn answers_challenge(judge: &mut ClientJudge<'_>) {
    let Some(heard) = judge.request("completing") else { return };
    let token = heard.credential(Scheme::Ntlm, |_, header| header.token().ok().flatten()).flatten();
    let holds = match token.map(|token| Authenticate::read(&token)) {
        None => Err("no token".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(authenticate)) => {
            let wanted = NegotiateFlags::DATAGRAM | NegotiateFlags::KEY_EXCH | NegotiateFlags::SIGN;
            let missing = wanted.without(authenticate.flags);
            match missing.names().next() {
                Some(name) => Err(format!("{name} is not set")),
                None => Ok(()),
            }
        }
    };
    judge.check("SIPAE-3.2.5.1-10", "an AUTHENTICATE with SIGN, DATAGRAM and KEY_EXCH", holds);
    opaque_comes_back(judge);
    let firsts = handshake(judge).iter().filter(|heard| heard.read.class == Class::First).count();
    let once = holds_if(firsts == 1, format!("{firsts} empty tokens"));
    for row in ["SIPAE-3.2.5.1-19", "PATENT-0020"] {
        judge.check(row, "the CHALLENGE is answered, and no other handshake begun", once.clone());
    }
}

/// The opaque of the continuation, as it went over the wire, is that of every later request of the handshake.
fn opaque_comes_back(judge: &mut ClientJudge<'_>) {
    opaque_echoed(judge, "SIPAE-3.2.5.1-18");
}

/// The same for a row.
pub(super) fn opaque_echoed(judge: &mut ClientJudge<'_>, row: &'static str) {
    let sent = sent_lines(judge).into_iter().find_map(|line| line.opaque);
    let Some(sent) = sent else { return judge.undecide("no opaque was sent") };
    let scheme = judge.mode().scheme;
    let later = judge.seen().heard.iter().filter(|heard| {
        matches!(heard.read.class, Class::Flight | Class::Completing | Class::Failed | Class::Stray)
    });
    let echoed = later.map(|heard| {
        let opaque = heard.credential(scheme, |_, header| text(header, AuthParam::Opaque)).flatten();
        is(opaque.as_deref(), &sent)
    });
    let holds = all(echoed.collect::<Vec<_>>());
    judge.check(row, &format!("opaque {sent:?}"), holds);
}

fn is_framed(header: &AuthHeader<'_>) -> Result<(), String> {
    /// The object identifier of Kerberos behind the lengths of the framing.
    const KERBEROS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
    let token = text(header, AuthParam::GssapiData).and_then(|text| decode_base64(text.as_bytes()));
    let token = token.ok_or("no token")?;
    let has_oid = token.windows(KERBEROS.len()).take(8).any(|octets| octets == KERBEROS);
    holds_if(token.first() == Some(&0x60) && has_oid, "another framing")
}

fn flights(judge: &mut ClientJudge<'_>) {
    let scheme = judge.mode().scheme;
    let tokens: Vec<Vec<u8>> = judge
        .seen()
        .heard
        .iter()
        .filter(|heard| matches!(heard.read.class, Class::First | Class::Flight))
        .filter_map(|heard| heard.credential(scheme, |_, header| header.token().ok().flatten()).flatten())
        .collect();
    let kinds = |octets: &[u8]| -> Result<Vec<ContentType>, String> {
        let records = Records::new(octets).collect::<Result<Vec<_>, _>>();
        let records = records.map_err(|error| error.to_string())?;
        Ok(records.iter().map(|record| record.content).collect())
    };
    let whole = all(tokens.iter().map(|octets| kinds(octets).map(drop)).collect::<Vec<_>>());
    judge.check("SIPAE-3.2.5.1-14", "whole records", whole);
    let [hello, flight] = tokens.as_slice() else {
        return judge.undecide(format!("{} flights were heard", tokens.len()));
    };
    let begins = match kinds(hello) {
        Ok(kinds) if kinds.iter().all(|kind| *kind == ContentType::Handshake) => Ok(()),
        Ok(_) => Err("records of another kind".to_owned()),
        Err(error) => Err(error),
    };
    judge.check("SIPAE-3.2.5.1-14", "ClientHello in records of the handshake", begins);
    let ends = match kinds(flight) {
        Ok(kinds) => {
            let change = kinds.iter().position(|kind| *kind == ContentType::ChangeCipherSpec);
            match change {
                Some(place) if 0 < place && place + 1 < kinds.len() => Ok(()),
                _ => Err("no ChangeCipherSpec between handshake records".to_owned()),
            }
        }
        Err(error) => Err(error),
    };
    judge.check("SIPAE-3.2.5.1-15", "certificate and keys, ChangeCipherSpec, Finished", ends);
    opaque_comes_back(judge);
}
