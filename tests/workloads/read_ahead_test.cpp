// Jobs that a thread reads ahead: nobody can tell the difference.
#include "documents.hpp"
#include "workloads/job_stream.hpp"
#include "workloads/simulation.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace fenceline::workloads::tests {
namespace {

constexpr int kJobs = 30'000; // some batches

std::string many_lines(int count = kJobs) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
        const std::string number = std::to_string(i);
        lines += "{\"id\":" + number + ",\"at\":" + number + R"(,"entity":"a/gfx","duration":2)";
        lines += i % 3 == 0 || i < 9 ? "}"
                                     : ",\"after\":[" + std::to_string(i - 1 - i % 7) + "," +
                                           std::to_string(i - 9) + "]}";
        lines += i % 5 == 0 ? "\r\n" : "\n";
    }
    return lines;
}

std::unique_ptr<JobSource> open_ahead(const LoadedWorkload& loaded) {
    std::unique_ptr<JobSource> source = loaded.open_jobs();
    source->read_ahead(2);
    return source;
}

bool reads_ahead(const JobSource& source) {
    return dynamic_cast<const StreamJobSource&>(source).reads_ahead();
}

TEST(ReadAhead, GivesTheSameJobs) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const LoadedWorkload loaded = load_workload(file.path());
    const auto plain = loaded.open_jobs();
    const auto ahead = open_ahead(loaded);
    const ReadJobs expected = read_jobs(*plain);
    EXPECT_EQ(expected.fault, "accepted");
    EXPECT_EQ(expected.jobs.size(), static_cast<std::size_t>(kJobs));
    EXPECT_EQ(read_jobs(*ahead), expected);
    EXPECT_FALSE(reads_ahead(*plain));
    EXPECT_TRUE(reads_ahead(*ahead));
    JobRecord job;
    EXPECT_FALSE(ahead->next(job)); // still at the end
}

TEST(ReadAhead, NeedsASecondProcessorAndASecondBatch) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const auto alone = load_workload(file.path()).open_jobs();
    alone->read_ahead(1);
    (void)read_jobs(*alone);
    EXPECT_FALSE(reads_ahead(*alone));
    const TemporaryFile small("w.jsonl", lines_with("", many_lines(100)));
    const auto one_batch = open_ahead(load_workload(small.path()));
    JobRecord job;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(one_batch->next(job));
        ASSERT_FALSE(reads_ahead(*one_batch));
    }
}

TEST(ReadAhead, MeetsAFaultWhereItStands) {
    std::string lines = many_lines() + "\n" + R"({"id":5,"at":0)" + "\n" + many_lines(3);
    const TemporaryFile file("w.jsonl", lines_with("", lines));
    const LoadedWorkload loaded = load_workload(file.path());
    const ReadJobs expected = read_jobs(*loaded.open_jobs());
    EXPECT_EQ(expected.fault, file.path() + ":" + std::to_string(kJobs + 3) +
                                  ":15: found end of input, expected '}'");
    const auto ahead = open_ahead(loaded);
    EXPECT_EQ(read_jobs(*ahead), expected);
    EXPECT_EQ(read_jobs(*ahead).fault, expected.fault); // and it stays there
}

TEST(ReadAhead, SaysWhereItIsAndWhatHasCome) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const auto source = open_ahead(load_workload(file.path()));
    EXPECT_EQ(source->where(), file.path() + ":1");
    JobRecord job;
    for (std::uint64_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(source->next(job));
        if (i % 1000 == 0) {
            ASSERT_EQ(source->where(), file.path() + ":" + std::to_string(i + 2));
            ASSERT_EQ(source->ordinal_of(i), i);
            ASSERT_FALSE(source->ordinal_of(i + 1));
        }
    }
}

TEST(ReadAhead, StartsAgainFromAnywhere) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const LoadedWorkload loaded = load_workload(file.path());
    const ReadJobs expected = read_jobs(*loaded.open_jobs());
    const auto source = open_ahead(loaded);
    JobRecord job;
    for (const int taken : {0, 1, 9000, kJobs}) {
        for (int i = 0; i < taken; ++i) {
            ASSERT_TRUE(source->next(job));
        }
        source->rewind();
        EXPECT_EQ(read_jobs(*source), expected) << taken;
        source->rewind();
    }
}

