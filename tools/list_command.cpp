// fenceline list: what there is to choose from.
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/library.hpp"
#include "tools/output_file.hpp"
#include "tools/table.hpp"
#include "tools/usage_error.hpp"
#include "workloads/input_error.hpp"
#include "workloads/names.hpp"
#include "workloads/quirks.hpp"
#include "workloads/read_workload.hpp"
#include "workloads/simulation.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace fenceline::tools {
namespace {

std::string list_policies(const Style& style) {
    Table table(
        {{"policy", Align::left}, {"kernel", Align::left}, {"", Align::left, Overflow::wrap}});
    table.row({{"fifo", Tone::strong},
               {"6.12, mainline"},
               {"the entity whose oldest job has waited longest (default)"}});
    table.row({{"rr", Tone::strong}, {"6.12, mainline"}, {"one entity after the other"}});
    table.row({{"fair", Tone::strong},
               {"mainline"},
               {"the entity that has had the least GPU time, weighed by priority"}});
    return table.text(style, 0) +
           wrapped("Set with --policy P or the key scheduler.policy; a ring may have its own. In "
                   "6.12 every ring has a run queue per priority and the more urgent queue always "
                   "goes first; so it is in mainline, except that under fair one run queue takes "
                   "all priorities.",
                   0, 0);
}

std::string value_name(const fences::Rule& rule, const fences::LifetimePolicy& policy,
                       bool hardware) {
    return std::string(rule.values[static_cast<std::size_t>(rule.get(policy, hardware))].name);
}

/// The rules of a policy that are not the default, those about one fence only where it is of
/// interest.
std::string rules_text(const fences::LifetimePolicy& policy) {
    const fences::LifetimePolicy plain;
    std::string of_public;
    std::string of_hardware;
    const auto add = [&](std::string& text, const fences::Rule& rule, bool hardware) {
        if (rule.get(policy, hardware) != rule.get(plain, hardware)) {
            text += " " + std::string(rule.key) + "=" + value_name(rule, policy, hardware);
        }
    };
    const fences::Rule& visible =
        fences::rules().front(); // always said: it tells what the rest means
    std::string text = std::string(visible.key) + "=" + value_name(visible, policy, false);
    for (const fences::Rule& rule : fences::rules().subspan(1)) {
        if (rule.per_fence) {
            add(of_public, rule, false);
            add(of_hardware, rule, true);
        } else {
            add(text, rule, false);
        }
    }
    if (policy.public_fence != fences::PublicFence::hardware && !of_public.empty()) {
        text += "; public fence:" + of_public;
    }
    return of_hardware.empty() ? text : text + "; hardware fence:" + of_hardware;
}

std::string list_lifetimes(const Style& style) {
    const fences::LifetimePolicy plain;
    std::string out = style.paint("Presets", Tone::strong) + "\n";
    for (const fences::Preset& preset : fences::presets()) {
        out += "  " + style.paint(preset.name, Tone::strong) + "\n";
        out += wrapped(preset.about, 6, 6);
        out += style.paint(wrapped(rules_text(preset.policy), 6, 8), Tone::faint);
    }
    Table table({{"rule", Align::left},
                 {"values", Align::left, Overflow::wrap},
                 {"", Align::left, Overflow::wrap}});
    for (const fences::Rule& rule : fences::rules()) {
        std::string values;
        for (const fences::RuleValue& value : rule.values) {
            values += (values.empty() ? "" : ", ") + std::string(value.name) +
                      (value.value == rule.get(plain, true) ? "*" : "");
        }
        table.row({{std::string(rule.key), Tone::strong},
                   {values},
                   {std::string(rule.about) + (rule.per_fence ? " (for each fence)" : "")}});
    }
    out += "\n" + style.paint("Rules (the default is marked *)", Tone::strong) + "\n" +
           table.text(style);
    return out + "\n" +
           wrapped(
               "Set with --lifetime PRESET, or compose one: \"lifetime\": {\"base\": \"split\", "
               "\"retire\": \"rcu-barrier\", \"hardware\": {\"lock\": \"inline\"}}.",
               0, 0);
}

std::string list_quirks(const Style& style) {
    std::string out;
    for (const workloads::Quirk& quirk : workloads::quirks()) {
        out += style.paint(quirk.name, Tone::strong) + "\n" + wrapped(quirk.about, 2, 2) +
               style.paint(wrapped(quirk.story, 4, 4), Tone::faint);
    }
    return out + "\n" + wrapped("Set with --set 'quirks=[\"NAME\"]' or the key quirks.", 0, 0);
}

std::string list_hazards(const Style& style) {
    Table table({{"hazard", Align::left},
                 {"ends the run", Align::left},
                 {"", Align::left, Overflow::wrap}});
    for (const sim::HazardClass* hazard : workloads::hazard_classes()) {
        table.row({{std::string(hazard->name), Tone::strong},
                   {hazard->fatal ? "yes" : "no"},
                   {std::string(hazard->about)}});
    }
    return table.text(style, 0);
}

std::string list_workloads(const Style& style) {
    const auto folder = find_library();
    if (!folder) {
        throw workloads::InputError("found no bundled workloads, expected them in "
                                    "workloads/library of the source tree or where "
                                    "FENCELINE_LIBRARY says");
    }
    const auto files = library_files(*folder);
    if (files.empty()) {
        throw workloads::InputError(folder->string() + ": found no workloads (*.json) there");
    }
    std::string out = "Workloads in " + workloads::printable(folder->string(), 1000) + "\n";
    for (const std::filesystem::path& file : files) {
        out += "  " + style.paint(workloads::printable(file.filename().string()), Tone::strong);
        try {
            const auto loaded = workloads::load_workload(file.string());
            out += "\n" + wrapped(loaded.workload->name, 6, 8);
            if (!loaded.workload->about.empty()) {
                out += style.paint(wrapped(loaded.workload->about, 6, 6), Tone::faint);
            }
        } catch (const workloads::InputError& error) {
            out += "\n" + wrapped(std::string("not valid: ") + error.what(), 6, 8);
        }
    }
    return out;
}

struct Topic {
    std::string_view name;
    std::string (*text)(const Style&);
};
constexpr std::array<Topic, 5> kTopics{{{"policies", list_policies},
                                        {"lifetimes", list_lifetimes},
                                        {"quirks", list_quirks},
                                        {"hazards", list_hazards},
                                        {"workloads", list_workloads}}};

} // namespace

int list_command(const ListArguments& arguments) {
    std::vector<std::string_view> names;
    for (const Topic& topic : kTopics) {
        if (topic.name == arguments.what) {
            write_standard_output(topic.text(Style::for_standard_output()));
            return kDone;
        }
        names.push_back(topic.name);
    }
    throw UsageError(fmt::format("list: found '{}', expected {}{}",
                                 workloads::printable(arguments.what, 80), fmt::join(names, ", "),
                                 workloads::did_you_mean(arguments.what, names)));
}

} // namespace fenceline::tools
