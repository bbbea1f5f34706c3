// What the primitives of the simulated machine cost: changing stacks, entering contexts, blocking,
// posting and arming events, reaching objects by handle.
#include "sim/heap.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace fenceline;

namespace {

/// To a fiber and back: two changes of stacks.
void fiber_there_and_back(benchmark::State& state) {
    sim::StackPool pool;
    sim::Fiber* self = nullptr;
    bool end = false;
    sim::Fiber fiber(pool, [&] {
        while (!end)
            self->suspend();
    });
    self = &fiber;
    for (auto _ : state)
        fiber.resume();
    end = true;
    fiber.resume();
}
BENCHMARK(fiber_there_and_back);

/// Made, run to its end, destroyed; its stack comes from the pool.
void fiber_life(benchmark::State& state) {
    sim::StackPool pool;
    for (auto _ : state) {
        sim::Fiber fiber(pool, [] {});
        fiber.resume();
    }
}
BENCHMARK(fiber_life);

/// What may block gets a fiber, what cannot is entered as it is.
void enter_context(benchmark::State& state) {
    sim::Machine machine;
    sim::Context context(sim::ContextKind::worker, "worker", machine.next_context_id());
    std::uint64_t runs = 0;
    for (auto _ : state)
        machine.enter(context, state.range(0) != 0, [&runs] { ++runs; });
    benchmark::DoNotOptimize(runs);
}
BENCHMARK(enter_context)->ArgName("may_block")->Arg(0)->Arg(1);

/// A task that sleeps and is woken by a timer.
void sleep_and_wake(benchmark::State& state) {
    sim::Machine machine;
    bool end = false;
    machine.start_task("sleeper", [&] {
        while (!end)
            machine.sleep_until(machine.now() + 100, "a nap");
    });
    // Two events each: the timer and the wake-up that it causes.
    for (auto _ : state)
        machine.engine.run(nullptr, 2);
    end = true;
    machine.engine.run(nullptr, 4);
    machine.abandon_blocked();
}
BENCHMARK(sleep_and_wake);

void count(void* self, std::uint64_t arg) {
    *static_cast<std::uint64_t*>(self) += arg;
}

constexpr int kBatch = 64;

void post_event(benchmark::State& state) {
    sim::Engine engine;
    std::uint64_t sum = 0;
    while (state.KeepRunningBatch(kBatch)) {
        for (int i = 0; i < kBatch; ++i)
            engine.post(count, &sum, 1);
        engine.run(nullptr, ~std::uint64_t{0});
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(post_event);

void arm_timer(benchmark::State& state) {
    sim::Engine engine;
    std::uint64_t sum = 0;
    while (state.KeepRunningBatch(kBatch)) {
        for (int i = 0; i < kBatch; ++i)
            engine.arm(engine.now() + 1 + static_cast<sim::Time>(i * 7919 % kBatch), count, &sum,
                       1);
        engine.run(nullptr, ~std::uint64_t{0});
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(arm_timer);

void rcu_callback(benchmark::State& state) {
    sim::Machine machine;
    sim::Rcu rcu(machine);
    std::uint64_t sum = 0;
    while (state.KeepRunningBatch(kBatch)) {
        for (int i = 0; i < kBatch; ++i)
            rcu.call(count, &sum, 1);
        machine.engine.run(nullptr, ~std::uint64_t{0});
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(rcu_callback);

struct Object {
    std::uint64_t value[8] = {};
};
using Objects = sim::Pool<Object>;

void object_life(benchmark::State& state) {
    sim::Machine machine;
    Objects objects(machine, "object", [](const Object&) { return std::string("object"); });
    for (auto _ : state)
        objects.free(objects.alloc());
}
BENCHMARK(object_life);

/// A checked access; the build without checks (FENCELINE_UNCHECKED) shows what the check costs.
void object_access(benchmark::State& state) {
    sim::Machine machine;
    Objects objects(machine, "object", [](const Object&) { return std::string("object"); });
    std::vector<sim::Handle<Object>> handles;
    for (int i = 0; i < kBatch; ++i)
        handles.push_back(objects.alloc());
    while (state.KeepRunningBatch(kBatch))
        for (const sim::Handle<Object> handle : handles)
            benchmark::DoNotOptimize(++objects.get(handle, "value").value[0]);
}
BENCHMARK(object_access);

} // namespace

BENCHMARK_MAIN();
