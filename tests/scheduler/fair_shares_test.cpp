// What mainline's fair comes to: shares of GPU time, the figures that were measured with the kernel's
// own code, where it fails, and what holds for every workload.
#include "fair_fixture.hpp"
#include "sim/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace fenceline::scheduler {
namespace {

using namespace testing_support;
using sim::kMicrosecond;
using sim::kMillisecond;

constexpr FairRules kMonotonic{.monotonic_minimum = true};

// --- saturated clients -----------------------------------------------------------------------------

// Jobs of 1 ms against jobs of 0.1 ms, both always queued, credit limit 1; jobs done by 150 ms.
struct LongAgainstShort : testing::TestWithParam<std::tuple<SchedulerArgs, double, double>> {};

TEST_P(LongAgainstShort, SharesOfTheFirst150Milliseconds) {
    const auto& [args, long_ms, short_ms] = GetParam();
    FairWorld world(args);
    const EntityRef lengthy = world.client("long");
    const EntityRef brief = world.client("short");
    world.push_many(lengthy, 0, 200, kMillisecond);
    world.push_many(brief, 1000, 2000, 100 * kMicrosecond);
    world.run(160 * kMillisecond);
    EXPECT_NEAR(world.done_ms(lengthy, 150 * kMillisecond), long_ms, 1e-9);
    EXPECT_NEAR(world.done_ms(brief, 150 * kMillisecond), short_ms, 1e-9);
}
INSTANTIATE_TEST_SUITE_P(Policies, LongAgainstShort,
                         testing::Values(std::tuple{fair(1), 75.0, 74.2},
                                         std::tuple{fair(1, kMonotonic), 75.0, 74.2},
                                         std::tuple{with(Policy::fifo, 1), 136.0, 13.6},
                                         std::tuple{with(Policy::rr, 1), 136.0, 13.6},
                                         std::tuple{mainline(Policy::fifo, 1), 136.0, 13.6},
                                         std::tuple{mainline(Policy::rr, 1), 136.0, 13.6}));

// Jobs of 0.1 ms of all four priorities, always queued, credit limit 1; jobs done by 150 ms.
TEST(FairShares, ByPriorityInTheFirst150Milliseconds) {
    FairWorld world;
    std::vector<EntityRef> entities;
    for (std::uint8_t level = 0; level < kPriorityCount; ++level) {
        entities.push_back(world.client(std::to_string(level), static_cast<Priority>(level)));
        world.push_many(entities.back(), 10'000U * level, 1500, 100 * kMicrosecond);
    }
    world.run(160 * kMillisecond);
    const std::array expected{91.2, 45.7, 11.5, 1.6};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(world.done_ms(entities[i], 150 * kMillisecond), expected[i], 1e-9) << i;
}

// Over a long time the shares are as one over two to the shift: 64 : 32 : 8 : 1 of 105, however
// long the jobs are and however many there are at once.
TEST(FairShares, ByPriorityWhateverTheJobsAre) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        sim::Random random(seed);
        FairWorld world(fair(static_cast<std::uint32_t>(1 + random.next() % 3)));
        std::vector<EntityRef> entities;
        for (std::uint8_t level = 0; level < kPriorityCount; ++level)
            entities.push_back(world.client(std::to_string(level), static_cast<Priority>(level)));
        const sim::Time end = 400 * kMillisecond;
        std::uint64_t job = 0;
        for (const EntityRef entity : entities) {
            const std::uint64_t longest = (20 + random.next() % 200) * kMicrosecond;
            for (sim::Time queued = 0; queued < end; ++job) {
                const sim::Time duration = 1 + random.next() % longest;
                world.push(entity, job, {.duration = duration});
                queued += duration;
            }
        }
        world.run(end);
        const std::array weights{64.0, 32.0, 8.0, 1.0};
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double fair_ms = 400.0 * weights[i] / 105.0;
            EXPECT_NEAR(world.done_ms(entities[i], end), fair_ms, 0.5 + fair_ms * 0.01)
                << "seed " << seed << ", priority " << i;
        }
    }
}

