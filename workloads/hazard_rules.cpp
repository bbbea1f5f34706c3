#include "workloads/hazard_rules.hpp"

#include <span>

namespace fenceline::workloads {

namespace {

using fences::LifetimePolicy;
using sim::Hazard;

using Holds = bool (*)(const Hazard&, const LifetimePolicy&);

struct Entry {
    std::string_view kind;    ///< empty: any
    std::string_view subject; ///< likewise
    Holds holds;              ///< null: always
    std::string_view rule;    ///< key of fences::rules()
    enum Which : std::uint8_t { of_public, of_hardware, of_policy } which;
    std::string_view about;
};

/// The scheduler's fence it is that is locked.
bool is_of_pair(const Hazard& hazard, const LifetimePolicy& policy) {
    return policy.public_fence != fences::PublicFence::hardware &&
           hazard.fence_pool == "scheduler fence";
}
template <fences::LockRule Rule, Entry::Which Of>
bool lock_is(const Hazard& hazard, const LifetimePolicy& policy) {
    return Of == Entry::of_public ? is_of_pair(hazard, policy) && policy.pair_rules().lock == Rule
                                  : policy.hardware.lock == Rule;
}
bool lock_is_shared(const Hazard&, const LifetimePolicy& policy) {
    return policy.hardware.lock != fences::LockRule::in_fence;
}
bool jobs_uncounted(const Hazard&, const LifetimePolicy& policy) {
    return policy.job_refs == fences::RefsRule::scheduler;
}
bool queues_uncounted(const Hazard&, const LifetimePolicy& policy) {
    return policy.queue_refs == fences::RefsRule::scheduler;
}
bool part_of_queue(const Hazard& hazard, const LifetimePolicy&) {
    return hazard.subject == "entity" || hazard.subject == "run queue" ||
           hazard.subject == "scheduler" || hazard.subject == "submit_wq";
}
bool freed_too_early(const Hazard& hazard, const LifetimePolicy&) {
    return hazard.kind == &sim::hazards::use_after_free ||
           hazard.kind == &sim::hazards::double_free;
}
/// The pair is asked through its pointer to the scheduler, every other fence its own driver.
bool names_of_pair(const Hazard& hazard, const LifetimePolicy& policy) {
    return policy.public_fence != fences::PublicFence::hardware &&
           hazard.object.starts_with("scheduler");
}
bool context_uncounted(const Hazard& hazard, const LifetimePolicy& policy) {
    return hazard.object.starts_with("context") &&
           policy.hardware.context == fences::ContextRule::uncounted;
}
/// A module that only the public fence's code is in.
bool public_module(const Hazard& hazard, const LifetimePolicy&) {
    return hazard.object == "module gpu_sched";
}

constexpr std::string_view kContextLends =
    "the lock belongs to the context, which dies with the entity; nothing counts it";
constexpr std::string_view kRingLends =
    "the lock belongs to the ring, which goes with its device; no fence counts it";
constexpr std::string_view kQueueLends =
    "the lock belongs to the queue, which goes with its device; no fence counts it";
constexpr std::string_view kDeviceLends =
    "the lock belongs to the device, which goes at unbind; no fence counts it";

// The first entry that holds is the answer.
constexpr Entry kTable[] = {
    {"use-after-free", "lock", lock_is<fences::LockRule::context, Entry::of_public>, "lock",
     Entry::of_public, kContextLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::ring, Entry::of_public>, "lock",
     Entry::of_public, kRingLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::queue, Entry::of_public>, "lock",
     Entry::of_public, kQueueLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::device, Entry::of_public>, "lock",
     Entry::of_public, kDeviceLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::context, Entry::of_hardware>, "lock",
     Entry::of_hardware, kContextLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::ring, Entry::of_hardware>, "lock",
     Entry::of_hardware, kRingLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::queue, Entry::of_hardware>, "lock",
     Entry::of_hardware, kQueueLends},
    {"use-after-free", "lock", lock_is<fences::LockRule::device, Entry::of_hardware>, "lock",
     Entry::of_hardware, kDeviceLends},
    {"use-after-free", "names", names_of_pair, "names", Entry::of_public,
     "the scheduler's name is read through drm_sched_fence::sched, which is never counted, "
     "whenever somebody asks"},
    {"use-after-free", "names", context_uncounted, "context", Entry::of_hardware,
     "the timeline's name is in the context, which dies with the entity; a fence does not count as "
     "a reference to it"},
    {"use-after-free", "names", nullptr, "names", Entry::of_hardware,
     "the name is read from its owner whenever somebody asks, also after the owner has gone"},
    {"use-after-free", "ops", public_module, "module", Entry::of_public,
     "the ops table is part of the scheduler module's text, and fences do not keep the module"},
    {"use-after-free", "ops", nullptr, "module", Entry::of_hardware,
     "the ops table is part of the driver's text, and fences do not keep the module loaded"},
    {"use-after-free", "text", nullptr, "module", Entry::of_hardware,
     "the driver's functions are part of its text, and nothing keeps the module while jobs, timers "
     "or work items may still call them"},
    {"deadlock", "lock", lock_is_shared, "lock", Entry::of_hardware,
     "fences that share a lock cannot be locked from each other's callbacks, which run with it "
     "held"},
    {"unsignalled-at-teardown", "", nullptr, "teardown", Entry::of_policy,
     "the driver asserts that all of its fences have signalled, and does not see to it"},
    {"use-after-free", "slab", nullptr, "memory", Entry::of_hardware,
     "fences come from the module's own slab cache, which goes with the module"},
    {"slab-in-use", "", nullptr, "memory", Entry::of_hardware,
     "fences come from the module's own slab cache, which is destroyed at unload whether they are "
     "alive or not"},
    {"use-after-free", "context", nullptr, "context", Entry::of_hardware,
     "who counts the context, and when it is taken down, is this rule's"},
    {"use-after-free", "fence", nullptr, "memory", Entry::of_public,
     "this is what the fence's memory is, and its count is all that keeps it"},
    {"use-after-free", "entity", queues_uncounted, "queue_refs", Entry::of_policy,
     "the entity belongs to whoever made it; jobs, fences and callbacks do not keep it"},
    {"use-after-free", "run queue", queues_uncounted, "queue_refs", Entry::of_policy,
     "run queues belong to the scheduler and go with it; entities do not keep them"},
    {"use-after-free", "scheduler", queues_uncounted, "queue_refs", Entry::of_policy,
     "the scheduler goes with its device; entities, jobs and fences do not keep it"},
    {"use-after-free", "submit_wq", queues_uncounted, "queue_refs", Entry::of_policy,
     "the workqueue goes with the scheduler; nothing that queues work keeps it"},
    {"use-after-free", "job", jobs_uncounted, "job_refs", Entry::of_policy,
     "the job is freed by free_job; callbacks and lists that name it do not keep it"},
    {"double-free", "job", jobs_uncounted, "job_refs", Entry::of_policy,
     "nobody counts who still has the job, so two can think that it is theirs to free"},
    {"leak", "job", nullptr, "job_refs", Entry::of_policy,
     "only the scheduler knows the job; when it forgets it nobody is left to free it"},
    {"use-after-free", "", part_of_queue, "queue_refs", Entry::of_policy,
     "jobs count the queue; whoever else reaches it (an entity, a handler, a work item) does not"},
    {"", "job", freed_too_early, "job_refs", Entry::of_policy,
     "the scheduler counts the job; whoever else reaches it has no reference of its own"},
    {"private-escape", "", nullptr, "public_fence", Entry::of_policy,
     "under this rule the hardware fence is the driver's own; what it points to is not made to "
     "outlive it"},
    {"never-signalled", "", nullptr, "signal_on_drop", Entry::of_policy,
     "whoever could signal the fence has gone, and dropping that right does not signal"},
    {"released-unsignalled", "", nullptr, "signal_on_drop", Entry::of_policy,
     "whoever could signal the fence has let go of it, and dropping that right does not signal"},
};

std::string value_of(const fences::Rule& rule, const LifetimePolicy& policy, bool hardware) {
    const int value = rule.get(policy, hardware);
    for (const fences::RuleValue& known : rule.values)
        if (known.value == value)
            return std::string(known.name);
    return {};
}

} // namespace

sim::BrokenRule rule_behind(const sim::Hazard& hazard, const LifetimePolicy& policy) {
    for (const Entry& entry : kTable) {
        if ((!entry.kind.empty() && entry.kind != hazard.kind->name) ||
            (!entry.subject.empty() && entry.subject != hazard.subject) ||
            (entry.holds != nullptr && !entry.holds(hazard, policy)))
            continue;
        for (const fences::Rule& rule : fences::rules()) {
            if (rule.key != entry.rule)
                continue;
            // Where the driver's own fence is the public one its rules are the hardware fence's.
            const bool hardware = entry.which == Entry::of_hardware ||
                                  policy.public_fence == fences::PublicFence::hardware;
            const std::string_view prefix = entry.which == Entry::of_policy ? ""
                                            : hardware                      ? "hardware."
                                                                            : "public.";
            return {std::string(prefix) + std::string(rule.key), value_of(rule, policy, hardware),
                    std::string(entry.about)};
        }
    }
    return {};
}

} // namespace fenceline::workloads
