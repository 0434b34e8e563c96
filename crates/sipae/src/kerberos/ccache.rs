//! Ticket caches: what a user got of the KDC, in the file format 0x0504 of MIT, which `kinit` and `kvno` write.

use super::file::Reader;
use super::principal::MOST_COMPONENTS;
use super::{KerberosError, Principal, ServiceTicket};
use crate::clock::Time;

/// The tickets of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ccache {
    /// The user.
    pub client: Principal,
    /// Tickets whose session key is of a known encryption type; that of the KDC itself is one of them.
    pub tickets: Vec<ServiceTicket>,
}

const FORMAT: [u8; 2] = [0x05, 0x04];

impl Ccache {
    /// Reads the content of a file. Entries that hold settings in place of tickets are passed over.
    pub fn read(octets: &[u8]) -> Result<Self, KerberosError> {
        let wrong = |problem, offset| KerberosError::Ccache { problem, offset };
        let mut file = Reader::new(octets, FORMAT, "is not of format 0x0504", wrong)?;
        // Fields that tell how the KDC's clock differs.
        let header = u16::from_be_bytes(file.array()?);
        file.part(header.into())?;
        let mut cache = Self { client: principal(&mut file)?, tickets: Vec::new() };
        while !file.rest.is_empty() {
            cache.tickets.extend(ticket(&mut file)?);
        }
        Ok(cache)
    }

    /// The ticket of a service; of several, the one that is good for longest.
    #[must_use]
    pub fn ticket_for(&self, service: &Principal) -> Option<&ServiceTicket> {
        self.tickets
            .iter()
            .filter(|ticket| ticket.service.is_service(service))
            .max_by_key(|ticket| ticket.end)
    }
}

fn number(file: &mut Reader<'_>) -> Result<u32, KerberosError> {
    file.array().map(u32::from_be_bytes)
}

/// Octets behind their count of 32 bits.
fn counted<'a>(file: &mut Reader<'a>) -> Result<Reader<'a>, KerberosError> {
    let length = usize::try_from(number(file)?).unwrap_or(usize::MAX);
    file.part(length)
}

fn principal(file: &mut Reader<'_>) -> Result<Principal, KerberosError> {
    let _name_type = number(file)?;
    let count = number(file)?;
    if usize::try_from(count).map_or(true, |count| MOST_COMPONENTS < count) {
        return Err(file.wrong("has a name of too many parts"));
    }
    let realm = counted(file)?.text()?;
    let components = (0..count).map(|_| counted(file)?.text()).collect::<Result<_, _>>()?;
    Ok(Principal { components, realm })
}

/// `None` for what is no ticket that can be used, such as a setting, whose key is of type 0.
fn ticket(file: &mut Reader<'_>) -> Result<Option<ServiceTicket>, KerberosError> {
    let (client, service) = (principal(file)?, principal(file)?);
    let etype = file.array()?;
    let session_key = counted(file)?.key(etype)?;
    let [auth_time, start, end, _renewable] = [time(file)?, time(file)?, time(file)?, time(file)?];
    // Whether the session key is of another ticket, and the ticket flags.
    file.part(1 + 4)?;
    let (_addresses, _authorization) = (typed_list(file)?, typed_list(file)?);
    let ticket = counted(file)?.rest.to_vec();
    let _second_ticket = counted(file)?;
    let start = if start == Time::default() { auth_time } else { start };
    Ok(session_key.map(|session_key| ServiceTicket { ticket, session_key, client, service, start, end }))
}

fn time(file: &mut Reader<'_>) -> Result<Time, KerberosError> {
    number(file).map(|seconds| Time(u64::from(seconds) * 1000))
}

