// Where public fences live on: sync_file, drm_syncobj (binary, or a timeline) and dma_resv.
//
// All hold references to fences for as long as user space likes, which is what makes lifetimes
// hard. A private fence that gets here is a hazard: nothing that the driver frees may be reachable
// from a place that lives for ever.
//
// DOC: putting a second fence under a name. A syncobj replaces the one it had. A `chain`, which is
// a timeline syncobj, gets a new point, the one after its newest. A dma_resv gets it as a further
// write fence (which may take the place of an older one of its context). A sync_file never changes:
// the old file is closed and a new one opened, and so for a name that was of another kind.
//
// Ownership: a Containers object owns what is open; somebody who waits keeps what he waits on.
#pragma once

#include "fences/fence_core.hpp"
#include "fences/resv.hpp"
#include "fences/syncobj.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

enum class ContainerKind : std::uint8_t { sync_file, syncobj, resv, chain };
[[nodiscard]] std::string_view name_of(ContainerKind kind);

/// What SYNC_IOC_FILE_INFO returns about one fence of a sync_file.
struct FenceInfo {
    std::string driver;
    std::string timeline;
    std::int32_t status = 0; ///< 0 active, 1 signalled, else the error
    sim::Time timestamp = 0;
};

/// What a query returns. Only sync_files have names, only timelines points.
struct SyncFileInfo {
    std::int32_t status = 0; ///< of all together: an error, else 0 while one is active, else 1
    std::vector<FenceInfo> fences; ///< of a sync_file, containers unwrapped
    std::uint64_t point = 0;       ///< of a chain: the last one that has signalled
};

class Containers {
  public:
    explicit Containers(FenceCore& core) : core_(core) {}

    /// sync_file_create, drm_syncobj_replace_fence, dma_resv_add_fence, drm_syncobj_add_point:
    /// takes a reference of its own. REQUIRES: the caller has one.
    void put_in(ContainerKind kind, const std::string& name, FenceRef fence);
    /// SYNC_IOC_MERGE: a new sync_file under `name` for all that two others wait for. REQUIRES:
    /// both are sync_files.
    void merge(const std::string& name, const std::string& first, const std::string& second);
    [[nodiscard]] bool exists(const std::string& name) const { return items_.contains(name); }
    [[nodiscard]] ContainerKind kind_of(const std::string& name) { return find(name).kind; }
    /// One fence for what is there, a reference of the caller's: sync_file_get_fence,
    /// drm_syncobj_find_fence, dma_resv_get_singleton (null when nothing is left to wait for).
    FenceRef take_fence(const std::string& name);

    /// SYNC_IOC_FILE_INFO on a sync_file: of each fence the names, then the status.
    /// drm_syncobj_query. A dma_resv only has a status.
    SyncFileInfo query(const std::string& name);
    /// sync_file_poll, a syncobj wait with timeout 0, dma_resv_test_signaled: whether all has
    /// signalled.
    bool poll(const std::string& name);
    /// Blocks until all has signalled.
    void wait(const std::string& name);
    /// SYNC_IOC_SET_DEADLINE, drm_syncobj_wait with a deadline, dma_resv_set_deadline.
    void set_deadline(const std::string& name, sim::Time deadline);
    /// close of the file, destruction of the syncobj or the buffer: the references go.
    void close(const std::string& name);
    /// What the exit of the last process does: closes everything, in order of name.
    void close_all();
    [[nodiscard]] std::size_t open() const { return items_.size(); }
    /// Enters what is open into a snapshot, and what it holds.
    void enumerate(SnapshotBuilder& out);

  private:
    struct Item {
        ContainerKind kind;
        FenceRef fence;            ///< sync_file
        CallbackRef poll_callback; ///< POLL_ENABLED: registered by the first poll
        bool poll_enabled = false;
        std::shared_ptr<Syncobj> syncobj; ///< syncobj, chain
        std::shared_ptr<Resv> resv;
        sim::Time since = 0; ///< when it was opened
    };
    Item& find(const std::string& name);
    Item& create(ContainerKind kind, const std::string& name);
    SyncFileInfo file_info(FenceRef fence);

    FenceCore& core_;
    std::map<std::string, Item> items_;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
