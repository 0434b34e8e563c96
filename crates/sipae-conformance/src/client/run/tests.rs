use rstest::rstest;
use sipae::auth::Scheme;
use sipae::version::Version;
use sipae_events::{CaseFinished, CaseId, Cause, Verdict};
use sipae_gen::Mode;

use super::of_two;
use crate::plan::subject;
use crate::target::Setting;

const FAIL: Verdict = Verdict::Fail(Cause::Reaction);
const CRASH: Verdict = Verdict::Fail(Cause::Crash);
const FLAKY: Verdict = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });

fn finished(verdict: Verdict, title: &str) -> CaseFinished {
    let setting = Setting { mode: Mode { scheme: Scheme::Ntlm, version: Version::V4 }, kind: None };
    let id = CaseId::new("3.1/case".to_owned()).expect("a name");
    CaseFinished::new(id, subject(setting), title, &["SIPAE-3.1-01"], verdict)
}

#[rstest]
#[case::failed_twice(FAIL, FAIL, FAIL, "first")]
#[case::failed_once(FAIL, Verdict::Pass, FLAKY, "first")]
#[case::failed_and_was_not_decided(FAIL, Verdict::Inconclusive, FLAKY, "first")]
#[case::failed_the_second_time(Verdict::Inconclusive, FAIL, FLAKY, "second")]
#[case::crashed_the_second_time(FAIL, CRASH, CRASH, "second")]
#[case::decided_the_second_time(Verdict::Inconclusive, Verdict::Pass, Verdict::Pass, "second")]
#[case::never_decided(Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Inconclusive, "second")]
fn two_tries_come_to_one_verdict(
    #[case] first: Verdict,
    #[case] second: Verdict,
    #[case] expected: Verdict,
    #[case] told: &str,
) {
    let both = of_two(finished(first, "first"), finished(second, "second"));
    assert_eq!((both.verdict, both.title.as_str()), (expected, told));
}
