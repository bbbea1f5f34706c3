// The simulated machine: clock, contexts, counters of primitive operations, and the hazards found.
//
// Model code takes a Machine& and acts only through the primitives of this directory (locks,
// atomics, reference counts, RCU, workqueues, waits, the lifetime-checked heap). In the
// instrumented form (see mode.hpp) each primitive tells the machine what it is about to do, and an
// Observer sees it: that is what makes the same model explorable interleaving by interleaving.
//
// DOC: blocking. Work runs to completion at its instant unless it blocks. What may block is entered
// with `may_block` and gets a fiber; a blocking wait in the model is then an ordinary call.
// Blocking elsewhere is a hazard (sleep-in-atomic), as it is in the kernel.
//
// Ownership: the machine owns the contexts of tasks; everything else belongs to the model, which is
// destroyed before the machine, after abandon_blocked(). Not thread safe: one machine, one thread;
// any number of machines side by side.
#pragma once

#include "sim/arena.hpp"
#include "sim/context.hpp"
#include "sim/engine.hpp"
#include "sim/hazard.hpp"
#include "sim/lock_order.hpp"
#include "sim/mode.hpp"
#include "sim/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fenceline::sim::inline FENCELINE_MODE {

/// What the primitives did, counted where it is done.
struct Counters {
    std::uint64_t atomics = 0; ///< atomic read-modify-writes, reference counts included
    std::uint64_t locks = 0;   ///< lock acquisitions
    std::uint64_t rcu_callbacks = 0;
    std::uint64_t grace_periods = 0;
    std::uint64_t blocking_waits = 0;
};

enum class Op : std::uint8_t {
    call, ///< a modelled function begins
    lock,
    unlock,
    read,
    write,
    rmw,
    get,
    put,
    object,
    alloc,
    free,
    rcu_lock,
    rcu_unlock,
    call_rcu,
    queue_work,
    wait,
    wake
};

/// As schedules and timelines write it: "lock", "get", "queue_work".
[[nodiscard]] std::string_view name_of(Op op);

/// Sees every operation of every primitive just before it takes effect. May suspend the context
/// that is about to make it, if that has a fiber, and see to it that it is resumed.
class Observer {
  public:
    virtual ~Observer() = default;
    /// `what`: which lock, count, type or function, as reports name it; may be empty.
    virtual void operation(Op op, const void* object, std::string_view what) = 0;
    /// The current context wants a lock that another one holds. True: it was suspended, and may look
    /// again; false: nobody interleaves contexts here, so it waits for ever.
    virtual bool contended(const void* /*lock*/, std::string_view /*name*/) { return false; }
    /// A lock is free again because its holder died: no operation.
    virtual void dropped(const void* /*lock*/) {}
};

/// What the layers above know about objects, for reports: asked in the second run, which is made for
/// nothing else.
class Witness {
  public:
    virtual ~Witness() = default;
    /// Chains that lead to the object, which is alive; a line each.
    virtual std::vector<std::string> holders_of(std::string_view pool, std::uint64_t key) = 0;
    /// "finished" for the part of such an object that stands there; empty: it has no parts.
    virtual std::string_view part_at(std::string_view pool, std::size_t offset) = 0;
    /// Fills in which fence the hazard is about, if that is not known yet.
    virtual void find_fence(Hazard& hazard) = 0;
};

class Interleaver;
class ObjectHistory;
class ContextScope;

/// Thrown out of a wait that was given up. What it waits in takes itself off the lists that it is
/// on; whoever called interrupt() made sure that nothing on the way minds being left like that.
struct Interrupted {};

class Machine {
  public:
    Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine();

    Arena arena; ///< where the pools of the heap live
    Engine engine;
    Counters counters;
    LockOrder lock_order;
    bool fibers_for_all = false; ///< every context on a fiber: what an exploration needs; only
                                 ///< heard in the instrumented form
    bool interleaved = false;    ///< and an observer suspends them

    [[nodiscard]] Time now() const { return engine.now(); }

