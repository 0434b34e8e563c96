//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Parser, Subcommand, ValueEnum};
use sipae_conformance::profile::TimerDurations;
use sipae_conformance::target::Target;
use sipae_spec::{Level, Role};

use crate::exec::Exec;

/// Conformance suite for [MS-SIPAE], the SIP authentication of Office Communications Server, Lync and Skype for
/// Business.
#[derive(Parser, Debug)]
#[command(name = "sipae", version, about, subcommand_required = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  passed; loose, inconclusive, blocked and unsupported cases are allowed, if one at least passed or is loose
  1  a requirement failed
  2  wrong usage, profile or file
  3  a gate failed: the ordinary exchange with the target, or its control channel, does not work
  4  nothing ran to a decision
  5  the list of expected failures is not what came out
  6  the target crashed
  7  internal error";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Test a SIP server, a client, or a codec.
    Run(RunArgs),
    /// Play a stored script, such as that of a failure, against a server or a client, and judge it again.
    Replay(ReplayArgs),
    /// Look for what no case is written for: generated conversations against a SIP server, for hours, night after night.
    Fuzz(FuzzArgs),
    /// Look at a server with some exchanges, and tell what it offers and how it answers.
    Probe(ProbeArgs),
    /// List the cases, or the rows of the catalogue and what stands for them.
    List(ListArgs),
    /// Tell all that is known about a row of the catalogue or a case.
    Explain(ExplainArgs),
    /// Explain captured messages: header fields, tokens, the signature buffer, and why a signature does not verify.
    Decode(DecodeArgs),
    /// Profiles: what a target claims, and the credentials to test it with.
    Profile(ProfileArgs),
    /// Host the reference server on TCP or TLS, or over the standard input and output.
    Serve(ServeArgs),
    /// Be the reference client of a server on TCP or TLS, or over the standard input and output.
    Client(ClientArgs),
    /// Golden vectors.
    Vectors(VectorsArgs),
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Without --profile nobody logs in. Exit code 3: the target does not challenge a bare REGISTER."
)]
pub(crate) struct ProbeArgs {
    /// What to look at: tcp://host:port, tls://host:port, or ref.
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,
    /// TOML file with the credentials to log in with.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Write a profile with what was learnt to this file, which must not exist; the accounts have to be filled in.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Seed from which everything random follows.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Without --profile the test accounts of the reference server are used. Cases register endpoints of the profile's user and unregister them."
)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// For a client: serve beside the suite the web services that hand out certificates for TLS-DSK, to whoever asks, and
    /// name them in sts-uri (docs/provisioning.md). They certify by the authority of the profile, and without a profile by
    /// that of tests.
    #[arg(long, value_name = "http|https")]
    pub(crate) provisioning: Option<ProvisioningScheme>,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
    /// Seed from which everything random follows; printed with each run.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How many cases run side by side; by default as many as there are cores in memory, and 4 over a network.
    #[arg(long, value_name = "NUMBER", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    /// How many conversations are generated for each property and setting.
    #[arg(
        long = "cases",
        value_name = "NUMBER",
        default_value = "25",
        conflicts_with = "time",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000)
    )]
    pub(crate) count: u64,
    /// Generate conversations for so long in all, such as 10m, in place of a number; the written cases run besides.
    #[arg(long, value_name = "TIME", value_parser = crate::timers::duration)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) depth: DepthArgs,
    /// TOML file of failures that are known: those fail no run, and those that pass make it end with 5.
    #[arg(long, value_name = "FILE")]
    pub(crate) expected_failures: Option<PathBuf>,
    /// Rewrite the file of expected failures after the run, so that it says what came out. Needs a run without filters.
    #[arg(long, requires = "expected_failures")]
    pub(crate) fix: bool,
    /// List the cases that would run, and run none; the same as sipae list.
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "The checks of the file judge, or the written case that it is of. No gate is passed before: exit code 3 says that the target could not be reached, or does not answer a bare REGISTER, and 4 that nothing could be decided, such as without a second user in the profile."
)]
pub(crate) struct ReplayArgs {
    /// The script file, such as script.json of a failure (docs/scripts.md); - is the standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

/// What is tested, and with what.
#[derive(clap::Args, Debug)]
pub(crate) struct SubjectArgs {
    /// What to test: ref, the embedded reference server; a server at tcp://host:port or tls://host:port; codec:COMMAND, a
    /// program that answers operations on its standard input and output (docs/codec-protocol.md); or a client that
    /// connects to the suite at listen:tcp://host:port or listen:tls://host:port, listen:pipe:COMMAND that speaks SIP on
    /// its standard input and output, or listen:ref, the embedded reference client (docs/clients.md).
    #[arg(long, default_value = "ref", value_name = "TARGET")]
    pub(crate) target: Target,
    /// Start the target with this command, set its clock over its standard input and output, and end it after the run
    /// (docs/control-channel.md). The words of the command are split as a shell does it, and no shell is started. A
    /// target with port 0 is tested where it says that it listens. A client is started anew for each conversation, with
    /// its values in place of {host} {port} {scheme} {version} {user} {password} {domain} {address} {realm} {server}
    /// {conference} {pin} {transport} in the words, and in variables like SIPAE_HOST (docs/clients.md).
    #[arg(long, value_name = "COMMAND", value_parser = crate::exec::command)]
    pub(crate) exec: Option<Exec>,
    /// Make the client that --exec starts act, over its standard input and output (docs/control-channel.md).
    #[arg(long)]
    pub(crate) control: bool,
    /// TOML file with what the target claims and the credentials to test it with.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// A broken SHOULD fails too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Also flood a target that is not on this machine, and send it oversized input.
    #[arg(long)]
    pub(crate) rough: bool,
    /// Plant a bug in the embedded reference.
    #[cfg(feature = "defects")]
    #[arg(long, value_name = "ID")]
    pub(crate) defect: Option<sipae::defects::Defect>,
}

/// How it is told.
#[derive(clap::Args, Debug)]
pub(crate) struct ReportArgs {
    /// Write the events of the run as JSON lines to this file; - is the standard output, without the summary. They
    /// hold whole messages, from which weak passwords can be guessed.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write a JUnit XML file for CI systems at the end of the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a folder for each case that fails to this one, by default reports/failures: the rows, the messages as a
    /// capture, the signature buffer, and where known a script and a test that repeat it (docs/failures.md). With
    /// --verbose for loose cases, too. They hold whole messages, as --json does.
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "reports/failures"
    )]
    pub(crate) failures: Option<PathBuf>,
    /// Tell remarks like failures, and ladders as a whole.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct DepthArgs {
    /// How many generated conversations are on their way at once, over one connection; by default 64, or 8 where answers
    /// overtake each other, and 16 in memory.
    #[arg(
        long = "depth",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u64).range(1..=400)
    )]
    pub(crate) at_once: Option<u64>,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "What is found is kept in DIR, and the next night goes on from there (docs/campaigns.md). Ctrl-C ends the night with its summary, a second one at once."
)]
pub(crate) struct FuzzArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// How long it goes on, with a unit of ms, s, m or h.
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = crate::timers::time_of_night)]
    pub(crate) time: Duration,
    /// The folder of the campaign. They hold whole messages, from which weak passwords can be guessed.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Seed from which those of all rounds follow; a campaign keeps its own.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How many cases run side by side; by default as many as there are cores in memory, and 4 over a network.
    #[arg(long, value_name = "NUMBER", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) depth: DepthArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// Which cases are meant. Options that are given several times widen the choice, options of several kinds narrow it.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Which cases")]
