// A GPU ring: executes what run_job hands it, serially and in order.
//
// DOC: completion. When a job completes the ring first starts the next one, then the interrupt
// signals the finished job's hardware fence; with an interrupt latency the ring goes on at once and
// the interrupt comes later. Going on with a job of another entity costs a context switch. A job
// without end (kForever) occupies the ring until the run is over or the ring is reset.
//
// Ownership: the ring holds the driver's reference on each hardware fence from submit() until it
// has signalled. It keeps copies of what it needs to know, never the job: the scheduler may have
// forgotten it by then.
#pragma once

#include "fences/fence_core.hpp"
#include "scheduler/event_log.hpp"
#include "sim/machine.hpp"
#include "sim/wait.hpp"

#include <boost/circular_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

struct RingArgs {
    std::string name;
    std::uint32_t index = 0; ///< for the event log
    sim::Time context_switch = 0;
    sim::Time interrupt_latency = 0;
};

class GpuSched;
class RingDriver;

class Ring {
  public:
    struct Item {
        fences::FenceRef fence; ///< a hardware fence; the reference is the ring's from now on
        std::uint64_t job = 0;
        std::uint64_t ordinal = 0;
        std::uint32_t entity = 0;
        sim::Time duration = 0;
    };

    Ring(sim::Machine& machine, fences::FenceCore& core, const RingArgs& args);
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    void submit(const Item& item);
    /// A reset of the hardware: whatever is on the ring is forgotten, interrupts that were on their
    /// way included, and nothing signals for it.
    void clear();
    /// The same, but what was on it is the caller's now, references included, in its order.
    [[nodiscard]] std::vector<Item> take_all();
    /// Whoever had the right to signal these drops it: those that have not signalled, and are not on
    /// the ring again, signal with `error`. Gives the references back.
    void drop(const std::vector<Item>& items, std::int32_t error);
    [[nodiscard]] bool holds(fences::FenceRef fence) const;
    /// Takes one job off the ring, wherever it has got to: its fence signals with `error`, and the
    /// ring goes on with the next. Nothing happens when the job is not on the ring any more.
    void cancel(std::uint64_t ordinal, std::int32_t error);
    /// The job ends now: the one that executes completes at this instant, in a place taken now; one
    /// that waits its turn will take no time. Nothing happens when the job is not on the ring.
    void terminate(std::uint64_t ordinal);
    /// The same for the job that executes, if there is one.
    void terminate_current();

    /// Enters the ring into a snapshot, and the fences that it holds (snapshot.cpp).
    void enumerate(fences::SnapshotBuilder& out);

    [[nodiscard]] const std::string& name() const { return args_.name; }
    [[nodiscard]] std::size_t in_flight() const { return on_ring() + signalling_.size(); }
    /// Time in which a job was executing, switches included, up to now.
    [[nodiscard]] sim::Time busy_time() const;
    /// The sum over time of the number of jobs on the ring (nanoseconds times jobs), up to now.
    [[nodiscard]] double occupancy_time() const;
    [[nodiscard]] std::uint64_t context_switches() const { return switches_; }
    /// Time spent executing each entity's completed jobs, by entity index, without switches.
    [[nodiscard]] const std::vector<sim::Time>& gpu_time() const { return gpu_time_; }
    [[nodiscard]] std::uint64_t completed() const { return completed_; }

    EventSink* sink = nullptr; ///< hears of hw_done
    GpuSched* gpu = nullptr;   ///< whose jobs these are, where plain ones may complete in one step
    RingDriver* odd = nullptr; ///< whose interrupt handler has a quirk, if it has
    sim::WaitQueue drained;    ///< woken when the last job in flight has signalled

  private:
    __extension__ using Wide = unsigned __int128;

    /// The ticket tells its interrupt from those of jobs that were taken off the ring meanwhile.
    struct Completed {
        Item item;
        std::uint64_t ticket = 0;
    };

    [[nodiscard]] std::size_t on_ring() const { return waiting_.size() + (executing_ ? 1 : 0); }
    void start(const Item& item);
    void start_next() {
        executing_ = false;
        if (!waiting_.empty())
            start_waiting();
    }
    [[gnu::noinline]] void start_waiting();
    [[gnu::cold, gnu::noinline]] void add_entity(std::uint32_t entity) {
        gpu_time_.resize(entity + 1);
    }
    static void complete(void* self, std::uint64_t);
    static void interrupt(void* self, std::uint64_t ticket);
    void signal_from_interrupt(const Item& item);
    [[gnu::noinline]] void signal_in_steps(Item item);
    void signal(const Item& item);
    void account_occupancy();

    sim::Machine& machine_;
    fences::FenceCore& core_;
    RingArgs args_;
    sim::Context irq_;
    /// What executes, if anything does; beside it, while its event goes on, what has just ended.
    Item places_[2];
    Item* current_ = &places_[0];
    bool executing_ = false;
    boost::circular_buffer<Item> waiting_;         ///< for their turn, in order
    boost::circular_buffer<Completed> signalling_; ///< done, interrupt still to come
    std::uint64_t tickets_ = 0;
    sim::Timer timer_;        ///< of the job that executes
    sim::Time switching_ = 0; ///< what the switch to it costs
    sim::Time started_ = 0;
    sim::Time busy_ = 0;
    bool has_history_ = false;
    std::uint32_t last_entity_ = 0;
    std::uint64_t switches_ = 0;
    std::vector<sim::Time> gpu_time_;
    std::uint64_t completed_ = 0;
    sim::Time occupancy_at_ = 0;
    Wide occupancy_ = 0; ///< nanoseconds times jobs
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
