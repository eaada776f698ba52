//! A CUDA stream of the program's own. What several graphs do, and the copies before and after it, follow one another on it; the
//! processor waits once, at the end.
//!
//! ONNX Runtime takes a stream that it is given, but has no call that copies into memory of the device that is there already, which
//! CUDA graphs need: they read and write where they did when they were captured. So the driver is asked for both. Its streams are
//! those of the CUDA runtime, in the device's primary context, which is what ONNX Runtime works in.

use crate::driver::{Driver, Handle, LIBRARY, NON_BLOCKING, StreamError, done};
use ort::value::{PrimitiveTensorElementType, Tensor};
use std::ffi::{OsStr, c_void};
use std::fmt;
use std::ptr::null_mut;
use std::time::Duration;

/// Moments of a stream's work that can be told apart.
const MOMENTS: usize = 3;

/// A stream of one device.
pub struct CudaStream {
    driver: Driver,
    device: i32,
    context: Handle,
    stream: Handle,
    moments: [Handle; MOMENTS],
}

// SAFETY: the driver's functions may be called from any thread; the context is made current before each that needs one.
unsafe impl Send for CudaStream {}
// SAFETY: as above; a stream keeps the order of what is given to it by itself.
unsafe impl Sync for CudaStream {}

impl fmt::Debug for CudaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CudaStream").field("device", &self.device).finish_non_exhaustive()
    }
}

impl CudaStream {
    /// Makes one on GPU `device`.
    ///
    /// # Errors
    /// [`StreamError`] where there is no driver, or no such GPU.
    pub fn open(device: i32) -> Result<Self, StreamError> {
        Self::open_by(LIBRARY.as_ref(), device)
    }

    /// The same by another library than the system's.
    ///
    /// # Errors
    /// As [`CudaStream::open`].
    pub fn open_by(library: &OsStr, device: i32) -> Result<Self, StreamError> {
        let driver = Driver::load(library)?;
        let (mut ordinal, mut context) = (0, null_mut());
        // SAFETY: as cuda.h declares it.
        done("cuInit", unsafe { (driver.init)(0) })?;
        // SAFETY: likewise; the number is written to a place of its type.
        done("cuDeviceGet", unsafe { (driver.device_get)(&raw mut ordinal, device) })?;
        // SAFETY: likewise.
        done("cuDevicePrimaryCtxRetain", unsafe { (driver.context_retain)(&raw mut context, ordinal) })?;
        let moments = [null_mut(); MOMENTS];
        // From here on what was made is given back when it is dropped.
        let mut made = Self { driver, device: ordinal, context, stream: null_mut(), moments };
        made.enter()?;
        // SAFETY: likewise.
        let created = unsafe { (made.driver.stream_create)(&raw mut made.stream, NON_BLOCKING) };
        done("cuStreamCreate", created)?;
        for moment in &mut made.moments {
            // SAFETY: likewise.
            done("cuEventCreate", unsafe { (made.driver.event_create)(&raw mut *moment, 0) })?;
        }
        Ok(made)
    }

    /// What ONNX Runtime is given: a `cudaStream_t`.
    pub(crate) fn handle(&self) -> *mut () {
        self.stream.cast()
    }

    /// Has a tensor's values copied to one of the same size on the device.
    ///
    /// # Errors
    /// [`StreamError`] when the driver refuses, or sizes differ.
    ///
    /// # Safety
    /// `from` must lie in the host's memory, `to` on this stream's device. Until [`CudaStream::wait`] returned neither may be dropped,
    /// and `from` may not be written to.
    pub unsafe fn send<T: PrimitiveTensorElementType + fmt::Debug>(
        &self,
        from: &Tensor<T>,
        to: &mut Tensor<T>,
    ) -> Result<(), StreamError> {
        let bytes = same_size(from, to)?;
        self.enter()?;
        let (from, to) = (from.data_ptr().cast::<c_void>(), to.data_ptr_mut() as u64);
        // SAFETY: both have so many bytes, and stay, by the caller's word.
        done("cuMemcpyHtoDAsync", unsafe { (self.driver.copy_to_device)(to, from, bytes, self.stream) })
    }

    /// Has a tensor's values copied from one of the same size on the device.
    ///
    /// # Errors
    /// As [`CudaStream::send`].
    ///
    /// # Safety
    /// `from` must lie on this stream's device, `to` in the host's memory. Until [`CudaStream::wait`] returned neither may be dropped,
    /// and `to` may be neither read nor written to.
    pub unsafe fn fetch<T: PrimitiveTensorElementType + fmt::Debug>(
        &self,
        from: &Tensor<T>,
        to: &mut Tensor<T>,
    ) -> Result<(), StreamError> {
        let bytes = same_size(from, to)?;
        self.enter()?;
        let (from, to) = (from.data_ptr() as u64, to.data_ptr_mut().cast::<c_void>());
        // SAFETY: both have so many bytes, and stay, by the caller's word.
        done("cuMemcpyDtoHAsync", unsafe { (self.driver.copy_to_host)(to, from, bytes, self.stream) })
    }

