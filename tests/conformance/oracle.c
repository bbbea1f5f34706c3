/*
 * One run from set-up to teardown: the schedulers and entities of the workload, the listed jobs
 * and actions at their times, and the end as the rules of order have it.
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

extern int drm_sched_policy;
int shim_module_init(void);

/* --- set-up ----------------------------------------------------------------------------------- */
static struct drm_gpu_scheduler** sched_list(const u32* rings, u32 count) {
    struct drm_gpu_scheduler** list = kmalloc_array(count, sizeof(*list), GFP_KERNEL);
    for (u32 i = 0; i < count; i++)
        list[i] = the_run.rings[rings[i]].sched;
    return list;
}

static void set_up_ring(struct ring* ring, const struct oracle_ring* spec, u32 index) {
    struct drm_sched_init_args args = {
        .ops = &mock_ops,
        .num_rqs = DRM_SCHED_PRIORITY_COUNT,
        .credit_limit = spec->credit_limit,
        .hang_limit = spec->hang_limit,
        .timeout = spec->timeout >= (uint64_t)MAX_SCHEDULE_TIMEOUT ? MAX_SCHEDULE_TIMEOUT
                                                                   : (long)spec->timeout,
        .name = spec->name,
    };
    *ring = (struct ring){.spec = spec, .index = index};
    ring->sched = kzalloc(sizeof(*ring->sched), GFP_KERNEL);
    ring->fence_context = dma_fence_context_alloc(1);
    drm_sched_init(ring->sched, &args);
}

static void set_up_entity(struct entity* entity, const struct oracle_entity* spec, u32 index) {
    *entity = (struct entity){.index = index};
    entity->sched_entity = kzalloc(sizeof(*entity->sched_entity), GFP_KERNEL);
    entity->sched_list = sched_list(spec->rings, spec->ring_count);
    if (spec->guilty_flag)
        entity->guilty = kzalloc(sizeof(*entity->guilty), GFP_KERNEL);
    drm_sched_entity_init(entity->sched_entity, (enum drm_sched_priority)spec->priority,
                          entity->sched_list, spec->ring_count, entity->guilty);
}

static void set_up(void) {
    const struct oracle_workload* w = the_run.workload;
    static bool module_ready;
    if (!module_ready)
        module_ready = shim_module_init() == 0;
    drm_sched_policy = w->policy == ORACLE_RR ? 0 : 1;
    for (u32 i = 0; i < w->ring_count; i++)
        set_up_ring(&the_run.rings[i], &w->rings[i], i);
    for (u32 i = 0; i < w->entity_count; i++)
        set_up_entity(&the_run.entities[i], &w->entities[i], i);
}

/* --- actions ---------------------------------------------------------------------------------- */
static void destroy_entity(struct entity* entity) {
    if (entity->fini_begun)
        return;
    entity->fini_begun = true;
    drm_sched_entity_destroy(entity->sched_entity);
}

static void fini_entity(struct entity* entity) {
    if (entity->fini_begun)
        return;
    entity->fini_begun = true;
    drm_sched_entity_fini(entity->sched_entity);
}

/* The owner got SIGKILL: its task flushes while it exits, without time to wait, then finis. */
static void kill_entity(struct entity* entity) {
    if (entity->fini_begun)
        return;
    entity->fini_begun = true;
    current->flags |= PF_EXITING;
    current->exit_code = SIGKILL;
    drm_sched_entity_flush(entity->sched_entity, 0);
    drm_sched_entity_fini(entity->sched_entity);
    current->flags = 0;
    current->exit_code = 0;
}

static void fini_scheduler(struct ring* ring) {
    if (ring->finished)
        return;
    ring->finished = true;
    drm_sched_fini(ring->sched);
}

static void modify_sched(struct entity* entity, const struct oracle_action* action) {
    kfree(entity->sched_list);
    entity->sched_list = sched_list(action->rings, action->ring_count);
    drm_sched_entity_modify_sched(entity->sched_entity, entity->sched_list, action->ring_count);
}

static void set_deadline(struct job_record* record, u64 deadline) {
    if (record->finished)
        dma_fence_set_deadline(record->finished, (ktime_t)deadline);
}

