// The lifetime-checked heap.
#include "sim/heap.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Thing {
    explicit Thing(int n = 0, std::vector<int>* d = nullptr) : number(n), destroyed(d) {}
    ~Thing() {
        if (destroyed != nullptr)
            destroyed->push_back(number);
    }
    Thing(const Thing&) = delete;
    Thing& operator=(const Thing&) = delete;
    int number;
    std::vector<int>* destroyed;
};
std::string describe_thing(const Thing& thing) {
    return "thing " + std::to_string(thing.number);
}

struct Heap {
    Machine machine;
    Pool<Thing> pool{machine, "thing", describe_thing};
};

TEST(Heap, GivesWhatWasPutIn) {
    Heap heap;
    const Handle<Thing> a = heap.pool.alloc(1);
    const Handle<Thing> b = heap.pool.alloc(2);
    EXPECT_EQ(heap.pool.get(a).number, 1);
    EXPECT_EQ(heap.pool.get(b, "lock").number, 2);
    EXPECT_TRUE(heap.pool.alive(a));
    EXPECT_EQ(heap.pool.live(), 2u);
    EXPECT_EQ(heap.pool.handle_at(a.index()), a);
    heap.pool.free(a);
    EXPECT_FALSE(heap.pool.alive(a));
    EXPECT_EQ(heap.pool.live(), 1u);
}

TEST(Heap, HandlesSurvivePacking) {
    const Handle<Thing> handle{0x12345678, 0x9abcdef1};
    EXPECT_EQ(Handle<Thing>::unpack(handle.pack()), handle);
    EXPECT_FALSE(Handle<Thing>{});
    EXPECT_TRUE(handle);
}

TEST(Heap, UseAfterFreeNamesTheResource) {
    Heap heap;
    const Handle<Thing> handle = heap.pool.alloc(1);
    heap.pool.free(handle);
    EXPECT_THROW((void)heap.pool.get(handle, "lock"), FatalHazard);
    ASSERT_THAT(heap.machine.hazards(), SizeIs(1));
    const Hazard& hazard = heap.machine.hazards()[0];
    EXPECT_EQ(hazard.kind, &hazards::use_after_free);
    EXPECT_EQ(hazard.subject, "lock");
    EXPECT_EQ(hazard.object, "thing");
    EXPECT_EQ(hazard.message, "a thing is accessed after its death");
    EXPECT_EQ(hazard.pool, "thing");
    EXPECT_EQ(hazard.key, handle.pack());
}

TEST(Heap, WithoutAResourceThePoolIsNamed) {
    Heap heap;
    const Handle<Thing> handle = heap.pool.alloc(1);
    heap.pool.free(handle);
    EXPECT_THROW((void)heap.pool.get(handle), FatalHazard);
    EXPECT_EQ(heap.machine.hazards()[0].subject, "thing");
}

TEST(Heap, DoubleFreeIsReported) {
    Heap heap;
    const Handle<Thing> handle = heap.pool.alloc(1);
    heap.pool.free(handle);
    EXPECT_THROW(heap.pool.free(handle), FatalHazard);
    EXPECT_EQ(heap.machine.hazards()[0].kind, &hazards::double_free);
    EXPECT_EQ(heap.machine.hazards()[0].message, "a thing is freed twice");
    EXPECT_EQ(heap.pool.live(), 0u);
}

TEST(Heap, AFreedObjectIsNeverConfusedWithItsSuccessor) {
    Heap heap;
    Handle<Thing> first = heap.pool.alloc(1);
    std::vector<Handle<Thing>> dead;
    Handle<Thing> handle = first;
    for (int i = 2; i < 50; ++i) {
        heap.pool.free(handle);
        dead.push_back(handle);
        handle = heap.pool.alloc(i);
        ASSERT_EQ(handle.index(), first.index()) << "slots are reused last in, first out";
    }
    for (const Handle<Thing> old : dead) {
        EXPECT_FALSE(heap.pool.alive(old));
        EXPECT_THROW((void)heap.pool.get(old), FatalHazard);
        EXPECT_THROW(heap.pool.free(old), FatalHazard);
    }
    EXPECT_EQ(heap.pool.get(handle).number, 49);
}

TEST(Heap, TheNullHandleRefersToNothing) {
    Heap heap;
    EXPECT_FALSE(heap.pool.alive({}));
    EXPECT_THROW((void)heap.pool.get({}, "names"), FatalHazard);
    EXPECT_EQ(heap.machine.hazards()[0].message, "no thing was ever there");
    EXPECT_THROW(heap.pool.free({}), FatalHazard);
    const Handle<Thing> handle = heap.pool.alloc(1); // takes the first slot
    EXPECT_THROW((void)heap.pool.get({}), FatalHazard);
    EXPECT_TRUE(heap.pool.alive(handle));
}

