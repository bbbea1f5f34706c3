// The engine against a naive scheduler under random operations.
#include "sim/engine.hpp"
#include "sim/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

namespace fenceline::sim {
namespace {

/// Everything pending, by (time, class, place): what the rules say, and nothing else.
class Reference {
  public:
    using Key = std::tuple<Time, int, std::uint64_t>;

    void add(Time time, int order_class, std::uint64_t id) {
        const Key key{time, order_class, ++places_};
        pending_.emplace(key, id);
        keys_.emplace(id, key);
    }
    bool remove(std::uint64_t id) {
        const auto found = keys_.find(id);
        if (found == keys_.end())
            return false;
        pending_.erase(found->second);
        keys_.erase(found);
        return true;
    }
    std::pair<Time, std::uint64_t> pop() {
        const auto first = pending_.begin();
        const std::pair<Time, std::uint64_t> result{std::get<0>(first->first), first->second};
        keys_.erase(first->second);
        pending_.erase(first);
        return result;
    }
    [[nodiscard]] bool empty() const { return pending_.empty(); }
    [[nodiscard]] std::size_t size() const { return pending_.size(); }

  private:
    std::map<Key, std::uint64_t> pending_;
    std::map<std::uint64_t, Key> keys_;
    std::uint64_t places_ = 0;
};

class Duel final : public InputSource {
  public:
    explicit Duel(std::uint64_t seed) : random_(seed), spread_(1 + random_.next() % 40) {
        Time at = 0;
        for (int i = 0; i < 200; ++i) {
            at += random_.next() % (spread_ * 2);
            inputs_.push_back(at);
            reference_.add(at, 0, next_id_++);
        }
        for (std::uint64_t i = 0; i < 12; ++i)
            owned_.push_back(std::make_unique<Timer>(engine_, owned_fired, this, i));
        owned_ids_.resize(owned_.size(), kNotArmed);
        while (timers_.size() < 20)
            operate();
    }

    Time next_time() override {
        return next_input_ < inputs_.size() ? inputs_[next_input_] : kForever;
    }
    Time fire() override {
        happened(next_input_++);
        return next_time();
    }

    void play() {
        while (engine_.run(this, 1 + random_.next() % 50) && !testing::Test::HasFailure()) {
        }
        EXPECT_TRUE(reference_.empty());
        EXPECT_GT(happened_, 2000u);
    }

  private:
    struct OneShot {
        TimerHandle handle;
        std::uint64_t id;
    };

    void happened(std::uint64_t id) {
        ++happened_;
        ASSERT_FALSE(reference_.empty());
        const auto [time, expected] = reference_.pop();
        ASSERT_EQ(expected, id);
        ASSERT_EQ(time, engine_.now());
        const std::uint64_t operations = happened_ < 2500 ? random_.next() % 5 : 0;
        for (std::uint64_t i = 0; i < operations; ++i)
            operate();
    }

    Time some_time() {
        const std::uint64_t kind = random_.next() % 8;
        if (kind == 0)
            return engine_.now();
        if (kind == 1)
            return engine_.now() + random_.next() % (spread_ * 1000);
        return engine_.now() + random_.next() % spread_;
    }

    static constexpr std::uint64_t kNotArmed = ~std::uint64_t{0};

    static void owned_fired(void* self, std::uint64_t index) {
        auto& duel = *static_cast<Duel*>(self);
        duel.happened(duel.owned_ids_[index]);
    }

    /// Arms, cancels or replaces a timer that lives on.
    void operate_owned() {
        const std::uint64_t index = random_.next() % owned_.size();
        const bool armed = reference_.remove(owned_ids_[index]);
        owned_ids_[index] = kNotArmed;
        ASSERT_EQ(owned_[index]->armed(), armed);
        const std::uint64_t what = random_.next() % 8;
        if (what < 3) {
            ASSERT_EQ(owned_[index]->cancel(), armed);
        } else if (what < 4) {
            owned_[index].reset();
            owned_[index] = std::make_unique<Timer>(engine_, owned_fired, this, index);
        } else {
            const Time when = engine_.executed() > 0 ? some_time() : 1 + some_time();
            owned_ids_[index] = next_id_;
            reference_.add(when, 1, next_id_++);
            owned_[index]->arm(when);
        }
    }

    void operate() {
        const std::uint64_t what = random_.next() % 24;
        const auto fn = [](void* self, std::uint64_t id) {
            static_cast<Duel*>(self)->happened(id);
        };
        if (what < 4 && engine_.executed() > 0) { // before the run, only timers
            reference_.add(engine_.now(), 1, next_id_);
            engine_.post(fn, this, next_id_++);
        } else if (what >= 16) {
            operate_owned();
        } else if (what < 9 || timers_.empty()) {
            const Time when = engine_.executed() > 0 ? some_time() : 1 + some_time();
            reference_.add(when, 1, next_id_);
            timers_.push_back({engine_.arm(when, fn, this, next_id_), next_id_});
            ++next_id_;
        } else {
            // Any timer of the past or the future: stale handles take part.
            OneShot& timer = timers_[random_.next() % timers_.size()];
            const bool armed = reference_.remove(timer.id);
            ASSERT_EQ(engine_.armed(timer.handle), armed);
            if (what < 12) {
                ASSERT_EQ(engine_.cancel(timer.handle), armed);
                return;
            }
            const Time when = engine_.executed() > 0 ? some_time() : 1 + some_time();
            ASSERT_EQ(engine_.rearm(timer.handle, when), armed);
            if (armed)
                reference_.add(when, 1, timer.id);
        }
        if (timers_.size() > 400)
            timers_.erase(timers_.begin(), timers_.begin() + 200);
    }

    Engine engine_;
    Reference reference_;
    Random random_;
    Time spread_;
    std::vector<Time> inputs_;
    std::size_t next_input_ = 0;
    std::uint64_t next_id_ = 0;
    std::vector<OneShot> timers_;
    std::vector<std::unique_ptr<Timer>> owned_;
    std::vector<std::uint64_t> owned_ids_; ///< what each is in the reference
    std::uint64_t happened_ = 0;
};

class EngineRandom : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EngineRandom, AgreesWithANaiveScheduler) {
    for (std::uint64_t round = 0; round < 25; ++round) {
        Duel duel(GetParam() * 1000 + round);
        duel.play();
        ASSERT_FALSE(HasFailure()) << "seed " << GetParam() * 1000 + round;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineRandom, testing::Range<std::uint64_t>(0, 8));

} // namespace
} // namespace fenceline::sim
