//! `sipae probe`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use sipae_conformance::probe::{self, DEEPEST, Handshake, Report};
use sipae_conformance::profile::Profile;
use sipae_events::ExitCode;

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
        args.seed.unwrap_or_else(crate::run::random_seed),
    );
    forgive_closed_pipe(tell(&report, &mut io::stdout())).map_err(Failure::Report)?;
    if let Some(file) = &args.write {
        write(&report, file).map_err(|source| Failure::File { file: file.clone(), source })?;
    }
    Ok(if report.kind.is_some() { ExitCode::Passed } else { ExitCode::Blocked })
}

fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "bare REGISTER      {}, after {} ms", report.bare, report.answer_time.as_millis())?;
    if report.depth == 0 {
        return Ok(());
    }
    for offer in &report.offers {
        let known =
            |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
        let is_digest = offer.scheme.eq_ignore_ascii_case("Digest");
        let version = match offer.version {
            _ if is_digest => String::new(),
            Some(version) => format!(" version {version}"),
            None => " version unreadable".to_owned(),
        };
        let (realm, targetname) = (known(&offer.realm), known(&offer.targetname));
        writeln!(
            out,
            "offers             {}{version}, realm {realm}, targetname {targetname}",
            offer.scheme
        )?;
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
    match &report.handshake {
        Ok(handshake) => tell_handshake(handshake, out),
        Err(why) => writeln!(out, "handshake          {why}"),
    }
}

fn tell_handshake(handshake: &Handshake, out: &mut impl Write) -> io::Result<()> {
    let form = if handshake.extended_session_security { "with" } else { "without" };
    writeln!(out, "handshake          works, {form} extended session security")?;
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
    let versions = report.offers.iter().filter(|offer| offer.scheme.eq_ignore_ascii_case("NTLM"));
    let versions: Vec<String> =
        versions.filter_map(|offer| offer.version).map(|version| version.to_string()).collect();
    let pace = (report.answer_time.as_millis() * 20).clamp(1000, 30_000);
    writeln!(out, "# Learnt from the target; the accounts have to be filled in.\n")?;
    if !versions.is_empty() {
        writeln!(out, "[target]\nversions = [{}]\n", versions.join(", "))?;
    }
    writeln!(out, "[user]\nuser = \"\"\ndomain = \"\"\npassword = \"\"\naddress = \"\"\n")?;
    writeln!(
        out,
        "# A second user, for requests that are delivered; several let more cases run side by side."
    )?;
    writeln!(out, "# [[peer]]\n# user = \"\"\n# domain = \"\"\n# password = \"\"\n# address = \"\"\n")?;
    writeln!(out, "# An account for wrong passwords, and how many of them it may be given in a run.")?;
    writeln!(out, "# [sacrificial]\n# user = \"\"\n# domain = \"\"\n# password = \"\"\n# address = \"\"")?;
    writeln!(out, "# failed_logons = 3\n")?;
    writeln!(out, "[pace]\nanswer_timeout_ms = {pace}")
}
