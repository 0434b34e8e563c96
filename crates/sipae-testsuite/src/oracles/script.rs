//! Script files.

use sipae_gen::ScriptFile;

/// A text is a script file that is written and read again as it is, or the error has one line.
pub fn script(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match ScriptFile::read(text) {
        Ok(file) => is_kept(&file),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}

fn is_kept(file: &ScriptFile) {
    let written = file.write();
    assert_eq!(ScriptFile::read(&written).as_ref(), Ok(file), "{written}");
    assert_eq!(ScriptFile::from_value(file.to_value()).as_ref(), Ok(file), "{written}");
    // Steps are told to people.
    drop(file.script.to_string());
}
