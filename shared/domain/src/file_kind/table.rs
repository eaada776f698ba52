//! The table of file kinds.

use super::FileFamily;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each row of the table says what it is")]
pub enum FileKind {
    Png,
    Jpeg,
    WebP,
    Gif,
    Heic,
    Avif,
    Bmp,
    Tiff,
    RawPhoto,
    JpegXl,
    Jpeg2000,
    Photoshop,
    Mp4,
    WebM,
    Mov,
    Matroska,
    Avi,
    MpegTs,
    Flv,
    Ogv,
    MpegPs,
    WindowsMedia,
    Wav,
    Mp3,
    Ogg,
    Flac,
    M4a,
    Aac,
    Aiff,
    Caf,
    Au,
    Mp2,
    Rf64,
    W64,
    Amr,
    Midi,
    Svg,
    WebPage,
    Pdf,
    Zip,
    Text,
    Empty,
    Unknown,
}

/// What is to be known of a kind.
#[derive(Debug)]
pub(super) struct Row {
    kind: FileKind,
    pub family: FileFamily,
    pub short: &'static str,
    pub is: &'static str,
    /// The media type that it is taken under as a portrait, and as speech.
    pub portrait: Option<&'static str>,
    pub speech: Option<&'static str>,
    pub remedy: &'static str,
    pub endings: &'static [&'static str],
}

impl FileKind {
    /// Every kind, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    pub(super) const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

use FileKind as K;

/// In the order of [`FileKind`]; within a family the usual ones come first, since people are told of them in this order.
const TABLE: [Row; 43] = [
    picture(K::Png, "PNG", "is a PNG picture", "image/png", &["png"]),
    picture(K::Jpeg, "JPEG", "is a JPEG picture", "image/jpeg", &["jpg", "jpeg"]),
    picture(K::WebP, "WebP", "is a WebP picture", "image/webp", &["webp"]),
    picture(K::Gif, "GIF", "is a GIF", "image/gif", &["gif"]),
    picture(K::Heic, "HEIC", "is a HEIC picture (an iPhone's)", "image/heic", &["heic", "heif"]),
    picture(K::Avif, "AVIF", "is an AVIF picture", "image/avif", &["avif"]),
    picture(K::Bmp, "BMP", "is a BMP picture", "image/bmp", &["bmp"]),
    picture(K::Tiff, "TIFF", "is a TIFF or camera raw picture", "image/tiff", &["tif", "tiff"]),
    no_picture(K::RawPhoto, "raw photo", "is a camera's raw picture", "export it as JPEG", &["cr3"]),
    no_picture(K::JpegXl, "JPEG XL", "is a JPEG XL picture", "save it as PNG or JPEG", &["jxl"]),
    no_picture(K::Jpeg2000, "JPEG 2000", "is a JPEG 2000 picture", "save it as PNG or JPEG", &["jp2"]),
    no_picture(K::Photoshop, "PSD", "is a Photoshop file", "export it as PNG or JPEG", &["psd"]),
    video(K::Mp4, "MP4", "is an MP4 video or recording", "video/mp4", "audio/mp4", &["mp4", "m4v", "3gp"]),
    video(K::WebM, "WebM", "is a WebM video or recording", "video/webm", "audio/webm", &["webm"]),
    video(K::Mov, "MOV", "is a QuickTime video", "video/quicktime", "video/quicktime", &["mov"]),
    video(K::Matroska, "MKV", "is a Matroska file", "video/x-matroska", "audio/x-matroska", &["mkv", "mka"]),
    video(K::Avi, "AVI", "is an AVI video", "video/x-msvideo", "video/x-msvideo", &["avi"]),
    video(K::MpegTs, "MPEG-TS", "is an MPEG transport stream", "video/mp2t", "video/mp2t", &["ts", "m2ts", "mts"]),
    video(K::Flv, "FLV", "is a Flash video", "video/x-flv", "video/x-flv", &["flv"]),
    video(K::Ogv, "OGV", "is an Ogg video", "video/ogg", "video/ogg", &["ogv"]),
    no_video(K::MpegPs, "MPEG-PS", "is an MPEG program stream (a DVD's)", &["mpg", "mpeg", "vob"]),
    no_video(K::WindowsMedia, "WMA, WMV", "is a Windows Media file", &["wma", "wmv", "asf"]),
    recording(K::Wav, "WAV", "is a WAV recording", "audio/wav", &["wav"]),
    recording(K::Mp3, "MP3", "is an MP3 recording", "audio/mpeg", &["mp3"]),
    recording(K::Ogg, "OGG", "is an Ogg recording", "audio/ogg", &["ogg", "oga", "opus"]),
    recording(K::Flac, "FLAC", "is a FLAC recording", "audio/flac", &["flac"]),
    recording(K::M4a, "M4A", "is an M4A recording", "audio/mp4", &["m4a", "m4b"]),
    recording(K::Aac, "AAC", "is an AAC recording", "audio/aac", &["aac"]),
    recording(K::Aiff, "AIFF", "is an AIFF recording", "audio/aiff", &["aiff", "aif", "aifc"]),
    recording(K::Caf, "CAF", "is a CAF recording", "audio/x-caf", &["caf"]),
    recording(K::Au, "AU", "is an AU recording", "audio/basic", &["au", "snd"]),
    recording(K::Mp2, "MP2", "is an MPEG recording of layer I or II", "audio/mpeg", &["mp2", "mp1"]),
    recording(K::Rf64, "RF64", "is an RF64 recording", "audio/wav", &["rf64"]),
    recording(K::W64, "W64", "is a Wave64 recording", "audio/x-w64", &["w64"]),
    recording(K::Amr, "AMR", "is an AMR recording", "audio/amr", &["amr"]),
    other(K::Midi, "is a MIDI file: notes without sound"),
    other(K::Svg, "is an SVG drawing"),
    other(K::WebPage, "is a web page"),
    other(K::Pdf, "is a PDF document"),
    other(K::Zip, "is a ZIP archive"),
    other(K::Text, "holds text"),
    other(K::Empty, "is empty"),
    other(K::Unknown, "is of an unknown kind"),
];

type Text = &'static str;
type Endings = &'static [&'static str];

