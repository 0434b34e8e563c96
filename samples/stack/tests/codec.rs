//! A function of the crate is put to the golden vectors of one operation, each a test.

use sipae_conformance::harness::{Answer, Codec, Harness, Operation, Refusal};
use sipae_sample_stack::decode_hex;

fn main() -> std::process::ExitCode {
    Harness::codec(|| Hexadecimal).operations(&["base16"]).main()
}

struct Hexadecimal;

impl Codec for Hexadecimal {
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
        let Operation::Base16(inputs) = operation else {
            return Err(Refusal::Unsupported(operation.name().to_owned()));
        };
        let Some(octets) = decode_hex(&inputs.text) else {
            return Ok(Answer::new().hex_or_null("decoded", None));
        };
        let lower: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let answer = Answer::new().hex("decoded", &octets).text("canonical_upper", lower.to_uppercase());
        Ok(answer.text("canonical_lower", lower))
    }
}
