# Tests of the test: deliberate deviations from the kernel, one rule each. For each of them the
# scheduler is built once more with one passage replaced, and random workloads have to notice within
# the first thousand. The model itself knows nothing of this: the replacement is made in a copy.
#
# A passage that is not found exactly once stops the configuration: when the model changes, its
# deviations are brought along.

if(FENCELINE_SANITIZE)
    return() # the mistakes are the same there, and each costs a compilation
endif()

# Where the scheduler is compiled as one, its files are compiled singly for this.
get_target_property(as_one fenceline_scheduler UNITY_BUILD)
if(as_one)
    get_target_property(scheduler_files fenceline_scheduler SOURCES)
    list(FILTER scheduler_files INCLUDE REGEX "\\.cpp$")
    list(FILTER scheduler_files EXCLUDE REGEX "TARGET_OBJECTS")
    add_library(scheduler_files OBJECT EXCLUDE_FROM_ALL ${scheduler_files})
    target_link_libraries(scheduler_files PUBLIC fenceline_fences PRIVATE fenceline_flags)
endif()

# fenceline_deviation(NAME "CONFORMANCE OPTIONS" FILE FROM TO [FILE FROM TO ...])
function(fenceline_deviation name options)
    set(objects)
    set(names)
    set(edits ${ARGC})
    set(at 2)
    while(at LESS edits)
        math(EXPR from_at "${at} + 1")
        math(EXPR to_at "${at} + 2")
        set(file "${ARGV${at}}")
        set(from "${ARGV${from_at}}")
        set(to "${ARGV${to_at}}")
        math(EXPR at "${at} + 3")

        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${file}")
        set(copy "${CMAKE_CURRENT_BINARY_DIR}/deviations/${name}/${file}")
        if(copy IN_LIST objects) # another edit of the same file
            file(READ "${copy}" text)
            list(REMOVE_ITEM objects "${copy}")
        else()
            file(READ "${CMAKE_SOURCE_DIR}/${file}" text)
        endif()
        string(FIND "${text}" "${from}" first)
        string(FIND "${text}" "${from}" last REVERSE)
        if(first EQUAL -1 OR NOT first EQUAL last)
            message(FATAL_ERROR "deviation ${name}: the passage to replace is not in ${file} exactly once:\n${from}")
        endif()
        string(REPLACE "${from}" "${to}" text "${text}")
        file(CONFIGURE OUTPUT "${copy}" CONTENT "${text}" @ONLY)
        list(APPEND objects "${copy}")
        get_filename_component(replaced "${file}" NAME_WE)
        list(APPEND names "${replaced}")
    endwhile()
    if(TARGET scheduler_files)
        list(JOIN names "|" names)
        list(APPEND objects
             "$<FILTER:$<TARGET_OBJECTS:scheduler_files>,EXCLUDE,/(${names})\\.cpp\\.>")
    endif()
    # The copies come first on the linker's line, so that the library's own objects stay out.
    add_executable(deviation-${name} EXCLUDE_FROM_ALL conformance.cpp fenceline_side.cpp ${objects})
    target_link_libraries(deviation-${name} PRIVATE conformance_random fenceline_workloads ${our_flags})
    set_property(GLOBAL APPEND PROPERTY FENCELINE_DEVIATIONS deviation-${name})
    add_test(NAME conformance.deviation.${name}
             COMMAND deviation-${name} --expect-difference --count 1000 --fresh 0 ${options})
endfunction()

# The timeout starts anew with every job; here it starts only when the one before is freed.
fenceline_deviation(timeout-not-rearmed "--hangs" scheduler/run_job.cpp
[=[    pending_add_tail(sched, job_ref, job);
    start_timeout(sched);]=]
[=[    pending_add_tail(sched, job_ref, job);]=]
scheduler/plain_job.cpp
[=[    sched.pending_tail = job_ref;
    start_timeout(sched);]=]
[=[    sched.pending_tail = job_ref;]=]
scheduler/plain_job.cpp
[=[    sched->pending_tail = ref;
    start_timeout(*sched);]=]
[=[    sched->pending_tail = ref;]=])

# Entities whose oldest jobs are of one time take turns; here the one that came last goes first.
fenceline_deviation(ties-reversed "--policy;fifo" scheduler/policy_fifo.cpp
[=[bool by_time = true)]=]
[=[bool by_time = false)]=]
scheduler/policy_fifo.cpp
[=[        set_key(entity, static_cast<std::int64_t>(submit_ts));]=]
[=[        const bool ready = entity.node.ready;
        set_ready(entity, false);
        set_key(entity, static_cast<std::int64_t>(submit_ts));
        entity.node.order = ~entity.node.order;
        set_ready(entity, ready);]=])

# Credits come back in the interrupt; here the free work gives them back.
fenceline_deviation(credits-back-when-freed "--policy;both"
scheduler/run_job.cpp
[=[    sched.credit_count.sub(machine, job.credits);
    sched.score.sub(machine, 1);]=]
[=[    sched.score.sub(machine, 1);]=]
scheduler/free_job.cpp
[=[    const JobRef next_ref = job.next;]=]
[=[    sched.credit_count.sub(machine, job.credits);
    const JobRef next_ref = job.next;]=]
scheduler/plain_job.cpp
[=[    log(JobEvent::free_job, job, sched.ring_index);]=]
[=[    sched.credit_count.poke(sched.credit_count.peek() - job.credits);
    log(JobEvent::free_job, job, sched.ring_index);]=])

