#include "workloads/shared_names.hpp"

#include <utility>

namespace fenceline::workloads::inline FENCELINE_MODE {

void SharedNames::open(OpenNames& own, const std::string& name) {
    if (own.insert(name).second)
        ++parties_[name];
}

void SharedNames::export_fence(OpenNames& own, fences::ContainerKind kind, const std::string& name,
                               fences::FenceRef fence) {
    containers_.put_in(kind, name, fence);
    open(own, name);
    const auto import = imports_.find(name);
    if (import == imports_.end())
        return;
    for (OpenNames* party : std::exchange(import->second.parties, {}))
        open(*party, name);
    import->second.queue.wake_up(machine_);
}

void SharedNames::import(OpenNames& own, const std::string& name) {
    if (containers_.exists(name))
        return open(own, name);
    Import& import = imports_[name];
    import.parties.push_back(&own);
    try {
        import.queue.wait_event(machine_, "a name to be exported",
                                [&] { return own.contains(name);
    });
}
catch (const sim::Interrupted&) {
    std::erase(import.parties, &own);
    throw;
}
} // namespace fenceline::workloads::inline FENCELINE_MODE

bool SharedNames::close(OpenNames& own, const std::string& name) {
    const auto found = own.find(name);
    if (found == own.end())
        return false;
    own.erase(found);
    const auto parties = parties_.find(name);
    if (--parties->second == 0) {
        parties_.erase(parties);
        containers_.close(name);
    }
    return true;
}

void SharedNames::close_all(OpenNames& own) {
    while (!own.empty())
        close(own, std::string(*own.begin()));
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
