/* A context that can block, as the kernel's code sees it through `current`. */
#ifndef FENCELINE_SHIM_TASK_H
#define FENCELINE_SHIM_TASK_H

#include <stdbool.h>

struct task_struct {
    unsigned int flags;
    int exit_code;
    struct task_struct* group_leader;
    void* fiber;       /* machine.h: where it runs */
    bool wake_pending; /* a wake-up has taken a place and has not run */
};

#endif
