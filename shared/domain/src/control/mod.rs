//! The brain: events in, effects out.

mod messages;
mod view;

pub use messages::{Answer, Change, Effect, Event, Version};
pub use view::{FarmView, SlotSession, SlotView, WorkerState, WorkerView};
