//! What writes a message: choices, freedoms, and where the text goes.

use std::ops::Range;

use sipae::buffer::Field;

use super::{
    Case, Freedom, Freedoms, write_blank, write_cased, write_digits, write_number, write_text, write_word,
};
use crate::source::Choices;

/// Where the values of the fields of a signature buffer stand in the text.
pub(super) type Meant = [Range<usize>; Field::Status as usize + 1];

pub(super) struct Pen<'p, S: ?Sized> {
    pub(super) source: &'p mut S,
    pub(super) freedoms: Freedoms,
    pub(super) out: &'p mut Vec<u8>,
    pub(super) meant: &'p mut Meant,
}

impl<S: Choices + ?Sized> Pen<'_, S> {
    pub(super) fn has(&self, freedom: Freedom) -> bool {
        self.freedoms.has(freedom)
    }

    /// Now and then, where the freedom is taken.
    pub(super) fn takes(&mut self, freedom: Freedom, of: u32) -> bool {
        self.has(freedom) && self.source.one_in(of)
    }

    pub(super) fn put(&mut self, text: impl AsRef<[u8]>) {
        self.out.extend_from_slice(text.as_ref());
    }

    pub(super) fn text(&mut self, texts: &[&'static str]) {
        write_text(self.source, texts, self.out);
    }

    /// One of the texts where the freedom is taken.
    pub(super) fn text_if(&mut self, freedom: Freedom, texts: &[&'static str]) {
        if self.has(freedom) {
            self.text(texts);
        }
    }

    pub(super) fn blank(&mut self, plain: &'static str) {
        write_blank(self.source, self.freedoms, plain, self.out);
    }

    pub(super) fn name(&mut self, name: &str) {
        write_cased(self.source, self.freedoms.has(Freedom::Names), name.as_bytes(), self.out);
    }

    pub(super) fn word(&mut self, alphabet: &str, length: u32) {
        write_word(self.source, alphabet, length, self.out);
    }

    /// Eight lower-case digits for each of the choices.
    pub(super) fn digits(&mut self, choices: u32) {
        write_digits(self.source, Case::Lower, choices as usize, self.out);
    }

    pub(super) fn number(&mut self, number: u32) {
        write_number(number, self.out);
    }

    pub(super) const fn place(&self) -> usize {
        self.out.len()
    }

    /// What was written since is the value of this field of the signature buffer.
    pub(super) fn mark(&mut self, field: Field, start: usize) {
        let value = start..self.place();
        if let Some(slot) = self.meant.get_mut(field as usize) {
            *slot = value;
        }
    }
}
