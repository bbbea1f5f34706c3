// The rules about the hardware fence, one by one and as the presets combine them.
#include "fence_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::IsEmpty;

/// A world with everything a driver's fence may borrow from.
struct Driver : World {
    explicit Driver(const LifetimePolicy& policy) : World(policy) {
        if (HardwareFences::needs_context(policy))
            lenders.context = h_fences.create_context("a/gfx");
        lenders.ring = owner(OwnerKind::ring, "gfx");
        lenders.device = owner(OwnerKind::device, "gpu");
    }
    explicit Driver(std::string_view name) : Driver(preset(name)) {}

    FenceRef create(std::uint32_t seqno = 1) { return h_fences.create(lenders, 3, seqno); }
    /// What `use` reports first, or "safe".
    std::string verdict(const std::function<void()>& use) {
        try {
            use();
        } catch (const sim::FatalHazard&) {
        }
        return machine.hazards().empty() ? "safe" : verdicts().front();
    }
    std::string use_of_lock(FenceRef fence) {
        return verdict([&] { (void)core.status(fence); });
    }
    std::string use_of_names(FenceRef fence) {
        return verdict([&] { (void)core.timeline_name(fence); });
    }

    Lenders lenders;
};

const std::string kSafe = "safe";
const std::string kLock = "use-after-free of lock";
const std::string kNames = "use-after-free of names";

TEST(HardwareFence, OnlyPoliciesThatNameAContextNeedOne) {
    std::vector<std::string_view> need;
    for (const Preset& p : presets())
        if (HardwareFences::needs_context(p.policy))
            need.push_back(p.name);
    EXPECT_THAT(need, ElementsAre("borrowed-lock", "inline-lock", "refcounted-context",
                                  "detached-ops", "refcount-all"));
}

TEST(HardwareFence, TheContextDiesFirst) {
    const auto first_use = [](std::string_view name, bool names) {
        Driver driver(name);
        const FenceRef fence = driver.create();
        driver.core.signal(fence);
        driver.h_fences.abandon_context(driver.lenders.context);
        driver.run();
        return names ? driver.use_of_names(fence) : driver.use_of_lock(fence);
    };
    EXPECT_EQ(first_use("borrowed-lock", false), kLock);
    EXPECT_EQ(first_use("borrowed-lock", true), kNames);
    EXPECT_EQ(first_use("inline-lock", false), kSafe);
    EXPECT_EQ(first_use("inline-lock", true), kNames);
    EXPECT_EQ(first_use("refcounted-context", false), kSafe);
    EXPECT_EQ(first_use("refcounted-context", true), kSafe);
    EXPECT_EQ(first_use("drain-on-unload", false), kSafe);
    EXPECT_EQ(first_use("drain-on-unload", true), kSafe);
    EXPECT_EQ(first_use("split", false), kSafe);
}

TEST(HardwareFence, TheDeviceDiesFirst) {
    Driver drained("drain-on-unload");
    const FenceRef fence = drained.create();
    drained.core.owners.free(drained.lenders.device);
    EXPECT_EQ(drained.use_of_lock(fence), kLock);

    Driver split("split");
    const FenceRef hardware = split.create();
    split.core.owners.free(split.lenders.device);
    EXPECT_EQ(split.use_of_lock(hardware), kSafe);
}

TEST(HardwareFence, TheRingDiesFirst) {
    Driver split("split");
    const FenceRef fence = split.create();
    split.core.owners.free(split.lenders.ring);
    EXPECT_EQ(split.use_of_lock(fence), kLock);

    Driver borrowed("borrowed-lock");
    const FenceRef other = borrowed.create();
    borrowed.core.owners.free(borrowed.lenders.ring);
    EXPECT_EQ(borrowed.use_of_lock(other), kSafe);
}

TEST(HardwareFence, FencesOfOneContextShareItsLock) {
    Driver driver("borrowed-lock");
    const FenceRef first = driver.create(1);
    const FenceRef second = driver.create(2);
    static FenceRef other;
    other = second;
    driver.core.add_callback(
        first,
        [](void* env, FenceRef, std::uint64_t) {
            (void)static_cast<FenceCore*>(env)->status(other);
        },
        &driver.core, 0);
    EXPECT_EQ(driver.verdict([&] { driver.core.signal(first); }), "deadlock of lock");
}

TEST(HardwareFence, ACountedContextIsFreedByItsLastFence) {
    Driver driver("refcounted-context");
    const OwnerRef context = driver.lenders.context;
    const FenceRef first = driver.create(1);
    const FenceRef second = driver.create(2);
    EXPECT_EQ(driver.core.owners.get(context).references.peek(), 3u);
    driver.core.signal(first);
    driver.core.signal(second);
    driver.h_fences.abandon_context(context);
    EXPECT_TRUE(driver.core.owners.alive(context));
    driver.core.put(second, Holder::job);
    EXPECT_TRUE(driver.core.owners.alive(context));
    driver.core.put(first, Holder::job);
    EXPECT_FALSE(driver.core.owners.alive(context));
    driver.run();
    EXPECT_THAT(driver.verdicts(), IsEmpty());
}

