#include "sim/event_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace fenceline::sim {
namespace {

constexpr Time kMaxTime = std::numeric_limits<Time>::max();
constexpr std::uint64_t kMaxSeq = (std::uint64_t{1} << EventQueue::kSeqBits) - 1;
constexpr EventQueue::Payload kMaxPayload = (1u << EventQueue::kPayloadBits) - 1;

using Random = std::mt19937_64;
using Triple = std::tuple<Time, std::uint64_t, EventQueue::Payload>;

Triple triple(const EventQueue::Entry& entry) {
    return {entry.time, entry.seq(), entry.payload()};
}

std::vector<Triple> drain(EventQueue& queue) {
    std::vector<Triple> popped;
    while (!queue.empty()) {
        popped.push_back(triple(queue.pop()));
    }
    return popped;
}

// The queue beside a sorted set: every answer must agree.
class Checked {
  public:
    void push(Time time) { push(time, next_seq_++); }
    void push(Time time, std::uint64_t seq) {
        const auto payload = static_cast<EventQueue::Payload>((time * 31 + seq) & kMaxPayload);
        queue_.push(time, seq, payload);
        reference_.emplace(time, seq, payload);
        ASSERT_EQ(queue_.size(), reference_.size());
    }
    void peek() {
        ASSERT_EQ(triple(queue_.top()), *reference_.begin());
        ASSERT_EQ(queue_.next_time(), std::get<0>(*reference_.begin()));
    }
    void pop() {
        const Triple least = triple(queue_.pop());
        ASSERT_EQ(least, *reference_.begin());
        reference_.erase(reference_.begin());
        ASSERT_EQ(queue_.empty(), reference_.empty());
        now_ = std::get<0>(least);
    }
    void drain() {
        while (!reference_.empty()) {
            ASSERT_NO_FATAL_FAILURE(pop());
        }
    }
    void clear() {
        queue_.clear();
        reference_.clear();
        now_ = 0;
    }
    Time now() const { return now_; }
    std::size_t size() const { return reference_.size(); }

  private:
    EventQueue queue_;
    std::set<Triple> reference_;
    std::uint64_t next_seq_ = 0;
    Time now_ = 0;
};

TEST(EventQueue, StartsEmpty) {
    EventQueue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0u);
}

TEST(EventQueue, EntryCarriesSeqAndPayloadInSixteenBytes) {
    EXPECT_EQ(sizeof(EventQueue::Entry), 16u);
    EventQueue queue;
    queue.push(5, kMaxSeq, 0);
    queue.push(6, 0, kMaxPayload);
    EXPECT_EQ(triple(queue.pop()), Triple(5, kMaxSeq, 0));
    EXPECT_EQ(triple(queue.pop()), Triple(6, 0, kMaxPayload));
}

TEST(EventQueue, TopIsWhatPopReturns) {
    EventQueue queue;
    queue.push(9, 0, 1);
    queue.push(3, 1, 2);
    EXPECT_EQ(queue.next_time(), 3u);
    EXPECT_EQ(triple(queue.top()), Triple(3, 1, 2));
    EXPECT_EQ(queue.size(), 2u);
    EXPECT_EQ(triple(queue.pop()), Triple(3, 1, 2));
    EXPECT_EQ(queue.next_time(), 9u);
}

// What first() says without looking further than the window: the earliest entry, or a time that no
// entry is before.
TEST(EventQueue, FirstIsTheEarliestOrABoundOnIt) {
    EventQueue queue;
    EXPECT_EQ(queue.first().time, kForever);
    EXPECT_EQ(queue.first().seq_payload, 0u);
    Random random(7);
    for (std::uint64_t seq = 1; seq <= 500; ++seq)
        queue.push(1000 + random() % 1000, seq, 1);
    int out_of_sight = 0;
    while (!queue.empty()) {
        const EventQueue::Entry first = queue.first();
        if (first.seq_payload == 0) {
            ++out_of_sight;
            EXPECT_GE(first.time, 1000u);
            queue.fetch();
            EXPECT_LE(first.time, queue.first().time);
        } else {
            EXPECT_EQ(triple(first), triple(queue.top()));
        }
        ASSERT_NE(queue.first().seq_payload, 0u);
        queue.drop_first();
    }
    EXPECT_GT(out_of_sight, 3);
    queue.fetch();
    EXPECT_EQ(queue.first().time, kForever);
}

