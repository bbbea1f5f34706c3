// What happens to jobs, as the event log tells it (docs/formats.md, "Event log").
#pragma once

#include "sim/time.hpp"

#include <cstdint>
#include <string_view>

namespace fenceline::scheduler {

enum class JobEvent : std::uint8_t {
    queue,
    run_job,
    scheduled,
    hw_done,
    finished,
    free_job,
    timedout,
    reset,
    cancel_job
};

[[nodiscard]] constexpr std::string_view name_of(JobEvent event) {
    constexpr std::string_view names[] = {"queue",    "run_job",  "scheduled",
                                          "hw_done",  "finished", "free_job",
                                          "timedout", "reset",    "cancel_job"};
    return names[static_cast<std::size_t>(event)];
}

struct LoggedEvent {
    sim::Time time;
    JobEvent event;
    std::uint64_t job;     ///< its id; unused by `reset`
    std::uint64_t ordinal; ///< position in the order of submission
    std::uint32_t entity;  ///< index
    std::uint32_t ring;    ///< index
    std::int32_t error;    ///< 0: none
    sim::Time submitted;   ///< when it was pushed; 0 with `queue`, `hw_done` and `reset`
};

/// Hears of events at the instant they happen. Must not act on the model.
class EventSink {
  public:
    virtual ~EventSink() = default;
    virtual void on_event(const LoggedEvent& event) = 0;
};

} // namespace fenceline::scheduler
