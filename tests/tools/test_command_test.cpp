// fenceline test as users meet it: what it finds, what it says, in which format, with which code.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

namespace fenceline::tools::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kWorkload = R"({
  "entities": [ { "id": "a/gfx", "rings": ["gfx"] } ],
  "jobs": [ { "id": 0, "at": 0, "entity": "a/gfx", "duration": "1ms" } ] })";

std::string scenario(const std::string& rest) {
    return R"({"format":"fenceline/scenario","version":1,"workload":)" + std::string(kWorkload) +
           "," + rest + "}";
}

class TestCommand : public ::testing::Test {
  protected:
    TestCommand() {
        std::filesystem::create_directories(scratch_.path("all/more"));
        std::filesystem::create_directories(scratch_.path("all/.hidden"));
        const std::string good = R"("cases":[{"name":"one","expect":{"hazards":"none"}},
            {"name":"two","expect":{"figures":{"/makespan":"1ms"}}}])";
        scratch_.file("all/a.json", scenario(good));
        scratch_.file("all/more/b.json",
                      scenario(R"("name":"wrong","expect":{"order":[{"ev":"reset"}]})"));
        // None of these is a scenario.
        scratch_.file("all/workload.json", kHarmless);
        scratch_.file("all/package.json", R"({"name":"other"})");
        scratch_.file("all/readme.txt", "{");
        scratch_.file("all/.hidden/c.json", "{");
    }

    [[nodiscard]] std::string path(std::string_view name) const { return scratch_.path(name); }
    [[nodiscard]] std::string good() const { return path("all/a.json"); }
    [[nodiscard]] std::string bad() const { return path("all/more/b.json"); }

    Scratch scratch_;
};

TEST_F(TestCommand, SaysALineForEachCase) {
    const Outcome outcome = run_program({"test", path("all")});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(
        outcome.out,
        "ok      " + good() + "/a/one (1ms)\n" +     //
            "ok      " + good() + "/a/two (1ms)\n" + //
            "FAILED  " + bad() + "/wrong (1ms)\n" +  //
            "    /expect/order/0\n"                  //
            "      expected  {\"ev\":\"reset\"}\n"   //
            "      found     no such event\n"        //
            R"(             2  {"t":0,"ev":"run_job","job":0,"entity":"a/gfx","ring":"gfx"})"
            "\n"
            R"(             3  {"t":0,"ev":"scheduled","job":0,"entity":"a/gfx","ring":"gfx"})"
            "\n"
            R"(             4  {"t":1000000,"ev":"hw_done","job":0,"entity":"a/gfx","ring":"gfx"})"
            "\n"
            R"(             5  {"t":1000000,"ev":"finished","job":0,"entity":"a/gfx","ring":"gfx"})"
            "\n"
            R"(             6  {"t":1000000,"ev":"free_job","job":0,"entity":"a/gfx","ring":"gfx"})"
            "\n"
            "\n3 cases of 2 scenarios: 2 passed, 1 failed\n");
    EXPECT_EQ(run_program({"test", good()}).code, 0);
}

/// The lines of the log are those that --events writes.
TEST_F(TestCommand, ShowsTheLinesOfTheEventLog) {
    const std::string config = scratch_.file(
        "config.json", R"({"format":"fenceline/config","version":1,"workload":"w.json",
                           "scheduler":{"timeout":"10ms"}})");
    scratch_.file("w.json", R"({"format":"fenceline/workload","version":1,
        "entities":[{"id":"a\"\\/gfx","rings":["g"]}],
        "jobs":[{"id":3,"at":0,"entity":"a\"\\/gfx","duration":"forever"}]})");
    const Outcome log = run_program({"run", config, "--events", "-"});
    EXPECT_THAT(log.out, HasSubstr("\"err\":"));
    EXPECT_THAT(log.out, HasSubstr("reset"));
    std::string lines;
    std::size_t begin = 0;
    for (std::size_t end = log.out.find('\n'); end != std::string::npos;
         begin = end + 1, end = log.out.find('\n', begin)) {
        lines += (begin == 0 ? "" : ",") + log.out.substr(begin, end - begin);
    }
    const std::string head =
        R"({"format":"fenceline/scenario","version":1,"config":"config.json","expect":)";
    scratch_.file("s.json", head + R"({"events":[)" + lines + "]}}");
    EXPECT_EQ(run_program({"test", path("s.json")}).code, 0);
    scratch_.file("s.json", head + R"({"events":[]}})");
    const Outcome failed = run_program({"test", path("s.json")});
    EXPECT_EQ(failed.code, 1);
    EXPECT_THAT(failed.out, HasSubstr("found     " + log.out.substr(0, log.out.find('\n'))));
}