pub(crate) struct FilterArgs {
    /// Only cases whose id, or operation of a codec, contains one of these.
    #[arg(value_name = "CASE", help_heading = Resettable::Reset)]
    pub(crate) cases: Vec<String>,
    /// Only cases about this section of the specification and those below it: 3.3.5 covers 3.3.5.1.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) section: Vec<String>,
    /// Only cases about a row of this level: must, must-not, should, should-not or may.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Vec<Level>,
    /// Only cases for, or about a row of, this role: server, client, codec or both.
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub(crate) role: Vec<Role>,
    /// Only this scheme, such as ntlm.
    #[arg(long, value_name = "SCHEME")]
    pub(crate) scheme: Vec<String>,
}

/// A level as it is written in a shell: `must-not` for MUST NOT.
fn level(text: &str) -> Result<Level, String> {
    let word = text.to_uppercase().replace(['-', '_'], " ");
    word.parse().map_err(|_| "not one of must, must-not, should, should-not, may".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    text.to_lowercase().parse().map_err(|_| "not one of server, client, codec, both".to_owned())
}

/// They go before the table "tls" of the profile.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct TlsArgs {
    /// Trust the authorities in this PEM file, or the certificate in it itself, and no others. May be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    pub(crate) tls_ca: Vec<PathBuf>,
    /// The name that the certificate of the target has to bear, where it is not the host of the target.
    #[arg(long, value_name = "NAME")]
    pub(crate) tls_name: Option<String>,
    /// Do not check the certificate of the target.
    #[arg(long)]
    pub(crate) tls_insecure: bool,
}

