// JUnit XML, as CI systems read it. pugixml writes it; what XML cannot hold at all (control
// characters, broken UTF-8) is replaced before.
#include "tools/test_report.hpp"

#include "workloads/duration.hpp"
#include "workloads/input_error.hpp"

#include <pugixml.hpp>

#include <sstream>

namespace fenceline::tools {
namespace {

std::string clean(const std::string& text) {
    return workloads::printable(text, 4000);
}

std::string all_lines(const CaseOutcome& outcome) {
    std::string text;
    for (const std::string& line : reason_lines(outcome)) {
        text += clean(line) + "\n";
    }
    return text;
}

void put(pugi::xml_node node, const char* key, const std::string& value) {
    node.append_attribute(key).set_value(clean(value).c_str());
}

void put_totals(pugi::xml_node node, const TestTotals& totals) {
    put(node, "tests", std::to_string(totals.cases()));
    put(node, "failures", std::to_string(totals.failed));
    put(node, "errors", std::to_string(totals.errors));
    put(node, "skipped", std::to_string(totals.interrupted));
}

pugi::xml_node add_case(pugi::xml_node suite, const std::string& name, const std::string& file) {
    pugi::xml_node node = suite.append_child("testcase");
    put(node, "name", name);
    put(node, "classname", file);
    return node;
}

void add_error(pugi::xml_node test, const std::string& message) {
    pugi::xml_node node = test.append_child("error");
    put(node, "message", message);
    put(node, "type", "input");
}

/// The virtual time at which the run ended; `time` would be taken for seconds of the machine.
void add_end_time(pugi::xml_node test, sim::Time time) {
    pugi::xml_node property = test.append_child("properties").append_child("property");
    put(property, "name", "end_time");
    put(property, "value", workloads::format_duration(time));
}

void add_outcome(pugi::xml_node test, const CaseOutcome& outcome) {
    switch (outcome.status) {
    case TestStatus::passed:
    case TestStatus::failed:
        add_end_time(test, outcome.end_time);
        break;
    case TestStatus::error:
        add_error(test, outcome.error);
        return;
    case TestStatus::interrupted:
        put(test.append_child("skipped"), "message", "interrupted");
        return;
    }
    if (outcome.status == TestStatus::failed) {
        const Failure& first = outcome.failures.front();
        pugi::xml_node node = test.append_child("failure");
        put(node, "message",
            first.where + ": expected " + first.expected + ", found " + first.found);
        put(node, "type", "expectation");
        node.text().set(all_lines(outcome).c_str());
    } else if (!outcome.reports.empty()) {
        test.append_child("system-out").text().set(all_lines(outcome).c_str());
    }
}

void add_suite(pugi::xml_node suites, const PlannedScenario& scenario,
               const ScenarioOutcomes& outcomes, TestTotals& all) {
    pugi::xml_node suite = suites.append_child("testsuite");
    put(suite, "name", scenario.name);
    put(suite, "file", scenario.file);
    TestTotals totals;
    if (!scenario.error.empty()) {
        totals.add(TestStatus::error);
        add_error(add_case(suite, scenario.name, scenario.file), scenario.error);
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        totals.add(outcomes[i].status);
        add_outcome(add_case(suite, scenario.cases[i].name, scenario.file), outcomes[i]);
    }
    put_totals(suite, totals);
    all.passed += totals.passed;
    all.failed += totals.failed;
    all.errors += totals.errors;
    all.interrupted += totals.interrupted;
}

} // namespace

std::string junit_text(const std::vector<PlannedScenario>& plan,
                       const std::vector<ScenarioOutcomes>& outcomes) {
    pugi::xml_document document;
    pugi::xml_node declaration = document.append_child(pugi::node_declaration);
    put(declaration, "version", "1.0");
    put(declaration, "encoding", "UTF-8");
    pugi::xml_node suites = document.append_child("testsuites");
    put(suites, "name", "fenceline");
    TestTotals totals;
    for (std::size_t i = 0; i < plan.size(); ++i) {
        add_suite(suites, plan[i], outcomes[i], totals);
    }
    put_totals(suites, totals);
    std::ostringstream out;
    document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
    return out.str();
}

} // namespace fenceline::tools
