// Reads and writes schedules ("format": "fenceline/schedule"), which say how contexts interleave.
//
// A schedule is read by `check --replay` and by scenarios, and written by whoever found an
// interleaving that matters. What a step means is in sim/interleaver.hpp.
#pragma once

#include "sim/schedule.hpp"
#include "workloads/json.hpp"
#include "workloads/json_reader.hpp"

#include <string>

namespace fenceline::workloads {

/// The file, checked. Throws InputError.
[[nodiscard]] sim::Schedule read_schedule(const std::string& path);

/// The same from a document already read, which may stand in another one.
[[nodiscard]] sim::Schedule interpret_schedule(const Json& document, const Source& source);

/// The document, a step a line; reading it gives an equal Schedule.
[[nodiscard]] std::string schedule_text(const sim::Schedule& schedule);

} // namespace fenceline::workloads
