//! Changes that a script makes to a message, whoever sends it.

mod credential;

use sipae::auth::{AuthHeader, AuthParam, AuthWriter, Scheme, Style};
use sipae::draft::{Draft, RawHeader};
use sipae::message::{HeaderName, Message};
use sipae::side::Side;
use sipae_gen::{Edit, ParamEdit, Place, Text};

use credential::Credential;

/// Why something cannot be done.
pub(crate) type Broken = String;

/// Makes a change to a draft; `resolve` gives what a text stands for. What goes in front of a message, what happens to
/// its octets, and what is random is the matter of whoever sends it.
pub(crate) fn apply(
    draft: &mut Draft,
    edit: &Edit,
    resolve: &dyn Fn(&Text) -> Result<Vec<u8>, Broken>,
) -> Result<(), Broken> {
    match edit {
        Edit::SetHeader(name, value) => draft.set(*name, resolve(value)?),
        Edit::AddHeader { name, value, first } => add(draft, name, resolve(value)?, *first),
        Edit::RemoveHeader(name) => draft.remove(*name),
        Edit::RenameHeader(name, spelling) => rename(draft, *name, spelling)?,
        Edit::Replace { header, from, to } => replace(draft, *header, &resolve(from)?, &resolve(to)?)?,
        Edit::UpperCase { header, text } => {
            let text = resolve(text)?;
            replace(draft, *header, &text, &text.to_ascii_uppercase())?;
        }
        Edit::RequestUri(uri) => set_uri(draft, &resolve(uri)?),
        Edit::Method(method) => set_method(draft, method),
        Edit::Status(status) => set_status(draft, *status),
        Edit::ReplaceUser(user) => replace_user(draft, user),
        Edit::FromTag(tag) => replace_from_tag(draft, tag),
        Edit::Body { content_type, octets } => draft.set_body(content_type, octets),
        Edit::MoveHeader(name, place) => move_header(draft, *name, *place),
        Edit::Reflect => reflect(draft)?,
        Edit::Param(param, change) => {
            let value = match change {
                ParamEdit::Set(text)
                | ParamEdit::Repeat(text)
                | ParamEdit::Precede(text)
                | ParamEdit::Insert(_, text) => resolve(text)?,
                _ => Vec::new(),
            };
            with_credential(draft, |credential| credential.edit(*param, change, &value))?;
        }
        Edit::AddParam { name, value, first } => {
            let value = resolve(value)?;
            with_credential(draft, |credential| {
                credential.add(name, &value, *first);
                Ok(())
            })?;
        }
        Edit::Credential { from, to } => {
            let (header, _) = credential_of(draft)?;
            replace(draft, header, &resolve(from)?, &resolve(to)?)?;
        }
        Edit::OrderParams(order) => with_credential(draft, |credential| {
            credential.reorder(order);
            Ok(())
        })?,
        Edit::ReshapeCredential => with_credential(draft, |credential| {
            credential.reshape();
            Ok(())
        })?,
        Edit::Scheme(scheme) => {
            let scheme = resolve(scheme)?;
            with_credential(draft, |credential| {
                credential.set_scheme(&scheme);
                Ok(())
            })?;
        }
        Edit::CredentialHeader(name) => {
            let (from, value) = credential_of(draft)?;
            draft.remove(from);
            draft.push(*name, value);
        }
        Edit::CrowdCredential { others } => crowd(draft, *others)?,
        Edit::Branch | Edit::Octets { .. } | Edit::Before(_) => {
            return Err(format!("{edit:?} is no change to a draft"));
        }
    }
    Ok(())
}

fn add(draft: &mut Draft, name: &str, value: Vec<u8>, first: bool) {
    let place = if first { 0 } else { draft.headers.len() };
    draft.headers.insert(place, RawHeader::new(name, value));
}

fn move_header(draft: &mut Draft, name: HeaderName, place: Place) {
    let (mut moved, mut others): (Vec<RawHeader>, Vec<RawHeader>) =
        draft.headers.drain(..).partition(|header| header.is(name));
    draft.headers = match place {
        Place::First => {
            moved.append(&mut others);
            moved
        }
        Place::Last => {
            others.append(&mut moved);
            others
        }
    };
}

fn rename(draft: &mut Draft, name: HeaderName, spelling: &str) -> Result<(), Broken> {
    let header = draft.headers.iter_mut().find(|header| header.is(name));
    let header = header.ok_or_else(|| format!("the message has no {name}"))?;
    header.name = spelling.as_bytes().to_vec().into();
    Ok(())
}

fn replace(draft: &mut Draft, name: HeaderName, from: &[u8], to: &[u8]) -> Result<(), Broken> {
    let value = draft.get(name).ok_or_else(|| format!("the message has no {name}"))?.to_vec();
    let place = value.windows(from.len().max(1)).position(|part| part == from);
    let missing = || format!("{name} does not hold {}", String::from_utf8_lossy(from));
    let place = place.ok_or_else(missing)?;
    let (before, rest) = value.split_at(place);
    let after = rest.get(from.len()..).unwrap_or_default();
    draft.set(name, [before, to, after].concat());
    Ok(())
}