TEST(Heap, AddressesOfLiveObjectsAreStable) {
    Heap heap;
    const Handle<Thing> handle = heap.pool.alloc(1);
    const Thing* address = &heap.pool.get(handle);
    for (int i = 0; i < 5000; ++i)
        heap.pool.alloc(i);
    EXPECT_EQ(&heap.pool.get(handle), address);
}

TEST(Heap, ASteadyStateTakesNoMoreMemory) {
    Heap heap;
    std::vector<Handle<Thing>> live;
    for (int i = 0; i < 1000; ++i)
        live.push_back(heap.pool.alloc(i));
    const std::size_t memory = heap.pool.memory_bytes();
    for (int i = 0; i < 10'000; ++i) {
        heap.pool.free(live[static_cast<std::size_t>(i) % live.size()]);
        live[static_cast<std::size_t>(i) % live.size()] = heap.pool.alloc(i);
    }
    EXPECT_EQ(heap.pool.memory_bytes(), memory);
    EXPECT_EQ(heap.pool.live(), 1000u);
}

// That it poisons as well is a matter of the instrumented form.
TEST(Heap, FreeingDestroys) {
    Heap heap;
    std::vector<int> destroyed;
    const Handle<Thing> handle = heap.pool.alloc(5, &destroyed);
    heap.pool.free(handle);
    EXPECT_THAT(destroyed, ElementsAre(5));
}

TEST(Heap, PoolsOfOneMachineDoNotMeet) {
    Heap heap;
    Pool<std::uint64_t> others(heap.machine, "number",
                               [](const std::uint64_t&) { return std::string("number"); });
    std::vector<Handle<Thing>> things;
    std::vector<Handle<std::uint64_t>> numbers;
    for (int i = 0; i < 3000; ++i) {
        things.push_back(heap.pool.alloc(i));
        numbers.push_back(others.alloc(~std::uint64_t{0}));
    }
    for (int i = 0; i < 3000; ++i)
        ASSERT_EQ(heap.pool.get(things[static_cast<std::size_t>(i)]).number, i);
    for (const Handle<std::uint64_t> number : numbers)
        ASSERT_EQ(others.get(number), ~std::uint64_t{0});
}

TEST(Heap, DestroysWhatIsAliveAtTheEnd) {
    std::vector<int> destroyed;
    {
        Heap heap;
        heap.pool.alloc(1, &destroyed);
        heap.pool.free(heap.pool.alloc(2, &destroyed));
        heap.pool.alloc(3, &destroyed);
    }
    EXPECT_THAT(destroyed, testing::UnorderedElementsAre(1, 2, 3));
}

TEST(Heap, LeaksAreCountedAndTheFirstIsNamed) {
    Heap heap;
    heap.pool.report_leaks();
    EXPECT_THAT(heap.machine.hazards(), IsEmpty());
    const Handle<Thing> gone = heap.pool.alloc(1);
    const Handle<Thing> first = heap.pool.alloc(2);
    heap.pool.free(gone);
    heap.pool.report_leaks();
    const Handle<Thing> reused = heap.pool.alloc(3);
    heap.pool.report_leaks();
    ASSERT_THAT(heap.machine.hazards(), SizeIs(2));
    EXPECT_EQ(headline(heap.machine.hazards()[0]), "leak of thing: thing 2 is never freed");
    EXPECT_EQ(heap.machine.hazards()[0].key, first.pack());
    EXPECT_EQ(heap.machine.hazards()[1].message, "2 objects are never freed, the first is thing 3");
    EXPECT_EQ(heap.machine.hazards()[1].key, reused.pack());
}

TEST(Heap, VisitsTheLiveInOrderOfSlots) {
    Heap heap;
    std::vector<Handle<Thing>> handles;
    for (int i = 0; i < 300; ++i)
        handles.push_back(heap.pool.alloc(i));
    for (std::size_t i = 0; i < handles.size(); ++i)
        if (i % 3 != 0)
            heap.pool.free(handles[i]);
    std::vector<int> seen;
    heap.pool.for_each_live([&](Handle<Thing> handle, Thing& thing) {
        EXPECT_TRUE(heap.pool.alive(handle));
        seen.push_back(thing.number);
    });
    std::vector<int> expected;
    for (int i = 0; i < 300; i += 3)
        expected.push_back(i);
    EXPECT_EQ(seen, expected);
}

} // namespace
} // namespace fenceline::sim
