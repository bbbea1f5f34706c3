// dma-fence.c as a model: every operation on a fence, whichever kind it is.
//
// DOC: who owns what. The core owns the memory of fences, callbacks, owners and modules (pools of
// the lifetime-checked heap). A reference on a fence belongs to whoever took it and is given back
// with put(), which names the holder for the ledger. A callback registration belongs to the fence
// until it ran or was removed; its `owner` number is opaque here. Owners (contexts, rings, devices,
// schedulers) are born and freed by the layer above: the core only finds out, through handles, that
// they are gone.
//
// Locking follows dma-fence.c: signalling, callbacks, enable_signaling and status take the fence's
// lock, wherever that lives; callbacks run with it held. Functions that follow the kernel carry the
// kernel's name in their comment.
#pragma once

#include "fences/container_fence.hpp"
#include "fences/fence.hpp"
#include "fences/hazards.hpp"
#include "fences/ledger.hpp"
#include "fences/lifetime.hpp"
#include "fences/quirks.hpp"
#include "fences/resv_list.hpp"
#include "fences/sleeper.hpp"
#include "fences/snapshot.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"
#include "sim/wait.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fenceline::fences::inline FENCELINE_MODE {

/// The driver's fence for one job on the ring: what run_job returns. Private under `split`.
struct HardwareFence {
    Fence base;
    OwnerRef names; ///< where its names are found; its context where contexts are counted
};

/// struct drm_sched_fence: the public pair, in one allocation.
struct SchedFence {
    Fence scheduled;
    Fence finished;
    OwnerRef sched;  ///< drm_sched_fence::sched, never counted
    FenceRef parent; ///< the hardware fence, one reference of it
};

struct WaiterHold; ///< see fence_visit.hpp
class FenceCore {
  public:
    FenceCore(sim::Machine& machine, sim::Rcu& rcu, const LifetimePolicy& policy,
              const Quirks& quirks = {});
    FenceCore(const FenceCore&) = delete;
    FenceCore& operator=(const FenceCore&) = delete;

    sim::Machine& machine;
    sim::Rcu& rcu;
    const LifetimePolicy policy;
    const Quirks quirks;
    sim::Pool<Owner> owners;
    sim::Pool<Module> modules;
    sim::Pool<HardwareFence> hardware;
    sim::Pool<SchedFence> pairs;
    sim::Pool<ContainerFence> containers;
    sim::Pool<ResvList> resv_lists;
    Ledger ledger;
    sim::Context irq_work_context; ///< in which arrays and chains signal

    /// dma_fence_context_alloc: the first of `count` numbers that nobody else has.
    std::uint32_t context_alloc(std::uint32_t count);
    /// Registers an ops table that is part of `module`'s text; null: of the kernel's own. Its fences
    /// live by `rules`, as far as the core is concerned.
    OpsId add_ops(const FenceOps& ops, ModuleRef module, const FenceRules& rules = {});
    /// What else there is to do for a fence whose ops are of add_ops(): its names are copied, its
    /// module is pinned. Only where the rules are such: see needs_care().
    void take_care(FenceRef ref, std::string_view timeline);
    [[nodiscard]] static bool needs_care(const FenceRules& rules) {
        return rules.names == NamesRule::copied || rules.module == ModuleRule::pinned_by_fence;
    }
    /// Somebody keeps count of the fences with these ops that have not signalled: an atomic each.
    void count_unsignalled(OpsId ops) { ops_[ops].counts_unsignalled = care_at_signal_ = true; }
    /// Hears of every hardware fence whose memory goes, before it does.
    using FreedFn = void (*)(void* env, FenceRef ref);
    void watch_freed(FreedFn fn, void* env) {
        freed_watchers_.push_back({fn, env});
        care_for_hardware_ = true;
    }
    /// Whoever waits for fences to be freed; woken at each.
    sim::WaitQueue freed;
    /// try_module_get and module_put.
    void pin_module(ModuleRef module) { modules.get(module, "module").users.add(machine, 1); }
    void unpin_module(ModuleRef module) { modules.get(module, "module").users.sub(machine, 1); }
    // Contexts that fences count (ContextRule::refcounted).
    /// Its creator lets go: it dies now, or with the last fence.
    void abandon_context(OwnerRef context);
    /// A fence is released.
    void put_context(OwnerRef context);
    /// It dies, at once or as the retire rule says.
    void drop_owner(OwnerRef owner);
    /// "fence x" or "context y" of whoever has held the module longest; for messages.
    [[nodiscard]] std::string first_user_of(ModuleRef module);
    /// How reports name a fence of this context ("a/gfx"); optional.
    void name_context(std::uint32_t context, std::string name);
    [[nodiscard]] std::string describe(FenceRef ref);