fn set_uri(draft: &mut Draft, uri: &[u8]) {
    let method = method_of(draft);
    draft.start_line = [method.as_slice(), b" ", uri, b" SIP/2.0"].concat();
}

fn set_method(draft: &mut Draft, method: &str) {
    let rest = draft.start_line.get(method_of(draft).len()..).unwrap_or_default().to_vec();
    draft.start_line = [method.as_bytes(), &rest].concat();
}

fn set_status(draft: &mut Draft, status: u16) {
    let reason = draft.start_line.splitn(3, |octet| *octet == b' ').nth(2).unwrap_or_default().to_vec();
    draft.start_line = [format!("SIP/2.0 {status} ").as_bytes(), &reason].concat();
}

fn method_of(draft: &Draft) -> Vec<u8> {
    draft.start_line.split(|octet| *octet == b' ').next().unwrap_or_default().to_vec()
}

fn replace_user(draft: &mut Draft, user: &str) {
    let to = draft.get(HeaderName::To).map(|to| String::from_utf8_lossy(to).into_owned()).unwrap_or_default();
    let host = to.rsplit_once('@').map_or("", |(_, host)| host.trim_end_matches('>')).to_owned();
    set_uri(draft, format!("{user}{host}").as_bytes());
    draft.set(HeaderName::To, format!("<{user}{host}>"));
}

fn replace_from_tag(draft: &mut Draft, tag: &str) {
    let from = draft.get(HeaderName::From).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    let params = from
        .split(';')
        .map(|param| if param.starts_with("tag=") { format!("tag={tag}") } else { param.to_owned() });
    draft.set(HeaderName::From, params.collect::<Vec<_>>().join(";"));
}

/// The credential of a client, or the signature or challenge of a server.
fn credential_of(draft: &Draft) -> Result<(HeaderName, Vec<u8>), Broken> {
    let mut names =
        HeaderName::CREDENTIALS.into_iter().chain(HeaderName::SIGNATURES).chain(HeaderName::CHALLENGES);
    let name = names.find(|name| draft.get(*name).is_some());
    let name = name.ok_or("the message has no credential")?;
    Ok((name, draft.get(name).unwrap_or_default().to_vec()))
}

fn with_credential(
    draft: &mut Draft,
    change: impl FnOnce(&mut Credential<'_>) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let (name, value) = credential_of(draft)?;
    let mut credential = Credential::read(&value);
    change(&mut credential)?;
    draft.set(name, credential.write());
    Ok(())
}

/// Credentials for other servers in front of ours: those of another realm.
fn crowd(draft: &mut Draft, others: usize) -> Result<(), Broken> {
    let (name, value) = credential_of(draft)?;
    let place = draft.headers.iter().position(|header| header.is(name)).unwrap_or_default();
    /// No message needs more, whatever a file asks for.
    const MOST: usize = 10_000;
    for number in 0..others.min(MOST) {
        let realm = format!("another realm {number}");
        let mut other = Credential::read(&value);
        other.edit(AuthParam::Realm, &ParamEdit::Set(Default::default()), realm.as_bytes())?;
        draft.headers.insert(place, RawHeader::known(name, other.write()));
    }
    Ok(())
}

/// The signature of the target, as a credential: crand, cnum and response from srand, snum and rspauth.
fn reflect(draft: &mut Draft) -> Result<(), Broken> {
    let credential = draft
        .read(|message| {
            Ok(signatures(message).next().map(|header| {
                let get = |param| header.get(param).map(|value| value.raw().to_vec());
                reflected(&header, get)
            }))
        })
        .map_err(|error| error.to_string())?;
    let credential = credential.ok_or("the message has no signature to reflect")?;
    for name in HeaderName::SIGNATURES {
        draft.remove(name);
    }
    draft.push(HeaderName::Authorization, credential);
    Ok(())
}

fn reflected(header: &AuthHeader<'_>, get: impl Fn(AuthParam) -> Option<Vec<u8>>) -> Vec<u8> {
    let scheme = String::from_utf8_lossy(header.scheme_text()).into_owned();
    let (server, client) = (Side::Server, Side::Client);
    AuthWriter::with_scheme(&scheme)
        .param(AuthParam::Qop, "auth")
        .optional(AuthParam::Realm, get(AuthParam::Realm))
        .optional(AuthParam::Targetname, get(AuthParam::Targetname))
        .optional(AuthParam::Opaque, get(AuthParam::Opaque))
        .optional(client.rand(), get(server.rand()))
        .optional(client.number(), get(server.number()))
        .optional(client.signature(), get(server.signature()))
        .write(&Style::COMMUNICATOR)
}

/// The signature header fields of a message that name a scheme which signs. Either name will do (SIPAE-3.2.5.2-16).
pub(crate) fn signatures<'m>(message: &Message<'m>) -> impl Iterator<Item = AuthHeader<'m>> {
    HeaderName::SIGNATURES
        .into_iter()
        .flat_map(|name| message.all(name))
        .map(AuthHeader::read)
        .filter(|header| header.scheme().is_some_and(Scheme::signs))
}
