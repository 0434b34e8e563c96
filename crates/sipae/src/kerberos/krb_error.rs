//! KRB-ERROR (RFC 4120 5.9.1).

use super::ap_req::{header, message, microseconds};
use super::der::{self, GENERAL_STRING, Reader};
use super::gss::{TokenId, frame, unframe_as};
use super::principal::SERVICE;
use super::{KerberosError, KerberosTime, Principal};

const KRB_ERROR: u8 = 30;

/// What an acceptor says of a token that it refuses. The fields about the client and the data are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KrbError {
    /// Error code of RFC 4120 7.5.9.
    pub code: i32,
    /// Time of the server.
    pub time: KerberosTime,
    /// The service.
    pub service: Principal,
    /// A remark.
    pub text: Option<String>,
}

impl KrbError {
    /// Reads a token of `gssapi-data`.
    pub fn read(token: &[u8]) -> Result<Self, KerberosError> {
        let mut fields = message(unframe_as(token, TokenId::KrbError)?, KRB_ERROR, "KRB-ERROR")?;
        fields.optional(2, "ctime")?;
        fields.optional(3, "microseconds")?;
        let time = fields.field(4, "stime")?.time("stime")?;
        microseconds(&mut fields, 5)?;
        let code = fields.field(6, "error code")?.number("error code")?;
        fields.optional(7, "realm of the client")?;
        fields.optional(8, "name of the client")?;
        let what = "realm of the service";
        let realm = fields.field(9, what)?.text(GENERAL_STRING, what)?;
        let what = "name of the service";
        let service = Principal::read_name(&mut fields.field(10, what)?, what, realm)?;
        let text = |mut field: Reader<'_>| field.text(GENERAL_STRING, "error text");
        Ok(Self { code, time, service, text: fields.optional(11, "error text")?.map(text).transpose()? })
    }

    /// As a token of `gssapi-data`.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let [version, kind] = header(KRB_ERROR);
        let fields = [
            version,
            kind,
            der::field(4, &der::time(self.time)),
            der::field(5, &der::integer(0)),
            der::field(6, &der::integer(self.code.into())),
            der::field(9, &der::general_string(&self.service.realm)),
            der::field(10, &self.service.write_name(SERVICE)),
            der::optional(11, self.text.as_deref().map(der::general_string)),
        ];
        frame(TokenId::KrbError, &der::message(KRB_ERROR, &fields))
    }
}
