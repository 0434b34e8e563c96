//! Written by `cargo xtask catalogue` from `data/products.toml`; edit that.

use crate::product::Product;

/// In the order of the table.
#[rustfmt::skip]
pub(crate) static PRODUCTS: &[Product] = &[
    Product {
        ids: &["SIPAE-2.2-06", "SIPAE-2.2-07", "SIPAE-6-02", "SIPAE-3.3.5.1-07"],
        products: "Live Communications Server 2003 and 2005, Windows Messenger",
        text: "They offer Kerberos and NTLM and write no version at all, which means version 2.",
    },
    Product {
        ids: &["SIPAE-2.2-06", "SIPAE-6-02", "SIPAE-3.3.5.1-07", "SIPAE-3.2.4.1-20"],
        products: "Office Communications Server 2007 as first released",
        text: "It offers Kerberos and NTLM with version=3: the long signature buffer, and a completing request without signature.",
    },
    Product {
        ids: &["SIPAE-2.2-06", "SIPAE-6-02", "SIPAE-3.3.5.1-07", "SIPAE-3.2.4.1-19", "SIPAE-3.3.5.2-15"],
        products: "Office Communications Server 2007 with the update of June 2008, 2007 R2",
        text: "They offer Kerberos and NTLM with version=4: the request that completes the handshake is signed.",
    },
    Product {
        ids: &["SIPAE-2.2-06", "SIPAE-6-02", "SIPAE-3.3.5.1-06", "SIPAE-3.3.5.1-07", "SIPAE-2.2-17"],
        products: "Lync 2010 and 2013, Skype for Business 2015, 2016, 2019 and Online",
        text: "They offer NTLM, Kerberos and TLS-DSK, seen in that order, a header line for each, all with version=4.",
    },
    Product {
        ids: &["SIPAE-6-01", "SIPAE-3.1-04", "SIPAE-3.3.5.1-08", "SIPAE-3.3.3-04"],
        products: "Office Communications Server and Communicator, 2007 and 2007 R2",
        text: "They do not have TLS-DSK; it came with Lync 2010.",
    },
    Product {
        ids: &["SIPAE-2.2-19", "SIPAE-2.2-06", "SIPAE-2.2-10", "SIPAE-2.2-14"],
        products: "some shipping clients",
        text: "They see a parameter only where its value is quoted and no blank stands around the equals sign: realm, targetname, opaque, gssapi-data, sts-uri, srand, snum, rspauth. The version stands without quotes.",
    },
    Product {
        ids: &["SIPAE-2.2-03", "SIPAE-3.2.4.1-16"],
        products: "sipe, TrueConf",
        text: "They order the parameters differently. sipe: qop, opaque, realm, targetname, gssapi-data, version, crand, cnum, response; TrueConf: qop, realm, opaque, targetname, gssapi-data, crand, cnum, response, version.",
    },
    Product {
        ids: &["SIPAE-2.2-11", "SIPAE-3.2.5.2-17"],
        products: "Office Communications Server; Lync 2010 and later",
        text: "rspauth is upper-case hexadecimal on Office Communications Server and lower-case from Lync 2010 on. Clients write response in either case.",
    },
    Product {
        ids: &["SIPAE-2.2-11", "SIPAE-3.2.4.1-29"],
        products: "sipe",
        text: "A note on one of its changes says that the specification has Base64 for TLS-DSK and that this is wrong on the wire: what is seen there is hexadecimal.",
    },
    Product {
        ids: &["SIPAE-2.2-09", "SIPAE-3.2.5.2-07", "SIPAE-3.3.4.1-06"],
        products: "servers of Microsoft",
        text: "srand is eight upper-case hexadecimal digits, and goes into the buffer in that case.",
    },
    Product {
        ids: &["SIPAE-3.3.1-04", "SIPAE-3.3.1-05", "SIPAE-2.2-14"],
        products: "servers of Microsoft",
        text: "opaque is eight upper-case hexadecimal digits that look random.",
    },
    Product {
        ids: &["SIPAE-3.1-06", "SIPAE-3.1-07"],
        products: "clients",
        text: "The first REGISTER is bare. One Call-ID serves for all REGISTERs, and CSeq counts up.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-08", "SIPAE-3.3.5.3-07", "SIPAE-3.3.1-01"],
        products: "some clients",
        text: "They take a new From tag in every REGISTER of one Call-ID, so a tag tells no endpoint.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-08", "SIPAE-3.3.5.1-13"],
        products: "some clients",
        text: "They repeat a challenged request other than REGISTER with the CSeq and the Via branch of the first one; only the credential is new.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-01", "SIPAE-3.3.5.1-09"],
        products: "one shipping client",
        text: "407 with Proxy-Authenticate and the three schemes does not lead it to a signed session; it takes 407 for Digest only.",
    },
    Product {
        ids: &["SIPAE-3.3.5.1-09", "SIPAE-3.3.5.2-13"],
        products: "Lync; servers of the MS-SIP era",
        text: "All traces of Lync show 401; the examples of MS-SIP show 407.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-29", "SIPAE-3.2.5.1-21"],
        products: "sipe",
        text: "It gives up after 30 answers of 407, and tries NTLM once.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-02", "SIPAE-3.2.5.1-13"],
        products: "sipe",
        text: "It prefers TLS-DSK to Kerberos to NTLM, and goes on to the next scheme where it has no Kerberos ticket.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-08", "SIPAE-3.2.5.1-10"],
        products: "clients and servers of Microsoft",
        text: "Clients insist on a CHALLENGE with UNICODE, SIGN, DATAGRAM, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY, IDENTIFY, TARGET_INFO and KEY_EXCH. Servers send the flags 0xE29882F3. The list of AV pairs ends with MsvAvEOL.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-25", "SIPAE-3.2.4.1-26"],
        products: "clients and servers of Microsoft, sipe, OfficeSIP",
        text: "The sequence number of each NTLM signature is 100, so that tokens with extended session security end in 64000000, whatever cnum and snum are.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-27"],
        products: "Lync 2013",
        text: "Its traces show signatures without extended session security too: a first word of 1, and then a word that is arbitrary and must not be checked. A verifier needs both forms.",
    },
    Product {
        ids: &["SIPAE-3.1-02", "SIPAE-3.2.5.1-09"],
        products: "clients",
        text: "An NTLM client sends an empty gssapi-data and no NEGOTIATE token: the server speaks first.",
    },
    Product {
        ids: &["SIPAE-3.1-03", "SIPAE-3.2.5.1-11", "SIPAE-3.2.5.1-12", "SIPAE-3.3.5.2-10"],
        products: "clients",
        text: "Kerberos is one leg: AP-REQ in GSS framing without the flag for mutual authentication. At version 4 the first request with gssapi-data is signed already. sipe asks for integrity only.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-28"],
        products: "servers of Microsoft",
        text: "Kerberos tokens with AES keys carry SND_SEQ 0 each time, with an snum of 78 as well: whoever asks GSS-API for an order refuses good messages.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-09", "SIPAE-2.2-13", "SIPAE-3.2.5.2-03"],
        products: "clients and servers of Microsoft, sipe",
        text: "The targetname of Kerberos has sip/ before the host name, on the wire and in the buffer; it is taken off only to look up the association.",
    },
    Product {
        ids: &["SIPAE-3.2.5.1-32", "SIPAE-3.2.5.1-14"],
        products: "old clients",
        text: "They offer TLS 1.0 only, with RSA key exchange: RC4-MD5, RC4-SHA, AES128-SHA, AES256-SHA.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-29", "SIPAE-3.2.5.1-32"],
        products: "newer servers, Skype for Business Online",
        text: "They use TLS 1.2 with suites of SHA-256 and SHA-384; an rspauth of 96 hexadecimal digits has been seen.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-11", "SIPAE-3.2.5.1-14"],
        products: "one known client",
        text: "It refuses a TLS record that holds ServerHelloDone alone: the first flight of the server must be able to go out as one record. CertificateRequest must name at least one CA.",
    },
    Product {
        ids: &["SIPAE-3.1-05", "SIPAE-2.2-18", "SIPAE-3.3.5.1-08"],
        products: "clients of Lync and Skype for Business",
        text: "The client certificate comes from the web service that sts-uri names, [MS-OCAUTHWS]: GET sts-uri/mex, GET webticket/mex, POST RequestSecurityToken, POST GetAndPublishCert.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-21", "SIPAE-3.3.5.2-11"],
        products: "clients",
        text: "The request that completes a TLS-DSK handshake has no gssapi-data and is signed.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-11"],
        products: "sipe",
        text: "It sends and reads a whole flight as one gssapi-data value, however long, and never resumes a TLS session.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-03", "SIPAE-3.3.5.3-11"],
        products: "clients",
        text: "They sign their responses too, in Authorization.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-18", "SIPAE-3.3.5.3-21"],
        products: "sipe; TrueConf",
        text: "sipe leaves version out of ordinary signed messages, TrueConf writes it; servers take both.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-14", "SIPAE-3.1.1-08", "SIPAE-3.3.5.3-06"],
        products: "some clients",
        text: "They do not set cnum back when they authenticate again on the same connection: the first cnum of a new association may be greater than 1.",
    },
    Product {
        ids: &["SIPAE-3.1.1-12", "SIPAE-3.1.1-08"],
        products: "OfficeSIP",
        text: "It has a limit of 256 above the last cnum, which is switched off.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-11", "SIPAE-3.2.4.1-06"],
        products: "clients",
        text: "REGISTER often has no Expires header field, so that <> is signed; taking a registration away has Expires: 0.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-12"],
        products: "sipe; TrueConf",
        text: "For Expires: 0 sipe signs <0>, as the header field says; TrueConf leaves the field of the buffer empty, and what servers make of that is not known.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-07", "SIPAE-3.2.4.2-04"],
        products: "clients",
        text: "Via: SIP/2.0/tcp and SIP/2.0/tls occur in lower case. Via is not signed; values that are, such as an identity with SIP: in capitals, are signed in the letter case of the message.",
    },
    Product {
        ids: &["SIPAE-3.2.4.2-02", "SIPAE-3.2.4.2-03", "SIPAE-3.3.5.6-01"],
        products: "phones",
        text: "They answer with a sip and a tel identity in one P-Preferred-Identity list.",
    },
    Product {
        ids: &["SIPAE-3.2.4.2-05", "SIPAE-3.3.5.6-07"],
        products: "sipe",
        text: "It takes P-Asserted-Identity before P-Preferred-Identity, and reads the first line of the field only.",
    },
    Product {
        ids: &["SIPAE-3.3.4.1-07"],
        products: "Lync 2010 and later; Office Communications Server 2007 and 2007 R2",
        text: "Lync adds version=4 to every Authentication-Info, Office Communications Server does not.",
    },
    Product {
        ids: &["SIPAE-3.3.4.1-08", "SIPAE-3.2.5.2-16", "SIPAE-3.3.5.3-13"],
        products: "servers of Microsoft",
        text: "Proxy-Authorization is regularly answered by Authentication-Info, so a receiver looks at both.",
    },
    Product {
        ids: &["SIPAE-3.3.4.1-02"],
        products: "servers of Microsoft",
        text: "Failure responses are signed.",
    },
    Product {
        ids: &["SIPAE-3.3.4.1-03", "SIPAE-3.2.5.2-12"],
        products: "servers of Microsoft; sipe",
        text: "100 Trying comes unsigned, and sipe does not mind.",
    },
    Product {
        ids: &["SIPAE-3.3.4.1-12", "SIPAE-3.3.4.1-11"],
        products: "servers of Microsoft",
        text: "The signed 200 to a REGISTER has Expires, and it is part of what is signed.",
    },
    Product {
        ids: &["SIPAE-3.3.5.1-12"],
        products: "servers of the MS-SIP era; Lync",
        text: "The older ones write qop=\"auth\" into a challenge, Lync does not; clients take both.",
    },
    Product {
        ids: &["SIPAE-3.3.5.1-11"],
        products: "Lync",
        text: "The first challenge has neither opaque nor gssapi-data in any trace.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-07", "SIPAE-3.3.5.2-14"],
        products: "servers of Microsoft",
        text: "The 401 that goes on with a handshake has the line of the chosen scheme only, with opaque, gssapi-data, realm, targetname, version, and a Date.",
    },
    Product {
        ids: &["SIPAE-3.3.5.3-04", "SIPAE-3.3.5.3-02"],
        products: "OfficeSIP; servers by the text of MS-SIP",
        text: "OfficeSIP answers a wrong signature with 401; MS-SIP tells every receiver to discard it. What the servers of Microsoft do is not known, so both are tolerated.",
    },
    Product {
        ids: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-09"],
        products: "sipe",
        text: "A wrong rspauth makes it close the connection; a message whose snum comes again is dropped.",
    },
    Product {
        ids: &["SIPAE-3.2.5.2-11", "SIPAE-3.2.5.2-13"],
        products: "sipe",
        text: "It drops an unsigned final response, unless it is 401, 407, or about a REGISTER.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-22", "SIPAE-3.2.5.1-07"],
        products: "OfficeSIP",
        text: "It refuses any version but its own.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-16"],
        products: "servers of Microsoft, by their documentation",
        text: "A handshake that the security package refuses is answered with 401 and fresh challenges, and the diagnostic 1000, \"Final handshake failed\". A clock that is off has the diagnostic 1013.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-17", "SIPAE-3.3.5.3-08", "SIPAE-3.3.5.2-18"],
        products: "servers of Microsoft, by their documentation",
        text: "A From that is not the user's is answered with 403 and the diagnostic 4004, a user who is not known to SIP with 404 and 1003.",
    },
    Product {
        ids: &["SIPAE-3.3.5.2-03", "SIPAE-3.3.5.2-06"],
        products: "servers of Microsoft, by their documentation",
        text: "There are diagnostics for a request without an endpoint (4010), without an epid (4011), and with one that is too long (4012). The status that they come with is not known.",
    },
    Product {
        ids: &["SIPAE-3.3.5.7-02", "SIPAE-3.3.5.7-01"],
        products: "servers of Microsoft",
        text: "A delegate who may not act for a user is answered with a signed 403, for example with the diagnostic 4268.",
    },
    Product {
        ids: &["SIPAE-3.3.2-01", "SIPAE-3.3.6-01"],
        products: "OfficeSIP, sipe",
        text: "An association ends eight hours after it was established, or with its ticket or certificate where that is earlier.",
    },
    Product {
        ids: &["SIPAE-3.3.2-03", "SIPAE-3.3.2-04", "SIPAE-3.3.6-02", "SIPAE-3.3.5.3-10"],
        products: "OfficeSIP",
        text: "15 minutes without a verified message end an association, during the handshake too; after a REGISTER it is the Expires that was granted and 30 seconds. It looks every 60 seconds.",
    },
    Product {
        ids: &["SIPAE-3.2.2-05", "SIPAE-3.2.2-04", "SIPAE-3.2.6-01"],
        products: "clients",
        text: "A client authenticates anew, with a bare REGISTER, five minutes before the lifetime of its context or eight hours are over.",
    },
    Product {
        ids: &["SIPAE-3.2.2-06"],
        products: "sipe",
        text: "It refreshes a registration with a signed REGISTER about 30 seconds before Expires.",
    },
    Product {
        ids: &["SIPAE-3.3.2-06"],
        products: "edge servers of Microsoft, by their documentation",
        text: "They close a connection over which nobody has authenticated for some time.",
    },
    Product {
        ids: &["SIPAE-3.3.1-03", "SIPAE-3.3.5.3-17", "SIPAE-3.3.1-01"],
        products: "OfficeSIP",
        text: "It keeps unfinished handshakes by opaque and established associations by epid; a new association of an epid replaces the old one.",
    },
    Product {
        ids: &["SIPAE-3.2.4.1-01", "SIPAE-3.3.4.1-01"],
        products: "clients of Lync",
        text: "Once on line they send SUBSCRIBE and SERVICE at once; whoever tests them must answer those, signed. 200 is enough.",
    },
    Product {
        ids: &["SIPAE-6-03", "SIPAE-3.2.5.6-01"],
        products: "one generation of products",
        text: "Some wait for a 401 each time before they send a Digest credential; the notes to the specification name the place, and not with certainty the product.",
    },
];
