#include "mock_driver.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace fenceline::scheduler::testing_support {

using fences::FenceRef;
using fences::Holder;

MockDriver::MockDriver(GpuSched& gpu, const std::string& name, std::uint32_t ring_index)
    : gpu_(gpu), fences_(gpu.core, gpu.core.modules.alloc(fences::Module{"mock", 0})),
      lock_owner_(gpu.core.owners.alloc()),
      irq_(sim::ContextKind::irq, name, gpu.machine.next_context_id()), ring_index_(ring_index),
      fence_context_(gpu.core.context_alloc(1)) {}

RunResult MockDriver::run_job(GpuSched& sched, JobRef ref) {
    const Job& job = sched.jobs.get(ref);
    sched.log(JobEvent::run_job, job, ring_index_);
    const FenceRef fence = fences_.create({{}, lock_owner_, {}}, fence_context_, ++seqno_);
    ring_.push_back({sched.core.take(fence), job.id, job.ordinal, job.entity_index, job.duration});
    if (ring_.size() == 1)
        start_front();
    return {fence, 0};
}

void MockDriver::free_job(GpuSched& sched, JobRef ref) {
    sched.log(JobEvent::free_job, sched.jobs.get(ref), ring_index_);
    sched.job_cleanup(ref);
    sched.jobs.free(ref);
}

TimeoutVerdict MockDriver::timedout_job(GpuSched& sched, JobRef ref) {
    const Job& job = sched.jobs.get(ref);
    sched.log(JobEvent::timedout, job, ring_index_);
    if (while_it_looks)
        while_it_looks();
    if (on_timeout != TimeoutVerdict::reset)
        return on_timeout;
    take_off(job, kEtimedout);
    free_job(sched, ref);
    return TimeoutVerdict::reset;
}

void MockDriver::cancel_job(GpuSched& sched, JobRef ref) {
    const Job& job = sched.jobs.get(ref);
    sched.log(JobEvent::cancel_job, job, ring_index_);
    take_off(job, kEcanceled);
}

std::size_t MockDriver::advance(std::size_t count) {
    std::size_t done = 0;
    for (; done < count && !ring_.empty(); ++done) {
        const Item item = ring_.front();
        gpu_.machine.engine.cancel(timer_);
        ring_.pop_front();
        if (!ring_.empty())
            start_front();
        sim::ContextScope scope(gpu_.machine, irq_);
        signal(item, 0);
    }
    return done;
}

void MockDriver::start_front() {
    if (ring_.front().duration != kByHand)
        timer_ = gpu_.machine.engine.arm(gpu_.machine.now() + ring_.front().duration, timer_fired,
                                         this, 0);
}

void MockDriver::timer_fired(void* self, std::uint64_t) {
    static_cast<MockDriver*>(self)->advance(1);
}

void MockDriver::signal(const Item& item, std::int32_t error) {
    if (error != 0)
        gpu_.core.set_error(item.fence, error);
    gpu_.sink->on_event({gpu_.machine.now(), JobEvent::hw_done, item.job, item.ordinal, item.entity,
                         ring_index_, error, 0});
    gpu_.core.signal(item.fence);
    gpu_.core.put(item.fence, Holder::driver);
}

/// Wherever it stands. False when it has completed already.
bool MockDriver::take_off(const Job& job, std::int32_t error) {
    const auto found = std::find_if(ring_.begin(), ring_.end(),
                                    [&](const Item& item) { return item.ordinal == job.ordinal; });
    if (found == ring_.end())
        return false;
    const Item item = *found;
    const bool executing = found == ring_.begin();
    ring_.erase(found);
    if (executing) {
        gpu_.machine.engine.cancel(timer_);
        if (!ring_.empty())
            start_front();
    }
    signal(item, error);
    return true;
}

void MockDriver::unload() {
    gpu_.core.owners.free(lock_owner_);
    gpu_.core.modules.free(fences_.module());
}

MockWorld::MockWorld(const Variant& variant) : variant_(variant) {
    gpu.sink = &log;
}

SchedulerArgs MockWorld::unlimited() {
    SchedulerArgs args;
    args.credit_limit = std::numeric_limits<std::uint32_t>::max();
    return args;
}

