//! Where the kernel counts for a control group, of either version: cgroups(7), `/proc/[pid]/cgroup` and `/proc/[pid]/mountinfo`.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How many processes of this one's control group the system has killed for want of memory, whoever's want it was: `oom_kill` of
/// `memory.events` (cgroup v2) or of `memory.oom_control` (v1). `None`: nobody counts.
pub fn oom_kills() -> Option<u64> {
    // A process forked from one that has looked is in the same group.
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let look = || {
        let read = |name: &str| std::fs::read_to_string(Path::new("/proc/self").join(name)).ok();
        find(&read("cgroup")?, &read("mountinfo")?, "memory", ["memory.events", "memory.oom_control"])
    };
    let path = FILE.get_or_init(look).as_ref()?;
    let mut buffer = [0_u8; 512];
    let length = std::fs::File::open(path).ok()?.read(&mut buffer).ok()?;
    counted(std::str::from_utf8(buffer.get(..length)?).ok()?)
}

fn counted(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// A file of the group that a process is in: of those two names the first in a group of the second version, the other where this
/// controller is mounted by the first version. Only one of the two has a controller.
fn find(groups: &str, mounts: &str, controller: &str, [second, first]: [&str; 2]) -> Option<PathBuf> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (controllers, path) = (parts.nth(1)?, parts.next()?);
        let (is_second, file) = match controllers {
            "" => (true, second),
            some if some.split(',').any(|one| one == controller) => (false, first),
            _ => return None,
        };
        let mut mounted = mounts.lines().filter_map(Mount::parse).filter(|mount| match is_second {
            true => mount.kind == "cgroup2",
            false => mount.kind == "cgroup" && mount.options.split(',').any(|one| one == controller),
        });
        mounted.find_map(|mount| mount.places(path).map(|folder| folder.join(file)).find(|file| file.is_file()))
    })
}

/// A line of mountinfo, see proc_pid_mountinfo(5).
struct Mount<'a> {
    /// The folder of the hierarchy that is seen at `point`.
    root: String,
    point: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (place, about) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (unescaped(place.next()?), unescaped(place.next()?));
        let mut about = about.split(' ');
        let kind = about.next()?;
        let options = about.nth(1)?;
        Some(Mount {
            root: String::from_utf8_lossy(&root).into_owned(),
            point: OsString::from_vec(point).into(),
            kind,
            options,
        })
    }

    /// Where a group may be seen. In a container its path may be the host's: the group is what is mounted then.
    fn places(&self, group: &str) -> impl Iterator<Item = PathBuf> {
        let below = match self.root.as_str() {
            "/" => Some(group),
            root => group.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        let own = below.map(|below| self.point.join(below.trim_start_matches('/')));
        own.into_iter().chain([self.point.clone()])
    }
}

