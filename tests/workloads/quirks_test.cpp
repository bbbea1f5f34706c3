// Quirks: names, stories, what they come to, and that the catalogue of real bugs shows each.
#include "workloads/quirks.hpp"

#include "documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace fenceline::workloads::tests {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

const std::filesystem::path kRoot(FENCELINE_SOURCE_DIR);

bool same(const QuirkSet& a, const QuirkSet& b) {
    return a.fences == b.fences && a.scheduler == b.scheduler &&
           a.user_keeps_no_reference == b.user_keeps_no_reference;
}

std::string text_of(const std::filesystem::path& folder) {
    std::ostringstream text;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() == ".json") {
            text << std::ifstream(file.path()).rdbuf();
        }
    }
    return text.str();
}

TEST(Quirks, HaveNamesOfTheirOwnALineAndAStory) {
    std::set<std::string_view> names;
    for (const Quirk& quirk : quirks()) {
        EXPECT_THAT(std::string(quirk.name), MatchesRegex("[a-z]+(-[a-z]+)+"));
        EXPECT_TRUE(names.insert(quirk.name).second) << quirk.name;
        EXPECT_LT(quirk.about.size(), 100u) << quirk.name;
        EXPECT_GT(quirk.story.size(), quirk.about.size()) << quirk.name;
    }
}

TEST(Quirks, EachSwitchesSomethingThatNoOtherDoes) {
    std::vector<QuirkSet> known{quirk_set({})};
    for (const Quirk& quirk : quirks()) {
        if (quirk.apply == nullptr) {
            continue;
        }
        const QuirkSet set = quirk_set({std::string(quirk.name)});
        EXPECT_TRUE(std::none_of(known.begin(), known.end(), [&](const QuirkSet& other) {
            return same(set, other);
        })) << quirk.name;
        known.push_back(set);
    }
}

TEST(Quirks, OfTheModelKeepJobsFromThePlainPath) {
    EXPECT_FALSE(quirk_set({}).odd());
    EXPECT_FALSE(quirk_set({std::string(kExportHardwareFence)}).odd());
    EXPECT_TRUE(quirk_set({"free-any-finished"}).odd());
    EXPECT_TRUE(quirk_set({"poll-signals"}).odd());
}

TEST(Quirks, AreAllShownByABundledScenarioOrConfiguration) {
    const std::string shown = text_of(kRoot / "tests/catalog") + text_of(kRoot / "configs");
    for (const Quirk& quirk : quirks()) {
        if (quirk.name != kFairMonotonicMinimum) { // no bug of a kernel
            EXPECT_THAT(shown, HasSubstr("\"" + std::string(quirk.name) + "\""));
        }
    }
}

TEST(Quirks, ProtectTheLateJobInOneWayAtATime) {
    const auto fault = [](const std::string& list) {
        return fault_of([&] {
            (void)interpret_config(
                Json::parse(R"({"format":"fenceline/config","version":1,"quirks":)" + list + "}"),
                "c.json");
        });
    };
    EXPECT_EQ(fault(R"(["timeout-parks-scheduler","poll-signals"])"), "accepted");
    EXPECT_THAT(fault(R"(["timeout-parks-scheduler","timeout-pins-fence"])"),
                testing::AllOf(HasSubstr("/quirks/1"), HasSubstr("timeout-pins-fence"),
                               HasSubstr("one of them")));
}

} // namespace
} // namespace fenceline::workloads::tests
