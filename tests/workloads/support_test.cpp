#include "workloads/support.hpp"

#include "documents.hpp"
#include "fences/lifetime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::workloads::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> of_config(std::string_view members) {
    return unsupported(interpret_config(Json::parse(config_with(members)), "c.json"));
}

TEST(Support, RunsAllThatAConfigurationMaySayExceptContradictions) {
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"rr"},"lifetime":"borrowed-lock")"), IsEmpty());
    EXPECT_THAT(of_config(R"("scheduler":{"policy":"fair"})"), IsEmpty());
    EXPECT_THAT(of_config(R"("kernel":"mainline","scheduler":{"policy":"rr"},
        "quirks":["fair-monotonic-minimum"])"),
                IsEmpty());
    EXPECT_THAT(of_config(R"("scheduler":{"timeout":5},"rings":[{"name":"a","timeout":7}])"),
                IsEmpty());
    for (const fences::Preset& preset : fences::presets())
        EXPECT_THAT(of_config("\"lifetime\":\"" + std::string(preset.name) + "\""), IsEmpty());
    Config config; // by hand: the reader would have refused it
    config.lifetime.hardware.lock = fences::LockRule::shared;
    EXPECT_THAT(unsupported(config),
                ElementsAre(StartsWith(
                    "configuration: /lifetime: found \"hardware.lock\": \"shared\", expected")));
}

} // namespace
} // namespace fenceline::workloads::tests