TEST_F(TestCommand, SaysTheSameWithAnyNumberOfThreads) {
    std::string cases;
    for (int i = 0; i < 40; ++i) {
        cases += (i == 0 ? "" : ",") + std::string(R"({"name":"c)") + std::to_string(i) +
                 R"(","expect":{"counts":{"queue":)" + std::to_string(i % 2) + "}}}";
    }
    scratch_.file("all/many.json", scenario(R"("cases":[)" + cases + "]"));
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--ktap"}, {"--junit", "-"}, {"--verbose"}}) {
        std::vector<std::string> arguments{"test", path("all"), "--jobs", "1"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const Outcome one = run_program(arguments);
        EXPECT_EQ(one.code, 1);
        arguments[3] = "7";
        EXPECT_EQ(run_program(arguments).out, one.out);
    }
}

TEST_F(TestCommand, Filters) {
    const auto list = [&](const std::string& filter) {
        return run_program({"test", path("all"), "--list", "--filter", filter}).out;
    };
    EXPECT_EQ(list("two"), good() + "/a/two\n");
    EXPECT_EQ(list("*/a/*"), good() + "/a/one\n" + good() + "/a/two\n");
    EXPECT_EQ(list("*b.json*"), bad() + "/wrong\n");
    EXPECT_EQ(list("*/a/[on]*"), good() + "/a/one\n");
    EXPECT_EQ(list("a/one*").size(), 0U); // a pattern is for the whole name
    EXPECT_EQ(run_program({"test", path("all"), "--filter", "two"}).code, 0);
    const Outcome none = run_program({"test", path("all"), "--filter", "three"});
    EXPECT_EQ(none.code, 2);
    EXPECT_THAT(none.err, HasSubstr("no case is called 'three'"));
}

