//! What is news among the events, and the message that tells it.

use std::collections::BTreeMap;

use footplate_core::event::{AlertChange, Event};
use footplate_core::notice::NoticeKind;
use footplate_core::{Fault, UtcMs};

use super::keeper::Client;
use super::look::alert_view;
use crate::webhook::{DiskFacts, Message, Stamp};

/// Events read at once.
const EVENTS: u32 = 1_000;
/// So many of a kind are told by a line; of more, the number.
const EACH_MOST: usize = 10;

/// News, in the order in which they came, and the most of each kind only counted.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// At most ten of each kind.
    first: Vec<Piece>,
    counts: BTreeMap<NoticeKind, u64>,
    /// When the last of them came, UTC milliseconds.
    last: i64,
    /// The last event that was read.
    pub(crate) upto: i64,
}

impl News {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.counts.values().sum::<u64>()).unwrap_or(usize::MAX)
    }
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    seq: i64,
    time: i64,
    kind: NoticeKind,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The run with this number ended.
    End(i64),
    /// An alert, by its number.
    Alert(i64),
    Disk(DiskFacts),
}

impl Client {
    /// The news of these kinds after an event, but for those from before `not_before`, UTC milliseconds.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn news_after(&self, seq: i64, on: &[NoticeKind], not_before: i64) -> Result<News, Fault> {
        let read = self.store.read()?;
        // A store that was restored may be behind.
        let mut news = News { upto: seq.min(read.last_seq()?), ..News::default() };
        loop {
            let rows = read.events_after(news.upto, EVENTS)?;
            let whole = rows.len() == EVENTS as usize;
            for row in rows {
                news.upto = row.seq;
                if row.time < not_before {
                    continue;
                }
                let (kind, what) = match (row.event, row.run) {
                    (Event::RunStatus { status }, Some(run)) => (NoticeKind::of_status(status), What::End(run)),
                    (Event::Alert { alert, change: AlertChange::Raised, .. }, _) => {
                        // One that somebody has seen is no news.
                        let found = read.alert(alert)?.filter(|alert| alert.dismissed_at.is_none());
                        (found.map(|alert| NoticeKind::of_alert(alert.facts.kind)), What::Alert(alert))
                    }
                    (Event::Disk { level, free, mark }, _) => {
                        (Some(NoticeKind::Disk), What::Disk(DiskFacts { level, free, mark }))
                    }
                    _ => continue,
                };
                let Some(kind) = kind.filter(|kind| on.contains(kind)) else { continue };
                let count = news.counts.entry(kind).or_default();
                *count += 1;
                news.last = row.time;
                if *count <= EACH_MOST as u64 {
                    news.first.push(Piece { seq: row.seq, time: row.time, kind, what });
                }
            }
            if !whole {
                return Ok(news);
            }
        }
    }

    /// The first of the news that can be told, and the event up to which all is told with it.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn first_message(&self, news: &News) -> Result<Option<(Message, i64)>, Fault> {
        for (place, piece) in news.first.iter().enumerate() {
            if let Some(message) = self.message(piece)? {
                let last = place + 1 == news.first.len();
                return Ok(Some((message, if last { news.upto } else { piece.seq })));
            }
        }
        Ok(None)
    }

    /// All of the news as one message.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn message_of_all(&self, news: &News) -> Result<Option<(Message, i64)>, Fault> {
        let mut first = news.first.clone();
        first.sort_by_key(|piece| (piece.kind, piece.seq));
        let mut each = Vec::new();
        for piece in first.iter().take(EACH_MOST) {
            each.extend(self.message(piece)?);
        }
        let counts = news.counts.iter().map(|(kind, count)| (*kind, *count)).collect();
        let message = Message::several(self.stamp(news.upto, news.last)?, counts, &each);
        Ok(Some((message, news.upto)))
    }

    fn message(&self, piece: &Piece) -> Result<Option<Message>, Fault> {
        let stamp = self.stamp(piece.seq, piece.time)?;
        Ok(match piece.what {
            // Removed meanwhile: nothing can be said of it.
            What::End(number) => self.show(number).ok().map(|run| Message::end(stamp, piece.kind, &run)),
            What::Alert(id) => {
                let Some(row) = self.store.read()?.alert(id)? else { return Ok(None) };
                let Ok(run) = self.show(row.key.run) else { return Ok(None) };
                let stage = run.stages.as_ref().and_then(|stages| stages.get(row.key.stage as usize));
                let name = stage.map(|stage| stage.name.clone()).unwrap_or_default();
                Some(Message::alert(stamp, &run, &alert_view(&row, name)))
            }
            What::Disk(disk) => Some(Message::disk(stamp, disk)),
        })
    }

    /// The mark of a message about this event: the same whoever tells it.
    fn stamp(&self, seq: i64, time: i64) -> Result<Stamp, Fault> {
        Ok(Stamp { id: format!("{}-{seq}", self.epoch()?), time: UtcMs(time), machine: machine() })
    }
}

