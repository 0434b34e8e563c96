//! Verifying what the server signed ([MS-SIPAE] 3.2.5.2), and answering its requests.

use super::{Client, ClientEvent, Scene, State};
use crate::auth::AuthHeader;
use crate::draft::Draft;
use crate::message::Message;
use crate::sa::SecurityAssociation;
use crate::violation::{Breach, Violation};

/// Verifies a message by the header field that was found for this association, if any was.
pub(super) fn verify(
    association: &mut SecurityAssociation,
    message: &Message<'_>,
    header: Option<AuthHeader<'_>>,
) -> Result<(), Violation> {
    let header = header.ok_or_else(|| Violation::server(Breach::Unsigned))?;
    association.verify(message, &header).map(|_| ())
}

impl Client {
    /// A request of the server: nothing in it is acted on before its signature has verified (SIPAE-3.2.5.2-20).
    pub(super) fn request(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let header = self.verified_header(message);
        let State::Established(established) = &mut self.state else {
            return scene.discard(Breach::NoAssociation);
        };
        if let Err(violation) = verify(&mut established.association, message, header) {
            return scene.event(ClientEvent::Discarded(violation));
        }
        scene.event(ClientEvent::Verified(message.octets().to_vec()));
        if message.method() != Some(b"ACK") {
            self.answer(scene, message);
        }
    }

    /// Clients sign their responses too, in a credential header field (SIPAE-3.2.4.1-03).
    fn answer(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let status = if message.method() == Some(b"INVITE") { 486 } else { 200 };
        let tag = crate::encoding::encode_base16(&scene.entropy.octets::<5>());
        self.send_signed(scene, Draft::response_to(message, status, &tag).close());
    }
}
