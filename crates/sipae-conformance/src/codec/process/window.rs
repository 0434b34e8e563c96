//! What a codec has been asked and has not answered yet.

use sipae_vectors::protocol::{self, Reply};
use sipae_vectors::{Answer, Operation, Refusal};

use super::running::CHUNK;
use super::{Answered, Fault};

/// Octets of requests that are unanswered at most.
const OCTETS: usize = 1024 * 1024;
/// Requests that are unanswered at most.
const UNANSWERED: usize = 4096;

/// Operations that are asked in their order, and answered in any.
pub(super) struct Window<'w> {
    operations: &'w [&'w Operation],
    answers: &'w mut [Option<Answered>],
    /// The id of the first operation.
    first: u64,
    /// The length of each request that has been made.
    lengths: Vec<usize>,
    open: usize,
    octets: usize,
}

impl<'w> Window<'w> {
    pub(super) fn new(
        first: u64,
        operations: &'w [&'w Operation],
        answers: &'w mut [Option<Answered>],
    ) -> Self {
        Self { operations, answers, first, lengths: Vec::with_capacity(operations.len()), open: 0, octets: 0 }
    }

    /// The next requests; none when nothing more is to be asked before something is answered.
    pub(super) fn requests(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut block = Vec::new();
        while block.len() < CHUNK && self.open < UNANSWERED && self.octets < OCTETS {
            let Some(operation) = self.operations.get(self.lengths.len()) else { break };
            let id = self.first + u64::try_from(self.lengths.len()).unwrap_or_default();
            let before = block.len();
            protocol::request(id, operation, &mut block).map_err(|error| Fault::Wrong(error.to_string()))?;
            let length = block.len() - before;
            self.lengths.push(length);
            self.open += 1;
            self.octets += length;
        }
        Ok(Some(block).filter(|block| !block.is_empty()))
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.open == 0
    }

    /// An answer to what is open.
    pub(super) fn take(&mut self, Reply { id, result }: Reply) -> Result<(), Fault> {
        let place = id.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let Some((place, length)) = place.and_then(|place| Some((place, *self.lengths.get(place)?))) else {
            return Err(Fault::Wrong(format!("id {id} was not asked, {}", told(&result))));
        };
        match self.answers.get_mut(place) {
            Some(answer @ None) => *answer = Some(Answered::Replied(result)),
            _ => {
                let op = self.operations.get(place).map_or("", |operation| operation.name());
                let problem = format!("id {id} ({op}) is answered twice, {}", told(&result));
                return Err(Fault::Wrong(problem));
            }
        }
        self.open -= 1;
        self.octets -= length;
        Ok(())
    }
}

/// The answer in short, for an error.
fn told(result: &Result<Answer, Refusal>) -> String {
    let what = match result {
        Ok(answer) => serde_json::to_string(answer).unwrap_or_default(),
        Err(refusal) => refusal.to_string(),
    };
    format!("now with {}", what.chars().take(80).collect::<String>())
}
