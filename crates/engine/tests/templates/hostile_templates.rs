//! Templates that strangers might make: whatever their pipelines say, importing, showing, planning and starting them runs
//! nothing and writes nothing.

use std::sync::Arc;

use footplate_core::ErrorCode;
use footplate_engine::environment::Captured;
use footplate_engine::start::{self, TemplateRequest};
use footplate_engine::templates::consent;
use footplate_engine::templates::own::{self, Name};

use crate::raw::{file, zip};
use crate::{MANIFEST, children, client, home, submit};

/// Pipelines that would make the file EVIL, in one way or another.
fn pipelines() -> Vec<String> {
    let head = "format = 1\nname = \"demo\"\n";
    let stage = |text: &str| format!("{head}[stages.a]\n{text}\n");
    let mut all = vec![
        stage("command = [\"touch\", \"EVIL\"]"),
        stage("shell = \"touch EVIL\""),
        stage("shell = \"$(touch EVIL) `touch EVIL`\""),
        stage("command = [\"/bin/sh\", \"-c\", \"touch EVIL\"]"),
        stage("command = [\"sh\", \"{{ pipeline.dir }}/evil.sh\"]"),
        stage("command = [\"{{ pipeline.dir }}/evil.sh\"]"),
        stage("command = [\"python3\", \"-c\", \"open('EVIL','w')\"]"),
        stage("command = [\"true\"]\ncwd = \"$(touch EVIL)\""),
        stage(
            "command = [\"true\"]\nenv = { LD_PRELOAD = \"{{ pipeline.dir }}/evil.so\", PATH = \"{{ pipeline.dir }}\" }",
        ),
        stage("command = [\"true\"]\nenv = { BASH_ENV = \"{{ pipeline.dir }}/evil.sh\" }"),
        stage("command = [\"true\"]\n[stages.a.outputs]\nx = \"EVIL\""),
        stage("command = [\"true\"]\ncheckpoints = { files = \"EVIL\" }"),
        stage("command = [\"true\"]\nresume = [\"; touch EVIL\"]"),
        stage("command = [\"{{ 'touch' }}\", \"{{ 'EVIL' }}\"]"),
        stage("command = [\"{% for i in range(100000000) %}x{% endfor %}\"]"),
        stage("command = [\"{{ ''.__class__.__mro__ }}\"]"),
        stage("command = [\"{{ lipsum.__globals__.os.system('touch EVIL') }}\"]"),
        stage("command = [\"{% include '/etc/passwd' %}\"]"),
        stage("command = [\"{{ self._TemplateReference__context }}\"]"),
        stage("command = [\"true\"]\nif = \"run.system('touch EVIL')\""),
        stage("command = [\"true\"]\nneeds = [\"a\"]"),
        stage("command = [\"true\"]\nsecrets = [\"HF_TOKEN\", \"AWS_SECRET_ACCESS_KEY\"]"),
        stage("command = [\"true\"]\nliteral = true"),
        stage("command = [\"true\"]\nbytes = { 0 = [47] }"),
        stage("command = [\"\"]"),
        stage("command = [\"a\\u0000b\"]"),
        stage("command = [\"true\"]\nprogress_pattern = '(a+)+$'"),
        format!("{head}on_start = \"touch EVIL\"\n[stages.a]\ncommand = [\"true\"]\n"),
        format!(
            "{head}[params.x]\ntype = \"path\"\ndefault = \"$(touch EVIL)\"\n[stages.a]\ncommand = [\"cat\", \"{{{{ params.x }}}}\"]\n"
        ),
        format!(
            "{head}[params.x]\ntype = \"string\"\npattern = '(a+)+$'\ndefault = \"{}!\"\n[stages.a]\nshell = \"echo {{{{ params.x }}}}\"\n",
            "a".repeat(40)
        ),
        "format = 1\nname = \"../evil\"\n[stages.a]\ncommand = [\"touch\", \"EVIL\"]\n".to_owned(),
        "#!/bin/sh\ntouch EVIL\n".to_owned(),
        "[".repeat(50_000),
        String::new(),
    ];
    let many: String = (0..6_000).map(|n| format!("[stages.s{n}]\ncommand = [\"touch\", \"EVIL\"]\n")).collect();
    all.push(format!("{head}{many}"));
    all
}

#[test]
fn no_hostile_template_runs_or_writes_before_consent() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let mut client = client(&home);
    let evil = place.path().join("EVIL");
    let evil = evil.to_str().unwrap();
    let archive = place.path().join("a.footplate");
    let pipelines = pipelines();
    assert!(pipelines.len() >= 30, "{}", pipelines.len());
    let (mut asked, mut refused) = (0, 0);
    for text in pipelines {
        let text = text.replace("EVIL", evil);
        let shown: String = text.chars().take(120).collect();
        let script = format!("#!/bin/sh\ntouch {evil}\n");
        let items = [
            file("manifest.json", MANIFEST),
            file("template/footplate.toml", &text),
            file("template/evil.sh", &script).with(|item| item.mode = 0o100_755),
        ];
        std::fs::write(&archive, zip(&items)).unwrap();
        let cwd = place.path();
        match own::import(&home, &archive, Name::Free) {
            Err(fault) => {
                assert_eq!(fault.code, ErrorCode::InvalidPipeline, "{shown}: {fault}");
                assert!(!fault.message.contains("unfinished"), "{shown}: {fault}");
                refused += 1;
            }
            Ok(name) => {
                let view = consent::view(&home, &name).unwrap();
                assert!(!view.stages.is_empty(), "{shown}");
                let environment = Arc::new(Captured::from_pairs([(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())]));
                let request: TemplateRequest = serde_json::from_value(serde_json::json!({
                    "template": name, "preset": null, "name": null, "queue": null, "priority": null, "not_before": null,
                }))
                .unwrap();
                let prepared = start::template(request.clone(), &client, Arc::clone(&environment)).unwrap();
                let check = prepared.check(&client).unwrap();
                assert!(check.items.iter().any(|item| item.id == "consent"), "{shown}");
                let fault = start::template(request, &client, environment).unwrap().submit(&mut client).unwrap_err();
                assert_eq!(fault.code, ErrorCode::ConsentMissing, "{shown}");
                let fault = client.submit(submit(&home, &name, cwd)).unwrap_err();
                assert_eq!(fault.code, ErrorCode::ConsentMissing, "{shown}");
                own::remove(&home, &name).unwrap();
                asked += 1;
            }
        }
        assert!(!std::path::Path::new(evil).exists(), "{shown}");
        let left: Vec<_> = std::fs::read_dir(home.templates()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, [".lock"], "{shown}");
    }
    assert!(asked >= 10 && refused >= 10, "{asked} asked, {refused} refused");
    assert_eq!(client.list(&Default::default()).unwrap().total, 0);
    assert_eq!(children(), 0);
}
