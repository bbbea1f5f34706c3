/*
 * The mock driver and the state of one run, shared by driver.c (the back end of the scheduler),
 * submit.c (how a job is made and pushed) and oracle.c (what happens when).
 *
 * Ownership: records, entities and schedulers belong to the run and live until its end, so the
 * log can name a job whose kernel objects are long gone. Jobs and hardware fences are kernel
 * objects on the checking heap and belong to whoever holds them by the rules of the scheduler.
 */
#ifndef FENCELINE_CONFORMANCE_DRIVER_H
#define FENCELINE_CONFORMANCE_DRIVER_H

#include <drm/gpu_scheduler.h>

#include "oracle.h"
#include "shim/kernel.h"
#include "shim/machine.h"

struct ring;

/* What the run knows about a job, from before its submission to the end. */
struct job_record {
    const struct oracle_job* spec;
    struct ring* ring;          /* where arm bound it */
    struct dma_fence* finished; /* held for the jobs that are still to name it */
    u32 index;
    u32 uses; /* how often later jobs are still to name it */
    u32 runs; /* calls of run_job */
};

struct mock_job {
    struct drm_sched_job base;
    struct job_record* record;
};

/* Owned by the ring while it is on it, by the scheduler as the parent of the job's fences. */
struct mock_fence {
    struct dma_fence base; /* first: it is freed as a dma_fence */
    spinlock_t lock;
    struct job_record* record;
    struct mock_fence* next; /* behind it on the ring */
};

/* Serial and in order: the first fence belongs to the job that executes. */
struct ring {
    struct drm_gpu_scheduler* sched;
    const struct oracle_ring* spec;
    struct mock_fence *first, *last;
    struct shim_event* timer;
    u64 fence_context, seqno;
    u32 index;
    bool finished; /* drm_sched_fini was called */
};

struct entity {
    struct drm_sched_entity* sched_entity;
    struct drm_gpu_scheduler** sched_list;
    atomic_t* guilty;
    u32 index;
    bool fini_begun; /* somebody destroys it or has done so */
};

struct run {
    const struct oracle_workload* workload;
    oracle_listener listener;
    void* context;
    struct oracle_result* result;
    struct ring* rings;
    struct entity* entities;
    struct job_record* jobs;
    u32 next_job, next_action;
    const struct oracle_action** actions; /* in order of time */
    bool tearing_down;
};
extern struct run the_run;

/* driver.c */
extern const struct drm_sched_backend_ops mock_ops;
void log_job(enum oracle_event_kind kind, const struct job_record* record, int error);
void query_job(struct job_record* record);
void reset_ring(struct ring* ring, struct drm_sched_job* bad);

/* submit.c */
void submit_job(struct job_record* record);
void release_dependencies(struct job_record* record);
void unname(struct job_record* record);

/* oracle.c */
void check_for_the_end(void);

#endif
