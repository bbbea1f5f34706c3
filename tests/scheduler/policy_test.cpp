// Selection policies against naive copies of the kernel's walks, under random operations.
//
// The references keep what the kernel keeps: the list of a run queue and its current_entity, and
// the tree by oldest_job_waiting (a sorted list in which equals go to the right); they walk all
// entities and skip those that are not ready.
#include "scheduler/objects.hpp"
#include "scheduler/run_queue_policy.hpp"
#include "sim/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace fenceline::scheduler {
namespace {

class Walk {
  public:
    virtual ~Walk() = default;
    virtual void add(Entity* entity) = 0;
    virtual void remove(Entity* entity) = 0;
    virtual void update(Entity* entity, sim::Time key) = 0;
    virtual Entity* first(const std::vector<Entity*>& ready) = 0;
    virtual void picked(Entity* entity) = 0;

  protected:
    static bool is_in(const std::vector<Entity*>& set, const Entity* entity) {
        return std::find(set.begin(), set.end(), entity) != set.end();
    }
};

/// drm_sched_rq_select_entity_rr.
class RoundRobinWalk final : public Walk {
  public:
    void add(Entity* entity) override { list_.push_back(entity); }
    void remove(Entity* entity) override {
        std::erase(list_, entity);
        if (current_ == entity)
            current_ = nullptr;
    }
    void update(Entity*, sim::Time) override {}
    Entity* first(const std::vector<Entity*>& ready) override {
        if (current_ != nullptr) {
            auto from = std::find(list_.begin(), list_.end(), current_);
            for (++from; from != list_.end(); ++from)
                if (is_in(ready, *from))
                    return *from;
        }
        for (Entity* entity : list_) {
            if (is_in(ready, entity))
                return entity;
            if (entity == current_)
                break;
        }
        return nullptr;
    }
    void picked(Entity* entity) override { current_ = entity; }

  private:
    std::vector<Entity*> list_;
    Entity* current_ = nullptr;
};

/// drm_sched_rq_update_fifo_locked and drm_sched_rq_select_entity_fifo.
class FifoWalk final : public Walk {
  public:
    void add(Entity*) override {}
    void remove(Entity* entity) override {
        std::erase_if(tree_, [&](const Node& node) { return node.entity == entity; });
    }
    void update(Entity* entity, sim::Time key) override {
        remove(entity);
        const auto right = std::find_if(tree_.begin(), tree_.end(),
                                        [&](const Node& node) { return key < node.key; });
        tree_.insert(right, {key, entity});
    }
    Entity* first(const std::vector<Entity*>& ready) override {
        for (const Node& node : tree_)
            if (is_in(ready, node.entity))
                return node.entity;
        return nullptr;
    }
    void picked(Entity*) override {}

  private:
    struct Node {
        sim::Time key;
        Entity* entity;
    };
    std::vector<Node> tree_;
};

class Duel {
  public:
    Duel(Policy policy, std::uint64_t seed, std::size_t entities)
        : random_(seed), entities_(entities),
          subject_(policy == Policy::rr ? make_rr_policy(ready_queues_, kBit)
                                        : make_fifo_policy(ready_queues_, kBit)) {
        if (policy == Policy::rr)
            reference_ = std::make_unique<RoundRobinWalk>();
        else
            reference_ = std::make_unique<FifoWalk>();
    }

    void play(int steps) {
        for (int step = 0; step < steps; ++step) {
            operate();
            Entity* const expected = reference_->first(ready_);
            ASSERT_EQ(subject_->first_ready(), expected) << "step " << step;
            ASSERT_EQ(subject_->first_ready(), expected) << "looking changes nothing";
            ASSERT_EQ(ready_queues_ & kBit, ready_.empty() ? 0 : kBit) << "step " << step;
            ASSERT_EQ(ready_queues_ & ~kBit, kOthers);
            if (expected != nullptr && random_.next() % 3 == 0) {
                subject_->picked(*expected);
                reference_->picked(expected);
            }
        }
    }

  private:
    static constexpr std::uint32_t kBit = 4;
    static constexpr std::uint32_t kOthers = 0b1010;

