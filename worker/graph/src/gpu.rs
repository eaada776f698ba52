//! Which GPU this is, and which TensorRT: what an engine that was built here depends on.

use libloading::Library;
use std::process::Command;

/// A GPU as its driver tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuIdentity {
    /// For example `Tesla T4`.
    pub name: String,
    /// The driver's version, for example `580.65.06`.
    pub driver: String,
    /// For example `7.5`.
    pub compute_capability: String,
}

impl GpuIdentity {
    /// The GPU with this number; `None` where there is none, or no driver's tool to ask.
    pub fn of(device: i32) -> Option<Self> {
        let (query, format) = ("--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader");
        let told = Command::new("nvidia-smi").args([query, format, "-i", &device.to_string()]).output().ok()?;
        told.status.success().then(|| Self::read(&String::from_utf8_lossy(&told.stdout))).flatten()
    }

    /// From a line as `nvidia-smi` writes it.
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.lines().next()?.rsplitn(3, ',').map(|part| part.trim().to_owned());
        let (compute_capability, driver, name) = (parts.next()?, parts.next()?, parts.next()?);
        let is_version = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (is_version(&compute_capability) && is_version(&driver) && !name.is_empty()).then_some(Self {
            name,
            driver,
            compute_capability,
        })
    }
}

/// The version of the TensorRT that is loaded with ONNX Runtime's provider, for example `10.13.2`; `None` where there is none.
pub fn tensorrt_version() -> Option<String> {
    // SAFETY: its constructors are those that ONNX Runtime's provider runs when it loads the same library.
    let library = unsafe { Library::new("libnvinfer.so.10") }.ok()?;
    // SAFETY: NvInfer.h declares it so: `extern "C" int32_t getInferLibVersion() noexcept`.
    let number =
        unsafe { library.get::<unsafe extern "C" fn() -> i32>(b"getInferLibVersion") }.map(|ask| unsafe { ask() });
    number.ok().map(version_text)
}

/// 101302 is 10.13.2.
fn version_text(number: i32) -> String {
    format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_read_from_the_drivers_line() {
        let told = GpuIdentity::read("Tesla T4, 580.65.06, 7.5\n").unwrap();
        assert_eq!(
            (told.name.as_str(), told.driver.as_str(), told.compute_capability.as_str()),
            ("Tesla T4", "580.65.06", "7.5")
        );
        let odd = GpuIdentity::read("NVIDIA RTX A2000, Laptop, 535.1, 8.6").unwrap();
        assert_eq!(odd.name, "NVIDIA RTX A2000, Laptop");
        for line in ["", "No devices were found", "Tesla T4, [N/A], 7.5", "a, b"] {
            assert_eq!(GpuIdentity::read(line), None, "{line}");
        }
    }

    #[test]
    fn a_version_is_written_with_points() {
        assert_eq!((version_text(101_302), version_text(100_000)), ("10.13.2".to_owned(), "10.0.0".to_owned()));
    }
}
