// What programs that are compared have in common: the same random numbers, the same closed network,
// the same way to count and time events, and the line that they print.
//
// Ours and those of other simulators (bench/others) are built around this header, and
// bench/others/simpy_model.py repeats it in Python. All draw the same numbers in the same order, so
// all must end at the same virtual time: tools/bench makes sure of that before it compares speeds.
//
//     PROGRAM hold PENDING EVENTS [VARIANT]     pop the least event, arm one a random time later
//     PROGRAM network COMPLETIONS [VARIANT]     16 rings, 64 customers, see Network
//
// C++17: SystemC's library only works with programs in the dialect that it was built in.
#pragma once

#include "bench/peak_memory.hpp"
#include "sim/random.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace fenceline::bench {

/// Numbers drawn beforehand, because drawing would cost as much as what is measured; taken in turn.
class Draws {
  public:
    template <class Draw>
    Draws(std::uint64_t seed, Draw draw) : numbers_(kNumbers) {
        sim::Random random(seed);
        for (std::uint64_t& number : numbers_)
            number = draw(random);
    }
    std::uint64_t next() { return numbers_[next_++ % kNumbers]; }

  private:
    static constexpr std::size_t kNumbers = std::size_t{1} << 20;
    std::vector<std::uint64_t> numbers_;
    std::size_t next_ = 0;
};

/// Exponential times in nanoseconds.
inline Draws exponential_draws(double mean) {
    return {1, [mean](sim::Random& random) {
                return static_cast<std::uint64_t>(-std::log(1.0 - random.unit()) * mean);
            }};
}

/// Counts events, and times those after the warm-up.
class Meter {
  public:
    Meter(std::uint64_t warm_up, std::uint64_t events)
        : warm_up_(warm_up), last_(warm_up + events) {}

    /// One event at virtual time `now`; true when it was the last. REQUIRES: false so far.
    bool count(std::uint64_t now) {
        ++count_;
        if (count_ == warm_up_)
            start_ = Clock::now();
        if (count_ != last_)
            return false;
        seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
        end_ = now;
        return true;
    }
    void print(double bytes = 0) const {
        std::printf(R"({"events":%llu,"seconds":%.9f,"end":%llu,"bytes":%.0f,"peak_kb":%llu})"
                    "\n",
                    static_cast<unsigned long long>(last_ - warm_up_), seconds_,
                    static_cast<unsigned long long>(end_), bytes,
                    static_cast<unsigned long long>(peak_memory_kb()));
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::uint64_t warm_up_; ///< at least 1
    std::uint64_t last_;
    std::uint64_t count_ = 0;
    Clock::time_point start_;
    double seconds_ = 0;
    std::uint64_t end_ = 0;
};

/// The stationary distribution of HOLD differs from the one it starts with.
inline Meter hold_meter(std::uint64_t pending, std::uint64_t events) {
    return {2 * pending, events};
}
inline Draws hold_draws() {
    return exponential_draws(1e6);
}

/// A closed queueing network: a ring serves its customers one by one in the order of their arrival;
/// a customer that has been served goes to a random ring. A completion is one event.
class Network {
  public:
    static constexpr std::uint32_t kRings = 16;
    static constexpr std::uint32_t kCustomers = 64;

    /// `arm(ring, delay)` makes complete(ring) be called after the delay.
    template <class Arm>
    void begin(Arm arm) {
        for (std::uint32_t customer = 0; customer < kCustomers; ++customer)
            arrive(customer, arm);
    }
    template <class Arm>
    void complete(std::uint32_t ring, Arm arm) {
        Queue& queue = queues_[ring];
        const std::uint32_t customer = queue.customers[queue.head++ % kCustomers];
        const bool waiting = queue.head != queue.tail;
        arrive(customer, arm); // its service, if it begins at once, is drawn first
        if (waiting)
            arm(ring, service_.next());
    }

  private:
    struct Queue {
        std::uint32_t customers[kCustomers] = {};
        std::uint32_t head = 0;
        std::uint32_t tail = 0;
    };
    template <class Arm>
    void arrive(std::uint32_t customer, Arm arm) {
        const auto ring = static_cast<std::uint32_t>(route_.next());
        Queue& queue = queues_[ring];
        queue.customers[queue.tail++ % kCustomers] = customer;
        if (queue.tail - queue.head == 1)
            arm(ring, service_.next());
    }

    // Long services, so that no two completions of different simulators' choice of order coincide.
    Draws service_ = exponential_draws(1e9);
    Draws route_{2, [](sim::Random& random) { return random.next() % kRings; }};
    Queue queues_[kRings];
};

inline Meter network_meter(std::uint64_t completions) {
    return {1000, completions};
}

/// The command line of such a program.
struct Task {
    std::string model; ///< "hold", "network", or what the program offers beyond
    std::uint64_t pending = 0;
    std::uint64_t events = 0;
    std::string variant;
};
inline Task parse_task(int argc, char** argv) {
    const auto number = [&](int i) { return i < argc ? std::strtoull(argv[i], nullptr, 10) : 0; };
    Task task;
    task.model = argc > 1 ? argv[1] : "";
    const int events = task.model == "network" ? 2 : 3;
    task.pending = number(2);
    task.events = number(events);
    if (argc > events + 1)
        task.variant = argv[events + 1];
    if (task.events == 0 || task.pending == 0) {
        std::fprintf(stderr,
                     "usage: %s hold PENDING EVENTS [VARIANT] | network COMPLETIONS "
                     "[VARIANT]\n",
                     argv[0]);
        std::exit(2);
    }
    return task;
}
[[noreturn]] inline void unknown(const std::string& what) {
    std::fprintf(stderr, "found '%s', which this program does not know\n", what.c_str());
    std::exit(2);
}

} // namespace fenceline::bench