    // Members with a Fence& beside its FenceRef are for whoever has looked it up already.

    /// The fence's memory, checked.
    [[nodiscard, gnu::always_inline]] Fence& get(FenceRef ref,
                                                 std::string_view resource = "fence") {
        if constexpr (sim::kInstrumented)
            return get_from_pool(ref, resource);
        std::byte* slot = base_ + std::size_t{ref.index()} * sim::Arena::kGranule;
        if (!reinterpret_cast<sim::SlotHeader*>(slot)->is(ref.pack() & ~std::uint64_t{3}))
            [[unlikely]]
            return get_from_pool(ref, resource);
        return *reinterpret_cast<Fence*>(slot + sizeof(sim::SlotHeader) +
                                         (ref.pack() & 2) * (sizeof(Fence) / 2));
    }
    [[nodiscard]] bool alive(FenceRef ref) const;
    /// The pool that it is in, as hazards name it, and its handle there.
    [[nodiscard]] std::string_view pool_of(FenceRef ref) const {
        return ref.part() == FencePart::hardware    ? hardware.type()
               : ref.part() == FencePart::container ? containers.type()
                                                    : pairs.type();
    }
    [[nodiscard]] static std::uint64_t key_of(FenceRef ref) {
        return ref.pack() & ~std::uint64_t{3};
    }
    /// The fence that was looked up last, if that was in this event; in the instrumented form only.
    [[nodiscard]] FenceRef touched() const {
        return touched_in_ == machine.engine.executed() ? touched_ : FenceRef{};
    }
    /// Whether it is alive and has signalled: for reports, no operation of the model.
    [[nodiscard]] bool peek_signaled(FenceRef ref);

    // Containers: what is inside, or nullptr when the fence (which may be null) is something else.
    [[nodiscard]] FenceArray* to_array(FenceRef ref) { return inside<FenceArray>(ref); }
    [[nodiscard]] FenceChain* to_chain(FenceRef ref) { return inside<FenceChain>(ref); }
    [[nodiscard]] FenceStub* to_stub(FenceRef ref) { return inside<FenceStub>(ref); }
    /// dma_fence_is_container: an array or a link of a chain.
    [[nodiscard]] bool is_container(FenceRef ref) {
        return ref.part() == FencePart::container && to_stub(ref) == nullptr;
    }
    /// Memory for a container, initialised, count 1.
    template <class Inside>
    FenceRef create_container(Inside what, OpsId ops, std::uint32_t context, std::uint32_t seqno) {
        const auto memory = containers.alloc(std::move(what));
        note_allocated(1);
        containers.at(memory.index()).created = machine.now();
        init(containers.at(memory.index()).base, ops, {}, context, seqno);
        return {FencePart::container, memory.index(), memory.generation()};
    }
    /// A container was put where only plain fences belong (a WARN in the kernel).
    void report_nested(FenceRef inner, std::string_view where);
    OpsId array_ops = 0;
    OpsId chain_ops = 0;
    OpsId stub_ops = 0;
    FenceRef shared_stub; ///< dma_fence_get_stub's; made when it is first needed, never released

    /// The seqno in full: links of a chain have 64 bits.
    [[nodiscard]] std::uint64_t seqno(FenceRef ref) {
        const FenceChain* link = to_chain(ref);
        return link != nullptr ? link->seqno : get(ref).seqno;
    }
    /// dma_fence_is_later. REQUIRES: of one context.
    [[nodiscard]] bool is_later(FenceRef a, FenceRef b) {
        if (a.part() == FencePart::container) [[unlikely]]
            return seqno(a) > seqno(b);
        return static_cast<std::int32_t>(get(a).seqno - get(b).seqno) > 0;
    }

