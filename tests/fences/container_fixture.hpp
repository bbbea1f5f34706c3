// What tests of fence containers need beyond the world: fences with contexts of their own, chains.
#pragma once

#include "fence_fixture.hpp"
#include "fences/fence_array.hpp"
#include "fences/fence_chain.hpp"
#include "fences/fence_unwrap.hpp"
#include "fences/resv.hpp"
#include "fences/stub_fence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace fenceline::fences::testing_support {

struct ContainerWorld : World {
    using World::World;

    /// A plain fence in a context of its own, or in the given one.
    FenceRef lone(std::uint32_t context = 0, std::uint32_t seqno = 1) {
        static const FenceOps plain{.type = "plain"};
        const FenceRef ref = fence(plain, seqno);
        core.get(ref).context = context != 0 ? context : core.context_alloc(1);
        return ref;
    }
    FenceRef array(std::vector<FenceRef> fences, bool any = false) {
        return fence_array_create(core, std::move(fences), core.context_alloc(1), 1, any);
    }
    void drop(FenceRef ref) { core.put(ref, Holder::workload); }
    [[nodiscard]] std::uint32_t references(FenceRef ref) { return core.get(ref).references.peek(); }
    std::vector<FenceRef> unwrapped(FenceRef head) {
        std::vector<FenceRef> fences;
        unwrap_for_each(core, head, [&](FenceRef fence) { fences.push_back(fence); });
        return fences;
    }
    /// Lets everything happen and checks that nothing is left.
    void expect_nothing_left() {
        run();
        core.report_leaks();
        EXPECT_EQ(verdicts(), std::vector<std::string>{});
    }
};

/// Links over fences of their own, each with its signal armed, as somebody who submits to a
/// timeline leaves them; the test holds a reference to each link and each fence.
class Chains {
  public:
    using SeqnoOf = std::uint64_t (*)(std::size_t);
    Chains(ContainerWorld& world, std::size_t length, SeqnoOf seqno_of, bool armed = true)
        : world_(world) {
        for (std::size_t i = 0; i < length; ++i) {
            fences.push_back(world.lone());
            const FenceRef prev = links.empty() ? FenceRef{} : world.core.take(links.back());
            links.push_back(
                fence_chain_init(world.core, prev, world.core.take(fences.back()), seqno_of(i)));
            if (armed)
                world.core.enable_sw_signaling(links.back());
        }
    }
    /// Signals what is left and gives everything back.
    void end() {
        for (const FenceRef fence : fences) {
            world_.core.try_signal(fence);
            world_.drop(fence);
        }
        for (const FenceRef link : links)
            world_.drop(link);
    }
    [[nodiscard]] FenceRef tail() const { return links.back(); }
    /// dma_fence_chain_find_seqno from `from`; `found` holds no reference.
    struct Answer {
        bool ok;
        FenceRef found;
    };
    Answer find(FenceRef from, std::uint64_t seqno) {
        FenceRef fence = world_.core.take(from);
        const bool ok = fence_chain_find_seqno(world_.core, fence, seqno);
        world_.drop(fence);
        return {ok, fence};
    }
    [[nodiscard]] bool signalled(std::size_t link) { return world_.core.is_signaled(links[link]); }

    std::vector<FenceRef> fences;
    std::vector<FenceRef> links;

  private:
    ContainerWorld& world_;
};

} // namespace fenceline::fences::testing_support