TEST(EventQueue, TakesFirstOnlyWhatIsBeforeEverythingPending) {
    EventQueue queue;
    EXPECT_TRUE(queue.takes_first(100));
    queue.push(100, 1, 1);
    EXPECT_FALSE(queue.takes_first(100));
    EXPECT_TRUE(queue.takes_first(99));
    for (std::uint64_t seq = 2; seq <= 48; ++seq)
        queue.push(101 - seq, seq, 1);
    EXPECT_FALSE(queue.takes_first(1)); // the window is full
    queue.push(1, 49, 1);
    EXPECT_EQ(queue.pop().seq(), 49u);
}

TEST(EventQueue, PopsTiesInSeqOrderWhateverThePushOrder) {
    for (const std::uint64_t count : {2u, 48u, 49u, 1000u, 100'000u}) {
        std::vector<std::uint64_t> seqs(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            seqs[i] = i * 7;
        }
        std::vector<std::uint64_t> shuffled = seqs;
        std::shuffle(shuffled.begin(), shuffled.end(), Random(count));
        EventQueue queue;
        for (const std::uint64_t seq : shuffled) {
            queue.push(42, seq, static_cast<EventQueue::Payload>(count - seq / 7));
        }
        for (const std::uint64_t seq : seqs) {
            ASSERT_EQ(queue.pop().seq(), seq) << count;
        }
    }
}

TEST(EventQueue, PayloadDoesNotDecideTheOrder) {
    EventQueue queue;
    queue.push(1, 1, 0);
    queue.push(1, 0, kMaxPayload);
    EXPECT_EQ(queue.pop().seq(), 0u);
    EXPECT_EQ(queue.pop().seq(), 1u);
}

TEST(EventQueue, OrdersExtremeTimesSeqsAndPayloads) {
    std::vector<Triple> expected;
    for (unsigned bit = 0; bit < 64; ++bit) {
        for (const Time time : {(Time{1} << bit) - 1, Time{1} << bit, ~(Time{1} << bit)}) {
            expected.emplace_back(time, expected.size(), kMaxPayload);
            expected.emplace_back(time, kMaxSeq - expected.size(), 0);
        }
    }
    expected.emplace_back(0, kMaxSeq, kMaxPayload);
    expected.emplace_back(kMaxTime, kMaxSeq, kMaxPayload);
    EventQueue queue;
    for (const auto& [time, seq, payload] : expected) {
        queue.push(time, seq, payload);
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(drain(queue), expected);
}

TEST(EventQueue, PushesAtTheLastPoppedTimeWithAnOlderSeqComeFirst) {
    Checked checked;
    for (std::uint64_t seq = 10'000; seq < 10'500; ++seq) {
        checked.push(7, seq);
    }
    for (std::uint64_t seq = 300; seq-- > 0;) {
        checked.pop();
        checked.push(7, seq);
        if (seq % 3 == 0) {
            checked.push(7, 20'000 + seq);
        }
    }
    checked.drain();
}

TEST(EventQueue, PushesIntoAGapThatWasLookedAcrossAreOrdered) {
    // Looking at the next entry commits the structure to it; all that is pushed then is below.
    Random random(1);
    Checked checked;
    for (int i = 0; i < 5000; ++i) {
        checked.push(kMaxTime / 2 + random() % 1000);
    }
    for (int round = 0; round < 20; ++round) {
        checked.peek();
        const Time gap = kMaxTime / 2 - checked.now();
        for (int i = 0; i < 500; ++i) {
            checked.push(checked.now() + random() % (gap / 4));
            if (i % 5 == 0) {
                checked.peek();
            }
        }
        for (int i = 0; i < (round % 4 == 3 ? 900 : 480); ++i) {
            checked.pop();
        }
        ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    checked.drain();
}

TEST(EventQueue, PushesBeforeTheLastPoppedTimeAreStillOrdered) {
    Random random(2);
    Checked checked;
    for (int i = 0; i < 50'000; ++i) {
        checked.push(random() >> (random() % 64));
        if (random() % 3 == 0) {
            checked.pop();
        }
        ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    checked.drain();
}

struct Distribution {
    const char* name;
    std::function<Time(Random&)> increment;
};

class EventQueueHold : public testing::TestWithParam<Distribution> {};

// Holds with growing and shrinking phases, so that all transitions between sizes are met.
TEST_P(EventQueueHold, AgreesWithASortedReference) {
    for (const std::size_t target : {1u, 3u, 47u, 48u, 49u, 64u, 200u, 5000u}) {
        Random random(target);
        Checked checked;
        for (int step = 0; step < 40'000; ++step) {
            const bool shrinking = step / 10'000 % 2 == 1;
            const std::size_t goal = shrinking ? target / 8 : target;
            if (checked.size() > goal || (checked.size() == goal && goal > 0 && random() % 2)) {
                checked.pop();
            } else {
                const Time increment = GetParam().increment(random);
                checked.push(std::max(checked.now(), checked.now() + increment));
            }
            if (step % 7 == 0 && checked.size() > 0) {
                checked.peek();
            }
            ASSERT_FALSE(testing::Test::HasFatalFailure())
                << "target " << target << " step " << step;
        }
        checked.drain();
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "target " << target;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Distributions, EventQueueHold,
    testing::Values(
        Distribution{
            "Exponential",
            [](Random& r) { return static_cast<Time>(std::exponential_distribution<>(1e-6)(r)); }},
        Distribution{"Uniform", [](Random& r) { return r() % 2'000'000; }},
        Distribution{"AllEqual", [](Random&) { return Time{0}; }},
        Distribution{"Dense", [](Random& r) { return r() % 4; }},
        Distribution{"Bimodal",
                     [](Random& r) { return r() % 10 ? r() % 1000 : 1'000'000'000 + r() % 1000; }},
        Distribution{"Constant", [](Random&) { return Time{1'000'000}; }},
        Distribution{"EveryMagnitude", [](Random& r) { return (r() >> 4) >> (r() % 60); }},
        Distribution{"HugeGaps",
                     [](Random& r) { return r() % 1000 ? r() % 100 : (Time{1} << 63) - r() % 2; }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EventQueue, ClearDropsEverythingAndTimesMayStartAgain) {
    Random random(3);
    Checked checked;
    for (const std::size_t size : {10u, 60u, 20'000u, 20'000u, 5u}) {
        for (std::size_t i = 0; i < size; ++i) {
            checked.push(checked.now() + random() % 1'000'000);
        }
        for (std::size_t i = 0; i < size / 2; ++i) {
            checked.pop();
        }
        checked.clear();
        ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    checked.push(3);
    checked.push(1);
    checked.drain();
}

TEST(EventQueue, ClearKeepsMemoryForReuse) {
    EventQueue queue;
    std::size_t memory = 0;
    for (int round = 0; round < 3; ++round) {
        Random random(4);
        for (std::uint64_t seq = 0; seq < 50'000; ++seq) {
            queue.push(random() % 1'000'000, seq, 0);
        }
        if (round == 0) {
            memory = queue.memory_bytes();
        }
        EXPECT_EQ(queue.memory_bytes(), memory);
        queue.clear();
        EXPECT_TRUE(queue.empty());
        EXPECT_EQ(queue.memory_bytes(), memory);
    }
}

TEST(EventQueue, FortyEightPendingNeverAllocate) {
    EventQueue queue;
    Random random(5);
    std::uint64_t seq = 0;
    for (; seq < 48; ++seq) {
        queue.push(random() % 1000, seq, 0);
    }
    for (; seq < 10'000; ++seq) {
        queue.push(queue.pop().time + random() % 1000, seq, 0);
    }
    EXPECT_EQ(queue.memory_bytes(), sizeof(EventQueue));
}

class EventQueueMemory : public testing::TestWithParam<std::size_t> {};

TEST_P(EventQueueMemory, StaysWithinFortyEightBytesPerPendingEvent) {
    const std::size_t pending = GetParam();
    for (const Time spread : {Time{1}, Time{1000}, Time{100'000'000}, Time{1} << 62}) {
        EventQueue queue;
        Random random(6);
        std::uint64_t seq = 0;
        for (; seq < pending; ++seq) {
            queue.push(random() % spread, seq, 0);
        }
        std::size_t peak = queue.memory_bytes();
        for (std::size_t i = 0; i < pending; ++i) {
            const Time time = queue.pop().time;
            queue.push(std::max(time, time + random() % spread), seq++, 0);
            peak = std::max(peak, queue.memory_bytes());
        }
        EXPECT_LE(peak, 48 * pending) << "spread " << spread;
        RecordProperty("bytes_per_event_spread_" + std::to_string(spread),
                       std::to_string(static_cast<double>(peak) / static_cast<double>(pending)));
    }
}

INSTANTIATE_TEST_SUITE_P(Pending, EventQueueMemory, testing::Values(100'000u, 1'000'000u),
                         testing::PrintToStringParamName());

} // namespace
} // namespace fenceline::sim
