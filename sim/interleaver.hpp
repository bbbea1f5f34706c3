// Runs the model under a schedule: contexts are held where it says so.
//
// DOC: how. Every context has a fiber (Machine::fibers_for_all), every primitive announces its
// operation here just before it takes effect. A context that is about to make the operation of its
// next step, while an earlier step has not happened yet, is suspended there; everybody else goes on
// in timed order, time included, as if that context's processor were slow. Once its step's turn has
// come it gets a place in the order of events and makes the operation. So a step means: not before
// the ones listed before it. To stop somebody behind an operation, list the next one that he makes.
//
// An operation is matched as text, "verb what", for instance "put fence", "lock job_list_lock",
// "call drm_sched_job_done"; " in F" behind it demands that F is the modelled function that makes
// it. A step stands for the first such operation of its context after that context's last step.
//
// A context that wants a spinlock which somebody holds, who was suspended, waits until it is
// released. What was never done when nothing else can happen is an error that says where the run
// was; so is what is left when it is over.
//
// Never suspends a context that handles an exception, since those are the thread's.
//
// Ownership: refers to machine and schedule, which outlive it. abandon() unwinds whoever is still
// suspended and must be called before the model dies. One thread.
#pragma once

#include "sim/machine.hpp"
#include "sim/schedule.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace fenceline::sim {

/// The schedule cannot be followed. `step` is the first that did not happen.
class ScheduleError : public std::runtime_error {
  public:
    ScheduleError(const std::string& message, std::size_t step)
        : std::runtime_error(message), step_(step) {}
    [[nodiscard]] std::size_t step() const { return step_; }

  private:
    std::size_t step_;
};

inline namespace FENCELINE_MODE {

class Interleaver final : public Observer {
  public:
    /// Starts to observe; from now on every context has a fiber. REQUIRES: the instrumented form,
    /// nothing has happened yet.
    Interleaver(Machine& machine, const Schedule& schedule);
    Interleaver(const Interleaver&) = delete;
    Interleaver& operator=(const Interleaver&) = delete;
    ~Interleaver() override { abandon(); }

    /// Every operation from now on becomes a step there; may be null. Following what a run recorded
    /// gives the same run.
    void record_to(Schedule* record) { record_ = record; }

    void operation(Op op, const void* object, std::string_view what) override;
    bool contended(const void* lock, std::string_view name) override;
    void dropped(const void* lock) override { let_waiters_try(lock); }

    /// Somebody is suspended here: the run is not over, whatever it looks like.
    [[nodiscard]] bool holding() const {
        return !held_.empty() || !spinning_.empty() || !released_.empty() ||
               machine_.turns_waiting() != 0;
    }
    /// Nothing else can happen any more. Throws ScheduleError if a step is outstanding that somebody
    /// waits for; reports a deadlock if contexts wait for spinlocks of each other.
    void stalled();
    /// The run is over: all steps have happened, or ScheduleError.
    void finish() const;
    /// Unwinds whoever is suspended and stops observing.
    void abandon();

  private:
    struct Held {
        Context* context;
        std::size_t step;
    };
    struct Spinning {
        Context* context;
        const void* lock;
        std::string_view name;
    };

    [[nodiscard]] const std::string& name_of_context(const Context& context);
    [[nodiscard]] std::size_t next_step_of(const Context& context);
    [[nodiscard]] bool matches(const ScheduleStep& step, Op op, std::string_view what) const;
    void take_step(Context& context, Op op, std::string_view what);
    void let_waiters_try(const void* lock);
    void step_done();
    void suspend();
    void release(Context* context);
    static void resume(void* self, std::uint64_t context);
    [[nodiscard]] std::string where() const;

    Machine& machine_;
    const Schedule& schedule_;
    std::size_t next_ = 0; ///< steps before it have happened
    std::vector<Held> held_;
    std::vector<Spinning> spinning_;
    std::vector<Context*> released_; ///< may go on; their places are still to come
    std::vector<Context*> stuck_;    ///< wait for locks that they will never get: reported
    std::unordered_map<std::uint32_t, std::string> names_; ///< of contexts, as steps write them
    Schedule* record_ = nullptr;
    bool abandoned_ = false;
};

} // namespace FENCELINE_MODE
} // namespace fenceline::sim
