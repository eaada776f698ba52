//! Frames of another range of light or colour than a screen's (HDR, BT.2020, Display P3) brought to BT.709 by FFmpeg's
//! filters.
//!
//! Reference white of HDR video, 203 nits (ITU-R BT.2408), becomes 236 of 255; what is darker than 180 keeps its value
//! as ordinary video would have it, and what is brighter than white is squeezed into the rest.

use std::{ffi::CString, ptr};

use ffmpeg_next::{
    self as ff,
    ffi::{
        self, AVColorPrimaries, AVColorRange, AVColorSpace, AVColorTransferCharacteristic, AVFilterContext,
        AVFilterGraph, AVFrame,
    },
};
use thiserror::Error;

use super::colour::pixel_flags;
use crate::libav::check;

/// The numbers of ITU-T H.273, which FFmpeg and zimg share.
const BT709: u32 = 1;
const BT2020: u32 = 9;
/// Nits of HDR reference white.
const WHITE_NITS: u32 = 203;
/// The brightest that is told from brighter, in reference whites: 1000 nits.
const PEAK: f32 = 4.926;
/// Where the shoulder begins, in reference whites.
const SHOULDER: f32 = 0.65;

/// What a frame's numbers stand for, beyond ordinary video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// HDR for broadcast and phones (ARIB STD-B67).
    Hlg,
    /// HDR of discs and streams (SMPTE ST 2084).
    Pq,
    /// Ordinary light in a wider gamut: BT.2020, DCI-P3 or Display P3.
    Wide,
}

impl Light {
    /// What the frame's tags say; none for ordinary video.
    pub(super) fn of(frame: &AVFrame) -> Option<Self> {
        Self::tagged(frame.color_trc, frame.color_primaries)
    }

    /// What tags say; none for ordinary video.
    pub(super) fn tagged(transfer: AVColorTransferCharacteristic, primaries: AVColorPrimaries) -> Option<Self> {
        use AVColorPrimaries::{AVCOL_PRI_BT2020, AVCOL_PRI_SMPTE431, AVCOL_PRI_SMPTE432};
        use AVColorTransferCharacteristic::{AVCOL_TRC_ARIB_STD_B67, AVCOL_TRC_SMPTE2084};
        match (transfer, primaries) {
            (AVCOL_TRC_ARIB_STD_B67, _) => Some(Self::Hlg),
            (AVCOL_TRC_SMPTE2084, _) => Some(Self::Pq),
            (_, AVCOL_PRI_BT2020 | AVCOL_PRI_SMPTE431 | AVCOL_PRI_SMPTE432) => Some(Self::Wide),
            _ => None,
        }
    }

    /// The first of the filters it needs that this FFmpeg lacks.
    pub(super) fn missing(self) -> Option<&'static str> {
        let needed: &[&str] = if self == Self::Wide { &["zscale"] } else { &["zscale", "tonemap"] };
        needed.iter().copied().find(|name| ff::filter::find(name).is_none())
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hlg => "HDR video (HLG)",
            Self::Pq => "HDR video (PQ)",
            Self::Wide => "video of a wide gamut",
        }
    }
}

/// Frames could not be brought to BT.709.
#[derive(Debug, Error)]
pub(super) enum LightError {
    /// This FFmpeg lacks a filter.
    #[error("the filter {0} is missing")]
    Missing(&'static str),
    /// FFmpeg failed.
    #[error(transparent)]
    Ff(#[from] ff::Error),
}

/// What decides how frames are converted.
#[derive(Clone, PartialEq, Eq)]
struct Source {
    format: i32,
    size: (i32, i32),
    tags: Tags,
    to: (u32, u32),
}

/// Transfer, primaries, matrix and range by the numbers of H.273.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tags {
    light: Light,
    transfer: u32,
    primaries: u32,
    matrix: u32,
    full_range: bool,
    alpha: bool,
}

impl Tags {
    fn of(frame: &AVFrame, light: Light) -> Self {
        let flags = pixel_flags(frame);
        let rgb = flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0;
        let or = |value: u32, unknown: bool, usual: u32| if unknown { usual } else { value };
        Self {
            light,
            transfer: if light == Light::Wide { BT709 } else { frame.color_trc as u32 },
            primaries: or(
                frame.color_primaries as u32,
                frame.color_primaries == AVColorPrimaries::AVCOL_PRI_UNSPECIFIED,
                BT2020,
            ),
            matrix: match frame.colorspace {
                _ if rgb => AVColorSpace::AVCOL_SPC_RGB as u32,
                AVColorSpace::AVCOL_SPC_UNSPECIFIED | AVColorSpace::AVCOL_SPC_RGB => BT2020,
                known => known as u32,
            },
            full_range: rgb || frame.color_range == AVColorRange::AVCOL_RANGE_JPEG,
            alpha: flags & ffi::AV_PIX_FMT_FLAG_ALPHA as u64 != 0,
        }
    }

