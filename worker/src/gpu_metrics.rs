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

    /// A stand-in for the driver's library: two GPUs, the second of which has no encoder.
    const STAND_IN: &str = r#"
        #include <stdint.h>
        #include <string.h>
        typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;
        int nvmlInit_v2(void) { return 0; }
        int nvmlShutdown(void) { return 0; }
        int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
        int nvmlDeviceGetHandleByIndex_v2(unsigned n, void **d) { *d = (void *)(uintptr_t)(n + 1); return n < 2 ? 0 : 2; }
        int nvmlDeviceGetName(void *d, char *name, unsigned most) { strncpy(name, "Tesla T4", most); return 0; }
        int nvmlDeviceGetUtilizationRates(void *d, unsigned *two) { two[0] = 87; two[1] = 40; return 0; }
        int nvmlDeviceGetMemoryInfo_v2(void *d, memory_v2 *m) {
            if (m->version != (sizeof *m | 2u << 24)) return 25;
            m->total = 16000000000ull; m->used = 4500000000ull; m->free = m->total - m->used; return 0;
        }
        int nvmlDeviceGetEncoderUtilization(void *d, unsigned *u, unsigned *p) {
            if ((uintptr_t)d == 2) return 3;
            *u = 25; *p = 1000; return 0;
        }
        int nvmlDeviceGetTemperature(void *d, int sensor, unsigned *t) { *t = 61; return 0; }
    "#;

    #[test]
    fn each_gpu_tells_what_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let (source, library) = (folder.path().join("nvml.c"), folder.path().join("libnvidia-ml.so.1"));
        std::fs::write(&source, STAND_IN).unwrap();
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-w", "-o"]).arg(&library).arg(&source).status();
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
