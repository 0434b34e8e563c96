//! Codecs behind a pipe, in operations a second: the suite's own side against a codec that computes nothing, and the
//! sample in Rust, which `cargo build --release --package sipae-sample-codec` builds.
//!
//! Beside it the reference in this process: what a pipe costs.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use sipae_vectors::Vector;
use sipae_conformance::codec::{Answered, Asked, CodecProcess, InProcess, ReferenceCodec};
use sipae_vectors::{Operation, golden};

/// Argument that makes this program a codec that computes nothing.
const NULL: &str = "null-codec";
const SAMPLE: &str = "../target/release/sipae-sample-codec";
/// What the sample can do.
const OPERATIONS: &[&str] = &["auth_header", "auth_write", "base16", "base64", "replay_window", "sip_buffer"];
/// How often each vector is asked at once.
const TIMES: usize = 20;

fn main() {
    if std::env::args().nth(1).as_deref() == Some(NULL) {
        null_codec().expect("a pipe");
    } else {
        divan::main();
    }
}

/// Answers each line without reading more than its id, which stands first.
fn null_codec() -> io::Result<()> {
    let (mut input, mut output) = (BufReader::with_capacity(64 * 1024, io::stdin().lock()), io::stdout().lock());
    output.write_all(b"{\"protocol\":\"sipae-codec\",\"version\":1}\n")?;
    output.flush()?;
    let (mut line, mut out) = (Vec::new(), Vec::new());
    while input.read_until(b'\n', &mut line)? != 0 {
        let id = line.split(|octet| *octet == b',').next().unwrap_or_default();
        out.extend_from_slice(id);
        out.extend_from_slice(b",\"answer\":{}}\n");
        if !input.buffer().contains(&b'\n') {
            output.write_all(&out)?;
            output.flush()?;
            out.clear();
        }
        line.clear();
    }
    Ok(())
}

fn vectors() -> Vec<&'static Vector> {
    let vectors = golden().iter().flat_map(|file| &file.vectors);
    let once: Vec<&Vector> = vectors.filter(|vector| OPERATIONS.contains(&vector.operation.name())).collect();
    once.iter().copied().cycle().take(once.len() * TIMES).collect()
}

/// Asks, and judges what is answered.
fn asked(bencher: Bencher, codec: &mut dyn Asked) {
    let vectors = vectors();
    let operations: Vec<&Operation> = vectors.iter().map(|vector| &vector.operation).collect();
    bencher.counter(ItemsCount::new(operations.len())).bench_local(|| {
        let answers = codec.ask(&operations);
        let judged = vectors.iter().zip(answers).map(|(vector, answered)| match answered {
            Answered::Replied(result) => vector.judge(&result),
            broken => panic!("{broken:?}"),
        });
        judged.collect::<Vec<_>>()
    });
}

fn process(words: &[&str]) -> CodecProcess {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    CodecProcess::start(&words, Duration::from_secs(10)).expect("a codec")
}

#[divan::bench]
fn suite_and_a_codec_that_computes_nothing(bencher: Bencher) {
    let program = std::env::current_exe().expect("this program");
    asked(bencher, &mut process(&[program.to_str().expect("text"), NULL]));
}

#[divan::bench]
fn suite_and_the_sample_in_rust(bencher: Bencher) {
    assert!(Path::new(SAMPLE).exists(), "cargo build --release --package sipae-sample-codec comes first");
    asked(bencher, &mut process(&[SAMPLE]));
}

#[divan::bench]
fn the_reference_in_this_process(bencher: Bencher) {
    asked(bencher, &mut InProcess::new("reference", Box::new(ReferenceCodec)));
}
