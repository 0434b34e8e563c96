//! Keytabs: keys of services in the file format 0x0502 of MIT, which `ktutil` and `ktpass` write.

use super::file::Reader;
use super::{KerberosError, Key, Principal};

/// A key of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKey {
    /// The service.
    pub principal: Principal,
    /// Version of the key.
    pub kvno: u32,
    /// The key.
    pub key: Key,
}

/// Reads and writes the content of a keytab file.
#[derive(Clone, Copy, Debug)]
pub struct Keytab;

const FORMAT: [u8; 2] = [0x05, 0x02];
/// NT-PRINCIPAL.
const NAME_TYPE: u32 = 1;

impl Keytab {
    /// The keys of known encryption types; those of others are passed over, as are the holes of deleted ones.
    pub fn read(octets: &[u8]) -> Result<Vec<ServiceKey>, KerberosError> {
        let wrong = |problem, offset| KerberosError::Keytab { problem, offset };
        let mut file = Reader::new(octets, FORMAT, "is not of format 0x0502", wrong)?;
        let mut keys = Vec::new();
        while !file.rest.is_empty() {
            let size = i32::from_be_bytes(file.array()?);
            let entry = file.part(usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX))?;
            if 0 < size {
                keys.extend(service_key(entry)?);
            }
        }
        Ok(keys)
    }

    /// A file with these keys. Text of 64 KiB and more, which no name has, is cut.
    #[must_use]
    pub fn write(keys: &[ServiceKey]) -> Vec<u8> {
        let mut file = FORMAT.to_vec();
        for entry in keys.iter().map(entry) {
            file.extend(u32::try_from(entry.len()).unwrap_or_default().to_be_bytes());
            file.extend(entry);
        }
        file
    }
}

fn entry(service_key: &ServiceKey) -> Vec<u8> {
    let ServiceKey { principal, kvno, key } = service_key;
    let count = u16::try_from(principal.components.len()).unwrap_or(u16::MAX);
    let [.., short_kvno] = kvno.to_be_bytes();
    let mut entry = count.to_be_bytes().to_vec();
    for text in std::iter::once(&principal.realm).chain(&principal.components) {
        entry.extend(counted(text.as_bytes()));
    }
    entry.extend(NAME_TYPE.to_be_bytes());
    entry.extend(0_u32.to_be_bytes());
    entry.push(short_kvno);
    entry.extend(u16::try_from(key.etype().number()).unwrap_or_default().to_be_bytes());
    entry.extend(counted(key.octets()));
    entry.extend(kvno.to_be_bytes());
    entry
}

fn counted(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    let kept = octets.iter().copied().take(length.into());
    length.to_be_bytes().into_iter().chain(kept).collect()
}

/// Octets behind their count of 16 bits.
fn read_counted<'a>(entry: &mut Reader<'a>) -> Result<Reader<'a>, KerberosError> {
    let length = u16::from_be_bytes(entry.array()?);
    entry.part(length.into())
}

/// `None` for an encryption type that is not known.
fn service_key(mut entry: Reader<'_>) -> Result<Option<ServiceKey>, KerberosError> {
    let count = u16::from_be_bytes(entry.array()?);
    let realm = read_counted(&mut entry)?.text()?;
    let components =
        (0..count).map(|_| read_counted(&mut entry)?.text()).collect::<Result<_, KerberosError>>()?;
    // Name type and time of writing.
    entry.part(8)?;
    let [short_kvno] = entry.array()?;
    let etype = entry.array()?;
    let octets = read_counted(&mut entry)?;
    let kvno = long_kvno(&mut entry).unwrap_or(short_kvno.into());
    let key = octets.key(etype)?;
    Ok(key.map(|key| ServiceKey { principal: Principal { components, realm }, kvno, key }))
}

