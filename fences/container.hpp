// Where public fences live on: sync_file and drm_syncobj.
//
// Both hold a reference to a fence for as long as user space likes, which is what makes lifetimes
// hard. A private fence that gets here is a hazard: nothing that the driver frees may be reachable
// from a place that lives for ever.
//
// Ownership: a Containers object owns its sync_files and syncobjs; each owns one reference.
#pragma once

#include "fences/fence_core.hpp"

#include <map>
#include <string>

namespace fenceline::fences::inline FENCELINE_MODE {

enum class ContainerKind : std::uint8_t { sync_file, syncobj };

/// What SYNC_IOC_FILE_INFO returns about a sync_file with one fence.
struct SyncFileInfo {
    std::string driver;
    std::string timeline;
    std::int32_t status = 0; ///< 0 active, 1 signalled, else the error
    sim::Time timestamp = 0;
};

class Containers {
  public:
    explicit Containers(FenceCore& core) : core_(core) {}

    /// sync_file_create, drm_syncobj_replace_fence: takes a reference of its own. A syncobj that
    /// exists gets the new fence in place of its old one; a sync_file's name must be new.
    void put_in(ContainerKind kind, const std::string& name, FenceRef fence);
    [[nodiscard]] bool exists(const std::string& name) const { return items_.contains(name); }

    /// SYNC_IOC_FILE_INFO on a sync_file: names, then status. A syncobj only has a status.
    SyncFileInfo query(const std::string& name);
    /// sync_file_poll, or a syncobj wait with timeout 0: whether the fence has signalled.
    bool poll(const std::string& name);
    /// Blocks until the fence has signalled.
    void wait(const std::string& name);
    /// close of the file, destruction of the syncobj: the reference goes.
    void close(const std::string& name);
    /// What the exit of the last process does: closes everything, in order of name.
    void close_all();
    /// The fence that is there, a reference of the caller's: sync_file_get_fence,
    /// drm_syncobj_find_fence.
    FenceRef take_fence(const std::string& name) { return core_.take(find(name).fence); }
    [[nodiscard]] std::size_t open() const { return items_.size(); }

  private:
    struct Item {
        ContainerKind kind;
        FenceRef fence;
        CallbackRef poll_callback; ///< POLL_ENABLED: registered by the first poll
        bool poll_enabled = false;
    };
    Item& find(const std::string& name);
    static Holder holder_of(ContainerKind kind) {
        return kind == ContainerKind::sync_file ? Holder::sync_file : Holder::syncobj;
    }

    FenceCore& core_;
    std::map<std::string, Item> items_;
};

} // namespace fenceline::fences::inline FENCELINE_MODE