fn jobs(text: &str) -> Result<usize, String> {
    const MOST: usize = 256;
    match text.parse() {
        Ok(jobs @ 1..=MOST) => Ok(jobs),
        _ => Err(format!("not a number from 1 to {MOST}")),
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct ListArgs {
    /// List the rows of the catalogue with the cases that test them, or the reason why none does. CASE is a part of an
    /// id of a row then.
    #[arg(long)]
    pub(crate) requirements: bool,
    /// Write one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(clap::Args, Debug)]
pub(crate) struct ExplainArgs {
    /// Id of a row, such as SIPAE-3.3.5.1-03 or 3.3.5.1-03, or of a case, such as 3.3.5.1/bare-ack.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(clap::Args)]
#[command(after_help = DECODE_HELP)]
pub(crate) struct DecodeArgs {
    /// SIP messages as text, or a capture (pcap, pcapng) of unencrypted SIP; - is the standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Write JSON lines: an object for each message, and one for each remark on the input (docs/decode.md).
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

const DECODE_HELP: &str = "\
Nothing of a password or key is ever shown. Others on the machine may see what stands on a command line.
A file or the environment variable SIPAE_PASSWORD are safer for a password.

Exit codes:
  0  messages were explained; with a password or keys, every signature that could be checked verifies
  1  a signature was checked and does not verify
  2  wrong usage, or input that cannot be read
  4  no readable message; or no signature that could be checked with the password or keys";

/// Hexadecimal digits unless they say something else.
#[derive(clap::Args)]
#[command(next_help_heading = "To verify signatures")]
pub(crate) struct KeyArgs {
    /// NTLM: the password of the user; the input has to hold CHALLENGE and AUTHENTICATE.
    #[arg(long, value_name = "TEXT", conflicts_with = "password_file")]
    pub(crate) password: Option<String>,
    /// NTLM: a file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// NTLM: the client's signing and sealing key; - for SIGN without extended session security.
    #[arg(long, value_name = "SIGN:SEAL", allow_hyphen_values = true)]
    pub(crate) client_key: Option<String>,
    /// NTLM: the server's signing and sealing key.
    #[arg(long, value_name = "SIGN:SEAL", allow_hyphen_values = true)]
    pub(crate) server_key: Option<String>,
    /// NTLM: the session key, from which those of both sides follow.
    #[arg(long, value_name = "KEY", requires = "flags")]
    pub(crate) exported_session_key: Option<String>,
    /// NTLM: the negotiated flags as a number, such as 0x62988255.
    #[arg(long, value_name = "FLAGS", requires = "exported_session_key")]
    pub(crate) flags: Option<String>,
    /// TLS-DSK: the exported key material, 128 octets.
    #[arg(long, value_name = "KEYS", conflicts_with_all = ["tls_client_key", "tls_server_key"])]
    pub(crate) tls_key_material: Option<String>,
    /// TLS-DSK: the key that the client signs with.
    #[arg(long, value_name = "KEY")]
    pub(crate) tls_client_key: Option<String>,
    /// TLS-DSK: the key that the server signs with.
    #[arg(long, value_name = "KEY")]
    pub(crate) tls_server_key: Option<String>,
}

/// Nothing of them is shown, here either.
impl std::fmt::Debug for DecodeArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodeArgs")
            .field("file", &self.file)
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    pub(crate) command: ProfileCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// Read a profile and tell what it means, without passwords.
    Check {
        /// The TOML file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the JSON Schema of profiles, for editors that complete and check TOML.
    Schema,
}

#[derive(clap::Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 lets the system choose. The address is the first line of the output.
    #[arg(long, default_value = "127.0.0.1:5060", value_name = "HOST:PORT")]
    pub(crate) listen: String,
    /// Version of the protocol to offer.
    #[arg(long, default_value = "4", value_name = "2|3|4", value_parser = clap::value_parser!(u32).range(2..=4))]
    pub(crate) offer: u32,
    /// TOML file of accounts: tables called "user" with user, domain, password, address. Without it the published
    /// test accounts are served. Whoever is one of them has no business with the test key of Kerberos and the test
    /// authority of TLS-DSK, which everybody has: they are for these accounts only if --schemes asks for them.
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Option<PathBuf>,
    /// Host name of the server: the targetname of its challenges.
    #[arg(long, default_value = "server.contoso.com", value_name = "NAME")]
    pub(crate) host: String,
    /// Which kind of challenge to send.
    #[arg(long, default_value = "401", value_name = "401|407")]
    pub(crate) challenge: Challenge,
    /// Sign with CRC-32, without extended session security.
    #[arg(long)]
    pub(crate) legacy_signatures: bool,
    /// Timers other than the specification's, for whoever waits for them: expiry, idle, handshake and connection, each
    /// with a unit of ms, s, m or h.
    #[arg(long, value_name = "TIMER=TIME,...", value_parser = crate::timers::timers)]
    pub(crate) timers: Option<TimerDurations>,
    /// Speak on the control channel over the standard input and output, so that sipae run --exec can set the clock
    /// (docs/control-channel.md). The address is told on the standard error then, and the server ends with its input.
    #[arg(long)]
    pub(crate) control: bool,
    /// Serve one connection over the standard input and output in place of a socket, and end with it.
    #[arg(long, conflicts_with_all = ["listen", "tls", "control"])]
    pub(crate) stdio: bool,
    #[command(flatten)]
    pub(crate) tls: ServeTlsArgs,
    #[command(flatten)]
    pub(crate) schemes: SchemeArgs,
    /// Let the clock of the server go wrong by so many seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        hide = true,
        allow_negative_numbers = true,
        conflicts_with = "stdio"
    )]
    pub(crate) clock_offset: i64,
    /// Tell on the standard error what clients do and which rules they break.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct ServeTlsArgs {
    /// Serve TLS 1.2 and 1.3. Without --certificate with one that signs itself and ends with the program, for --host,
    /// localhost and the address of --listen.
    #[arg(long)]
    pub(crate) tls: bool,
    /// PEM file of the certificate and those behind it.
    #[arg(long, value_name = "FILE", requires = "tls", requires = "key")]
    pub(crate) certificate: Option<PathBuf>,
    /// PEM file of the private key of --certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// Write the certificate that signs itself to this file, for --tls-ca of those who connect.
    #[arg(long, value_name = "FILE", requires = "tls", conflicts_with = "certificate")]
    pub(crate) write_certificate: Option<PathBuf>,
}

/// Which schemes are offered, and what they need.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Schemes")]
pub(crate) struct SchemeArgs {
    /// The schemes to offer, in the order of their lines: ntlm, kerberos, tls-dsk. By default all that have what they
    /// need.
    #[arg(long, value_name = "SCHEME,...", value_delimiter = ',')]
    pub(crate) schemes: Option<Vec<Offered>>,
    /// Kerberos: keytab with the keys of sip/NAME, NAME being that of --host. Without it a published test key.
    #[arg(long, value_name = "FILE")]
    pub(crate) keytab: Option<PathBuf>,
    /// TLS-DSK: PEM file of the certificate of the server and those behind it. Without it one of a published test
    /// authority, for --host.
    #[arg(long, value_name = "FILE", requires = "tls_dsk_key", requires = "tls_dsk_ca")]
    pub(crate) tls_dsk_certificate: Option<PathBuf>,
    /// TLS-DSK: PEM file of the private key of --tls-dsk-certificate.
    #[arg(long, value_name = "FILE", requires = "tls_dsk_certificate")]
    pub(crate) tls_dsk_key: Option<PathBuf>,
    /// TLS-DSK: PEM file of the authorities of the users.
    #[arg(long, value_name = "FILE", requires = "tls_dsk_certificate")]
    pub(crate) tls_dsk_ca: Option<PathBuf>,
    /// TLS-DSK: the library that does its handshakes. openssl has TLS 1.0 to 1.2 and RSA key exchange, in builds with
    /// legacy-tls.
    #[arg(long, value_name = "rustls|openssl", default_value = "rustls")]
    pub(crate) tls_dsk_engine: Engine,
    /// TLS-DSK: serve beside it the web services that hand out certificates of the test authority, to whoever asks, and
    /// name them in sts-uri (docs/provisioning.md). With https they show the certificate of --tls, or one that signs
    /// itself and is written to provisioning.pem of --write-test-credentials.
    #[arg(long, value_name = "http|https", conflicts_with = "tls_dsk_certificate")]
    pub(crate) provisioning: Option<ProvisioningScheme>,
    /// Write what clients of the test accounts need to this folder: a keytab, an authority with its key, a
    /// certificate of the first user, and profile.toml for sipae run.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["users", "keytab", "tls_dsk_certificate"]
    )]
    pub(crate) write_test_credentials: Option<PathBuf>,
}

