/* A stand-in for the NVIDIA driver's management library, for tests: two GPUs, the second of which has no encoder.
   cc -shared -fPIC -o libnvidia-ml.so.1 nvml.c */
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
