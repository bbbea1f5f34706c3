#include "fences/lifetime.hpp"

#include <array>

namespace fenceline::fences {

namespace {

// One table per rule; the order of values is the order of the enumeration.
constexpr std::array<RuleValue, 3> kPublicFence{
    {{"hardware", 0}, {"split", 1}, {"finished-only", 2}}};
constexpr std::array<RuleValue, 6> kLock{{{"inline", 0},
                                          {"shared", 1},
                                          {"borrowed:ring", 2},
                                          {"borrowed:context", 3},
                                          {"borrowed:queue", 4},
                                          {"borrowed:device", 5}}};
constexpr std::array<RuleValue, 2> kContext{{{"uncounted", 0}, {"refcounted", 1}}};
constexpr std::array<RuleValue, 2> kRelease{{{"none", 0}, {"callback", 1}}};
constexpr std::array<RuleValue, 2> kOps{{{"static", 0}, {"detach_on_signal", 1}}};
constexpr std::array<RuleValue, 4> kNames{
    {{"direct", 0}, {"safe", 1}, {"copied", 2}, {"constant-after-signal", 3}}};
constexpr std::array<RuleValue, 3> kModule{
    {{"unpinned", 0}, {"pinned-by-fence", 1}, {"pinned-by-context", 2}}};
constexpr std::array<RuleValue, 4> kMemory{
    {{"slab", 0}, {"kmalloc", 1}, {"embedded-in-job", 2}, {"shared-allocation", 3}}};
constexpr std::array<RuleValue, 2> kParent{{{"until-release", 0}, {"until-signal", 1}}};
constexpr std::array<RuleValue, 3> kRetire{
    {{"immediate", 0}, {"after-grace-period", 1}, {"rcu-barrier", 2}}};
constexpr std::array<RuleValue, 5> kTeardown{{{"none", 0},
                                              {"drain", 1},
                                              {"cancel", 2},
                                              {"assert-signalled", 3},
                                              {"wait-for-references", 4}}};
constexpr std::array<RuleValue, 2> kRefs{{{"scheduler", 0}, {"refcounted", 1}}};
constexpr std::array<RuleValue, 2> kCallbacks{{{"uncounted", 0}, {"counted", 1}}};
constexpr std::array<RuleValue, 2> kBoolean{{{"false", 0}, {"true", 1}}};

const FenceRules& rules_of(const LifetimePolicy& policy, bool hardware) {
    return hardware ? policy.hardware : policy.public_rules;
}
FenceRules& rules_of(LifetimePolicy& policy, bool hardware) {
    return hardware ? policy.hardware : policy.public_rules;
}

template <auto Member>
constexpr Rule fence_rule(std::string_view key, std::string_view about,
                          std::span<const RuleValue> values) {
    return {key,
            about,
            true,
            values,
            [](const LifetimePolicy& policy, bool hardware) {
                return static_cast<int>(rules_of(policy, hardware).*Member);
            },
            [](LifetimePolicy& policy, bool hardware, int value) {
                auto& field = rules_of(policy, hardware).*Member;
                field = static_cast<std::remove_reference_t<decltype(field)>>(value);
            }};
}

template <auto Member>
constexpr Rule policy_rule(std::string_view key, std::string_view about,
                           std::span<const RuleValue> values) {
    return {key,
            about,
            false,
            values,
            [](const LifetimePolicy& policy, bool) { return static_cast<int>(policy.*Member); },
            [](LifetimePolicy& policy, bool, int value) {
                auto& field = policy.*Member;
                field = static_cast<std::remove_reference_t<decltype(field)>>(value);
            }};
}

using P = LifetimePolicy;
using F = FenceRules;
constexpr std::array<Rule, 15> kRules{
    {policy_rule<&P::public_fence>("public_fence",
                                   "which fence escapes to other drivers and user "
                                   "space",
                                   kPublicFence),
     fence_rule<&F::lock>("lock", "where the fence's lock lives", kLock),
     fence_rule<&F::context>("context", "whether a fence counts as a reference to its context",
                             kContext),
     fence_rule<&F::release>("release", "whether the last put calls into the driver", kRelease),
     fence_rule<&F::ops>("ops", "whether the ops table is detached at signal", kOps),
     fence_rule<&F::names>("names", "how driver and timeline names are fetched", kNames),
     fence_rule<&F::module>("module", "what keeps the module loaded", kModule),
     fence_rule<&F::memory>("memory", "where the fence's own memory comes from", kMemory),
     policy_rule<&P::parent>("parent", "how long the public fence keeps the hardware fence",
                             kParent),
     policy_rule<&P::retire>("retire",
                             "what lies between signalling and freeing what a fence "
                             "points to",
                             kRetire),
     policy_rule<&P::teardown>("teardown", "what the driver does with its fences before it goes",
                               kTeardown),
     policy_rule<&P::job_refs>("job_refs", "who keeps jobs alive", kRefs),
     policy_rule<&P::queue_refs>("queue_refs", "who keeps queues alive", kRefs),
     fence_rule<&F::callbacks>("callbacks", "whether a callback counts as a reference to its owner",
                               kCallbacks),
     policy_rule<&P::signal_on_drop>("signal_on_drop",
                                     "whether dropping the right to signal "
                                     "signals",
                                     kBoolean)}};

LifetimePolicy classic(std::string name, FenceRules hardware) {
    LifetimePolicy policy;
    policy.name = std::move(name);
    policy.public_fence = PublicFence::hardware;
    policy.public_rules = hardware;
    policy.hardware = hardware;
    return policy;
}

/// drm/sched's pair as it is by default, and a driver whose rings lend their locks.
LifetimePolicy split_policy(std::string name) {
    LifetimePolicy policy;
    policy.name = std::move(name);
    policy.public_fence = PublicFence::split;
    policy.hardware.lock = LockRule::ring;
    return policy;
}

std::array<Preset, 8> make_presets() {
    FenceRules borrowed;
    borrowed.lock = LockRule::context;

    FenceRules counted = borrowed;
    counted.context = ContextRule::refcounted;
    counted.release = ReleaseRule::callback;

    FenceRules drained;
    drained.lock = LockRule::device;
    drained.memory = MemoryRule::slab;
    LifetimePolicy drain = classic("drain-on-unload", drained);
    drain.teardown = TeardownRule::drain;
    drain.retire = RetireRule::rcu_barrier;

    LifetimePolicy safe_names = split_policy("split-safe-names");
    safe_names.public_rules.names = NamesRule::safe;
    safe_names.hardware.names = NamesRule::safe;
    safe_names.retire = RetireRule::after_grace_period;

    FenceRules detached;
    detached.ops = OpsRule::detach_on_signal;
    detached.names = NamesRule::safe;
    LifetimePolicy detach = classic("detached-ops", detached);
    detach.retire = RetireRule::after_grace_period;

    LifetimePolicy counted_all = classic("refcount-all", detached);
    counted_all.public_fence = PublicFence::finished_only;
    counted_all.retire = RetireRule::after_grace_period;
    counted_all.job_refs = RefsRule::refcounted;
    counted_all.queue_refs = RefsRule::refcounted;

    return {{{"borrowed-lock",
              "classic: lock and names borrowed from the driver's context, nothing "
              "counted (2012 to 2025)",
              classic("borrowed-lock", borrowed)},
             {"inline-lock", "every fence has its own lock; names and ops stay the driver's",
              classic("inline-lock", FenceRules{})},
             {"refcounted-context", "every fence holds a reference to its context until released",
              classic("refcounted-context", counted)},
             {"drain-on-unload", "static context and lock; unload waits until all has signalled",
              std::move(drain)},
             {"split",
              "drm/sched in 6.12: public scheduled and finished fences, private hardware "
              "fence",
              split_policy("split")},
             {"split-safe-names", "split with names that are safe after signal (6.17)",
              std::move(safe_names)},
             {"detached-ops", "own lock, ops detached at signal (7.1)", std::move(detach)},
             {"refcount-all", "jobs and queues counted, one public fence (drm_dep)",
              std::move(counted_all)}}};
}

std::string value_name(const Rule& rule, const LifetimePolicy& policy, bool hardware) {
    return std::string(rule.values[static_cast<std::size_t>(rule.get(policy, hardware))].name);
}

/// Values that documents may say and that no run can honour yet.
bool runs(const LifetimePolicy& policy, const FenceRules& fence) {
    return fence.ops == OpsRule::stay && fence.names == NamesRule::direct &&
           fence.module == ModuleRule::unpinned &&
           (fence.memory == MemoryRule::slab || fence.memory == MemoryRule::kmalloc) &&
           fence.callbacks == CallbacksRule::uncounted &&
           (policy.teardown == TeardownRule::none || policy.teardown == TeardownRule::drain);
}

} // namespace

std::span<const Rule> rules() {
    return kRules;
}

std::span<const Preset> presets() {
    static const std::array<Preset, 8> all = make_presets();
    return all;
}

const Preset* find_preset(std::string_view name) {
    for (const Preset& preset : presets())
        if (preset.name == name)
            return &preset;
    return nullptr;
}

std::optional<std::string> unsupported_reason(const LifetimePolicy& policy) {
    // Each rule alone, put into a policy that runs: the first that no longer does is the reason.
    const LifetimePolicy plain = presets()[1].policy;
    for (const Rule& rule : kRules) {
        for (const bool hardware : {false, true}) {
            if (!rule.per_fence && hardware)
                continue;
            if (rule.per_fence && !hardware && policy.public_fence == PublicFence::hardware)
                continue;
            LifetimePolicy probe = plain;
            rule.set(probe, hardware, rule.get(policy, hardware));
            const bool ok = runs(probe, probe.public_rules) && runs(probe, probe.hardware) &&
                            probe.public_fence != PublicFence::finished_only &&
                            probe.job_refs == RefsRule::scheduler &&
                            probe.queue_refs == RefsRule::scheduler && !probe.signal_on_drop;
            if (!ok)
                return std::string(rule.key) + ": " + value_name(rule, policy, hardware);
        }
    }
    // drm/sched's own fences keep what they point to by construction; only these forms are
    // modelled.
    if (policy.public_fence == PublicFence::split) {
        const FenceRules& own = policy.public_rules;
        if (own.lock != LockRule::shared && own.lock != LockRule::in_fence)
            return std::string("public.lock other than shared and inline");
        if (own.context == ContextRule::refcounted)
            return std::string("public.context: refcounted");
        if (own.release != ReleaseRule::callback)
            return std::string("public.release: none under public_fence: split");
    }
    if (policy.hardware.lock == LockRule::shared)
        return std::string("hardware.lock: shared");
    if (policy.hardware.context == ContextRule::refcounted &&
        policy.hardware.release != ReleaseRule::callback)
        return std::string("context: refcounted without release: callback");
    return std::nullopt;
}

} // namespace fenceline::fences
