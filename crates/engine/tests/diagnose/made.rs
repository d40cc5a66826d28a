//! Failures made here and now by real programs.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{End, args};

/// Runs a program to its end, both of its outputs into one file, as the shim does.
fn end_of(command: &mut Command, folder: &Path) -> End {
    let path = folder.join("output");
    let file = File::create(&path).unwrap();
    let status = command
        .current_dir(folder)
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    End { code: status.code(), signal: status.signal(), output: std::fs::read(path).unwrap() }
}

/// Runs `train.py` with this text, without the packages that happen to be installed.
fn python(text: &str) -> (End, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("train.py"), text).unwrap();
    let end = end_of(Command::new("python3").args(["-S", "train.py"]), place.path());
    (end, place)
}

/// Runs a program in an empty folder.
fn alone(command: &mut Command) -> End {
    let place = tempfile::tempdir().unwrap();
    end_of(command, place.path())
}

fn shell(line: &str) -> End {
    alone(Command::new("bash").args(["-c", line]))
}

/// The code, the sentences together, and the line it stands on.
#[track_caller]
fn expect(end: &End, code: &str, says: &[&str], line: &str) {
    let (found, failure, at) = end.told();
    let all = format!("{}\n{}\n{}", failure.title, failure.detail, failure.hints.join("\n"));
    assert_eq!(found, code, "{all}\nin {}", String::from_utf8_lossy(&end.output));
    for says in says {
        assert!(all.contains(says), "{says:?} is not in:\n{all}");
    }
    assert!(at.contains(line), "{at:?}");
    assert!((1..=3).contains(&failure.hints.len()), "{:?}", failure.hints);
    assert!(!all.contains('{') && !all.contains('}'), "{all}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_the_system_does_not_give_is_out_of_memory() {
    let limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))\n";
    let (end, _place) = python(&format!("{limit}def load():\n    return bytearray(1 << 34)\nload()\n"));
    expect(&end, "out_of_memory", &["Out of memory", "train.py, line 4, in load", "smaller batch"], "MemoryError");
}

#[test]
fn a_missing_module_is_named_with_the_python_that_missed_it() {
    let (end, _place) = python("def main():\n    import cv2.none_such\nmain()\n");
    let says = ["\"cv2\"", "/opt/venv/bin/python3 -m pip install opencv-python", "train.py, line 2, in main"];
    expect(&end, "module_not_found", &says, "ModuleNotFoundError: No module named 'cv2'");
    // Asked for as a program.
    let end = alone(Command::new("python3").args(["-m", "no_such_module"]));
    expect(&end, "module_not_found", &["\"no_such_module\""], "No module named no_such_module");
}

#[test]
fn a_missing_file_is_named_and_so_is_a_missing_script_and_a_missing_program() {
    let (end, _place) =
        python("import json\n\n\ndef read(path):\n    return open(path)\n\n\nread('data/it\\'s.csv')\n");
    expect(&end, "file_not_found", &["data/it's.csv", "train.py, line 5, in read"], "FileNotFoundError");
    let end = alone(Command::new("python3").arg("trian.py"));
    expect(&end, "file_not_found", &["trian.py\""], "can't open file");
    let (end, _place) = python("import subprocess\nsubprocess.run(['ffmpeg-none', '-i', 'x'])\n");
    expect(&end, "program_not_found", &["\"ffmpeg-none\"", "train.py, line 2."], "FileNotFoundError");
    let end = shell("cat none.txt");
    expect(&end, "file_not_found", &["\"none.txt\""], "cat: none.txt");
}

#[test]
fn a_command_that_a_shell_does_not_find_is_named() {
    for end in [shell("torchrun_none --help"), shell("sh -c 'torchrun_none --help'"), shell("env torchrun_none")] {
        expect(&end, "program_not_found", &["torchrun_none"], "torchrun_none");
    }
}

