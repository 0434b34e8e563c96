//! Codecs that are wrong in one way each: the reference with altered inputs, or altered answers.

use serde_json::{Value, json};
use sipae_conformance::codec::ReferenceCodec;
use sipae_vectors::{Answer, Codec, Hex, Operation, Refusal, inputs};

/// What a codec does wrong.
pub(super) struct Wrong {
    pub(super) name: &'static str,
    /// The row that it breaks, without `SIPAE-`.
    pub(super) row: &'static str,
    /// Rows that say the same from another side.
    pub(super) beside: &'static [&'static str],
    answer: fn(&Operation) -> Outcome,
}

type Outcome = Result<Answer, Refusal>;

/// The codec of this name.
pub(super) fn codec(name: &str) -> impl Codec + Send + use<> {
    let wrong = CODECS.iter().find(|wrong| wrong.name == name).expect("a known name");
    Altered(wrong.answer)
}

struct Altered(fn(&Operation) -> Outcome);

impl Codec for Altered {
    fn answer(&mut self, operation: &Operation) -> Outcome {
        (self.0)(operation)
    }
}

const fn wrong(
    name: &'static str,
    row: &'static str,
    beside: &'static [&'static str],
    answer: fn(&Operation) -> Outcome,
) -> Wrong {
    Wrong { name, row, beside, answer }
}

