// The graph of a snapshot: counts that differ, chains, and groups of chains of one shape.
#include "fences/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::fences {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Graph : public testing::Test {
  protected:
    std::uint32_t fence(std::uint64_t id, std::uint32_t references, sim::Time signalled) {
        const std::uint32_t number = out.number(Place::fence, id);
        SnapshotNode& node = out.at(number);
        node.kind = "finished fence";
        node.name = std::to_string(id);
        node.bytes = 192;
        node.since = signalled;
        node.pinned = true;
        node.checked = true;
        node.references = references;
        return number;
    }
    std::uint32_t context() {
        const std::uint32_t number = out.number(Place::owner, 1);
        out.at(number).kind = "context";
        out.at(number).name = "a";
        out.at(number).bytes = 256;
        return number;
    }

    SnapshotBuilder out{1000};
};

TEST_F(Graph, AReferenceThatNobodyAccountsForIsReported) {
    const std::uint32_t file = out.root("sync_file", "f");
    const std::uint32_t held = fence(7, 3, 100);
    out.edge(file, held, "fence", Hold::counted);
    out.edge(file, held, "just a pointer", Hold::pointer);
    const Snapshot graph = out.finish();
    ASSERT_THAT(graph.unaccounted(), ElementsAre(1));
    EXPECT_EQ(graph.unaccounted_text(1),
              "2 references to finished fence 7 that nobody accounts for (3 counted, 1 found)");
    const ChainReport report = chains_of(graph, 10);
    EXPECT_EQ(report.unaccounted_objects, 1u);
    EXPECT_EQ(report.references, 3u);
}

TEST_F(Graph, AHolderWithoutAReferenceIsReported) {
    const std::uint32_t held = fence(7, 0, 100);
    out.edge(out.root("label", "l"), held, "fence", Hold::counted);
    const Snapshot graph = out.finish();
    ASSERT_THAT(graph.unaccounted(), SizeIs(1));
    EXPECT_EQ(graph.unaccounted_text(graph.unaccounted().front()),
              "1 of the holders of finished fence 7 hold no reference (0 counted, 1 found)");
}

TEST_F(Graph, WhatIsReferredToAndNeverEnteredIsDead) {
    const std::uint32_t file = out.root("sync_file", "f");
    out.edge(file, out.number(Place::fence, 9), "fence", Hold::counted);
    const Snapshot graph = out.finish();
    EXPECT_THAT(graph.nodes, SizeIs(1));
    EXPECT_THAT(graph.edges, IsEmpty());
}

TEST_F(Graph, AHundredThousandAlikeAreOneGroup) {
    const std::uint32_t owner = context();
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        const std::uint32_t file = out.root("sync_file", "f" + std::to_string(i));
        const std::uint32_t held = fence(i, 1, i == 700 ? 5 : 500);
        out.edge(file, held, "fence", Hold::counted);
        out.edge(held, owner, "fence->context", Hold::counted);
    }
    const ChainReport report = chains_of(out.finish(), 10);
    ASSERT_THAT(report.groups, SizeIs(2));
    EXPECT_EQ(report.groups[0].count, 100'000u);
    EXPECT_EQ(report.groups[0].bytes, 19'200'000u);
    EXPECT_EQ(report.groups[0].pinned, 100'000u);
    EXPECT_EQ(report.groups[0].since, 5u);
    EXPECT_EQ(chain_text(report.groups[0]), "sync_file f700 -> (fence) finished fence 700");
    EXPECT_EQ(report.pinned_objects, 100'000u);
    EXPECT_EQ(report.bytes, 19'200'256u);
}

TEST_F(Graph, GroupsBeyondThoseAskedForAreCounted) {
    const std::uint32_t held = fence(1, 3, 10);
    for (const char* kind : {"sync_file", "syncobj", "label"})
        out.edge(out.root(kind, "x"), held, "fence", Hold::counted);
    const ChainReport report = chains_of(out.finish(), 2);
    EXPECT_THAT(report.groups, SizeIs(2));
    EXPECT_EQ(report.more_groups, 1u);
}

TEST_F(Graph, ALongChainIsOneShapeAndIsShownWithoutItsMiddle) {
    std::uint32_t before = out.root("timeline syncobj", "t");
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint32_t link = fence(i, 1, 1000 - i);
        out.at(link).kind = "fence chain";
        out.edge(before, link, "chain->prev", Hold::counted);
        before = link;
    }
    const ChainReport report = chains_of(out.finish(), 10);
    ASSERT_THAT(report.groups, SizeIs(1));
    EXPECT_EQ(report.groups[0].count, 1000u);
    EXPECT_EQ(report.groups[0].links.size() + report.groups[0].left_out, 1001u);
    EXPECT_LT(report.groups[0].links.size(), 15u);
    EXPECT_EQ(report.groups[0].links.back().name, "999");
}

TEST_F(Graph, APointerShowsOnlyWhereNothingKeepsTheObject) {
    const std::uint32_t file = out.root("sync_file", "f");
    const std::uint32_t held = fence(1, 1, 10);
    const std::uint32_t owner = context();
    out.edge(file, held, "fence", Hold::counted);
    out.edge(held, owner, "fence->lock", Hold::pointer);
    const Snapshot borrowed = SnapshotBuilder(out).finish();
    EXPECT_THAT(holders_of(borrowed, 2, 5),
                ElementsAre("sync_file f -> (fence) finished fence 1 -> (fence->lock, not counted) "
                            "context a"));
    EXPECT_THAT(chains_of(borrowed, 10).groups, SizeIs(2));
    out.edge(out.root("driver", "drv"), owner, "contexts", Hold::owns);
    const ChainReport owned = chains_of(out.finish(), 10);
    ASSERT_THAT(owned.groups, SizeIs(2));
    EXPECT_EQ(chain_text(owned.groups[1]), "driver drv -> (contexts) context a");
}

} // namespace
} // namespace fenceline::fences
