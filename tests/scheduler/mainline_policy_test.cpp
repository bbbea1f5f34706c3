// Mainline's run queue against a naive copy under random operations: one sorted list of all entities
// that have a job, walked from its left for the first that is ready.
#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"
#include "sim/machine.hpp"
#include "sim/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace fenceline::scheduler {
namespace {

/// What the copy knows about an entity.
struct Shadow {
    std::int64_t vruntime = 0;
    std::int64_t unpaid = 0;
    std::int64_t last_turn = 0;
    std::uint64_t avg_us = 0;
    Priority priority = Priority::normal;
};

class NaiveQueue {
  public:
    NaiveQueue(Policy policy, const std::uint64_t& sched_avg_us)
        : policy_(policy), sched_avg_us_(sched_avg_us) {}

    void join(Shadow& entity, std::int64_t now) {
        switch (policy_) {
        case Policy::fifo:
            return insert(entity, now);
        case Policy::rr:
            return insert(entity, entity.last_turn);
        case Policy::fair:
            break;
        }
        if (entity.vruntime == 0 && head_ >= 0)
            entity.vruntime = offset(entity);
        entity.vruntime += minimum();
        insert(entity, entity.vruntime);
    }
    void pop(Shadow& entity, std::int64_t next_submit) {
        switch (policy_) {
        case Policy::fifo:
            return insert(entity, next_submit);
        case Policy::rr:
            entity.last_turn = ++turns_;
            return insert(entity, entity.last_turn);
        case Policy::fair:
            break;
        }
        constexpr std::int64_t factors[] = {2, 4, 16, 128};
        entity.vruntime += entity.unpaid * factors[static_cast<int>(entity.priority)];
        entity.unpaid = 0;
        insert(entity, entity.vruntime);
    }
    void leave(Shadow& entity) {
        take_out(entity);
        if (policy_ != Policy::fair)
            return;
        const std::int64_t least = minimum();
        entity.vruntime =
            least != 0 && entity.vruntime > least ? entity.vruntime - least : std::int64_t{0};
    }
    void take_out(Shadow& entity) {
        if (std::erase_if(tree_, [&](const Node& node) { return node.entity == &entity; }) != 0)
            look_at_head();
    }
    Shadow* first(const std::vector<Shadow*>& ready) {
        for (const Node& node : tree_)
            if (std::find(ready.begin(), ready.end(), node.entity) != ready.end())
                return node.entity;
        return nullptr;
    }

  private:
    struct Node {
        std::int64_t key;
        Shadow* entity;
    };
    void insert(Shadow& entity, std::int64_t key) {
        take_out(entity);
        const auto right = std::find_if(tree_.begin(), tree_.end(),
                                        [&](const Node& node) { return key < node.key; });
        tree_.insert(right, {key, &entity});
        look_at_head();
    }
    void look_at_head() {
        head_ = tree_.empty() ? -1 : static_cast<int>(tree_.front().entity->priority);
    }
    [[nodiscard]] std::int64_t minimum() const {
        return tree_.empty() ? 0 : tree_.front().entity->vruntime;
    }
    [[nodiscard]] std::int64_t offset(const Shadow& entity) const {
        constexpr std::int64_t factors[] = {2, 4, 16, 128};
        const int level = static_cast<int>(entity.priority);
        if (level > head_)
            return static_cast<std::int64_t>(1 + entity.avg_us + sched_avg_us_) * factors[level] *
                   1000;
        if (level < head_)
            return level - head_;
        return entity.avg_us <= sched_avg_us_ ? -1 : 1;
    }

