//! What NVIDIA's management library says of the GPUs, in Prometheus' words. Where that is absent, as on machines without such a
//! GPU, nothing is said.

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};
use std::ffi::OsStr;

/// The driver's library, as its packages name it.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// Asks the GPUs whenever metrics are read.
struct GpuMetrics {
    nvml: Nvml,
    busy: GaugeVec,
    encoder: GaugeVec,
    used: GaugeVec,
    total: GaugeVec,
    celsius: GaugeVec,
}

/// Registers the metrics of all GPUs of this machine, if there are any; how many there are.
///
/// # Errors
/// A name is registered already.
pub fn register_gpus(registry: &Registry) -> prometheus::Result<u32> {
    register_of(LIBRARY.as_ref(), registry)
}

fn register_of(library: &OsStr, registry: &Registry) -> prometheus::Result<u32> {
    let opened = Nvml::builder().lib_path(library).init().and_then(|nvml| Ok((nvml.device_count()?, nvml)));
    match opened {
        Ok((count, nvml)) if count > 0 => {
            registry.register(Box::new(GpuMetrics::new(nvml)?))?;
            Ok(count)
        }
        Ok(_) => Ok(0),
        Err(error) => {
            tracing::debug!(%error, "no NVIDIA GPU to tell of");
            Ok(0)
        }
    }
}

impl GpuMetrics {
    fn new(nvml: Nvml) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["gpu", "model"]);
        Ok(Self {
            nvml,
            busy: gauge("gpu_utilization_ratio", "Of the last sample period, the part in which the GPU computed")?,
            encoder: gauge("gpu_encoder_utilization_ratio", "The same of its video encoder")?,
            used: gauge("gpu_memory_used_bytes", "Memory of the GPU in use, by anybody")?,
            total: gauge("gpu_memory_bytes", "Memory that the GPU has")?,
            celsius: gauge("gpu_temperature_celsius", "Temperature of the GPU")?,
        })
    }

    /// What a GPU does not tell (some have no encoder) is left out.
    fn ask(&self, number: u32) -> Result<(), NvmlError> {
        let device: Device<'_> = self.nvml.device_by_index(number)?;
        let (gpu, model) = (number.to_string(), device.name()?);
        let labels = [gpu.as_str(), model.as_str()];
        let set = |gauge: &GaugeVec, value: f64| gauge.with_label_values(&labels).set(value);
        if let Ok(utilization) = device.utilization_rates() {
            set(&self.busy, f64::from(utilization.gpu) / 100.0);
        }
        if let Ok(encoder) = device.encoder_utilization() {
            set(&self.encoder, f64::from(encoder.utilization) / 100.0);
        }
        if let Ok(memory) = device.memory_info() {
            set(&self.used, memory.used as f64);
            set(&self.total, memory.total as f64);
        }
        if let Ok(celsius) = device.temperature(TemperatureSensor::Gpu) {
            set(&self.celsius, f64::from(celsius));
        }
        Ok(())
    }

    fn gauges(&self) -> [&GaugeVec; 5] {
        [&self.busy, &self.encoder, &self.used, &self.total, &self.celsius]
    }
}

impl Collector for GpuMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.gauges().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // One that has fallen off the bus is not told with its last figures for ever.
        for gauge in self.gauges() {
            gauge.reset();
        }
        for number in 0..self.nvml.device_count().unwrap_or(0) {
            if let Err(error) = self.ask(number) {
                tracing::debug!(number, %error, "a GPU does not answer");
            }
        }
        self.gauges().into_iter().flat_map(Collector::collect).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::TextEncoder;
    use std::process::Command;

    /// For the driver's library.
    const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/stand-ins/nvml.c");

    #[test]
    fn each_gpu_tells_what_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libnvidia-ml.so.1");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(STAND_IN).status();
        assert!(compiled.unwrap().success(), "the stand-in is C, and `cc` compiles it");
        let registry = Registry::new();
        assert_eq!(register_of(library.as_os_str(), &registry).unwrap(), 2);
        let told = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            r#"gpu_utilization_ratio{gpu="0",model="Tesla T4"} 0.87"#,
            r#"gpu_memory_used_bytes{gpu="1",model="Tesla T4"} 4500000000"#,
            r#"gpu_memory_bytes{gpu="1",model="Tesla T4"} 16000000000"#,
            r#"gpu_encoder_utilization_ratio{gpu="0",model="Tesla T4"} 0.25"#,
            r#"gpu_temperature_celsius{gpu="0",model="Tesla T4"} 61"#,
        ] {
            assert!(told.lines().any(|l| l == line), "{line} is not in\n{told}");
        }
        assert!(!told.contains(r#"gpu_encoder_utilization_ratio{gpu="1""#), "what it does not have it does not tell");
    }

    #[test]
    fn without_the_driver_nothing_is_told() {
        let registry = Registry::new();
        assert_eq!(register_of("libnvidia-ml-that-nobody-has.so".as_ref(), &registry).unwrap(), 0);
        assert!(registry.gather().is_empty());
    }
}