# A dependency on the own entity is skipped; here it is waited for until it is finished.
fenceline_deviation(own-dependency-waited-for "--policy;both" scheduler/select.cpp
[=[        core.put(entity.dependency, Holder::dependency);
        return false;
    }
    const bool of_scheduler]=]
[=[        if (const auto callback =
                core.add_callback(entity.dependency, dependency_signalled, this, entity.self.pack())) {
            entity.cb = *callback;
            return true;
        }
        core.put(entity.dependency, Holder::dependency);
        return false;
    }
    const bool of_scheduler]=])

# Within one scheduler `scheduled` is enough; here `finished` is waited for.
fenceline_deviation(no-pipelining "--policy;both" scheduler/select.cpp
[=[s_fences.pair(entity.dependency).sched == sched_of(entity).name_owner) {]=]
[=[s_fences.pair(entity.dependency).sched != sched_of(entity).name_owner) {]=])

# Round robin goes on behind the entity of the last turn; here a turn in vain does not count.
fenceline_deviation(turn-in-vain-is-kept "--policy;rr"
scheduler/select.cpp
[=[    if (rq.tree == nullptr)
        rq.round_robin->picked(entity);
]=]
[=[]=]
scheduler/run_job.cpp
[=[    sched.credit_count.add(machine, job.credits);]=]
[=[    run_queues.get(entity->rq, "run queue").policy->picked(*entity);
    sched.credit_count.add(machine, job.credits);]=])

# One run of the free work frees one job; here it frees all that are finished.
fenceline_deviation(frees-all-finished "--policy;both" scheduler/free_job.cpp
[=[    if (const JobRef job = get_finished_job(sched))]=]
[=[    while (const JobRef job = get_finished_job(sched))]=]
scheduler/plain_job.cpp
[=[GpuSched::free_plain_head(Scheduler& sched, Job& job, fences::SchedFence& pair) {]=]
[=[GpuSched::free_plain_head(Scheduler& sched, Job& job, fences::SchedFence& pair) {
    if (sched.pending_head)
        return false;]=])

# A completion queues the free work, and that queues the run work; here both are queued.
fenceline_deviation(completion-starts-the-next "--policy;both" scheduler/run_job.cpp
[=[        finish_job(sched, job, result);
    }
    run_free_queue_unconditionally(sched);]=]
[=[        finish_job(sched, job, result);
    }
    run_free_queue_unconditionally(sched);
    run_job_queue(sched);]=])

# Of equally loaded schedulers the first is chosen; here the last.
fenceline_deviation(balance-takes-the-last "--policy;both" scheduler/sched_main.cpp
[=[        if (score < least) {]=]
[=[        if (score <= least) {]=])

# Killed jobs die one after the other; here each waits only for the job that ran last.
fenceline_deviation(killed-out-of-order "--rough" scheduler/entity_fini.cpp
[=[        previous = finished;]=]
[=[        core.put(finished, Holder::last_scheduled);
        previous = entity.last_scheduled ? core.take(entity.last_scheduled) : FenceRef{};]=])

# Jobs of kernel priority gain no karma; here they do.
fenceline_deviation(karma-for-kernel-jobs "--hangs" scheduler/recovery.cpp
[=[    if (job.s_priority == Priority::kernel)
        return;]=]
[=[]=])

# A job that lacks credits blocks everybody; here the next one of its entity's queue may not, but
# anybody's whose work is queued by then takes the credits that are left.
fenceline_deviation(over-the-credit-limit "--policy;both" scheduler/select.cpp
[=[    return sched.credit_limit - sched.credit_count.read(machine) >= job.credits;]=]
[=[    return sched.credit_limit > sched.credit_count.read(machine) || job.credits == 0;]=])

# What happens to a plain job in one step is held to the kernel like the rest: an entity with another
# job keeps its place in the tree; a job that finished behind the one that is freed is forgotten; a
# run of the run work is passed over although somebody is ready.
fenceline_deviation(plain-job-not-requeued "--policy;fifo" scheduler/plain_job.cpp
[=[        rq.policy->requeue(entity, jobs.get(entity.head, "job").submit_ts);]=]
[=[]=])
fenceline_deviation(plain-end-forgets-the-next "--policy;both" scheduler/plain_job.cpp
[=[    if (next != nullptr && its->finished.is_signaled_bit())
        run_free_queue_unconditionally(sched);]=]
[=[]=])
fenceline_deviation(passed-over-though-ready "--policy;both" scheduler/run_job.cpp
[=[    if (sched.ready_queues == 0 && ]=]
[=[    if (]=]
scheduler/plain_job.cpp
[=[    if (sched.ready_queues == 0 && ]=]
[=[    if (]=])
fenceline_deviation(pushed-ahead-of-the-ready "--policy;both" scheduler/plain_job.cpp
[=[sched.ready_queues == 0 &&
           !sched.pause_submit]=]
[=[!sched.pause_submit]=])

get_property(deviations GLOBAL PROPERTY FENCELINE_DEVIATIONS)
add_custom_target(conformance_deviations ALL DEPENDS ${deviations})