#[test]
fn what_may_not_be_touched_is_named() {
    // Even root may not, once it is nobody.
    let text = "import os\nos.makedirs('kept/inner')\nos.chmod('kept', 0)\nif os.getuid() == 0:\n    os.setgid(65534)\n    os.setuid(65534)\nopen('kept/inner/w.bin', 'wb')\n";
    let (end, _place) = python(text);
    expect(&end, "permission_denied", &["kept/inner/w.bin", "train.py, line 7."], "PermissionError: [Errno 13]");
    let end = shell("touch script && chmod 600 script && ./script");
    expect(&end, "permission_denied", &["\"./script\""], "Permission denied");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let (end, _place) = python("out = open('/dev/full', 'wb', 0)\n\nout.write(b'weights')\n");
    expect(&end, "disk_full", &["no room on the disk", "train.py, line 3."], "OSError: [Errno 28]");
    expect(&shell("echo weights > /dev/full"), "disk_full", &["no room on the disk"], "No space left on device");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let text = "import socket\na = socket.socket()\na.bind(('127.0.0.1', 0))\na.listen()\nb = socket.socket()\nb.bind(a.getsockname())\n";
    let (end, _place) = python(text);
    expect(&end, "port_in_use", &["train.py, line 6."], "Address already in use");
    let text = "import asyncio, socket\na = socket.socket()\na.bind(('127.0.0.1', 0))\na.listen()\nport = a.getsockname()[1]\nprint('PORT', port)\n\n\nasync def main():\n    await asyncio.start_server(print, '127.0.0.1', port)\nasyncio.run(main())\n";
    let (end, _place) = python(text);
    let port = String::from_utf8_lossy(&end.output).lines().next().unwrap().replace("PORT ", "");
    expect(&end, "port_in_use", &[&format!("port {port}"), "line 10, in main"], "error while attempting to bind");
}

#[test]
fn an_assertion_is_told_with_its_message() {
    let (end, _place) = python("def check(n):\n    assert n == 10, f'{n} classes, the head has 10'\ncheck(12)\n");
    expect(&end, "assertion", &["12 classes, the head has 10", "train.py, line 2, in check"], "AssertionError");
    let (end, _place) = python("assert False\n");
    expect(&end, "assertion", &["A check of the program itself failed."], "AssertionError");
}

#[test]
fn the_users_last_frame_is_told_and_not_a_librarys() {
    let place = tempfile::tempdir().unwrap();
    let packages = place.path().join("lib/python3.11/site-packages");
    std::fs::create_dir_all(packages.join("lossy")).unwrap();
    std::fs::write(
        packages.join("lossy/__init__.py"),
        "def fit(shape):\n    return _check(shape)\n\ndef _check(shape):\n    raise ValueError(f'bad shape {shape}')\n",
    )
    .unwrap();
    std::fs::write(place.path().join("train.py"), "import lossy\n\ndef step():\n    lossy.fit((3, 4))\n\nstep()\n")
        .unwrap();
    let mut command = Command::new("python3");
    let end = end_of(command.arg("train.py").env("PYTHONPATH", &packages), place.path());
    expect(
        &end,
        "python_exception",
        &["Python raised ValueError", "Its message: bad shape (3, 4).", "line 4, in step"],
        "ValueError: bad shape",
    );
    let failure = end.told().1;
    assert!(args(&failure)["at_file"].ends_with("train.py"), "{failure:?}");
    assert_eq!(args(&failure)["kind"], "ValueError");
}

#[test]
fn an_exception_raised_from_another_is_told_by_what_it_came_of() {
    let (end, _place) = python(
        "try:\n    import none_such\nexcept ImportError as e:\n    raise RuntimeError('the backend cannot be used') from e\n",
    );
    expect(&end, "module_not_found", &["none_such"], "RuntimeError");
    // Handled and gone wrong in another way: that other is the reason.
    let (end, _place) = python("try:\n    import none_such\nexcept ImportError:\n    {}['device']\n");
    expect(&end, "python_exception", &["Python raised KeyError", "Its message: 'device'.", "line 4"], "KeyError");
}

#[test]
fn a_fault_of_syntax_has_its_place() {
    let (end, _place) = python("x = 1\nprint((x)\n");
    expect(&end, "python_exception", &["SyntaxError", "train.py, line 2."], "SyntaxError: ");
}

#[test]
fn a_killed_part_of_it_is_told() {
    let end = shell("bash -c 'kill -KILL $$'; exit 137");
    expect(&end, "killed", &["killed from outside"], "Killed");
    let (end, _place) = python("import os\nos.kill(os.getpid(), 9)\n");
    assert_eq!((end.signal, end.found()), (Some(9), None), "without words the exit alone tells it");
}

#[test]
fn a_loss_that_is_no_number_is_told() {
    let text = "import math, sys\nloss = float('inf') - float('inf')\nprint('epoch 1 loss', loss)\nif not math.isfinite(loss):\n    print(f'Loss is {loss}, stopping training')\n    sys.exit(1)\n";
    let (end, _place) = python(text);
    expect(&end, "nan_loss", &["learning rate"], "Loss is nan, stopping training");
    let (end, _place) =
        python("loss = float('nan')\nif loss != loss:\n    raise ValueError(f'loss is {loss} at step 12')\n");
    expect(&end, "nan_loss", &["train.py, line 3."], "ValueError: loss is nan");
}
