//! What every module that calls FFmpeg shares: one initialisation, sentences for its error codes, safe opening of files.

mod track;

use std::{
    ffi::{CStr, CString},
    ops::Range,
    path::Path,
    ptr,
    sync::Once,
};

use ffmpeg_next::{self as ff, Dictionary, ffi, format::context::Input};
use mouthpiece_domain::file_kind::{FileUse, NotTaken};

use crate::file_kind;
pub(crate) use track::{Track, TrackFault};

/// The container formats that may be opened; anything else (playlists that name other files, scripts, images) is refused.
const CONTAINERS: &str = "wav,w64,aiff,caf,au,mp3,ogg,flac,aac,mov,mp4,matroska,webm,avi,mpegts,flv,amr";

/// Most pixels of a picture that is decoded, whatever a stream says.
const MAX_PIXELS: i64 = 4096 * 4096;

/// Prepares FFmpeg once a process and silences its own messages: every failure is reported as a value.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fills tables of texts and never fails.
        let _ = ff::init();
        ff::log::set_level(ff::log::Level::Quiet);
    });
}

/// `code` as a result: FFmpeg's calls are negative on failure.
pub(crate) fn check(code: i32) -> Result<i32, ff::Error> {
    if code < 0 { Err(ff::Error::from(code)) } else { Ok(code) }
}

/// What an FFmpeg error means, to be put after a colon: lower case, without a full stop.
pub(crate) fn sentence(error: ff::Error) -> String {
    let text = match error {
        ff::Error::InvalidData => "the data is damaged, cut short, or not of a supported format".to_owned(),
        ff::Error::Eof => "the file ends too early".to_owned(),
        ff::Error::Other { errno } => {
            let text = std::io::Error::from_raw_os_error(errno).to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
        other => other.to_string(),
    };
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// A path as FFmpeg's URL: with the scheme in front, a colon in a file name cannot choose another protocol. Of the file
/// only a piece, where one is given.
pub(crate) fn file_url(path: &Path, piece: Option<&Range<u64>>) -> Option<CString> {
    let mut url = match piece {
        Some(Range { start, end }) => format!("subfile,,start,{start},end,{end},,:file:").into_bytes(),
        None => b"file:".to_vec(),
    };
    url.extend_from_slice(path.as_os_str().as_encoded_bytes());
    CString::new(url).ok()
}

/// Why a file could not be opened.
#[derive(Debug)]
pub(crate) enum OpenFault {
    /// The file system refused, with its reason.
    CannotRead(String),
    /// A file of a kind that is not taken.
    NotTaken(NotTaken),
    /// A video whose sides, in pixels, are longer than allowed.
    TooLarge {
        /// Width in pixels.
        width: i32,
        /// Height in pixels.
        height: i32,
    },
    /// FFmpeg found no media in it, with its reason.
    Unknown(String),
}

/// Opens a media file for reading: only local regular files of a kind that is taken, and only videos whose sides are at
/// most `max_side` pixels where that is given.
pub(crate) fn open_input(path: &Path, given_as: FileUse, max_side: Option<i32>) -> Result<Input, OpenFault> {
    let kind = file_kind(path).map_err(|e| OpenFault::CannotRead(io_sentence(&e)))?;
    kind.taken_as(given_as).map_err(OpenFault::NotTaken)?;
    open_piece(path, None, max_side)
}

/// Opens a piece of a file whose kind is known, or all of it.
pub(crate) fn open_piece(path: &Path, piece: Option<&Range<u64>>, max_side: Option<i32>) -> Result<Input, OpenFault> {
    let input = open_as(path, piece, None)?;
    check_sides(&input, max_side)?;
    probe(input, MAX_PIXELS).map_err(unknown)
}

/// Opens a still picture as what it is known to be; nothing of more than `most_pixels` is decoded.
pub(crate) fn open_still(path: &Path, demuxer: &CStr, most_pixels: i64) -> Result<Input, OpenFault> {
    probe(open_as(path, None, Some(demuxer))?, most_pixels).map_err(unknown)
}

/// What FFmpeg says of a file that it cannot open.
fn unknown(e: ff::Error) -> OpenFault {
    // What the list of containers refuses is an invalid argument to FFmpeg.
    let e = if matches!(e, ff::Error::Other { .. }) { ff::Error::InvalidData } else { e };
    OpenFault::Unknown(sentence(e))
}

/// Opens a file as one of [`CONTAINERS`], or as the given one.
fn open_as(path: &Path, piece: Option<&Range<u64>>, demuxer: Option<&CStr>) -> Result<Input, OpenFault> {
    init();
    let url = file_url(path, piece).ok_or_else(|| OpenFault::CannotRead("its name holds a zero byte".to_owned()))?;
    let mut options = Dictionary::new();
    match demuxer.map(CStr::to_str) {
        Some(Ok(one)) => options.set("format_whitelist", if one == "mov" { CONTAINERS } else { one }),
        _ => options.set("format_whitelist", CONTAINERS),
    }
    options.set("protocol_whitelist", "subfile,file");
    let mut context = ptr::null_mut();
    // SAFETY: the strings outlive the calls; the dictionary is taken back whatever is left of it; on failure FFmpeg frees
    // the context, on success `Input` owns it.
    unsafe {
        let format = demuxer.map_or(ptr::null(), |name| ffi::av_find_input_format(name.as_ptr()));
        if demuxer.is_some() && format.is_null() {
            return Err(unknown(ff::Error::InvalidData));
        }
        let mut raw = options.disown();
        let code = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut raw);
        drop(Dictionary::own(raw));
        check(code).map_err(unknown)?;
        Ok(Input::wrap(context))
    }
}

/// Refuses a video that is too large by its container's word, before any of it is decoded.
fn check_sides(input: &Input, max_side: Option<i32>) -> Result<(), OpenFault> {
    for stream in input.streams() {
        // SAFETY: the stream and its parameters live in `input`.
        let (width, height) = unsafe { ((*(*stream.as_ptr()).codecpar).width, (*(*stream.as_ptr()).codecpar).height) };
        if max_side.is_some_and(|max| width.max(height) > max) {
            return Err(OpenFault::TooLarge { width, height });
        }
    }
    Ok(())
}

/// Finds out what the streams hold, which decodes their first frames: with pictures bounded.
fn probe(mut input: Input, most_pixels: i64) -> Result<Input, ff::Error> {
    let mut options = vec![ptr::null_mut(); input.nb_streams() as usize];
    // SAFETY: there is one dictionary a stream, each freed below whatever is left of it.
    let code = unsafe {
        for dictionary in &mut options {
            ffi::av_dict_set_int(dictionary, c"max_pixels".as_ptr(), most_pixels, 0);
        }
        let code = ffi::avformat_find_stream_info(input.as_mut_ptr(), options.as_mut_ptr());
        for dictionary in &mut options {
            ffi::av_dict_free(dictionary);
        }
        code
    };
    check(code).map(|_| input)
}

/// An input/output error, to be put after a colon.
pub(crate) fn io_sentence(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |errno| sentence(ff::Error::Other { errno }))
}
