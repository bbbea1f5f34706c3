// The bundled driver: rings, their devices, and the life of what its fences borrow.
//
// One RingDriver is one kernel module ("drv"). It owns devices, each with rings; for every ring
// there is a scheduler. run_job puts the job on the ring and returns a hardware fence made by the
// lifetime policy's rules; free_job frees the job. It also owns the objects that outlive or do not
// outlive fences, which is what lifetime policies are about: contexts per entity, locks of rings
// and devices, the schedulers' names, its own text and slab.
//
// Ownership: devices and rings belong to the driver; unbinding a device frees what its fences could
// borrow, unloading frees the text as well. Both follow the teardown rule of the policy and may
// block.
#pragma once

#include "fences/hardware_fence.hpp"
#include "scheduler/driver.hpp"
#include "scheduler/gpu_sched.hpp"
#include "scheduler/ring.hpp"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fenceline::scheduler::inline FENCELINE_MODE {

class RingDriver;

/// A ring of the bundled driver with its scheduler.
struct RingSlot {
    RingDriver* driver = nullptr;
    std::unique_ptr<Ring> ring;
    SchedulerRef sched;      ///< null when its device is gone
    SchedulerRef identity;   ///< the same, for ever
    fences::OwnerRef owner;  ///< the lock that its fences may borrow
    fences::OwnerRef lender; ///< what they do borrow if not from a context or a device
    std::size_t device = 0;
    OnTimeout on_timeout = OnTimeout::reset;
    JobRef false_alarm;      ///< the last job that was late and, it said, did not hang
    sim::Time look_time = 0; ///< how long timedout_job looks at a job that is late
    bool bound = true;       ///< its device is; then all that its fences borrow is there
    bool sched_alive = true; ///< drm_sched_fini not called yet
};

class RingDriver final : public Driver {
  public:
    RingDriver(GpuSched& sched, std::string name);

    /// A device without rings; rings refer to it by the index that is returned.
    std::size_t add_device(std::string name);
    /// A ring with its scheduler. `args.driver` is filled in here. `on_timeout`: what the driver does
    /// about a job that is late.
    SchedulerRef add_ring(std::size_t device, const RingArgs& ring, SchedulerArgs args,
                          OnTimeout on_timeout = OnTimeout::reset);

    // struct drm_sched_backend_ops.
    RunResult run_job(GpuSched& sched, JobRef job) override;
    void free_job(GpuSched& sched, JobRef job) override;
    TimeoutVerdict timedout_job(GpuSched& sched, JobRef job) override;
    void cancel_job(GpuSched& sched, JobRef job) override;

    /// The driver's share of a submit, between job_arm and push: under policies in which the
    /// driver's own fence escapes, the fence exists from here on.
    void prepare_fence(JobRef job);
    /// The driver's share of creating an entity: its fence context, and the object for it, if any.
    /// `client`: whose device file it belongs to.
    void open_entity(EntityRef entity, const std::string& client = {});
    /// Its share of drm_sched_entity_fini: the object for it is let go. Idempotent.
    void close_entity(EntityRef entity);

    /// Device removal: entities end, schedulers end, then all that is the device's dies. Blocks.
    void unbind(std::size_t device);
    /// rmmod: unbinds all devices, destroys the slab, frees the text. Blocks. Where the module is
    /// pinned nothing happens, and what is returned says by whom.
    std::string unload();
    /// The end of the run: schedulers are finished in order, nothing is freed yet.
    void fini_schedulers();
    /// After that: frees whatever is left, so that leaks can be told from leftovers.
    void free_rest();

    // What quirks make of the driver (odd_driver.cpp).
    /// Its interrupt handler, for a job of that entity: dma_fence_signal, and what should not be.
    void signal_oddly(const Ring& ring, std::uint32_t entity, fences::FenceRef fence);

    // run_job() of a plain job (plain_job.cpp).
    /// Nothing that the fence of a job of this entity would borrow has ended.
    [[nodiscard, gnu::always_inline]] bool runs_plainly(const RingSlot& slot,
                                                        std::uint32_t entity) {
        return entities_[entity].borrows_from == &slot || borrow(slot, entities_[entity]);
    }
    /// Puts it on the ring. The fence comes with what the scheduler will have done by the end of the
    /// event: a reference each for the ring and the pair, and the scheduler's callback.
    fences::FenceRef run_plainly(RingSlot& slot, JobRef ref, Job& job);

    /// Enters the driver into a snapshot, its rings, and what it holds (snapshot.cpp).
    void enumerate(fences::SnapshotBuilder& out);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool loaded() const { return loaded_; }
    [[nodiscard]] bool bound(std::size_t device) const { return devices_[device].bound; }
    [[nodiscard]] std::size_t device_count() const { return devices_.size(); }
    [[nodiscard]] const std::string& device_name(std::size_t device) const {
        return devices_[device].name;
    }

