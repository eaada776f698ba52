//! The coordinator: accepts sessions over HTTP, places them on workers, keeps the books, serves the pages.

pub mod farm;
