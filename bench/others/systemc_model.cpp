// HOLD and the closed network on SystemC's kernel, as its users would write them: a process for each
// pending event that triggers itself again, and a process with an event for each ring.
#include "bench/draws.hpp"

#define SC_INCLUDE_DYNAMIC_PROCESSES // sc_spawn
#include <systemc>

#include <array>
#include <cstdint>

using namespace fenceline::bench;

namespace {

std::uint64_t now() {
    return sc_core::sc_time_stamp().value();
}
sc_core::sc_time after(std::uint64_t delay) {
    return sc_core::sc_time::from_value(delay);
}

class Hold {
  public:
    Hold(std::uint64_t pending, std::uint64_t events)
        // Each process runs once at the start, which is not an event of the model.
        : pending_(pending), meter_(hold_meter(pending, events)), draws_(hold_draws()) {
        sc_core::sc_spawn_options options;
        options.spawn_method();
        for (std::uint64_t i = 0; i < pending; ++i)
            sc_core::sc_spawn([this] { fire(); }, nullptr, &options);
    }
    void print() const { meter_.print(); }

  private:
    void fire() {
        sc_core::next_trigger(after(draws_.next()));
        if (started_ < pending_)
            ++started_;
        else if (meter_.count(now()))
            sc_core::sc_stop();
    }

    std::uint64_t pending_;
    std::uint64_t started_ = 0;
    Meter meter_;
    Draws draws_;
};

class Rings {
    auto arm() {
        return
            [this](std::uint32_t ring, std::uint64_t delay) { done_[ring].notify(after(delay)); };
    }

  public:
    explicit Rings(std::uint64_t completions) : meter_(network_meter(completions)) {
        for (std::uint32_t ring = 0; ring < Network::kRings; ++ring) {
            sc_core::sc_spawn_options options;
            options.spawn_method();
            options.dont_initialize();
            options.set_sensitivity(&done_[ring]);
            sc_core::sc_spawn([this, ring] { complete(ring); }, nullptr, &options);
        }
        network_.begin(arm());
    }
    void print() const { meter_.print(); }

  private:
    void complete(std::uint32_t ring) {
        network_.complete(ring, arm());
        if (meter_.count(now()))
            sc_core::sc_stop();
    }

    std::array<sc_core::sc_event, Network::kRings> done_;
    Meter meter_;
    Network network_;
};

template <class Model>
void simulate(Model&& model) {
    sc_core::sc_start();
    model.print();
}

} // namespace

int sc_main(int argc, char** argv) {
    const Task task = parse_task(argc, argv);
    sc_core::sc_set_time_resolution(1, sc_core::SC_NS);
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    if (task.model == "hold")
        simulate(Hold(task.pending, task.events));
    else if (task.model == "network")
        simulate(Rings(task.events));
    else
        unknown(task.model);
    std::fflush(stdout);
    std::_Exit(0); // what is pending need not be taken apart
}