TEST_F(TestCommand, NothingToRunIsAnError) {
    std::filesystem::create_directory(path("empty"));
    const Outcome outcome = run_program({"test", path("empty")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("found no scenarios in " + path("empty")));
    EXPECT_EQ(run_program({"test"}).code, 2);
    EXPECT_EQ(run_program({"test", path("none")}).code, 2);
}

TEST_F(TestCommand, AFileThatIsNamedMustBeAScenario) {
    const Outcome outcome = run_program({"test", path("all"), path("all/workload.json")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("workload.json: /format: found \"fenceline/workload\", "
                                       "expected \"fenceline/scenario\""));
    EXPECT_THAT(run_program({"test", path("all/package.json")}).err, HasSubstr("found no format"));
}

TEST_F(TestCommand, RunsAFileOnceHoweverOftenItIsNamed) {
    EXPECT_THAT(run_program({"test", good(), path("all/more/../a.json"), path("all")}).out,
                HasSubstr("3 cases of 2 scenarios"));
}

/// What is wrong with one file keeps nothing else from running.
TEST_F(TestCommand, BadInputIsAnErrorOfItsOwn) {
    scratch_.file("all/broken.json", "{");
    scratch_.file("all/fault.json", scenario(R"("expects":{})"));
    scratch_.file("all/later.json",
                  scenario(R"("schedule":{"steps":[["a","b"]]},"expect":{"end":"normal"})"));
    const Outcome outcome = run_program({"test", path("all"), "--junit", path("out.xml")});
    EXPECT_EQ(outcome.code, 2);
    for (const char* const text :
         {"error   ", "broken.json:1:2: found ", "fault.json: found the unknown key",
          "later.json: /schedule/steps/0/0: found \"a\", expected a context",
          "6 cases of 5 scenarios: 2 passed, 1 failed, 3 errors"}) {
        EXPECT_THAT(outcome.out, HasSubstr(text));
    }
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 3);
    EXPECT_THAT(outcome.err,
                HasSubstr("fenceline: " + path("all/fault.json") + ": found the unknown key"));
    pugi::xml_document xml;
    ASSERT_TRUE(xml.load_file(path("out.xml").c_str()));
    EXPECT_EQ(xml.child("testsuites").attribute("errors").as_int(), 3);
    const Outcome ktap = run_program({"test", path("all"), "--ktap"});
    EXPECT_THAT(ktap.out, HasSubstr("# ERROR " + path("all/broken.json")));
}

TEST_F(TestCommand, BadInputThatOnlyTheRunMeetsIsAnErrorOfItsCase) {
    scratch_.file("w.jsonl", R"({"format":"fenceline/workload","version":1,)"
                             R"("entities":[{"id":"a/gfx","rings":["gfx"]}]})"
                             "\n"
                             R"({"id":0,"at":0,"entity":"a/gfx","duration":-1})"
                             "\n");
    scratch_.file("all/z.json", R"({"format":"fenceline/scenario","version":1,
        "workload":"../w.jsonl","expect":{"end":"normal"}})");
    const Outcome outcome = run_program({"test", path("all")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("w.jsonl:2: /duration: found -1"));
    EXPECT_THAT(outcome.out, HasSubstr("error   " + path("all/z.json") + "/z\n"));
    EXPECT_THAT(outcome.out, HasSubstr("2 passed, 1 failed, 1 error"));
}

/// Documents inside a scenario: the file's name, and the place in it.
TEST_F(TestCommand, FaultsInDocumentsInsideSayWhere) {
    const auto fault = [&](const std::string& text) {
        scratch_.file("s.json", R"({"format":"fenceline/scenario","version":1,)" + text + "}");
        const Outcome outcome = run_program({"test", path("s.json")});
        EXPECT_EQ(outcome.code, 2);
        EXPECT_THAT(outcome.err, StartsWith("fenceline: " + path("s.json") + ": "));
        return outcome.err.substr(
            std::min(outcome.err.size(), ("fenceline: " + path("s.json") + ": ").size()));
    };
    const std::string expect = R"(,"expect":{"end":"normal"})";
    const std::string workload = R"(,"workload":)" + std::string(kWorkload);
    EXPECT_THAT(
        fault(R"("config":{"rings":[{"name":"gfx","credit_limit":0}]})" + workload + expect),
        StartsWith("/config/rings/0/credit_limit: found 0"));
    EXPECT_THAT(fault(R"("workload":{"entities":[{"id":"a","rings":[]}]})" + expect),
                StartsWith("/workload/entities/0/rings: found an empty array"));
    EXPECT_THAT(fault(R"("cases":[{"name":"x","workload":{"jobs":[{"id":-1}]}}])"),
                StartsWith("/cases/0/workload/jobs/0/id: found -1"));
    EXPECT_THAT(fault(R"("cases":[{"name":"x","set":{"seed":-1},"expect":{"end":"normal"}}])"),
                StartsWith("/cases/0/set/seed: /seed: found -1"));
    // What only the two together show.
    EXPECT_THAT(
        fault(
            R"("workload":{"clients":[{"name":"c","repeat":"forever","program":[{"sleep":1}]}]})" +
            expect),
        StartsWith("/workload/clients/0/repeat: found \"forever\""));
    EXPECT_THAT(
        fault(R"("workload":{"actions":[{"at":1,"do":"unload-driver","driver":"x"}]})" + expect),
        StartsWith("/workload/actions/0/driver: found \"x\""));
    EXPECT_THAT(fault("\"x\":1" + workload + expect), StartsWith("found the unknown key 'x'"));
    EXPECT_THAT(fault(expect.substr(1)), StartsWith("/workload: found none"));
    for (const auto& [key, name] : {std::pair{"entity", "an entity"}, {"ring", "a ring"}}) {
        EXPECT_THAT(fault(workload.substr(1) + R"(,"expect":{"never":[{")" + key + R"(":"zzz"}]})"),
                    StartsWith("/expect/never/0/" + std::string(key) +
                               ": found \"zzz\", expected " + name + " of the workload"));
    }
    EXPECT_THAT(fault(workload.substr(1) + R"(,"expect":{"share":{"zzz":1}})"),
                StartsWith("/expect/share/zzz: found \"zzz\", expected a client"));
}

/// Paths are relative to the scenario's file, or to that of the configuration where they stand there.
TEST_F(TestCommand, PathsAreRelativeToTheFile) {
    std::filesystem::create_directories(scratch_.path("x/y"));
    scratch_.file("x/w.json", kHarmless);
    scratch_.file("x/c.json",
                  R"({"format":"fenceline/config","version":1,"workload":"w.json","seed":4})");
    const std::string head = R"({"format":"fenceline/scenario","version":1,)";
    scratch_.file("x/y/s.json", head + R"("config":"../c.json",
        "cases":[{"name":"the configuration's","expect":{"counts":{"queue":2}}},
                 {"name":"own","workload":"../../all/workload.json","config":{},
                  "expect":{"figures":{"/seed":1}}},
                 {"name":"set","set":{"seed":5},"expect":{"figures":{"/seed":5}}}]})");
    EXPECT_EQ(run_program({"test", path("x/y/s.json")}).code, 0);
    scratch_.file("x/y/s.json", head + R"("workload":"none.json","expect":{"end":"normal"}})");
    EXPECT_THAT(run_program({"test", path("x/y")}).err,
                HasSubstr(path("x/y/none.json") + ": cannot be read"));
}

