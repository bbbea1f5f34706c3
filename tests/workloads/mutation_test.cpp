// Valid documents with bytes changed, removed and doubled: read, or refused in one line; never
// more.
#include "documents.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/scenario.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

namespace fenceline::workloads::tests {
namespace {

std::string content_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::string mutated(std::string text, std::mt19937_64& random) {
    static constexpr std::string_view kBytes = "{}[]\",:0189-.eEnust\\ \n\x80\xff\x01/";
    const std::size_t edits = 1 + random() % 3;
    for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
        const std::size_t at = random() % text.size();
        const std::size_t length = 1 + random() % std::min<std::size_t>(12, text.size() - at);
        switch (random() % 4) {
        case 0:
            text[at] = kBytes[random() % kBytes.size()];
            break;
        case 1:
            text.erase(at, length);
            break;
        case 2:
            text.insert(at, text.substr(at, length));
            break;
        default:
            text.insert(at, 1, kBytes[random() % kBytes.size()]);
            break;
        }
    }
    return text;
}

void expect_one_line(const std::string& message) {
    EXPECT_FALSE(message.empty());
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_EQ(message, printable(message, 3000));
}

TEST(Mutations, AreReadOrRefusedInOneLine) {
    const std::vector<std::string> files = corpus("valid");
    std::mt19937_64 random(42);
    for (int round = 0; round < 300; ++round) {
        for (const std::string& path : files) {
            const std::string text = mutated(content_of(path), random);
            expect_one_line(workload_fault(text));
            expect_one_line(
                fault_of([&] { (void)interpret_config(parse_json(text, {"c.json"}), "c.json"); }));
            expect_one_line(fault_of(
                [&] { (void)interpret_scenario(parse_json(text, {"s.json"}), "s.json"); }));
        }
    }
}

/// The fast way over lines accepts no line that the slow way would refuse, and reads it the same.
TEST(Mutations, OfLinesAreJudgedAsInADocument) {
    const std::string first = R"({"id":0,"at":1,"entity":"a/gfx","duration":"1.5us"})";
    const std::string second =
        R"({"id":1,"at":"2us","entity":"a/gfx","duration":3,"after":[0],"credits":2,"via":"any"})";
    std::mt19937_64 random(43);
    for (int round = 0; round < 2000; ++round) {
        const std::string line = mutated(second, random);
        if (line.find('\n') != std::string::npos) {
            continue; // two lines, and no job in a document
        }
        const std::string in_lines = lines_fault(lines_with("", first + "\n" + line));
        const std::string in_document = workload_fault(workload_with_jobs(first + "," + line));
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            EXPECT_EQ(in_lines == "accepted", in_document == "accepted") << line << "\n"
                                                                         << in_lines << "\n"
                                                                         << in_document;
        }
        expect_one_line(in_lines);
    }
}

} // namespace
} // namespace fenceline::workloads::tests
