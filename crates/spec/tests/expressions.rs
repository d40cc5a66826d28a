//! What expressions give, and what they say where a value is not there.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use footplate_core::ErrorCode;
use footplate_core::definition::{Definition, Stage};
use footplate_spec::{
    RenderError, Rendered, RunScope, Scope, check, condition, parse_toml, render, render_outputs, single,
};
use indexmap::IndexMap;
use serde_json::{Value, json};

/// Values that a run could have; tests change what they need.
struct Bench {
    params: IndexMap<String, Value>,
    secrets: IndexMap<String, String>,
    stages: IndexMap<String, IndexMap<String, Value>>,
    checkpoint: Option<String>,
}

impl Bench {
    fn new() -> Self {
        let map = |value: Value| -> IndexMap<String, Value> { serde_json::from_value(value).unwrap() };
        Bench {
            params: map(json!({
                "text": "a b\"c", "whole": 30, "number": 0.5, "one": 1.0, "yes": true, "no": false,
                "list": [1, "two", true, null, {"k": [2.5]}], "big": 9007199254740993_i64, "html": "<a> & 'b'",
            })),
            secrets: IndexMap::from([("token".to_owned(), "hush".to_owned())]),
            stages: IndexMap::from([(
                "train".to_owned(),
                map(
                    json!({ "model": "/runs/1/m.pt", "accuracy": 0.96, "epochs": [1, 2, 3], "best": {"step": 7, "losses": [0.5, 0.25]}, "ok": true }),
                ),
            )]),
            checkpoint: None,
        }
    }

    fn scope(&self) -> Scope<'_> {
        let run = RunScope {
            id: "0198-aa",
            number: 142,
            name: "digits-3",
            dir: "/runs/142",
            config: "/runs/142/config.json",
        };
        Scope {
            params: &self.params,
            secrets: &self.secrets,
            run,
            pipeline_dir: "/pipelines/digits",
            stages: &self.stages,
            attempt: 2,
            checkpoint: self.checkpoint.as_deref(),
            queue: "training",
        }
    }

    fn text(&self, text: &str) -> Result<String, RenderError> {
        let stage = Stage { command: vec!["x".to_owned(), text.to_owned()], ..Stage::default() };
        render("evaluate", &stage, &self.scope()).map(|rendered| rendered.argv[1].clone())
    }

    fn condition(&self, expression: &str) -> Result<bool, String> {
        condition("evaluate", expression, &self.scope()).map_err(|error| error.message)
    }
}