TEST(HardwareFence, ACountedContextIsPinnedFromTheEndOfItsCreatorOn) {
    Driver driver("refcounted-context");
    const FenceRef fence = driver.create();
    driver.core.signal(fence);
    driver.run_until(sim::kSecond);
    EXPECT_EQ(driver.core.ledger.peak_bytes(), kFenceBytes);
    driver.h_fences.abandon_context(driver.lenders.context);
    EXPECT_EQ(driver.core.ledger.peak_bytes(), kFenceBytes + kContextBytes);
    EXPECT_EQ(driver.core.ledger.peak_objects(), 2u);
    driver.run_until(3 * sim::kSecond);
    driver.core.put(fence, Holder::sync_file);
    EXPECT_DOUBLE_EQ(driver.core.ledger.byte_seconds(Holder::sync_file), 3.0 * kFenceBytes);
    EXPECT_DOUBLE_EQ(driver.core.ledger.byte_seconds(Holder::fence), 2.0 * kContextBytes);
    EXPECT_EQ(driver.core.ledger.longest().what, "hardware fence");
}

TEST(HardwareFence, ACountedContextWithoutFencesGoesAtOnce) {
    Driver driver("refcounted-context");
    const FenceRef fence = driver.create();
    driver.core.signal(fence);
    driver.core.put(fence, Holder::job);
    EXPECT_TRUE(driver.core.owners.alive(driver.lenders.context));
    driver.h_fences.abandon_context(driver.lenders.context);
    EXPECT_FALSE(driver.core.owners.alive(driver.lenders.context));
    EXPECT_DOUBLE_EQ(driver.core.ledger.byte_seconds(Holder::fence), 0);
}

TEST(HardwareFence, ARetireRuleOtherThanImmediatePutsAGracePeriodBeforeTheContextsEnd) {
    for (const RetireRule rule : {RetireRule::immediate, RetireRule::after_grace_period}) {
        LifetimePolicy policy = preset("borrowed-lock");
        policy.retire = rule;
        Driver driver(policy);
        driver.h_fences.abandon_context(driver.lenders.context);
        EXPECT_EQ(driver.core.owners.alive(driver.lenders.context), rule != RetireRule::immediate);
        driver.run();
        EXPECT_FALSE(driver.core.owners.alive(driver.lenders.context));
    }
}

TEST(HardwareFence, AbandoningNoContextDoesNothing) {
    Driver driver("split");
    driver.h_fences.abandon_context({});
    EXPECT_THAT(driver.verdicts(), IsEmpty());
}

TEST(HardwareFence, TheSlabCountsItsFences) {
    Driver driver("drain-on-unload");
    const auto& objects = driver.core.modules.get(driver.driver).slab_objects;
    const FenceRef first = driver.create(1);
    driver.create(2);
    EXPECT_EQ(objects, 2u);
    driver.core.signal(first);
    driver.core.put(first, Holder::job);
    EXPECT_EQ(objects, 2u);
    driver.run();
    EXPECT_EQ(objects, 1u);
}

TEST(HardwareFence, OtherMemoryIsNotTheSlabs) {
    for (const char* name : {"borrowed-lock", "inline-lock", "refcounted-context", "split"}) {
        Driver driver(name);
        driver.create();
        EXPECT_EQ(driver.core.modules.get(driver.driver).slab_objects, 0u) << name;
    }
}

TEST(HardwareFence, FreeingIntoTheSlabOfAModuleThatIsGoneIsAHazard) {
    Driver driver("drain-on-unload");
    const FenceRef fence = driver.create();
    driver.core.signal(fence);
    driver.core.put(fence, Holder::job);
    driver.core.modules.free(driver.driver);
    EXPECT_EQ(driver.verdict([&] { driver.run(); }), "use-after-free of slab");
}

TEST(HardwareFence, TheDriversNameIsInItsText) {
    for (const char* name :
         {"borrowed-lock", "inline-lock", "refcounted-context", "drain-on-unload", "split"}) {
        Driver driver(name);
        const FenceRef fence = driver.create();
        EXPECT_EQ(driver.core.driver_name(fence), "drv") << name;
        driver.core.modules.free(driver.driver);
        EXPECT_EQ(driver.verdict([&] { (void)driver.core.driver_name(fence); }),
                  "use-after-free of ops")
            << name;
    }
}

TEST(HardwareFence, TimelineNamesAreTheLendersOwn) {
    const auto name_under = [](std::string_view name) {
        Driver driver(name);
        return driver.core.timeline_name(driver.create());
    };
    EXPECT_EQ(name_under("borrowed-lock"), "a/gfx");
    EXPECT_EQ(name_under("inline-lock"), "a/gfx");
    EXPECT_EQ(name_under("refcounted-context"), "a/gfx");
    EXPECT_EQ(name_under("drain-on-unload"), "gpu");
    EXPECT_EQ(name_under("split"), "gfx");
}

TEST(HardwareFence, PeakAliveCountsMemoryNotReferences) {
    Driver driver("inline-lock");
    const FenceRef first = driver.create(1);
    driver.core.signal(first);
    driver.core.put(first, Holder::job);
    driver.create(2); // the first is in its grace period still
    EXPECT_EQ(driver.core.peak_alive(), 2u);
    driver.run();
    driver.create(3);
    EXPECT_EQ(driver.core.peak_alive(), 2u);
}

} // namespace
} // namespace fenceline::fences
