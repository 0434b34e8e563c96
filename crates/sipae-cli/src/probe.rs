//! `sipae probe`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use sipae::auth::Scheme;
use sipae_conformance::probe::{self, DEEPEST, Handshake, Offer, Report, Tried};
use sipae_conformance::profile::Profile;
use sipae_events::ExitCode;
use sipae_report::visible;

use crate::args::ProbeArgs;
use crate::output::{Failure, forgive_closed_pipe};
use crate::tls;

pub(crate) fn probe(args: &ProbeArgs) -> Result<ExitCode, Failure> {
    let profile = args.profile.as_deref().map(Profile::load).transpose()?;
    let is_known = profile.is_some();
    let mut profile = profile.unwrap_or_else(Profile::of_reference);
    tls::check_target(&args.tls, &args.target)?;
    tls::settle(&args.tls, &mut profile.tls);
    let ways = args.target.connector(&profile)?;
    let profile = Arc::new(profile);
    let report = probe::probe(
        ways.as_ref(),
        is_known.then_some(&profile),
        args.seed.unwrap_or_else(crate::subject::random_seed),
    );
    forgive_closed_pipe(told(&report, is_known)).map_err(Failure::Report)?;
    if let Some(file) = &args.write {
        write(&report, file).map_err(|source| Failure::File { file: file.clone(), source })?;
    }
    Ok(if report.kind.is_some() { ExitCode::Passed } else { ExitCode::Blocked })
}

/// Much of it are words of the peer.
fn told(report: &Report, is_known: bool) -> io::Result<()> {
    let mut text = Vec::new();
    tell(report, is_known, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    let shown: String =
        text.chars().map(|shown| if shown == '\n' { shown } else { visible(shown) }).collect();
    io::stdout().write_all(shown.as_bytes())
}

fn tell(report: &Report, is_known: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "bare REGISTER      {}, after {} ms", report.bare, report.answer_time.as_millis())?;
    if report.depth == 0 {
        return Ok(());
    }
    for offer in &report.offers {
        writeln!(out, "offers             {}", offered(offer))?;
    }
    match report.clock_offset {
        Some(offset) => writeln!(out, "clock              {offset:+} s against this machine")?,
        None => writeln!(out, "clock              not told: no Date")?,
    }
    let order = match report.in_order {
        Some(true) => "in the order of the requests",
        Some(false) => "overtaking each other",
        None => "not seen",
    };
    writeln!(out, "answers            {order}")?;
    let depth = report.depth;
    let most = if depth == DEEPEST { " at least" } else { "" };
    writeln!(out, "pipelining         {depth} requests at once{most}")?;
    if !is_known {
        return writeln!(out, "handshake          no profile was given, so nobody has logged in");
    }
    if report.handshakes.is_empty() {
        return writeln!(out, "handshake          no scheme is offered that signs messages");
    }
    report.handshakes.iter().try_for_each(|Tried { scheme, outcome }| match outcome {
        Ok(handshake) => tell_handshake(*scheme, handshake, out),
        Err(why) => writeln!(out, "handshake          {scheme}: {why}"),
    })
}

/// What a line of the challenge says, in the terms of its scheme.
fn offered(offer: &Offer) -> String {
    let known = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
    let version = match offer.version {
        Some(version) => format!("version {version}"),
        None => "version unreadable".to_owned(),
    };
    let (scheme, realm, targetname) = (&offer.scheme, known(&offer.realm), known(&offer.targetname));
    let base = format!("{scheme} {version}, realm {realm}");
    match offer.known() {
        Some(Scheme::Ntlm) => format!("{base}, targetname {targetname}"),
        Some(Scheme::Kerberos) => format!("{base}, service principal {targetname}"),
        Some(Scheme::TlsDsk) => {
            format!("{base}, targetname {targetname}, sts-uri {}", known(&offer.sts_uri))
        }
        Some(Scheme::Digest) => format!("{scheme}, realm {realm}, for anonymous conference join"),
        _ => format!("{scheme}, realm {realm}, no scheme of [MS-SIPAE]"),
    }
}