TEST(ReadAhead, EndsAtOnceWhenNobodyTakesTheJobs) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const LoadedWorkload loaded = load_workload(file.path());
    for (const int taken : {6000, 9000, 20'000}) {
        const auto source = open_ahead(loaded);
        JobRecord job;
        for (int i = 0; i < taken; ++i) {
            ASSERT_TRUE(source->next(job));
        }
    } // with full and with empty queues
}

/// A pipe with a name; what is written to it, by a thread, in pieces.
class Pipe {
  public:
    Pipe() : place_("unused", ""), path_((place_.folder() / "pipe.jsonl").string()) {
        EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// Then waits for go_on() before it closes the pipe.
    void write(std::string text, std::size_t piece, bool stay_open) {
        thread_ = std::jthread([this, text = std::move(text), piece, stay_open] {
            const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
            for (std::size_t at = 0; at < text.size();) {
                const ssize_t size =
                    ::write(fd, text.data() + at, std::min(piece, text.size() - at));
                if (size <= 0) {
                    break;
                }
                at += static_cast<std::size_t>(size);
            }
            while (stay_open && !closing_) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            close(fd);
        });
    }
    void close_it() { closing_ = true; }

  private:
    TemporaryFile place_;
    std::string path_;
    std::atomic<bool> closing_{false};
    std::jthread thread_;
};

TEST(ReadAhead, TakesAPipeInAnyPieces) {
    const TemporaryFile file("w.jsonl", lines_with("", many_lines()));
    const ReadJobs expected = read_jobs(*load_workload(file.path()).open_jobs());
    for (const std::size_t piece : {7U, 1000U, 100'000U}) {
        Pipe pipe;
        pipe.write(lines_with("", many_lines()), piece, false);
        EXPECT_EQ(read_jobs(*open_ahead(load_workload(pipe.path()))), expected) << piece;
    }
}

TEST(ReadAhead, GivesJobsAsSoonAsTheyHaveCome) {
    Pipe pipe;
    pipe.write(lines_with("", many_lines()), 1 << 16, true);
    const auto source = open_ahead(load_workload(pipe.path()));
    JobRecord job;
    for (int i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(source->next(job)); // the pipe is still open
    }
    pipe.close_it();
    EXPECT_FALSE(source->next(job));
}

TEST(ReadAhead, EndsAtOnceWhileItWaitsForInput) {
    Pipe pipe;
    pipe.write(lines_with("", many_lines()), 1 << 16, true);
    {
        const auto source = open_ahead(load_workload(pipe.path()));
        JobRecord job;
        for (int i = 0; i < kJobs; ++i) {
            ASSERT_TRUE(source->next(job));
        }
        EXPECT_TRUE(reads_ahead(*source));
    } // would wait forever
    pipe.close_it();
}

struct EventText final : scheduler::EventSink {
    void on_event(const scheduler::LoggedEvent& event) override {
        text += std::to_string(event.time) + " " + std::to_string(static_cast<int>(event.event)) +
                " " + std::to_string(event.job) + "\n";
    }
    std::string text;
};

/// The device goes while a fence of its driver is held: a hazard, which a second run explains.
TEST(ReadAhead, RunsAreTheSameAlsoWhenTheyAreRunAgain) {
    const std::string actions =
        R"(,"actions":[{"at":5,"do":"export","job":4,"to":"sync_file","as":"f"},)"
        R"({"at":40000,"do":"destroy-entity","entity":"a/gfx"},)"
        R"({"at":90000,"do":"unload-driver","driver":"drv"},)"
        R"({"at":99000,"do":"query","name":"f"}])";
    const TemporaryFile file("w.jsonl", lines_with(actions, many_lines()));
    const LoadedWorkload loaded = load_workload(file.path());
    const Config config =
        resolve_rings(interpret_config(Json::parse(config_with("")), "c.json"), *loaded.workload);
    const auto run = [&](JobSource& source, EventText& log) {
        RunOptions options;
        options.events = &log;
        return simulate(config, *loaded.workload, source, options);
    };
    EventText plain_log;
    EventText ahead_log;
    const RunResult plain = run(*loaded.open_jobs(), plain_log);
    const RunResult ahead = run(*open_ahead(loaded), ahead_log);
    EXPECT_EQ(ahead_log.text, plain_log.text);
    EXPECT_GT(plain_log.text.size(), 100'000U);
    EXPECT_FALSE(plain.hazards.empty());
    ASSERT_EQ(ahead.hazards.size(), plain.hazards.size());
    EXPECT_EQ(ahead.events, plain.events);
}

} // namespace
} // namespace fenceline::workloads::tests
