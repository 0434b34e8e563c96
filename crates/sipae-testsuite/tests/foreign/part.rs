//! Parts: what is run in a process of its own, and what it needs around it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Failed, Trial};

use super::ntlm;
use super::peer::{Peer, are_required};
use super::realm::{Etype, Offer, Realm};

/// Names the part that this process is to run.
const PART: &str = "SIPAE_FOREIGN_PART";
/// Names the folder of what the part needs.
const FOLDER: &str = "SIPAE_FOREIGN_FOLDER";

/// What a process of its own is run for.
pub(crate) struct Part {
    name: String,
    rig: Rig,
    /// Takes the folder of the rig.
    run: Box<dyn Fn(&Path)>,
}

/// What a part needs around it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rig {
    /// A file with the users that gss-ntlmssp accepts.
    NtlmUsers,
    /// A realm with keys of one type, tickets of alice and mallory, and what MIT's library offers there.
    Realm(Etype, Offer),
    /// Nothing: it starts its own Kamailio.
    Kamailio,
}

impl Part {
    pub(crate) fn new(name: String, rig: Rig, run: impl Fn(&Path) + 'static) -> Self {
        Self { name, rig, run: Box::new(run) }
    }

    const fn peer(&self) -> Peer {
        match self.rig {
            Rig::NtlmUsers => Peer::GssNtlmssp,
            Rig::Realm(..) => Peer::MitKerberos,
            Rig::Kamailio => Peer::Kamailio,
        }
    }

    /// The part as a trial; what it is shown with says whether its peer is here.
    pub(crate) fn trial(&self, rigs: &Arc<Rigs>) -> Trial {
        let peer = self.peer();
        let missing = peer.missing();
        let kind = missing.as_ref().map_or_else(
            || peer.name().to_owned(),
            |missing| format!("{} is absent: {missing}", peer.name()),
        );
        let is_ignored = missing.is_some() && !are_required();
        let (name, rig, rigs, told) = (self.name.clone(), self.rig, Arc::clone(rigs), kind.clone());
        let run = move || match missing {
            Some(_) => Err(Failed::from(told)),
            None => rigs.run(rig, &name).map_err(Failed::from),
        };
        Trial::test(self.name.clone(), run).with_kind(kind).with_ignored_flag(is_ignored)
    }
}

/// The part that this process is to run, if it is one of those.
pub(crate) fn asked_for() -> Option<String> {
    env::var(PART).ok()
}

/// Runs the part of this name.
pub(crate) fn run_here(parts: &[Part], name: &str) {
    let part = parts.iter().find(|part| part.name == name).expect("a part of this name");
    let folder = env::var_os(FOLDER).expect("a folder");
    (part.run)(Path::new(&folder));
}

/// The rigs that have been made, for as long as this lives.
#[derive(Default)]
pub(crate) struct Rigs {
    realms: Mutex<BTreeMap<Etype, Arc<Realm>>>,
}

impl Rigs {
    fn run(&self, rig: Rig, name: &str) -> Result<(), String> {
        match rig {
            Rig::NtlmUsers => {
                let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
                let users = ntlm::write_users(folder.path()).map_err(|error| error.to_string())?;
                run_apart(name, folder.path(), &[("NTLM_USER_FILE", users.into())])
            }
            Rig::Realm(etype, offer) => {
                let realm = self.realm(etype)?;
                run_apart(name, realm.folder(), &realm.environment(offer))
            }
            Rig::Kamailio => run_apart(name, Path::new(""), &[]),
        }
    }

    /// One realm serves all parts with keys of its type.
    fn realm(&self, etype: Etype) -> Result<Arc<Realm>, String> {
        let mut realms = self.realms.lock().map_err(|_| "a realm could not be made before")?;
        if let Some(realm) = realms.get(&etype) {
            return Ok(Arc::clone(realm));
        }
        let realm = Arc::new(Realm::start(etype)?);
        realms.insert(etype, Arc::clone(&realm));
        Ok(realm)
    }
}

fn run_apart(name: &str, folder: &Path, environment: &[(&str, OsString)]) -> Result<(), String> {
    let this: PathBuf = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this)
        .env(PART, name)
        .env(FOLDER, folder)
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
