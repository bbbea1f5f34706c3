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