    /// dma_fence_init: count 1, unsignalled. `lock_owner` null: the lock is the fence's own.
    /// REQUIRES: fresh memory.
    void init(Fence& fence, OpsId ops, OwnerRef lock_owner, std::uint32_t context,
              std::uint32_t seqno);

    /// dma_fence_get; returns its argument. REQUIRES: the caller has a reference or a guarantee.
    [[gnu::always_inline]] FenceRef take(FenceRef ref) {
        get(ref).references.get(machine, "fence");
        return ref;
    }
    /// dma_fence_get_rcu: null when the count was zero already.
    FenceRef take_rcu(FenceRef ref);
    /// dma_fence_put; a null reference is fine.
    [[gnu::always_inline]] void put(FenceRef ref, Holder holder) {
        if (ref)
            put(ref, get(ref), holder);
    }
    [[gnu::always_inline]] void put(FenceRef ref, Fence& fence, Holder holder) {
        if (fence.references.put(machine, "fence"))
            release(ref, fence, holder);
        else if ((fence.flags.peek() & flag::held_by_input) != 0) [[unlikely]]
            only_input_left(ref, holder);
    }

    /// The same, compiled for the last reference being the rule.
    void put_last(FenceRef ref, Fence& fence, Holder holder);

    /// A reference of the workload's own on a finished fence, for jobs that are still to name it.
    /// It keeps the fence like any other, but is not held against the policy: once it is the only
    /// one left, the fence (and the parent that it keeps) counts as released, and neither taking
    /// nor dropping it counts as an operation. At most one for a fence.
    FenceRef hold_for_input(FenceRef ref);
    void drop_for_input(FenceRef ref);

    /// dma_fence_signal. Returns false (and reports a double signal) when it had signalled.
    bool signal(FenceRef ref) { return signal(ref, get(ref)); }
    bool signal(FenceRef ref, Fence& fence);
    /// The same for half of a pair that is known to be unsignalled and that nobody waits for; the
    /// ledger's share is the caller's.
    void signal_plainly(Fence& fence);
    /// The same where a fence that has signalled already is no fault, since somebody who polled may
    /// have been faster. `timestamp`: dma_fence_signal_timestamp.
    bool try_signal(FenceRef ref) { return try_signal(ref, machine.now()); }
    bool try_signal(FenceRef ref, sim::Time timestamp) {
        return try_signal(ref, get(ref), timestamp);
    }
    bool try_signal(FenceRef ref, Fence& fence, sim::Time timestamp);
    /// dma_fence_is_signaled: the flag, else the driver's `signaled`, which may signal right here.
    bool is_signaled(FenceRef ref) { return is_signaled(ref, get(ref)); }
    bool is_signaled(FenceRef ref, Fence& fence);
    /// dma_fence_set_error. REQUIRES: not signalled, error < 0.
    void set_error(FenceRef ref, std::int32_t error);
    /// dma_fence_get_status: 0 unsignalled, 1 signalled, else the error. Takes the lock.
    std::int32_t status(FenceRef ref);
    /// dma_fence_enable_sw_signaling.
    void enable_sw_signaling(FenceRef ref);

    /// dma_fence_add_callback. Nothing when the fence has signalled (-ENOENT): `fn` will not run.
    std::optional<CallbackRef> add_callback(FenceRef ref, CallbackFn fn, void* env,
                                            std::uint64_t owner) {
        return add_callback(ref, get(ref), fn, env, owner);
    }
    std::optional<CallbackRef> add_callback(FenceRef ref, Fence& fence, CallbackFn fn, void* env,
                                            std::uint64_t owner);
    /// The same for the callback that nearly every hardware fence has, the scheduler's: its function
    /// is known once and for all, and while it is the only one its owner stands in the fence. Null
    /// when the fence has signalled.
    CallbackRef add_own_callback(FenceRef ref, Fence& fence, std::uint64_t owner);
    /// What add_own_callback() registers. Before the first of them.
    void set_own_callback(OwnCallbackFn fn, void* env) {
        own_fn_ = fn;
        own_env_ = env;
    }
    /// dma_fence_remove_callback: true when it was still registered.
    bool remove_callback(FenceRef ref, CallbackRef callback);

