//! The end of what a program has to say.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is kept at most, in octets.
pub(super) const LONGEST: usize = 16 * 1024;
const CHUNK: usize = 4 * 1024;

/// The last octets of a stream. A thread reads it until it ends, so that nobody who writes there has to wait.
#[derive(Debug)]
pub(super) struct Tail(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// The stream has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    octets: VecDeque<u8>,
    /// How many octets came before those that are kept.
    left_out: u64,
    has_ended: bool,
}

impl Tail {
    /// Starts to read.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn of(stream: impl Read + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let reading = Arc::clone(&shared);
        thread::Builder::new().spawn(move || reading.read(stream))?;
        Ok(Self(shared))
    }

    /// Waits until everything has been read, or for so long: whoever holds the stream open may have nothing to say.
    pub(super) fn let_end(&self, patience: Duration) {
        let kept = self.0.kept();
        let _guard = self.0.ended.wait_timeout_while(kept, patience, |kept| !kept.has_ended);
    }

    /// What is kept.
    pub(super) fn text(&self) -> String {
        self.0.kept().text()
    }

    /// How many octets have come.
    pub(super) fn count(&self) -> u64 {
        self.0.kept().count()
    }

    /// What has come behind the first `count` octets, as much of it as is kept.
    pub(super) fn text_behind(&self, count: u64) -> String {
        self.0.kept().text_behind(count)
    }

    /// Whether everything has been read, and nobody reads any more.
    #[cfg(test)]
    pub(super) fn has_ended(&self) -> bool {
        self.0.kept().has_ended
    }
}

impl Shared {
    /// What a thread that panicked has left is still the end of the stream as far as it was read.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut stream: impl Read) {
        let mut chunk = [0; CHUNK];
        loop {
            match stream.read(&mut chunk) {
                Ok(length) if length != 0 => self.kept().push(chunk.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break,
            }
        }
        drop(stream);
        self.kept().has_ended = true;
        self.ended.notify_all();
    }
}

impl Kept {
    fn count(&self) -> u64 {
        self.left_out.saturating_add(u64::try_from(self.octets.len()).unwrap_or(u64::MAX))
    }

    fn text_behind(&self, count: u64) -> String {
        let skipped = usize::try_from(count.saturating_sub(self.left_out)).unwrap_or(usize::MAX);
        let octets: Vec<u8> = self.octets.iter().copied().skip(skipped).collect();
        String::from_utf8_lossy(&octets).into_owned()
    }

    fn push(&mut self, octets: &[u8]) {
        self.octets.extend(octets);
        let over = self.octets.len().saturating_sub(LONGEST);
        self.octets.drain(..over);
        self.left_out += u64::try_from(over).unwrap_or(u64::MAX);
    }

    /// A character that was cut in two is left out as a whole. Octets that are no text are shown as U+FFFD.
    fn text(&self) -> String {
        let is_inside = |octet: &&u8| **octet & 0xC0 == 0x80;
        let most_inside = if self.left_out == 0 { 0 } else { 3 };
        let cut = self.octets.iter().take(most_inside).take_while(is_inside).count();
        let octets: Vec<u8> = self.octets.iter().skip(cut).copied().collect();
        let text = String::from_utf8_lossy(&octets);
        match self.left_out.saturating_add(u64::try_from(cut).unwrap_or(u64::MAX)) {
            0 => text.into_owned(),
            left_out => format!("({left_out} octets before are left out)\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[&[u8]]) -> String {
        let mut kept = Kept::default();
        parts.iter().for_each(|part| kept.push(part));
        kept.text()
    }

    #[test]
    fn what_is_short_is_kept_as_a_whole() {
        assert_eq!(text(&[]), "");
        assert_eq!(text(&["öne ".as_bytes(), b"two\n"]), "öne two\n");
        assert_eq!(text(&[b"\x80\xff"]), "\u{fffd}\u{fffd}");
        assert_eq!(text(&[&[b'x'; LONGEST]]), "x".repeat(LONGEST));
    }

    #[test]
    fn what_is_long_is_cut_before_a_character_and_says_so() {
        let rest = "x".repeat(LONGEST - 2);
        let cut_before = text(&["ab€".as_bytes(), &rest.as_bytes()[1..]]);
        assert_eq!(cut_before, format!("(2 octets before are left out)\n€{}", &rest[1..]));
        let cut_inside = text(&["ab€".as_bytes(), rest.as_bytes()]);
        assert_eq!(cut_inside, format!("(5 octets before are left out)\n{rest}"));
    }

    #[test]
    fn no_more_than_the_end_of_a_flood_is_kept() {
        let mut kept = Kept::default();
        (0..1000).for_each(|_| kept.push(&[b'x'; CHUNK]));
        assert_eq!(kept.octets.len(), LONGEST);
        assert!(kept.octets.capacity() <= 4 * LONGEST, "{}", kept.octets.capacity());
        assert_eq!(kept.left_out, 4_096_000 - 16_384);
    }

    /// What was written before stays what was written before, however much has come since.
    #[test]
    fn what_is_behind_so_many_octets_is_told_apart() {
        let mut kept = Kept::default();
        kept.push(b"registered\n");
        let before = kept.count();
        assert_eq!(kept.text_behind(before), "");
        kept.push(b"failed\n");
        assert_eq!(kept.text_behind(before), "failed\n");
        kept.push(&[b'x'; LONGEST]);
        assert_eq!(kept.text_behind(before), "x".repeat(LONGEST));
        assert_eq!((kept.count(), kept.text_behind(kept.count())), (before + 7 + 16 * 1024, String::new()));
    }
}