fn tell_handshake(scheme: Scheme, handshake: &Handshake, out: &mut impl Write) -> io::Result<()> {
    let form = match handshake.extended_session_security {
        Some(true) => ", with extended session security",
        Some(false) => ", without extended session security",
        None => "",
    };
    writeln!(out, "handshake          {scheme} works{form}")?;
    let field = handshake.signature_header.as_deref().unwrap_or("no header field");
    let version = if handshake.signs_version { "with" } else { "without" };
    writeln!(out, "signatures         in {field}, {version} version")?;
    let expires = handshake.expires.map_or("not told".to_owned(), |seconds| format!("{seconds} s"));
    writeln!(out, "registration       granted for {expires}")?;
    let delivery = handshake.undeliverable.as_deref().unwrap_or("works");
    writeln!(out, "MESSAGE to a peer  {delivery}")
}

/// A profile with what was learnt; what was not has to be filled in.
fn write(report: &Report, file: &Path) -> io::Result<()> {
    let mut out = File::create_new(file)?;
    let known: Vec<(Scheme, &Offer)> =
        report.offers.iter().filter_map(|offer| Some((offer.known()?, offer))).collect();
    let pace = (report.answer_time.as_millis() * 20).clamp(1000, 30_000);
    writeln!(out, "# Learnt from the target; the accounts have to be filled in.\n")?;
    write_target(&known, &mut out)?;
    writeln!(out, "[user]\nuser = \"\"\ndomain = \"\"\npassword = \"\"\naddress = \"\"\n")?;
    writeln!(
        out,
        "# A second user, for requests that are delivered; several let more cases run side by side."
    )?;
    writeln!(out, "# [[peer]]\n# user = \"\"\n# domain = \"\"\n# password = \"\"\n# address = \"\"\n")?;
    writeln!(out, "# An account for wrong passwords, and how many of them it may be given in a run.")?;
    writeln!(out, "# [sacrificial]\n# user = \"\"\n# domain = \"\"\n# password = \"\"\n# address = \"\"")?;
    writeln!(out, "# failed_logons = 3\n")?;
    for (scheme, _) in &known {
        out.write_all(credentials(*scheme).as_bytes())?;
    }
    writeln!(out, "[pace]\nanswer_timeout_ms = {pace}")
}

/// What the target claims: schemes and versions, each once.
fn write_target(known: &[(Scheme, &Offer)], out: &mut impl Write) -> io::Result<()> {
    if known.is_empty() {
        return Ok(());
    }
    let schemes: BTreeSet<Scheme> = known.iter().map(|(scheme, _)| *scheme).collect();
    let schemes: Vec<String> = schemes.into_iter().map(|scheme| format!("\"{scheme}\"")).collect();
    writeln!(out, "[target]\nschemes = [{}]", schemes.join(", "))?;
    let signing = known.iter().filter(|(scheme, _)| scheme.signs());
    let versions: BTreeSet<u32> = signing.filter_map(|(_, offer)| offer.version).collect();
    let versions: Vec<String> = versions
        .into_iter()
        .filter(|version| (2..=4).contains(version))
        .map(|version| version.to_string())
        .collect();
    if !versions.is_empty() {
        writeln!(out, "versions = [{}]", versions.join(", "))?;
    }
    writeln!(out)
}

/// What a scheme needs in a profile besides accounts, to be filled in.
const fn credentials(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Kerberos => {
            "# Kerberos: tickets are made with the keys of the service, or kerberos = \"ccache\" above all tables.\n\
             # [kerberos]\n# keytab = \"\"\n\n"
        }
        Scheme::TlsDsk => {
            "# TLS-DSK: who has issued the certificate of the target. Accounts have a certificate and a key, or the\n\
             # suite makes them with the key of their authority.\n\
             # [tls_dsk]\n# ca = \"\"\n# authority = \"\"\n# authority_key = \"\"\n\n"
        }
        _ => "",
    }
}
