//! Archives that strangers might make: each is refused with a sentence, and nothing is written.

use std::collections::BTreeMap;
use std::path::Path;

use footplate_core::ErrorCode;
use footplate_engine::archive;
use footplate_engine::templates::own::{self, Name};

use crate::raw::{End, Item, deflated, file, folder, zip, zip_ended};
use crate::{MANIFEST, PIPELINE, children, home, manifest};

fn good() -> Vec<Item> {
    vec![file("manifest.json", MANIFEST), file("template/footplate.toml", PIPELINE)]
}

/// A good archive and one entry more.
fn and(item: Item) -> Vec<u8> {
    let mut all = good();
    all.push(item);
    zip(&all)
}

fn named(name: impl AsRef<[u8]>) -> Vec<u8> {
    and(file(name, "x"))
}

/// What is refused, and a part of the sentence that says why.
fn corpus() -> Vec<(String, Vec<u8>, &'static str)> {
    let mut all: Vec<(String, Vec<u8>, &'static str)> = Vec::new();
    let mut add = |what: &str, bytes: Vec<u8>, why: &'static str| all.push((what.to_owned(), bytes, why));

    // Names that lead elsewhere.
    for name in [
        "../evil",
        "../../../../../../tmp/evil",
        "template/../../evil",
        "template/../footplate-evil",
        "template/a/../../../evil",
        "template/..",
        "template/../",
        "template/./evil",
        "./template/evil",
    ] {
        add(name, named(name), "leads elsewhere");
    }
    for name in ["/etc/cron.d/evil", "/evil", "//server/share/evil"] {
        add(name, named(name), "absolute path");
    }
    for name in ["template//evil", "template/a//b"] {
        add(name, named(name), "empty part");
    }
    for name in [
        "..\\evil",
        "template\\..\\..\\evil",
        "C:\\evil",
        "C:evil",
        "template/a:stream",
        "template/what?",
        "template/a*",
    ] {
        add(name, named(name), "not every system allows");
    }
    // Names that some system reads otherwise.
    for name in ["template/CON", "template/nul.txt", "template/a/Lpt1", "template/com¹.py", "template/aux/x"] {
        add(name, named(name), "device on Windows");
    }
    for name in ["template/evil.", "template/evil ", "template/ evil", "template/a. /b"] {
        add(name, named(name), "a blank");
    }
    for name in
        ["template/a\u{202e}gpj.exe", "template/a\u{200b}b", "template/a\nb", "template/\u{1b}[2J", "template/a\0b"]
    {
        add(name, named(name), "not seen");
    }
    add("NFD", named("template/e\u{301}.txt"), "composed form");
    add("not UTF-8", named(b"template/\xff\xfe"), "UTF-8");
    add("a name in code page 437", and(file(b"template/\x82", "x").with(|i| i.flags = 0)), "UTF-8");
    add("no name", named(""), "empty");
    add("a name of 300 bytes", named(format!("template/{}", "a".repeat(300))), "300 bytes");
    add("a path of 5,000 bytes", named(format!("template/{}x", "aaaaaaaaa/".repeat(500))), "bytes");
    add("folders 200 deep", named(format!("template/{}x", "a/".repeat(200))), "deep");
    add("outside the template's folder", named("other/file"), "neither manifest.json nor within template/");
    add(
        "a file in the template's place",
        zip(&[file("manifest.json", MANIFEST), file("template", "x")]),
        "neither manifest",
    );

    // Two names that are one.
    let pair = |a: &str, b: &str| {
        let mut all = good();
        all.extend([file(a, "1"), file(b, "2")]);
        zip(&all)
    };
    add("the same twice", pair("template/a", "template/a"), "twice");
    add("two manifests", and(file("manifest.json", MANIFEST)), "twice");
    add("two manifests by case", and(file("Manifest.json", MANIFEST)), "case only");
    add("two files by case", pair("template/Train.py", "template/train.py"), "case only");
    add("two folders by case", pair("template/Src/a", "template/src/b"), "case only");
    add("two spellings of straße", pair("template/straße", "template/STRASSE"), "case only");
    add("a file and a folder", pair("template/a", "template/a/b"), "both a file and a folder");
    add("a folder and a file", pair("template/a/b", "template/a"), "both a file and a folder");

    // What is no file.
    let kind = |mode: u32| and(file("template/evil", "/etc/passwd").with(|i| i.mode = mode));
    add("a link", kind(0o120_777), "neither a file nor a folder");
    add("a device", kind(0o020_666), "neither a file nor a folder");
    add("a disk", kind(0o060_660), "neither a file nor a folder");
    add("a pipe", kind(0o010_644), "neither a file nor a folder");
    add("a socket", kind(0o140_755), "neither a file nor a folder");
    add(
        "a link made on Windows",
        and(file("template/evil", "/").with(|i| (i.mode, i.system) = (0o120_777, 0))),
        "neither a file",
    );
    add("a file that says it is a folder", kind(0o040_755), "neither a file nor a folder");
    add(
        "a folder that says it is a file",
        and(folder("template/evil/").with(|i| i.mode = 0o100_644)),
        "not what its name says",
    );
    add("setuid", kind(0o104_755), "other rights");
    add("a folder with content", and(file("template/evil/", "x").with(|i| i.mode = 0o040_755)), "folder with content");

    // Bombs.
    let zeros = vec![0; 8 << 20];
    add("a bomb by ratio", and(deflated("template/zeros", &zeros)), "would become");
    let many: Vec<Item> = (0..300).map(|n| deflated(&format!("template/{n}"), &zeros[..1 << 19])).collect();
    add("a bomb of small files", zip(&[good(), many].concat()), "would become");
    let lies = |size: u32| and(deflated("template/zeros", &zeros).with(|i| i.size = Some(size)));
    add("a length that is less than the truth", lies(100), "damaged");
    add(
        "a length that is more than the truth",
        and(deflated("template/a", b"abc").with(|i| i.size = Some(500_000))),
        "not as long",
    );
    add("a length over the limit", and(deflated("template/a", b"x").with(|i| i.size = Some(0xf000_0000))), "bytes");
    let counted: Vec<Item> = (0..10_001).map(|n| file(format!("template/{n}"), "")).collect();
    add("10,003 entries", zip(&[good(), counted].concat()), "entries");
    add(
        "a long manifest",
        zip(&[file("manifest.json", vec![b' '; 70 << 10]), file("template/footplate.toml", PIPELINE)]),
        "limit",
    );

    // Broken and lying.
    let whole = zip(&good());
    add("an empty file", Vec::new(), "not a zip");
    add("text", b"format = 1\nname = \"x\"\n[stages.a]\ncommand = [\"touch\", \"evil\"]\n".to_vec(), "zip file");
    add("its first half", whole[..whole.len() / 2].to_vec(), "zip file");
    add("its end cut off", whole[..whole.len() - 1].to_vec(), "zip file");
    add("a byte behind it", [whole, vec![0]].concat(), "zip file");
    add(
        "a program in front",
        zip_ended(&good(), End { ahead: b"#!/bin/sh\ntouch evil\n".to_vec(), ..End::default() }),
        "",
    );
    add("a comment", zip_ended(&good(), End { comment: b"PK".to_vec(), ..End::default() }), "zip file");
    add("a part of several", zip_ended(&good(), End { disk: 1, ..End::default() }), "part of several");
    add("fewer entries than there are", zip_ended(&good(), End { entries: Some(1), ..End::default() }), "");
    add("more entries than there are", zip_ended(&good(), End { entries: Some(9), ..End::default() }), "");
    add("a table that is elsewhere", zip_ended(&good(), End { start: Some(3), ..End::default() }), "table of contents");
    add(
        "a table that is longer",
        zip_ended(&good(), End { length: Some(9999), ..End::default() }),
        "table of contents",
    );
    let huge = End { entries: Some(0xffff), start: Some(0xffff_ffff), length: Some(0xffff_ffff), ..End::default() };
    add("zip64 without its records", zip_ended(&good(), huge), "zip64");
    let mut records = b"PK\x06\x06".to_vec();
    records.extend([44, 0, 0, 0, 0, 0, 0, 0, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    records.extend([0xff; 32]);
    records.extend(b"PK\x06\x07\0\0\0\0");
    records.extend(u64::MAX.to_le_bytes());
    records.extend([1, 0, 0, 0]);
    add("zip64 with lying records", zip_ended(&good(), End { before: records, ..End::default() }), "table of contents");
    let wide = and(file("template/a", "x").with(|i| {
        i.size = Some(u32::MAX);
        i.packed = Some(u32::MAX);
        i.extra = [vec![1, 0, 16, 0], u64::MAX.to_le_bytes().repeat(2)].concat();
    }));
    add("an entry of 16 EiB", wide, "");
    add(
        "another name in the local header",
        and(file("template/a", "x").with(|i| i.local_name = Some(b"../evil".to_vec()))),
        "",
    );
    add("an entry over another", and(file("template/a", "x").with(|i| i.offset = Some(0))), "");
    add("an entry beyond the end", and(file("template/a", "x").with(|i| i.offset = Some(1 << 30))), "");
    add("encrypted", and(file("template/a", "secret").with(|i| i.flags |= 1)), "encrypted");
    add("packed by LZMA", and(file("template/a", "x").with(|i| i.method = 14)), "other than deflate");
    add("packed by nothing known", and(file("template/a", "x").with(|i| i.method = 77)), "other than deflate");
    add("a wrong checksum", and(file("template/a", "x").with(|i| i.crc = Some(7))), "damaged");
    add("broken deflate", and(deflated("template/a", b"abcabcabc").with(|i| i.data.fill(0xff))), "damaged");
    add("stored in two lengths", and(file("template/a", "xxxx").with(|i| i.size = Some(2))), "");

    // The manifest and the template.
    let with = |text: &str| zip(&[file("manifest.json", text), file("template/footplate.toml", PIPELINE)]);
    add("no manifest", zip(&good()[1..]), "no manifest.json");
    add("a manifest in the template only", zip(&[file("template/manifest.json", MANIFEST)]), "no manifest.json");
    add("a newer format", with(&manifest(2, "demo")), "format 2");
    add("format 0", with(&manifest(0, "demo")), "no format 0");
    add("a manifest that is no JSON", with("format = 1"), "cannot be read");
    add(
        "a manifest with what nobody knows",
        with(r#"{"format":1,"name":"demo","run":"touch evil"}"#),
        "cannot be read",
    );
    add("a name that is a path", with(&manifest(1, "../evil")), "no name");
    add("a name that is hidden", with(&manifest(1, ".lock")), "no name");
    add(
        "a title that clears the screen",
        with("{\"format\":1,\"name\":\"demo\",\"title\":\"\\u001b[2J\"}"),
        "not seen",
    );
    add("nested 100,000 deep", with(&"[".repeat(60_000)), "cannot be read");
    add("no pipeline", zip(&[file("manifest.json", MANIFEST), file("template/README.md", "")]), "no footplate.toml");
    add("nothing at all", zip(&[file("manifest.json", MANIFEST)]), "no footplate.toml");
    add("two pipelines", and(file("template/footplate.json", "{}")), "both");
    all
}

/// All that lies below a folder, with its length.
fn below(root: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let facts = entry.metadata().unwrap();
            found.insert(entry.path().display().to_string(), if facts.is_file() { facts.len() } else { 0 });
            if facts.is_dir() {
                left.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn no_hostile_archive_writes_a_byte_or_starts_a_process() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let archive = place.path().join("a.footplate");
    // Makes the folder of all templates and its lock.
    std::fs::write(&archive, zip(&good())).unwrap();
    own::import(&home, &archive, Name::Own).unwrap();
    own::remove(&home, "demo").unwrap();
    std::fs::write(&archive, "").unwrap();
    let before = below(place.path());
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    for (what, bytes, why) in corpus {
        std::fs::write(&archive, bytes).unwrap();
        for name in [Name::Own, Name::Free, Name::Exactly("mine")] {
            let fault = match own::import(&home, &archive, name) {
                Ok(name) => panic!("{what:?} was taken for a template: {name}"),
                Err(fault) => fault,
            };
            assert_eq!(fault.code, ErrorCode::Refused, "{what:?}: {fault}");
            assert!(fault.message.contains(why), "{what:?}: {fault}");
            assert!(fault.message.ends_with('.') && !fault.hints.is_empty(), "{what:?}: {fault:?}");
            assert!(!fault.message.chars().any(char::is_control), "{what:?}: {fault:?}");
        }
        std::fs::write(&archive, "").unwrap();
        assert_eq!(below(place.path()), before, "{what:?} left something behind");
    }
    assert_eq!(children(), 0);
    assert!(!Path::new("/tmp/evil").exists() && !Path::new("/evil").exists());
}

#[test]
fn an_archive_that_is_no_file_is_refused_without_waiting() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let socket = place.path().join("socket.footplate");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for bad in [socket.as_path(), place.path(), Path::new("/dev/zero")] {
        assert_eq!(own::import(&home, bad, Name::Own).unwrap_err().code, ErrorCode::Refused, "{}", bad.display());
    }
    let gone = own::import(&home, &place.path().join("gone"), Name::Own).unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
}

#[test]
fn a_good_archive_of_other_hands_is_taken() {
    // As Info-ZIP, Python and Windows write them: with folders, without modes, deflated, and with litter.
    let place = tempfile::tempdir().unwrap();
    let items = [
        file("manifest.json", MANIFEST).with(|i| i.mode = 0),
        folder("template/"),
        deflated("template/footplate.toml", PIPELINE.as_bytes()).with(|i| (i.mode, i.system) = (0, 0)),
        folder("template/src/"),
        file("template/src/train.py", "print(1)").with(|i| i.mode = 0o100_755),
        file("template/src/__pycache__/train.pyc", "compiled"),
        file("template/数据.csv", "1,2"),
    ];
    let archive = place.path().join("a.footplate");
    std::fs::write(&archive, zip(&items)).unwrap();
    let into = place.path().join("out");
    let manifest = archive::unpack(&archive, &into).unwrap();
    assert_eq!(manifest.name, "demo");
    let tree = archive::Tree::of(&into).unwrap();
    let files: Vec<(&str, bool)> = tree.files.iter().map(|f| (f.path.as_str(), f.executable)).collect();
    assert_eq!(files, [("footplate.toml", false), ("src/train.py", true), ("数据.csv", false)]);
    assert!(!into.join("src/__pycache__").exists());
}
