//! What happens later.

/// Something that happens later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    /// The next caller.
    Arrival,
    /// A session is over, if it still runs as it did when this was planned.
    Over { cell: u32, serial: u32 },
    /// A machine's worker is there.
    Ready(u32),
    /// A worker's next heartbeat.
    Beat(u32),
    /// A machine is told that it will be taken away.
    Notice(u32),
    /// It is taken away.
    TakenAway(u32),
    /// A worker that was told to prepare a session has done so.
    Prepared { machine: u32, slot: u8 },
    /// A worker without sessions that was told to drain has ended.
    Left(u32),
    /// The brain is told, as it is in a farm, that it decides on the fleet.
    Decide,
    /// An hour is full.
    Hour,
}
