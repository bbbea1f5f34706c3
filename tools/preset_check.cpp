#include "tools/preset_check.hpp"

#include "fences/lifetime.hpp"
#include "tools/interrupt.hpp"
#include "tools/verdict.hpp"
#include "workloads/input_error.hpp"

#include <algorithm>

namespace fenceline::tools {
namespace {

using workloads::RunResult;

/// A run that takes so many times the events of the first one is given up.
constexpr std::uint64_t kPatience = 10;

bool same_rules(fences::LifetimePolicy a, const fences::LifetimePolicy& b) {
    a.name = b.name;
    return a == b;
}

bool has_like(const RunResult& result, const sim::Hazard& hazard) {
    return std::any_of(result.hazards.begin(), result.hazards.end(), [&](const auto& other) {
        return other.kind == hazard.kind && other.subject == hazard.subject;
    });
}

RunResult run_under(const PreparedRun& prepared, const fences::Preset& preset, RunFlags flags,
                    const Interrupter& interrupter, std::uint64_t most_events) {
    workloads::Config config = prepared.config;
    config.lifetime = preset.policy;
    workloads::RunOptions options;
    options.keep_going = flags.keep_going;
    options.strict = flags.strict;
    options.explain_hazards = false;
    options.on_progress = [&](const workloads::Progress& progress) {
        return !interrupter.requested() && progress.events < most_events;
    };
    const auto jobs = prepared.loaded.open_jobs();
    return simulate(config, *prepared.loaded.workload, *jobs, options);
}

} // namespace

void check_presets(const PreparedRun& prepared, RunFlags flags, RunResult& result) {
    if (result.hazards.empty() || result.end == workloads::RunEnd::interrupted ||
        result.events > kMostEventsForPresets || prepared.config.workload == "-") {
        return;
    }
    const Interrupter interrupter;
    for (const fences::Preset& preset : fences::presets()) {
        if (interrupter.requested()) {
            return;
        }
        if (fences::contradiction(preset.policy) ||
            same_rules(preset.policy, prepared.config.lifetime)) {
            continue;
        }
        sim::PresetVerdict verdict{std::string(preset.name), false, true, {}};
        RunResult other;
        try {
            other = run_under(prepared, preset, flags, interrupter,
                              kPatience * result.events + 100'000);
            verdict.known = other.end != workloads::RunEnd::interrupted;
        } catch (const workloads::InputError&) { // what it says of the jobs depends on the policy
            verdict.known = false;
        }
        if (verdict.known && !other.hazards.empty()) {
            verdict.first = first_failure(other);
        }
        for (sim::Hazard& hazard : result.hazards) {
            hazard.presets.push_back(verdict);
            hazard.presets.back().has_it = verdict.known && has_like(other, hazard);
        }
    }
}

} // namespace fenceline::tools
