//! Engines that TensorRT built of graphs, and when they can be used.
//!
//! Building takes minutes and fits one GPU, one driver and one TensorRT. What an engine was built for is written beside it, last,
//! so that a build that was broken off is none. Judging is pure; it says what differs, for whoever waits for a build again.
//!
//! ```text
//! GRAPHS/engines/unet/key.txt         what it was built for
//!                     unet_ctx.onnx   an EPContext graph, which names the engine
//!                     engine/         the engine and its profiles
//!                timing/              how fast kernels were: builds of other graphs go on from there
//!                compiled/            what TensorRT for RTX compiled while it loaded graphs
//! ```

use crate::gpu::GpuIdentity;
use crate::provider::Provider;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Grows when the options that engines are built with change.
const FORMAT: u32 = 1;

/// All that an engine depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineKey {
    /// SHA-256 of the graph and its weights, hexadecimal.
    pub graph: String,
    /// Where it was built.
    pub gpu: GpuIdentity,
    /// What built it.
    pub tensorrt: String,
    /// The shapes that it was built for.
    pub profiles: String,
}

/// What lies in an engine's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheVerdict {
    /// The engine can be used.
    Fresh,
    /// None was built, or the build was broken off.
    Missing,
    /// It was built for something else: what differs, for people.
    Stale(String),
}

impl EngineKey {
    /// As it is written beside the engine: a line for each part.
    pub fn text(&self) -> String {
        let lines = self.parts().map(|(what, value)| format!("{what}: {value}\n"));
        lines.concat()
    }

    fn parts(&self) -> [(&'static str, String); 7] {
        let Self { graph, gpu, tensorrt, profiles } = self;
        [
            ("format", FORMAT.to_string()),
            ("graph", graph.clone()),
            ("GPU", gpu.name.clone()),
            ("compute capability", gpu.compute_capability.clone()),
            ("driver", gpu.driver.clone()),
            ("TensorRT", tensorrt.clone()),
            ("profiles", profiles.clone()),
        ]
    }

    /// Whether an engine can be used beside which `found` is written.
    pub fn judge(&self, found: Option<&str>) -> CacheVerdict {
        let Some(found) = found else { return CacheVerdict::Missing };
        let known = |what: &str| {
            let line = found.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
            line.unwrap_or("unknown").to_owned()
        };
        let differs = self.parts().into_iter().filter_map(|(what, wanted)| {
            let was = known(what);
            (was != wanted).then(|| match what {
                "graph" => "its graph is another one".to_owned(),
                "format" | "profiles" => "this program builds otherwise".to_owned(),
                _ => format!("it was built for {what} {was}, and this is {wanted}"),
            })
        });
        let mut differs: Vec<String> = differs.collect();
        differs.dedup();
        if differs.is_empty() { CacheVerdict::Fresh } else { CacheVerdict::Stale(differs.join("; ")) }
    }
}

/// The folder of one graph's engine.
#[derive(Debug, Clone)]
pub struct EngineFolder {
    folder: PathBuf,
    name: &'static str,
}

impl EngineFolder {
    /// Of graph `name` in the folder of graphs.
    pub fn of(graphs: &Path, name: &'static str) -> Self {
        Self { folder: graphs.join("engines").join(name), name }
    }

    /// The graph that names the engine: what is loaded instead of the original.
    pub fn context(&self) -> PathBuf {
        self.folder.join(format!("{}_ctx.onnx", self.name))
    }

    /// Where kernels' times are kept; all graphs share them.
    pub fn timing(&self) -> PathBuf {
        self.folder.with_file_name("timing")
    }

    /// Where TensorRT for RTX keeps what it compiled; all graphs share it.
    pub fn compiled(&self) -> PathBuf {
        self.folder.with_file_name("compiled")
    }

