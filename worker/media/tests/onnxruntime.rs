//! Files that are no ONNX Runtime library must be refused with a sentence: no panic, no hang. A process of its own,
//! for a library that was loaded once stays. Needs a C compiler, as building this project does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{path::Path, process::Command};

use mouthpiece_media::face::{Runtime, RuntimeError};

/// Builds a shared library from C source.
fn library(folder: &Path, name: &str, source: &str) -> std::path::PathBuf {
    let code = folder.join(format!("{name}.c"));
    let library = folder.join(format!("lib{name}.so"));
    std::fs::write(&code, source).unwrap();
    let done = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status().unwrap();
    assert!(done.success());
    library
}

#[test]
fn unfit_libraries_are_refused_and_a_fit_one_loads_afterwards() {
    let folder = tempfile::tempdir().unwrap();

    let missing = Runtime::load_from(Path::new("/nowhere/libonnxruntime.so")).unwrap_err();
    assert!(matches!(missing, RuntimeError::Unloadable { .. }), "{missing}");

    let text = folder.path().join("text.so");
    std::fs::write(&text, "not a library").unwrap();
    let error = Runtime::load_from(&text).unwrap_err();
    assert!(matches!(error, RuntimeError::Unloadable { .. }), "{error}");
    assert!(error.to_string().contains("text.so cannot be loaded"), "{error}");
    assert!(error.to_string().contains("run 'make onnxruntime', or set MOUTHPIECE_ONNXRUNTIME="), "{error}");

    let other = library(folder.path(), "other", "int something(void) { return 1; }");
    let error = Runtime::load_from(&other).unwrap_err();
    assert!(error.to_string().contains("it is some other library"), "{error}");

    let old = library(
        folder.path(),
        "old",
        r#"
        static const void *get_api(unsigned version) { (void)version; return 0; }
        static const char *get_version(void) { return "1.17.3"; }
        static const struct { const void *(*a)(unsigned); const char *(*v)(void); } base = { get_api, get_version };
        const void *OrtGetApiBase(void) { return &base; }
        "#,
    );
    let error = Runtime::load_from(&old).unwrap_err();
    assert!(matches!(&error, RuntimeError::TooOld { version, .. } if version == "1.17.3"), "{error}");
    assert!(error.to_string().contains("is ONNX Runtime 1.17.3, but at least 1.24 is needed"), "{error}");

    let runtime = Runtime::get().unwrap_or_else(|error| panic!("{error}"));
    let again = Runtime::load_from(&text).unwrap();
    assert_eq!(runtime.path(), again.path(), "what is loaded stays");
}
