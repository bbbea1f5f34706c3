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

/// All presets, in the order of their history. Not all can be run yet: see unsupported_reason().
[[nodiscard]] std::span<const Preset> presets();

/// The preset of that name, or nullptr.
[[nodiscard]] const Preset* find_preset(std::string_view name);

/// Why this version cannot run the composition (which rule, which value), or nothing when it can.
[[nodiscard]] std::optional<std::string> unsupported_reason(const LifetimePolicy& policy);

} // namespace fenceline::fences