const fn row(kind: FileKind, family: FileFamily, short: Text, is: Text, remedy: Text, endings: Endings) -> Row {
    Row { kind, family, short, is, portrait: None, speech: None, remedy, endings }
}

/// A picture that is taken.
const fn picture(kind: FileKind, short: Text, is: Text, media_type: Text, endings: Endings) -> Row {
    let row = row(kind, FileFamily::Picture, short, is, "save it again as PNG or JPEG", endings);
    Row { portrait: Some(media_type), ..row }
}

/// A picture that is not taken, and what to do with it.
const fn no_picture(kind: FileKind, short: Text, is: Text, remedy: Text, endings: Endings) -> Row {
    row(kind, FileFamily::Picture, short, is, remedy, endings)
}

/// A video that is taken, its sound too.
const fn video(kind: FileKind, short: Text, is: Text, portrait: Text, speech: Text, endings: Endings) -> Row {
    let row = row(kind, FileFamily::Video, short, is, "save it again as MP4", endings);
    Row { portrait: Some(portrait), speech: Some(speech), ..row }
}

const fn no_video(kind: FileKind, short: Text, is: Text, endings: Endings) -> Row {
    row(kind, FileFamily::Video, short, is, "convert it to MP4, or its sound to WAV", endings)
}

/// A recording that is taken.
const fn recording(kind: FileKind, short: Text, is: Text, media_type: Text, endings: Endings) -> Row {
    let row = row(kind, FileFamily::Recording, short, is, "save it again as WAV or FLAC", endings);
    Row { speech: Some(media_type), ..row }
}

const fn other(kind: FileKind, is: Text) -> Row {
    row(kind, FileFamily::Other, "", is, "", &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, at, "{:?}", row.kind);
            assert_eq!(row.remedy.is_empty(), row.family == FileFamily::Other, "{:?}", row.kind);
        }
        assert_eq!(FileKind::Unknown as usize + 1, TABLE.len());
    }
}