#[derive(clap::Args)]
#[command(after_help = CLIENT_HELP)]
pub(crate) struct ClientArgs {
    /// The server to register at: tcp://host:port or tls://host:port.
    #[arg(value_name = "SERVER", required_unless_present = "stdio", conflicts_with = "stdio")]
    pub(crate) server: Option<Target>,
    /// Speak SIP over the standard input and output in place of a socket, and end with them. What it has to tell stands
    /// on the standard error.
    #[arg(long, conflicts_with = "control")]
    pub(crate) stdio: bool,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    /// Whom it writes to and calls.
    #[arg(long, default_value = "bob@contoso.com", value_name = "ADDRESS")]
    pub(crate) peer: String,
    /// Seconds to ask for in REGISTER; by default it leaves them to the server.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires: Option<u32>,
    /// The weakest version of the protocol that it answers.
    #[arg(long, default_value = "2", value_name = "2|3|4", value_parser = clap::value_parser!(u32).range(2..=4))]
    pub(crate) weakest: u32,
    /// Be asked over the standard input and output what to do (docs/control-channel.md). The client ends with its input
    /// then, and not when its registration fails.
    #[arg(long)]
    pub(crate) control: bool,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// Without the password.
impl std::fmt::Debug for ClientArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientArgs").field("server", &self.server).finish_non_exhaustive()
    }
}

