//! The engine on the twins of its graphs, which the repository ships. Needs the ONNX Runtime library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod drawing;
mod failing;
mod graphs;
mod hearing;
mod networks;
mod restoring;
mod twins;
