// What a run's hazards amount to, in a few words.
#pragma once

#include "workloads/simulation.hpp"

#include <string>

namespace fenceline::tools {

/// `use-after-free/lock` of the hazard that came first. REQUIRES: there is one.
[[nodiscard]] std::string first_failure(const workloads::RunResult& result);

/// What broke first, when and why, on one line. REQUIRES: there is a hazard.
[[nodiscard]] std::string failure_story(const workloads::RunResult& result);

/// The same of one hazard.
[[nodiscard]] std::string hazard_story(const sim::Hazard& hazard);

/// `ended normally`, `stuck: ...`, for humans.
[[nodiscard]] std::string end_text(workloads::RunEnd end);

} // namespace fenceline::tools
