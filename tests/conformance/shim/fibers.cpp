// Contexts that can block, on the bare context switch of Boost.Context.
//
// The bare switch, and not boost::context::fiber, because a run that ends in a hazard leaves
// blocked contexts behind for good: their stacks hold frames of C that must not be unwound, and
// are simply used again. Fibers are pooled and live as long as the process.

#include <boost/context/detail/fcontext.hpp>

#include <memory>
#include <vector>

#include "machine.h"
#include "task.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" {
struct task_struct* shim_current;
}

namespace {

namespace context = boost::context::detail;

constexpr std::size_t stack_size = 256 * 1024;

struct Fiber {
    context::fcontext_t state = nullptr;
    std::unique_ptr<char[]> stack; // none for the caller of machine_run()
    const void* stack_bottom = nullptr;
    std::size_t stack_bytes = 0;
    void* fake_stack = nullptr;
    task_struct task{};
    bool blocked = false;
};

task_struct process_leader;
Fiber caller;
Fiber* running = &caller;
std::vector<std::unique_ptr<Fiber>> all;
std::vector<Fiber*> idle;
void (*loop_body)();

void arrived(context::transfer_t from, Fiber* self) {
    auto* previous = static_cast<Fiber*>(from.data);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(self->fake_stack, &previous->stack_bottom,
                                    &previous->stack_bytes);
#endif
    previous->state = from.fctx;
    running = self;
    shim_current = &self->task;
}

void switch_to(Fiber* target) {
    Fiber* self = running;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&self->fake_stack, target->stack_bottom, target->stack_bytes);
#endif
    arrived(context::jump_fcontext(target->state, self), self);
}

void begin(context::transfer_t from);

Fiber* starting;

void prepare(Fiber* fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(fiber->stack.get(), stack_size);
#endif
    fiber->fake_stack = nullptr;
    fiber->blocked = false;
    fiber->task = task_struct{};
    fiber->task.group_leader = &process_leader;
    fiber->task.fiber = fiber;
    fiber->state = context::make_fcontext(fiber->stack.get() + stack_size, stack_size, begin);
}

void begin(context::transfer_t from) {
    arrived(from, starting);
    loop_body();
}

Fiber* take_idle() {
    if (idle.empty()) {
        auto fiber = std::make_unique<Fiber>();
        fiber->stack = std::make_unique<char[]>(stack_size);
        fiber->stack_bottom = fiber->stack.get();
        fiber->stack_bytes = stack_size;
        prepare(fiber.get());
        idle.push_back(fiber.get());
        all.push_back(std::move(fiber));
    }
    Fiber* fiber = idle.back();
    idle.pop_back();
    starting = fiber;
    return fiber;
}

} // namespace

extern "C" {

void fibers_enter(void (*loop)(void)) {
    loop_body = loop;
    switch_to(take_idle());
}

void fibers_leave(void) {
    idle.push_back(running);
    switch_to(&caller);
}

void fibers_abort(void) {
    if (running == &caller)
        __builtin_trap(); // the caller's own stack never runs the kernel's code
    switch_to(&caller);
    __builtin_unreachable();
}

void fibers_block(void) {
    Fiber* self = running;
    self->blocked = true;
    switch_to(take_idle());
    self->blocked = false;
}

void fibers_resume(void* fiber) {
    idle.push_back(running);
    switch_to(static_cast<Fiber*>(fiber));
}

void fibers_reset(void) {
    if (idle.size() == all.size())
        return;
    idle.clear();
    for (auto& fiber : all) {
        prepare(fiber.get());
        idle.push_back(fiber.get());
    }
}

unsigned int fibers_blocked(void) {
    unsigned int count = 0;
    for (const auto& fiber : all)
        count += fiber->blocked ? 1 : 0;
    return count;
}

bool fibers_is_blocked(const void* fiber) {
    return static_cast<const Fiber*>(fiber)->blocked;
}
}