/// The machine's name.
pub(super) fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use footplate_core::RunStatus;
    use footplate_core::view::DiskLevel;
    use footplate_store::{Role, Store};

    use super::*;
    use crate::Home;
    use crate::client::OwnerStart;

    const DISK: Event = Event::Disk { level: DiskLevel::Low, free: 4_000_000_000, mark: 5_000_000_000 };

    /// A store with these events, each with its time and run.
    fn with(events: &[(i64, Option<i64>, Event)]) -> (tempfile::TempDir, Client) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(&dir.path().join("data")).unwrap();
        let client = Client::open_with(home.clone(), OwnerStart::Never).unwrap();
        let mut store = Store::open(home.state_dir(), Role::Guest).unwrap();
        store
            .write(|tx| {
                for (time, run, event) in events {
                    tx.append(*run, event, *time)?;
                }
                Ok(())
            })
            .unwrap();
        (dir, client)
    }

    fn ended(time: i64, run: i64, status: RunStatus) -> (i64, Option<i64>, Event) {
        (time, Some(run), Event::RunStatus { status })
    }

    #[test]
    fn news_are_of_the_kinds_that_are_wanted_after_the_last_one_and_of_the_last_day() {
        let (_dir, client) = with(&[
            ended(10, 1, RunStatus::Failed),
            ended(20, 2, RunStatus::Running),
            ended(30, 2, RunStatus::Completed),
            ended(40, 3, RunStatus::Cancelled),
            (50, None, DISK),
        ]);
        let of = |seq, on: &[NoticeKind], not_before| {
            let news = client.news_after(seq, on, not_before).unwrap();
            (news.counts.into_iter().collect::<Vec<_>>(), news.upto)
        };
        let all = NoticeKind::ALL;
        let (disk, failed, done) = (NoticeKind::Disk, NoticeKind::Failed, NoticeKind::Completed);
        assert_eq!(of(0, &all, 0), (vec![(disk, 1), (failed, 1), (done, 1)], 5));
        assert_eq!(of(0, &[failed], 0), (vec![(failed, 1)], 5));
        assert_eq!(of(1, &all, 0), (vec![(disk, 1), (done, 1)], 5), "what was told is not told again");
        assert_eq!(of(0, &all, 31), (vec![(disk, 1)], 5), "what is too old is let go");
        assert_eq!(of(5, &all, 0), (vec![], 5));
        assert_eq!(of(900, &all, 0), (vec![], 5), "a store that is behind begins where it is");
    }

    #[test]
    fn ten_thousand_news_are_one_message_of_bounded_length_the_disk_first() {
        let mut events: Vec<_> = (0..10_000).map(|n| ended(n, n, RunStatus::Completed)).collect();
        events.push((10_000, None, DISK));
        let (_dir, client) = with(&events);
        let news = client.news_after(0, &NoticeKind::ALL, 0).unwrap();
        assert_eq!((news.count(), news.first.len()), (10_001, EACH_MOST + 1));
        let (message, upto) = client.message_of_all(&news).unwrap().unwrap();
        assert_eq!(upto, 10_001);
        let told = serde_json::to_value(&message).unwrap();
        assert_eq!(told["title"], "The disk is nearly full, 10000 done");
        assert_eq!(told["counts"], serde_json::json!({ "disk": 1, "completed": 10_000 }));
        let text = told["text"].as_str().unwrap();
        // The runs were removed meanwhile: nothing but their number can be told.
        assert_eq!(text, "The disk is nearly full: 4GB are free. Nothing new starts below 5GB.\nand 10000 more");
    }

    #[test]
    fn a_run_that_was_removed_is_passed_over_and_what_comes_after_it_is_told() {
        let (_dir, client) = with(&[ended(1, 7, RunStatus::Failed), (2, None, DISK), ended(3, 8, RunStatus::Failed)]);
        let news = client.news_after(0, &NoticeKind::ALL, 0).unwrap();
        let (message, upto) = client.first_message(&news).unwrap().unwrap();
        assert_eq!((serde_json::to_value(&message).unwrap()["kind"].as_str(), upto), (Some("disk"), 2));
        let news = client.news_after(upto, &NoticeKind::ALL, 0).unwrap();
        assert!(client.first_message(&news).unwrap().is_none());
        assert_eq!(news.upto, 3);
    }
}
