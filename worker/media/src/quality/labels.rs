//! Labelled visemes: what should be seen when.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A file of labels is no larger than this many bytes: some hours of speech need one megabyte.
const MOST_BYTES: u64 = 64 << 20;

/// Why labels cannot be used.
#[derive(Debug, Error)]
pub enum LabelError {
    /// The file system refused.
    #[error("the labels '{}' cannot be read: {source}", path.display())]
    CannotRead {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of the labels '{}' {what}: give start, end (seconds) and viseme, separated by tabs", path.display())]
    Malformed {
        /// The path as it was given.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Not a single label.
    #[error("the labels '{}' hold no segment: give start, end (seconds) and viseme, separated by tabs", path.display())]
    Empty {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// One labelled stretch of the speech.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Start in seconds from the start of the sound, at least 0.
    pub start: f64,
    /// End in seconds from the start of the sound, not before the start.
    pub end: f64,
    /// The viseme's name, such as `PP`.
    pub viseme: String,
}

/// Labels of one recording, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    /// At least one when read from a file.
    pub segments: Vec<Segment>,
}

impl Labels {
    /// Reads a tab-separated file of labels: start, end, viseme, and an optional header `start_s end_s viseme`.
    ///
    /// # Errors
    /// [`LabelError`], which names the line.
    pub fn read(path: &Path) -> Result<Self, LabelError> {
        let cannot_read = |source| LabelError::CannotRead { path: path.to_owned(), source };
        let file = File::open(path).map_err(cannot_read)?;
        parse_labels(BufReader::new(file.take(MOST_BYTES)), path)
    }

    /// The segments of p, b and m (the viseme `PP`).
    pub fn bilabials(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|s| s.viseme == "PP")
    }
}

/// Reads labels from anything; `path` is only named in errors. Empty lines and those that start with `#` are skipped.
///
/// # Errors
/// [`LabelError`], which names the line.
pub fn parse_labels(mut from: impl BufRead, path: &Path) -> Result<Labels, LabelError> {
    let mut labels = Labels::default();
    let (mut bytes, mut number) = (Vec::new(), 0);
    loop {
        bytes.clear();
        let read = from.read_until(b'\n', &mut bytes);
        if read.map_err(|source| LabelError::CannotRead { path: path.to_owned(), source })? == 0 {
            break;
        }
        number += 1;
        let malformed = |what: String| LabelError::Malformed { path: path.to_owned(), line: number, what };
        let line = std::str::from_utf8(&bytes).map_err(|_| malformed("is no UTF-8 text".to_owned()))?;
        let line = line.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
        if line.trim().is_empty() || line.starts_with('#') || (number == 1 && line.starts_with("start")) {
            continue;
        }
        labels.segments.push(segment(line).map_err(malformed)?);
    }
    if labels.segments.is_empty() { Err(LabelError::Empty { path: path.to_owned() }) } else { Ok(labels) }
}

fn segment(line: &str) -> Result<Segment, String> {
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [start, end, viseme] = fields[..] else {
        return Err(format!("has {} instead of 3 fields", fields.len()));
    };
    let seconds = |text: &str| {
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
        // A line may be anything, so only its beginning is quoted.
        value.ok_or_else(|| format!("has '{}' where seconds belong", text.chars().take(40).collect::<String>()))
    };
    let (start, end) = (seconds(start)?, seconds(end)?);
    if end < start {
        return Err(format!("ends at {end} s, before it starts at {start} s"));
    }
    if viseme.is_empty() {
        return Err("names no viseme".to_owned());
    }
    Ok(Segment { start, end, viseme: viseme.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> Result<Labels, String> {
        parse_labels(text, Path::new("l.tsv")).map_err(|e| e.to_string())
    }

    #[test]
    fn segments_are_read_with_and_without_a_header() {
        for text in ["start_s\tend_s\tviseme\n0.1\t0.2\tPP\n\n0.2\t0.5\taa\n", "# made\r\n0.1\t0.2\tPP\r\n0.2\t0.5\taa"]
        {
            let labels = parse(text.as_bytes()).unwrap();
            assert_eq!(labels.segments.len(), 2);
            assert_eq!(labels.bilabials().count(), 1);
            assert_eq!(labels.segments[0], Segment { start: 0.1, end: 0.2, viseme: "PP".to_owned() });
        }
    }

    #[test]
    fn errors_name_the_line() {
        let expect = |text: &[u8], words: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        };
        expect(b"0\t1\tPP\n0.5 0.7 PP\n", "line 2 of the labels 'l.tsv' has 1 instead of 3 fields");
        expect(b"start_s\tend_s\tviseme\nx\t1\tPP\n", "line 2 of the labels 'l.tsv' has 'x' where seconds belong");
        expect(b"0\tNaN\tPP\n", "line 1 of the labels 'l.tsv' has 'NaN'");
        expect(b"\n-1\t1\tPP\n", "line 2 of the labels 'l.tsv' has '-1'");
        expect(b"2\t1\tPP\n", "line 1 of the labels 'l.tsv' ends at 1 s, before it starts at 2 s");
        expect(b"0\t1\t \n", "line 1 of the labels 'l.tsv' names no viseme");
        expect(b"0\t1\t\xff\n", "line 1 of the labels 'l.tsv' is no UTF-8 text");
        expect(b"start_s\tend_s\tviseme\n", "the labels 'l.tsv' hold no segment");
        assert!(matches!(Labels::read(Path::new("/nowhere/l.tsv")), Err(LabelError::CannotRead { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_give_labels_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
