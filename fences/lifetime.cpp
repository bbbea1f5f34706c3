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
    // Its finished fence has no release callback, so it lets go of the hardware fence at signal; and
    // a module goes only after everything that its fences can still call into it for.
    counted_all.parent = ParentRule::until_signal;
    counted_all.teardown = TeardownRule::drain;
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

/// `"hardware.lock": "shared"`.
std::string named(bool hardware, std::string_view key, std::string_view value) {
    return "\"" + std::string(hardware ? "hardware." : "public.") + std::string(key) + "\": \"" +
           std::string(value) + "\"";
}

/// What holds for either fence by itself.
std::optional<Contradiction> contradiction_in(const FenceRules& rules, bool hardware) {
    if (rules.context == ContextRule::refcounted && rules.release != ReleaseRule::callback)
        return Contradiction{named(hardware, "context", "refcounted") +
                                 " with \"release\": \"none\"",
                             "\"callback\", which gives the reference back"};
    if (rules.module == ModuleRule::pinned_by_context && rules.context != ContextRule::refcounted)
        return Contradiction{
            named(hardware, "module", "pinned-by-context") + " with \"context\": \"uncounted\"",
            "\"refcounted\": a context that no fence counts goes without them, and its hold on the "
            "module with it"};
    return std::nullopt;
}

/// What holds for the scheduler's own fences.
std::optional<Contradiction> contradiction_in_public(const LifetimePolicy& policy) {
    const FenceRules& own = policy.public_rules;
    const bool pair = policy.public_fence == PublicFence::split;
    if (!pair && own.lock == LockRule::shared)
        return Contradiction{
            named(false, "lock", "shared") + " with \"public_fence\": \"finished-only\"",
            "\"inline\" or a borrowed lock: there is no second fence to share one with"};
    if (pair && own.release != ReleaseRule::callback)
        return Contradiction{named(false, "release", "none") + " with \"public_fence\": \"split\"",
                             "\"callback\": finished's release lets go of scheduled, and "
                             "scheduled's of the hardware fence"};
    if (own.release != ReleaseRule::callback && policy.parent == ParentRule::until_release)
        return Contradiction{named(false, "release", "none") +
                                 " with \"parent\": \"until-release\"",
                             "\"parent\": \"until-signal\", or a release callback that puts the "
                             "hardware fence"};
    if (own.memory == MemoryRule::embedded_in_job)
        return Contradiction{named(false, "memory", "embedded-in-job"),
                             "another memory: only the driver's own fence can be part of its job "
                             "(\"hardware\": {\"memory\": \"embedded-in-job\"})"};
    return std::nullopt;
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

FenceRules LifetimePolicy::pair_rules() const {
    return public_fence == PublicFence::hardware ? LifetimePolicy().public_rules : public_rules;
}

bool LifetimePolicy::plain_jobs() const {
    const auto plain = [](const FenceRules& rules) {
        return rules.names != NamesRule::copied && rules.module == ModuleRule::unpinned &&
               (rules.memory == MemoryRule::slab || rules.memory == MemoryRule::kmalloc) &&
               rules.callbacks == CallbacksRule::uncounted;
    };
    const FenceRules own = pair_rules();
    return public_fence != PublicFence::finished_only && plain(own) && plain(hardware) &&
           (own.lock == LockRule::shared || own.lock == LockRule::in_fence) &&
           own.context == ContextRule::uncounted &&
           (hardware.ops == OpsRule::stay || hardware.release == ReleaseRule::callback) &&
           teardown != TeardownRule::assert_signalled && teardown != TeardownRule::cancel &&
           teardown != TeardownRule::wait_for_references && job_refs == RefsRule::scheduler &&
           queue_refs == RefsRule::scheduler;
}

std::optional<Contradiction> contradiction(const LifetimePolicy& policy) {
    if (policy.hardware.lock == LockRule::shared)
        return Contradiction{
            named(true, "lock", "shared"),
            "\"inline\" or a borrowed lock: only scheduled and finished can share one"};
    if (auto found = contradiction_in(policy.hardware, true))
        return found;
    if (policy.public_fence == PublicFence::hardware)
        return std::nullopt;
    if (auto found = contradiction_in(policy.public_rules, false))
        return found;
    return contradiction_in_public(policy);
}

} // namespace fenceline::fences
