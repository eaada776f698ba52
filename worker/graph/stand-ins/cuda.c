/* A stand-in for the NVIDIA driver's library, for tests: one device, whose memory is the host's. What is copied to the host comes when
   the stream is waited for, not before, so that whoever does not wait sees that nothing came. Copies of 13 bytes fail.
   cc -shared -fPIC -o libcuda.so.1 cuda.c */
#include <stddef.h>
#include <string.h>
#define MOST 64
static struct { void *to; const void *from; size_t bytes; } waiting[MOST];
static int count, current, streams;
int cuInit(unsigned flags) { return flags; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal ? 101 : 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &current; return device; }
int cuDevicePrimaryCtxRelease_v2(int device) { return device; }
int cuCtxSetCurrent(void *context) { return context == &current ? 0 : 201; }
int cuStreamCreate(void **stream, unsigned flags) { streams++; *stream = &streams; return flags == 1 ? 0 : 1; }
int cuStreamDestroy_v2(void *stream) { streams--; return stream == &streams ? 0 : 400; }
static int refused(size_t bytes, void *stream) { return stream != &streams ? 400 : bytes == 13 ? 700 : 0; }
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *stream) {
    int status = refused(bytes, stream);
    if (!status) memcpy((void *)(size_t)to, from, bytes);   /* a graph that the processor runs waits for no stream */
    return status;
}
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream) {
    int status = count == MOST ? 2 : refused(bytes, stream);
    if (status) return status;
    waiting[count].to = to; waiting[count].from = (const void *)(size_t)from; waiting[count++].bytes = bytes;
    return 0;
}
int cuStreamSynchronize(void *stream) {
    for (int i = 0; i < count; i++) memcpy(waiting[i].to, waiting[i].from, waiting[i].bytes);
    count = 0;
    return stream == &streams ? 0 : 400;
}
int cuEventCreate(void **event, unsigned flags) { static int events; *event = &events; return flags; }
int cuEventDestroy_v2(void *event) { return !event; }
int cuEventRecord(void *event, void *stream) { return !event || stream != &streams; }
int cuEventElapsedTime(float *ms, void *from, void *to) { *ms = 1.5f; return !from || !to; }