    /// dma_fence_wait. Blocks the current context; gives up when that is interrupted.
    void wait(FenceRef ref) { (void)wait_timeout(ref, sim::kForever); }
    /// dma_fence_wait_timeout: whether the fence signalled in time. With timeout
    /// 0 it only looks, and does not block.
    bool wait_timeout(FenceRef ref, sim::Time timeout);

    /// dma_fence_set_deadline: a hint by when somebody would like the fence to signal. Nothing for
    /// fences that have signalled or do not care.
    void set_deadline(FenceRef ref, sim::Time deadline);
    /// What ops->set_deadline does where it keeps one: the earliest stays. Takes the fence's lock.
    /// True when this is the one to keep.
    bool keep_deadline(FenceRef ref, sim::Time deadline);
    /// The deadline that a fence has been given and kept.
    [[nodiscard]] std::optional<sim::Time> deadline_of(FenceRef ref);

    /// Counts how deep releases are nested in each other, where a quirk lets them recurse; too deep
    /// for a kernel stack is a hazard. REQUIRES: leave_release() follows.
    void enter_release(FenceRef ref);
    void leave_release() { --release_depth_; }

    /// dma_fence_driver_name and dma_fence_timeline_name, or what was in their place: by the rule
    /// `names`, for most through the ops table and so into the module.
    std::string driver_name(FenceRef ref) { return name_by_rule(ref, &FenceOps::driver_name); }
    /// With the quirk: dma_fence_timeline_name of 506aa8b02a8d, a copy of its sibling but for the
    /// name (fixed late in 2025).
    std::string timeline_name(FenceRef ref) {
        return name_by_rule(ref, quirks.timeline_name_of_driver ? &FenceOps::driver_name
                                                                : &FenceOps::timeline_name);
    }

    /// The table behind a fence, checked: reading it is reading the module's text.
    const FenceOps& ops_of(const Fence& fence);

    /// The same, or nullptr when the module is gone.
    [[nodiscard, gnu::always_inline]] const FenceOps* live_ops(const Fence& fence) const {
        const OpsTable& table = ops_[fence.ops];
        return !table.module || modules.live(table.module) != nullptr ? table.ops : nullptr;
    }

    /// The module whose text the fence's ops are in.
    [[nodiscard]] std::string module_name_of(const Fence& fence) {
        return modules.get(ops_[fence.ops].module, "ops").name;
    }
    /// The same, or whose it was before they were detached.
    [[nodiscard]] ModuleRef home_of(const Fence& fence) const { return ops_[fence.ops].home; }
    [[nodiscard]] bool is_detached(const Fence& fence) const {
        return ops_[fence.ops].ops == &kDetachedOps;
    }

    /// Frees the memory of a fence or pair after a grace period (kfree_rcu, kmem_cache_free by
    /// RCU).
    void free_after_grace_period(FenceRef ref);
    /// Puts the last references of a pair and its parent: books their ends, and frees both after a
    /// grace period.
    void release_plain_pair(FenceRef finished, SchedFence& pair, HardwareFence& parent,
                            Holder holder);
    /// Bytes of the kernel's objects that live as long as this fence.
    [[nodiscard]] std::uint64_t pinned_bytes(FenceRef ref) {
        if (ref.part() == FencePart::container) [[unlikely]]
            return container_bytes(ref);
        const std::uint64_t bytes =
            ref.part() == FencePart::hardware ? hardware_bytes_ : pair_bytes_;
        return copied_names_.empty() ? bytes : bytes + copied_bytes(ref);
    }

