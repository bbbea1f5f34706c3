#include "sim/fiber.hpp"

#include <boost/context/fixedsize_stack.hpp>

#include <cassert>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define FENCELINE_ASAN 1
#else
#define FENCELINE_ASAN 0
#endif

namespace fenceline::sim {

namespace {

/// Remembers where the stack that the pool hands out lies, which Boost.Context does not tell.
struct ObservedStack {
    boost::context::pooled_fixedsize_stack* pool;
    const void** bottom;
    std::size_t* size;

    boost::context::stack_context allocate() {
#if FENCELINE_ASAN
        // Its frames are several times as large: no pool, and room for the deepest recursion.
        boost::context::stack_context context =
            boost::context::fixedsize_stack(8 * StackPool::kStackBytes).allocate();
#else
        boost::context::stack_context context = pool->allocate();
#endif
        *bottom = static_cast<const char*>(context.sp) - context.size;
        *size = context.size;
        return context;
    }
    void deallocate(boost::context::stack_context& context) {
#if FENCELINE_ASAN
        boost::context::fixedsize_stack(8 * StackPool::kStackBytes).deallocate(context);
#else
        pool->deallocate(context);
#endif
    }
};

} // namespace

Fiber::Fiber(StackPool& pool, std::function<void()> body) : body_(std::move(body)) {
    self_ = boost::context::fiber(
        std::allocator_arg, ObservedStack{&pool.stacks(), &own_bottom_, &own_size_},
        [this](boost::context::fiber&& caller) { return enter(std::move(caller)); });
}

Fiber::~Fiber() {
    if (!self_)
        return;
        // Boost.Context unwinds a suspended fiber when its handle dies.
#if FENCELINE_ASAN
    if (!caller_bottom_) { // never started: nothing of ours to unwind
        self_ = boost::context::fiber();
        return;
    }
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, own_bottom_, own_size_);
    ended_ = true;
    self_ = boost::context::fiber();
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    self_ = boost::context::fiber();
#endif
}

boost::context::fiber Fiber::enter(boost::context::fiber&& caller) {
#if FENCELINE_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &caller_bottom_, &caller_size_);
#endif
    caller_ = std::move(caller);
    try {
        body_();
    } catch (const boost::context::detail::forced_unwind&) {
#if FENCELINE_ASAN
        __sanitizer_start_switch_fiber(nullptr, caller_bottom_, caller_size_);
#endif
        throw;
    } catch (...) {
        error_ = std::current_exception();
    }
    ended_ = true;
#if FENCELINE_ASAN
    __sanitizer_start_switch_fiber(nullptr, caller_bottom_, caller_size_);
#endif
    return std::move(caller_);
}

bool Fiber::resume() {
    assert(self_ && !ended_);
#if FENCELINE_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, own_bottom_, own_size_);
    self_ = std::move(self_).resume();
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    self_ = std::move(self_).resume();
#endif
    if (error_)
        std::rethrow_exception(std::exchange(error_, nullptr));
    return ended_;
}

void Fiber::suspend() {
#if FENCELINE_ASAN
    __sanitizer_start_switch_fiber(&fake_stack_, caller_bottom_, caller_size_);
    try {
        caller_ = std::move(caller_).resume();
    } catch (const boost::context::detail::forced_unwind&) {
        __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_size_);
        throw;
    }
    __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_size_);
#else
    caller_ = std::move(caller_).resume();
#endif
}

} // namespace fenceline::sim
