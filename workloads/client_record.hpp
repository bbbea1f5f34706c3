// What one client's program did, measured iteration by iteration.
//
// An iteration is one run through the whole program; the next begins where it ends, so that an
// iteration's length is also the interval between two ends (a frame time). Its cycle time is the
// length without what the program slept by itself (`sleep`, `period`); its latency is what the cycle
// took beyond the GPU time of the jobs that it submitted, 0 where it did not wait for them.
//
// Constant work per iteration, constant memory.
#pragma once

#include "scheduler/latency.hpp"
#include "sim/time.hpp"
#include "workloads/simulation.hpp"

#include <cmath>
#include <cstdint>

namespace fenceline::workloads {

/// Least, mean and greatest of values that come one by one.
class SpreadRecorder {
  public:
    void add(sim::Time value) {
        if (count_++ == 0 || value < min_)
            min_ = value;
        if (value > max_)
            max_ = value;
        sum_ += value;
    }
    [[nodiscard]] Spread summary() const {
        if (count_ == 0)
            return {};
        return {min_, static_cast<double>(sum_) / static_cast<double>(count_), max_};
    }

  private:
    std::uint64_t count_ = 0;
    sim::Time min_ = 0;
    sim::Time max_ = 0;
    __extension__ unsigned __int128 sum_ = 0;
};

/// The standard deviation of values that come one by one (Welford's recurrence).
class DeviationRecorder {
  public:
    void add(sim::Time value) {
        const auto x = static_cast<double>(value);
        const double before = x - mean_;
        mean_ += before / ++count_;
        squares_ += before * (x - mean_);
    }
    [[nodiscard]] double deviation() const { return count_ > 0 ? std::sqrt(squares_ / count_) : 0; }

  private:
    double count_ = 0;
    double mean_ = 0;
    double squares_ = 0;
};

class ClientRecord {
  public:
    void begin(sim::Time now) { started_ = since_ = now; }
    void slept(sim::Time duration) { slept_ += duration; }
    void submitted(sim::Time duration) {
        if (duration != sim::kForever)
            work_ = sim::add_saturating(work_, duration);
    }
    void missed_period() { ++misses_; }
    void end_iteration(sim::Time now) {
        const sim::Time length = now - since_;
        const sim::Time cycle = length - slept_;
        interval_.add(length);
        deviation_.add(length);
        cycle_.add(cycle);
        latency_.add(cycle > work_ ? cycle - work_ : 0);
        ++iterations_;
        since_ = now;
        slept_ = work_ = 0;
    }
    void end(sim::Time now) { ended_ = now; }

    [[nodiscard]] sim::Time iteration_began() const { return since_; }
    /// `finished`: when the last of its jobs did. `now`: the end of the run.
    [[nodiscard]] ProgramResult result(sim::Time finished, sim::Time now) const {
        ProgramResult out;
        out.started = started_ != sim::kForever;
        out.ended = ended_ != sim::kForever;
        out.iterations = iterations_;
        if (out.started)
            out.elapsed =
                (out.ended ? std::max(ended_, finished) : std::max(now, started_)) - started_;
        if (out.elapsed > 0)
            out.iterations_per_second =
                static_cast<double>(iterations_) / (static_cast<double>(out.elapsed) * 1e-9);
        out.period_misses = misses_;
        out.interval = interval_.summary();
        out.interval_deviation = deviation_.deviation();
        out.cycle = cycle_.summary();
        out.latency = latency_.summary();
        return out;
    }

  private:
    sim::Time started_ = sim::kForever;
    sim::Time ended_ = sim::kForever;
    sim::Time since_ = 0; ///< when this iteration began
    sim::Time slept_ = 0; ///< in this iteration
    sim::Time work_ = 0;  ///< GPU time submitted in this iteration
    std::uint64_t iterations_ = 0;
    std::uint64_t misses_ = 0;
    scheduler::LatencyRecorder interval_;
    DeviationRecorder deviation_;
    SpreadRecorder cycle_;
    SpreadRecorder latency_;
};

} // namespace fenceline::workloads