pub(super) const CODECS: &[Wrong] = &[
    wrong("scheme in one spelling", "2.2-01", &["2.2-02", "2.2-05"], |operation| {
        of_header(operation, |header| {
            let known = ["NTLM", "Kerberos", "TLS-DSK", "Digest"];
            let is_known = header.split_ascii_whitespace().next().is_some_and(|word| known.contains(&word));
            is_known.then(|| header.to_owned())
        })
    }),
    wrong("parameter names in one letter case", "2.2-02", &["2.2-06"], |operation| {
        let answer = reference(operation)?;
        let Operation::AuthHeader(inputs) = operation else { return Ok(answer) };
        let is_written = |name: &str| {
            inputs.header.contains(&format!("{name}=")) || inputs.header.contains(&format!("{name} ="))
        };
        Ok(mapped(answer, "params", |params| params.retain(|name, _| is_written(name))))
    }),
    wrong("order of parameters matters", "2.2-03", &["2.2-15"], |operation| {
        let Operation::AuthHeader(inputs) = operation else { return reference(operation) };
        let place = |name: &str| inputs.header.find(name).unwrap_or(usize::MAX);
        let answer = reference(operation)?;
        if place("version=") < place("realm=") && place("realm=") != usize::MAX {
            Ok(mapped(answer, "params", |params| drop(params.remove("realm"))))
        } else {
            Ok(answer)
        }
    }),
    wrong("backslashes escape", "2.2-04", &["2.2-15", "2.2-05"], |operation| {
        let unescape = |value: &mut Value| {
            if let Some(text) = value.as_str() {
                *value = json!(text.replace('\\', ""));
            }
        };
        Ok(match operation {
            Operation::AuthHeader(_) => {
                mapped(reference(operation)?, "params", |params| params.values_mut().for_each(unescape))
            }
            _ => reference(operation)?,
        })
    }),
    wrong("commas in quotes separate", "2.2-05", &["2.2-14", "2.2-04"], |operation| {
        let cut = |value: &mut Value| {
            if let Some(text) = value.as_str() {
                *value = json!(text.split(',').next());
            }
        };
        Ok(match operation {
            Operation::AuthHeader(_) => {
                mapped(reference(operation)?, "params", |params| params.values_mut().for_each(cut))
            }
            _ => reference(operation)?,
        })
    }),
    wrong("version in quotes", "2.2-06", &["2.2-08", "2.2-18", "2.2-01", "2.2-19"], |operation| {
        written(operation, |header| {
            header.replace("version=4", "version=\"4\"").replace("version=3", "version=\"3\"")
        })
    }),
    wrong("numbers without quotes", "2.2-10", &["2.2-09", "2.2-11", "2.2-01", "2.2-06"], |operation| {
        written(operation, |header| header.replace("num=\"", "num=").replace("num=1\"", "num=1"))
    }),
    wrong("Base64 of URLs is taken", "2.2-08", &[], |operation| {
        let Operation::Base64(inputs) = operation else { return reference(operation) };
        let text = inputs.text.replace('-', "+").replace('_', "/").replace('!', "A");
        reference(&Operation::Base64(inputs::Base64 { text }))
    }),
    wrong("salts without quotes", "2.2-09", &["2.2-01", "2.2-06", "2.2-10", "2.2-11"], |operation| {
        written(operation, |header| {
            header.split(", ").map(without_quotes_of_a_salt).collect::<Vec<_>>().join(", ")
        })
    }),
    wrong("hexadecimal digits in upper case alone", "2.2-11", &[], |operation| {
        let Operation::Base16(inputs) = operation else { return reference(operation) };
        if inputs.text.contains(|digit: char| digit.is_ascii_lowercase()) {
            return Ok(Answer::new().value("decoded", Value::Null));
        }
        reference(operation)
    }),
    wrong("no compact names", "2.2-20", &["2.2-21"], |operation| {
        of_message(operation, |message| {
            ["\r\nf:", "\r\nt:", "\r\ni:", "\r\nF:", "\r\nT:", "\r\nI:"]
                .iter()
                .fold(message.to_owned(), |message, compact| message.replace(compact, "\r\nX-Unknown:"))
        })
    }),
    wrong("the first of two From", "2.2-21", &[], |operation| {
        of_message(operation, |message| {
            let mut lines: Vec<&str> = message.split("\r\n").collect();
            let is_from = |line: &str| line.to_lowercase().starts_with("from:");
            let first = lines.iter().position(|line| is_from(line));
            let mut place = 0;
            lines.retain(|line| {
                place += 1;
                !is_from(line) || Some(place - 1) == first
            });
            lines.join("\r\n")
        })
    }),
    wrong("the body is read too", "2.2-22", &[], |operation| {
        of_message(operation, |message| match message.split_once("\r\n\r\n") {
            Some((head, body)) if body.contains("Expires: ") && !head.contains("Expires: ") => {
                format!("{head}\r\nExpires: 1\r\n\r\n{body}")
            }
            _ => message.to_owned(),
        })
    }),
    wrong("URIs are percent-decoded", "2.2-24", &[], |operation| {
        of_message(operation, |message| {
            message.replace("%41", "A").replace("%c3%bc", "ü").replace("%C3%BC", "ü")
        })
    }),
    wrong("tag in a URI", "2.2-25", &[], |operation| {
        let Operation::SipBuffer(inputs) = operation else { return reference(operation) };
        let message = inputs.message.replace(";tag=inside", "");
        reference(&Operation::SipBuffer(inputs::SipBuffer { message, ..inputs.clone() }))
    }),
    wrong(
        "preferred identities first",
        "3.2.4.2-05",
        &["3.2.4.2-04", "3.2.4.2-07", "3.3.4.1-09"],
        |operation| {
            of_message(operation, |message| {
                if message.contains("P-Preferred-Identity:") {
                    message.replace("P-Asserted-Identity:", "X-Asserted:")
                } else {
                    message.to_owned()
                }
            })
        },
    ),
    wrong(
        "identities in version 2",
        "3.2.4.2-07",
        &[
            "2.2-20",
            "2.2-22",
            "2.2-24",
            "3.2.4.1-10",
            "3.2.4.2-04",
            "3.2.4.2-05",
            "3.3.4.1-09",
            "3.2.4.1-25",
            "3.2.4.1-27",
        ],
        |operation| {
            let Operation::SipBuffer(inputs) = operation else { return reference(operation) };
            let answer = reference(operation)?;
            if !inputs.message.contains("-Identity:") {
                return Ok(answer);
            }
            Ok(mapped(answer, "buffers", |buffers| {
                let long = buffers.get("4").cloned().unwrap_or_default();
                buffers.insert("2".to_owned(), long);
            }))
        },
    ),
    wrong("sessions of Digest are none", "3.2.5.5-02", &["3.2.5.5-01", "3.2.5.5-07"], |operation| {
        of_digest(operation, |inputs| inputs.algorithm = inputs.algorithm.replace("-sess", ""))
    }),
    wrong("digest-uri without its parameters", "3.2.5.5-07", &["3.2.5.5-01", "3.2.5.5-02"], |operation| {
        of_digest(operation, |inputs| {
            inputs.uri = inputs.uri.split(';').next().unwrap_or_default().to_owned();
        })
    }),
    wrong("MD5 whatever the algorithm", "3.2.5.5-01", &["3.2.5.5-02", "3.2.5.5-07"], |operation| {
        of_digest(operation, |inputs| inputs.algorithm = "MD5".to_owned())
    }),
    wrong("every password is right", "3.3.5.4-05", &[], |operation| match operation {
        Operation::DigestMismatch(_) => Ok(Answer::new().flag("matches", true)),
        _ => reference(operation),
    }),
    wrong(
        "the sequence number is not 100",
        "3.2.4.1-25",
        &[
            "2.2-10",
            "2.2-24",
            "3.2.4.1-06",
            "3.2.4.1-03",
            "3.2.4.1-19",
            "3.2.4.1-27",
            "3.2.5.2-05",
            "3.2.5.2-06",
        ],
        |operation| {
            let Operation::SipNtlmSign(_) = operation else { return reference(operation) };
            let answer = reference(operation)?;
            let signature = text(&answer, "signature").replace("64000000", "01000000");
            Ok(answer.value("signature", signature))
        },
    ),
    wrong(
        "the sealing key is not made anew",
        "3.2.4.1-26",
        &["2.2-24", "3.2.4.1-03", "3.2.4.1-05", "3.2.4.2-03", "3.2.5.2-04", "3.2.5.2-06"],
        |operation| {
            let Operation::Mac(inputs) = operation else { return reference(operation) };
            if !inputs.datagram || !inputs.extended_session_security {
                return reference(operation);
            }
            reference(&Operation::Mac(inputs::Mac { datagram: false, ..inputs.clone() }))
        },
    ),
    wrong("the pad is compared", "3.2.4.1-27", &["3.2.5.2-22", "5.1-04"], |operation| {
        let answer = reference(operation)?;
        let Operation::MacVerify(inputs) = operation else { return Ok(answer) };
        let is_padded = inputs.signature.as_slice().get(4..8).is_some_and(|pad| pad != [0; 4]);
        if inputs.extended_session_security || !is_padded {
            Ok(answer)
        } else {
            Ok(answer.flag("valid", false))
        }
    }),
    wrong(
        "a signature is compared by its first octets",
        "5.1-04",
        &["3.2.4.1-26", "3.2.4.1-27", "3.2.5.2-25"],
        |operation| {
            let answer = reference(operation)?;
            let Operation::MacVerify(inputs) = operation else { return Ok(answer) };
            if answer.get("valid") == Some(&json!(true)) || !inputs.datagram {
                return Ok(answer);
            }
            let message = inputs::MacMessage::Text(inputs.message.clone());
            let mac = inputs::Mac {
                extended_session_security: inputs.extended_session_security,
                key_exchange: inputs.key_exchange,
                datagram: true,
                seal_key: inputs.seal_key.clone(),
                sign_key: inputs.sign_key.clone(),
                seq: inputs.seq,
                messages: vec![message],
                random_pad: None,
                seal: false,
            };
            let right = reference(&Operation::Mac(mac))?;
            let right = right
                .get("signatures")
                .and_then(|all| all.get(0))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let right = Hex::parse(&right).expect("octets");
            let got = inputs.signature.as_slice();
            let is_prefix = inputs.extended_session_security
                && got.get(..6).is_some_and(|begin| right.as_slice().starts_with(begin));
            Ok(answer.flag("valid", is_prefix))
        },
    ),
    wrong("the dummy token verifies", "3.2.5.2-25", &[], |operation| {
        let answer = reference(operation)?;
        let Operation::MacVerify(inputs) = operation else { return Ok(answer) };
        let dummy = [&[1, 0, 0, 0][..], &[0; 12]].concat();
        if inputs.signature.as_slice() == dummy { Ok(answer.flag("valid", true)) } else { Ok(answer) }
    }),
    wrong("forged messages move the window", "3.1.1-09", &["3.1.1-01"], |operation| {
        let answer = reference(operation)?;
        let Operation::SipNtlmVerify(inputs) = operation else { return Ok(answer) };
        let mut highest = 0;
        let outcomes = answer.get("outcomes").and_then(Value::as_array).cloned().unwrap_or_default();
        let outcomes: Vec<Value> = inputs
            .messages
            .iter()
            .zip(outcomes)
            .map(|(message, outcome)| {
                let number = number(message);
                let is_below = number + 256 < highest;
                if outcome == json!("refused") {
                    highest = highest.max(number);
                }
                if outcome == json!("accepted") && is_below { json!("replayed") } else { outcome }
            })
            .collect();
        Ok(answer.value("outcomes", outcomes))
    }),
    wrong(
        "numbers out of order are refused",
        "3.1.1-04",
        &["3.1.1-02", "3.1.1-03", "3.1.1-05", "3.1.1-07", "3.1.1-11"],
        |operation| {
            let Operation::ReplayWindow(inputs) = operation else { return reference(operation) };
            let mut last = 0;
            let accepted: Vec<bool> = inputs
                .numbers
                .iter()
                .map(|number| {
                    let is_above = last < *number;
                    last = last.max(*number);
                    is_above
                })
                .collect();
            Ok(Answer::new().value("accepted", accepted))
        },
    ),
    wrong(
        "numbers below the window are accepted",
        "3.1.1-07",
        &["3.1.1-08", "3.1.1-03", "3.1.1-04", "3.1.1-05", "3.1.1-11"],
        |operation| {
            let Operation::ReplayWindow(inputs) = operation else { return reference(operation) };
            let mut seen = std::collections::BTreeSet::new();
            let accepted: Vec<bool> =
                inputs.numbers.iter().map(|number| *number != 0 && seen.insert(*number)).collect();
            Ok(Answer::new().value("accepted", accepted))
        },
    ),
];