    // Snapshots (snapshot_fences.cpp). None of these is an operation of the model.
    /// Enters fences, owners and modules, and all that they hold and point at.
    void enumerate(SnapshotBuilder& out);
    /// Visits every callback on every fence with its function (null: the scheduler's own, see
    /// add_own_callback) and its owner.
    template <class Visit>
    void for_each_callback(Visit visit);
    [[nodiscard]] bool registered(CallbackRef callback) const {
        return callback != CallbackRef{} && callbacks_.alive(callback);
    }
    std::vector<const WaiterHold*> waiter_holds; ///< see HeldWhileWaiting

    /// Reports what is alive although nothing can free it any more.
    void report_leaks();
    /// Books what is still pinned at the end of a run, up to now.
    void account_unreleased();

    [[nodiscard]] std::uint64_t signalled() const { return signalled_; }
    /// For whoever signals fences in one step with something else.
    void count_signalled(std::uint64_t count) { signalled_ += count; }
    /// The greatest number of fences whose memory was allocated at once (a pair counts twice).
    [[nodiscard]] std::uint64_t peak_alive() const { return peak_alive_; }
    /// Book-keeping of peak_alive(), for whoever allocates and frees fences.
    void note_allocated(std::uint64_t count) {
        alive_ += count;
        if (alive_ > peak_alive_)
            peak_alive_ = alive_;
    }
    void note_freed(std::uint64_t count) { alive_ -= count; }
    [[nodiscard]] std::uint32_t fences_of_pair() const { return fences_of_pair_; }

  private:
    struct OpsTable {
        const FenceOps* ops;
        ModuleRef module;   ///< whose text they are in; null: of the kernel's own, or none any more
        ModuleRef home;     ///< the module that made the fence: its slab, its count
        OpsId detached = 0; ///< what a fence has in its place once it has signalled; 0: it stays
        NamesRule names = NamesRule::direct;
        bool pins_module = false;
        bool counts_callbacks = false;
        bool slab = false;
        bool counts_unsignalled = false;
    };
    struct FreedWatcher {
        FreedFn fn;
        void* env;
    };
    struct CopiedNames {
        std::string driver;
        std::string timeline;
    };

