#include "fences/container.hpp"

#include "fences/fence_unwrap.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <stdexcept>
#include <utility>

namespace fenceline::fences::inline FENCELINE_MODE {

std::string_view name_of(ContainerKind kind) {
    constexpr std::array<std::string_view, 4> names{"sync_file", "syncobj", "resv", "chain"};
    return names[static_cast<std::size_t>(kind)];
}

namespace {

/// The last one to let go ends it: its name may be closed while somebody still waits.
void let_go(std::shared_ptr<Syncobj> syncobj) {
    if (syncobj && syncobj.use_count() == 1)
        syncobj->free();
}
void let_go(std::shared_ptr<Resv> resv) {
    if (resv && resv.use_count() == 1)
        resv->fini();
}

} // namespace

Containers::Item& Containers::find(const std::string& name) {
    const auto found = items_.find(name);
    if (found == items_.end())
        throw std::out_of_range("nothing is open under the name '" + name + "'");
    return found->second;
}

/// What is open under the name if it can take another fence, else a new one in its place.
Containers::Item& Containers::create(ContainerKind kind, const std::string& name) {
    const auto known = items_.find(name);
    if (known != items_.end()) {
        if (known->second.kind == kind && kind != ContainerKind::sync_file)
            return known->second;
        close(name);
    }
    Item& item = items_.try_emplace(name, Item{kind, {}, {}, false, {}, {}, core_.machine.now()})
                     .first->second;
    if (kind == ContainerKind::syncobj)
        item.syncobj = std::make_shared<Syncobj>(core_, Holder::syncobj);
    else if (kind == ContainerKind::chain)
        item.syncobj = std::make_shared<Syncobj>(core_, Holder::timeline);
    else if (kind == ContainerKind::resv)
        item.resv = std::make_shared<Resv>(core_);
    return item;
}

void Containers::put_in(ContainerKind kind, const std::string& name, FenceRef fence) {
    constexpr std::array<std::string_view, 4> functions{
        "sync_file_create", "driver: replace the syncobj's fence",
        "driver: add the fence to the dma_resv", "driver: add a point to the syncobj"};
    sim::Frame frame(core_.machine, functions[static_cast<std::size_t>(kind)]);
    if ((core_.get(fence).flags.peek() & flag::is_private) != 0)
        core_.machine.report({.kind = &hazards::private_escape,
                              .subject = "fence",
                              .object = core_.describe(fence),
                              .message = fmt::format("{} is private and was put into {} {}",
                                                     core_.describe(fence), name_of(kind), name),
                              .fence_pool = core_.pool_of(fence),
                              .fence_key = fences::FenceCore::key_of(fence)});
    Item& item = create(kind, name);
    switch (kind) {
    case ContainerKind::sync_file:
        item.fence = core_.take(fence);
        break;
    case ContainerKind::syncobj:
        item.syncobj->replace_fence(fence);
        break;
    case ContainerKind::chain:
        item.syncobj->add_point(fence, item.syncobj->query(true) + 1);
        break;
    case ContainerKind::resv:
        item.resv->lock();
        item.resv->reserve_fences(1);
        item.resv->add_fence(fence, ResvUsage::write);
        item.resv->unlock();
        break;
    }
}

/// sync_file_merge.
void Containers::merge(const std::string& name, const std::string& first,
                       const std::string& second) {
    sim::Frame frame(core_.machine, "sync_file_merge");
    assert(find(first).kind == ContainerKind::sync_file &&
           find(second).kind == ContainerKind::sync_file);
    const FenceRef both[] = {find(first).fence, find(second).fence};
    const FenceRef merged = unwrap_merge(core_, both);
    create(ContainerKind::sync_file, name).fence = merged;
}

FenceRef Containers::take_fence(const std::string& name) {
    const Item& item = find(name);
    if (item.resv)
        return item.resv->get_singleton(ResvUsage::read);
    if (item.syncobj)
        return item.syncobj->find_fence(0).value_or(FenceRef{});
    return core_.take(item.fence);
}

/// sync_file_ioctl_fence_info and sync_fill_fence_info.
SyncFileInfo Containers::file_info(FenceRef file_fence) {
    sim::Frame frame(core_.machine, "sync_file_ioctl_fence_info");
    SyncFileInfo info;
    info.status = 1;
    unwrap_for_each(core_, file_fence, [&](FenceRef fence) {
        FenceInfo& one = info.fences.emplace_back();
        one.timeline = core_.timeline_name(fence);
        one.driver = core_.driver_name(fence);
        one.status = core_.status(fence);
        if (one.status != 0)
            one.timestamp = core_.get(fence).timestamp;
        if (info.status > 0)
            info.status = one.status;
    });
    return info;
}

SyncFileInfo Containers::query(const std::string& name) {
    const Item& item = find(name);
    if (item.kind == ContainerKind::sync_file)
        return file_info(item.fence);
    SyncFileInfo info;
    info.status = poll(name) ? 1 : 0;
    if (item.kind == ContainerKind::chain)
        info.point = item.syncobj->query();
    return info;
}

/// sync_file_poll: the first poll registers a callback, which close then has to remove.
bool Containers::poll(const std::string& name) {
    Item& item = find(name);
    if (item.resv)
        return item.resv->test_signaled(ResvUsage::read);
    if (item.syncobj) {
        const FenceRef fence = item.syncobj->fence_get();
        const bool signalled = core_.is_signaled(fence);
        core_.put(fence, Holder::syncobj);
        return signalled;
    }
    if (!item.poll_enabled) {
        sim::Frame frame(core_.machine, "sync_file_poll");
        item.poll_enabled = true;
        const auto nothing = [](void*, FenceRef, std::uint64_t) {};
        if (const auto callback = core_.add_callback(item.fence, nothing, nullptr, 0))
            item.poll_callback = *callback;
    }
    return core_.is_signaled(item.fence);
}

/// The name may be closed by somebody else meanwhile; the wait holds what it waits on.
void Containers::wait(const std::string& name) {
    if (std::shared_ptr<Resv> resv = find(name).resv) {
        resv->wait(ResvUsage::read);
        let_go(std::move(resv));
        return;
    }
    const FenceRef fence = take_fence(name);
    const HeldWhileWaiting held(core_, fence);
    core_.wait(fence);
    core_.put(fence, Holder::workload);
}

void Containers::set_deadline(const std::string& name, sim::Time deadline) {
    if (const std::shared_ptr<Resv>& resv = find(name).resv)
        return resv->set_deadline(ResvUsage::read, deadline);
    const FenceRef fence = take_fence(name);
    core_.set_deadline(fence, deadline);
    core_.put(fence, Holder::workload);
}

void Containers::close(const std::string& name) {
    Item item = std::move(find(name));
    items_.erase(name);
    if (item.kind != ContainerKind::sync_file) {
        if (core_.quirks.resv_freed_under_reader && item.resv && item.resv.use_count() > 1)
            return item.resv->fini_under_reader();
        let_go(std::move(item.syncobj));
        let_go(std::move(item.resv));
        return;
    }
    sim::Frame frame(core_.machine, "sync_file_release");
    if (item.poll_enabled) // takes the fence's lock, however long ago the fence signalled
        core_.remove_callback(item.fence, item.poll_callback);
    core_.put(item.fence, Holder::sync_file);
}

void Containers::close_all() {
    while (!items_.empty())
        close(items_.begin()->first);
}

} // namespace fenceline::fences::inline FENCELINE_MODE
