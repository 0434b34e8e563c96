//! What a run of programs leaves behind: nothing. A test binary of its own, since it counts what belongs to its process;
//! no other test may stand here.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod leaks {
    use std::fs;
    use std::thread;
    use std::time::{Duration, Instant};

    use sipae_net::{Arrived, PipeWire, Wire};

    const PATIENCE: Duration = Duration::from_secs(10);

    fn entries(folder: &str) -> usize {
        fs::read_dir(folder).expect("/proc").count()
    }

    /// Children of this process, zombies among them.
    fn children() -> usize {
        let of_this_process =
            |status: &String| status.contains(&format!("\nPPid:\t{}\n", std::process::id()));
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let statuses = processes.filter_map(|process| fs::read_to_string(process.path().join("status")).ok());
        statuses.filter(of_this_process).count()
    }

    /// Descriptors, threads and children.
    fn held() -> [usize; 3] {
        [entries("/proc/self/fd"), entries("/proc/self/task"), children()]
    }

    /// Threads end a little after what they read from.
    fn held_at_last(before: [usize; 3]) -> [usize; 3] {
        let begun = Instant::now();
        while held() != before && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        held()
    }

    fn echo(wire: &mut PipeWire, number: usize) {
        let connection = wire.connect().expect("cat starts");
        let what = format!("message {number}").into_bytes();
        wire.send(connection, &what).expect("taken");
        let arrived = wire.receive(PATIENCE).map(|arrival| arrival.what);
        assert_eq!(arrived, Some(Arrived::Octets(what)));
        wire.disconnect(connection);
        let arrived = wire.receive(PATIENCE).map(|arrival| arrival.what);
        assert_eq!(arrived, Some(Arrived::Closed));
    }

    #[test]
    fn two_hundred_connections_leave_nothing_behind() {
        let before = held();
        let mut wire = PipeWire::new(&["cat".to_owned()]);
        (0..200).for_each(|number| echo(&mut wire, number));
        assert_eq!(held_at_last(before), before, "one after the other");
        (0..20).for_each(|_| assert!(wire.connect().is_ok()));
        assert_eq!(children(), before[2] + 20);
        drop(wire);
        assert_eq!(held_at_last(before), before, "at once");
        let mut missing = PipeWire::new(&["/no/such/program".to_owned()]);
        (0..20).for_each(|_| assert!(missing.connect().is_err()));
        let mut flood = PipeWire::new(&["yes".to_owned()]);
        assert!(flood.connect().is_ok());
        drop(flood);
        assert_eq!(held_at_last(before), before, "failures and floods");
    }
}
