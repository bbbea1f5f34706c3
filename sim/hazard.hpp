// Hazards: what can go wrong in a model run, and the report that says so.
//
// A hazard has a class (use-after-free, leak, ...), a subject (which kind of thing: fence, lock,
// ops, names, scheduler, slab, ...) and a report in the manner of KASAN: what was accessed, in
// which context, from which modelled functions, when, and by whom the object was allocated and
// freed. The timed form of the model only fills in what it knows for free; call chains, births and
// deaths are recorded by the instrumented form (mode.hpp), in a second, identical run up to the
// same event.
//
// A fatal hazard is thrown as FatalHazard through the model, which is exception-neutral. It ends
// the run, or, where a run is asked to keep going, just the context in which it happened (an oops).
#pragma once

#include "sim/time.hpp"

#include <cstdint>
#include <deque>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::sim {

/// A class of hazards. Compared by address; every layer defines its own as constants.
struct HazardClass {
    std::string_view name;
    std::string_view about;            ///< one line
    bool fatal;                        ///< the model's state is meaningless afterwards
    std::string_view verb = "noticed"; ///< what was done when it was noticed, as reports say it
};

namespace hazards {
inline constexpr HazardClass use_after_free{
    "use-after-free", "an object was accessed after its memory or its owner was freed", true,
    "accessed"};
inline constexpr HazardClass double_free{"double-free", "an object was freed twice", true,
                                         "freed again"};
inline constexpr HazardClass refcount_underflow{
    "refcount-underflow", "a reference was dropped, or taken, on a count that was already zero",
    true, "counted"};
inline constexpr HazardClass leak{
    "leak", "an object is still alive when nothing can free it any more", false, "found"};
inline constexpr HazardClass deadlock{
    "deadlock", "nothing can run any more and somebody still waits, or a lock is taken twice", true,
    "found"};
inline constexpr HazardClass atomic_sleep{
    "sleep-in-atomic", "something blocked in a context that must not block", true, "blocked"};
} // namespace hazards

/// Something that happened to an object: who did it, where, and when.
struct Incident {
    Time time = 0;
    std::string context;                  ///< "task a", "worker gfx", "irq gfx", "rcu", ...
    std::vector<std::string_view> frames; ///< modelled functions, outermost first
    bool known = false;
};

/// Something that happened to a fence.
struct TimelineEntry {
    Time time = 0;
    std::string context;
    std::string_view function; ///< the innermost modelled one
    std::string what;          ///< "signalled", "get (1 -> 2)"
};

/// All that happened to a fence, in order: the beginning and the end of it.
class Timeline {
  public:
    static constexpr std::size_t kFirst = 10;
    static constexpr std::size_t kLast = 30;

    void add(TimelineEntry entry);
    [[nodiscard]] const std::vector<TimelineEntry>& first() const { return first_; }
    [[nodiscard]] const std::deque<TimelineEntry>& last() const { return last_; }
    /// How many between the two are not kept.
    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }
    [[nodiscard]] bool empty() const { return first_.empty(); }

  private:
    std::vector<TimelineEntry> first_;
    std::deque<TimelineEntry> last_;
    std::uint64_t left_out_ = 0;
};

/// How the same workload fares under another lifetime policy.
struct PresetVerdict {
    std::string preset;
    bool has_it = false; ///< a hazard of the same class and subject
    bool known = true;   ///< false: that run was given up
    std::string first;   ///< "use-after-free/ops": its first hazard; empty: it is safe
};

/// The rule of the lifetime policy that made a hazard possible.
struct BrokenRule {
    std::string rule;  ///< "hardware.lock"; empty: it was none
    std::string value; ///< "borrowed:context"
    std::string about; ///< why that is so
};

struct Hazard {
    const HazardClass* kind = nullptr;
    std::string subject;      ///< "fence", "lock", "ops", "names", "scheduler", "slab", ...
    std::string object;       ///< which one: "fence a/gfx:3", "timeline a/gfx", "module drv"
    std::string message;      ///< one line: what happened
    std::string finding = {}; ///< what is known about it, where the modelled kernel is at fault
    Incident access{};
    Incident allocated{};
    Incident freed{};
    std::string_view pool = {}; ///< where the object lives, and its handle there: what a second
    std::uint64_t key = 0;      ///< run needs to know to record its history
    std::uint64_t event = 0;    ///< ordinal of the event in which it happened
    std::string_view fence_pool = {}; ///< the same of the fence concerned, which may be another one
    std::uint64_t fence_key = 0;
    // What only a second run knows, and who made that.
    std::string fence = {}; ///< "finished fence a/gfx:1"
    Timeline timeline{};    ///< of the fence
    /// Chains to the object: when it was freed or, if it is alive, when the hazard was met.
    std::vector<std::string> holders = {};
    BrokenRule rule{};
    std::vector<PresetVerdict> presets = {};
};

/// "use-after-free of lock: ..." on one line.
[[nodiscard]] std::string headline(const Hazard& hazard);
/// The whole report, several lines, ending with a newline.
[[nodiscard]] std::string report_text(const Hazard& hazard);

/// Ends a run. Carries nothing: the report is with the machine.
class FatalHazard : public std::exception {
  public:
    [[nodiscard]] const char* what() const noexcept override { return "fatal hazard"; }
};

} // namespace fenceline::sim
