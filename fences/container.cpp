#include "fences/container.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

Containers::Item& Containers::find(const std::string& name) {
    const auto found = items_.find(name);
    if (found == items_.end())
        throw std::out_of_range("nothing is open under the name '" + name + "'");
    return found->second;
}

void Containers::put_in(ContainerKind kind, const std::string& name, FenceRef fence) {
    sim::Frame frame(core_.machine, kind == ContainerKind::sync_file ? "sync_file_create"
                                                                     : "drm_syncobj_replace_fence");
    if ((core_.get(fence).flags.peek() & flag::is_private) != 0)
        core_.machine.report(
            {.kind = &hazards::private_escape,
             .subject = "fence",
             .object = core_.describe(fence),
             .message =
                 fmt::format("{} is private and was put into {} {}", core_.describe(fence),
                             kind == ContainerKind::sync_file ? "sync_file" : "syncobj", name)});
    core_.take(fence);
    const auto [item, inserted] = items_.try_emplace(name, Item{kind, fence, {}, false});
    if (!inserted)
        core_.put(std::exchange(item->second.fence, fence), holder_of(kind));
}

/// sync_file_ioctl_fence_info and sync_fill_fence_info.
SyncFileInfo Containers::query(const std::string& name) {
    const Item& item = find(name);
    SyncFileInfo info;
    if (item.kind == ContainerKind::syncobj) {
        info.status = core_.is_signaled(item.fence) ? 1 : 0;
        return info;
    }
    sim::Frame frame(core_.machine, "sync_file_ioctl_fence_info");
    info.timeline = core_.timeline_name(item.fence);
    info.driver = core_.driver_name(item.fence);
    info.status = core_.status(item.fence);
    if (info.status != 0)
        info.timestamp = core_.get(item.fence).timestamp;
    return info;
}

/// sync_file_poll: the first poll registers a callback, which close then has to remove.
bool Containers::poll(const std::string& name) {
    Item& item = find(name);
    if (item.kind == ContainerKind::sync_file && !item.poll_enabled) {
        sim::Frame frame(core_.machine, "sync_file_poll");
        item.poll_enabled = true;
        const auto nothing = [](void*, FenceRef, std::uint64_t) {};
        if (const auto callback = core_.add_callback(item.fence, nothing, nullptr, 0))
            item.poll_callback = *callback;
    }
    return core_.is_signaled(item.fence);
}

void Containers::wait(const std::string& name) {
    // The name may be closed by somebody else meanwhile; the wait holds the fence itself.
    const FenceRef fence = core_.take(find(name).fence);
    core_.wait(fence);
    core_.put(fence, Holder::workload);
}

void Containers::close(const std::string& name) {
    const Item item = find(name);
    items_.erase(name);
    sim::Frame frame(core_.machine, item.kind == ContainerKind::sync_file ? "sync_file_release"
                                                                          : "drm_syncobj_free");
    if (item.poll_enabled) // takes the fence's lock, however long ago the fence signalled
        core_.remove_callback(item.fence, item.poll_callback);
    core_.put(item.fence, holder_of(item.kind));
}

void Containers::close_all() {
    while (!items_.empty())
        close(items_.begin()->first);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
