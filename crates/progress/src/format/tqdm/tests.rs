use super::*;

fn read(lines: &[(&str, bool)]) -> (Option<Position>, Vec<String>) {
    let mut tqdm = Tqdm::default();
    let (mut position, mut metrics) = (None, Vec::new());
    for (text, nested) in lines {
        assert!(tqdm.may_be(text.as_bytes()), "{text}");
        let found = tqdm.read(Painted { text, nested: *nested }).unwrap_or_else(|| panic!("no bar: {text}"));
        position = found.position.or(position);
        for m in found.metrics {
            metrics.push(format!("{}@{}={}", m.name, m.step.map_or("-".into(), |step| step.to_string()), m.value));
        }
    }
    (position, metrics)
}

fn one(text: &str) -> Position {
    read(&[(text, false)]).0.unwrap()
}

#[test]
fn bars_with_a_total() {
    let p = one("slow:  67%|██████▋   | 2/3 [00:02<00:01,  1.10s/it]");
    assert_eq!((p.step, p.total, p.eta_s, p.inner_stage.as_deref()), (Some(2), Some(3), Some(1.0), Some("slow")));
    assert_eq!(p.rate, Some(1.0 / 1.10));
    assert_eq!(p.progress, Some(2.0 / 3.0));
    let p = one("  0%|          | 0/16 [00:00<?, ?it/s][transformers] `loss_type=None` was set");
    assert_eq!((p.step, p.total, p.eta_s, p.rate, p.inner_stage), (Some(0), Some(16), None, None, None));
    let p = one("Map: 100%|##########| 1000/1000 [1:00:05<2:00:01, 12345.67 examples/s]");
    assert_eq!((p.eta_s, p.rate), (Some(7201.0), Some(12345.67)));
    let p = one("steps: |          | 0/? [00:00<?, ?it/s]");
    assert_eq!((p.step, p.total, p.progress), (Some(0), None, None));
}

#[test]
fn scaled_bars_use_their_percentage() {
    let p = one("download:  43%|████▎     | 1.43M/3.34M [00:00<00:00, 4.10MB/s]");
    assert_eq!((p.progress, p.step, p.total), (Some(0.43), None, None));
    assert!((p.rate.unwrap() - 4.1e6).abs() < 1.0);
    assert_eq!(one("a:  15%|#5        | 488k/3.34M [00:00<00:10, 1.25ks/B]").rate, Some(1.0 / 1250.0));
}

#[test]
fn bars_without_a_total() {
    let p = one("unknown: 3batch [00:00,  8.32batch/s]");
    assert_eq!((p.step, p.total, p.rate, p.progress), (Some(3), None, Some(8.32), None));
    assert_eq!(p.inner_stage.as_deref(), Some("unknown"));
    let p = one("7 examples [00:00, 12.50 examples/s, loss=0.5]");
    assert_eq!((p.step, p.rate), (Some(7), Some(12.5)));
    assert_eq!(one("0it [00:00, ?it/s]").step, Some(0));
    let p = one("get: 1.43MB [00:01, 1.43MB/s]");
    assert_eq!((p.step, p.rate), (None, Some(1.43e6)));
}

#[test]
fn what_only_looks_like_a_bar_is_none() {
    let mut tqdm = Tqdm::default();
    for text in [
        "disk 50%| used",
        "50%|###| 1/2 [soon]",
        "50%|###| 1/2 [00:01]",
        "50%|###| a/b [00:01<00:01, 1.00it/s]",
        "INFO: 3 files [00:00, done]",
        "5it [00:00, 2.00batch/s]",
        "x [1, 2]",
        "100%|",
        "%||/ [:<,/s]",
    ] {
        assert!(tqdm.read(Painted { text, nested: false }).is_none(), "{text}");
    }
}

#[test]
fn epochs_of_the_description_make_the_whole() {
    let p = one("Epoch 2/4:  50%|█████     | 2/4 [00:00<00:00,  8.30step/s]");
    assert_eq!((p.epoch, p.epochs, p.progress, p.overall), (Some(2.0), Some(4.0), Some(0.375), Some(0.375)));
    assert_eq!(p.eta_s, None, "the bar's own time is the epoch's");
    let zero = |n: u32| format!("Epoch [{n}/2]:  50%|█████     | 2/4 [00:00<00:00,  8.30step/s]");
    let (p, _) = read(&[(&zero(0), false), (&zero(1), false)]);
    assert_eq!(p.unwrap().progress, Some(0.75));
    assert_eq!(one("epochs:  50%|█████     | 2/4 [00:00<00:00,  8.30it/s]").epochs, Some(4.0));
}

#[test]
fn figures_that_come_with_the_old_number_belong_to_the_next_step() {
    let bar = |n: u32, rest: &str| format!("Epoch 2/3:  {}%|█| {n}/4 [00:00<00:00,  8.30step/s{rest}]", n * 25);
    let painted = [
        bar(0, ""),
        bar(0, ", loss=2.3, lr=0.1"),
        bar(1, ", loss=2.3, lr=0.1"),
        bar(1, ", loss=nan, lr=0.1"),
        bar(2, ", loss=nan, lr=0.1"),
    ];
    let lines: Vec<(&str, bool)> = painted.iter().map(|line| (line.as_str(), false)).collect();
    assert_eq!(read(&lines).1, ["loss@5=2.3", "lr@5=0.1", "loss@6=NaN"]);
    // Updated first, then told: the number is right as it stands.
    let painted =
        [bar(0, ""), bar(1, ""), bar(1, ", loss=3.67e+3"), bar(2, ", loss=3.67e+3"), bar(2, ", loss=1, v_num=4")];
    let lines: Vec<(&str, bool)> = painted.iter().map(|line| (line.as_str(), false)).collect();
    assert_eq!(read(&lines).1, ["loss@5=3670", "loss@6=1"]);
}

#[test]
fn nested_and_validating_bars_are_not_the_position() {
    let outer = " 50%|█████     | 8/16 [00:02<00:01,  6.32it/s]";
    let inner = " 25%|██▌       | 2/8 [00:00<00:00, 113.86it/s, loss=0.5]";
    let (p, metrics) = read(&[(outer, false), (inner, true)]);
    assert_eq!(p.unwrap().step, Some(8));
    assert_eq!(metrics, ["loss@67=0.5"], "its figures count, at the step of the whole");
    let check = "Validation DataLoader 0:  25%|██▌       | 2/8 [00:00<00:00, 319.26it/s, loss=0.5]";
    let (p, metrics) = read(&[(outer, false), (check, false)]);
    assert_eq!(p.unwrap().step, Some(8));
    assert!(metrics[0].starts_with("val_loss@"), "{metrics:?}");
}
