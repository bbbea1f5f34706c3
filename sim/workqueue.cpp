#include "sim/workqueue.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

Workqueue::Workqueue(Machine& machine, std::string name, Time wakeup_cost)
    : machine_(machine), wakeup_cost_(wakeup_cost),
      worker_(ContextKind::worker, std::move(name), machine.next_context_id()) {}

/// Where waking takes time. Turns come in the order of queueing, so none before that of an item
/// which waits for a wake-up.
void Workqueue::take_later_turn(Work& work) {
    if (first_ == nullptr && !busy())
        last_start_ = add_saturating(machine_.now(), wakeup_cost_);
    append(work);
    if (last_start_ <= machine_.now())
        machine_.engine.post(turn, this, 0);
    else
        machine_.engine.arm(last_start_, turn, this, 0);
}

/// One turn was taken for every queued item; it runs whichever item is first by then.
void Workqueue::turn(void* self, std::uint64_t) {
    auto& queue = *static_cast<Workqueue*>(self);
    if (queue.state_ == 0) [[likely]] {
        Work& work = *queue.first_;
        const bool for_fiber = kInstrumented && queue.machine_.fibers_for_all;
        if (work.state_ == Work::kPending && !for_fiber) [[likely]] {
            queue.first_ = work.next_;
            queue.run(work, true);
            return;
        }
    }
    queue.turn_otherwise();
}

void Workqueue::turn_otherwise() {
    if (busy()) {
        state_ += kMissedTurn;
        return;
    }
    Work& work = *first_;
    first_ = work.next_;
    if (!work.pending()) // the turn of an item that was cancelled
        spare_.push_back(&work);
    else if ((work.state_ & Work::kMayBlock) != 0 || (kInstrumented && machine_.fibers_for_all))
        run_on_fiber(work);
    else
        run(work, false);
}

/// Runs an item that does not block; a plain one has no cost either.
[[gnu::always_inline]] inline void Workqueue::run(Work& work, bool plain) {
    work.state_ ^= Work::kPending | Work::kRunning;
    state_ |= kBusy;
    try {
        ContextScope scope(machine_, worker_);
        work.fn_(work.self_, work.arg_);
    } catch (const FatalHazard&) { // the item died; a run that keeps going has another worker
        finish_otherwise(work);
        throw;
    }
    if (!plain || state_ != kBusy) [[unlikely]] {
        finish_otherwise(work);
        return;
    }
    work.state_ &= ~std::uint32_t{Work::kRunning};
    state_ = 0;
}

void Workqueue::run_on_fiber(Work& work) {
    work.state_ ^= Work::kPending | Work::kRunning;
    state_ |= kBusy;
    machine_.enter(
        worker_, true, [&work] { work.fn_(work.self_, work.arg_); },
        [this, &work] { finish_otherwise(work); });
}

void Workqueue::finish_otherwise(Work& work) {
    work.state_ &= ~std::uint32_t{Work::kRunning};
    state_ &= ~std::uint64_t{kWaitedFor};
    for (Context* context : std::exchange(cancelling_, {}))
        machine_.wake(*context);
    if (work.cost_ == 0) {
        become_free();
        return;
    }
    machine_.engine.arm(
        add_saturating(machine_.now(), work.cost_),
        [](void* self, std::uint64_t) { static_cast<Workqueue*>(self)->become_free(); }, this, 0);
}

inline void Workqueue::become_free() {
    std::uint64_t missed = state_ / kMissedTurn;
    state_ = 0;
    for (; missed > 0; --missed)
        machine_.engine.post(turn, this, 0);
}

bool Workqueue::cancel(Work& work) {
    if (!work.pending())
        return false;
    if (spare_.empty()) {
        tombstones_.push_back(std::make_unique<Work>());
        spare_.push_back(tombstones_.back().get());
    }
    Work* stand_in = spare_.back();
    spare_.pop_back();
    stand_in->next_ = work.next_;
    Work** link = &first_;
    while (*link != &work)
        link = &(*link)->next_;
    *link = stand_in;
    if (last_ == &work)
        last_ = stand_in;
    work.state_ &= ~std::uint32_t{Work::kPending};
    return true;
}

bool Workqueue::cancel_sync(Work& work) {
    Frame frame(machine_, "cancel_work_sync");
    const bool was_pending = cancel(work);
    while (work.running() && &machine_.current() != &worker_) {
        state_ |= kWaitedFor;
        cancelling_.push_back(&machine_.current());
        machine_.block("the end of a work item that is being cancelled");
    }
    return was_pending;
}

void DelayedWork::arm(Time delay) {
    if (delay == 0)
        queue_.queue(work_);
    else
        timer_.arm(add_saturating(machine_.now(), delay));
}

void DelayedWork::fire(void* self, std::uint64_t) {
    auto& delayed = *static_cast<DelayedWork*>(self);
    delayed.queue_.queue(delayed.work_);
}

bool DelayedWork::queue(Time delay) {
    if (pending())
        return false;
    arm(delay);
    return true;
}

bool DelayedWork::mod(Time delay) {
    if (delay != 0 && timer_.armed()) {
        timer_.arm(add_saturating(machine_.now(), delay));
        return true;
    }
    const bool was_pending = cancel();
    arm(delay);
    return was_pending;
}

bool DelayedWork::cancel() {
    const bool was_armed = timer_.cancel();
    return queue_.cancel(work_) || was_armed;
}

bool DelayedWork::cancel_sync() {
    const bool was_armed = timer_.cancel();
    return queue_.cancel_sync(work_) || was_armed;
}

SystemWorkqueue::SystemWorkqueue(Machine& machine, Time wakeup_cost)
    : machine_(machine), worker_(ContextKind::worker, "system_wq", machine.next_context_id()),
      wakeup_cost_(wakeup_cost) {}

void SystemWorkqueue::schedule(EventFn fn, void* self, std::uint64_t arg) {
    machine_.point(Op::queue_work, nullptr, worker_.name);
    ++machine_.counters.atomics;
    items_.push_back({fn, self, arg});
    machine_.engine.arm(add_saturating(machine_.now(), wakeup_cost_), run, this, 0);
}

void SystemWorkqueue::run(void* self, std::uint64_t) {
    auto& queue = *static_cast<SystemWorkqueue*>(self);
    const Item item = queue.items_.front();
    queue.items_.pop_front();
    if (!(kInstrumented && queue.machine_.fibers_for_all)) {
        ContextScope scope(queue.machine_, queue.worker_);
        item.fn(item.self, item.arg);
        return;
    }
    queue.machine_.start_task(
        "system_wq", [item] { item.fn(item.self, item.arg); }, nullptr, ContextKind::worker);
}

} // namespace fenceline::sim::inline FENCELINE_MODE
