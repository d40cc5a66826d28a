//! What a desktop has on the session bus: somebody who shows notifications, and a panel with a tray. Both only remember.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use footplate_testkit::holds_within;
use zbus::blocking::{Connection, Proxy, connection};
use zbus::message::Header;
use zbus::names::OwnedBusName;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};

use crate::driver::PATIENCE;

/// A notification that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: u32,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
}

/// What the app's place in the taskbar shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Whose place it is.
    pub entry: String,
    /// The bar, where there is one.
    pub progress: Option<f64>,
    /// The badge, where there is one.
    pub count: Option<i64>,
}

/// The app's place in the taskbar.
#[derive(Clone, Debug)]
pub struct Taskbar(Seen<Tile>);

impl Taskbar {
    /// Waits until it shows this.
    ///
    /// # Panics
    /// Where it does not, with all that it showed.
    #[track_caller]
    pub fn shows(&self, progress: Option<f64>, count: Option<i64>) {
        let now = || lock(&self.0).last().map(|tile| (tile.progress, tile.count));
        let shown = holds_within(PATIENCE, || now() == Some((progress, count)));
        assert!(shown, "not ({progress:?}, {count:?}) but {:?}", lock(&self.0));
    }

    /// Whose place it is, as the app says.
    #[must_use]
    pub fn entry(&self) -> String {
        lock(&self.0).last().map(|tile| tile.entry.clone()).unwrap_or_default()
    }
}

/// An item of the tray's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    id: i32,
    /// Its text.
    pub text: String,
    /// Whether it can be chosen.
    pub enabled: bool,
}

type Seen<T> = Arc<Mutex<Vec<T>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Notifications(Seen<Notification>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "so many the specification has")]
    fn notify(
        &self,
        _app: String,
        _replaces: u32,
        _icon: String,
        title: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut seen = lock(&self.0);
        let id = u32::try_from(seen.len()).unwrap_or(u32::MAX - 1) + 1;
        seen.push(Notification { id, title, body });
        id
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into(), "actions".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "footplate".into(), "1".into(), "1.2".into())
    }
}

struct Watcher(Seen<(OwnedBusName, String)>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, #[zbus(header)] header: Header<'_>, service: String) {
        if let Some(sender) = header.sender() {
            let name = zbus::names::BusName::from(sender.to_owned());
            lock(&self.0).push((OwnedBusName::from(name), service));
        }
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        lock(&self.0).iter().map(|(sender, path)| format!("{sender}{path}")).collect()
    }
}

/// An app that is killed while a second start asks it for its window.
struct Dying;

#[zbus::interface(name = "org.SingleInstance.DBus")]
impl Dying {
    async fn execute_callback(
        &self,
        _arguments: Vec<String>,
        _folder: String,
        #[zbus(connection)] own: &zbus::Connection,
    ) {
        // Its connection goes, and the bus tells whoever waits for the answer.
        let _ = own.clone().close().await;
        std::future::pending::<()>().await;
    }
}

/// The session bus of a desk.
#[derive(Debug)]
pub struct Bus {
    address: String,
    connection: Connection,
    notifications: Seen<Notification>,
    trays: Seen<(OwnedBusName, String)>,
}

