//! The pipeline around an engine.
