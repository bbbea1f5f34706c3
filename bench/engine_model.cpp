// HOLD and the closed network on our engine, and HOLD on the bare event queue and on the structures
// it was chosen over: see draws.hpp for the command line, with one model more:
//
//     engine_model queue PENDING EVENTS ours|std|4-ary|calendar
#include "bench/draws.hpp"
#include "bench/event_queue_candidates.hpp"
#include "sim/engine.hpp"

#include <cstdint>
#include <string>

using namespace fenceline;
using namespace fenceline::bench;

namespace {

class EngineHold {
  public:
    EngineHold(std::uint64_t pending, std::uint64_t events)
        : meter_(hold_meter(pending, events)), draws_(hold_draws()) {
        while (pending-- > 0)
            engine_.arm(draws_.next(), fire, this, 0);
    }
    void run() {
        engine_.run(nullptr, ~std::uint64_t{0});
        meter_.print();
    }

  private:
    static void fire(void* self, std::uint64_t) {
        auto& hold = *static_cast<EngineHold*>(self);
        sim::Engine& engine = hold.engine_;
        engine.arm(engine.now() + hold.draws_.next(), fire, self, 0);
        if (hold.meter_.count(engine.now()))
            engine.stop();
    }

    sim::Engine engine_;
    Meter meter_;
    Draws draws_;
};

class EngineNetwork {
    auto arm() {
        return [this](std::uint32_t ring, std::uint64_t delay) {
            engine_.arm(engine_.now() + delay, complete, this, ring);
        };
    }

  public:
    explicit EngineNetwork(std::uint64_t completions) : meter_(network_meter(completions)) {
        network_.begin(arm());
    }
    void run() {
        engine_.run(nullptr, ~std::uint64_t{0});
        meter_.print();
    }

  private:
    static void complete(void* self, std::uint64_t ring) {
        auto& model = *static_cast<EngineNetwork*>(self);
        model.network_.complete(static_cast<std::uint32_t>(ring), model.arm());
        if (model.meter_.count(model.engine_.now()))
            model.engine_.stop();
    }

    sim::Engine engine_;
    Meter meter_;
    Network network_;
};

template <class Queue>
void hold_queue(std::uint64_t pending, std::uint64_t events) {
    Meter meter = hold_meter(pending, events);
    Draws draws = hold_draws();
    Queue queue;
    std::uint64_t seq = 0;
    for (; seq < pending; ++seq)
        queue.push(draws.next(), seq, 0);
    for (bool last = false; !last; ++seq) {
        const Time now = queue.pop().time;
        queue.push(now + draws.next(), seq, 0);
        last = meter.count(now);
    }
    if constexpr (requires { queue.memory_bytes(); })
        meter.print(static_cast<double>(queue.memory_bytes()));
    else
        meter.print();
}

void hold_queue(const Task& task) {
    if (task.variant == "ours")
        hold_queue<sim::EventQueue>(task.pending, task.events);
    else if (task.variant == "std")
        hold_queue<StdPriorityQueue>(task.pending, task.events);
    else if (task.variant == "4-ary")
        hold_queue<DaryHeap<4>>(task.pending, task.events);
    else if (task.variant == "calendar")
        hold_queue<CalendarQueue>(task.pending, task.events);
    else
        unknown(task.variant);
}

} // namespace

int main(int argc, char** argv) {
    const Task task = parse_task(argc, argv);
    if (task.model == "queue")
        hold_queue(task);
    else if (task.model == "hold")
        EngineHold(task.pending, task.events).run();
    else if (task.model == "network")
        EngineNetwork(task.events).run();
    else
        unknown(task.model);
}
