//! A worker among embedded stores, driven through its ports as a coordinator would.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should say where")]

mod bar;
mod breaking;
mod drain;
mod engines;
mod farm;
mod faults;
mod leases;
mod media;
mod moves;
mod neural;
mod renders;
mod script;
mod slots;
mod two_engines;
mod viewer;
