// Lifetime policies: who owns what a fence can reach, and for how long.
//
// A policy is a composition of orthogonal rules, each with few values; there is no class per
// policy. Rules about a fence itself (FenceRules) are given twice, once for the public fence (what
// escapes to sync_file, syncobj, dma_resv) and once for the hardware fence (what run_job returns);
// where the driver's own fence is the public one, only the hardware rules matter. The named
// compositions (presets) are the policies that kernels had, have, or were offered.
//
// Everything here is a value: no ownership, no state, safe to copy and to share between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fenceline::fences {

/// Which fence user space and other drivers get to see.
enum class PublicFence : std::uint8_t { hardware, split, finished_only };
/// Where dma_fence::lock points: into the fence, to the lock that scheduled and finished share, or
/// to a lock that belongs to somebody else.
enum class LockRule : std::uint8_t { in_fence, shared, ring, context, queue, device };
/// Whether a fence counts as a reference to its context (timeline).
enum class ContextRule : std::uint8_t { uncounted, refcounted };
/// Whether the last put calls into the driver (dma_fence_ops::release).
enum class ReleaseRule : std::uint8_t { none, callback };
/// Whether dma_fence::ops stays for ever or is cleared at signal.
enum class OpsRule : std::uint8_t { stay, detach_on_signal };
/// How driver and timeline names are fetched.
enum class NamesRule : std::uint8_t { direct, safe, copied, constant_after_signal };
/// What keeps the module's text and data in memory.
enum class ModuleRule : std::uint8_t { unpinned, pinned_by_fence, pinned_by_context };
/// Where the fence's own memory comes from.
enum class MemoryRule : std::uint8_t { slab, kmalloc, embedded_in_job, shared_allocation };
/// How long the public fence keeps its reference to the hardware fence.
enum class ParentRule : std::uint8_t { until_release, until_signal };
/// What lies between signalling a fence and freeing what it points to.
enum class RetireRule : std::uint8_t { immediate, after_grace_period, rcu_barrier };
/// What the driver does with its fences before it frees what they point to.
enum class TeardownRule : std::uint8_t {
    none,
    drain,
    cancel,
    assert_signalled,
    wait_for_references
};
/// Who keeps jobs and queues alive.
enum class RefsRule : std::uint8_t { scheduler, refcounted };
/// Whether a registered callback counts as a reference to its owner.
enum class CallbacksRule : std::uint8_t { uncounted, counted };

struct FenceRules {
    LockRule lock = LockRule::in_fence;
    ContextRule context = ContextRule::uncounted;
    ReleaseRule release = ReleaseRule::none;
    OpsRule ops = OpsRule::stay;
    NamesRule names = NamesRule::direct;
    ModuleRule module = ModuleRule::unpinned;
    MemoryRule memory = MemoryRule::kmalloc;
    CallbacksRule callbacks = CallbacksRule::uncounted;

    friend bool operator==(const FenceRules&, const FenceRules&) = default;
};

struct LifetimePolicy {
    std::string name; ///< the preset's name, or what the user calls the composition
    PublicFence public_fence = PublicFence::split;
    /// Of scheduled and finished; unused with PublicFence::hardware. By default drm/sched's own:
    /// one lock for the pair, release callbacks, a slab of gpu_sched's.
    FenceRules public_rules{
        .lock = LockRule::shared, .release = ReleaseRule::callback, .memory = MemoryRule::slab};
    FenceRules hardware;
    ParentRule parent = ParentRule::until_release;
    RetireRule retire = RetireRule::immediate;
    TeardownRule teardown = TeardownRule::none;
    RefsRule job_refs = RefsRule::scheduler;
    RefsRule queue_refs = RefsRule::scheduler;
    bool signal_on_drop = false;
    /// No rule: whether the driver does at teardown what the rules demand of it (quirk
    /// `break-contract`).
    bool keeps_contract = true;

    /// What holds for the scheduler's own fences: the public rules, or, where the driver's fence is
    /// the public one, drm/sched's as they are.
    [[nodiscard]] FenceRules pair_rules() const;
    /// What the driver really does at teardown.
    [[nodiscard]] TeardownRule teardown_done() const {
        return keeps_contract ? teardown : TeardownRule::none;
    }
    [[nodiscard]] RetireRule retire_done() const {
        return keeps_contract ? retire : RetireRule::immediate;
    }
    /// Whether the fast way of plain jobs (scheduler/plain_job.cpp) knows all that these rules do
    /// to a job that nothing odd happens to.
    [[nodiscard]] bool plain_jobs() const;

    friend bool operator==(const LifetimePolicy&, const LifetimePolicy&) = default;
};

/// A value of a rule and its name in documents.
struct RuleValue {
    std::string_view name;
    int value;
};

/// A rule as documents see it: its key, the names of its values, and how to read and set it.
/// Rules with `per_fence` may stand at the top level of a composition (then they hold for both
/// fences) or inside its `public` and `hardware` objects; the others only at the top level.
struct Rule {
    std::string_view key;
    std::string_view about; ///< one line, for help and documentation
    bool per_fence;
    std::span<const RuleValue> values;
    int (*get)(const LifetimePolicy&, bool hardware);
    void (*set)(LifetimePolicy&, bool hardware, int value);
};

/// All rules, in the order in which documents list them.
[[nodiscard]] std::span<const Rule> rules();

struct Preset {
    std::string_view name;
    std::string_view about; ///< one line
    LifetimePolicy policy;
};

/// All presets, in the order of their history.
[[nodiscard]] std::span<const Preset> presets();

/// The preset of that name, or nullptr.
[[nodiscard]] const Preset* find_preset(std::string_view name);

/// Two rules of a composition that exclude each other, in the words of an error message.
struct Contradiction {
    std::string found;    ///< which value, and beside which other
    std::string expected; ///< what would do, and why this does not
};
/// The first contradiction in the composition, if there is any. Rules of the public fence do not
/// matter where the driver's own is the public one.
[[nodiscard]] std::optional<Contradiction> contradiction(const LifetimePolicy& policy);

} // namespace fenceline::fences
