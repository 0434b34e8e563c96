//! The state machine of one handshake ([MS-SIPAE] 3.2.5.1, 3.3.5.2).

use std::fmt;

use super::{Flight, TlsDskError, TlsEngine, TlsOutcome, coalesce};
use crate::side::Side;

/// Flights of the peer that are taken; a full handshake has two, and the beginning of a client counts as one.
pub const MOST_FLIGHTS: usize = 4;

/// One side of a handshake in `gssapi-data`: looks at what the peer sends before an engine sees it, and holds the
/// engine to whole flights.
///
/// A client begins with an empty step, which gives its ClientHello. The server is done with the step that gives its
/// Finished, the client with the step that takes it and gives nothing.
pub struct TlsHandshake {
    engine: Box<dyn TlsEngine>,
    side: Side,
    /// Flights that were taken.
    taken: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Going,
    Done(Box<TlsOutcome>),
    Failed,
}

impl TlsHandshake {
    /// A handshake before its first flight.
    #[must_use]
    pub fn new(engine: Box<dyn TlsEngine>, side: Side) -> Self {
        Self { engine, side, taken: 0, stage: Stage::Going }
    }

    /// Takes a flight of the peer, decoded from one `gssapi-data`, and gives the flight that answers it, for one
    /// `gssapi-data`; on the side of a client that is done there is nothing to give.
    ///
    /// # Errors
    /// What is wrong with the flight. The handshake has failed then, and no further step is taken.
    pub fn step(&mut self, gssapi_data: &[u8]) -> Result<Vec<u8>, TlsDskError> {
        let stepped = self.advance(gssapi_data);
        if stepped.is_err() && !self.is_done() {
            self.stage = Stage::Failed;
        }
        stepped
    }

    fn advance(&mut self, gssapi_data: &[u8]) -> Result<Vec<u8>, TlsDskError> {
        self.check(gssapi_data)?;
        self.taken += 1;
        let flight = self.engine.feed(gssapi_data)?;
        match self.engine.outcome() {
            None if flight.is_empty() => return Err(TlsDskError::FlightIncomplete),
            None => {}
            Some(outcome) if self.side == Side::Server && outcome.peer.is_none() => {
                return Err(TlsDskError::CertificateAbsent);
            }
            Some(outcome) => self.stage = Stage::Done(Box::new(outcome)),
        }
        Ok(if self.side == Side::Server && !self.is_done() { coalesce(&flight) } else { flight })
    }

    fn check(&self, gssapi_data: &[u8]) -> Result<(), TlsDskError> {
        if !matches!(self.stage, Stage::Going) {
            return Err(TlsDskError::Ended);
        }
        if self.taken == MOST_FLIGHTS {
            return Err(TlsDskError::TooManyFlights { limit: MOST_FLIGHTS });
        }
        let begins = self.side == Side::Client && self.taken == 0;
        match (begins, gssapi_data.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(TlsDskError::Unasked),
            (false, true) => Err(TlsDskError::NoFlight),
            (false, false) => self.check_flight(gssapi_data),
        }
    }

    fn check_flight(&self, gssapi_data: &[u8]) -> Result<(), TlsDskError> {
        let flight = Flight::read(gssapi_data)?;
        match flight.alert() {
            Some(alert) => Err(TlsDskError::Alert(alert)),
            None => flight.check_sender(self.side.peer()),
        }
    }

    /// The side that this is.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Whether the handshake is complete on this side.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    /// What it came to; on the side of a server there is always a certificate of the peer in it.
    #[must_use]
    pub fn outcome(&self) -> Option<&TlsOutcome> {
        match &self.stage {
            Stage::Done(outcome) => Some(outcome),
            Stage::Going | Stage::Failed => None,
        }
    }
}

impl fmt::Debug for TlsHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TlsHandshake");
        debug.field("side", &self.side).field("taken", &self.taken).field("stage", &self.stage);
        debug.finish_non_exhaustive()
    }
}
