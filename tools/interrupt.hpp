// Ctrl-C: the first one asks the command to end with what it has, the second ends the process.
//
// While an Interrupter lives, SIGINT and SIGTERM are its. The commands look at requested() now and
// then, from any thread. At most one exists at a time.
#pragma once

#include <atomic>
#include <memory>

namespace fenceline::tools {

class Interrupter {
  public:
    Interrupter();
    Interrupter(const Interrupter&) = delete;
    Interrupter& operator=(const Interrupter&) = delete;
    ~Interrupter();

    [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_relaxed); }

  private:
    struct Listener;

    std::atomic<bool> requested_{false};
    std::unique_ptr<Listener> listener_;
};

} // namespace fenceline::tools
