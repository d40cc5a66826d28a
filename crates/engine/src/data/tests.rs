use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn held(name: &str, bytes: impl AsRef<[u8]>) -> Content {
    let place = tempfile::tempdir().unwrap();
    look(&write(place.path(), name, bytes)).unwrap().content.unwrap()
}

fn faults(content: &Content) -> Vec<(u64, String)> {
    content.faults.iter().map(|fault| (fault.line, fault.wrong.to_string())).collect()
}

#[test]
fn lines_of_json_with_their_faults_by_line() {
    let content = held(
        "chats.jsonl",
        b"{\"ask\":\"a\",\"n\":1}\n\n{\"ask\":\"b\"}\n{broken\n\"\xff\"\n{\"n\":null,\"ask\":\"c\"}",
    );
    assert_eq!((content.rows, content.whole), (5, true));
    assert_eq!(content.columns, ["ask", "n"]);
    assert_eq!(content.preview[0], ["a", "1"]);
    assert_eq!(content.preview[1], ["b", ""]);
    assert_eq!(content.preview[2], ["{broken"]);
    assert_eq!(content.preview[4], ["c", "null"]);
    assert_eq!(faults(&content), [(4, "is not JSON".into()), (5, "is not UTF-8".into())]);
    assert_eq!(content.faults_total, 2);
}

#[test]
fn rows_with_another_number_of_columns_are_named_by_the_line_they_begin_in() {
    let content = held("t.csv", "\u{feff}a,b\n1,2\n\"over\nlines\",4\n5\n6,7,8\n9,10\n");
    assert_eq!(content.columns, ["a", "b"]);
    assert_eq!(content.rows, 5);
    assert_eq!(content.preview[1], ["over\nlines", "4"]);
    let columns = |n: usize| format!("has {n} columns, the first line has 2");
    assert_eq!(faults(&content), [(5, columns(1)), (6, columns(3))]);
    let tabs = held("t.tsv", "a\tb,c\n1\t2\n");
    assert_eq!((tabs.columns, tabs.faults_total), (vec!["a".to_owned(), "b,c".to_owned()], 0));
    assert_eq!(faults(&held("bad.csv", b"a\n\xfe\n")), [(2, "is not UTF-8".into())]);
}

#[test]
fn one_json_value_and_plain_lines() {
    let list = held("all.json", "[{\"a\":1},\n{\"a\":2}]");
    assert_eq!(
        (list.rows, list.columns.as_slice(), &list.preview[1]),
        (2, &["a".to_owned()][..], &vec!["2".to_owned()])
    );
    assert_eq!(faults(&held("bad.json", "{\n\"a\": 1,\n}")), [(3, "is not JSON".into())]);
    assert_eq!(faults(&held("bytes.json", b"{\n\"\xff\"}")), [(2, "is not UTF-8".into())]);
    let text = held("notes.txt", format!("one\r\n\n{}\n", "x".repeat(500)));
    assert_eq!((text.rows, text.preview[0][0].as_str()), (2, "one"));
    assert_eq!(text.preview[1][0].chars().count(), SIGNS + 1);
    assert_eq!(held("none.jsonl", "").rows, 0);
}

#[test]
fn many_faults_are_counted_and_the_first_are_named() {
    let content = held("bad.jsonl", "no\n".repeat(400));
    assert_eq!((content.rows, content.faults_total, content.faults.len()), (400, 400, FAULTS));
    assert_eq!((content.faults[FAULTS - 1].line, content.preview.len()), (50, ROWS));
}

#[test]
fn of_a_file_beyond_the_bound_only_the_first_lines_are_read() {
    let place = tempfile::tempdir().unwrap();
    let path = write(place.path(), "long.jsonl", "{\"a\":1}\n".repeat(1000));
    // A hole, so that nothing has to be written.
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(BYTES * 4).unwrap();
    let seen = look(&path).unwrap();
    let content = seen.content.as_ref().unwrap();
    assert_eq!((seen.size, content.whole, content.rows, content.faults_total), (BYTES * 4, false, 1000, 0));
    assert_eq!(seen.sentence(), "long.jsonl, at least 1000 rows");
    let value = write(place.path(), "long.json", "[");
    File::options().write(true).open(&value).unwrap().set_len(BYTES + 1).unwrap();
    let seen = look(&value).unwrap();
    assert_eq!(seen.sentence(), "long.json", "half a value is no fault, and its rows are not known");
}

