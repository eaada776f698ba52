//! The scripts that run inside the server, each one step that nothing comes between.

use redis::Script;

/// All of them. A server that does not know one is sent it, and asked again.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) claim: Script,
    pub(crate) renew: Script,
    pub(crate) release: Script,
    pub(crate) remaining: Script,
    pub(crate) touch: Script,
    pub(crate) admit: Script,
    pub(crate) forget: Script,
    pub(crate) announce: Script,
    pub(crate) workers: Script,
    pub(crate) leave: Script,
}

/// A script about one worker's key.
macro_rules! of_worker {
    ($name:literal) => {
        Script::new(concat!(include_str!("lua/worker.lua"), "\n", include_str!(concat!("lua/", $name, ".lua"))))
    };
}

/// A script about the list of workers.
macro_rules! of_list {
    ($name:literal) => {
        Script::new(include_str!(concat!("lua/", $name, ".lua")))
    };
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            claim: of_worker!("claim"),
            renew: of_worker!("renew"),
            release: of_worker!("release"),
            remaining: of_worker!("remaining"),
            touch: of_worker!("touch"),
            admit: of_worker!("admit"),
            forget: of_worker!("forget"),
            announce: of_list!("announce"),
            workers: of_list!("workers"),
            leave: of_list!("leave"),
        }
    }
}