static void run_action(const struct oracle_action* action) {
    struct entity* entity = &the_run.entities[action->entity];
    struct ring* ring = &the_run.rings[action->ring];

    switch (action->kind) {
    case ORACLE_DESTROY_ENTITY:
        destroy_entity(entity);
        break;
    case ORACLE_KILL_ENTITY:
        kill_entity(entity);
        break;
    case ORACLE_FINI_ENTITY:
        fini_entity(entity);
        break;
    case ORACLE_SET_PRIORITY:
        drm_sched_entity_set_priority(entity->sched_entity,
                                      (enum drm_sched_priority)action->priority);
        break;
    case ORACLE_MODIFY_SCHED:
        modify_sched(entity, action);
        break;
    case ORACLE_FINI_SCHEDULER:
        fini_scheduler(ring);
        break;
    case ORACLE_RESET_RING:
        reset_ring(ring, NULL);
        break;
    case ORACLE_QUERY:
        query_job(&the_run.jobs[action->job]);
        unname(&the_run.jobs[action->job]);
        break;
    case ORACLE_SET_DEADLINE:
        set_deadline(&the_run.jobs[action->job], action->deadline);
        unname(&the_run.jobs[action->job]);
        break;
    }
}

/* --- what is listed -----------------------------------------------------------------------------
 */
static u64 next_job_time(void) {
    const struct oracle_workload* w = the_run.workload;
    return the_run.next_job < w->job_count ? w->jobs[the_run.next_job].at : ORACLE_NEVER;
}

static u64 next_action_time(void) {
    return the_run.next_action < the_run.workload->action_count
               ? the_run.actions[the_run.next_action]->at
               : ORACLE_NEVER;
}

static uint64_t next_listed(void) {
    u64 job = next_job_time(), action = next_action_time();
    return job <= action ? job : action;
}

static void run_listed(void) {
    if (next_job_time() <= next_action_time())
        submit_job(&the_run.jobs[the_run.next_job++]);
    else
        run_action(the_run.actions[the_run.next_action++]);
    check_for_the_end();
}

static const struct machine_listed listed = {next_listed, run_listed};

/* The normal end: nothing listed is left and every job that was pushed has been freed. */
static bool at_the_end(void) {
    const struct oracle_workload* w = the_run.workload;
    return the_run.next_job == w->job_count && the_run.next_action == w->action_count &&
           the_run.result->jobs_freed == the_run.result->jobs_pushed;
}

void check_for_the_end(void) {
    if (!the_run.tearing_down && at_the_end())
        machine_stop();
}

/* --- teardown -----------------------------------------------------------------------------------
 */
static void destroy_entities(void) {
    for (u32 i = 0; i < the_run.workload->entity_count; i++)
        destroy_entity(&the_run.entities[i]);
}

static void fini_entities(void) {
    for (u32 i = 0; i < the_run.workload->entity_count; i++)
        fini_entity(&the_run.entities[i]);
}

static void fini_schedulers(void) {
    for (u32 i = 0; i < the_run.workload->ring_count; i++)
        fini_scheduler(&the_run.rings[i]);
}

/* What is the run's own, once nothing can happen any more. */
static void release(void) {
    const struct oracle_workload* w = the_run.workload;
    for (u32 i = 0; i < w->job_count; i++) {
        dma_fence_put(the_run.jobs[i].finished);
        the_run.jobs[i].finished = NULL;
    }
    for (u32 i = 0; i < w->entity_count; i++) {
        kfree(the_run.entities[i].sched_entity);
        kfree(the_run.entities[i].sched_list);
        kfree(the_run.entities[i].guilty);
    }
    for (u32 i = 0; i < w->ring_count; i++)
        kfree(the_run.rings[i].sched);
}

static bool run_all(struct oracle_result* result) {
    if (machine_run(set_up, NULL, ORACLE_NEVER - 1) == MACHINE_HAZARD)
        return false;
    u64 limit = min(the_run.workload->until, ORACLE_NEVER - 1);
    /* An empty workload is at its end before it begins. */
    enum machine_stop stop = at_the_end() ? MACHINE_STOPPED : machine_run(NULL, &listed, limit);
    if (stop == MACHINE_HAZARD)
        return false;
    if (stop == MACHINE_LIMIT)
        shim_now = limit;
    result->end = stop == MACHINE_STOPPED ? ORACLE_END_NORMAL
                  : stop == MACHINE_LIMIT ? ORACLE_END_UNTIL
                                          : ORACLE_END_STUCK;
    result->end_time = shim_now;
    the_run.tearing_down = true;

    void (*end_entities)(void) =
        result->end == ORACLE_END_NORMAL ? destroy_entities : fini_entities;
    if (machine_run(end_entities, NULL, ORACLE_NEVER - 1) == MACHINE_HAZARD ||
        machine_run(fini_schedulers, NULL, ORACLE_NEVER - 1) == MACHINE_HAZARD)
        return false;
    result->blocked = machine_blocked();
    if (result->blocked) {
        result->hazard = ORACLE_HAZARD_DEADLOCK;
        snprintf(result->hazard_text, sizeof(result->hazard_text), "%u contexts never came back",
                 result->blocked);
        return false;
    }
    return machine_run(release, NULL, ORACLE_NEVER - 1) != MACHINE_HAZARD;
}