    /// The filters that make 8-bit RGB planes of the size `to`.
    fn chain(self, to: (u32, u32)) -> String {
        let Self { light, transfer, primaries, matrix, full_range, alpha } = self;
        let range = u8::from(full_range);
        let read = format!("zscale=w={}:h={}:tin={transfer}:pin={primaries}:min={matrix}:rin={range}", to.0, to.1);
        let planes = if alpha { "gbrap" } else { "gbrp" };
        let write = format!("p={BT709}:t={BT709}:m=gbr:r=full,format={planes}");
        match light {
            Light::Wide => format!("{read}:{write}"),
            // Without `agamma` HLG's system gamma is applied to each channel by itself, which shifts hues.
            Light::Hlg | Light::Pq => format!(
                "{read}:t=linear:npl={WHITE_NITS}:agamma=0,format={planes}f32le,zscale=p={BT709},\
                 tonemap=mobius:param={SHOULDER}:peak={PEAK}:desat=0,zscale={write}"
            ),
        }
    }
}

/// A filter graph that follows the frames' format.
pub(super) struct Toner {
    open: Option<(Source, Graph)>,
    toned: ff::Frame,
}

impl Toner {
    pub(super) fn new() -> Self {
        // SAFETY: the frame is filled by FFmpeg alone.
        Self { open: None, toned: unsafe { ff::Frame::empty() } }
    }

    /// `frame` in BT.709, as 8-bit RGB planes of the size `to`, with alpha if it has any.
    pub(super) fn tone(&mut self, frame: &AVFrame, light: Light, to: (u32, u32)) -> Result<&AVFrame, LightError> {
        let source =
            Source { format: frame.format, size: (frame.width, frame.height), tags: Tags::of(frame, light), to };
        let graph = match self.open.take() {
            Some((before, graph)) if before == source => graph,
            _ => {
                if let Some(filter) = light.missing() {
                    return Err(LightError::Missing(filter));
                }
                Graph::open(&source)?
            }
        };
        let (_, graph) = self.open.insert((source, graph));
        // SAFETY: the graph keeps a reference of its own to the frame's data; what the output frame held before is given
        // back first.
        unsafe {
            check(ffi::av_buffersrc_write_frame(graph.from, frame))?;
            ffi::av_frame_unref(self.toned.as_mut_ptr());
            check(ffi::av_buffersink_get_frame(graph.to, self.toned.as_mut_ptr()))?;
            Ok(&*self.toned.as_ptr())
        }
    }
}

/// An open graph with one way in and one out; both belong to it.
struct Graph {
    graph: *mut AVFilterGraph,
    from: *mut AVFilterContext,
    to: *mut AVFilterContext,
}

// SAFETY: the graph is owned by this value alone.
unsafe impl Send for Graph {}

impl Graph {
    fn open(source: &Source) -> Result<Self, ff::Error> {
        let Source { format, size: (w, h), tags, to } = source;
        // The times of frames are not looked at.
        let chain = format!(
            "buffer@from=video_size={w}x{h}:pix_fmt={format}:time_base=1/25:pixel_aspect=1/1,{},buffersink@to",
            tags.chain(*to)
        );
        let chain = CString::new(chain).map_err(|_| ff::Error::InvalidData)?;
        // SAFETY: `made` frees the graph whatever fails below; the graph owns its filters.
        unsafe {
            let graph = ffi::avfilter_graph_alloc();
            let mut made = Self { graph, from: ptr::null_mut(), to: ptr::null_mut() };
            if graph.is_null() {
                return Err(ff::Error::Other { errno: ff::error::ENOMEM });
            }
            (*graph).nb_threads = 1;
            let (mut ins, mut outs) = (ptr::null_mut(), ptr::null_mut());
            let parsed = ffi::avfilter_graph_parse2(graph, chain.as_ptr(), &mut ins, &mut outs);
            ffi::avfilter_inout_free(&mut ins);
            ffi::avfilter_inout_free(&mut outs);
            check(parsed)?;
            check(ffi::avfilter_graph_config(graph, ptr::null_mut()))?;
            made.from = ffi::avfilter_graph_get_filter(graph, c"buffer@from".as_ptr());
            made.to = ffi::avfilter_graph_get_filter(graph, c"buffersink@to".as_ptr());
            if made.from.is_null() || made.to.is_null() { Err(ff::Error::InvalidData) } else { Ok(made) }
        }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the graph is ours and used no more; null is allowed.
        unsafe { ffi::avfilter_graph_free(&mut self.graph) };
    }
}
