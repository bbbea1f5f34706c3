// fenceline compare with a matrix: the bundled one says what the literature does.
#include "tests/tools/program.hpp"
#include "tests/tools/scratch.hpp"
#include "workloads/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace fenceline::tools::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using workloads::Json;

const std::string kMatrix = std::string(FENCELINE_SOURCE_DIR) + "/configs/lifetime-matrix.json";

const std::vector<std::string> kPresets{"borrowed-lock",   "inline-lock", "refcounted-context",
                                        "drain-on-unload", "split",       "split-safe-names",
                                        "detached-ops",    "refcount-all"};

class MatrixTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        const Outcome outcome = run_program({"compare", kMatrix, "--json", "-"});
        ASSERT_EQ(outcome.code, 0) << outcome.err;
        const Json document = Json::parse(outcome.out);
        for (const Json& row : document["matrix"])
            rows_[row["row"].get<std::string>()] = row;
    }
    static std::vector<std::string> verdicts(const std::string& row) {
        std::vector<std::string> out;
        for (const std::string& preset : kPresets)
            out.push_back(rows_.at(row)["cells"][preset]["verdict"].get<std::string>());
        return out;
    }
    static std::map<std::string, Json> rows_;
};
std::map<std::string, Json> MatrixTest::rows_;

TEST_F(MatrixTest, LocksAreSafeInTheFenceAndInWhatFencesCount) {
    EXPECT_THAT(verdicts("lock freed while a fence is referenced"),
                ElementsAre("fails", "safe", "safe", "fails", "fails", "fails", "safe", "safe"));
}

TEST_F(MatrixTest, NamesAreSafeAfterTheSignalWhereTheyAreConstantThen) {
    EXPECT_THAT(verdicts("name read after its context is gone, signalled"),
                ElementsAre("fails", "fails", "safe", "fails", "fails", "safe", "safe", "safe"));
}

TEST_F(MatrixTest, NamesAreSafeBeforeTheSignalWhereSomebodyCountsOrWaits) {
    EXPECT_THAT(
        verdicts("name read after its context is gone, unsignalled"),
        ElementsAre("fails", "fails", "safe", "contract", "fails", "fails", "fails", "safe"));
}

TEST_F(MatrixTest, OpsAreSafeAfterTheSignalWhereTheyAreDetached) {
    EXPECT_THAT(verdicts("ops or text gone after rmmod, signalled"),
                ElementsAre("fails", "fails", "fails", "fails", "fails", "fails", "safe", "safe"));
}

TEST_F(MatrixTest, OpsAreSafeBeforeTheSignalOnlyWhereTheDriverWaits) {
    EXPECT_THAT(
        verdicts("ops or text gone after rmmod, unsignalled"),
        ElementsAre("fails", "fails", "fails", "contract", "fails", "fails", "fails", "contract"));
}

TEST_F(MatrixTest, OnlyACountedJobIsSafeFromAHandlerThatLeavesItOnTheList) {
    EXPECT_THAT(verdicts("job freed while its timeout is handled"),
                ElementsAre("fails", "fails", "fails", "fails", "fails", "fails", "fails", "safe"));
}

TEST_F(MatrixTest, AnIdleHolderPinsWhatItsFenceHolds) {
    std::vector<std::uint64_t> bytes;
    for (const std::string& preset : kPresets)
        bytes.push_back(
            rows_.at("memory pinned by an idle holder")["cells"][preset]["pinned"]["bytes"]
                .get<std::uint64_t>());
    EXPECT_THAT(bytes, ElementsAre(64, 64, 64 + 256, 64, 192 + 64, 192 + 64, 64, 128));
}

TEST_F(MatrixTest, EachFailureNamesTheEventThatShowsIt) {
    for (const auto& [name, row] : rows_)
        for (const auto& [preset, cell] : row["cells"].items()) {
            const bool fails = cell.value("verdict", "safe") != "safe";
            EXPECT_EQ(cell.contains("shown_by"), fails) << name << " " << preset;
            if (fails) {
                EXPECT_THAT(row["subjects"], ::testing::Contains(cell["shown_by"]["subject"]));
                EXPECT_GT(cell["shown_by"]["event"].get<std::uint64_t>(), 0u);
            }
        }
}

TEST_F(MatrixTest, IsATableForReaders) {
    const Outcome outcome = run_program({"compare", kMatrix});
    for (const char* text : {"What can fail", "contract", "refcount-all (contract broken)",
                             "matrix-lock-freed.json", "use-after-free of lock"})
        EXPECT_THAT(outcome.out, HasSubstr(text));
}

} // namespace
} // namespace fenceline::tools::testing
