//! The sentences of each cause: of several, the first whose places can all be filled.
//!
//! Each form here has its Chinese one in `words/sentences.zh-CN.json`.

use indexmap::IndexMap;

use super::{Cause, Found};

/// Next steps, at most.
const STEPS_MOST: usize = 3;

struct Words {
    title: &'static str,
    cause: &'static [&'static str],
    steps: &'static [&'static str],
}

const RETRY: &str = "Try again: footplate retry {run} --failed";
/// Only where the stage can.
const RESUME: &str = "Go on from the newest checkpoint: footplate resume {run}";
const SMALLER: &str = "Use less memory: a smaller batch, fewer workers.";
/// How the two steps end of which one is shown.
const INSTALL: &str = "pip install {package}";
const IN_CODE: &[&str] =
    &["Your code was at {at_file}, line {at_line}, in {at_function}.", "Your code was at {at_file}, line {at_line}."];

fn words(cause: Cause) -> Words {
    let words = |title, cause, steps| Words { title, cause, steps };
    match cause {
        Cause::OutOfMemory => words(
            "Out of memory",
            &[
                "The system ended it because memory ran out; its processes were seen with up to {used}.",
                "The machine could not give it {wanted} more memory.",
                "The machine could not give it more memory.",
            ],
            &[SMALLER, "Run fewer things side by side, or reserve memory in `resources`."],
        ),
        Cause::GpuOutOfMemory => words(
            "Out of GPU memory",
            &["The GPU had no room for {wanted} more.", "The GPU's memory was full."],
            &[
                "Use a smaller batch, and make up for it with gradient accumulation.",
                "Look whether something else is using the GPU: nvidia-smi",
                "Shorten the inputs, or use mixed precision, gradient checkpointing or a smaller model.",
            ],
        ),
        Cause::MpsOutOfMemory => words(
            "Out of GPU memory",
            &["Metal had no room for {wanted} more.", "Metal's share of the memory was full."],
            &[
                "Use a smaller batch, and make up for it with gradient accumulation.",
                "Close other programs: the GPU shares the machine's memory.",
            ],
        ),
        Cause::Killed => words(
            "The program was killed",
            &[
                "One of its processes ({pid}) was killed from outside; the system does so when memory runs out.",
                "It was killed from outside; the system does so when memory runs out.",
            ],
            &[SMALLER, RESUME, RETRY],
        ),
        Cause::ModuleNotFound => words(
            "Python module {module} is missing",
            &["Python did not find the module \"{module}\"."],
            &[
                "Install it for the Python that ran: {python} -m pip install {package}",
                "Install it in the environment in which the program runs: pip install {package}",
                "If it is a file of your own, start in its folder or name that folder in PYTHONPATH.",
                "If it is installed elsewhere, name that environment's python as the program.",
            ],
        ),
        Cause::ProgramNotFound => words(
            "A program is missing",
            &[
                "It wanted to start \"{program}\", which is not there.",
                "It wanted to start a program that is not there.",
            ],
            &[
                "Install it, or write its full path.",
                "Activate the environment in which it is installed before you submit.",
            ],
        ),
        Cause::FileNotFound => words(
            "A file is missing",
            &["It did not find \"{file}\"."],
            &[
                "Correct the path; one without a leading / is looked for in the working folder.",
                "If another stage makes it, let this one need that stage.",
            ],
        ),
        Cause::PermissionDenied => words(
            "No permission",
            &[
                "It was not allowed to use \"{file}\".",
                "It was not allowed to use a file: {message}.",
                "It was not allowed to use a file.",
            ],
            &[
                "Look at who owns it and what is allowed: ls -ld FILE",
                "Write to a folder of your own, such as the run's.",
            ],
        ),
        Cause::DiskFull => words(
            "No room on the disk",
            &["There was no room on the disk for \"{file}\".", "There was no room on the disk."],
            &[
                "Free some space, or write to another disk: df -h",
                "footplate clean --older-than 30d removes ended runs",
                RETRY,
            ],
        ),
        Cause::NoSuchGpu => words(
            "No such GPU",
            &["It asked for a GPU that it cannot see: {message}.", "It asked for a GPU that it cannot see."],
            &[
                "See which GPUs there are: nvidia-smi",
                "Correct its device number, or CUDA_VISIBLE_DEVICES: numbers begin with 0.",
            ],
        ),
        Cause::GpuDriver => words(
            "The GPU driver does not fit",
            &[
                "The driver (CUDA {found}) is older than what the program was built for.",
                "The GPU's driver and the program's CUDA do not fit together.",
            ],
            &[
                "Update the driver, then restart the machine.",
                "Or install a build for the driver you have; nvidia-smi names its CUDA version.",
            ],
        ),
        Cause::GpuUnsupported => words(
            "Built without this GPU",
            &[
                "The installed framework cannot use this GPU: {message}.",
                "The installed framework cannot use this GPU.",
            ],
            &["Install a build for this GPU and its CUDA version: https://pytorch.org/get-started"],
        ),
        Cause::GpuAssertion => words(
            "A check on the GPU failed",
            &["A value on the GPU was out of bounds, most often a label or an index."],
            &[
                "Set CUDA_LAUNCH_BLOCKING=1 and run it again: the place that is told is the true one then.",
                "Compare the labels with the number of classes, and the tokens with the vocabulary.",
            ],
        ),
        Cause::HubGated => words(
            "The model must be asked for",
            &[
                "The model {model} is given only to those who asked for it.",
                "The model is given only to those who asked for it.",
            ],
            &[
                "Accept its terms on its page at huggingface.co.",
                "Then log in with \"hf auth login\", or hand over HF_TOKEN as a secret.",
            ],
        ),
        Cause::HubNotFound => words(
            "The model is not on the hub",
            &[
                "The hub does not know {model}, or does not show it without a login.",
                "The hub does not know the model, or does not show it without a login.",
            ],
            &[
                "Correct the name, or the path where it is a folder of your own.",
                "If it is private, log in with \"hf auth login\", or hand over HF_TOKEN as a secret.",
            ],
        ),
        Cause::HubOffline => words(
            "The model hub was not reached",
            &["A file is not among the downloaded ones, and huggingface.co was not reached."],
            &[
                "Look at the network, and whether HF_HUB_OFFLINE is set.",
                "Or download the model before: hf download MODEL",
            ],
        ),
        Cause::NanLoss => words(
            "The loss is not a number",
            &["The training diverged: its loss became NaN or infinite."],
            &[
                "Lower the learning rate, warm it up, or clip the gradients.",
                "Look for NaN and for zeros under a division in the data.",
                "Use bfloat16 or full precision in place of float16.",
            ],
        ),
        Cause::Assertion => words(
            "An assertion failed",
            &["A check of the program itself failed: {message}.", "A check of the program itself failed."],
            &["Look at what it checks there, and at the values that reach it.", RETRY],
        ),
        Cause::PythonException => words(
            "Python raised {kind}",
            &["Its message: {message}."],
            &["Look at that line and at the values that reach it.", RETRY],
        ),
        Cause::PortInUse => words(
            "The port is in use",
            &["Another program listens on port {port}.", "Another program listens on its port."],
            &[
                "End that program, or choose another port; torchrun takes --master-port.",
                "If several such runs are queued, let them run one after another.",
            ],
        ),
        // Those are told by the exit alone, in the words of `client::explain`.
        Cause::Timeout | Cause::Stall | Cause::Alert | Cause::Interrupted | Cause::InputMissing => {
            words("The program failed", &[], &[RETRY])
        }
    }
}