// 125 jobs of 8 ms, normal and low. Normal gets 8 of 9 parts until it is through, at about 1125 ms.
// Under fifo the low client starts when the normal one is done.
TEST(FairShares, ALowClientIsNotStarved) {
    const auto first_and_last = [](const SchedulerArgs& args) {
        FairWorld world(args);
        world.push_many(world.client("normal"), 0, 125, 8 * kMillisecond);
        world.push_many(world.client("low", Priority::low), 1000, 125, 8 * kMillisecond);
        world.run();
        return std::array{world.log.when(JobEvent::run_job, 1000),
                          world.log.when(JobEvent::finished, 124),
                          world.log.when(JobEvent::finished, 1124)};
    };
    const auto fifo = first_and_last(with(Policy::fifo, 1));
    EXPECT_EQ(fifo, (std::array{1000 * kMillisecond, 1000 * kMillisecond, 2000 * kMillisecond}));
    const auto fair_times = first_and_last(fair(1));
    EXPECT_LE(fair_times[0], 16 * kMillisecond);
    EXPECT_NEAR(static_cast<double>(fair_times[1]) / 1e6, 1125.0, 16.0);
    EXPECT_EQ(fair_times[2], 2000 * kMillisecond);
}

// Batches of four jobs of 50 ms against a frame of 1 ms every 20 ms. Under fifo a frame waits for
// the whole batch that was there before it; under fair for what is on the ring and, when the frames
// are charged for what they have had, one more.
TEST(FairShares, AFrameWaitsForTwoJobsOfAHogAtMost) {
    const auto worst_wait_ms = [](const SchedulerArgs& args) {
        FairWorld world(args);
        const EntityRef hog = world.client("hog");
        const EntityRef frames = world.client("frames");
        for (std::uint64_t batch = 0; batch < 5; ++batch)
            world.at(batch * 220 * kMillisecond,
                     [&, batch] { world.push_many(hog, batch * 4, 4, 50 * kMillisecond); });
        for (std::uint64_t frame = 0; frame < 55; ++frame)
            world.at(frame * 20 * kMillisecond + 1,
                     [&, frame] { world.push(frames, 1000 + frame, {.duration = kMillisecond}); });
        world.run();
        sim::Time worst = 0;
        for (std::uint64_t frame = 1000; frame < 1055; ++frame)
            worst = std::max(worst, world.log.when(JobEvent::run_job, frame) -
                                        world.log.when(JobEvent::queue, frame));
        return static_cast<double>(worst) / 1e6;
    };
    EXPECT_GE(worst_wait_ms(with(Policy::fifo, 1)), 150.0);
    EXPECT_LE(worst_wait_ms(fair(1)), 105.0);
}

// --- where it fails ----------------------------------------------------------------------------------

// One job at a time, pushed again as it finishes: never a job behind the one that is popped, so it
// is never charged. Its jobs are longer than the average, so it comes back 1 ns behind the client
// that always has jobs of 1 ms queued; that one gets one job, is charged for the one before, and has
// to wait again.
struct NeverCharged : testing::TestWithParam<FairRules> {};

TEST_P(NeverCharged, AShallowHogTakesTenOfElevenParts) {
    FairWorld world(fair(1, GetParam()));
    const EntityRef backlogged = world.client("backlogged");
    const EntityRef shallow = world.client("shallow");
    world.push_many(backlogged, 0, 1000, kMillisecond);
    ShallowClients clients(world, 550 * kMillisecond);
    world.at(1, [&] { clients.add(shallow, 10 * kMillisecond); });
    world.run(550 * kMillisecond);
    EXPECT_NEAR(world.done_ms(shallow, 550 * kMillisecond), 500.0, 15.0);
    EXPECT_NEAR(world.done_ms(backlogged, 550 * kMillisecond), 50.0, 5.0);
    EXPECT_EQ(world.stats(shallow).prev_runtime, 0) << "nothing of it ever became virtual";
    EXPECT_GE(world.stats(shallow).runtime, 480 * static_cast<SignedTime>(kMillisecond));
}