    /// Announces an operation; the instrumentation point of every primitive. Where contexts are
    /// interleaved the object may have died meanwhile, which is found here.
    void point([[maybe_unused]] Op op, [[maybe_unused]] const void* object,
               [[maybe_unused]] std::string_view what = {}) {
        if constexpr (kInstrumented) {
            if (observer_ != nullptr) [[unlikely]] {
                observer_->operation(op, object, what);
                if (keeps_the_dead() && op >= Op::lock && op <= Op::put)
                    check_alive(object, what);
            }
            if (watching_ && (op == Op::get || op == Op::put)) [[unlikely]]
                note_count(op, object);
        }
    }
    /// Tells the timeline of a wanted object, of which `part` is a part, what is done to it.
    void note([[maybe_unused]] const void* part, [[maybe_unused]] std::string_view what) {
        if constexpr (kInstrumented)
            if (watching_) [[unlikely]]
                note_there(part, what);
    }
    void observe(Observer* observer) { observer_ = observer; }
    /// The spinlocks that the current context holds.
    [[nodiscard]] HeldLocks& held_locks() {
        if constexpr (kInstrumented)
            return current_->locks;
        else
            return held_locks_;
    }
    /// Whether somebody waits for a lock here instead of never getting it.
    bool contended([[maybe_unused]] const void* lock, [[maybe_unused]] std::string_view name) {
        return observer_ != nullptr && observer_->contended(lock, name);
    }

    void lock_dropped(const void* lock) {
        if (observer_ != nullptr)
            observer_->dropped(lock);
    }
    /// Things that contexts are to do once they are through with what they are at (run_in).
    [[nodiscard]] std::size_t turns_waiting() const { return turns_waiting_; }

    /// Where contexts are interleaved a freed object keeps its place and its last contents, so that
    /// whoever still has its address is found out and does not meet a successor.
    [[nodiscard]] bool keeps_the_dead() const { return kInstrumented && interleaved; }
    /// Pools say where their objects are.
    void register_chunk(std::uint32_t first, std::size_t slots, std::size_t granules,
                        ObjectHistory* history) {
        chunks_.push_back({first, slots, granules, history});
    }

    // Contexts.
    [[nodiscard]] Context& current() { return *current_; }
    [[nodiscard]] std::uint32_t next_context_id() { return ++context_ids_; }
    /// Runs `body` in `context`, now. With `may_block` (or fibers_for_all) it gets a fiber and may
    /// still be blocked when this returns; `ended` runs when it has really ended.
    void enter(Context& context, bool may_block, std::function<void()> body,
               std::function<void()> ended = {});
    /// Runs what cannot block in `context`, now: an interrupt, a callback, a system call that only
    /// takes spinlocks. With fibers_for_all it gets a fiber; what comes while the context is still at
    /// something else waits its turn.
    template <class Body>
    void run_in(Context& context, Body&& body) {
        if constexpr (kInstrumented)
            if (fibers_for_all) {
                enter_in_turn(context, std::forward<Body>(body));
                return;
            }
        ContextScope scope(*this, context);
        body();
    }
    /// Runs a task of its own, now, on a fiber. The machine owns it until it ends.
    /// `waits`, if given, collects its waits and must outlive the task; `when_blocked` is called
    /// when one begins, from outside of the task.
    void start_task(std::string name, std::function<void()> body,
                    std::vector<WaitRecord>* waits = nullptr, ContextKind kind = ContextKind::task,
                    std::function<void(const Context&)> when_blocked = {});
    /// Blocks the current context until wake(). `reason` must be a literal or outlive the wait.
    void block(std::string_view reason);
    /// Blocks the current context until `when`, in the place that is taken now.
    void sleep_until(Time when, std::string_view reason);
    /// Lets a blocked context go on; its wake-up takes a place in the order. Nothing happens when it
    /// has been woken already.
    void wake(Context& context);
    /// Makes a context give up its wait, or its next one: block() throws Interrupted there. What it
    /// is in must be prepared for that, as fence waits, sleeps and wait queues are.
    void interrupt(Context& context);
    /// Contexts that are blocked now, in the order in which they blocked.
    [[nodiscard]] const std::vector<Context*>& blocked() const { return blocked_; }

