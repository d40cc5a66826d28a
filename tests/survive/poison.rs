//! Wishes that no guest of ours writes: refused one by one, with the owner and all other work unharmed.

use footplate_store::{NewWish, Role, Store, WishStatus};
use footplate_testkit::{Bench, until};

use crate::LONG;

#[test]
fn a_wish_that_cannot_be_granted_is_refused_and_stops_nothing() {
    let bench = Bench::new();
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let number = bench.add(&[], &["true"]);
    let mut store = Store::open(&bench.data(), Role::Guest).unwrap();
    let poison = [
        ("set", r#"{"priority": 100000}"#, Some(number)),
        ("dance", "{}", Some(number)),
        ("cancel", "no JSON", Some(number)),
        ("move", r#"{"to": -1}"#, Some(number)),
        ("queue", r#"{"name": "", "limit": 3}"#, None),
        ("pause", "{}", None),
        ("rename", r#"{"name": ""}"#, Some(number)),
        ("cancel", "{}", Some(999)),
    ];
    for (index, (kind, args, run)) in poison.iter().enumerate() {
        let wish = NewWish {
            id: format!("poison-{index}"),
            run: *run,
            generation: None,
            kind: (*kind).to_owned(),
            args: (*args).to_owned(),
            created_at: footplate_shim::clock::wall_ms(),
        };
        store.write(|tx| tx.insert_wish(&wish)).unwrap();
    }
    // The next honest wish starts an owner, which meets the others first.
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    for index in 0..poison.len() {
        let answered = || store.read().unwrap().wish(&format!("poison-{index}")).unwrap().unwrap();
        until(LONG, "it is answered", || answered().status != WishStatus::Pending);
        let wish = answered();
        assert_eq!(wish.status, WishStatus::Refused, "{wish:?}");
        assert!(!wish.message.unwrap().is_empty());
    }
}

#[test]
fn captured_secrets_reach_the_program_and_nothing_else() {
    let mut bench = Bench::new();
    bench.set_env("HF_TOKEN", "hf_canary_0123456789abcdef");
    let number = bench.add(&[], &["sh", "-c", "test \"$HF_TOKEN\" = hf_canary_0123456789abcdef && echo it is there"]);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    assert_eq!(bench.run(&["logs", &number.to_string()]).expect(0).stdout, "it is there\n");
    let found = std::process::Command::new("grep")
        .args(["-rl", "--exclude-dir=secrets", "-e", "hf_canary_0123456789abcdef\"}", "-e", "HF_TOKEN=hf_canary"])
        .arg(bench.data())
        .output()
        .unwrap();
    assert!(found.stdout.is_empty(), "the secret stands in {}", String::from_utf8_lossy(&found.stdout));
    let _ = bench.run(&["rm", &number.to_string()]).expect(0);
    // Files go after the commit that says so.
    let left = || std::fs::read_dir(bench.data().join("secrets")).unwrap().count();
    until(LONG, "the secret is erased with its run", || left() == 0);
}