// Had it been there at the start, nobody else would have got anything: while only its own jobs make
// the average, they are not longer than the average, and it comes back in front.
TEST_P(NeverCharged, AShallowHogThatCameFirstTakesAll) {
    FairWorld world(fair(1, GetParam()));
    const EntityRef backlogged = world.client("backlogged");
    world.push_many(backlogged, 0, 1000, kMillisecond);
    ShallowClients clients(world, 550 * kMillisecond);
    clients.add(world.client("shallow"), 10 * kMillisecond);
    world.run(550 * kMillisecond);
    EXPECT_EQ(world.done_ms(backlogged, 550 * kMillisecond), 0.0);
}

// The same with short jobs: it comes back in front, and the other one gets nothing more at all.
TEST_P(NeverCharged, AShallowClientOfShortJobsStopsEverybodyElse) {
    FairWorld world(fair(1, GetParam()));
    const EntityRef backlogged = world.client("backlogged");
    const EntityRef shallow = world.client("shallow");
    world.push_many(backlogged, 0, 1000, kMillisecond);
    ShallowClients clients(world, 500 * kMillisecond);
    world.at(1, [&] { clients.add(shallow, 100 * kMicrosecond); });
    world.run(500 * kMillisecond);
    EXPECT_LE(world.done_ms(backlogged, 500 * kMillisecond), 1.0);
    EXPECT_GE(world.done_ms(shallow, 500 * kMillisecond), 498.0);
    EXPECT_EQ(world.stats(shallow).prev_runtime, 0);
}
INSTANTIATE_TEST_SUITE_P(WithAndWithoutAMonotonicMinimum, NeverCharged,
                         testing::Values(FairRules{}, kMonotonic));

// Three equal clients with one job each. They joined at 0, -1 and -2, and whoever comes back joins
// one in front of the leftmost, whose place that was: the last to arrive runs for ever.
TEST(FairStarvation, AmongShallowClientsTheLastToArriveKeepsTheRing) {
    FairWorld world;
    const EntityRef a = world.client("a");
    const EntityRef b = world.client("b");
    const EntityRef c = world.client("c");
    ShallowClients clients(world, 300 * kMillisecond);
    for (const EntityRef entity : {a, b, c})
        clients.add(entity, kMillisecond);
    world.run(300 * kMillisecond);
    EXPECT_EQ(world.done_ms(a, 300 * kMillisecond), 0.0);
    EXPECT_EQ(world.done_ms(b, 300 * kMillisecond), 0.0);
    EXPECT_EQ(world.done_ms(c, 300 * kMillisecond), 300.0);
}

// With a minimum that never goes back everybody who comes back joins at the same place, 0 - 1, one
// behind the other. The one that found the tree empty is at 0 and still waits.
TEST(FairStarvation, AMonotonicMinimumLetsThoseWhoComeBackTakeTurns) {
    FairWorld world(fair(1, kMonotonic));
    const EntityRef a = world.client("a");
    const EntityRef b = world.client("b");
    const EntityRef c = world.client("c");
    ShallowClients clients(world, 300 * kMillisecond);
    for (const EntityRef entity : {a, b, c})
        clients.add(entity, kMillisecond);
    world.run(300 * kMillisecond);
    EXPECT_EQ(world.done_ms(a, 300 * kMillisecond), 0.0);
    EXPECT_EQ(world.done_ms(b, 300 * kMillisecond), 150.0);
    EXPECT_EQ(world.done_ms(c, 300 * kMillisecond), 150.0);
}

// --- the minimum, monotonic or not -------------------------------------------------------------------

