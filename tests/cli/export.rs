//! `mouthpiece models export`: who asks for what is not there, or ends it in the middle. The scripts themselves are tested by
//! `models/export/test_export.py`; here they are run where PyTorch is (`make export-test`), otherwise a shell stands for Python.

use crate::fixtures;
use crate::scene::{Run, Scene};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Weights and the files that they lie in.
const WEIGHTS: [(&str, &str); 4] = [
    ("musetalk-unet", "musetalk-1.5/unet.pth"),
    ("sd-vae-ft-mse", "sd-vae-ft-mse/diffusion_pytorch_model.safetensors"),
    ("tiny-vae", "taesd/diffusion_pytorch_model.safetensors"),
    ("whisper-tiny", "whisper/tiny.pt"),
];

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder of models with a manifest of the weights that lie there, whatever they hold.
struct Workshop {
    scene: Scene,
}

impl Workshop {
    /// With files that are no weights.
    fn new() -> Self {
        let scene = Scene::new();
        for (name, file) in WEIGHTS {
            let path = scene.path("models").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let shop = Self { scene };
        shop.write_manifest();
        shop
    }

    fn write_manifest(&self) {
        let entry = |(name, file): (&str, &str)| {
            let sha256 = sha256(&std::fs::read(self.scene.path("models").join(file)).unwrap());
            format!(
                "[[weights]]\nname = '{name}'\nfile = '{file}'\nurl = 'https://example.org/{name}'\nsha256 = '{sha256}'\n\
                 about_bytes = 1000\nlicence = 'MIT'\ncommercial_use = true\npurpose = 'to test'\n"
            )
        };
        self.scene.file("manifest.toml", WEIGHTS.map(entry).concat().as_bytes());
        self.scene.file("mouthpiece.toml", b"[models]\nfolder = 'models'\n");
    }

    fn command(&self, words: &[&str]) -> Command {
        self.scene.command(&[&["models", "export", "--manifest", "manifest.toml"], words].concat())
    }

    fn run(&self, words: &[&str]) -> Run {
        let done = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) }
    }

    fn fails(&self, code: i32, words: &[&str], told: &[&str]) {
        let run = self.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{words:?}: {run:?}");
        for told in told {
            assert!(run.stderr.contains(told), "'{told}': {}", run.stderr);
        }
        assert_eq!(self.there(), [""; 0]);
    }

    /// A program in Python's place: what it does when it is given `export.py`, with `$out` the folder for graphs.
    fn python(&self, does: &str) -> String {
        let text = format!("#!/bin/sh\ncase $2 in */export.py) out=$5; mkdir -p \"$out\"; {does} ;; esac\n");
        let path = self.scene.file("python", text.as_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    /// The names in the folder of graphs; hidden ones too.
    fn there(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.scene.path("models/graphs")).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn weights_that_are_missing_or_others_are_named_before_anything_is_run() {
    let shop = Workshop::new();
    std::fs::remove_file(shop.scene.path("models/taesd/diffusion_pytorch_model.safetensors")).unwrap();
    shop.fails(1, &["unet", "tiny_decoder"], &["tiny-vae", "mouthpiece models fetch tiny-vae"]);
    std::fs::write(shop.scene.path("models/whisper/tiny.pt"), "another").unwrap();
    shop.fails(1, &["whisper"], &["whisper-tiny", "mouthpiece models verify whisper-tiny"]);
}

#[test]
fn graphs_that_nobody_knows_are_refused() {
    Workshop::new().fails(2, &["vnet"], &["there is no graph 'vnet': there are whisper, vae_encoder, unet"]);
}

#[test]
fn without_a_python_or_its_packages_what_to_do_is_told() {
    let shop = Workshop::new();
    shop.fails(2, &["unet", "--python", "nowhere/python"], &["'nowhere/python' cannot be run as a Python"]);
    // The real one, without anything that was installed for it.
    let bare = shop.scene.file("bare", b"#!/bin/sh\nexec python3 -I -S \"$@\"\n");
    std::fs::set_permissions(&bare, std::fs::Permissions::from_mode(0o755)).unwrap();
    shop.fails(2, &["unet", "--python", "./bare"], &["lacks packages: diffusers==", "torch==", "leave --python out"]);
    let done = shop.command(&["unet", "--yes"]).env("PATH", "").output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(1) && told.contains("python3 is missing: apt-get install"), "{told}");
}

#[test]
fn nothing_is_installed_without_the_users_consent() {
    let shop = Workshop::new();
    shop.fails(2, &["unet"], &["nothing was installed", "3 GB", "--yes"]);
    let entries = std::fs::read_dir(shop.scene.path("models")).unwrap().map(|e| e.unwrap().file_name());
    assert!(entries.into_iter().all(|name| !name.to_string_lossy().starts_with("export-python")));
}

#[test]
fn what_was_written_is_read_again() {
    let shop = Workshop::new();
    let writes = |graph: &str| {
        let note = format!(
            r#"{{"unet": {{"precision": "fp16", "graph": "{}", "weights": "{}"}}}}"#,
            sha256(graph.as_bytes()),
            sha256(b"weights")
        );
        shop.python(&format!(
            "printf graph >\"$out/unet.onnx\"; printf weights >\"$out/unet.onnx.data\"; printf '%s' '{note}' >\"$out/graphs.json\""
        ))
    };
    let run = shop.run(&["unet", "--python", &writes("graph")]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "unet: right: models/graphs/unet.onnx\n"), "{run:?}");
    assert!(run.stderr.contains("neural.graphs = \"models/graphs\""), "{run:?}");
    let run = shop.run(&["unet", "--python", &writes("another graph")]);
    assert!(run.code == Some(1) && run.stderr.contains("one file is not right: unet"), "{run:?}");
    let run = shop.run(&["unet", "--python", &shop.python("echo 'it went wrong'; exit 3")]);
    assert!(
        run.code == Some(1) && run.stderr.contains("it went wrong") && run.stderr.contains("ended with"),
        "{run:?}"
    );
}

