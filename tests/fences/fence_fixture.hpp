// What tests of fences need: a machine, the core under a policy, a driver's module, a scheduler's
// name.
#pragma once

#include "fences/fence_core.hpp"
#include "fences/hardware_fence.hpp"
#include "fences/lifetime.hpp"
#include "fences/sched_fence.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::fences::testing_support {

inline LifetimePolicy preset(std::string_view name) {
    return find_preset(name)->policy;
}

struct World {
    explicit World(const LifetimePolicy& policy = preset("inline-lock"))
        : core(machine, rcu, policy), gpu_sched(core.modules.alloc(Module{"gpu_sched", 0})),
          driver(core.modules.alloc(Module{"drv", 0})), s_fences(core, gpu_sched),
          h_fences(core, driver) {}
    ~World() { machine.abandon_blocked(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    OwnerRef owner(OwnerKind kind, std::string name) {
        const OwnerRef ref = core.owners.alloc();
        Owner& memory = core.owners.at(ref.index());
        memory.kind = kind;
        memory.name = std::move(name);
        return ref;
    }
    /// A fence of the given ops in memory of its own, count 1. `ops` must outlive the world.
    FenceRef fence(const FenceOps& ops, std::uint32_t seqno = 1, OwnerRef lock = {}) {
        const auto memory = core.hardware.alloc();
        core.note_allocated(1);
        core.init(core.hardware.at(memory.index()).base, core.add_ops(ops, driver), lock, 7, seqno);
        return {FencePart::hardware, memory.index(), memory.generation()};
    }
    FenceRef fence() {
        static const FenceOps plain{.type = "plain"};
        return fence(plain);
    }
    /// A scheduler's pair, initialised, named by its finished half.
    FenceRef pair(OwnerRef sched, std::uint32_t context = 1, std::uint32_t seqno = 1) {
        const FenceRef ref = s_fences.create();
        s_fences.init(ref, sched, context, seqno);
        return ref;
    }
    void run() { machine.engine.run(nullptr, 1'000'000); }
    void run_until(sim::Time when) {
        machine.engine.arm(
            when, [](void*, std::uint64_t) {}, nullptr, 0);
        machine.engine.run(nullptr, 1'000'000, when);
    }

    [[nodiscard]] std::vector<std::string> verdicts() const {
        std::vector<std::string> texts;
        for (const sim::Hazard& hazard : machine.hazards())
            texts.push_back(std::string(hazard.kind->name) + " of " + hazard.subject);
        return texts;
    }

    sim::Machine machine;
    sim::Rcu rcu{machine, 100};
    FenceCore core;
    ModuleRef gpu_sched;
    ModuleRef driver;
    SchedFences s_fences;
    HardwareFences h_fences;
};

/// Callbacks that write down their number.
struct Calls {
    static void call(void* env, FenceRef, std::uint64_t owner) {
        static_cast<Calls*>(env)->seen.push_back(owner);
    }
    std::vector<std::uint64_t> seen;
};

} // namespace fenceline::fences::testing_support
