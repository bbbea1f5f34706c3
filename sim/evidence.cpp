// What a second run records about wanted objects: their timelines, and who referred to them.

#include "sim/machine.hpp"
#include "sim/refcount.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::sim::inline FENCELINE_MODE {

namespace {
/// Asking who refers to an object is a walk over all there is, so only so many hazards are worth it.
constexpr std::size_t kMostExplained = 50;
} // namespace

Machine::Wanted* Machine::find_wanted(std::string_view pool, std::uint64_t key) {
    for (Wanted& object : wanted_)
        if (object.key == key && object.pool == pool)
            return &object;
    return nullptr;
}

void Machine::note_there(const void* part, std::string_view what) {
    const auto* const place = static_cast<const std::byte*>(part);
    for (Wanted& object : wanted_) {
        if (object.memory == nullptr || place < object.memory ||
            place >= object.memory + object.size)
            continue;
        std::string text(what);
        if (witness_ != nullptr) {
            const auto offset = static_cast<std::size_t>(place - object.memory);
            if (const std::string_view which = witness_->part_at(object.pool, offset);
                !which.empty())
                text = fmt::format("{}: {}", which, what);
        }
        const auto& frames = current_->frames;
        object.timeline.add({now(), describe(*current_),
                             frames.empty() ? std::string_view() : frames.back(), std::move(text)});
    }
}

/// Just before the count changes.
void Machine::note_count(Op op, const void* count) {
    const std::uint32_t before = static_cast<const RefCount*>(count)->peek();
    if (op == Op::get)
        note_there(count, fmt::format("get ({} -> {})", before, before + 1));
    else
        note_there(count, fmt::format("put ({} -> {})", before, std::max(before, 1u) - 1));
}

void Machine::wanted_born(std::string_view pool, std::uint64_t key, const void* memory,
                          std::size_t size) {
    Wanted& object = *find_wanted(pool, key);
    object.memory = static_cast<const std::byte*>(memory);
    object.size = size;
    watching_ = true;
    note_there(memory, "allocated");
}

void Machine::wanted_dies(std::string_view pool, std::uint64_t key, const std::string& name) {
    Wanted& object = *find_wanted(pool, key);
    if (object.memory == nullptr)
        return;
    note_there(object.memory, "freed");
    object.name = name;
    const auto before = static_cast<std::size_t>(&object - wanted_.data());
    if (witness_ != nullptr && before < 2 * kMostExplained) // an object and a fence of each
        object.holders = witness_->holders_of(pool, key);
    object.memory = nullptr;
    watching_ = std::any_of(wanted_.begin(), wanted_.end(),
                            [](const Wanted& other) { return other.memory != nullptr; });
}

void Machine::add_evidence(Hazard& hazard) {
    witness_->find_fence(hazard);
    if (hazard.fence_key != 0)
        if (const Wanted* const fence = find_wanted(hazard.fence_pool, hazard.fence_key)) {
            hazard.timeline = fence->timeline;
            if (hazard.fence.empty())
                hazard.fence = fence->name;
        }
    if (hazard.key == 0 || hazards_.size() >= kMostExplained)
        return;
    const Wanted* const object = find_wanted(hazard.pool, hazard.key);
    hazard.holders = object != nullptr && object->memory == nullptr
                         ? object->holders
                         : witness_->holders_of(hazard.pool, hazard.key);
}

} // namespace fenceline::sim::inline FENCELINE_MODE
