#include "tools/prepare.hpp"

#include "workloads/input_error.hpp"
#include "workloads/read_config.hpp"
#include "workloads/support.hpp"

#include <vector>

namespace fenceline::tools {
namespace {

using workloads::InputError;
using workloads::printable;

/// Applies one setting; a fault is reported under the words that the user typed.
void apply_given(workloads::Json& document, const GivenSetting& setting) {
    const std::string label =
        "--set " + printable(setting.key, 80) + "=" + printable(setting.value, 80);
    try {
        workloads::apply_setting(document, setting.key, setting.value);
    } catch (const InputError& error) {
        const std::string_view message = error.what();
        if (!message.starts_with(label)) {
            throw;
        }
        throw InputError(printable(setting.typed, 170) + std::string(message.substr(label.size())));
    }
}

std::string typed_text(std::span<const GivenSetting> settings) {
    std::string text;
    for (const GivenSetting& setting : settings) {
        text += (text.empty() ? "" : " ") + printable(setting.typed, 170);
    }
    return text;
}

} // namespace

ConfigDocument read_config_file(const std::string& path) {
    const std::string name = path == "-" ? "<stdin>" : path;
    ConfigDocument file{name, workloads::read_config_document(path)};
    (void)workloads::interpret_config(file.document, name);
    return file;
}

workloads::Config configure(const ConfigDocument& file, std::span<const GivenSetting> settings) {
    if (settings.empty()) {
        return workloads::interpret_config(file.document, file.name);
    }
    workloads::Json document = file.document;
    for (const GivenSetting& setting : settings) {
        apply_given(document, setting);
    }
    try {
        return workloads::interpret_config(document, file.name);
    } catch (const InputError& error) {
        // Each setting is right by itself: together, or with the file, they are not.
        throw InputError(std::string(error.what()) + " (with " + typed_text(settings) + ")");
    }
}

PreparedRun prepare(workloads::Config config, WorkloadCache& cache) {
    if (config.workload.empty()) {
        throw InputError(config.source_path + ": found no workload, expected the key 'workload' or "
                                              "the option --workload FILE");
    }
    if (config.workload == "-" && config.source_path == "<stdin>") {
        throw InputError("<stdin>: found both the configuration and the workload there, expected "
                         "one of them in a file");
    }
    auto it = cache.find(config.workload);
    if (it == cache.end()) {
        it = cache.emplace(config.workload, workloads::load_workload(config.workload)).first;
    }
    return prepare(std::move(config), it->second);
}

PreparedRun prepare(workloads::Config config, workloads::LoadedWorkload loaded) {
    const workloads::Workload& workload = *loaded.workload;
    const std::vector<std::string> missing = workloads::unsupported(config);
    if (!missing.empty()) {
        const std::string more =
            missing.size() == 1 ? "" : " (and " + std::to_string(missing.size() - 1) + " more)";
        throw InputError(missing.front() + more);
    }
    return {workloads::resolve_rings(std::move(config), workload), std::move(loaded)};
}

} // namespace fenceline::tools