impl Bus {
    /// Joins a bus, and is its desktop.
    ///
    /// # Panics
    /// Where it cannot.
    #[must_use]
    pub fn join(address: &str) -> Bus {
        let (notifications, trays) = (Seen::default(), Seen::default());
        let connect = || {
            connection::Builder::address(address)?
                .serve_at("/org/freedesktop/Notifications", Notifications(Arc::clone(&notifications)))?
                .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&trays)))?
                .name("org.freedesktop.Notifications")?
                .name("org.kde.StatusNotifierWatcher")?
                .build()
        };
        let connection = connect().unwrap_or_else(|error| panic!("the bus {address}: {error}"));
        Bus { address: address.to_owned(), connection, notifications, trays }
    }

    /// Puts something in the app's place that ends as soon as it is asked for its window.
    ///
    /// # Panics
    /// Where an app is there already.
    pub fn dying_app(&self) -> Connection {
        let name = "dev.footplate.desktop.SingleInstance";
        let path = format!("/{}", name.replace('.', "/"));
        let connect = || connection::Builder::address(&*self.address)?.serve_at(&*path, Dying)?.name(name)?.build();
        connect().unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The panel ends, and the tray with it.
    ///
    /// # Panics
    /// Where there was none.
    pub fn panel_ends(&self) {
        let released = self.connection.release_name("org.kde.StatusNotifierWatcher");
        assert!(matches!(released, Ok(true)), "{released:?}");
    }

    /// Waits for a notification with this in its title.
    ///
    /// # Panics
    /// Where there is none, with those there are.
    #[track_caller]
    pub fn notified(&self, title: &str) -> Notification {
        let find = || lock(&self.notifications).iter().find(|one| one.title.contains(title)).cloned();
        let found = holds_within(PATIENCE, || find().is_some());
        match find() {
            Some(one) if found => one,
            _ => panic!("no notification {title:?}, but {:?}", lock(&self.notifications)),
        }
    }

    /// How many notifications with this in their title there were.
    #[must_use]
    pub fn count(&self, title: &str) -> usize {
        lock(&self.notifications).iter().filter(|one| one.title.contains(title)).count()
    }

    /// A person clicks a notification.
    ///
    /// # Panics
    /// Where the bus does not carry it.
    pub fn click(&self, notification: &Notification) {
        let sent = self.connection.emit_signal(
            None::<&str>,
            "/org/freedesktop/Notifications",
            "org.freedesktop.Notifications",
            "ActionInvoked",
            &(notification.id, "default"),
        );
        assert!(sent.is_ok(), "{sent:?}");
    }

    /// What the app says to the taskbar from now on.
    ///
    /// # Panics
    /// Where the bus lets nobody listen.
    #[must_use]
    pub fn taskbar(&self) -> Taskbar {
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("com.canonical.Unity.LauncherEntry")
            .and_then(|rule| rule.member("Update"))
            .map(|rule| rule.build());
        let listen = || zbus::blocking::MessageIterator::for_match_rule(rule?, &self.connection, Some(1000));
        let mut all = listen().unwrap_or_else(|error| panic!("the taskbar: {error}"));
        let seen = Seen::<Tile>::default();
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            while let Some(Ok(message)) = all.next() {
                let body: Result<(String, HashMap<String, OwnedValue>), _> = message.body().deserialize();
                let Ok((entry, mut facts)) = body else { continue };
                let mut fact = |name: &str| facts.remove(name);
                let shown = |value: Option<OwnedValue>| value.and_then(|v| bool::try_from(v).ok()).unwrap_or(false);
                let progress = fact("progress").and_then(|v| f64::try_from(v).ok());
                let count = fact("count").and_then(|v| i64::try_from(v).ok());
                lock(&into).push(Tile {
                    entry,
                    progress: progress.filter(|_| shown(fact("progress-visible"))),
                    count: count.filter(|_| shown(fact("count-visible"))),
                });
            }
        });
        Taskbar(seen)
    }

    /// For sentences about what is missing.
    #[must_use]
    pub fn trays(&self) -> String {
        let trays = lock(&self.trays).clone();
        format!("{trays:?} {:?} {:?}", self.tray_label(), self.tray_items())
    }

    fn tray(&self) -> Option<(Proxy<'static>, Proxy<'static>)> {
        let (sender, path) = lock(&self.trays).last().cloned()?;
        let item = Proxy::new(&self.connection, sender.clone(), path, "org.kde.StatusNotifierItem").ok()?;
        let menu: OwnedObjectPath = item.get_property("Menu").ok()?;
        let menu = Proxy::new(&self.connection, sender, menu, "com.canonical.dbusmenu").ok()?;
        Some((item, menu))
    }

    /// The text beside the tray's icon.
    #[must_use]
    pub fn tray_label(&self) -> Option<String> {
        self.tray()?.0.get_property("XAyatanaLabel").ok()
    }

    /// The tray's menu, lines left out. Empty where there is no tray.
    #[must_use]
    pub fn tray_items(&self) -> Vec<Item> {
        let Some((_, menu)) = self.tray() else { return Vec::new() };
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let layout: Result<Layout, _> = menu.call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()));
        let Ok((_, (_, _, children))) = layout else { return Vec::new() };
        children.into_iter().filter_map(item).collect()
    }

    /// Chooses an item of the tray's menu.
    ///
    /// # Panics
    /// Where there is none with this in its text.
    #[track_caller]
    pub fn choose(&self, text: &str) {
        let find = || self.tray_items().into_iter().find(|item| item.enabled && item.text.contains(text));
        let found = holds_within(PATIENCE, || find().is_some());
        let (true, Some(item), Some((_, menu))) = (found, find(), self.tray()) else {
            panic!("the tray has no item {text:?}, but {:?}", self.tray_items());
        };
        let chosen: Result<(), _> = menu.call("Event", &(item.id, "clicked", Value::from(0_i32), 0_u32));
        assert!(chosen.is_ok(), "{chosen:?}");
    }
}

fn item(value: OwnedValue) -> Option<Item> {
    let fields = Structure::try_from(Value::from(value)).ok()?.into_fields();
    let [id, properties, _] = fields.try_into().ok()?;
    let id = i32::try_from(id).ok()?;
    let properties: HashMap<String, Value<'static>> = properties.try_into().ok()?;
    let text = match properties.get("label") {
        Some(Value::Str(text)) => text.replace('_', ""),
        _ => return None,
    };
    let enabled = !matches!(properties.get("enabled"), Some(Value::Bool(false)));
    Some(Item { id, text, enabled })
}
