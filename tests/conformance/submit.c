/*
 * How a job comes into being: allocated, initialised, given its dependencies (singly or through
 * one container), armed, logged and pushed.
 */
#include "driver.h"

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>

/* A reference of its own to each fence that the job names. */
static u32 collect(const struct oracle_job* spec, struct dma_fence** fences) {
    u32 count = 0;
    for (u32 i = 0; i < spec->after_count; i++) {
        struct dma_fence* fence = the_run.jobs[spec->after[i]].finished;
        if (fence)
            fences[count++] = dma_fence_get(fence);
    }
    return count;
}

static void depend_on_array(struct drm_sched_job* job, const struct oracle_job* spec) {
    struct dma_fence** fences = kmalloc_array(spec->after_count, sizeof(*fences), GFP_KERNEL);
    u32 count = collect(spec, fences);

    if (!count) {
        kfree(fences);
        return;
    }
    struct dma_fence_array* array = dma_fence_array_create(
        (int)count, fences, dma_fence_context_alloc(1), 1, spec->via == ORACLE_VIA_ANY);
    drm_sched_job_add_dependency(job, &array->base);
}

static void depend_on_chain(struct drm_sched_job* job, const struct oracle_job* spec) {
    struct dma_fence* newest = NULL;
    u64 point = 0;

    for (u32 i = 0; i < spec->after_count; i++) {
        struct dma_fence* fence = the_run.jobs[spec->after[i]].finished;
        if (!fence)
            continue;
        struct dma_fence_chain* link = dma_fence_chain_alloc();
        dma_fence_chain_init(link, newest, dma_fence_get(fence), ++point);
        newest = &link->base;
    }
    drm_sched_job_add_dependency(job, newest);
}

/* Added as writes, taken as a reader takes them: one by one. */
static void depend_on_resv(struct drm_sched_job* job, const struct oracle_job* spec) {
    struct dma_resv* resv = kzalloc(sizeof(*resv), GFP_KERNEL);

    dma_resv_init(resv);
    dma_resv_lock(resv, NULL);
    dma_resv_reserve_fences(resv, spec->after_count);
    for (u32 i = 0; i < spec->after_count; i++) {
        struct dma_fence* fence = the_run.jobs[spec->after[i]].finished;
        if (fence)
            dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
    }
    drm_sched_job_add_resv_dependencies(job, resv, dma_resv_usage_rw(false));
    dma_resv_unlock(resv);
    dma_resv_fini(resv);
    kfree(resv);
}

static void depend_singly(struct drm_sched_job* job, const struct oracle_job* spec) {
    for (u32 i = 0; i < spec->after_count; i++)
        drm_sched_job_add_dependency(job, dma_fence_get(the_run.jobs[spec->after[i]].finished));
}

static void add_dependencies(struct drm_sched_job* job, const struct oracle_job* spec) {
    if (!spec->after_count)
        return;
    switch (spec->via) {
    case ORACLE_VIA_NONE:
        depend_singly(job, spec);
        break;
    case ORACLE_VIA_ARRAY:
    case ORACLE_VIA_ANY:
        depend_on_array(job, spec);
        break;
    case ORACLE_VIA_CHAIN:
        depend_on_chain(job, spec);
        break;
    case ORACLE_VIA_RESV:
        depend_on_resv(job, spec);
        break;
    }
}

/* One of those that name this job needs it no more. */
void unname(struct job_record* record) {
    if (--record->uses)
        return;
    dma_fence_put(record->finished);
    record->finished = NULL;
}

/* This job has named its dependencies: drop those that no later job will name. */
void release_dependencies(struct job_record* record) {
    for (u32 i = 0; i < record->spec->after_count; i++)
        unname(&the_run.jobs[record->spec->after[i]]);
}

void submit_job(struct job_record* record) {
    const struct oracle_job* spec = record->spec;
    struct entity* entity = &the_run.entities[spec->entity];
    struct mock_job* job = kzalloc(sizeof(*job), GFP_KERNEL);

    if (drm_sched_job_init(&job->base, entity->sched_entity, spec->credits, record, 0)) {
        kfree(job);
        release_dependencies(record);
        return;
    }
    job->record = record;
    add_dependencies(&job->base, spec);
    drm_sched_job_arm(&job->base);
    for (u32 i = 0; i < the_run.workload->ring_count; i++)
        if (the_run.rings[i].sched == job->base.sched)
            record->ring = &the_run.rings[i];
    if (record->uses)
        record->finished = dma_fence_get(&job->base.s_fence->finished);

    the_run.result->jobs_pushed++;
    log_job(ORACLE_EV_QUEUE, record, 0);
    drm_sched_entity_push_job(&job->base);
    release_dependencies(record);
}
