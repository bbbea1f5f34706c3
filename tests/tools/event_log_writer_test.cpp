#include "tools/event_log_writer.hpp"

#include "tests/tools/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fenceline::tools {
namespace {

using scheduler::JobEvent;
using testing::Scratch;

const std::vector<std::string> kEntities{"a/gfx", "b \"quoted\"\\"};
const std::vector<std::string> kRings{"gfx", "\u4e2d"};

TEST(EventLogWriter, WritesTheFormatByteForByte) {
    const Scratch scratch;
    OutputFile file(scratch.path("log"));
    EventLogWriter writer(file, kEntities, kRings);
    writer.on_event({0, JobEvent::queue, 1, 0, 0, 0, 0, 0});
    writer.on_event({1200, JobEvent::run_job, 1, 0, 0, 0, -3, 0});
    writer.on_event({1200, JobEvent::finished, 18446744073709551615U, 1, 1, 1, 0, 0});
    writer.on_event({18446744073709551615U, JobEvent::reset, 9, 0, 0, 1, -5, 0});
    writer.finish();
    file.commit();
    EXPECT_EQ(scratch.read("log"),
              "{\"t\":0,\"ev\":\"queue\",\"job\":1,\"entity\":\"a/gfx\",\"ring\":\"gfx\"}\n"
              "{\"t\":1200,\"ev\":\"run_job\",\"job\":1,\"entity\":\"a/"
              "gfx\",\"ring\":\"gfx\",\"err\":-3}\n"
              "{\"t\":1200,\"ev\":\"finished\",\"job\":18446744073709551615,"
              "\"entity\":\"b \\\"quoted\\\"\\\\\",\"ring\":\"\u4e2d\"}\n"
              "{\"t\":18446744073709551615,\"ev\":\"reset\",\"ring\":\"\u4e2d\"}\n");
}

TEST(EventLogWriter, KnowsEveryEvent) {
    const Scratch scratch;
    OutputFile file(scratch.path("log"));
    EventLogWriter writer(file, kEntities, kRings);
    std::string expected;
    for (int kind = 0; kind <= static_cast<int>(JobEvent::cancel_job); ++kind) {
        const auto event = static_cast<JobEvent>(kind);
        writer.on_event({7, event, 3, 0, 0, 0, 0, 0});
        expected += "{\"t\":7,\"ev\":\"" + std::string(name_of(event)) + "\"," +
                    (event == JobEvent::reset ? "" : "\"job\":3,\"entity\":\"a/gfx\",") +
                    "\"ring\":\"gfx\"}\n";
    }
    writer.finish();
    file.commit();
    EXPECT_EQ(scratch.read("log"), expected);
}

TEST(EventLogWriter, BuffersMayBeCrossedAnywhere) {
    const Scratch scratch;
    OutputFile file(scratch.path("log"));
    const std::vector<std::string> entities{std::string(40'000, 'e')};
    EventLogWriter writer(file, entities, kRings);
    constexpr int kLines = 100;
    for (int i = 0; i < kLines; ++i) {
        writer.on_event({static_cast<sim::Time>(i), JobEvent::queue, 1, 0, 0, 0, 0, 0});
    }
    writer.finish();
    file.commit();
    std::string expected;
    for (int i = 0; i < kLines; ++i) {
        expected += "{\"t\":" + std::to_string(i) + ",\"ev\":\"queue\",\"job\":1,\"entity\":\"" +
                    entities.front() + "\",\"ring\":\"gfx\"}\n";
    }
    EXPECT_EQ(scratch.read("log"), expected);
}

TEST(EventLogWriter, KeepsAFailureUntilTheEnd) {
    OutputFile file("/dev/full");
    EventLogWriter writer(file, kEntities, kRings);
    for (int i = 0; i < 100'000 && !writer.failed(); ++i) {
        writer.on_event({1, JobEvent::queue, 1, 0, 0, 0, 0, 0});
    }
    EXPECT_TRUE(writer.failed());
    EXPECT_THROW(writer.finish(), OutputError);
}

} // namespace
} // namespace fenceline::tools
