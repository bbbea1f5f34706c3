// HOLD and the closed network on ns-3's simulator, and HOLD on its event schedulers alone:
//
//     ns3_model hold|queue PENDING EVENTS SCHEDULER, ns3_model network COMPLETIONS SCHEDULER
//
// where SCHEDULER is Map (ns-3's default), Heap, PriorityQueue, Calendar or List.
#include "bench/draws.hpp"

#include <ns3/core-module.h>

#include <cstdint>
#include <string>

using namespace fenceline::bench;

namespace {

ns3::ObjectFactory factory_of(const Task& task) {
    ns3::ObjectFactory factory;
    factory.SetTypeId("ns3::" + (task.variant.empty() ? "Map" : task.variant) + "Scheduler");
    return factory;
}

std::uint64_t now() {
    return static_cast<std::uint64_t>(ns3::Simulator::Now().GetNanoSeconds());
}
ns3::Time after(std::uint64_t delay) {
    return ns3::NanoSeconds(delay);
}

class Hold {
  public:
    Hold(std::uint64_t pending, std::uint64_t events)
        : meter_(hold_meter(pending, events)), draws_(hold_draws()) {
        while (pending-- > 0)
            arm();
    }
    void print() const { meter_.print(); }

  private:
    void arm() { ns3::Simulator::Schedule(after(draws_.next()), &Hold::fire, this); }
    void fire() {
        arm();
        if (meter_.count(now()))
            ns3::Simulator::Stop();
    }

    Meter meter_;
    Draws draws_;
};

class Rings {
    auto arm() {
        return [this](std::uint32_t ring, std::uint64_t delay) {
            ns3::Simulator::Schedule(after(delay), &Rings::complete, this, ring);
        };
    }

  public:
    explicit Rings(std::uint64_t completions) : meter_(network_meter(completions)) {
        network_.begin(arm());
    }
    void print() const { meter_.print(); }

  private:
    void complete(std::uint32_t ring) {
        network_.complete(ring, arm());
        if (meter_.count(now()))
            ns3::Simulator::Stop();
    }

    Meter meter_;
    Network network_;
};

void hold_queue(const Task& task) {
    const auto queue = factory_of(task).Create<ns3::Scheduler>();
    Meter meter = hold_meter(task.pending, task.events);
    Draws draws = hold_draws();
    std::uint32_t uid = 0;
    const auto push = [&](std::uint64_t time) { queue->Insert({nullptr, {time, ++uid, 0}}); };
    for (std::uint64_t i = 0; i < task.pending; ++i)
        push(draws.next());
    for (bool last = false; !last;) {
        const std::uint64_t time = queue->RemoveNext().key.m_ts;
        push(time + draws.next());
        last = meter.count(time);
    }
    meter.print();
}

template <class Model>
void simulate(Model&& model) {
    ns3::Simulator::Run();
    model.print();
}

} // namespace

int main(int argc, char** argv) {
    const Task task = parse_task(argc, argv);
    if (task.model == "queue") {
        hold_queue(task);
        return 0;
    }
    ns3::Simulator::SetScheduler(factory_of(task));
    if (task.model == "hold")
        simulate(Hold(task.pending, task.events));
    else if (task.model == "network")
        simulate(Rings(task.events));
    else
        unknown(task.model);
    std::fflush(stdout);
    std::_Exit(0); // what is pending need not be taken apart
}
