// Round robin: entities that come and go. The rest is in the header.

#include "scheduler/round_robin_policy.hpp"

namespace fenceline::scheduler::inline FENCELINE_MODE {

void RoundRobinPolicy::add(Entity& entity) {
    if (list_.size() > 64 && members_ < list_.size() / 2)
        renumber();
    entity.node.listed = true;
    entity.node.position = static_cast<std::uint32_t>(list_.size());
    list_.push_back(&entity);
    ready_.reserve(static_cast<std::uint32_t>(list_.size()));
    ++members_;
}

void RoundRobinPolicy::remove(Entity& entity) {
    set_ready(entity, false);
    entity.node.listed = false;
    list_[entity.node.position] = nullptr;
    --members_;
    if (current_ == entity.node.position)
        current_ = BitSet::kNone;
}

void RoundRobinPolicy::renumber() {
    std::vector<Entity*> kept;
    std::uint32_t current = BitSet::kNone;
    ready_.clear();
    ready_.reserve(static_cast<std::uint32_t>(members_));
    for (Entity* entity : list_) {
        if (entity == nullptr)
            continue;
        if (entity->node.position == current_)
            current = static_cast<std::uint32_t>(kept.size());
        entity->node.position = static_cast<std::uint32_t>(kept.size());
        if (entity->node.ready)
            ready_.insert(entity->node.position);
        kept.push_back(entity);
    }
    list_.swap(kept);
    current_ = current;
}

std::unique_ptr<RunQueuePolicy> make_rr_policy(std::uint32_t& ready_queues, std::uint32_t own_bit) {
    return std::make_unique<RoundRobinPolicy>(ready_queues, own_bit);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