fn without_quotes_of_a_salt(param: &str) -> String {
    if param.contains("rand=") { param.replace('"', "") } else { param.to_owned() }
}

fn reference(operation: &Operation) -> Outcome {
    ReferenceCodec.answer(operation)
}

fn text(answer: &Answer, name: &str) -> String {
    answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// With a change to a result that is an object.
fn mapped(answer: Answer, name: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Answer {
    let mut members = answer.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    change(&mut members);
    answer.value(name, members)
}

/// Reads another header field than it is asked about; none is refused.
fn of_header(operation: &Operation, alter: fn(&str) -> Option<String>) -> Outcome {
    let Operation::AuthHeader(inputs) = operation else { return reference(operation) };
    match alter(&inputs.header) {
        Some(header) => reference(&Operation::AuthHeader(inputs::AuthHeader { header })),
        None => Err(Refusal::Malformed("header".to_owned())),
    }
}

/// Writes something else.
fn written(operation: &Operation, alter: fn(&str) -> String) -> Outcome {
    let answer = reference(operation)?;
    let Operation::AuthWrite(_) = operation else { return Ok(answer) };
    let header = alter(&text(&answer, "header"));
    Ok(answer.text("header", header))
}

/// Builds the buffer of another message.
fn of_digest(operation: &Operation, change: impl FnOnce(&mut inputs::Digest)) -> Result<Answer, Refusal> {
    let Operation::Digest(inputs) = operation else { return reference(operation) };
    let mut inputs = inputs.clone();
    change(&mut inputs);
    reference(&Operation::Digest(inputs))
}

fn of_message(operation: &Operation, alter: fn(&str) -> String) -> Outcome {
    let Operation::SipBuffer(inputs) = operation else { return reference(operation) };
    let message = alter(&inputs.message);
    reference(&Operation::SipBuffer(inputs::SipBuffer { message, ..inputs.clone() }))
}

/// The sequence number of a message.
fn number(message: &str) -> u64 {
    let behind = message.split("num=\"").nth(1).unwrap_or_default();
    behind.split('"').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
