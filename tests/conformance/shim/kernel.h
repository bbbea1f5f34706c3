/*
 * Everything the kernel's sources may include that is not one of their own headers. The build
 * makes a forwarding header for each of those names (kernel_source.cmake), all leading here.
 */
#ifndef FENCELINE_SHIM_KERNEL_H
#define FENCELINE_SHIM_KERNEL_H

#include "atomic.h"
#include "base.h"
#include "memory.h"
#include "sync.h"
#include "work.h"

struct device;
struct seq_file;
struct drm_file;
struct dma_fence;
struct dma_resv;
#define seq_printf(file, ...) ((void)(file))

/* Graphics messages and the two objects that the scheduler's helpers mention. */
#define drm_err(dev, ...) shim_message(__VA_ARGS__)
#define drm_warn(dev, ...) shim_message(__VA_ARGS__)
#define DRM_ERROR(...) shim_message(__VA_ARGS__)
#define DRM_WARN(...) shim_message(__VA_ARGS__)
#define DRM_DEV_ERROR(dev, ...) shim_message(__VA_ARGS__)
#define drm_WARN_ON(dev, condition) WARN_ON(condition)
#define drm_WARN(dev, condition, ...) WARN_ON(condition)
struct drm_gem_object {
    struct dma_resv* resv;
};
static inline int drm_syncobj_find_fence(struct drm_file* file, u32 handle, u64 point, u64 flags,
                                         struct dma_fence** fence) {
    (void)file, (void)handle, (void)point, (void)flags, (void)fence;
    return -ENOENT;
}

/* Tracepoints: all silent, except that the signalling of a fence is what the event log hears. */
#define TP_PROTO(...) __VA_ARGS__
#define TP_ARGS(...) __VA_ARGS__
#define DECLARE_EVENT_CLASS(name, proto, ...)
#define DEFINE_EVENT(class, name, proto, ...)                                                      \
    static inline void trace_##name(proto) {}
#define TRACE_EVENT(name, proto, ...)                                                              \
    static inline void trace_##name(proto) {}
#define SHIM_FENCE_TRACE(name)                                                                     \
    static inline void trace_dma_fence_##name(struct dma_fence* fence) {                           \
        (void)fence;                                                                               \
    }
SHIM_FENCE_TRACE(init)
SHIM_FENCE_TRACE(destroy)
SHIM_FENCE_TRACE(enable_signal)
SHIM_FENCE_TRACE(wait_start)
SHIM_FENCE_TRACE(wait_end)
void trace_dma_fence_signaled(struct dma_fence* fence);

#endif
