//! Every bad input and the exact answer. The cases stand in `bad/*.txt`: `=== title`, the file, `---`, the answer. After a change
//! that is meant, run with `FOOTPLATE_UPDATE=1` and read the difference.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Write as _;

use footplate_spec::{Problems, parse_json, parse_toml};

struct Case {
    title: String,
    input: String,
    answer: String,
}

fn cases(text: &str) -> Vec<Case> {
    text.split("=== ")
        .skip(1)
        .map(|case| {
            let (title, rest) = case.split_once('\n').unwrap();
            let rest = format!("\n{rest}");
            let (input, answer) = rest.split_once("\n---\n").unwrap_or_else(|| panic!("no answer in {title}"));
            Case {
                title: title.to_owned(),
                input: input.trim_start_matches('\n').to_owned(),
                answer: answer.trim_end().to_owned(),
            }
        })
        .collect()
}

fn answers(path: &str, file: &str, parse: impl Fn(&[u8]) -> Result<(), Problems>) {
    let path = format!("{}/tests/bad/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let cases = cases(&text);
    assert!(cases.len() > 10, "{} cases", cases.len());
    let mut new = String::new();
    let mut wrong = String::new();
    for case in &cases {
        let answer = match parse(case.input.as_bytes()) {
            Ok(()) => "good".to_owned(),
            Err(problems) => problems.text(file),
        };
        writeln!(new, "=== {}\n{}\n---\n{answer}\n", case.title, case.input).unwrap();
        if answer != case.answer {
            writeln!(wrong, "{}\n  expected:\n{}\n  got:\n{answer}\n", case.title, case.answer).unwrap();
        }
    }
    if std::env::var_os("FOOTPLATE_UPDATE").is_some() {
        std::fs::write(&path, new).unwrap();
    } else {
        assert!(wrong.is_empty(), "{wrong}");
    }
}

#[test]
fn every_fault_of_a_toml_file_is_named_with_its_place() {
    answers("toml.txt", "footplate.toml", |text| parse_toml(text).map(drop));
}

#[test]
fn every_fault_of_a_json_file_is_named_with_its_place() {
    answers("json.txt", "pipeline.json", |text| parse_json(text).map(drop));
}

fn text(result: Result<footplate_core::definition::Definition, Problems>) -> String {
    result.err().map_or_else(|| "good".to_owned(), |problems| problems.text("f"))
}

#[test]
fn other_encodings_are_refused_with_what_to_do() {
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff_u16).into_iter().chain("format = 1\n".encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        let answer = text(parse_toml(&utf16(big, mark)));
        assert_eq!(answer, "f: the file is UTF-16, not UTF-8\n  hint: save it as UTF-8");
    }
    let latin = b"format = 1\nname = \"stra\xdfe\"\n";
    assert_eq!(text(parse_toml(latin)), "f:2:13: the byte 0xdf is not UTF-8\n  hint: save the file as UTF-8");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let toml = format!("format = 1\nname = \"x\"\nqueue = {}\n", deep("[", "]"));
    assert!(text(parse_toml(toml.as_bytes())).contains("nested more than 64 levels deep"));
    let toml = format!("format = 1\nname = \"x\"\nqueue = {}\n", deep("{a=", "}"));
    assert!(text(parse_toml(toml.as_bytes())).contains("nested more than 64 levels deep"));
    let some = format!("format = 1\nname = \"x\"\nqueue = {}\n", "[".repeat(70) + &"]".repeat(70));
    assert!(text(parse_toml(some.as_bytes())).contains("nested more than 64 levels deep"));
    for json in [deep("[", "]"), deep("{\"a\":[", "]}")] {
        let json = format!("{{\"format\": 1, \"name\": \"x\", \"queue\": {json}}}");
        assert!(text(parse_json(json.as_bytes())).contains("nested more than 64 levels deep"));
    }
    let nested = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let toml = format!("format = 1\nname = \"x\"\n[stages.a]\ncommand = [\"{{{{ {nested} }}}}\"]\n");
    assert!(text(parse_toml(toml.as_bytes())).contains("recursion"));
}

#[test]
fn too_many_stages_are_refused_with_the_limit() {
    let mut file = String::from("format = 1\nname = \"x\"\n");
    for index in 0..100_000 {
        writeln!(file, "[stages.s{index}]\ncommand = [\"true\"]").unwrap();
    }
    assert_eq!(text(parse_toml(file.as_bytes())), "f:3:2: 100000 stages; the limit is 5000");
}

#[test]
fn a_thousand_faults_are_all_told() {
    let mut file = String::from("format = 1\nname = \"x\"\n");
    for index in 0..1000 {
        writeln!(file, "[stages.s{index}]\ncomand = [\"true\"]\nneeds = [\"nobody\"]").unwrap();
    }
    let problems = parse_toml(file.as_bytes()).unwrap_err();
    assert_eq!(problems.0.len(), 2000); // the unknown key and the unknown need of each
    assert!(problems.0.windows(2).all(|pair| pair[0].line <= pair[1].line));
}