#[test]
fn a_folder_is_counted_by_ending_and_no_link_leads_out_of_it() {
    let place = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret.jsonl", "{\"secret\":1}\n");
    let root = place.path().join("data");
    write(&root, "b/train.JSONL", "{\"a\":1}\nbroken\n");
    write(&root, "b/x.bin", [0; 10]);
    write(&root, "a/1.png", b"\x89PNG");
    write(&root, "a/2.PNG", b"\x89PNG");
    write(&root, "a/huge.png", vec![0; 300 << 10]);
    write(&root, "README", "");
    symlink(outside.path(), root.join("a/out")).unwrap();
    symlink(outside.path().join("secret.jsonl"), root.join("a/secret.jsonl")).unwrap();
    symlink(&root, root.join("loop")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe.csv"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let seen = look(&root).unwrap();
    assert_eq!((seen.files, seen.others, seen.counted, seen.folder), (6, 4, true, true));
    let kinds: Vec<_> = seen.kinds.iter().map(|kind| (kind.ending.as_str(), kind.files)).collect();
    assert_eq!(kinds, [("png", 3), ("", 1), ("bin", 1), ("jsonl", 1)]);
    assert_eq!(seen.content.as_ref().unwrap().name, "b/train.JSONL");
    let pictures: Vec<_> = seen.pictures.iter().map(|picture| picture.name.as_str()).collect();
    assert_eq!(pictures, ["a/1.png", "a/2.PNG"], "the huge one is counted, not shown");
    assert_eq!(seen.pictures[0].address, "data:image/png;base64,iVBORw==");
    assert_eq!(seen.sentence(), "6 files, 2 rows in b/train.JSONL; 1 fault, the first: line 2 is not JSON");
}

#[test]
fn what_is_not_there_or_is_no_file_is_said() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(look(&place.path().join("none")).unwrap_err().code, ErrorCode::NotFound);
    let pipe = place.path().join("pipe.csv");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(look(&pipe).unwrap_err().code, ErrorCode::Invalid);
    let odd = write(place.path(), "model.safetensors", [0; 8]);
    let seen = look(&odd).unwrap();
    assert_eq!((seen.files, seen.size, seen.content), (1, 8, None));
}

/// A WAV file of silence: 16 bits, mono. Source: Multimedia Programming Interface and Data Specifications 1.0, chapter 3.
fn wav(rate: u32, seconds: u32) -> Vec<u8> {
    let data = rate * seconds * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    file.resize(file.len() + data as usize, 0);
    file
}

#[test]
fn recordings_are_told_with_their_length_and_only_those_can_be_heard() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("clips");
    let two = wav(8000, 2);
    write(&root, "a/two.wav", &two);
    write(&root, "broken.mp3", b"no sound at all");
    write(&root, "a/notes.txt", "a line");
    let outside = write(place.path(), "outside.wav", &two);
    symlink(&outside, root.join("link.wav")).unwrap();
    symlink(place.path(), root.join("up")).unwrap();
    let seen = look(&root).unwrap();
    let told: Vec<_> =
        seen.sounds.iter().map(|s| (s.name.as_str(), s.seconds, s.rate, s.channels, s.playable)).collect();
    assert_eq!(
        told,
        [("broken.mp3", None, None, None, false), ("a/two.wav", Some(2.0), Some(8000), Some(1), true)],
        "links are no recordings"
    );
    assert_eq!(sounds::sound(&root, "a/two.wav").unwrap(), two);
    let alone = root.join("a/two.wav");
    assert_eq!(sounds::sound(&alone, "two.wav").unwrap(), two, "a file that was chosen itself");
    assert_eq!(look(&alone).unwrap().sounds[0].seconds, Some(2.0));
    for name in ["link.wav", "up/outside.wav", "../outside.wav", "a/../a/two.wav", "a/notes.txt", "", "."] {
        assert_eq!(sounds::sound(&root, name).unwrap_err().code, ErrorCode::Refused, "{name}");
    }
    assert_eq!(sounds::sound(&root, outside.to_str().unwrap()).unwrap_err().code, ErrorCode::Refused);
    assert_eq!(sounds::sound(&root, "none.wav").unwrap_err().code, ErrorCode::NotFound);
    // A hole, so that nothing has to be written.
    File::options().write(true).open(&alone).unwrap().set_len(sounds::SOUND_BYTES + 1).unwrap();
    assert_eq!(sounds::sound(&root, "a/two.wav").unwrap_err().code, ErrorCode::Invalid);
    assert!(!look(&root).unwrap().sounds[1].playable);
}