/// Later versions add 32 bits; zeros say nothing.
fn long_kvno(entry: &mut Reader<'_>) -> Option<u32> {
    entry.array().ok().map(u32::from_be_bytes).filter(|kvno| *kvno != 0)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::encoding::decode_base16;
    use crate::kerberos::EncryptionType;

    /// Written by `ktutil` of MIT krb5 1.20.1: keys of the password `svcpw`, of version 3 (AES-256), 300 (RC4), 1
    /// (Camellia, for `host/`) and 2 (AES-128).
    const MIT: &str = "0502000000590002000b434f4e544f534f2e434f4d000373697000127365727665722e636f6e746f736f2e636f\
                     6d000000016b0b0aad0300120020c8b4a57c0d700c116698ae4732213fbd91555cdac8deb67ea8a4a7af62d314\
                     e300000003000000490002000b434f4e544f534f2e434f4d000373697000127365727665722e636f6e746f736f\
                     2e636f6d000000016b0b0aad2c0017001048d77a6ca217d780d28ee240ee4446b20000012c0000004a0002000b\
                     434f4e544f534f2e434f4d0004686f737400127365727665722e636f6e746f736f2e636f6d000000016b0b0aad\
                     01001900101b5be650650bc7fac66f7e2d25bc0d4400000001000000490002000b434f4e544f534f2e434f4d00\
                     0373697000127365727665722e636f6e746f736f2e636f6d000000016b0b0aad02001100104862c19305b9b999\
                     fb7e693cffa7f1ee00000002";

    fn mit() -> Vec<u8> {
        decode_base16(MIT.as_bytes()).unwrap()
    }

    fn service_key(etype: EncryptionType, kvno: u32) -> ServiceKey {
        let principal = Principal::service("sip", "server.contoso.com", "CONTOSO.COM");
        let key = Key::from_password(etype, "svcpw", &principal.salt());
        ServiceKey { principal, kvno, key }
    }

    fn keys() -> Vec<ServiceKey> {
        use EncryptionType::{Aes128, Aes256, Rc4};
        vec![service_key(Aes256, 3), service_key(Rc4, 300), service_key(Aes128, 2)]
    }

    #[test]
    fn a_keytab_of_mit_gives_its_keys_of_known_types() {
        assert_eq!(Keytab::read(&mit()), Ok(keys()));
    }

    #[test]
    fn keys_are_read_as_they_were_written() {
        assert_eq!(Keytab::read(&Keytab::write(&keys())), Ok(keys()));
    }

    #[test]
    fn the_hole_of_a_deleted_entry_is_passed_over() {
        let mut file = mit();
        let (_, entry) = file.split_at_mut(2);
        let size = i32::from_be_bytes(*entry.first_chunk().unwrap());
        entry[..4].copy_from_slice(&(-size).to_be_bytes());
        assert_eq!(Keytab::read(&file), Ok(keys()[1..].to_vec()));
    }

    #[rstest]
    #[case(b"", "is not of format 0x0502", 0)]
    #[case(b"\x05\x01", "is not of format 0x0502", 0)]
    #[case(b"\x05\x02\0\0", "is cut short", 2)]
    #[case(b"\x05\x02\x7F\xFF\xFF\xFF\0", "is cut short", 6)]
    #[case(b"\x05\x02\x80\0\0\0\0", "is cut short", 6)]
    #[case(b"\x05\x02\0\0\0\x04\xFF\xFF\0\0", "is cut short", 10)]
    #[case(b"\x05\x02\0\0\0\x05\0\0\0\x01\xFF", "has a name that is not UTF-8", 10)]
    fn what_is_no_keytab_says_why(#[case] file: &[u8], #[case] problem: &'static str, #[case] offset: usize) {
        assert_eq!(Keytab::read(file), Err(KerberosError::Keytab { problem, offset }));
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_changed_keytab_can_be_written(edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
            let mut file = mit();
            for (place, octet) in edits {
                let place = place.index(file.len());
                file[place] = octet;
            }
            if let Ok(keys) = Keytab::read(&file) {
                prop_assert_eq!(Keytab::read(&Keytab::write(&keys)), Ok(keys));
            }
        }
    }
}