#[test]
fn what_judges_and_restores_is_made_by_the_same_command() {
    let shop = Workshop::new();
    for (name, file) in [("inception", "inception.pth"), ("esrgan-slim", "slim.tgz")] {
        shop.scene.file(&format!("models/{file}"), name.as_bytes());
        let manifest = std::fs::read_to_string(shop.scene.path("manifest.toml")).unwrap();
        let entry = format!(
            "[[weights]]\nname = '{name}'\nfile = '{file}'\nurl = 'https://example.org/{name}'\nsha256 = '{}'\nabout_bytes = 1000\n\
             licence = 'MIT'\ncommercial_use = true\npurpose = 'to test'\n",
            sha256(name.as_bytes())
        );
        shop.scene.file("manifest.toml", (manifest + &entry).as_bytes());
    }
    // Notes how it was called, and writes what it was asked for, each script under the names that it has for it.
    let hash = sha256(b"graph");
    let note = ["unet", "inception", "restoration"]
        .map(|name| {
            let weights = if name == "unet" { sha256(b"weights") } else { String::new() };
            format!(r#""{name}": {{"graph": "{hash}", "weights": "{weights}"}}"#)
        })
        .join(", ");
    let text = format!(
        "#!/bin/sh\ncase $2 in */packages.py) exit;; esac\nout=$5; mkdir -p \"$out\"\n\
         echo \"asked: ${{2##*/}} $6 $7 $8 $9\"\nfor graph in $(echo $7 | tr , ' '); do printf graph >\"$out/$graph.onnx\"; done\n\
         case $2 in */export.py) printf weights >\"$out/unet.onnx.data\";; esac\nprintf '%s' '{{{note}}}' >\"$out/graphs.json\"\n"
    );
    let path = shop.scene.file("python", text.as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let python = path.display().to_string();
    let run = shop.run(&["inception", "unet", "restoration", "--python", &python]);
    let right = ["unet", "inception", "restoration"].map(|name| format!("{name}: right: models/graphs/{name}.onnx\n"));
    assert_eq!((run.code, run.stdout), (Some(0), right.concat()), "{}", run.stderr);
    for asked in [
        "asked: export.py --graphs unet --precision fp16",
        "asked: extras.py --graphs inception,restoration --restoration esrgan-slim",
    ] {
        assert!(run.stderr.contains(asked), "{asked}: {}", run.stderr);
    }
    let run = shop.run(&["inception", "--python", &python]);
    assert!(run.code == Some(0) && !run.stderr.contains("export.py"), "{run:?}");
    std::fs::remove_file(shop.scene.path("models/inception.pth")).unwrap();
    let run = shop.run(&["inception", "--python", &python]);
    assert!(run.code == Some(1) && run.stderr.contains("mouthpiece models fetch inception"), "{run:?}");
}

#[test]
fn what_is_ended_in_the_middle_leaves_nothing_half_made() {
    for signal in ["INT", "TERM"] {
        let shop = Workshop::new();
        let python = shop
            .python("mkdir \"$out/.export-1\"; printf half >\"$out/.export-1/unet.onnx\"; echo begun; exec sleep 600");
        let mut command = shop.command(&["unet", "--python", &python]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("begun") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it began");
        }
        let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
        assert!(kill.success());
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
        assert!(rest.starts_with("interrupted: graphs that were finished are kept"), "{rest}");
        assert_eq!(shop.there(), [""; 0]);
    }
}

#[test]
fn two_do_not_write_the_same_folder() {
    let shop = Workshop::new();
    let lock = std::fs::File::create(shop.scene.path("models/.lock")).unwrap();
    lock.lock().unwrap();
    shop.fails(1, &["unet"], &["another `mouthpiece models` is at work"]);
}

#[test]
fn the_help_teaches() {
    let run = Scene::new().run(&["models", "export", "--help"]);
    for words in [
        "What happens",
        "Ctrl-C",
        "syncnet (two graphs)",
        "restoration makes mouths sharper",
        "mouthpiece models fetch && mouthpiece models export",
        "PIP_INDEX_URL",
    ] {
        assert!(run.code == Some(0) && run.stdout.contains(words), "{words}: {run:?}");
    }
    assert!(!run.stdout.contains("--twin"), "{run:?}");
}

/// The real scripts, on weights of the twins' widths: the engine draws with what comes of them.
#[test]
#[ignore = "needs a Python with PyTorch: make export-test"]
fn graphs_are_made_of_weights_and_the_engine_draws_with_them() {
    let python =
        std::env::var("MOUTHPIECE_EXPORT_PYTHON").expect("MOUTHPIECE_EXPORT_PYTHON names a Python with PyTorch");
    let shop = Workshop::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/models/export/twin_weights.py");
    let made = Command::new(&python).args(["-B", script]).arg(shop.scene.path("models")).status().unwrap();
    assert!(made.success());
    shop.write_manifest();
    let run = shop.run(&["--twin", "--python", &python]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 5), "{run:?}");
    let run = shop.run(&["--twin", "--python", &python]);
    assert!(run.code == Some(0) && run.stderr.matches("here, and right").count() == 5, "{run:?}");
    shop.scene.file("short.wav", &fixtures::speech(0.4));
    let graphs = shop.scene.path("models/graphs");
    let told = ["--engine", "musetalk", "--decoder", "tiny", "--provider", "cpu", "--size", "128", "--graphs"];
    let report = shop.scene.report("portrait.png", "short.wav", &[&told[..], &[path(&graphs)]].concat());
    assert_eq!(report["frames"], 10);
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
