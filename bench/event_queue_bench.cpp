// The HOLD model (pop the least entry, push it again at a later time) at a constant number of
// pending entries: the chosen queue beside the structures it was chosen over. Time per iteration is
// the time per event; bytes_per_event is given where the structure reports its memory.
#include "bench/event_queue_candidates.hpp"
#include "sim/event_queue.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace fenceline::bench {
namespace {

enum Increments { kExponential, kUniform, kBimodal, kEqual };

// Drawn beforehand: the generator would cost as much as the queue.
std::vector<Time> draw_increments(Increments kind) {
    std::mt19937_64 random(1);
    std::vector<Time> increments(std::size_t{1} << 20);
    for (Time& increment : increments) {
        switch (kind) {
        case kExponential:
            increment = static_cast<Time>(std::exponential_distribution<>(1e-6)(random));
            break;
        case kUniform:
            increment = random() % 2'000'000;
            break;
        case kBimodal:
            increment = random() % 10 ? random() % 1000 : random() % 1'000'000'000;
            break;
        case kEqual:
            increment = 0;
            break;
        }
    }
    return increments;
}

template <typename Queue, Increments kind>
void hold(benchmark::State& state) {
    const std::vector<Time> increments = draw_increments(kind);
    const auto pending = static_cast<std::uint64_t>(state.range(0));
    Queue queue;
    std::uint64_t seq = 0;
    const auto push = [&](Time now) {
        queue.push(now + increments[seq % increments.size()], seq, 0);
        ++seq;
    };
    while (seq < pending) {
        push(0);
    }
    // The stationary distribution differs from the initial one.
    for (std::uint64_t i = 0; i < 2 * pending; ++i) {
        push(queue.pop().time);
    }
    for (auto _ : state) {
        push(queue.pop().time);
    }
    state.SetItemsProcessed(state.iterations());
    if constexpr (requires { queue.memory_bytes(); }) {
        state.counters["bytes_per_event"] =
            static_cast<double>(queue.memory_bytes()) / static_cast<double>(pending);
    }
}

// A fixed number of iterations: finding one would repeat the set-up, which dominates at 10^7.
template <std::int64_t most>
void up_to(benchmark::internal::Benchmark* benchmark) {
    for (const std::int64_t pending : {1, 4, 16, 64, 1000, 100'000, 1'000'000, 10'000'000}) {
        if (pending <= most)
            benchmark->Arg(pending);
    }
    benchmark->Iterations(most > 1000 ? 10'000'000 : 1'000'000);
}

constexpr auto kAllSizes = up_to<10'000'000>;

BENCHMARK(hold<sim::EventQueue, kExponential>)->Apply(kAllSizes);
BENCHMARK(hold<StdPriorityQueue, kExponential>)->Apply(kAllSizes);
BENCHMARK(hold<DaryHeap<4>, kExponential>)->Apply(kAllSizes);
BENCHMARK(hold<DaryHeap<8>, kExponential>)->Apply(kAllSizes);
BENCHMARK(hold<CalendarQueue, kExponential>)->Apply(up_to<1'000'000>);

BENCHMARK(hold<sim::EventQueue, kUniform>)->Apply(kAllSizes);
BENCHMARK(hold<StdPriorityQueue, kUniform>)->Apply(kAllSizes);

// The calendar queue breaks down on clustered and on equal times: only sizes that end in time.
BENCHMARK(hold<sim::EventQueue, kBimodal>)->Apply(kAllSizes);
BENCHMARK(hold<StdPriorityQueue, kBimodal>)->Apply(kAllSizes);
BENCHMARK(hold<CalendarQueue, kBimodal>)->Apply(up_to<1000>);

BENCHMARK(hold<sim::EventQueue, kEqual>)->Apply(kAllSizes);
BENCHMARK(hold<StdPriorityQueue, kEqual>)->Apply(kAllSizes);
BENCHMARK(hold<CalendarQueue, kEqual>)->Apply(up_to<1000>);

} // namespace
} // namespace fenceline::bench

BENCHMARK_MAIN();
