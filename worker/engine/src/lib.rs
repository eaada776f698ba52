//! Engines: what generates mouth pixels.