    Policy policy_;
    const std::uint64_t& sched_avg_us_;
    std::vector<Node> tree_;
    int head_ = -1;
    std::int64_t turns_ = 0;
};

class MainlineDuel : public testing::TestWithParam<std::tuple<Policy, std::size_t>> {
  protected:
    void play(std::uint64_t seed) {
        const auto [policy, count] = GetParam();
        sim::Random random(seed);
        sim::Machine machine;
        sim::Pool<EntityStats> pool(machine, "entity stats",
                                    [](const EntityStats&) { return std::string("stats"); });
        std::uint32_t ready_queues = 0;
        MovingAverage sched_avg;
        std::uint64_t sched_avg_us = 0;
        const auto subject =
            policy == Policy::fifo ? make_fifo_policy(ready_queues, 1)
            : policy == Policy::rr
                ? make_rr_tree_policy(ready_queues, 1)
                : make_fair_policy(ready_queues, 1, {machine, pool, sched_avg, {}});
        NaiveQueue reference(policy, sched_avg_us);
        std::vector<Entity> entities(count);
        std::vector<Shadow> shadows(count);
        for (Entity& entity : entities)
            entity.stats = pool.alloc();
        std::vector<Shadow*> ready;
        std::int64_t now = 0;
        const auto set_ready = [&](std::size_t i, bool value) {
            subject->set_ready(entities[i], value);
            std::erase(ready, &shadows[i]);
            if (value)
                ready.push_back(&shadows[i]);
        };
        for (int step = 0; step < 3000; ++step) {
            const std::size_t i = random.next() % count;
            Entity& entity = entities[i];
            Shadow& shadow = shadows[i];
            now += static_cast<std::int64_t>(random.next() % 2); // many equal times
            const bool queued = queued_[i];
            switch (random.next() % 10) {
            case 0: // another priority
                shadow.priority = static_cast<Priority>(random.next() % kPriorityCount);
                entity.priority = shadow.priority;
                break;
            case 1: { // jobs of it were freed
                const std::uint64_t us = random.next() % 3;
                EntityStats& stats = pool.get(entity.stats);
                stats.runtime += static_cast<std::int64_t>(us) * 1000;
                shadow.unpaid += static_cast<std::int64_t>(us) * 1000;
                stats.avg_job_us.add(us);
                sched_avg.add(us);
                shadow.avg_us = stats.avg_job_us.read();
                sched_avg_us = sched_avg.read();
                break;
            }
            case 2: // waits for a dependency, or does not any more
                if (queued)
                    set_ready(i, !entity.node.ready);
                break;
            case 3: // off the list altogether
                if (!entity.node.listed)
                    break;
                subject->remove(entity);
                reference.take_out(shadow);
                std::erase(ready, &shadow);
                queued_[i] = false;
                break;
            case 4:
            case 5: // its last job
                if (!queued)
                    break;
                subject->leave(entity);
                reference.leave(shadow);
                std::erase(ready, &shadow);
                queued_[i] = false;
                break;
            default:
                if (queued) {
                    subject->requeue(entity, static_cast<sim::Time>(now));
                    reference.pop(shadow, now);
                    break;
                }
                if (!entity.node.listed)
                    subject->add(entity);
                subject->join(entity, static_cast<sim::Time>(now));
                reference.join(shadow, now);
                set_ready(i, true);
                queued_[i] = true;
            }
            const Shadow* expected = reference.first(ready);
            const Entity* found = subject->first_ready();
            ASSERT_EQ(found == nullptr
                          ? nullptr
                          : &shadows[static_cast<std::size_t>(found - entities.data())],
                      expected)
                << "seed " << seed << " step " << step;
            ASSERT_EQ(ready_queues, ready.empty() ? 0U : 1U);
            if (policy == Policy::fair) {
                ASSERT_EQ(pool.get(entity.stats).vruntime, shadow.vruntime)
                    << "seed " << seed << " step " << step;
            }
        }
        queued_.clear();
    }

  private:
    std::map<std::size_t, bool> queued_;
};

TEST_P(MainlineDuel, AgreesWithTheSortedList) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        play(seed);
        ASSERT_FALSE(HasFatalFailure());
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, MainlineDuel,
                         testing::Combine(testing::Values(Policy::fifo, Policy::rr, Policy::fair),
                                          testing::Values(std::size_t{1}, std::size_t{2},
                                                          std::size_t{5}, std::size_t{40})),
                         [](const auto& info) {
                             const Policy policy = std::get<0>(info.param);
                             return std::string(policy == Policy::fifo ? "Fifo"
                                                : policy == Policy::rr ? "RoundRobin"
                                                                       : "Fair") +
                                    std::to_string(std::get<1>(info.param));
                         });

} // namespace
} // namespace fenceline::scheduler