#[test]
fn text_is_written_as_it_is_and_all_else_as_compact_json() {
    let bench = Bench::new();
    for (text, expected) in [
        ("plain", "plain"),
        ("{{ params.text }}", "a b\"c"),
        ("--n={{ params.whole }}", "--n=30"),
        ("{{ params.number }} {{ params.one }} {{ params.big }}", "0.5 1.0 9007199254740993"),
        ("{{ params.yes }}{{ params.no }}", "truefalse"),
        ("{{ params.list }}", r#"[1,"two",true,null,{"k":[2.5]}]"#),
        ("{{ params.list[0] }} {{ params.list[4].k[0] }}", "1 2.5"),
        ("{{ params['text'] }}", "a b\"c"),
        ("{{ params.html }}", "<a> & 'b'"),
        ("{{ none }}", "null"),
        ("{{ [1, 2] + [3] }}", "[1,2,3]"),
        ("{{ params.whole * 2 + 1 }}", "61"),
        ("{{ params.list | string }}", r#"[1,"two",true,null,{"k":[2.5]}]"#),
        ("{{ [true, 'x', 2] | join(',') }}", "true,x,2"),
        ("{{ params.yes | string + '!' }}", "true!"),
        ("{{ 'fast' if params.yes else 'slow' }}", "fast"),
        ("a{{ '--x' if params.no }}b", "ab"),
        ("{% for n in stages.train.outputs.epochs %}{{ n }};{% endfor %}", "1;2;3;"),
        ("{% if params.yes %}on{% else %}off{% endif %}", "on"),
        ("{# kept #} ${#array[@]}", "{# kept #} ${#array[@]}"),
        ("{{ '{#' }} {# {{ params.whole }} #}", "{# {# 30 #}"),
        ("ends with a newline {{ params.whole }}\n", "ends with a newline 30\n"),
        (
            "{{ run.id }} {{ run.number }} {{ run.name }} {{ run.dir }} {{ run.config }}",
            "0198-aa 142 digits-3 /runs/142 /runs/142/config.json",
        ),
        ("{{ pipeline.dir }}/x {{ attempt.number }} {{ queue }}", "/pipelines/digits/x 2 training"),
        ("{{ stages.train.outputs.best.losses[1] }}", "0.25"),
        ("{{ stages.train.outputs.best }}", r#"{"step":7,"losses":[0.5,0.25]}"#),
        ("{{ stages.train.outputs.best.losses[-1] }}", "0.25"),
        ("{{ stages.train.outputs.nothing | default('none yet') }}", "none yet"),
        ("{{ stages.train.outputs.nothing is defined }}", "false"),
        ("{{ 'a b' | quote }} {{ params.whole | quote }} {{ \"it's\" | quote }}", r"'a b' 30 'it'\''s'"),
    ] {
        assert_eq!(bench.text(text).map_err(|e| e.message), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_missing_value_fails_the_consumer_and_names_both_ends() {
    let bench = Bench::new();
    let error = bench.text("{{ stages.train.outputs.modle }}").unwrap_err();
    assert_eq!(error.code, ErrorCode::InputMissing);
    assert_eq!(
        error.message,
        "stage \"evaluate\" uses stages.train.outputs.modle, which stage \"train\" did not hand on"
    );
    assert_eq!(error.hint.as_deref(), Some("did you mean \"model\"?"));
    for (text, missing) in [
        ("{{ stages.train.outputs.best.setp }}", "stages.train.outputs.best.setp"),
        ("{{ stages.train.outputs.epochs[7] }}", "stages.train.outputs.epochs.7"),
        ("{{ stages.train.outputs.model }} {{ stages.train.outputs.x }}", "stages.train.outputs.x"),
    ] {
        let error = bench.text(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::InputMissing);
        assert!(error.message.contains(&format!("uses {missing}, which stage \"train\" did not hand on")), "{error}");
    }
    let error = bench.text("{{ stages.prepare.outputs.data }}").unwrap_err();
    assert_eq!(error.code, ErrorCode::InputMissing);
    assert_eq!(
        error.message,
        "stage \"evaluate\" uses stages.prepare.outputs.data, but stage \"prepare\" did not complete"
    );
    let error = condition("evaluate", "stages.train.outputs.x > 1", &bench.scope()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InputMissing);
}

#[test]
fn what_cannot_be_evaluated_is_an_error_of_the_expression() {
    let bench = Bench::new();
    for (text, part) in [
        ("{{ params.whole + params.text }}", "failed"),
        ("{{ params.nothing }}", "undefined"),
        ("{{ checkpoint.path }}", "undefined"),
        ("{{ params.token }}", "undefined"),
        ("{{ 1 // 0 }}", "failed"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
            "more than 200000 steps",
        ),
        ("{{ 'x' * 9000000 }}", ""),
        ("{{ 'a\\u0000b' }}", "NUL"),
    ] {
        let error = bench.text(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::Expression, "{text}");
        assert!(error.message.contains(part), "{text}: {error}");
        assert!(error.message.contains("stage \"evaluate\""), "{text}: {error}");
    }
}

#[test]
fn a_condition_must_be_true_or_false() {
    let bench = Bench::new();
    for (expression, expected) in [
        ("params.yes and stages.train.outputs.accuracy > 0.5", true),
        ("params.no or stages.train.outputs.accuracy > 0.99", false),
        ("not params.no", true),
        ("stages.train.outputs.ok", true),
        ("run.number == 142", true),
        ("'two' in params.list", true),
        ("params.text == 'x'", false),
        ("stages.train.outputs.epochs | length >= 3", true),
        ("stages.train.outputs.nothing is defined", false),
        ("attempt.number == 2 and queue == 'training'", true),
    ] {
        assert_eq!(bench.condition(expression), Ok(expected), "{expression}");
    }
    for expression in ["params.whole", "params.text", "1", "none", "stages.train.outputs.best", "'true'"] {
        let message = bench.condition(expression).unwrap_err();
        assert!(message.contains("neither true nor false"), "{message}");
    }
    assert!(bench.condition("params.nothing").unwrap_err().contains("undefined"));
}

#[test]
fn secrets_are_seen_from_env_only() {
    let bench = Bench::new();
    let stage = Stage {
        command: vec!["x".to_owned()],
        env: IndexMap::from([
            ("TOKEN".to_owned(), "Bearer {{ params.token }}".to_owned()),
            ("CHANGED".to_owned(), "{{ params.token | upper }}".to_owned()),
            ("ALL".to_owned(), "{% set p = params %}{{ p.token }}".to_owned()),
            ("PLAIN".to_owned(), "{{ params.number }}".to_owned()),
        ]),
        ..Stage::default()
    };
    let rendered = render("a", &stage, &bench.scope()).unwrap();
    assert_eq!(rendered.env, [("PLAIN".to_owned(), "0.5".to_owned())]);
    let secret = [("TOKEN", "Bearer hush"), ("CHANGED", "HUSH"), ("ALL", "hush")];
    assert_eq!(rendered.secret_env, secret.map(|(name, value)| (name.to_owned(), value.to_owned())));
    for text in ["{{ params }}", "{{ params | tojson }}", "{% for k in params %}{{ params[k] }}{% endfor %}"] {
        assert!(!bench.text(text).unwrap().contains("hush"), "{text}");
    }
    let output = Stage { outputs: IndexMap::from([("x".to_owned(), "{{ params }}".to_owned())]), ..stage };
    assert!(!format!("{:?}", render_outputs("a", &output, &bench.scope())).contains("hush"));
}

#[test]
fn resume_is_appended_where_there_is_a_checkpoint() {
    let mut bench = Bench::new();
    let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let stage = Stage {
        command: text(&["train", "--lr", "{{ params.number }}"]),
        resume: text(&["--resume", "{{ checkpoint.path }}"]),
        cwd: Some("{{ pipeline.dir }}".to_owned()),
        checkpoints: Some(footplate_core::definition::Checkpoints {
            files: "{{ run.dir }}/ckpt/*.pt".to_owned(),
            ..Default::default()
        }),
        ..Stage::default()
    };
    let first = render("train", &stage, &bench.scope()).unwrap();
    let expected = Rendered {
        argv: text(&["train", "--lr", "0.5"]),
        shell: false,
        env: vec![],
        secret_env: vec![],
        cwd: Some("/pipelines/digits".to_owned()),
        outputs: IndexMap::new(),
        checkpoint_glob: Some("/runs/142/ckpt/*.pt".to_owned()),
    };
    assert_eq!(first, expected);
    bench.checkpoint = Some("/runs/142/ckpt/it's 7.pt".to_owned());
    let again = render("train", &stage, &bench.scope()).unwrap();
    assert_eq!(again.argv, text(&["train", "--lr", "0.5", "--resume", "/runs/142/ckpt/it's 7.pt"]));
    let line = Stage { command: vec![], shell: Some("train | tee log".to_owned()), ..stage };
    let line = render("train", &line, &bench.scope()).unwrap();
    assert!(line.shell);
    assert_eq!(line.argv, text(&["/bin/sh", "-c", r"train | tee log --resume '/runs/142/ckpt/it'\''s 7.pt'"]));
}

#[test]
fn declared_outputs_keep_their_values_and_reach_any_number_of_consumers() {
    let bench = Bench::new();
    let producer = Stage {
        command: vec!["x".to_owned()],
        outputs: IndexMap::from([
            ("data".to_owned(), "{{ run.dir }}/data".to_owned()),
            ("epochs".to_owned(), "{{ params.whole }}".to_owned()),
            ("losses".to_owned(), "{{- stages.train.outputs.best.losses -}}".to_owned()),
            ("two".to_owned(), "{{ params.whole }}{{ params.whole }}".to_owned()),
        ]),
        ..Stage::default()
    };
    let outputs = render_outputs("prepare", &producer, &bench.scope()).unwrap();
    let expected = json!({ "data": "/runs/142/data", "epochs": 30, "losses": [0.5, 0.25], "two": "3030" });
    assert_eq!(serde_json::to_value(&outputs).unwrap(), expected);

    let mut next = Bench::new();
    next.stages.insert("prepare".to_owned(), outputs);
    for consumer in ["a", "b", "c"] {
        let stage = Stage {
            command: vec![
                consumer.to_owned(),
                "{{ stages.prepare.outputs }}".to_owned(),
                "{{ stages.prepare.outputs.losses[0] }}".to_owned(),
            ],
            ..Stage::default()
        };
        let argv = render(consumer, &stage, &next.scope()).unwrap().argv;
        assert_eq!(serde_json::from_str::<Value>(&argv[1]).unwrap(), expected);
        assert_eq!(argv[2], "0.5");
    }
}

#[test]
fn what_add_submits_is_run_as_it_was_typed() {
    let argv: Vec<String> = ["python", "train.py", "{{ params.x }}", "{% if %}", "{# c #}", "ends\n", "{{"]
        .iter()
        .map(|s| (*s).to_owned())
        .collect();
    let rest = Stage {
        env: IndexMap::from([("A".to_owned(), "{{ b }}".to_owned())]),
        cwd: Some("/tmp/{{ x }}".to_owned()),
        queue: Some("training".to_owned()),
        ..Stage::default()
    };
    let mut definition = single(argv.clone(), rest);
    assert_eq!(check(&mut definition), Ok(vec![]));
    assert_eq!(definition.name, "python");
    let frozen = serde_json::to_string(&definition).unwrap();
    let definition: Definition = serde_json::from_str(&frozen).unwrap();
    let rendered = render("main", &definition.stages["main"], &Bench::new().scope()).unwrap();
    assert_eq!(rendered.argv, argv);
    assert_eq!(rendered.env, [("A".to_owned(), "{{ b }}".to_owned())]);
    assert_eq!(rendered.cwd.as_deref(), Some("/tmp/{{ x }}"));
    for (program, name) in
        [("./My Script.PY", "my-script-py"), ("/usr/bin/gcc", "gcc"), ("日本", "command"), ("", "command")]
    {
        assert_eq!(single(vec![program.to_owned()], Stage::default()).name, name);
    }
    let bad = |argv: Vec<String>| check(&mut single(argv, Stage::default())).unwrap_err().0[0].message.clone();
    assert_eq!(bad(vec![]), "stage \"main\" has no command");
    assert_eq!(bad(vec![String::new()]), "the program of stage \"main\" is empty");
    assert_eq!(bad(vec!["a".into(), "b\0".into()]), "argument 1 of command of stage \"main\" holds a NUL: \"b\\u{0}\"");
    assert!(
        bad(vec!["a".into(), "x".repeat(200_000)]).contains("argument 1 of command of stage \"main\" is longer than")
    );
}

#[test]
fn references_become_needs_once() {
    let file = br#"
format = 1
name = "x"
[stages.a]
command = ["true"]
[stages.b]
command = ["true", "{{ stages.a.outputs.x }}", "{{ stages.a.outputs.y }}"]
env = { C = "{{ stages.c['outputs'].z }}" }
[stages.c]
command = ["true"]
[stages.d]
needs = ["a"]
shell = "echo {{ stages.b.outputs.q }}"
if = "stages.c.outputs.ok"
outputs = { v = "{{ stages.a.outputs.x }}" }
cwd = "{{ stages.a.outputs.folder }}"
"#;
    let mut definition = parse_toml(file).unwrap();
    assert_eq!(definition.stages["b"].needs, ["a", "c"]);
    assert_eq!(definition.stages["d"].needs, ["a", "b", "c"]);
    let before = definition.clone();
    assert_eq!(check(&mut definition), Ok(vec![]));
    assert_eq!(definition, before);
}

#[test]
fn doubts_are_told_and_do_not_refuse() {
    let file = br#"
format = 1
name = "x"
[stages.a]
command = ["true"]
[stages.b]
command = ["true"]
needs = ["a", "a"]
resume = ["--resume", "{{ checkpoint.path }}"]
[stages.c]
command = ["true"]
on_interrupt = "resume"
"#;
    let mut definition = parse_toml(file).unwrap();
    assert_eq!(definition.stages["b"].needs, ["a"]);
    let codes: Vec<&str> = check(&mut definition).unwrap().iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["resume_without_checkpoints", "resume_without_arguments"]);
}
