//! The window over the numbers of the server.

use sipae::message::HeaderName;
use sipae_gen::{Edit, Service};

use super::super::super::case::ClientCase;
use super::{flipped, shared};

/// Single sequences, each for its row.
pub(super) fn numbers() -> Vec<ClientCase> {
    let ask = |service: Service, name: &str| service.ask(name);
    vec![
        shared("3.1.1/gap", "a gap in the numbers is no error", &["SIPAE-3.1.1-08", "SIPAE-3.1.1-03"])
            .plan(move |_| ask(Service::new().answered("ahead").sign_at("ahead", 50), "ahead").skip(51))
            .judge(|judge| {
                judge.processed("SIPAE-3.1.1-08", "ahead");
                judge.processed("SIPAE-3.1.1-03", "ahead");
            }),
        shared("3.1.1/lower-number", "a lower number that is new is accepted", &["SIPAE-3.1.1-04"])
            .plan(|_| {
                Service::new()
                    .answered("ahead")
                    .sign_at("ahead", 5)
                    .ask("ahead")
                    .answered("lower")
                    .sign_at("lower", 3)
                    .ask("lower")
                    .skip(6)
            })
            .judge(|judge| judge.processed("SIPAE-3.1.1-04", "lower")),
        shared(
            "3.1.1/number-again",
            "a number that was used is refused in another request",
            &["SIPAE-3.1.1-06", "SIPAE-3.2.5.2-09"],
        )
        .plan(|_| {
            Service::new().ask_signed("good").answered("again").sign_at("again", -1).send("again").fence()
        })
        .judge(|judge| {
            judge.refused("SIPAE-3.1.1-06", "again");
            judge.refused("SIPAE-3.2.5.2-09", "again");
        }),
        shared(
            "3.1.1/replayed-request",
            "a request that comes again by another way is not acted upon again",
            &["SIPAE-3.1.1-01", "SIPAE-3.1.1-05", "SIPAE-3.2.5.2-09"],
        )
        .plan(|_| {
            let via = "SIP/2.0/TCP other.contoso.com:5061;branch=z9hG4bKanother";
            Service::new()
                .ask_signed("good")
                .copy("again", "good")
                .edit("again", Edit::SetHeader(HeaderName::Via, via.into()))
                .send("again")
                .fence()
        })
        .judge(|judge| {
            for row in ["SIPAE-3.1.1-01", "SIPAE-3.1.1-05", "SIPAE-3.2.5.2-09"] {
                judge.not_again(row, "again", "good");
            }
        }),
        shared(
            "3.1.1/old-number-again",
            "a number that was used a while ago is refused",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|_| {
            let service = Service::new().ask_signed("old");
            let service = service.each(1..=8, |service, number| {
                let name = format!("later {number}");
                service.answered(&name).sign(&name).ask(&name)
            });
            service.answered("again").sign_at("again", -9).send("again").fence()
        })
        .judge(|judge| judge.refused("SIPAE-3.1.1-05", "again")),
        shared("3.1.1/window-moves", "a number far above the last one is accepted", &["SIPAE-3.1.1-03"])
            .plan(|_| Service::new().answered("far").sign_at("far", 700).ask("far").skip(701))
            .judge(|judge| judge.processed("SIPAE-3.1.1-03", "far")),
        shared("3.1.1/below-the-window", "a number below the window is refused", &["SIPAE-3.1.1-07"])
            .plan(|_| {
                Service::new()
                    .answered("far")
                    .sign_at("far", 700)
                    .ask("far")
                    .answered("below")
                    .sign_at("below", 400)
                    .send("below")
                    .skip(701)
                    .fence()
            })
            .judge(|judge| judge.refused("SIPAE-3.1.1-07", "below")),
        shared(
            "3.1.1/bottom-of-the-window",
            "a number that is just inside the window is accepted",
            &["SIPAE-3.1.1-02", "SIPAE-3.1.1-04"],
        )
        .plan(|_| {
            Service::new()
                .answered("far")
                .sign_at("far", 700)
                .ask("far")
                .answered("inside")
                .sign_at("inside", 446)
                .ask("inside")
                .skip(701)
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.1.1-02", "inside");
            judge.processed("SIPAE-3.1.1-04", "inside");
        }),
        shared("3.1.1/forgery-moves-nothing", "a forged number moves no window", &["SIPAE-3.1.1-09"])
            .plan(|_| {
                flipped(Service::new().answered("bad").sign_at("bad", 100_000), "bad")
                    .send("bad")
                    .ask_signed("good")
            })
            .judge(|judge| judge.processed("SIPAE-3.1.1-09", "good")),
        shared(
            "3.1.1/forgery-marks-nothing",
            "a number that only a forgery had is good",
            &["SIPAE-3.1.1-09"],
        )
        .plan(|_| {
            flipped(Service::new().answered("bad").sign_at("bad", 0), "bad").send("bad").ask_signed("good")
        })
        .judge(|judge| judge.processed("SIPAE-3.1.1-09", "good")),
        shared(
            "3.1.1/retransmission",
            "a request that comes again as it was ends nothing",
            &["SIPAE-3.1.1-13"],
        )
        .plan(|_| Service::new().ask_signed("good").copy("again", "good").send("again").ask_signed("later"))
        .judge(|judge| judge.processed("SIPAE-3.1.1-13", "later")),
    ]
}