MockWorld::Ring& MockWorld::add_ring(SchedulerArgs args) {
    Ring& ring = rings.emplace_back();
    args.ring_index = static_cast<std::uint32_t>(rings.size() - 1);
    args.name = "ring" + std::to_string(args.ring_index);
    args.kernel = variant_.kernel;
    args.policy = variant_.policy;
    ring.driver = std::make_unique<MockDriver>(gpu, args.name, args.ring_index);
    args.driver = ring.driver.get();
    ring.sched = gpu.sched_init(args);
    return ring;
}

EntityRef MockWorld::add_entity(const Ring& ring, Priority priority) {
    const auto index = static_cast<std::uint32_t>(entities_.size());
    entities_.push_back(gpu.entity_init("entity" + std::to_string(index), index, priority,
                                        std::vector<SchedulerRef>{ring.sched}));
    return entities_.back();
}

FenceRef MockWorld::submit(EntityRef entity, sim::Time duration, FenceRef after) {
    const JobRef ref = gpu.job_init(entity, 1);
    Job& job = gpu.jobs.get(ref);
    job.id = job.ordinal = jobs.size();
    job.duration = duration;
    if (after)
        gpu.add_dependency(ref, core.take(after));
    gpu.job_arm(ref);
    jobs.push_back(core.take(job.s_fence));
    gpu.push_job(ref);
    return jobs.back();
}

bool MockWorld::all_finished() const {
    return std::all_of(jobs.begin(), jobs.end(), [this](FenceRef job) {
        return const_cast<MockWorld*>(this)->finished(job);
    });
}

std::int32_t MockWorld::hardware_error(FenceRef job) {
    const FenceRef parent = gpu.s_fences.pair(job).parent;
    return parent ? core.get(parent).error : 0;
}

void MockWorld::run_for(sim::Time time) {
    const sim::Time until = machine.now() + time;
    machine.engine.run(nullptr, 100'000'000, until);
    machine.engine.advance_to(until);
}

void MockWorld::sleep(sim::Time time) {
    struct Alarm {
        sim::Machine& machine;
        sim::Completion rung;
    } alarm{machine, {}}; // outlives its timer: this frame waits for it
    machine.engine.arm(
        machine.now() + time,
        [](void* self, std::uint64_t) {
            auto& due = *static_cast<Alarm*>(self);
            due.rung.complete_all(due.machine);
        },
        &alarm, 0);
    alarm.rung.wait(machine, "a timer");
}

void MockWorld::fini_entities() {
    for (const EntityRef entity : entities_)
        if (!gpu.entities.get(entity).fini_done)
            gpu.entity_fini(entity);
}

void MockWorld::fini_scheduler(Ring& ring) {
    gpu.sched_fini(ring.sched);
    ring.ended = true;
}

void MockWorld::end() {
    task("end", [this] {
        fini_entities();
        sleep(sim::kMillisecond); // what was killed is freed by work
        for (Ring& ring : rings) {
            if (!ring.ended)
                fini_scheduler(ring);
            note_balance(ring);
            gpu.free_scheduler(ring.sched);
        }
        for (const FenceRef job : std::exchange(jobs, {}))
            core.put(job, Holder::workload);
        for (Ring& ring : rings)
            if (ring.driver->in_flight() == 0)
                ring.driver->unload();
    });
    run();
}

void MockWorld::note_balance(const Ring& ring) {
    const Scheduler& sched = gpu.schedulers.get(ring.sched);
    if (const auto credits = sched.credit_count.peek(); credits != 0)
        unbalanced_.push_back(std::to_string(credits) + " credits of " + sched.name);
    if (const auto score = sched.score.peek(); score != 0)
        unbalanced_.push_back("a score of " + std::to_string(score) + " on " + sched.name);
}

std::vector<std::string> MockWorld::leftovers() {
    std::vector<std::string> texts = unbalanced_;
    const auto note = [&](const char* what, std::size_t count, std::size_t expected = 0) {
        if (count != expected)
            texts.push_back(std::to_string(count) + " " + what);
    };
    note("jobs", gpu.jobs.live());
    note("pairs", core.pairs.live());
    note("hardware fences", core.hardware.live());
    note("schedulers", gpu.schedulers.live());
    note("run queues", gpu.run_queues.live());
    note("owners", core.owners.live());
    note("modules", core.modules.live(), 1); // gpu_sched stays
    note("tasks", machine.blocked().size());
    for (const sim::Hazard& hazard : machine.hazards())
        texts.push_back(hazard.message);
    return texts;
}

} // namespace fenceline::scheduler::testing_support
