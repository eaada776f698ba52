//! Work that may wait makes way for work that may not.

/// How much nicer a render's thread is than others.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;
/// How much less nice the threads of live sessions are, where that is allowed.
#[cfg(target_os = "linux")]
const LESS_NICE: i32 = -10;

/// From now on the calling thread runs when live sessions leave it time: a render takes what a core gives, and would take
/// their beat.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    set(NICER);
}

/// From now on the calling thread, and threads that it starts, are let in soon after they wake, where the system allows
/// that (root, or `CAP_SYS_NICE`): a beat that waits its turn behind everything else on the machine is late.
pub fn step_forward() {
    #[cfg(target_os = "linux")]
    set(LESS_NICE);
}

#[cfg(target_os = "linux")]
fn set(nice: i32) {
    // SAFETY: a plain system call without pointers. On Linux it concerns the calling thread alone.
    let refused = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    if refused != 0 {
        tracing::debug!(nice, "the thread keeps its priority");
    }
}
