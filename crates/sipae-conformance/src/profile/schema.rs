//! The JSON Schema of a profile, for editors that complete and check TOML.
//!
//! It is written by hand, and the tests hold it against the reader: a key that one of them knows and the other does not
//! is an error, and so is a text that only one of them takes.

/// The schema, as `sipae profile schema` prints it.
pub const SCHEMA: &str = include_str!("../../profile.schema.json");

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::LazyLock;

    use jsonschema::Validator;
    use rstest::rstest;
    use serde_json::Value;

    use super::*;
    use crate::profile::Profile;

    const USER: &str = "[user]\nuser = \"a\"\npassword = \"p\"\naddress = \"a@x\"\n";
    const SACRIFICIAL: &str =
        "[sacrificial]\nuser = \"m\"\npassword = \"p\"\naddress = \"m@x\"\nfailed_logons = 2\n";

    fn schema() -> Validator {
        let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    }

    /// A folder with the files that texts name, made once: what stands in them is not of interest here.
    fn folder() -> &'static Path {
        static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, content) in files() {
                std::fs::write(folder.path().join(name), content).expect("written");
            }
            folder
        });
        FOLDER.path()
    }

    fn files() -> [(&'static str, Vec<u8>); 5] {
        let authority = sipae_net::Authority::test().expect("an authority");
        let user = authority.user("b@x", sipae_net::Validity::FOR_EVER, sipae_net::TestKey::P256);
        let user = user.expect("a certificate");
        let keys = crate::profile::reference_keys("x");
        [
            ("s.keytab", sipae::kerberos::Keytab::write(&keys)),
            ("ca.pem", authority.certificate().into()),
            ("ca.key", authority.key().into()),
            ("user.pem", user.certificates.into()),
            ("user.key", user.key.into()),
        ]
    }

    /// Whether reader and schema take a text; they must agree.
    #[track_caller]
    fn is_taken(text: &str) -> bool {
        let table: toml::Table = text.parse().expect("TOML");
        let value = serde_json::to_value(table).expect("JSON");
        let read = Profile::parse(&folder().join("p.toml"), text);
        let problems: Vec<String> = schema().iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(read.is_ok(), problems.is_empty(), "{text}\n{read:?}\n{problems:?}");
        read.is_ok()
    }

    #[rstest]
    #[case("")]
    #[case("[target]\nversions = [2, 3, 4]\n")]
    #[case("[target]\nshared = true\n")]
    #[case("[target]\nschemes = [\"NTLM\", \"Kerberos\", \"TLS-DSK\", \"Digest\"]\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\npassword = \"p\"\n")]
    #[case(
        "[kerberos]\nservice = \"sip/x@R\"\npassword = \"p\"\nsalt = \"\"\nkvno = 0\nenctype = \"rc4-hmac\"\n"
    )]
    #[case("[kerberos]\nkeytab = \"s.keytab\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nengine = \"rustls\"\noldest = \"1.0\"\nnewest = \"1.2\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nauthority = \"ca.pem\"\nauthority_key = \"ca.key\"\n")]
    #[cfg_attr(
        feature = "legacy-tls",
        case("[tls_dsk]\nca = \"ca.pem\"\nengine = \"openssl\"\noldest = \"1.0\"\nnewest = \"1.1\"\n")
    )]
    #[case(
        "[[peer]]\nuser = \"b\"\npassword = \"p\"\naddress = \"b@x\"\ncertificate = \"user.pem\"\nkey = \"user.key\"\n"
    )]
    #[case("[codec]\n")]
    #[case("[codec]\noperations = [\"base16\", \"digest\"]\n")]
    #[case("[pace]\nanswer_timeout_ms = 10\n")]
    #[case("[pace]\n[target]\n[tls]\n[durations]\n")]
    #[case("[durations]\nexpiry_ms = 500\nidle_ms = 60000\nhandshake_ms = 700\nconnection_ms = 800\n")]
    #[case("[tls]\nca = \"ca.pem\"\nserver_name = \"x\"\ncertificate = \"c\"\nkey = \"k\"\nverify = true\n")]
    #[case("[tls]\nverify = false\n")]
    #[case("[[peer]]\nuser = \"b\"\ndomain = \"D\"\npassword = \"p\"\naddress = \"b@x\"\n")]
    #[case(SACRIFICIAL)]
    #[case("[digest]\nregistrar = true\n")]
    #[case("[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\nkey = \"1234\"\n[digest]\n")]
    #[case(
        "[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\nkey = \"\"\nuser = \"u\"\n\
         closed = \"sip:o@x;gruu;opaque=app:conf:focus:id:2\"\n"
    )]
    #[case("[client]\n")]
    #[case("[client]\nstart_ms = 600000\ncontrol = true\nfailure_codes = [1, -1]\ncrash_codes = []\n")]
    #[case("[client]\nsuccess = '^registered$'\nfailure = 'failed: \\d+'\n")]
    #[case("[client]\nconversations = 5\n")]
    #[case("[client]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n")]
    fn what_is_right_is_taken(#[case] more: &str) {
        assert!(is_taken(&format!("{USER}{more}")));
    }

    #[rstest]
    #[case("[target]\nversions = []\n")]
    #[case("[target]\nversions = [5]\n")]
    #[case("[target]\nversions = 4\n")]
    #[case("[target]\nversion = [4]\n")]
    #[case("[target]\nshared = 1\n")]
    #[case("[target]\nschemes = []\n")]
    #[case("[target]\nschemes = [\"ntlm\"]\n")]
    #[case("[target]\nschemes = \"NTLM\"\n")]
    #[case("[kerberos]\n")]
    #[case("[kerberos]\nkeytab = 1\n")]
    #[case("[kerberos]\nkeytab = \"s.keytab\"\nkvno = 1\n")]
    #[case("[kerberos]\nkeytab = \"s.keytab\"\nservice = \"sip/x@R\"\npassword = \"p\"\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\n")]
    #[case("[kerberos]\nservice = \"sip/x\"\npassword = \"p\"\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\npassword = 1\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\npassword = \"p\"\nkvno = -1\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\npassword = \"p\"\nenctype = \"des\"\n")]
    #[case("[kerberos]\nservice = \"sip/x@R\"\npassword = \"p\"\nrealm = \"R\"\n")]
    #[case("[tls_dsk]\n")]
    #[case("[tls_dsk]\nca = [\"ca.pem\"]\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nengine = \"OpenSSL\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nnewest = \"1.1\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nnewest = \"1.3\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nengine = \"openssl\"\noldest = \"1.2\"\nnewest = \"1.0\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nengine = \"openssl\"\noldest = \"1.1\"\nnewest = \"1.0\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nauthority = \"ca.pem\"\n")]
    #[case("[tls_dsk]\nca = \"ca.pem\"\nauthority_key = \"ca.key\"\n")]
    #[case("[[peer]]\nuser = \"b\"\npassword = \"p\"\naddress = \"b@x\"\ncertificate = \"user.pem\"\n")]
    #[case("[[peer]]\nuser = \"b\"\npassword = \"p\"\naddress = \"b@x\"\nkey = \"user.key\"\n")]
    #[case("[codec]\noperations = [\"base17\"]\n")]
    #[case("[codec]\noperation = []\n")]
    #[case("[pace]\nanswer_timeout_ms = 9\n")]
    #[case("[pace]\nanswer_timeout_ms = 120001\n")]
    #[case("[pace]\nanswer_timeout = 1\n")]
    #[case("[durations]\nexpiry_ms = 499\n")]
    #[case("[durations]\nidle_ms = 60001\n")]
    #[case("[durations]\nidle = 5\n")]
    #[case("[tls]\nca = \"x\"\nverify = false\n")]
    #[case("[tls]\ncertificate = \"x\"\n")]
    #[case("[tls]\nkey = \"x\"\n")]
    #[case("[tls]\nca_file = \"x\"\n")]
    #[case("[[peer]]\nuser = \"b\"\n")]
    #[case("[sacrificial]\nuser = \"a\"\npassword = \"p\"\naddress = \"a@x\"\nfailed_logons = -1\n")]
    #[case("[server]\n")]
    #[case("[digest]\nregistrar = 1\n")]
    #[case("[digest]\nrealm = \"x\"\n")]
    #[case("[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\n")]
    #[case("[conference]\nuri = \"sip:o@x\"\nkey = \"1\"\n")]
    #[case("[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:\"\nkey = \"1\"\n")]
    #[case("[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\nkey = 1\n")]
    #[case("[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\nkey = \"1\"\nclosed = \"x\"\n")]
    #[case(
        "[conference]\nuri = \"sip:o@x;gruu;opaque=app:conf:focus:id:1\"\nkey = \"1\"\n\
         [digest]\nregistrar = true\n"
    )]
    #[case("[client]\nstart_ms = 99\n")]
    #[case("[client]\nstart_ms = 600001\n")]
    #[case("[client]\nconversations = 0\n")]
    #[case("[client]\nstart = 100\n")]
    #[case("[client]\ncontrol = \"yes\"\n")]
    #[case("[client]\nsuccess = [\"registered\"]\n")]
    #[case("[client]\nfailure_codes = 1\n")]
    #[case("[client]\nfailure_codes = [2147483648]\n")]
    #[case("[client]\ncrash_codes = [\"134\"]\n")]
    #[case("[client]\ncertificate = \"c.pem\"\n")]
    #[case("[client]\nkey = \"k.pem\"\n")]
    fn what_is_wrong_is_not(#[case] more: &str) {
        assert!(!is_taken(&format!("{USER}{more}")));
    }

    #[test]
    fn a_codec_needs_no_user_and_everybody_else_does() {
        assert!(is_taken("[codec]\noperations = [\"base16\"]\n"));
        assert!(!is_taken("[target]\nversions = [4]\n"));
    }

    #[rstest]
    #[case("alice@R", true)]
    #[case("sip/host@R", true)]
    #[case("a\\/b@R\\@S", true)]
    #[case("alice@R/S", true)]
    #[case("alice", false)]
    #[case("", false)]
    #[case("alice@", false)]
    #[case("@R", false)]
    #[case("sip/@R", false)]
    #[case("a//b@R", false)]
    #[case("a@R@S", false)]
    #[case("a@R\\", false)]
    #[case("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o@R", true)]
    #[case("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p@R", false)]
    fn a_principal_is_one_for_both(#[case] principal: &str, #[case] taken: bool) {
        assert_eq!(is_taken(&format!("{USER}principal = '{principal}'\n")), taken);
    }

    #[rstest]
    #[case("a@x", true)]
    #[case("a", false)]
    #[case("a@", false)]
    #[case("@x", false)]
    #[case("a@x@y", false)]
    #[case("a b@x", false)]
    #[case("<a@x>", false)]
    #[case("a@x;y", false)]
    #[case("sip:a@x", true)]
    #[case("\u{e9}@x", false)]
    fn an_address_is_one_for_both(#[case] address: &str, #[case] taken: bool) {
        assert_eq!(is_taken(&USER.replace("a@x", address)), taken);
    }

    #[rstest]
    #[case("realm", "SIP Communications Service", true)]
    #[case("realm", "Gr\u{fc}n, 2", true)]
    #[case("realm", "", false)]
    #[case("realm", "a\"b", false)]
    #[case("realm", "a\\b", false)]
    #[case("realm", "<a>", false)]
    #[case("realm", "a\u{7f}", false)]
    #[case("realm", "a\u{85}", false)]
    #[case("realm", "a\nb", false)]
    #[case("host", "server.contoso.com", true)]
    #[case("host", "sip_1", true)]
    #[case("host", "192.0.2.1", true)]
    #[case("host", "", false)]
    #[case("host", "server.", false)]
    #[case("host", ".com", false)]
    #[case("host", "a b", false)]
    #[case("host", "[2001:db8::1]", false)]
    #[case("host", "server:5061", false)]
    #[case("host", "server\n", false)]
    #[case("sts_uri", "http://127.0.0.1:8080/CertProv.svc", true)]
    #[case("sts_uri", "https://x/?a=[b]&c=~", true)]
    #[case("sts_uri", "https://", false)]
    #[case("sts_uri", "ftp://x/", false)]
    #[case("sts_uri", "HTTPS://x/", false)]
    #[case("sts_uri", "https://x/ y", false)]
    #[case("sts_uri", "https://x/\"", false)]
    #[case("sts_uri", "https://x/<", false)]
    #[case("sts_uri", "https://x/\\", false)]
    #[case("sts_uri", "https://\u{e9}/", false)]
    fn who_the_server_of_a_client_is_both_know(
        #[case] key: &str,
        #[case] text: &str,
        #[case] is_right: bool,
    ) {
        let value = toml::Value::from(text);
        assert_eq!(is_taken(&format!("{USER}[client]\n{key} = {value}\n")), is_right);
    }

    #[test]
    fn a_host_name_has_253_characters_at_most_for_both() {
        let of = |length: usize| is_taken(&format!("{USER}[client]\nhost = \"{}\"\n", "a".repeat(length)));
        assert_eq!((of(253), of(254)), (true, false));
    }

    /// What a regular expression is the schema cannot tell.
    #[test]
    fn a_pattern_that_is_none_is_found_by_the_reader() {
        let text = format!("{USER}[client]\nsuccess = '('\n");
        let error = Profile::parse(Path::new("p.toml"), &text).expect_err("no profile").to_string();
        assert!(error.starts_with("p.toml: client.success: ") && !error.contains('\n'), "{error}");
    }

    /// The keys that the reader knows in a table, as its complaint about another one lists them.
    fn known_keys(head: &str) -> BTreeSet<String> {
        let text = format!("{head}no_such_key = 1\n");
        let error = Profile::parse(Path::new("p.toml"), &text).expect_err("no profile").to_string();
        let (_, listed) = error.split_once("unknown field `no_such_key`, expected ").expect("a list of keys");
        listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn keys(object: &Value) -> BTreeSet<String> {
        object["properties"].as_object().expect("properties").keys().cloned().collect()
    }

    #[test]
    fn reader_and_schema_know_the_same_keys() {
        let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
        assert_eq!(known_keys(""), keys(&schema));
        for (table, property) in schema["properties"].as_object().expect("tables") {
            let is_list = property["type"] == "array";
            let head = if is_list { format!("[[{table}]]\n") } else { format!("[{table}]\n") };
            let reference = if is_list { &property["items"]["$ref"] } else { &property["$ref"] };
            assert_eq!(known_keys(&head), keys(table_of(&schema, reference)), "{table}");
        }
    }

    /// The definition of a table: of what is a word or a table, that of the table.
    fn table_of<'s>(schema: &'s Value, reference: &Value) -> &'s Value {
        let name = reference.as_str().and_then(|path| path.strip_prefix("#/$defs/")).expect("a definition");
        let definition = &schema["$defs"][name];
        let choices = definition["oneOf"].as_array().filter(|_| definition["properties"].is_null());
        match choices.into_iter().flatten().find(|choice| choice["$ref"].is_string()) {
            Some(choice) => table_of(schema, &choice["$ref"]),
            None => definition,
        }
    }

    /// The reader looks for the cache, which the schema cannot: what it says is no complaint about the word.
    #[test]
    fn a_ticket_cache_is_a_word_for_both() {
        let cache = serde_json::json!({ "codec": {}, "kerberos": "ccache" });
        assert!(schema().is_valid(&cache));
        let other = serde_json::json!({ "codec": {}, "kerberos": "keytab" });
        assert!(!schema().is_valid(&other));
        let read = |word: &str| {
            let text = format!("kerberos = \"{word}\"\n[codec]\n");
            Profile::parse(Path::new("p.toml"), &text).map_err(|error| error.to_string())
        };
        let problem = read("keytab").expect_err("no profile");
        assert!(problem.ends_with("expected \"ccache\" or a table"), "{problem}");
        assert!(!read("ccache").is_err_and(|error| error.contains("expected")));
    }

    /// The profiles that people copy: those of the README and of the page about clients, which show some tables alone. Those
    /// that name files of a user cannot be read here.
    #[test]
    fn the_examples_of_the_documentation_are_profiles() {
        let pages =
            [include_str!("../../../../README.md"), include_str!("../../../../docs/clients.md")].concat();
        let blocks = pages.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let tables = ["[user]", "[tls]", "[durations]", "[pace]", "[[peer]]", "[sacrificial]", "[client]"];
        let profiles = blocks.filter(|block| tables.iter().any(|table| block.starts_with(table)));
        let mut whole = 0;
        for profile in profiles {
            let is_whole = profile.contains("[user]");
            whole += usize::from(is_whole);
            assert!(is_taken(&format!("{}{profile}", if is_whole { "" } else { USER })), "{profile}");
        }
        assert!(0 < whole, "no example begins with [user]");
    }
}
