//! `cargo xtask foreign`: the suite against servers that are not ours.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// Run the suite against kamailio, which must be installed: Digest, and nothing of [MS-SIPAE]
///
/// The gate has to say in one line what it offers, what holds with any scheme has to be judged and must not fail, and
/// the rest has to be blocked.
#[derive(clap::Args)]
pub(crate) struct Args {}

const CONFIGURATION: &str = include_str!("../foreign/kamailio.cfg");
const GATE: &str = "gate closed: the server offers Digest and no NTLM";
/// sipae's exit code for a gate that failed.
const BLOCKED: i32 = 3;

pub(crate) fn run(_: &Args, root: &Path) -> anyhow::Result<()> {
    let port = free_port()?;
    let server = Kamailio::start(port, root)?;
    server.wait()?;
    let output = Command::new("cargo")
        .current_dir(root)
        .args(["run", "--quiet", "--release", "--", "run", "--target", &format!("tcp://127.0.0.1:{port}")])
        .output()
        .context("cargo cannot be run")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    print_out(&told);
    ensure!(output.status.code() == Some(BLOCKED), "exit code {:?} in place of 3", output.status.code());
    ensure!(told.contains(GATE), "the gate does not say what is offered");
    ensure!(!told.contains("FAIL"), "a case fails a server that is right");
    ensure!(told.contains(" pass") && told.contains(" blocked"), "nothing is judged, or nothing is blocked");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the suite says of the server is the output of this command")]
fn print_out(told: &str) {
    println!("{told}");
}

/// A port that is free at this moment: kamailio cannot choose one itself.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A running server; it ends with this value.
struct Kamailio {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Kamailio {
    fn start(port: u16, root: &Path) -> anyhow::Result<Self> {
        let folder = root.join("target").join("foreign");
        fs::create_dir_all(&folder)?;
        let file = folder.join("kamailio.cfg");
        fs::write(&file, CONFIGURATION.replace("PORT", &port.to_string()))?;
        let process = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
            .arg(&file)
            .arg("-Y")
            .arg(&folder)
            .arg("-P")
            .arg(folder.join("kamailio.pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("kamailio cannot be run: is it installed?")?;
        Ok(Self { process, port, folder })
    }

    fn wait(&self) -> anyhow::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(20);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if PATIENCE < began.elapsed() {
                bail!("kamailio does not listen; its configuration is in {}", self.folder.display());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Kamailio {
    /// TERM: it ends its own children then.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let _asked = Command::new("kill").arg(id).status();
        let _ended = self.process.wait();
    }
}