/// What nobody asks for. Each entry takes octets, so that a count that is too large ends with the file.
fn typed_list(file: &mut Reader<'_>) -> Result<(), KerberosError> {
    for _ in 0..number(file)? {
        file.part(2)?;
        counted(file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kerberos::{EncryptionType, Key};

    fn write_counted(octets: &[u8]) -> Vec<u8> {
        [&u32::try_from(octets.len()).unwrap().to_be_bytes()[..], octets].concat()
    }

    fn write_principal(components: &[&str]) -> Vec<u8> {
        let count = u32::try_from(components.len()).unwrap();
        let texts = ["CONTOSO.COM"].iter().chain(components).flat_map(|text| write_counted(text.as_bytes()));
        [&1u32.to_be_bytes()[..], &count.to_be_bytes()].concat().into_iter().chain(texts).collect()
    }

    fn entry(service: &[&str], etype: u16, key: &[u8], times: [u32; 4]) -> Vec<u8> {
        let list = [&1u32.to_be_bytes()[..], &2u16.to_be_bytes(), &write_counted(&[127, 0, 0, 1])].concat();
        [
            write_principal(&["alice"]),
            write_principal(service),
            etype.to_be_bytes().to_vec(),
            write_counted(key),
            times.into_iter().flat_map(u32::to_be_bytes).collect(),
            vec![0; 5],
            list.clone(),
            list,
            write_counted(b"a ticket"),
            write_counted(b""),
        ]
        .concat()
    }

    /// As the MIT documentation lays it out ("Credential cache file format").
    fn file(entries: &[Vec<u8>]) -> Vec<u8> {
        let clock = [&[0x05, 0x04, 0, 12, 0, 1, 0, 8][..], &[0xFF; 4], &[0; 4]].concat();
        [clock, write_principal(&["alice"]), entries.concat()].concat()
    }

    const SIP: [&str; 2] = ["sip", "server.contoso.com"];

    fn ticket_of(key: [u8; 16], start: u64, end: u64) -> ServiceTicket {
        ServiceTicket {
            ticket: b"a ticket".to_vec(),
            session_key: Key::new(EncryptionType::Rc4, &key).unwrap(),
            client: Principal::user("alice", "CONTOSO.COM"),
            service: Principal::service("sip", "server.contoso.com", "CONTOSO.COM"),
            start: Time(start * 1000),
            end: Time(end * 1000),
        }
    }

    #[test]
    fn tickets_are_read_with_their_keys_and_times_and_settings_are_passed_over() {
        let entries = [
            entry(&["krb5_ccache_conf_data", "fast_avail"], 0, &[], [0; 4]),
            entry(&SIP, 23, &[7; 16], [10, 20, 30, 40]),
            entry(&SIP, 26, &[7; 32], [10, 20, 90, 40]),
            entry(&SIP, 23, &[8; 16], [10, 0, 60, 40]),
        ];
        let cache = Ccache::read(&file(&entries)).expect("tickets");
        assert_eq!(cache.client, Principal::user("alice", "CONTOSO.COM"));
        assert_eq!(cache.tickets, [ticket_of([7; 16], 20, 30), ticket_of([8; 16], 10, 60)]);
    }

    #[test]
    fn of_several_tickets_of_a_service_that_which_lives_longest_is_found() {
        let ends = [30, 60, 50].map(|end: u32| entry(&SIP, 23, &[7; 16], [10, 20, end, 40]));
        let cache = Ccache::read(&file(&ends)).expect("tickets");
        let service = Principal::service("sip", "SERVER.contoso.com", "CONTOSO.COM");
        assert_eq!(cache.ticket_for(&service), Some(&ticket_of([7; 16], 20, 60)));
        assert_eq!(cache.ticket_for(&Principal::user("sip", "CONTOSO.COM")), None);
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused_and_says_where() {
        let (whole, empty) = (file(&[entry(&SIP, 23, &[7; 16], [10, 20, 30, 40])]), file(&[]));
        for length in (0..whole.len()).filter(|length| *length != empty.len()) {
            let Err(KerberosError::Ccache { offset, .. }) = Ccache::read(&whole[..length]) else {
                panic!("{length} octets are read");
            };
            assert!(offset <= length);
        }
    }

    #[test]
    fn counts_that_are_too_large_are_refused() {
        let of = |octets: &[u8]| Ccache::read(&[&FORMAT[..], &[0, 0], octets].concat());
        let short = |offset| Err(KerberosError::Ccache { problem: "is cut short", offset });
        assert_eq!(of(&[0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]), short(16));
        let parts = Err(KerberosError::Ccache { problem: "has a name of too many parts", offset: 12 });
        assert_eq!(of(&[0, 0, 0, 1, 0, 0, 0, 17, 0, 0, 0, 0]), parts);
    }

    #[test]
    fn what_is_of_another_format_or_has_a_key_of_another_length_is_refused() {
        let wrong = Err(KerberosError::Ccache { problem: "is not of format 0x0504", offset: 0 });
        assert_eq!(Ccache::read(b"\x05\x03\0\0"), wrong);
        let wrong_key = file(&[entry(&SIP, 23, &[7; 15], [10, 20, 30, 40])]);
        assert!(Ccache::read(&wrong_key).unwrap_err().to_string().contains("has a key of another length"));
    }

    proptest! {
        #[test]
        fn any_octets_behind_a_right_entry_are_read_or_refused_within_the_file(octets: Vec<u8>) {
            let octets = [file(&[entry(&SIP, 23, &[7; 16], [10, 20, 30, 40])]), octets].concat();
            match Ccache::read(&octets) {
                Ok(cache) => prop_assert!(!cache.tickets.is_empty()),
                Err(KerberosError::Ccache { offset, .. }) => prop_assert!(offset <= octets.len()),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
