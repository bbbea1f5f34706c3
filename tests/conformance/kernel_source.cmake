# Takes the files that the oracle builds from the kernel's source package, unmodified, into the
# build directory. Sets KERNEL_DIR (the extracted tree), KERNEL_INCLUDES (its chosen headers and
# the forwarding headers), or KERNEL_MISSING with the reason why there is no source.

set(FENCELINE_LINUX_SOURCE "/usr/src/linux-source-6.12.tar.xz" CACHE FILEPATH
    "Source package of Linux 6.12 (Debian: linux-source-6.12) for the conformance tests")

set(KERNEL_SOURCES
    drivers/dma-buf/dma-fence.c drivers/dma-buf/dma-fence-array.c drivers/dma-buf/dma-fence-chain.c
    drivers/dma-buf/dma-resv.c
    drivers/gpu/drm/scheduler/sched_entity.c drivers/gpu/drm/scheduler/sched_fence.c
    drivers/gpu/drm/scheduler/sched_main.c
    lib/rbtree.c lib/xarray.c)
set(KERNEL_HEADERS
    drivers/gpu/drm/scheduler/gpu_scheduler_trace.h lib/radix-tree.h
    include/drm/gpu_scheduler.h include/drm/spsc_queue.h
    include/linux/dma-fence.h include/linux/dma-fence-array.h include/linux/dma-fence-chain.h
    include/linux/dma-resv.h include/linux/list.h include/linux/poison.h
    include/linux/rbtree.h include/linux/rbtree_augmented.h include/linux/rbtree_types.h
    include/linux/xarray.h)

# Names that lead to shim/kernel.h.
set(KERNEL_FORWARDED
    asm/barrier.h drm/drm_gem.h drm/drm_print.h drm/drm_syncobj.h
    linux/atomic.h linux/bitmap.h linux/bitops.h linux/bug.h linux/compiler.h linux/completion.h
    linux/const.h linux/container_of.h linux/err.h linux/export.h linux/gfp.h linux/irq_work.h
    linux/kconfig.h linux/kref.h linux/kthread.h linux/limits.h linux/lockdep.h linux/mm.h
    linux/mmu_notifier.h linux/module.h linux/preempt.h linux/printk.h linux/rcupdate.h
    linux/sched.h linux/sched/mm.h linux/sched/signal.h linux/seq_file.h linux/seqlock.h
    linux/slab.h linux/spinlock.h linux/stddef.h linux/stringify.h linux/timekeeping.h
    linux/tracepoint.h linux/types.h linux/wait.h linux/ww_mutex.h
    trace/define_trace.h trace/events/dma_fence.h uapi/linux/sched/types.h)

function(fenceline_kernel_source)
    set(KERNEL_DIR "${CMAKE_CURRENT_BINARY_DIR}/kernel" PARENT_SCOPE)
    set(dir "${CMAKE_CURRENT_BINARY_DIR}/kernel")
    if(NOT EXISTS "${FENCELINE_LINUX_SOURCE}")
        set(KERNEL_MISSING
            "the kernel's source was not found at ${FENCELINE_LINUX_SOURCE} (Debian: apt install linux-source-6.12)"
            PARENT_SCOPE)
        return()
    endif()

    # Unpacking takes some seconds, so it is done once per package and list of files.
    file(TIMESTAMP "${FENCELINE_LINUX_SOURCE}" stamp)
    string(SHA256 stamp "${FENCELINE_LINUX_SOURCE} ${stamp} ${KERNEL_SOURCES} ${KERNEL_HEADERS}")
    set(have "")
    if(EXISTS "${dir}/stamp")
        file(READ "${dir}/stamp" have)
    endif()
    if(NOT have STREQUAL stamp)
        message(STATUS "Unpacking the scheduler's source from ${FENCELINE_LINUX_SOURCE}")
        file(REMOVE_RECURSE "${dir}")
        file(MAKE_DIRECTORY "${dir}")
        list(TRANSFORM KERNEL_SOURCES PREPEND "*/" OUTPUT_VARIABLE patterns)
        list(TRANSFORM KERNEL_HEADERS PREPEND "*/" OUTPUT_VARIABLE header_patterns)
        execute_process(
            COMMAND tar -xf "${FENCELINE_LINUX_SOURCE}" --strip-components=1 --wildcards
                    --no-wildcards-match-slash ${patterns} ${header_patterns}
            WORKING_DIRECTORY "${dir}" RESULT_VARIABLE result ERROR_VARIABLE error)
        if(NOT result EQUAL 0)
            set(KERNEL_MISSING "unpacking ${FENCELINE_LINUX_SOURCE} failed: ${error}" PARENT_SCOPE)
            return()
        endif()
        file(WRITE "${dir}/stamp" "${stamp}")
    endif()

    foreach(header IN LISTS KERNEL_FORWARDED)
        set(path "${CMAKE_CURRENT_BINARY_DIR}/forward/${header}")
        if(NOT EXISTS "${path}")
            file(WRITE "${path}" "#include \"shim/kernel.h\"\n")
        endif()
    endforeach()
    # Here alone something has to come along: the scheduler's header takes the tree types for given.
    file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/forward/linux/workqueue.h"
         "#include \"shim/kernel.h\"\n#include <linux/rbtree.h>\n")
    set(KERNEL_INCLUDES "${dir}/include" "${CMAKE_CURRENT_BINARY_DIR}/forward" PARENT_SCOPE)
endfunction()
