//! The functions of NVIDIA's driver that a stream needs, found when the program runs.

use libloading::Library;
use std::ffi::{OsStr, c_int, c_uint, c_void};
use thiserror::Error;

/// A handle of the driver.
pub type Handle = *mut c_void;
/// An address in the device's memory.
pub type DeviceAddress = u64;
type Status = c_int;

/// The driver's library, as its packages name it.
pub const LIBRARY: &str = "libcuda.so.1";
/// A stream that does not wait for the default one: `CU_STREAM_NON_BLOCKING`.
pub const NON_BLOCKING: c_uint = 1;

/// A stream cannot be made or used.
#[derive(Debug, Error)]
pub enum StreamError {
    /// There is no driver, or an older one.
    #[error("NVIDIA's driver cannot be used: {0}")]
    NoDriver(#[from] libloading::Error),
    /// It refused.
    #[error("{call} failed with CUDA error {code}")]
    Call {
        /// Its function.
        call: &'static str,
        /// Of `CUresult`.
        code: c_int,
    },
    /// Two tensors between which values were to be copied are not of one size.
    #[error("{from} bytes cannot be copied to where {to} are")]
    Sizes {
        /// Bytes to copy.
        from: usize,
        /// Bytes there.
        to: usize,
    },
}

/// The driver's functions, as `cuda.h` declares them.
pub struct Driver {
    pub init: unsafe extern "C" fn(c_uint) -> Status,
    pub device_get: unsafe extern "C" fn(*mut c_int, c_int) -> Status,
    pub context_retain: unsafe extern "C" fn(*mut Handle, c_int) -> Status,
    pub context_release: unsafe extern "C" fn(c_int) -> Status,
    pub context_set_current: unsafe extern "C" fn(Handle) -> Status,
    pub stream_create: unsafe extern "C" fn(*mut Handle, c_uint) -> Status,
    pub stream_destroy: unsafe extern "C" fn(Handle) -> Status,
    pub stream_synchronize: unsafe extern "C" fn(Handle) -> Status,
    pub copy_to_device: unsafe extern "C" fn(DeviceAddress, *const c_void, usize, Handle) -> Status,
    pub copy_to_host: unsafe extern "C" fn(*mut c_void, DeviceAddress, usize, Handle) -> Status,
    pub event_create: unsafe extern "C" fn(*mut Handle, c_uint) -> Status,
    pub event_destroy: unsafe extern "C" fn(Handle) -> Status,
    pub event_record: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub event_elapsed: unsafe extern "C" fn(*mut f32, Handle, Handle) -> Status,
    _library: Library,
}

impl Driver {
    /// Finds them.
    ///
    /// # Errors
    /// [`StreamError::NoDriver`].
    pub fn load(library: &OsStr) -> Result<Self, StreamError> {
        // SAFETY: the driver's library does nothing when it is loaded but prepare itself.
        let library = unsafe { Library::new(library) }?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the field's type is that of the declaration in cuda.h, and the library is kept beside it.
                *unsafe { library.get($name) }?
            };
        }
        Ok(Self {
            init: function!(b"cuInit"),
            device_get: function!(b"cuDeviceGet"),
            context_retain: function!(b"cuDevicePrimaryCtxRetain"),
            context_release: function!(b"cuDevicePrimaryCtxRelease_v2"),
            context_set_current: function!(b"cuCtxSetCurrent"),
            stream_create: function!(b"cuStreamCreate"),
            stream_destroy: function!(b"cuStreamDestroy_v2"),
            stream_synchronize: function!(b"cuStreamSynchronize"),
            copy_to_device: function!(b"cuMemcpyHtoDAsync_v2"),
            copy_to_host: function!(b"cuMemcpyDtoHAsync_v2"),
            event_create: function!(b"cuEventCreate"),
            event_destroy: function!(b"cuEventDestroy_v2"),
            event_record: function!(b"cuEventRecord"),
            event_elapsed: function!(b"cuEventElapsedTime"),
            _library: library,
        })
    }
}

/// A call's answer.
///
/// # Errors
/// [`StreamError::Call`].
pub fn done(call: &'static str, code: Status) -> Result<(), StreamError> {
    if code == 0 { Ok(()) } else { Err(StreamError::Call { call, code }) }
}
