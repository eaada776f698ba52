//! What an engine takes of a device's memory.

/// What an engine takes of a device's memory, bytes. Not of the machine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Weights of its networks.
    pub weights: u64,
    /// What runs them, however many frames are drawn.
    pub contexts: u64,
    /// What goes through them, for each frame of a batch.
    pub buffers_a_frame: u64,
    /// The batches that it draws in, ascending; a number of frames between two of them takes the room of the larger one.
    pub batches: &'static [usize],
}
