// A fiber: a stack of its own on which a context of the simulated machine can block.
//
// Thin cover over Boost.Context: pooled stacks, exceptions carried out to whoever resumed the
// fiber, and the annotations that AddressSanitizer needs to follow a change of stacks. A fiber that
// is destroyed before it has ended is unwound: its destructors run.
//
// Not thread safe: a fiber belongs to the thread that made it.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

#include <exception>
#include <functional>

namespace fenceline::sim {

/// Where stacks come from and go back to; the fibers of one machine share one.
class StackPool {
  public:
    static constexpr std::size_t kStackBytes = 64 * 1024;
    StackPool() : stacks_(kStackBytes, 8, 0) {}
    [[nodiscard]] boost::context::pooled_fixedsize_stack& stacks() { return stacks_; }

  private:
    boost::context::pooled_fixedsize_stack stacks_;
};

class Fiber {
  public:
    Fiber() = default;
    /// Does not start yet: the first resume() does.
    Fiber(StackPool& pool, std::function<void()> body);
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
    ~Fiber();

    /// Runs the fiber until it suspends or ends; rethrows what it threw. Returns true when it
    /// ended. REQUIRES: not running, not ended.
    bool resume();
    /// Back to whoever resumed. REQUIRES: called on this fiber.
    void suspend();

  private:
    boost::context::fiber enter(boost::context::fiber&& caller);

    std::function<void()> body_;
    boost::context::fiber self_;   ///< the suspended fiber
    boost::context::fiber caller_; ///< the suspended resumer, while the fiber runs
    std::exception_ptr error_;
    bool ended_ = false;
    // What AddressSanitizer wants to know about the stacks; unused without it.
    void* fake_stack_ = nullptr;
    const void* caller_bottom_ = nullptr;
    std::size_t caller_size_ = 0;
    const void* own_bottom_ = nullptr;
    std::size_t own_size_ = 0;
};

} // namespace fenceline::sim
