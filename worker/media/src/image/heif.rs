//! HEIC and AVIF pictures by libheif, where the machine has it. It is looked for when the first such picture comes: the
//! program neither needs it to be built nor to start.

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
    sync::OnceLock,
};

use image::{DynamicImage, RgbImage, RgbaImage, metadata::Orientation};
use libloading::Library;
use mouthpiece_domain::file_kind::FileKind;

use super::{
    PortraitLimits,
    decode::{DecodeFault, Decoded},
    profile::Colours,
    whole::is_animated,
};

/// What it is called on Debian and its like.
const LIBRARY: &str = "libheif.so.1";

const RGB: c_int = 1;
const INTERLEAVED_RGB: c_int = 10;
const INTERLEAVED_RGBA: c_int = 11;
const INTERLEAVED: c_int = 10;
/// The error of a codec, or a feature of the format, that it was built without.
const UNSUPPORTED: c_int = 4;
/// A larger profile is not copied.
const MAX_PROFILE: usize = 4 << 20;

/// Decodes the main picture of a file.
pub(super) fn decode(bytes: &[u8], kind: FileKind, limits: &PortraitLimits) -> Result<Decoded, DecodeFault> {
    let api = Api::get().ok_or(DecodeFault::NoDecoder)?;
    let file = File::read(api, bytes, limits.side)?;
    let (width, height) = file.size();
    if !limits.fit(width, height) {
        return Err(DecodeFault::TooLarge(width, height));
    }
    Ok(Decoded {
        pixels: file.pixels(limits.side)?,
        colours: file.icc().map(Colours::Icc).or_else(|| file.codes()),
        // It was followed already.
        orientation: Orientation::NoTransforms,
        animated: is_animated(kind, bytes),
    })
}

#[repr(C)]
struct HeifError {
    code: c_int,
    subcode: c_int,
    message: *const c_char,
}

impl HeifError {
    fn check(&self) -> Result<(), DecodeFault> {
        match self.code {
            0 => Ok(()),
            UNSUPPORTED => Err(DecodeFault::NoDecoder),
            _ => Err(DecodeFault::Damaged),
        }
    }
}

/// The start of libheif's decoding options.
#[repr(C)]
struct DecodingOptions {
    version: u8,
    ignore_transformations: u8,
    progress: [*mut c_void; 4],
    /// From version 2 on.
    convert_hdr_to_8bit: u8,
}

/// The start of what it says of colours by code points.
#[repr(C)]
struct Nclx {
    version: u8,
    primaries: c_int,
    transfer: c_int,
}

type Context = c_void;
type Handle = c_void;
type Image = c_void;

/// The functions that are called, as libheif/heif.h declares them (since its version 1.3).
struct Api {
    context_alloc: unsafe extern "C" fn() -> *mut Context,
    context_free: unsafe extern "C" fn(*mut Context),
    set_maximum_side: unsafe extern "C" fn(*mut Context, c_int),
    read: unsafe extern "C" fn(*mut Context, *const c_void, usize, *const c_void) -> HeifError,
    primary: unsafe extern "C" fn(*mut Context, *mut *mut Handle) -> HeifError,
    handle_release: unsafe extern "C" fn(*const Handle),
    handle_width: unsafe extern "C" fn(*const Handle) -> c_int,
    handle_height: unsafe extern "C" fn(*const Handle) -> c_int,
    has_alpha: unsafe extern "C" fn(*const Handle) -> c_int,
    profile_size: unsafe extern "C" fn(*const Handle) -> usize,
    profile: unsafe extern "C" fn(*const Handle, *mut c_void) -> HeifError,
    nclx: unsafe extern "C" fn(*const Handle, *mut *mut Nclx) -> HeifError,
    nclx_free: unsafe extern "C" fn(*mut Nclx),
    options_alloc: unsafe extern "C" fn() -> *mut DecodingOptions,
    options_free: unsafe extern "C" fn(*mut DecodingOptions),
    decode: unsafe extern "C" fn(*const Handle, *mut *mut Image, c_int, c_int, *const DecodingOptions) -> HeifError,
    image_release: unsafe extern "C" fn(*const Image),
    image_width: unsafe extern "C" fn(*const Image, c_int) -> c_int,
    image_height: unsafe extern "C" fn(*const Image, c_int) -> c_int,
    plane: unsafe extern "C" fn(*const Image, c_int, *mut c_int) -> *const u8,
    /// The functions live as long as it is loaded.
    _library: Library,
}

impl Api {
    fn get() -> Option<&'static Self> {
        static API: OnceLock<Option<Api>> = OnceLock::new();
        API.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        // SAFETY: what libheif does when it is loaded is to register its codecs; each function has the type that its
        // header declares, which the number in the library's name stands for.
        unsafe {
            let library = Library::new(LIBRARY).ok()?;
            macro_rules! function {
                ($name:literal) => {
                    *library.get($name).ok()?
                };
            }
            Some(Self {
                context_alloc: function!(b"heif_context_alloc\0"),
                context_free: function!(b"heif_context_free\0"),
                set_maximum_side: function!(b"heif_context_set_maximum_image_size_limit\0"),
                read: function!(b"heif_context_read_from_memory_without_copy\0"),
                primary: function!(b"heif_context_get_primary_image_handle\0"),
                handle_release: function!(b"heif_image_handle_release\0"),
                handle_width: function!(b"heif_image_handle_get_width\0"),
                handle_height: function!(b"heif_image_handle_get_height\0"),
                has_alpha: function!(b"heif_image_handle_has_alpha_channel\0"),
                profile_size: function!(b"heif_image_handle_get_raw_color_profile_size\0"),
                profile: function!(b"heif_image_handle_get_raw_color_profile\0"),
                nclx: function!(b"heif_image_handle_get_nclx_color_profile\0"),
                nclx_free: function!(b"heif_nclx_color_profile_free\0"),
                options_alloc: function!(b"heif_decoding_options_alloc\0"),
                options_free: function!(b"heif_decoding_options_free\0"),
                decode: function!(b"heif_decode_image\0"),
                image_release: function!(b"heif_image_release\0"),
                image_width: function!(b"heif_image_get_width\0"),
                image_height: function!(b"heif_image_get_height\0"),
                plane: function!(b"heif_image_get_plane_readonly\0"),
                _library: library,
            })
        }
    }
}