/// A blank, a tab, a line feed and a backslash stand in octal.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn run(program: &str, args: &[&str]) -> bool {
        Command::new(program).args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// A real hierarchy of the second version, taken away again.
    struct Second(PathBuf);

    impl Second {
        fn mounted() -> Option<Second> {
            // A blank, for the line of mountinfo.
            let place = std::env::temp_dir().join(format!("second version {}", std::process::id()));
            std::fs::create_dir_all(&place).unwrap();
            let mounted = run("mount", &["-t", "cgroup2", "none", place.to_str().unwrap()]);
            let second = Second(place);
            // Where it is not ours to mount, or to make groups in.
            (mounted && std::fs::create_dir(second.group()).is_ok()).then_some(second)
        }

        fn group(&self) -> PathBuf {
            self.0.join(format!("footplate-test-{}", std::process::id()))
        }
    }

    impl Drop for Second {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir(self.group());
            run("umount", &[self.0.to_str().unwrap()]);
            let _ = std::fs::remove_dir(&self.0);
        }
    }

    #[test]
    fn a_process_in_a_real_group_of_the_second_version_is_found_by_what_the_kernel_says_of_it() {
        let Some(second) = Second::mounted() else {
            eprintln!("SKIPPED: no group of the second version can be made here (not root, or no cgroup2)");
            return;
        };
        let mut child = Command::new("sleep").arg("300").spawn().unwrap();
        std::fs::write(second.group().join("cgroup.procs"), child.id().to_string()).unwrap();
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", child.id())).unwrap();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        // The memory controller may be the first version's here; this file every group has.
        let found = find(&groups, &mounts, "memory", ["cgroup.procs", "no such file"]);
        let listed = found.as_ref().map(|file| std::fs::read_to_string(file).unwrap());
        let _ = (child.kill(), child.wait());
        // Where the hierarchy is mounted elsewhere as well, that place is as good: the group is the same one.
        let name = second.group().file_name().unwrap().to_owned();
        assert!(found.as_ref().is_some_and(|file| file.parent().unwrap().ends_with(&name)), "{found:?}\n{groups}");
        assert_eq!(listed.unwrap().trim(), child.id().to_string());
    }

    /// A folder with these files, and a line of mountinfo that has it at `point`.
    fn laid(files: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for file in files {
            let path = place.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        place
    }

    const NAMES: [&str; 2] = ["memory.events", "memory.oom_control"];

    #[test]
    fn either_version_both_at_once_and_a_container_with_the_hosts_path() {
        // The lines are those of Debian 12 (v2 alone), of Ubuntu 18.04 (both, memory in v1) and of a container of each, places changed.
        let two = laid(&["user.slice/session-2.scope/memory.events"]);
        let at = two.path().display();
        let mounts =
            format!("35 24 0:30 / {at} rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
        let own = "0::/user.slice/session-2.scope\n";
        assert_eq!(
            find(own, &mounts, "memory", NAMES),
            Some(two.path().join("user.slice/session-2.scope/memory.events"))
        );
        assert_eq!(find("0::/user.slice/other\n", &mounts, "memory", NAMES), None, "no controller there");
        let both = laid(&["memory/user.slice/memory.oom_control", "unified/user.slice/cgroup.procs"]);
        let at = both.path().display();
        let mounts = format!(
            "33 31 0:28 / {at}/unified rw,nosuid shared:10 - cgroup2 cgroup rw\n\
             39 31 0:34 / {at}/cpu,cpuacct rw shared:16 - cgroup cgroup rw,cpu,cpuacct\n\
             41 31 0:36 / {at}/memory rw,nosuid shared:18 - cgroup cgroup rw,memory\n"
        );
        let own = "11:cpu,cpuacct:/user.slice\n9:memory:/user.slice\n1:name=systemd:/user.slice\n0::/user.slice\n";
        assert_eq!(find(own, &mounts, "memory", NAMES), Some(both.path().join("memory/user.slice/memory.oom_control")));
        let inside = laid(&["memory.events"]);
        let at = inside.path().display();
        let seen = format!("1711 1708 0:30 /docker/3f2a {at} ro,nosuid - cgroup2 cgroup rw\n");
        for own in ["0::/docker/3f2a\n", "0::/\n", "0::/../other\n"] {
            assert_eq!(find(own, &seen, "memory", NAMES), Some(inside.path().join("memory.events")), "{own}");
        }
        assert_eq!(find("", &mounts, "memory", NAMES), None);
        assert_eq!(find("damaged\n0:", "damaged - \n1 2 3 - cgroup2", "memory", NAMES), None);
    }

    #[test]
    fn what_was_killed_is_counted_in_the_files_of_both_versions() {
        // Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst name the keys; the order is the kernel's.
        let second = "low 0\nhigh 12\nmax 93\noom 4\noom_kill 3\noom_group_kill 1\n";
        let first = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
        assert_eq!((counted(second), counted(first), counted("low 0\n")), (Some(3), Some(2), None));
    }

    #[test]
    fn what_stands_in_octal_is_read_and_a_backslash_alone_is_one() {
        assert_eq!(unescaped(r"/a\040b\134c\x"), b"/a b\\c\\x");
        assert_eq!(unescaped(r"\04"), br"\04");
    }
}