    /// Unwinds everything that is blocked, so that no stack refers to the model any more. The
    /// model's owner calls it before the model dies.
    void abandon_blocked();

    // Hazards.
    /// Records the hazard (time, context and call chain are filled in) and throws FatalHazard if it
    /// is fatal.
    void report(Hazard hazard);
    [[nodiscard]] const std::vector<Hazard>& hazards() const { return hazards_; }
    [[nodiscard]] Incident here();
    /// Asks for the history of an object in the next (identical) run: what a hazard's `pool` and
    /// `key` say. Only looked at in the instrumented form.
    void want(std::string_view pool, std::uint64_t key) {
        if (!wanted(pool, key))
            wanted_.push_back({.pool = pool, .key = key});
    }
    [[nodiscard]] bool wanted(std::string_view pool, std::uint64_t key) const {
        for (const Wanted& object : wanted_)
            if (object.key == key && object.pool == pool)
                return true;
        return false;
    }
    /// Who is asked about wanted objects; outlives the machine's last event.
    void call_witness(Witness* witness) { witness_ = witness; }
    /// A wanted object comes and goes; `memory` is where it is.
    void wanted_born(std::string_view pool, std::uint64_t key, const void* memory,
                     std::size_t size);
    void wanted_dies(std::string_view pool, std::uint64_t key, const std::string& name);
    /// Reports a deadlock if contexts wait although nothing can happen any more; says who waits for
    /// what. REQUIRES: the engine is idle.
    void check_deadlock();

  private:
    friend class ContextScope;
    friend class Interleaver;
    struct Chunk {
        std::uint32_t first;
        std::size_t slots;
        std::size_t granules; ///< of one slot
        ObjectHistory* history;
    };
    void resume(Context& context);
    void check_alive(const void* object, std::string_view what);
    void enter_in_turn(Context& context, std::function<void()> body);
    void next_in_turn(Context& context);
    static void wake_sleeper(void* self, std::uint64_t context);

    struct Wanted {
        std::string_view pool;
        std::uint64_t key = 0;
        const std::byte* memory = nullptr; ///< while it is alive
        std::size_t size = 0;
        Timeline timeline = {};
        std::string name = {}; ///< once it is dead
        std::vector<std::string> holders = {};
    };
    // evidence.cpp
    Wanted* find_wanted(std::string_view pool, std::uint64_t key);
    void note_there(const void* part, std::string_view what);
    void note_count(Op op, const void* count);
    void add_evidence(Hazard& hazard);

    HeldLocks held_locks_; ///< of the timed form, in which nobody is suspended with one
    Context idle_;
    Context* current_;
    Observer* observer_ = nullptr;
    std::uint32_t context_ids_ = 0;
    std::size_t turns_waiting_ = 0;
    StackPool stacks_;
    std::vector<std::unique_ptr<Context>> tasks_;
    std::vector<Context*> blocked_;
    std::vector<Hazard> hazards_;
    std::vector<Chunk> chunks_; ///< in order of address; of the instrumented form
    std::vector<Wanted> wanted_;
    Witness* witness_ = nullptr;
    bool watching_ = false; ///< some wanted object is alive
};

/// Makes `context` the current one for a scope; for what cannot block. Cost: two stores.
class ContextScope {
  public:
    ContextScope(Machine& machine, Context& context)
        : machine_(machine), previous_(machine.current_) {
        machine.current_ = &context;
    }
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;
    ~ContextScope() { machine_.current_ = previous_; }

  private:
    Machine& machine_;
    Context* previous_;
};

/// Puts a modelled function on the call chain of the current context for a scope. Nothing at all in
/// the timed form.
class Frame {
  public:
    Frame([[maybe_unused]] Machine& machine, [[maybe_unused]] std::string_view function) {
        if constexpr (kInstrumented) {
            machine.point(Op::call, nullptr, function);
            frames_ = &machine.current().frames;
            frames_->push_back(function);
        }
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() {
        if constexpr (kInstrumented)
            frames_->pop_back();
    }

  private:
    [[maybe_unused]] std::vector<std::string_view>* frames_ = nullptr;
};

} // namespace fenceline::sim::inline FENCELINE_MODE
