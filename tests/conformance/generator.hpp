// Random workloads from a seed: the same on every platform, small enough to be read when they
// fail, and crowded enough to meet the corners (ties, empty queues, full rings, head-of-line
// blocking). Plain ones end normally on every correct scheduler.
#pragma once

#include "workload.hpp"

#include <cstdint>

namespace conformance {

struct GeneratorOptions {
    bool kinds = false; // also jobs whose run_job returns no fence, an error, a signalled fence
    bool via = false;   // also dependencies through containers
    bool hangs = false; // also jobs that hang, on rings with a timeout and a reset
    bool rough = false; // also timed actions on entities, and runs cut short
};

Workload generate(std::uint64_t seed, const GeneratorOptions& options = {});

// SplitMix64.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    // From 0 to limit - 1; and from low to high.
    std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>(next() % limit); }
    std::uint32_t within(std::uint32_t low, std::uint32_t high) {
        return low + below(std::uint64_t{high} - low + 1);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }

  private:
    std::uint64_t state_;
};

} // namespace conformance
