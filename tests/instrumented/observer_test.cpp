// What an observer sees of the primitives in the instrumented form.
#include "sim/atomic.hpp"
#include "sim/heap.hpp"
#include "sim/lock.hpp"
#include "sim/machine.hpp"
#include "sim/rcu.hpp"
#include "sim/refcount.hpp"
#include "sim/wait.hpp"
#include "sim/workqueue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace fenceline::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

static_assert(kInstrumented);

struct Listener final : Observer {
    void operation(Op op, const void* object, std::string_view) override {
        ops.push_back(op);
        seen.emplace_back(op, object);
    }
    std::vector<Op> ops;
    std::vector<std::pair<Op, const void*>> seen;
};

class ObserverTest : public testing::Test {
  protected:
    ObserverTest() { machine.observe(&listener); }
    void run() { machine.engine.run(nullptr, 1'000'000); }

    Machine machine;
    Listener listener;
};

TEST_F(ObserverTest, SeesLocksAndWhichOnes) {
    SpinLock outer;
    SpinLock inner;
    {
        const SpinGuard a(machine, outer, "outer");
        const SpinGuard b(machine, inner, "inner");
    }
    EXPECT_THAT(listener.seen, ElementsAre(Pair(Op::lock, &outer), Pair(Op::lock, &inner),
                                           Pair(Op::unlock, &inner), Pair(Op::unlock, &outer)));
}

TEST_F(ObserverTest, SeesAnOperationBeforeItTakesEffect) {
    struct Early final : Observer {
        void operation(Op op, const void*, std::string_view) override {
            if (op == Op::rmw)
                before = value->peek();
        }
        Atomic<std::uint32_t>* value = nullptr;
        std::uint32_t before = 99;
    } early;
    Atomic<std::uint32_t> value(3);
    early.value = &value;
    machine.observe(&early);
    value.add(machine, 1);
    EXPECT_EQ(early.before, 3u);
    EXPECT_EQ(value.peek(), 4u);
}

TEST_F(ObserverTest, SeesAtomics) {
    Atomic<std::uint32_t> value;
    (void)value.read(machine);
    value.set(machine, 1);
    value.add(machine, 1);
    (void)value.test_bit(machine, 1);
    value.test_and_set_bit(machine, 1);
    (void)value.compare_exchange(machine, 1, 2);
    (void)value.peek();
    EXPECT_THAT(listener.ops,
                ElementsAre(Op::read, Op::write, Op::rmw, Op::read, Op::rmw, Op::rmw));
}

TEST_F(ObserverTest, SeesReferences) {
    RefCount count;
    count.init();
    count.get(machine, "x");
    (void)count.get_unless_zero(machine);
    count.put(machine, "x");
    EXPECT_THAT(listener.ops, ElementsAre(Op::get, Op::get, Op::put));
}

TEST_F(ObserverTest, SeesAccessesToObjects) {
    Pool<int> pool(machine, "int", [](const int&) { return std::string("int"); });
    const auto handle = pool.alloc(5);
    listener.ops.clear();
    (void)pool.get(handle);
    (void)pool.peek(handle);
    pool.free(handle);
    EXPECT_THAT(listener.ops, ElementsAre(Op::object, Op::free));
}

TEST_F(ObserverTest, FreedMemoryIsPoisoned) {
    Pool<std::uint64_t> pool(machine, "number",
                             [](const std::uint64_t&) { return std::string("number"); });
    const auto handle = pool.alloc(5u);
    pool.free(handle);
    EXPECT_EQ(pool.at(handle.index()), 0x6b6b6b6b6b6b6b6bu);
}

// Op::alloc stands in the list of operations; the heap announces free and access, but not this.
TEST_F(ObserverTest, SeesAllocations) {
    Pool<int> pool(machine, "int", [](const int&) { return std::string("int"); });
    pool.alloc(5);
    EXPECT_THAT(listener.ops, ElementsAre(Op::alloc));
}

TEST_F(ObserverTest, SeesRcu) {
    Rcu rcu(machine, 10);
    rcu.read_lock();
    rcu.read_unlock();
    rcu.call([](void*, std::uint64_t) {}, nullptr, 0);
    EXPECT_THAT(listener.seen, ElementsAre(Pair(Op::rcu_lock, &rcu), Pair(Op::rcu_unlock, &rcu),
                                           Pair(Op::call_rcu, &rcu)));
}

TEST_F(ObserverTest, SeesQueueingAlsoOfWhatIsPending) {
    Workqueue queue(machine, "q", 0);
    Work work([](void*, std::uint64_t) {}, nullptr, 0);
    queue.queue(work);
    queue.queue(work);
    EXPECT_THAT(listener.seen,
                ElementsAre(Pair(Op::queue_work, &work), Pair(Op::queue_work, &work)));
    run();
}

TEST_F(ObserverTest, SeesWaitsAndWakeUps) {
    Completion done;
    machine.start_task("a", [&] { done.wait(machine, "it"); });
    done.complete_all(machine);
    run();
    EXPECT_THAT(listener.ops, ElementsAre(Op::read, Op::wait, Op::write, Op::wake, Op::read));
}

TEST_F(ObserverTest, CanBeTakenAway) {
    SpinLock lock;
    machine.observe(nullptr);
    const SpinGuard guard(machine, lock, "l");
    EXPECT_THAT(listener.ops, IsEmpty());
}

TEST_F(ObserverTest, AnObserverThatOnlyLooksChangesNothing) {
    const auto play = [](Observer* observer) {
        Machine m;
        m.observe(observer);
        SpinLock lock;
        RefCount count;
        count.init();
        m.start_task("a", [&] {
            const SpinGuard guard(m, lock, "l");
            count.get(m, "x");
        });
        m.engine.run(nullptr, 100);
        return std::pair{m.counters.atomics, m.counters.locks};
    };
    EXPECT_EQ(play(nullptr), play(&listener));
    EXPECT_EQ(play(nullptr), (std::pair<std::uint64_t, std::uint64_t>{1, 1}));
}

} // namespace
} // namespace fenceline::sim
