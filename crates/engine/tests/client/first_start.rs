use std::sync::{Arc, Barrier};

use footplate_engine::client::{Client, OwnerStart, Wish, WishRequest};
use footplate_engine::home::Home;

use crate::{Bench, command};

#[test]
fn twenty_first_starts_in_a_new_folder_at_once_are_without_error() {
    for round in 0..5 {
        let bench = Bench::new();
        let root = bench.path().join("data");
        let gate = Arc::new(Barrier::new(20));
        let guests: Vec<_> = (0..20)
            .map(|_| {
                let (root, gate) = (root.clone(), Arc::clone(&gate));
                std::thread::spawn(move || {
                    gate.wait();
                    let home = Home::at(&root).unwrap();
                    let mut client = Client::open_with(home, OwnerStart::Never).unwrap();
                    let run = client.submit(command(&["true"])).unwrap();
                    client.wish(WishRequest::of(run.number, Wish::Pause {})).unwrap();
                    run.number
                })
            })
            .collect();
        let mut numbers: Vec<i64> = guests.into_iter().map(|guest| guest.join().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "round {round}");
    }
}
