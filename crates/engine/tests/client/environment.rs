use std::path::Path;
use std::sync::Arc;

use footplate_core::definition::{Param, ParamKind};
use footplate_engine::environment;
use footplate_engine::secrets::Secrets;
use footplate_store::{Role, Store};

use crate::{Bench, captured, command};

const CANARIES: [(&str, &str); 14] = [
    ("HF_TOKEN", "canary-01-hf"),
    ("WANDB_API_KEY", "canary-02-wandb"),
    ("AWS_SECRET_ACCESS_KEY", "canary-03-aws"),
    ("PGPASSWORD", "canary-04-pg"),
    ("MY_PASSPHRASE", "canary-05-pass"),
    ("SERVICE_CREDENTIALS", "canary-06-cred"),
    ("SLACK_WEBHOOK", "canary-07-hook"),
    ("SENTRY_DSN", "canary-08-dsn"),
    ("mlflow_tracking_password", "canary-09-mlflow"),
    ("DATABASE_URL", "postgres://u:canary-10-url@db/x"),
    ("PIP_INDEX_URL", "https://canary-11-user@pypi.example.com/simple"),
    ("HEADER", "Authorization: Bearer canary-12-bearer-0123456789"),
    ("REMOTE", "hf_canary13canary13canary13"),
    ("PEM", "-----BEGIN PRIVATE KEY-----canary-14-pem"),
];

#[test]
fn no_secret_of_the_environment_or_of_a_parameter_leaves_the_secret_store() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut pairs = CANARIES.to_vec();
    pairs.extend([("PATH", "/usr/bin"), ("LANG", "C.UTF-8"), ("PLAIN_MARKER", "not-secret-at-all")]);
    let mut submit = command(&["true"]);
    submit.environment = captured(&pairs);
    let secret = Param {
        kind: ParamKind::Secret,
        default: None,
        minimum: None,
        maximum: None,
        choices: Vec::new(),
        pattern: None,
        exists: false,
        title: None,
        help: None,
        group: None,
        advanced: false,
    };
    submit.definition.params.insert("token".into(), secret);
    submit.definition.stages[0].env.insert("APP_TOKEN".into(), "{{ params.token }}".into());
    submit.params.insert("token".into(), "canary-15-param".into());
    let run = client.submit(submit).unwrap();
    let shown = serde_json::to_string(&client.show(run.number).unwrap()).unwrap();
    assert!(!shown.contains("canary"), "{shown}");
    drop(client);

    let secrets = bench.home().secrets_dir();
    let mut marker = false;
    each_file(bench.path(), &mut |path, bytes| {
        let hit = bytes.windows(6).any(|w| w == b"canary");
        assert_eq!(hit, path.starts_with(&secrets), "{}", path.display());
        marker |= path.starts_with(bench.home().env_dir()) && bytes.windows(12).any(|w| w == b"PLAIN_MARKER");
        if path.starts_with(&secrets) || path.starts_with(bench.home().env_dir()) {
            let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    });
    assert!(marker, "the rest of the environment is not there");

    let row = Store::open(bench.home().state_dir(), Role::ReadOnly).unwrap().read().unwrap().run(1).unwrap().unwrap();
    let kept = Secrets::read(&bench.home(), row.secrets.as_deref().unwrap()).unwrap();
    assert_eq!(kept.env.len(), CANARIES.len());
    for (name, value) in CANARIES {
        assert!(kept.env.iter().any(|(n, v)| n.0 == name.as_bytes() && v.0 == value.as_bytes()), "{name}");
    }
    assert_eq!(kept.params["token"], "canary-15-param");
    let plain = environment::read(&bench.home().env_file(row.env_hash.as_deref().unwrap())).unwrap();
    assert!(plain.contains(&(b"PATH".to_vec(), b"/usr/bin".to_vec())));
}

#[test]
fn one_environment_is_kept_once_and_each_run_has_secrets_of_its_own() {
    let bench = Bench::new();
    let mut client = bench.client();
    let environment = captured(&[("PATH", "/bin"), ("HF_TOKEN", "t")]);
    let mut all = (0..2500).map(|_| {
        let mut submit = command(&["true"]);
        submit.environment = Arc::clone(&environment);
        Ok(submit)
    });
    let runs = client.submit_batch(&mut all).unwrap();
    assert_eq!(std::fs::read_dir(bench.home().env_dir()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(bench.home().secrets_dir()).unwrap().count(), 2500);
    footplate_engine::secrets::erase(&bench.home(), &runs[0].id.to_string()).unwrap();
    let other = Secrets::read(&bench.home(), &runs[2499].id.to_string()).unwrap();
    assert_eq!(other.env[0].1.0, b"t");
}

fn each_file(root: &Path, f: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(root).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_file(&path, f);
        } else {
            f(&path, &std::fs::read(&path).unwrap());
        }
    }
}