// The client left alone at 160 us of virtual time, and the tree is empty. Mainline's minimum is 0
// again; a monotonic one stays.
TEST(FairMinimum, OfAnEmptyTree) {
    for (const auto& [rules, expected] :
         {std::pair{FairRules{}, SignedTime{0}}, std::pair{kMonotonic, SignedTime{160'000}}}) {
        FairWorld world(fair(1, rules));
        world.push_many(world.client("a"), 0, 3, 10'000);
        world.run();
        world.block(1000); // joins the empty tree, and leaves it
        world.at(30'001, [&, at = expected] {
            const EntityRef b = world.client("b");
            world.push(b, 10);
            EXPECT_EQ(world.vruntime(b), at);
        });
        world.run();
    }
}

// --- whatever the workload -----------------------------------------------------------------------------

struct RandomWorkload : testing::TestWithParam<Policy> {};

TEST_P(RandomWorkload, TheRingIsNeverIdleWithWorkQueuedAndCreditsAreNeverExceeded) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        sim::Random random(seed);
        const auto below = [&](std::uint64_t limit) { return random.next() % limit; };
        const auto limit = static_cast<std::uint32_t>(1 + below(4));
        FairWorld world(mainline(GetParam(), limit));
        std::vector<EntityRef> entities;
        for (std::uint64_t i = 0; i < 1 + below(6); ++i)
            entities.push_back(
                world.client(std::to_string(i), static_cast<Priority>(below(kPriorityCount))));
        std::map<std::uint64_t, std::uint32_t> credits;
        std::map<std::uint64_t, fences::FenceRef> fences_of;
        sim::Time now = 0;
        for (std::uint64_t job = 0; job < 60; ++job) {
            now += below(3) == 0 ? 0 : below(40) * 500;
            credits[job] = static_cast<std::uint32_t>(1 + below(limit));
            const EntityRef entity = entities[below(entities.size())];
            const sim::Time duration = below(4) == 0 ? 0 : below(60) * 500;
            const std::uint64_t after = below(3) == 0 && job != 0 ? below(job) : job;
            const auto level = static_cast<Priority>(below(kPriorityCount));
            world.at(now, [&, job, entity, duration, after, level] {
                if (job % 16 == 7)
                    world.gpu.entity_set_priority(entity, level);
                JobArgs args{.duration = duration, .credits = credits[job]};
                if (after != job && world.log.when(JobEvent::finished, after) == sim::kForever)
                    args.after = {fences_of[after]};
                fences_of[job] = world.push(entity, job, args);
            });
        }
        world.run();

        // The oldest job in all queues waits for nothing: what it depends on is older.
        std::size_t queued = 0;
        std::uint32_t in_use = 0;
        std::map<std::uint32_t, std::uint64_t> last; // by entity
        for (std::size_t i = 0; i < world.log.events.size(); ++i) {
            const LoggedEvent& event = world.log.events[i];
            switch (event.event) {
            case JobEvent::queue:
                ++queued;
                break;
            case JobEvent::run_job:
                --queued;
                in_use += credits[event.job];
                EXPECT_TRUE(!last.contains(event.entity) || last[event.entity] < event.job);
                last[event.entity] = event.job;
                break;
            case JobEvent::finished:
                in_use -= credits[event.job];
                break;
            default:
                break;
            }
            ASSERT_LE(in_use, limit) << "seed " << seed;
            const bool time_passes =
                i + 1 == world.log.events.size() || world.log.events[i + 1].time > event.time;
            ASSERT_FALSE(time_passes && queued != 0 && in_use == 0)
                << "seed " << seed << ": idle at " << event.time;
        }
        EXPECT_EQ(world.log.order(JobEvent::free_job).size(), 60U) << "seed " << seed;
        EXPECT_EQ(world.score(world.ring_ref),
                  static_cast<std::int32_t>(last.size())) // one for each entity on the list
            << "seed " << seed;
        EXPECT_TRUE(world.verdicts().empty());
    }
}
INSTANTIATE_TEST_SUITE_P(Policies, RandomWorkload,
                         testing::Values(Policy::fifo, Policy::rr, Policy::fair));

} // namespace
} // namespace fenceline::scheduler
