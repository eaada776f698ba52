//! One user's folder: what is read lies in it, what is written goes into `out/`.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::fixtures;

/// A folder that goes away with the test.
pub struct Scene {
    folder: tempfile::TempDir,
}

/// How the command ended and what it said.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Scene {
    /// With the sample as `portrait.png`, a second of speech as `speech.wav`, and an empty folder `out`.
    pub fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.path("out")).unwrap();
        std::fs::copy(fixtures::SAMPLE, scene.path("portrait.png")).unwrap();
        scene.file("speech.wav", &fixtures::speech(1.0));
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The names in `out`, sorted; hidden ones too.
    pub fn written(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("out")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command in this folder, not yet started.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mouthpiece"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Run {
        let done = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) }
    }

    /// Renders into `out/film.mp4`.
    pub fn render(&self, portrait: &str, speech: &str, more: &[&str]) -> Run {
        let args = ["render", "--portrait", portrait, "--speech", speech, "-o", "out/film.mp4"];
        self.run(&[&args, more].concat())
    }

    /// Renders what must succeed, and returns what `--json` says.
    pub fn report(&self, portrait: &str, speech: &str, more: &[&str]) -> serde_json::Value {
        let run = self.render(portrait, speech, &[more, &["--json"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{portrait} {speech} {more:?}");
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// The film that [`Scene::render`] made.
    pub fn film(&self) -> PathBuf {
        self.path("out/film.mp4")
    }

    /// Runs what must be refused: exit code 2, one sentence that holds all of `words`, and no file.
    pub fn refuses(&self, args: &[&str], words: &[&str]) {
        let run = self.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        let sentence = run.stderr.strip_prefix("error: ").and_then(|s| s.strip_suffix('\n'));
        let sentence = sentence.unwrap_or_else(|| panic!("{args:?}: {:?}", run.stderr));
        assert!(!sentence.contains('\n'), "{args:?}: {sentence}");
        for word in words {
            assert_eq!(sentence.matches(word).count(), 1, "'{word}' is not told once: {args:?}: {sentence}");
        }
        assert_eq!(self.written(), [""; 0], "{args:?}");
    }

    /// Renders what must be refused.
    pub fn refuses_to_render(&self, portrait: &str, speech: &str, more: &[&str], words: &[&str]) {
        let args = ["render", "--portrait", portrait, "--speech", speech, "-o", "out/film.mp4"];
        self.refuses(&[&args, more].concat(), words);
    }

    /// Runs the ffmpeg command, which writes `name`.
    pub fn ffmpeg(&self, args: &[&str], name: &str) {
        let command = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"];
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(command).args(args).arg(Path::new(name)).current_dir(self.folder.path());
        let run = ffmpeg.output().expect("the ffmpeg command is installed");
        assert!(run.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&run.stderr));
    }
}