/* --- entry ---------------------------------------------------------------------------------------
 */
static bool indices_valid(const u32* list, u32 count, u32 limit) {
    for (u32 i = 0; i < count; i++)
        if (list[i] >= limit)
            return false;
    return true;
}

static bool names_job(const struct oracle_action* action) {
    return action->kind == ORACLE_QUERY || action->kind == ORACLE_SET_DEADLINE;
}

static bool workload_valid(const struct oracle_workload* w) {
    for (u32 i = 0; i < w->entity_count; i++)
        if (!w->entities[i].ring_count ||
            !indices_valid(w->entities[i].rings, w->entities[i].ring_count, w->ring_count))
            return false;
    for (u32 i = 0; i < w->job_count; i++) {
        const struct oracle_job* job = &w->jobs[i];
        if (job->entity >= w->entity_count || !indices_valid(job->after, job->after_count, i) ||
            (i && job->at < w->jobs[i - 1].at))
            return false;
    }
    for (u32 i = 0; i < w->action_count; i++) {
        const struct oracle_action* action = &w->actions[i];
        if ((w->entity_count && action->entity >= w->entity_count) ||
            action->ring >= w->ring_count || (names_job(action) && action->job >= w->job_count) ||
            !indices_valid(action->rings, action->ring_count, w->ring_count))
            return false;
    }
    return w->ring_count != 0;
}

/* Listed order within one time, as the qsort of the C library does not promise it. */
static void sort_actions(const struct oracle_action** actions, u32 count) {
    for (u32 i = 1; i < count; i++)
        for (u32 j = i; j && actions[j]->at < actions[j - 1]->at; j--) {
            const struct oracle_action* swap = actions[j];
            actions[j] = actions[j - 1];
            actions[j - 1] = swap;
        }
}

static void prepare_records(const struct oracle_workload* w) {
    for (u32 i = 0; i < w->job_count; i++) {
        the_run.jobs[i].spec = &w->jobs[i];
        the_run.jobs[i].index = i;
        for (u32 k = 0; k < w->jobs[i].after_count; k++)
            the_run.jobs[w->jobs[i].after[k]].uses++;
    }
    for (u32 i = 0; i < w->action_count; i++) {
        the_run.actions[i] = &w->actions[i];
        if (names_job(&w->actions[i]))
            the_run.jobs[w->actions[i].job].uses++;
    }
    sort_actions(the_run.actions, w->action_count);
}

int oracle_run(const struct oracle_workload* workload, oracle_listener listener, void* context,
               struct oracle_result* result) {
    *result = (struct oracle_result){0};
    if (!workload_valid(workload))
        return -EINVAL;
    machine_reset(result, workload->rcu_grace_period);
    the_run = (struct run){
        .workload = workload,
        .listener = listener,
        .context = context,
        .result = result,
        .rings = calloc(workload->ring_count, sizeof(struct ring)),
        .entities = calloc(workload->entity_count + 1, sizeof(struct entity)),
        .jobs = calloc(workload->job_count + 1, sizeof(struct job_record)),
        .actions = calloc(workload->action_count + 1, sizeof(struct oracle_action*)),
    };
    prepare_records(workload);
    if (run_all(result)) {
        struct heap_leaks leaks = heap_leaks();
        result->leaked_blocks = leaks.blocks;
        result->leaked_bytes = leaks.bytes;
        result->leak_first = leaks.first;
    } else {
        result->end = ORACLE_END_HAZARD;
    }
    free(the_run.rings);
    free(the_run.entities);
    free(the_run.jobs);
    free(the_run.actions);
    return 0;
}

const char* oracle_hazard_name(enum oracle_hazard hazard) {
    static const char* const names[] = {"none",      "use after free", "double free", "bad access",
                                        "reference", "lock",           "bug",         "deadlock"};
    return names[hazard];
}

const char* oracle_event_name(enum oracle_event_kind kind) {
    static const char* const names[] = {"queue",    "run_job",  "scheduled", "hw_done",
                                        "finished", "free_job", "timedout",  "reset"};
    return names[kind];
}