    /// Marks moment `nth`: when the device comes to it, all that was given to it before is done.
    ///
    /// # Errors
    /// [`StreamError::Call`].
    pub fn mark(&self, nth: usize) -> Result<(), StreamError> {
        self.enter()?;
        // SAFETY: both are this stream's own, and live.
        done("cuEventRecord", unsafe { (self.driver.event_record)(self.moments[nth], self.stream) })
    }

    /// What the device took from moment `nth` to the next; both were marked and waited for.
    ///
    /// # Errors
    /// [`StreamError::Call`].
    pub fn took(&self, nth: usize) -> Result<Duration, StreamError> {
        let mut ms = 0.0_f32;
        self.enter()?;
        let (from, to) = (self.moments[nth], self.moments[nth + 1]);
        // SAFETY: both are this stream's own, and live.
        done("cuEventElapsedTime", unsafe { (self.driver.event_elapsed)(&raw mut ms, from, to) })?;
        Ok(Duration::try_from_secs_f32(ms / 1e3).unwrap_or_default())
    }

    /// Waits until everything is done that was given to it.
    ///
    /// # Errors
    /// [`StreamError::Call`], also for what failed on the device before.
    pub fn wait(&self) -> Result<(), StreamError> {
        self.enter()?;
        // SAFETY: the stream is this one's own, and lives.
        done("cuStreamSynchronize", unsafe { (self.driver.stream_synchronize)(self.stream) })
    }

    fn enter(&self) -> Result<(), StreamError> {
        // SAFETY: the context is held until this is dropped.
        done("cuCtxSetCurrent", unsafe { (self.driver.context_set_current)(self.context) })
    }
}

impl Drop for CudaStream {
    fn drop(&mut self) {
        // What cannot be given back goes with the process.
        let _ = self.enter();
        for moment in self.moments.into_iter().filter(|moment| !moment.is_null()) {
            // SAFETY: it is this stream's own, and nothing uses it any more.
            unsafe { (self.driver.event_destroy)(moment) };
        }
        if !self.stream.is_null() {
            // SAFETY: likewise; sessions that were given it are gone, since each keeps it.
            unsafe { (self.driver.stream_destroy)(self.stream) };
        }
        // SAFETY: it was retained once.
        unsafe { (self.driver.context_release)(self.device) };
    }
}

/// Bytes of both.
fn same_size<T: PrimitiveTensorElementType + fmt::Debug>(
    from: &Tensor<T>,
    to: &Tensor<T>,
) -> Result<usize, StreamError> {
    let bytes = |tensor: &Tensor<T>| tensor.shape().num_elements() * size_of::<T>();
    let (from, to) = (bytes(from), bytes(to));
    if from == to { Ok(from) } else { Err(StreamError::Sizes { from, to }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;
    use ort::memory::Allocator;
    use std::process::Command;

    /// For the driver's library.
    const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/stand-ins/cuda.c");

    fn stream(folder: &tempfile::TempDir, device: i32) -> Result<CudaStream, StreamError> {
        let library = folder.path().join("libcuda.so.1");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(STAND_IN).status();
        assert!(compiled.unwrap().success(), "the stand-in is C, and `cc` compiles it");
        CudaStream::open_by(library.as_os_str(), device)
    }

    fn tensor(size: usize) -> Tensor<u8> {
        Tensor::new(&Allocator::default(), [size]).unwrap()
    }

    #[test]
    fn what_is_sent_comes_back_once_it_is_waited_for() {
        Runtime::get().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stream = stream(&folder, 0).unwrap();
        let (mut given, mut device, mut back) = (tensor(8), tensor(8), tensor(8));
        given.try_extract_tensor_mut::<u8>().unwrap().1.copy_from_slice(b"latents!");
        back.try_extract_tensor_mut::<u8>().unwrap().1.fill(0);
        stream.mark(0).unwrap();
        // SAFETY: all three live on, and are left alone until it was waited.
        unsafe { stream.send(&given, &mut device).unwrap() };
        stream.mark(1).unwrap();
        // SAFETY: likewise.
        unsafe { stream.fetch(&device, &mut back).unwrap() };
        stream.wait().unwrap();
        assert_eq!(back.try_extract_tensor::<u8>().unwrap().1, b"latents!");
        assert_eq!(stream.took(0).unwrap(), Duration::from_micros(1500));
    }

    #[test]
    fn what_the_driver_refuses_is_told() {
        Runtime::get().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let opened = stream(&folder, 0).unwrap();
        // SAFETY: nothing is copied.
        let refused = |from: usize, to: usize| unsafe { opened.send(&tensor(from), &mut tensor(to)) };
        let told = refused(13, 13).unwrap_err().to_string();
        assert_eq!(told, "cuMemcpyHtoDAsync failed with CUDA error 700");
        assert!(matches!(refused(8, 9), Err(StreamError::Sizes { from: 8, to: 9 })));
        let absent = stream(&folder, 1).unwrap_err().to_string();
        assert_eq!(absent, "cuDeviceGet failed with CUDA error 101");
        let missing = CudaStream::open_by("libno-such-driver.so".as_ref(), 0).unwrap_err();
        assert!(matches!(missing, StreamError::NoDriver(_)), "{missing}");
    }
}