    [[nodiscard]] std::deque<RingSlot>& rings() { return rings_; }
    void fini_scheduler(RingSlot& slot);
    /// The recipe of recovery.cpp with this ring as the hardware; `bad` is null when nobody is to
    /// blame. May block. REQUIRES: slot.sched.
    void reset(RingSlot& slot, JobRef bad);

  private:
    struct Device {
        std::string name;
        fences::OwnerRef owner;
        bool bound = true;
    };

    /// What the driver keeps per open device file: the statistics of its jobs. It goes with the last
    /// of the client's entities.
    struct ClientFile {
        std::string client;
        std::uint64_t jobs_done = 0;
    };

    /// What the driver keeps per entity.
    struct EntityState {
        EntityRef entity;
        fences::OwnerRef timeline; ///< its context object, where the policy has one
        std::uint32_t fence_context = 0;
        std::uint32_t seqno = 0;
        bool open = false;
        fences::FenceRef last_fence;  ///< Quirks::keeps_last_fence
        sim::Handle<ClientFile> file; ///< Quirks::stats_through_file
        /// The ring from which fences of plain jobs borrow what `loan` says. Null when none has been
        /// made, and when any of it may have ended.
        const RingSlot* borrows_from = nullptr;
        fences::HardwareFences::Loan loan;
    };

    /// Holds msm_gpu::lock, by which run_job and recovery exclude each other, for a scope; nothing
    /// without Quirks::recovery_reclaims. May block.
    class GpuLock {
      public:
        explicit GpuLock(RingDriver& driver);
        GpuLock(const GpuLock&) = delete;
        GpuLock& operator=(const GpuLock&) = delete;
        ~GpuLock() noexcept(false); ///< can be suspended for good in it

      private:
        RingDriver* driver_;
    };

    /// What is kept of a fence where somebody asks for it when its memory goes.
    struct WatchedFence {
        JobRef job;
        std::size_t device = 0;
    };

    RingSlot& slot_of(SchedulerRef sched);
    fences::FenceRef create_fence(const RingSlot& slot, JobRef ref, const Job& job);
    [[nodiscard]] fences::Lenders lenders_of(const RingSlot& slot, const EntityState& state) const {
        return {state.timeline, slot.lender, devices_[slot.device].owner};
    }
    [[gnu::noinline]] bool borrow(const RingSlot& slot, EntityState& state);
    /// The driver's own code runs: its text has to be there.
    void enter_text() { (void)core_.modules.get(fences_.module(), "text"); }
    // driver_teardown.cpp
    static void fence_freed(void* self, fences::FenceRef fence);
    [[nodiscard]] std::vector<RingSlot*> rings_of(std::size_t device);
    void end_entities(std::size_t device, std::int32_t error);
    void drain(std::size_t device);
    void cancel(std::size_t device);
    void wait_for_freed_jobs(std::size_t device);
    void assert_signalled(std::size_t device);
    void wait_for_queues(std::size_t device);
    void wait_for_references(std::size_t device);
    [[nodiscard]] std::size_t fences_left(std::size_t device, fences::FenceRef& first);
    void drop_right_to_signal(std::size_t device);
    void free_device(std::size_t device);
    void free_owner(fences::OwnerRef& owner);
    // odd_driver.cpp
    void open_file(EntityState& state, const std::string& client);
    void close_file(const EntityState& state);
    void keep_last_fence(EntityState& state, fences::FenceRef fence);
    void look_at(RingSlot& slot, JobRef job);
    void reclaim(const RingSlot& slot, JobRef bad);
    void wedge(std::size_t device, JobRef bad);
    void read_entity_of(const Job& job);
    [[nodiscard]] bool runs_on(const Entity& entity, std::size_t device);

    GpuSched& sched_;
    sim::Machine& machine_;
    fences::FenceCore& core_;
    std::string name_;
    fences::HardwareFences fences_;
    std::vector<Device> devices_;
    std::deque<RingSlot> rings_;        ///< their addresses stay
    std::vector<EntityState> entities_; ///< by entity index
    sim::Pool<ClientFile> files_;
    sim::WaitQueue gpu_lock_waiters_;
    bool gpu_locked_ = false;
    // The lifetime policy, as decisions.
    bool private_fences_; ///< the driver's own fence must not escape
    bool embedded_;       ///< it is part of its job
    bool early_fences_;   ///< it is there before the job runs
    bool plain_;          ///< plain jobs may take the fast way
    /// Contexts outlive their entities: whoever drains, cancels or waits before a device goes means
    /// all that its fences can reach.
    bool static_contexts_;
    bool loaded_ = true;
    /// By packed reference; where fences keep their jobs, or somebody waits for references.
    bool watches_fences_;
    std::unordered_map<std::uint64_t, WatchedFence> watched_;
    sim::WaitQueue job_freed_;
    std::deque<std::string> wait_reasons_; ///< what waits of this driver were for
};

} // namespace fenceline::scheduler::inline FENCELINE_MODE
