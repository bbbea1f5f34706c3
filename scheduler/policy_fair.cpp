// FAIR: the entity that has had the least GPU time, weighed by priority.
//
// Every entity with a job is in one tree, ready or not, ordered by virtual runtime. Time becomes
// virtual when a job is popped and another is behind it: only then is anybody charged. An entity
// whose queue runs empty leaves the tree and keeps how far it was behind the leftmost; when it comes
// back it is put that far behind the leftmost of then. One that was not behind at all comes back
// next to the leftmost, in front of or behind it by priority and by the length of its jobs.
//
// So an entity that never has a second job waiting is never charged. That is mainline's, like all
// the rest; the rules that a run may switch are FairRules.

#include "scheduler/tree_policy.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace fenceline::scheduler::inline FENCELINE_MODE {

namespace {

/// Virtual time grows faster the less urgent: kernel gets about twice the time of high, high four
/// times that of normal, normal eight times that of low.
unsigned vruntime_shift(Priority priority) {
    constexpr std::array<unsigned, kPriorityCount> shifts{1, 2, 4, 7};
    return shifts[static_cast<std::size_t>(priority)];
}

SignedTime scaled(SignedTime time, Priority priority) {
    return static_cast<SignedTime>(static_cast<std::uint64_t>(time) << vruntime_shift(priority));
}

class FairPolicy final : public TreePolicy {
  public:
    FairPolicy(std::uint32_t& ready_queues, std::uint32_t own_bit, const FairContext& context)
        : TreePolicy(ready_queues, own_bit, false), context_(context) {}

    void add(Entity& entity) override { entity.node.listed = true; }

    void remove(Entity& entity) override {
        set_ready(entity, false);
        take_out(entity);
        entity.node.listed = false;
    }

    void join(Entity& entity, sim::Time) override {
        put(entity, restore_vruntime(entity, min_vruntime()));
    }
    void requeue(Entity& entity, sim::Time) override { put(entity, update_vruntime(entity)); }
    void leave(Entity& entity) override {
        set_ready(entity, false);
        take_out(entity);
        save_vruntime(entity, min_vruntime());
    }

  private:
    /// drm_sched_rq_update_tree_locked.
    void put(Entity& entity, SignedTime key) {
        const bool inside = entity.node.tree_position != QueueNode::kNotInTree;
        set_key(entity, key);
        if (inside)
            tree_.settle(entity);
        else
            tree_.insert(entity);
        tree_changed();
    }
    /// drm_sched_rq_remove_tree_locked.
    void take_out(Entity& entity) {
        if (entity.node.tree_position == QueueNode::kNotInTree)
            return;
        tree_.erase(entity);
        entity.node.tree_position = QueueNode::kNotInTree;
        tree_changed();
    }
    /// drm_sched_rq_update_prio: a change of priority is seen at the next change of the tree.
    void tree_changed() {
        if (tree_.empty()) {
            head_prio_.reset();
            return;
        }
        head_prio_ = tree_.front().priority;
        monotonic_min_ = std::max(monotonic_min_, tree_.front().node.key);
    }

    EntityStats& stats_of(const Entity& entity) {
        return context_.entity_stats.get(entity.stats, "entity stats");
    }

    /// drm_sched_rq_get_min_vruntime: of all that are queued, ready or not; 0 if nobody is.
    SignedTime min_vruntime() {
        if (context_.rules.monotonic_minimum)
            return monotonic_min_;
        if (tree_.empty())
            return 0;
        EntityStats& stats = stats_of(tree_.front());
        sim::SpinGuard guard(context_.machine, stats.lock, "stats->lock");
        return stats.vruntime;
    }

    /// drm_sched_entity_save_vruntime: how far behind the others it was; 0 if it was not.
    void save_vruntime(const Entity& entity, SignedTime minimum) {
        EntityStats& stats = stats_of(entity);
        sim::SpinGuard guard(context_.machine, stats.lock, "stats->lock");
        stats.vruntime =
            minimum != 0 && stats.vruntime > minimum ? wrapping_sub(stats.vruntime, minimum) : 0;
    }

    /// drm_sched_entity_restore_vruntime.
    SignedTime restore_vruntime(const Entity& entity, SignedTime minimum) {
        EntityStats& stats = stats_of(entity);
        sim::SpinGuard guard(context_.machine, stats.lock, "stats->lock");
        if (stats.vruntime == 0 && head_prio_)
            stats.vruntime = place_beside_head(entity.priority, stats.avg_job_us.read());
        stats.vruntime = wrapping_add(minimum, stats.vruntime);
        return stats.vruntime;
    }

    /// Where somebody who owes nothing goes, seen from the leftmost.
    SignedTime place_beside_head(Priority priority, std::uint64_t avg_us) const {
        const std::uint64_t sched_avg_us = context_.sched_avg_job_us.read();
        if (priority > *head_prio_) { // less urgent: well behind
            const std::uint64_t back_us = (1 + avg_us + sched_avg_us) << vruntime_shift(priority);
            return static_cast<SignedTime>(back_us * sim::kMicrosecond);
        }
        if (priority < *head_prio_)
            return static_cast<SignedTime>(priority) - static_cast<SignedTime>(*head_prio_);
        return avg_us <= sched_avg_us ? -1 : 1; // short jobs first
    }

    /// drm_sched_entity_update_vruntime: what was counted since the last time becomes virtual.
    SignedTime update_vruntime(const Entity& entity) {
        EntityStats& stats = stats_of(entity);
        sim::SpinGuard guard(context_.machine, stats.lock, "stats->lock");
        const SignedTime spent = wrapping_sub(stats.runtime, stats.prev_runtime);
        stats.prev_runtime = stats.runtime;
        stats.vruntime = wrapping_add(stats.vruntime, scaled(spent, entity.priority));
        return stats.vruntime;
    }

    FairContext context_;
    EntityHeap<&QueueNode::tree_position> tree_; ///< everybody who has a job
    std::optional<Priority> head_prio_; ///< of the leftmost, as of the last change of the tree
    SignedTime monotonic_min_ = 0;      ///< the greatest key that the leftmost ever had
};

} // namespace

std::unique_ptr<RunQueuePolicy> make_fair_policy(std::uint32_t& ready_queues, std::uint32_t own_bit,
                                                 const FairContext& context) {
    return std::make_unique<FairPolicy>(ready_queues, own_bit, context);
}

} // namespace fenceline::scheduler::inline FENCELINE_MODE
