// Expectations about hazards: which of those that were found are which of those that were expected.
//
// A hazard can be like several expectations, so taking the first that fits would go wrong now and
// then: this is an assignment in a bipartite graph. There is one that gives every hazard a place
// (within the greatest counts) and fills every expectation (to the least count) just when there is
// one of each kind, so the two are looked for separately, each by augmenting paths.
#include "tools/test_check.hpp"

#include "tools/human.hpp"
#include "workloads/duration.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fenceline::tools {
namespace {

using sim::Hazard;
using workloads::HazardExpectation;
using workloads::HazardsExpectation;

bool is_like(const Hazard& hazard, const HazardExpectation& expect) {
    const auto part = [](const std::string& text, const std::optional<std::string>& wanted) {
        return !wanted || text.find(*wanted) != std::string::npos;
    };
    return hazard.kind->name == expect.kind &&
           (!expect.subject || hazard.subject == *expect.subject) &&
           part(hazard.object, expect.object) && part(hazard.message, expect.message) &&
           (!expect.at || expect.at->admits(workloads::Json(hazard.access.time)));
}

/// Gives hazards to expectations, as many as possible.
class Assignment {
  public:
    Assignment(const std::vector<Hazard>& hazards, const std::vector<HazardExpectation>& expect,
               const std::vector<std::uint64_t>& capacity)
        : hazards_(hazards), expect_(expect), capacity_(capacity), held_(expect.size()) {
        for (std::size_t i = 0; i < hazards.size(); ++i) {
            std::vector<bool> tried(expect.size());
            if (!place(i, tried)) {
                unplaced_.push_back(i);
            }
        }
    }

    [[nodiscard]] const std::vector<std::size_t>& unplaced() const { return unplaced_; }
    [[nodiscard]] std::uint64_t held(std::size_t expectation) const {
        return held_[expectation].size();
    }

  private:
    bool place(std::size_t hazard, std::vector<bool>& tried) {
        for (std::size_t i = 0; i < expect_.size(); ++i) {
            if (tried[i] || !is_like(hazards_[hazard], expect_[i])) {
                continue;
            }
            tried[i] = true;
            if (held_[i].size() < capacity_[i]) {
                held_[i].push_back(hazard);
                return true;
            }
            for (std::size_t slot = 0; slot < held_[i].size(); ++slot) {
                if (place(held_[i][slot], tried)) { // it can go elsewhere
                    held_[i][slot] = hazard;
                    return true;
                }
            }
        }
        return false;
    }

    const std::vector<Hazard>& hazards_;
    const std::vector<HazardExpectation>& expect_;
    const std::vector<std::uint64_t>& capacity_;
    std::vector<std::vector<std::size_t>> held_; ///< hazards by expectation
    std::vector<std::size_t> unplaced_;
};

std::string hazard_text(const Hazard& hazard) {
    return fmt::format("{}, at {}", headline(hazard),
                       workloads::format_duration(hazard.access.time));
}

/// The log around the hazard: the last event before it is marked.
std::vector<std::string> excerpt_of(const Hazard& hazard, const EventRecord& record) {
    constexpr std::size_t kContext = 3;
    const std::size_t before = record.count_until(hazard.access.time);
    return before == 0 ? record.excerpt({}, 0) : record.excerpt({before - 1}, kContext);
}

std::string all_text(const std::vector<Hazard>& hazards) {
    constexpr std::size_t kMost = 3;
    if (hazards.empty()) {
        return "no hazards";
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(hazards.size(), kMost); ++i) {
        text += (i == 0 ? "" : "; ") + hazard_text(hazards[i]);
    }
    return hazards.size() <= kMost ? text
                                   : text + fmt::format("; and {} more", hazards.size() - kMost);
}

std::string wanted_text(const HazardsExpectation& expect) {
    if (expect.where.empty()) {
        return "no hazards (where a case does not say, there must be none)";
    }
    return expect.list.empty()
               ? "no hazards"
               : "only the " + human_plural(expect.list.size(), "kind") + " of hazard in the list";
}

void report_unexpected(const HazardsExpectation& expect, const FinishedRun& run,
                       const std::vector<std::size_t>& unplaced, std::vector<Failure>& failures) {
    constexpr std::size_t kMost = 5;
    for (std::size_t i = 0; i < std::min(unplaced.size(), kMost); ++i) {
        const Hazard& hazard = run.result.hazards[unplaced[i]];
        std::string found = hazard_text(hazard);
        if (i + 1 == kMost && unplaced.size() > kMost) {
            found += fmt::format(" (and {} more)", unplaced.size() - kMost);
        }
        failures.push_back(
            {expect.where, wanted_text(expect), std::move(found), excerpt_of(hazard, run.record)});
    }
}

} // namespace

void check_hazards(const HazardsExpectation& expect, const FinishedRun& run,
                   std::vector<Failure>& failures) {
    const std::vector<Hazard>& hazards = run.result.hazards;
    std::vector<std::uint64_t> least;
    std::vector<std::uint64_t> greatest;
    for (const HazardExpectation& one : expect.list) {
        least.push_back(one.count.least());
        greatest.push_back(one.count.greatest());
    }
    if (expect.exactly) {
        report_unexpected(expect, run, Assignment(hazards, expect.list, greatest).unplaced(),
                          failures);
    }
    const Assignment filled(hazards, expect.list, least);
    for (std::size_t i = 0; i < least.size(); ++i) {
        if (filled.held(i) < least[i]) {
            const std::string often = least[i] == 1 ? "" : fmt::format(", {} times", least[i]);
            failures.push_back({expect.list[i].where, expect.list[i].text + often,
                                filled.held(i) == 0 ? all_text(hazards)
                                                    : fmt::format("{} of them", filled.held(i)),
                                run.record.excerpt({}, 0)});
        }
    }
}

} // namespace fenceline::tools