    [[gnu::always_inline]] sim::SpinLock& lock_of(FenceRef ref, Fence& fence) {
        if (ref.part() == FencePart::finished && shared_lock_)
            return pairs.at(ref.index()).scheduled.lock;
        if (fence.lock_owner)
            return owners.get(fence.lock_owner, "lock").lock;
        return fence.lock;
    }
    Fence& get_from_pool(FenceRef ref, std::string_view resource);
    template <class Inside>
    Inside* inside(FenceRef ref) {
        if (ref.part() != FencePart::container)
            return nullptr;
        return std::get_if<Inside>(&containers.get(ref.memory<ContainerFence>(), "fence").inside);
    }
    bool signal_locked(FenceRef ref, Fence& fence) {
        return signal_locked(ref, fence, machine.now());
    }
    bool signal_locked(FenceRef ref, Fence& fence, sim::Time timestamp);
    bool is_signaled_locked(FenceRef ref, Fence& fence);
    bool enable_signaling_locked(FenceRef ref, Fence& fence);
    [[gnu::noinline]] void run_callbacks(FenceRef ref, std::uint32_t first);
    [[gnu::noinline]] void release(FenceRef ref, Fence& fence, Holder holder) {
        release_here(ref, fence, holder);
    }
    void release_here(FenceRef ref, Fence& fence, Holder holder);
    // What the rules may ask for (fence_rules.cpp).
    static const FenceOps kDetachedOps;
    [[gnu::noinline]] void signalled_by_rules(Fence& fence);
    [[gnu::noinline]] void freed_by_rules(FenceRef ref, const Fence& fence);
    std::string name_by_rule(FenceRef ref, std::string (*FenceOps::*name)(FenceCore&, FenceRef));
    [[nodiscard]] std::uint64_t copied_bytes(FenceRef ref) const;
    void count_callback(Fence& fence);
    [[gnu::noinline]] void uncount_callback(FenceRef ref);
    // What is rare about signalling and releasing.
    [[gnu::cold]] void report_double_signal(FenceRef ref);
    bool poll(FenceRef ref, Fence& fence);
    bool ask_to_signal(FenceRef ref, Fence& fence, const FenceOps& ops);
    [[gnu::cold]] void release_unsignaled(FenceRef ref, Fence& fence);
    void unlink(Fence& fence, CallbackRef callback);
    CallbackRef link_first(Fence& fence, Callback callback);
    [[gnu::noinline]] void move_out_own_callback(Fence& fence);
    static void run_own_callback(void* core, FenceRef ref, std::uint64_t owner);
    bool remove_own_callback(Fence& fence);
    // fence_account.cpp
    [[nodiscard]] std::uint64_t container_bytes(FenceRef ref);
    void account_release(FenceRef ref, const Fence& fence, Holder holder);
    void account_container_release(FenceRef ref, const Fence& fence, Holder holder);
    [[gnu::noinline]] void only_input_left(FenceRef ref, Holder holder);
    [[nodiscard]] sim::Time pinned_since(FenceRef ref, const Fence& fence);
    [[nodiscard]] std::string_view kind_of(FenceRef ref);
    // snapshot_fences.cpp
    [[nodiscard]] std::string name_of_fence(const Fence& fence, std::uint64_t number) const;
    void enter_fence(SnapshotBuilder& out, FenceRef ref, const Fence& fence, std::string_view kind,
                     std::uint64_t bytes);
    /// REQUIRES: its memory is there.
    [[nodiscard]] const Fence& look_at(FenceRef ref);
    void enter_module_pin(SnapshotBuilder& out, FenceRef ref, const Fence& fence);
    void enter_hardware(SnapshotBuilder& out, FenceRef ref, const HardwareFence& fence);
    void enter_ways_of_pair(SnapshotBuilder& out, std::uint32_t from, const SchedFence& pair);
    void enter_pair(SnapshotBuilder& out, FenceRef finished, const SchedFence& pair);
    void enter_container(SnapshotBuilder& out, FenceRef ref, const ContainerFence& fence);
    void enter_callbacks(SnapshotBuilder& out);
    void enter_rcu(SnapshotBuilder& out);
    // RCU callbacks: a fence's memory goes.
    static void free_hardware(void* self, std::uint64_t packed);
    static void free_pair(void* self, std::uint64_t packed);
    static void free_container(void* self, std::uint64_t packed);
    static void free_plain_pair(void* self, std::uint64_t packed);
    void forget_deadline(FenceRef ref, const Fence& fence);

    std::byte* base_; ///< of the arena that all fences are in
    // The policy, as decisions: a pair has one lock; there is more to do when memory goes (it is
    // from a module's slab, say), when a fence signals, or about callbacks.
    bool shared_lock_;
    bool care_for_pairs_;
    bool care_for_hardware_;
    bool care_at_signal_;
    bool count_callbacks_;
    std::uint32_t hardware_bytes_;
    std::uint32_t pair_bytes_;
    std::uint32_t fences_of_pair_; ///< two; one where there is no `scheduled`
    std::vector<FreedWatcher> freed_watchers_;
    std::unordered_map<std::uint64_t, CopiedNames> copied_names_; ///< by packed reference
    OwnCallbackFn own_fn_ = nullptr;
    void* own_env_ = nullptr;
    sim::Pool<Callback> callbacks_;
    std::vector<OpsTable> ops_;
    /// By packed reference; only of fences with flag::has_deadline, so that others cost nothing.
    std::unordered_map<std::uint64_t, sim::Time> deadlines_;
    std::uint32_t next_context_ = 1;
    std::vector<std::string> context_names_;
    FenceRef touched_; ///< see touched()
    std::uint64_t touched_in_ = 0;
    std::uint64_t signalled_ = 0;
    std::uint64_t alive_ = 0;
    std::uint64_t peak_alive_ = 0;
    unsigned release_depth_ = 0; ///< of quirk chain_release_recurses
};

// Where FenceCore::get() finds a fence in its slot.
static_assert(offsetof(HardwareFence, base) == 0 && offsetof(SchedFence, scheduled) == 0);
static_assert(offsetof(SchedFence, finished) == sizeof(Fence));

} // namespace fenceline::fences::inline FENCELINE_MODE

#include "fences/fence_signal.hpp"
#include "fences/fence_visit.hpp"
