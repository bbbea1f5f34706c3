// Single fixes of dma-buf, or departures of a driver from its rules, switched for one run: how a
// historical bug is brought back. By default everything is as it is in the modelled kernel.
//
// Values without state; workloads/quirks.hpp gives each its name and its story.
#pragma once

namespace fenceline::fences {

struct Quirks {
    bool chain_release_recurses = false;  ///< dma_fence_chain_release puts the link behind it
    bool timeline_name_of_driver = false; ///< dma_fence_timeline_name calls get_driver_name
    bool syncobj_counts_late = false;     ///< drm_syncobj_fence_get: dma_fence_get on what was read
    bool resv_freed_under_reader = false; ///< dma_resv_fini does not wait for who iterates
    /// The driver's ops->signaled reads the hardware: whoever polls may be the one that signals.
    bool poll_signals = false;
    /// The driver's interrupt handler signals what a poll has signalled before it.
    bool interrupt_ignores_polls = false;

    friend bool operator==(const Quirks&, const Quirks&) = default;
};

} // namespace fenceline::fences
