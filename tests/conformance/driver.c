/*
 * The mock driver: the back end of the scheduler over a serial ring that executes jobs in the
 * order of run_job, each for its duration, and signals a hardware fence from its interrupt.
 */
#include "driver.h"

struct run the_run;

static void emit(enum oracle_event_kind kind, u32 job, u32 entity, u32 ring, int error) {
    struct oracle_event event = {shim_now, kind, job, entity, ring, error, NULL, NULL};
    the_run.result->events[kind]++;
    if (the_run.listener)
        the_run.listener(the_run.context, &event);
}

void log_job(enum oracle_event_kind kind, const struct job_record* record, int error) {
    emit(kind, record->index, record->spec->entity, record->ring->index, error);
}

/* What SYNC_IOC_FILE_INFO asks of a fence. */
void query_job(struct job_record* record) {
    struct oracle_event event = {
        .t = shim_now, .kind = ORACLE_EV_QUERY, .job = record->index, .entity = record->spec->entity};
    struct dma_fence* fence = record->finished;

    if (fence) {
        event.timeline = fence->ops->get_timeline_name(fence);
        event.driver = fence->ops->get_driver_name(fence);
        event.error = dma_fence_get_status(fence);
    }
    if (the_run.listener)
        the_run.listener(the_run.context, &event);
}

/* --- the hardware fence ------------------------------------------------------------------- */
static const char* fence_name(struct dma_fence* fence) {
    (void)fence;
    return "mock";
}

static const struct dma_fence_ops fence_ops = {
    .get_driver_name = fence_name,
    .get_timeline_name = fence_name,
};

/* Called between the setting of the signalled bit and the first callback of any fence. */
void trace_dma_fence_signaled(struct dma_fence* fence) {
    if (fence->ops == &fence_ops) {
        log_job(ORACLE_EV_HW_DONE, container_of(fence, struct mock_fence, base)->record,
                fence->error);
        return;
    }
    struct drm_sched_fence* s_fence = to_drm_sched_fence(fence);
    if (!s_fence)
        return; /* a container */
    if (fence == &s_fence->scheduled)
        log_job(ORACLE_EV_SCHEDULED, s_fence->owner, 0);
    else
        log_job(ORACLE_EV_FINISHED, s_fence->owner, fence->error);
}

static struct mock_fence* new_fence(struct job_record* record) {
    struct mock_fence* fence = kzalloc(sizeof(*fence), GFP_KERNEL);
    struct ring* ring = record->ring;

    fence->record = record;
    spin_lock_init(&fence->lock);
    dma_fence_init(&fence->base, &fence_ops, &fence->lock, ring->fence_context, ++ring->seqno);
    return fence;
}

/* --- the ring ------------------------------------------------------------------------------- */
static void interrupt(void* argument);

static void start_first(struct ring* ring) {
    if (!ring->first)
        return;
    uint64_t duration = ring->first->record->spec->duration, at;
    if (duration == ORACLE_NEVER || __builtin_add_overflow(shim_now, duration, &at))
        return;
    ring->timer = machine_arm(at, interrupt, ring);
}

/* The ring goes on first; then the interrupt signals the finished job's fence. */
static void interrupt(void* argument) {
    struct ring* ring = argument;
    struct mock_fence* done = ring->first;

    ring->timer = NULL;
    ring->first = done->next;
    if (!ring->first)
        ring->last = NULL;
    start_first(ring);
    dma_fence_signal(&done->base);
    dma_fence_put(&done->base);
}

static void put_on_ring(struct ring* ring, struct mock_fence* fence) {
    dma_fence_get(&fence->base);
    fence->next = NULL;
    if (ring->last) {
        ring->last->next = fence;
        ring->last = fence;
        return;
    }
    ring->first = ring->last = fence;
    start_first(ring);
}

static void empty_ring(struct ring* ring) {
    if (ring->timer)
        machine_cancel(ring->timer);
    ring->timer = NULL;
    while (ring->first) {
        struct mock_fence* fence = ring->first;
        ring->first = fence->next;
        dma_fence_put(&fence->base);
    }
    ring->last = NULL;
}

/* --- the back end --------------------------------------------------------------------------- */
static struct job_record* record_of(struct drm_sched_job* job) {
    return container_of(job, struct mock_job, base)->record;
}

#define RUNS_BEFORE_REFUSAL 3

static struct dma_fence* mock_run_job(struct drm_sched_job* job) {
    struct job_record* record = record_of(job);
    int error = job->s_fence->finished.error;
    bool refused = ++record->runs > RUNS_BEFORE_REFUSAL;

    if (!error && refused)
        error = -ETIME;
    else if (!error && record->spec->run == ORACLE_RUN_ERROR)
        error = -EIO;
    log_job(ORACLE_EV_RUN_JOB, record, error);
    if (job->s_fence->finished.error || record->spec->run == ORACLE_RUN_NO_FENCE)
        return NULL;
    if (error)
        return ERR_PTR(error);

    struct mock_fence* fence = new_fence(record);
    if (record->spec->run == ORACLE_RUN_SIGNALLED)
        dma_fence_signal(&fence->base);
    else
        put_on_ring(record->ring, fence);
    return &fence->base;
}

static void mock_free_job(struct drm_sched_job* job) {
    log_job(ORACLE_EV_FREE_JOB, record_of(job), 0);
    drm_sched_job_cleanup(job);
    kfree(container_of(job, struct mock_job, base));
    the_run.result->jobs_freed++;
    check_for_the_end();
}

/* The recovery that drivers of the time perform; `bad` is the job that hangs, if there is one. */
void reset_ring(struct ring* ring, struct drm_sched_job* bad) {
    drm_sched_stop(ring->sched, bad);
    if (bad)
        drm_sched_increase_karma(bad);
    empty_ring(ring);
    emit(ORACLE_EV_RESET, 0, 0, ring->index, 0);
    if (ring->spec->on_timeout != ORACLE_RESET_NO_RESUBMIT)
        drm_sched_resubmit_jobs(ring->sched);
    drm_sched_start(ring->sched);
}

static enum drm_gpu_sched_stat mock_timedout_job(struct drm_sched_job* job) {
    struct job_record* record = record_of(job);

    log_job(ORACLE_EV_TIMEDOUT, record, 0);
    if (record->ring->spec->on_timeout == ORACLE_NO_DEVICE)
        return DRM_GPU_SCHED_STAT_ENODEV;
    reset_ring(record->ring, job);
    return DRM_GPU_SCHED_STAT_NOMINAL;
}

const struct drm_sched_backend_ops mock_ops = {
    .run_job = mock_run_job,
    .timedout_job = mock_timedout_job,
    .free_job = mock_free_job,
};