    void operate() {
        Entity& entity = entities_[random_.next() % entities_.size()];
        now_ += random_.next() % 2; // many equal keys
        if (!entity.node.listed) {
            subject_->add(entity);
            reference_->add(&entity);
            update(entity, now_);
            set_ready(entity, true);
            return;
        }
        switch (random_.next() % 12) {
        case 0:
            subject_->remove(entity);
            reference_->remove(&entity);
            std::erase(ready_, &entity);
            break;
        case 1:
        case 2:
        case 3:
        case 4:
            set_ready(entity, !entity.node.ready);
            break;
        case 5:
            set_ready(entity, entity.node.ready); // saying it twice changes nothing
            break;
        case 6:
            update(entity, now_ - std::min<sim::Time>(now_, random_.next() % 20));
            break;
        default: // the head job goes; the next one was pushed later
            update(entity, now_);
        }
    }
    void update(Entity& entity, sim::Time key) {
        subject_->requeue(entity, key);
        reference_->update(&entity, key);
    }
    void set_ready(Entity& entity, bool ready) {
        subject_->set_ready(entity, ready);
        std::erase(ready_, &entity);
        if (ready)
            ready_.push_back(&entity);
    }

    sim::Random random_;
    std::vector<Entity> entities_;
    std::vector<Entity*> ready_;
    std::uint32_t ready_queues_ = kOthers;
    std::unique_ptr<RunQueuePolicy> subject_;
    std::unique_ptr<Walk> reference_;
    sim::Time now_ = 0;
};

class PolicyDuel : public testing::TestWithParam<std::tuple<Policy, std::size_t>> {};

TEST_P(PolicyDuel, AgreesWithTheKernelsWalk) {
    const auto [policy, entities] = GetParam();
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        Duel duel(policy, seed, entities);
        duel.play(4000);
        ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PolicyDuel,
    testing::Combine(testing::Values(Policy::fifo, Policy::rr),
                     testing::Values(std::size_t{1}, std::size_t{2}, std::size_t{5},
                                     std::size_t{30}, std::size_t{150})),
    [](const auto& info) {
        return std::string(std::get<0>(info.param) == Policy::fifo ? "Fifo" : "RoundRobin") +
               std::to_string(std::get<1>(info.param));
    });

// Entities far beyond one word of the ready set, most of them idle.
TEST(RoundRobinPolicy, FindsReadyEntitiesFarApart) {
    constexpr std::size_t kCount = 10'000;
    std::uint32_t ready_queues = 0;
    std::vector<Entity> entities(kCount);
    const auto policy = make_rr_policy(ready_queues, 1);
    for (Entity& entity : entities)
        policy->add(entity);
    EXPECT_EQ(policy->first_ready(), nullptr);
    const std::vector<std::size_t> ready{3, 63, 64, 4095, 4096, 9999};
    for (const std::size_t index : ready)
        policy->set_ready(entities[index], true);
    for (int round = 0; round < 3; ++round)
        for (const std::size_t index : ready) {
            ASSERT_EQ(policy->first_ready(), &entities[index]);
            policy->picked(entities[index]);
        }
    for (const std::size_t index : ready)
        policy->set_ready(entities[index], false);
    EXPECT_EQ(policy->first_ready(), nullptr);
    EXPECT_EQ(ready_queues, 0u);
}

// Joining and leaving for ever keeps the order of those that stay.
TEST(RoundRobinPolicy, KeepsItsOrderWhileOthersComeAndGo) {
    std::uint32_t ready_queues = 0;
    std::vector<Entity> lasting(3);
    std::vector<Entity> passing(100);
    const auto policy = make_rr_policy(ready_queues, 1);
    std::size_t next = 0;
    for (Entity& entity : lasting) {
        policy->add(entity);
        policy->set_ready(entity, true);
    }
    for (int round = 0; round < 200; ++round) {
        for (Entity& entity : passing)
            policy->add(entity);
        ASSERT_EQ(policy->first_ready(), &lasting[next]) << round;
        policy->picked(lasting[next]);
        next = (next + 1) % lasting.size();
        for (Entity& entity : passing)
            policy->remove(entity);
    }
}

} // namespace
} // namespace fenceline::scheduler