TEST_F(TestCommand, CasesReplaceWhatTheScenarioSays) {
    scratch_.file("s.json", scenario(R"("config":{"seed":7,"lifetime":"inline-lock"},
        "options":{"keep_going":true},
        "cases":[{"name":"as it stands","expect":{"figures":{"/seed":7,"/keep_going":true}}},
                 {"name":"replaced","config":{"rcu_grace_period":"1us"},"options":{"strict":true},
                  "workload":{"entities":[{"id":"b","rings":["r"]}]},
                  "expect":{"figures":{"/seed":1,"/keep_going":false,"/strict":true,
                    "/lifetime/policy":"split","/configuration/rcu_grace_period":"1us",
                    "/workload/name":"s","/jobs/submitted":0}}}])"));
    const Outcome outcome = run_program({"test", path("s.json")});
    EXPECT_EQ(outcome.code, 0) << outcome.out;
}

TEST_F(TestCommand, Ktap) {
    scratch_.file("all/more/b.json", scenario(R"("name":"n#1","cases":[
        {"name":"a","expect":{"counts":{"queue":2}}},{"name":"b","expect":{"end":"normal"}}])"));
    const Outcome outcome = run_program({"test", path("all"), "--ktap"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "KTAP version 1\n1..2\n"
                           "  KTAP version 1\n  # Subtest: " +
                               good() +
                               ": a\n"
                               "  1..2\n  ok 1 one\n  ok 2 two\n"
                               "ok 1 " +
                               good() +
                               ": a\n"
                               "  KTAP version 1\n  # Subtest: " +
                               bad() +
                               ": n_1\n  1..2\n"
                               "  # /cases/0/expect/counts/queue\n"
                               "  #   expected  queue: 2\n"
                               "  #   found     1\n"
                               "  #     >    1  {\"t\":0,\"ev\":\"queue\",\"job\":0,"
                               "\"entity\":\"a/gfx\",\"ring\":\"gfx\"}\n"
                               "  not ok 1 a\n  ok 2 b\n"
                               "not ok 2 " +
                               bad() +
                               ": n_1\n"
                               "# 3 passed, 1 failed\n");
    const Outcome both = run_program({"test", path("all"), "--ktap", "--junit", "-"});
    EXPECT_EQ(both.code, 2);
}

TEST_F(TestCommand, JUnit) {
    scratch_.file("all/more/b.json",
                  scenario(R"("name":"<&\"'\u0001>","expect":{"counts":{"queue":2}})"));
    const Outcome outcome = run_program({"test", path("all"), "--junit", path("out.xml")});
    EXPECT_EQ(outcome.code, 1);
    pugi::xml_document xml;
    const pugi::xml_parse_result parsed = xml.load_file(path("out.xml").c_str());
    ASSERT_TRUE(parsed) << parsed.description();
    const pugi::xml_node suites = xml.child("testsuites");
    EXPECT_EQ(suites.attribute("tests").as_int(), 3);
    EXPECT_EQ(suites.attribute("failures").as_int(), 1);
    const pugi::xml_node suite = suites.child("testsuite");
    EXPECT_EQ(suite.attribute("file").as_string(), good());
    EXPECT_EQ(suite.attribute("failures").as_int(), 0);
    EXPECT_STREQ(suite.child("testcase").attribute("name").as_string(), "one");
    EXPECT_FALSE(suite.child("testcase").child("failure"));
    const pugi::xml_node failed = suite.next_sibling("testsuite").child("testcase");
    EXPECT_STREQ(failed.attribute("name").as_string(), "<&\"'?>");
    EXPECT_THAT(failed.child("failure").attribute("message").as_string(),
                StartsWith("/expect/counts/queue: expected queue: 2, found 1"));
    EXPECT_THAT(failed.child("failure").child_value(), HasSubstr("\"ev\":\"queue\",\"job\":0"));
    // On standard output it stands alone.
    EXPECT_EQ(run_program({"test", path("all"), "--junit", "-"}).out, scratch_.read("out.xml"));
}

TEST_F(TestCommand, VerboseShowsReportsOfHazards) {
    scratch_.file("s.json", R"({"format":"fenceline/scenario","version":1,"workload":"u.json",
        "expect":{"hazards":{"at_least":[{"class":"use-after-free"}]}}})");
    scratch_.file("u.json", kUnload);
    const Outcome brief = run_program({"test", path("s.json")});
    EXPECT_EQ(brief.code, 0);
    EXPECT_THAT(brief.out, Not(HasSubstr("freed at")));
    const Outcome verbose = run_program({"test", path("s.json"), "--verbose"});
    EXPECT_EQ(verbose.code, 0);
    EXPECT_THAT(verbose.out, HasSubstr("    HAZARD: use-after-free of"));
    EXPECT_THAT(verbose.out, Not(HasSubstr(" \n")));
    EXPECT_THAT(verbose.out, Not(HasSubstr("\n\n\n")));
    EXPECT_THAT(verbose.out, HasSubstr("freed at 2000000 ns by task unload-driver drv"));
}

TEST_F(TestCommand, InterruptedResultsAreMarkedPartial) {
    scratch_.file("s.json", R"({"format":"fenceline/scenario","version":1,
        "config":{"until":"100000s"},
        "workload":{"clients":[{"name":"c","entities":[{"id":"c/gfx","rings":["gfx"]}],
          "repeat":"forever","program":[{"submit":{"entity":"c/gfx","duration":"1us","as":"x"}},
          {"wait":"x"}]}]},
        "expect":{"end":"until"}})");
    for (const bool ktap : {false, true}) {
        std::vector<std::string> arguments{"--log-level", "info", "test", good(), path("s.json")};
        if (ktap) {
            arguments.emplace_back("--ktap");
        }
        Program program(arguments);
        program.wait_for_error_text("running 3 cases");
        usleep(300'000);
        program.send(SIGINT);
        const Outcome outcome = program.finish();
        EXPECT_EQ(outcome.code, 130);
        if (ktap) {
            EXPECT_THAT(outcome.out, HasSubstr("ok 1 s # SKIP interrupted"));
        } else {
            EXPECT_THAT(outcome.out, HasSubstr("not run " + path("s.json")));
            EXPECT_THAT(outcome.out, HasSubstr("INTERRUPTED, the results are partial: 3 cases"));
        }
    }
}

TEST_F(TestCommand, ReadsStandardInput) {
    const Outcome outcome = run_program({"test", "-"}, good());
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, StartsWith("ok      <stdin>/<stdin>/one"));
}

TEST_F(TestCommand, ValidateKnowsScenarios) {
    const Outcome valid = run_program({"validate", good()});
    EXPECT_EQ(valid.code, 0);
    EXPECT_THAT(valid.out, EndsWith("a.json: valid scenario: 2 cases\n"));
    scratch_.file("s.json", R"({"format":"fenceline/scenario","version":1,"workload":"none.json",
        "schedule":{"steps":[["task:a","call f"]]},"expect":{"end":"normal"}})");
    const Outcome later = run_program({"validate", path("s.json")});
    EXPECT_EQ(later.code, 0);
    EXPECT_THAT(later.out, HasSubstr("note: cannot be run: " + path("none.json")));
    scratch_.file("s.json", scenario(R"("expect":{"order":[{"entity":"b"}]})"));
    const Outcome wrong = run_program({"validate", path("s.json")});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("/expect/order/0/entity: found \"b\""));
}

} // namespace
} // namespace fenceline::tools::testing