/// An open file and its main picture. It reads from the bytes that it was opened with.
struct File<'a> {
    api: &'static Api,
    context: *mut Context,
    handle: *mut Handle,
    _bytes: &'a [u8],
}

impl<'a> File<'a> {
    fn read(api: &'static Api, bytes: &'a [u8], side: u32) -> Result<Self, DecodeFault> {
        // SAFETY: the context is freed with `file`, which keeps `bytes` borrowed for as long.
        unsafe {
            let context = (api.context_alloc)();
            let mut file = Self { api, context, handle: ptr::null_mut(), _bytes: bytes };
            if context.is_null() {
                return Err(DecodeFault::Damaged);
            }
            (api.set_maximum_side)(context, side as c_int);
            (api.read)(context, bytes.as_ptr().cast(), bytes.len(), ptr::null()).check()?;
            (api.primary)(context, &mut file.handle).check()?;
            if file.handle.is_null() { Err(DecodeFault::Damaged) } else { Ok(file) }
        }
    }

    fn size(&self) -> (u32, u32) {
        // SAFETY: the handle is open.
        let (w, h) = unsafe { ((self.api.handle_width)(self.handle), (self.api.handle_height)(self.handle)) };
        (w.max(0) as u32, h.max(0) as u32)
    }

    /// The embedded ICC profile, if there is one.
    fn icc(&self) -> Option<Vec<u8>> {
        // SAFETY: the handle is open; the library fills as many bytes as it said.
        unsafe {
            let size = (self.api.profile_size)(self.handle);
            if size == 0 || size > MAX_PROFILE {
                return None;
            }
            let mut icc = vec![0; size];
            (self.api.profile)(self.handle, icc.as_mut_ptr().cast()).check().ok()?;
            Some(icc)
        }
    }

    /// Code points of another gamut or light than sRGB's.
    fn codes(&self) -> Option<Colours> {
        const ORDINARY: [c_int; 6] = [1, 2, 6, 13, 14, 15];
        let mut nclx = ptr::null_mut();
        // SAFETY: the handle is open; what is returned is ours to free, and read before that.
        let (primaries, transfer) = unsafe {
            (self.api.nclx)(self.handle, &mut nclx).check().ok()?;
            let codes = nclx.as_ref().map(|nclx| (nclx.primaries, nclx.transfer));
            (self.api.nclx_free)(nclx);
            codes?
        };
        // Screens show video's curves as they show sRGB's.
        let transfer = if ORDINARY.contains(&transfer) { 13 } else { transfer };
        if matches!(primaries, 1 | 2) && transfer == 13 {
            return None;
        }
        Some(Colours::Codes { primaries: primaries.try_into().ok()?, transfer: transfer.try_into().ok()? })
    }

    fn pixels(&self, side: u32) -> Result<DynamicImage, DecodeFault> {
        let api = self.api;
        // SAFETY: options and image are freed below, the image after its plane was copied from; the plane holds `height`
        // rows of `stride` bytes, of which `row` are pixels.
        unsafe {
            let alpha = (api.has_alpha)(self.handle) != 0;
            let options = (api.options_alloc)();
            if let Some(options) = options.as_mut().filter(|options| options.version >= 2) {
                options.convert_hdr_to_8bit = 1;
            }
            let mut image = ptr::null_mut();
            let chroma = if alpha { INTERLEAVED_RGBA } else { INTERLEAVED_RGB };
            let decoded = (api.decode)(self.handle, &mut image, RGB, chroma, options).check();
            (api.options_free)(options);
            decoded?;
            if image.is_null() {
                return Err(DecodeFault::Damaged);
            }
            let (w, h) = ((api.image_width)(image, INTERLEAVED), (api.image_height)(image, INTERLEAVED));
            let mut stride = 0;
            let plane = (api.plane)(image, INTERLEAVED, &mut stride);
            let row = i64::from(w) * if alpha { 4 } else { 3 };
            let sound = (1..=side as c_int).contains(&w)
                && (1..=side as c_int).contains(&h)
                && !plane.is_null()
                && i64::from(stride) >= row;
            let mut pixels = Vec::new();
            if sound {
                pixels.reserve_exact(row as usize * h as usize);
                for y in 0..h as usize {
                    let from = plane.add(y * stride as usize);
                    pixels.extend_from_slice(std::slice::from_raw_parts(from, row as usize));
                }
            }
            (api.image_release)(image);
            let (w, h) = (w as u32, h as u32);
            let picture = if alpha {
                RgbaImage::from_raw(w, h, pixels).map(DynamicImage::from)
            } else {
                RgbImage::from_raw(w, h, pixels).map(DynamicImage::from)
            };
            picture.filter(|_| sound).ok_or(DecodeFault::Damaged)
        }
    }
}

impl Drop for File<'_> {
    fn drop(&mut self) {
        // SAFETY: both are ours and used no more.
        unsafe {
            if !self.handle.is_null() {
                (self.api.handle_release)(self.handle);
            }
            if !self.context.is_null() {
                (self.api.context_free)(self.context);
            }
        }
    }
}
