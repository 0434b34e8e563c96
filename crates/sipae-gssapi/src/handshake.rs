//! Handshakes: two sides send each other tokens until both have a context (RFC 2743 2.2).

use std::{fmt, ptr};

use crate::buffer::{Input, Output};
use crate::context::RawContext;
use crate::sys::BufferDesc;
use crate::{Context, Credential, Flags, Gss, GssError, Name, Oid};

/// Octets of the longest token that is taken from the library; Active Directory's tickets have up to 64 KiB.
const LONGEST_TOKEN: usize = 1 << 18;

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// For the peer; empty if nothing is to be sent.
    pub token: Vec<u8>,
    /// Whether this side has its context. There may be a last token for the peer even so.
    pub done: bool,
}

/// The client's side of a handshake.
#[derive(Debug)]
pub struct Initiator {
    handshake: Handshake,
    credential: Option<Credential>,
    target: Name,
    mechanism: Oid,
    flags: Flags,
}

impl Initiator {
    /// A handshake with `target`; without a credential with the default one.
    #[must_use]
    pub const fn new(
        gss: Gss,
        credential: Option<Credential>,
        target: Name,
        mechanism: Oid,
        flags: Flags,
    ) -> Self {
        Self { handshake: Handshake::new(gss), credential, target, mechanism, flags }
    }

    /// Takes the peer's token and gives the next one; the first step takes none (RFC 2744 5.19).
    ///
    /// # Errors
    /// What the library says, which ends the handshake.
    pub fn step(&mut self, token: Option<&[u8]>) -> Result<Step, GssError> {
        let mut input = token.map(|token| Input::new("token", token)).transpose()?;
        let input = input.as_mut().map_or(ptr::null_mut(), Input::raw);
        let credential = self.credential.as_ref().map_or(ptr::null_mut(), Credential::raw);
        let (target, mut mechanism, flags) = (self.target.raw(), self.mechanism.lent(), self.flags.0);
        self.handshake.step("gss_init_sec_context", Some(&self.mechanism), |gss, minor, context, output| {
            // SAFETY: credential and target are alive; mechanism and token are lent for the call; context and output
            // are released by their owners. Channel bindings are not used, and what else is given is not asked for.
            unsafe {
                (gss.functions.gss_init_sec_context)(
                    minor,
                    credential,
                    &raw mut context.raw,
                    target,
                    &raw mut mechanism,
                    flags,
                    0,
                    ptr::null_mut(),
                    input,
                    ptr::null_mut(),
                    output,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            }
        })
    }

    /// The context, after a step that was the last one.
    ///
    /// # Errors
    /// [`GssError::HandshakeNotDone`].
    pub fn into_context(self) -> Result<Context, GssError> {
        self.handshake.into_context()
    }
}

/// The server's side of a handshake.
#[derive(Debug)]
pub struct Acceptor {
    handshake: Handshake,
    credential: Option<Credential>,
    client: Option<Name>,
}

impl Acceptor {
    /// Waits for a client; without a credential with the default one.
    #[must_use]
    pub const fn new(gss: Gss, credential: Option<Credential>) -> Self {
        Self { handshake: Handshake::new(gss), credential, client: None }
    }

    /// Takes the client's token and gives the next one (RFC 2744 5.1).
    ///
    /// # Errors
    /// What the library says, which ends the handshake.
    pub fn step(&mut self, token: &[u8]) -> Result<Step, GssError> {
        let mut input = Input::new("token", token)?;
        let input = input.raw();
        let credential = self.credential.as_ref().map_or(ptr::null_mut(), Credential::raw);
        let mut client = ptr::null_mut();
        let step = self.handshake.step("gss_accept_sec_context", None, |gss, minor, context, output| {
            // SAFETY: the credential is alive; the token is lent for the call; context, client and output are
            // released by their owners. Channel bindings are not used, and what else is given is not asked for.
            unsafe {
                (gss.functions.gss_accept_sec_context)(
                    minor,
                    &raw mut context.raw,
                    credential,
                    input,
                    ptr::null_mut(),
                    &raw mut client,
                    ptr::null_mut(),
                    output,
                    ptr::null_mut(),
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            }
        });
        // SAFETY: null, or a name that the library has just given to us.
        self.client = unsafe { Name::owned(self.handshake.context.gss, client) };
        step
    }

    /// Who the client has proven to be; `None` before the last step has succeeded.
    #[must_use]
    pub fn client_name(&self) -> Option<&Name> {
        self.client.as_ref().filter(|_| self.handshake.state == State::Done)
    }

    /// The context, after a step that was the last one.
    ///
    /// # Errors
    /// [`GssError::HandshakeNotDone`].
    pub fn into_context(self) -> Result<Context, GssError> {
        self.handshake.into_context()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Failed,
    Done,
}

/// What both sides do alike.
struct Handshake {
    context: RawContext,
    state: State,
}

impl Handshake {
    const fn new(gss: Gss) -> Self {
        Self { context: RawContext::new(gss), state: State::Open }
    }

    fn step(
        &mut self,
        call: &'static str,
        mechanism: Option<&Oid>,
        run: impl FnOnce(Gss, *mut u32, &mut RawContext, *mut BufferDesc) -> u32,
    ) -> Result<Step, GssError> {
        if self.state != State::Open {
            return Err(GssError::HandshakeOver);
        }
        // Whatever fails below, nothing follows it.
        self.state = State::Failed;
        let gss = self.context.gss;
        let mut output = Output::new(gss);
        let mut minor = 0;
        let major = run(gss, &raw mut minor, &mut self.context, output.raw());
        let needs_more = gss.check(call, mechanism, major, minor)?;
        let token = output.all("token", LONGEST_TOKEN)?;
        self.state = if needs_more { State::Open } else { State::Done };
        Ok(Step { token, done: !needs_more })
    }

    fn into_context(self) -> Result<Context, GssError> {
        if self.state == State::Done { Ok(Context(self.context)) } else { Err(GssError::HandshakeNotDone) }
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handshake({:?})", self.state)
    }
}