    /// Makes the folders that `provider` writes to when it loads the graph: it makes none itself, and where one is missing it goes on
    /// without saying so, and keeps nothing. One in which TensorRT `builds` is emptied.
    ///
    /// # Errors
    /// What the operating system says, where something is to be built. That compiling takes its time again is no error.
    pub fn make_for(&self, provider: Provider, builds: bool) -> io::Result<()> {
        match provider {
            Provider::TensorRt if builds => self.begin(),
            Provider::TensorRtRtx => {
                // Graphs may lie where nobody may write.
                let _ = fs::create_dir_all(self.compiled());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the engine that lies there, if one does, can be used.
    pub fn judge(&self, key: &EngineKey) -> CacheVerdict {
        let found = fs::read_to_string(self.key_file()).ok().filter(|_| self.context().is_file());
        key.judge(found.as_deref())
    }

    /// Empties it, for a build.
    ///
    /// # Errors
    /// What the operating system says.
    fn begin(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::create_dir_all(&self.folder)?;
        fs::create_dir_all(self.timing())
    }

    /// The build is done: from now on it is one.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(&self, key: &EngineKey) -> io::Result<()> {
        fs::write(self.key_file(), key.text())
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("key.txt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> EngineKey {
        EngineKey {
            graph: "5e".repeat(32),
            gpu: GpuIdentity::read("Tesla T4, 580.65.06, 7.5").unwrap(),
            tensorrt: "10.13.2".to_owned(),
            profiles: "mouth:1x4x32x32".to_owned(),
        }
    }

    #[test]
    fn an_engine_is_used_only_where_all_is_as_it_was_and_what_differs_is_told() {
        let key = key();
        let text = key.text();
        assert_eq!(key.judge(Some(&text)), CacheVerdict::Fresh);
        assert_eq!(key.judge(None), CacheVerdict::Missing);
        let other = |change: &dyn Fn(&mut EngineKey)| {
            let mut other = key.clone();
            change(&mut other);
            other.judge(Some(&text))
        };
        let stale = |words: &str| CacheVerdict::Stale(words.to_owned());
        assert_eq!(
            other(&|k| k.gpu = GpuIdentity::read("NVIDIA L4, 580.65.06, 8.9").unwrap()),
            stale(
                "it was built for GPU Tesla T4, and this is NVIDIA L4; it was built for compute capability 7.5, and this is 8.9"
            )
        );
        assert_eq!(
            other(&|k| k.gpu.driver = "590.1".to_owned()),
            stale("it was built for driver 580.65.06, and this is 590.1")
        );
        assert_eq!(
            other(&|k| k.tensorrt = "10.14.0".to_owned()),
            stale("it was built for TensorRT 10.13.2, and this is 10.14.0")
        );
        assert_eq!(other(&|k| k.graph = "00".repeat(32)), stale("its graph is another one"));
        assert_eq!(other(&|k| k.profiles.push('0')), stale("this program builds otherwise"));
        let CacheVerdict::Stale(told) = key.judge(Some("damaged")) else { panic!("it is none") };
        assert!(told.contains("GPU unknown"), "{told}");
    }

    #[test]
    fn a_build_that_was_broken_off_is_none() {
        let graphs = tempfile::tempdir().unwrap();
        let (folder, key) = (EngineFolder::of(graphs.path(), "unet"), key());
        assert_eq!(folder.judge(&key), CacheVerdict::Missing);
        folder.begin().unwrap();
        fs::write(folder.context(), b"graph").unwrap();
        assert_eq!(folder.judge(&key), CacheVerdict::Missing, "not finished");
        folder.finish(&key).unwrap();
        assert_eq!(folder.judge(&key), CacheVerdict::Fresh);
        fs::remove_file(folder.context()).unwrap();
        assert_eq!(folder.judge(&key), CacheVerdict::Missing, "and what is not there cannot be used");
        folder.begin().unwrap();
        assert!(!folder.key_file().exists() && folder.timing().is_dir(), "kernels' times outlive an engine");
    }

    #[test]
    fn each_provider_finds_the_folders_that_it_writes_to() {
        let graphs = tempfile::tempdir().unwrap();
        let folder = EngineFolder::of(graphs.path(), "unet");
        folder.make_for(Provider::Cuda, false).unwrap();
        folder.make_for(Provider::TensorRt, false).unwrap();
        assert!(!graphs.path().join("engines").exists(), "who builds nothing makes nothing");
        folder.make_for(Provider::TensorRtRtx, false).unwrap();
        assert!(folder.compiled().is_dir() && !folder.timing().exists());
        fs::write(folder.compiled().join("unet"), b"kernels").unwrap();
        folder.make_for(Provider::TensorRt, true).unwrap();
        folder.make_for(Provider::TensorRtRtx, false).unwrap();
        assert!(folder.timing().is_dir() && folder.compiled().join("unet").is_file(), "and what is there is kept");
    }

    #[test]
    fn graphs_that_nobody_may_write_beside_are_compiled_again_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = EngineFolder::of(file.path(), "unet");
        folder.make_for(Provider::TensorRtRtx, false).unwrap();
        assert!(folder.make_for(Provider::TensorRt, true).is_err(), "but what is built must be stored");
    }
}
