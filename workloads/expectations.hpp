// What a scenario expects of a run, as its document says it (docs/formats.md, "Expectations").
//
// Values without behaviour, except that a Bound knows which values it admits and a pattern which
// events. Names (of entities, rings, clients) are as the document has them: whether the workload
// has such, and which index they are, is known only where both are (tools/test_plan.hpp). `where` is
// the JSON pointer in the scenario's file, for messages and reports.
//
// Reading (read_expectations.cpp) is a part of the scenario's reader.
#pragma once

#include "scheduler/event_log.hpp"
#include "workloads/json.hpp"
#include "workloads/simulation.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fenceline::workloads {

class Cursor;

/// What a value may be: one value, or anything from `min` to `max`. Times may be written with a
/// unit: `"10ms"` is the number 10000000.
class Bound {
  public:
    /// Any value but null; the default admits everything.
    Bound() = default;
    explicit Bound(Json value) : exactly_(std::move(value)) {}

    [[nodiscard]] bool admits(const Json& value) const;
    /// `3`, `at least "10ms"`, `from 1 to 2`.
    [[nodiscard]] std::string text() const;
    /// Whether some of it is written as a time, with a unit.
    [[nodiscard]] bool is_time() const;
    /// The least and the greatest count that is admitted. REQUIRES: read_count() gave it.
    [[nodiscard]] std::uint64_t least() const;
    [[nodiscard]] std::uint64_t greatest() const;

    /// A string, number or boolean, or an object of `min` and `max` that are numbers or times.
    [[nodiscard]] static Bound read(const Cursor& value);
    /// The same of counts: integers.
    [[nodiscard]] static Bound read_count(const Cursor& value);
    /// The same of times.
    [[nodiscard]] static Bound read_time(const Cursor& value);

  private:
    using ReadValue = Json (*)(const Cursor& value);
    static Bound read_with(const Cursor& value, ReadValue read);

    Json exactly_; ///< null: `min_` and `max_` say it
    Json min_;     ///< null: none
    Json max_;     ///< null: none
};

/// Which events of the log are meant: those that agree in every key that is given.
struct EventPattern {
    std::optional<scheduler::JobEvent> event;
    std::optional<Bound> time;
    std::optional<std::uint64_t> job;
    std::optional<std::string> entity;
    std::optional<std::string> ring;
    std::optional<std::int32_t> error; ///< 0: none
    bool any_error = false;            ///< some error or other
    std::string text;                  ///< as the document has it
    std::string where;
};

struct CountExpectation {
    EventPattern pattern;
    Bound count;
};

/// A hazard, or several alike. `object` and `message` are parts of what the report says.
struct HazardExpectation {
    std::string kind;
    std::optional<std::string> subject;
    std::optional<std::string> object;
    std::optional<std::string> message;
    std::optional<Bound> at;
    Bound count{Json(1)};
    std::string text; ///< as the document has it
    std::string where;
};

/// Without a word about hazards there must be none.
struct HazardsExpectation {
    bool exactly = true; ///< and no others
    std::vector<HazardExpectation> list;
    std::string where; ///< empty: the scenario does not say
};

/// A figure of the result (docs/formats.md, "Results").
struct FigureExpectation {
    /// A JSON pointer into the result, or with `client` into this client's part of it.
    std::string pointer;
    std::optional<std::string> client;
    Bound bound;
    std::string where;
};

/// A line that contains the text.
struct LineExpectation {
    std::string text;
    std::string where;
};

struct Expectations {
    HazardsExpectation hazards;
    std::optional<RunEnd> end;
    std::string end_where;
    std::vector<EventPattern> order; ///< occur in this order; others may stand between
    std::vector<EventPattern> never;
    std::optional<std::vector<EventPattern>> events; ///< the whole log
    std::string events_where;
    std::vector<CountExpectation> counts;
    std::vector<FigureExpectation> figures;
    std::vector<LineExpectation> observations; ///< in this order
    std::vector<LineExpectation> warnings;     ///< likewise

    /// Whether some of it is about single events of the log.
    [[nodiscard]] bool need_events() const {
        return !order.empty() || !never.empty() || events.has_value();
    }
};

/// Reads `expect`.
[[nodiscard]] Expectations read_expectations(const Cursor& value);

/// The object of one hazard.
[[nodiscard]] HazardExpectation read_hazard_expectation(const Cursor& value);

} // namespace fenceline::workloads
