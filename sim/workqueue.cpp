#include "sim/workqueue.hpp"

#include <algorithm>
#include <utility>

namespace fenceline::sim::inline FENCELINE_MODE {

Workqueue::Workqueue(Machine& machine, std::string name, Time wakeup_cost)
    : machine_(machine), worker_(ContextKind::worker, std::move(name), machine.next_context_id()),
      wakeup_cost_(wakeup_cost) {}

void Workqueue::push(Queued item) {
    if (front_ == queue_.size()) {
        queue_.clear();
        front_ = 0;
    }
    queue_.push_back(item);
}

Workqueue::Queued Workqueue::pop() { return queue_[front_++]; }

bool Workqueue::queue(Work& work) {
    machine_.point(Op::queue_work, &work);
    ++machine_.counters.atomics; // test_and_set of WORK_STRUCT_PENDING
    if (work.pending_)
        return false;
    work.pending_ = true;
    const bool idle = front_ == queue_.size() && !busy_;
    push({&work, ++work.ticket_});
    const Time now = machine_.now();
    if (idle)
        last_start_ = add_saturating(now, wakeup_cost_);
    if (last_start_ <= now)
        machine_.engine.post(turn, this, 0);
    else
        machine_.engine.arm(last_start_, turn, this, 0);
    return true;
}

/// One turn was taken for every queued item; it runs whichever item is first by then.
void Workqueue::turn(void* self, std::uint64_t) {
    auto& queue = *static_cast<Workqueue*>(self);
    if (queue.busy_) {
        ++queue.missed_turns_;
        return;
    }
    const Queued item = queue.pop();
    if (item.work->pending_ && item.work->ticket_ == item.ticket) [[likely]]
        queue.begin(*item.work);
}

void Workqueue::begin(Work& work) {
    work.pending_ = false;
    work.running_ = true;
    busy_ = true;
    if (!work.may_block_ && !machine_.fibers_for_all) [[likely]] {
        try {
            ContextScope scope(machine_, worker_);
            work.fn_(work.self_, work.arg_);
        } catch (const FatalHazard&) { // the item died; a run that keeps going has another worker
            finish(work);
            throw;
        }
        finish(work);
        return;
    }
    machine_.enter(
        worker_, true, [&work] { work.fn_(work.self_, work.arg_); },
        [this, &work] { finish(work); });
}

void Workqueue::finish(Work& work) {
    work.running_ = false;
    for (Context* context : std::exchange(cancelling_, {}))
        machine_.wake(*context);
    if (work.cost_ == 0) [[likely]] {
        become_free();
        return;
    }
    last_start_ = std::max(last_start_, machine_.now());
    machine_.engine.arm(
        add_saturating(machine_.now(), work.cost_),
        [](void* self, std::uint64_t) { static_cast<Workqueue*>(self)->become_free(); }, this, 0);
}

void Workqueue::become_free() {
    busy_ = false;
    for (; missed_turns_ > 0; --missed_turns_)
        machine_.engine.post(turn, this, 0);
}

bool Workqueue::cancel_sync(Work& work) {
    Frame frame(machine_, "cancel_work_sync");
    const bool was_pending = work.pending_;
    work.pending_ = false;
    ++work.ticket_;
    while (work.running_ && &machine_.current() != &worker_) {
        cancelling_.push_back(&machine_.current());
        machine_.block("the end of a work item that is being cancelled");
    }
    return was_pending;
}

SystemWorkqueue::SystemWorkqueue(Machine& machine, Time wakeup_cost)
    : machine_(machine), worker_(ContextKind::worker, "system_wq", machine.next_context_id()),
      wakeup_cost_(wakeup_cost) {}

void SystemWorkqueue::schedule(EventFn fn, void* self, std::uint64_t arg) {
    machine_.point(Op::queue_work, this);
    ++machine_.counters.atomics;
    items_.push_back({fn, self, arg});
    machine_.engine.arm(add_saturating(machine_.now(), wakeup_cost_), run, this, 0);
}

void SystemWorkqueue::run(void* self, std::uint64_t) {
    auto& queue = *static_cast<SystemWorkqueue*>(self);
    const Item item = queue.items_.front();
    queue.items_.pop_front();
    if (!queue.machine_.fibers_for_all) {
        ContextScope scope(queue.machine_, queue.worker_);
        item.fn(item.self, item.arg);
        return;
    }
    queue.machine_.start_task("system_wq", [item] { item.fn(item.self, item.arg); });
}

} // namespace fenceline::sim::inline FENCELINE_MODE