/// Title, detail and next steps. `resumes`: the stage can go on from a checkpoint.
pub(super) fn sentences(found: &Found, run: Option<i64>, resumes: bool) -> (String, String, Vec<String>) {
    let Words { title, cause, steps } = words(found.cause);
    let mut args = found.args.clone();
    args.insert("run".into(), run.map_or("RUN".to_owned(), |number| number.to_string()));
    // Only one of the two ways to install is shown.
    let install = steps.iter().find(|step| step.ends_with(INSTALL) && filled(step, &args).is_some());
    let wanted = |step: &&&str| (!step.ends_with(INSTALL) || Some(*step) == install) && (resumes || **step != RESUME);
    let detail: Vec<String> =
        [cause, IN_CODE].iter().filter_map(|forms| forms.iter().find_map(|form| filled(form, &args))).collect();
    let hints = steps.iter().filter(wanted).filter_map(|step| filled(step, &args)).take(STEPS_MOST).collect();
    let title = filled(title, &args).unwrap_or_else(|| title.to_owned());
    (title, detail.join(" "), hints)
}

/// The form with its places filled; none where a value is missing. One pass: what is filled in is not looked at again.
fn filled(form: &str, args: &IndexMap<String, String>) -> Option<String> {
    let mut parts = form.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, literal) = part.split_once('}')?;
        let value = args.get(name)?;
        let ends = literal.starts_with('.') || literal.starts_with(':');
        text.push_str(if ends { value.trim_end_matches(['.', ':', ' ']) } else { value });
        text.push_str(literal);
    }
    Some(text)
}

/// Where a module's package has another name. A guess for all others: most are called alike.
pub(super) fn package_of(module: &str) -> &str {
    let top = module.split('.').next().unwrap_or(module);
    match top {
        "cv2" => "opencv-python",
        "PIL" => "pillow",
        "sklearn" => "scikit-learn",
        "skimage" => "scikit-image",
        "yaml" => "pyyaml",
        "bs4" => "beautifulsoup4",
        "dotenv" => "python-dotenv",
        "git" => "gitpython",
        "pytorch_lightning" => "pytorch-lightning",
        "sentence_transformers" => "sentence-transformers",
        "huggingface_hub" => "huggingface-hub",
        "faiss" => "faiss-cpu",
        "Levenshtein" => "levenshtein",
        "attr" => "attrs",
        "dateutil" => "python-dateutil",
        "Crypto" => "pycryptodome",
        "OpenSSL" => "pyopenssl",
        "umap" => "umap-learn",
        "hydra" => "hydra-core",
        "flash_attn" => "flash-attn",
        _ => top,
    }
}
