//! The control channel of `sipae serve --control`: the side of the target.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use sipae_conformance::control::protocol::{Answer, Ask, Hello, PROTOCOL, Reply, read_request};
use sipae_conformance::profile::TimerDurations;
use sipae_net::{HostControl, read_line};

/// Answers what comes on the standard input, in a thread of its own, and stops the host at its end.
pub(crate) fn listen(host: HostControl, address: SocketAddr, durations: TimerDurations) -> io::Result<()> {
    let side = Side { host, address, durations };
    thread::Builder::new().spawn(move || {
        // However it ends, nobody controls the host any more.
        let _ended = answer_all(|ask| side.answer(ask));
        side.host.stop();
    })?;
    Ok(())
}

/// Answers each line of the standard input on the standard output, until one of them ends.
pub(crate) fn answer_all(answer: impl Fn(&Ask) -> Answer) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some(line) = read_line(&mut input)? {
        let reply = match read_request(&line) {
            Ok(request) => Reply { id: Some(request.id), answer: answer(&request.ask) },
            Err(unread) => unread.into(),
        };
        serde_json::to_writer(&mut output, &reply)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

struct Side {
    host: HostControl,
    address: SocketAddr,
    durations: TimerDurations,
}

impl Side {
    fn answer(&self, ask: &Ask) -> Answer {
        match ask {
            Ask::Hello { .. } => Answer::Hello(self.hello()),
            Ask::Advance { ms } => done(self.host.advance(Duration::from_millis(*ms))),
            Ask::Reset {} => done(self.host.reset()),
            Ask::Do { .. } | Ask::Standing {} => Answer::Error("this is a server".to_owned()),
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL,
            can: ["advance", "reset"].map(str::to_owned).to_vec(),
            address: Some(self.address.to_string()),
            durations: self.durations.into(),
            stimuli: Vec::new(),
        }
    }
}

fn done(is_done: bool) -> Answer {
    if is_done { Answer::Ok(true) } else { Answer::Error("the server has ended".to_owned()) }
}