const CLIENT_HELP: &str = "\
It says on the standard output, each on a line of its own:
  registered   the server has proven itself and has registered the client
  refused: N   the server has proven itself, and answered the registration with this status
  lost         the server has lost the security association; the client authenticates anew
  failed: WHY  authentication has failed, and is not tried again
  joined       with --scheme digest: the conference has let it in
  left         and let it go

Others on the machine may see what stands on a command line: --password, --pin and
--proxy-password are for test accounts.

Exit codes:
  0  it was told to end: its standard input has ended, with --stdio or --control
  1  authentication has failed, or the connection has ended and cannot be had again
  2  wrong usage or file";

/// Who registers.
#[derive(clap::Args)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountArgs {
    /// Account name; by default that of the first test account of the reference server.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Domain of the account; empty for a name of the form user@domain.
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// Password; by default the published one of the test account.
    #[arg(long, value_name = "TEXT")]
    pub(crate) password: Option<String>,
    /// Address of the user without scheme, such as alice@contoso.com.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

/// What it authenticates with.
#[derive(clap::Args)]
#[command(next_help_heading = "Schemes")]
pub(crate) struct CredentialArgs {
    /// A scheme that it answers: NTLM, Kerberos or TLS-DSK. May be repeated; by default all that there are credentials
    /// for, and the test credentials, which everybody has, are for the test account alone. With Digest it registers
    /// nowhere: it joins a conference without an account.
    #[arg(long, value_name = "SCHEME", ignore_case = true)]
    pub(crate) scheme: Vec<Answered>,
    /// Digest: GRUU of the conference. Without it the test conference of the reference server.
    #[arg(long, value_name = "GRUU", requires = "pin")]
    pub(crate) conference: Option<String>,
    /// Digest: the key of the conference.
    #[arg(long, value_name = "KEY", requires = "conference")]
    pub(crate) pin: Option<String>,
    /// The account at a proxy that asks for Digest before the server does. By default that of the test account.
    #[arg(long, value_name = "NAME", requires = "proxy_password")]
    pub(crate) proxy_user: Option<String>,
    /// Its password.
    #[arg(long, value_name = "TEXT", requires = "proxy_user")]
    pub(crate) proxy_password: Option<String>,
    /// Kerberos: keytab with a key of the service, to mint a ticket with. Without it a published test key.
    #[arg(long, value_name = "FILE", conflicts_with = "ccache")]
    pub(crate) keytab: Option<PathBuf>,
    /// Kerberos: ticket cache that holds a ticket for the service.
    #[arg(long, value_name = "FILE")]
    pub(crate) ccache: Option<PathBuf>,
    /// TLS-DSK: PEM file of the certificate of the user and those behind it. Without it one of a published test
    /// authority.
    #[arg(long, value_name = "FILE", requires = "key", requires = "ca")]
    pub(crate) certificate: Option<PathBuf>,
    /// TLS-DSK: PEM file of the private key of --certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// TLS-DSK: PEM file of the authorities of the server.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) ca: Option<PathBuf>,
}

/// Without the secrets.
impl std::fmt::Debug for CredentialArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialArgs").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum ProvisioningScheme {
    Http,
    Https,
}

impl ProvisioningScheme {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Offered {
    Ntlm,
    Kerberos,
    TlsDsk,
}

/// What a client answers.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Ntlm,
    Kerberos,
    TlsDsk,
    Digest,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Engine {
    Rustls,
    #[value(name = "openssl")]
    OpenSsl,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Challenge {
    #[value(name = "401")]
    Www,
    #[value(name = "407")]
    Proxy,
}

#[derive(clap::Args, Debug)]
pub(crate) struct VectorsArgs {
    #[command(subcommand)]
    pub(crate) command: VectorsCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum VectorsCommand {
    /// Put golden vectors to the reference implementation.
    Check {
        /// Folder with JSON files in the format of vectors/README.md; without it the vectors that are built in.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }
}
