// The layout spike: what a job costs with the final handles, queues and event entries and nothing
// else.
//
// A million jobs go through the path that every replay takes (push, choose, run, complete, free),
// on the real engine, pools and sizes, but without the model's primitives: no locks, no reference
// counts, no callbacks. It is the floor under the model's cost, and is there to be run under
// callgrind:
//
//     valgrind --tool=callgrind build/release/bench/layout_spike 100000
//
// Every feature of the model adds to this; docs/performance.md keeps the account.

#include "fences/fence_core.hpp"
#include "scheduler/objects.hpp"
#include "sim/engine.hpp"
#include "sim/heap.hpp"
#include "sim/machine.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace fenceline;

namespace {

constexpr sim::Time kGap = 100;
constexpr sim::Time kDuration = 90;
constexpr std::uint32_t kEntities = 4;

class Spike final : public sim::InputSource {
  public:
    explicit Spike(std::uint64_t jobs)
        : remaining_(jobs), jobs_(machine_, "job", describe<scheduler::Job>),
          pairs_(machine_, "pair", describe<fences::SchedFence>),
          hardware_(machine_, "fence", describe<fences::HardwareFence>), queues_(kEntities) {}

    void run() {
        while (machine_.engine.run(this, ~std::uint64_t{0})) {
        }
    }
    sim::Time next_time() override { return remaining_ > 0 ? next_ : sim::kForever; }
    sim::Time fire() override {
        next_ += kGap;
        --remaining_;
        push();
        return next_time();
    }
    [[nodiscard]] std::uint64_t freed() const { return freed_; }

  private:
    template <class T>
    static std::string describe(const T&) {
        return {};
    }
    struct Queue {
        scheduler::JobRef head;
        scheduler::JobRef tail;
    };

    void push() {
        const scheduler::JobRef ref = jobs_.alloc();
        scheduler::Job& job = jobs_.at(ref.index());
        job.entity_index = static_cast<std::uint32_t>(remaining_) % kEntities;
        job.duration = kDuration;
        job.submit_ts = machine_.now();
        const auto pair = pairs_.alloc();
        job.s_fence = {fences::FencePart::finished, pair.index(), pair.generation()};
        Queue& queue = queues_[job.entity_index];
        if (queue.tail)
            jobs_.get(queue.tail).next = ref;
        else
            queue.head = ref;
        queue.tail = ref;
        machine_.engine.post(choose, this, job.entity_index);
    }
    static void choose(void* self, std::uint64_t index) {
        auto& spike = *static_cast<Spike*>(self);
        Queue& queue = spike.queues_[index];
        const scheduler::JobRef ref = queue.head;
        scheduler::Job& job = spike.jobs_.get(ref);
        queue.head = job.next;
        if (!queue.head)
            queue.tail = {};
        const auto fence = spike.hardware_.alloc();
        job.hardware = {fences::FencePart::hardware, fence.index(), fence.generation()};
        spike.machine_.engine.arm(spike.machine_.now() + job.duration, complete, self, ref.pack());
    }
    static void complete(void* self, std::uint64_t packed) {
        auto& spike = *static_cast<Spike*>(self);
        const scheduler::Job& job = spike.jobs_.get(scheduler::JobRef::unpack(packed));
        spike.hardware_.get({job.hardware.index(), job.hardware.generation()}).base.timestamp =
            spike.machine_.now();
        spike.pairs_.get({job.s_fence.index(), job.s_fence.generation()}).finished.timestamp =
            spike.machine_.now();
        spike.machine_.engine.post(free_job, self, packed);
    }
    static void free_job(void* self, std::uint64_t packed) {
        auto& spike = *static_cast<Spike*>(self);
        const scheduler::JobRef ref = scheduler::JobRef::unpack(packed);
        const scheduler::Job& job = spike.jobs_.get(ref);
        spike.hardware_.free({job.hardware.index(), job.hardware.generation()});
        spike.pairs_.free({job.s_fence.index(), job.s_fence.generation()});
        spike.jobs_.free(ref);
        ++spike.freed_;
    }

    std::uint64_t remaining_;
    std::uint64_t freed_ = 0;
    sim::Time next_ = 0;
    sim::Machine machine_;
    sim::Pool<scheduler::Job> jobs_;
    sim::Pool<fences::SchedFence> pairs_;
    sim::Pool<fences::HardwareFence> hardware_;
    std::vector<Queue> queues_;
};

} // namespace

int main(int argc, char** argv) {
    Spike spike(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000);
    spike.run();
    std::printf("%llu jobs\n", static_cast<unsigned long long>(spike.freed()));
}
