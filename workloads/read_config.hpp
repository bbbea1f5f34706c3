// Reads and writes configurations.
//
// A configuration goes through three stages: the file is read into a document (read_document),
// settings from the command line or from `vary` change the document (apply_setting), and the
// document is checked and becomes a Config (interpret_config). read_config() does all three. What
// is wrong with any of them is thrown as InputError; a fault that a setting brought in names it.
#pragma once

#include "workloads/config.hpp"
#include "workloads/json.hpp"
#include "workloads/workload.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

struct Source;

/// `--set key=value`: the value is JSON text, or else a plain string.
struct Setting {
    std::string key;
    std::string value;
};

/// The file as a document whose paths (`workload`, also in `vary`) are relative to the working
/// directory. Only its syntax has been checked.
[[nodiscard]] Json read_config_document(const std::string& path);

/// Sets the dotted key (`seed`, `scheduler.policy`, `rings.gfx.credit_limit`, `lifetime.lock`) in
/// the document. Rings are addressed by name and created where missing. Fails when there is no such
/// key or when the value is not one that the key can have.
void apply_setting(Json& document, std::string_view key, std::string_view value_text);

/// The same with a value that is JSON; `label` stands before what is wrong with it.
void apply_value(Json& document, std::string_view key, const Json& value, const std::string& label);

/// Makes a path that stands in a file of that folder relative to the working directory.
[[nodiscard]] std::string rebased(const std::string& given, const std::string& folder);

/// Checks the document. `source_name` stands for the file in messages, `source` also for the place
/// in it.
[[nodiscard]] Config interpret_config(const Json& document, const std::string& source_name);
[[nodiscard]] Config interpret_config(const Json& document, const Source& source);

/// All of it. Paths in settings are relative to the working directory.
[[nodiscard]] Config read_config(const std::string& path, std::span<const Setting> settings = {});

/// `values` with `"all"` replaced by the closed list of the key: `scheduler.policy` (those of the
/// kernel; every one where none is given), `lifetime` (the presets that this version can run), `kernel`. Fails for other keys.
[[nodiscard]] std::vector<std::string> expand_vary(const std::string& key,
                                                   std::vector<std::string> values,
                                                   std::optional<scheduler::KernelVersion> kernel);

/// Adds the rings that only the workload names, with the defaults, and puts the workload's rings
/// first: afterwards config.rings[i] is workload.rings[i] for each of them, and the rings that only
/// the configuration names follow. Fails when the workload's actions name a device or driver that
/// no ring has, when an entity's rings belong to several drivers, or when a client repeats forever
/// in a run without `until`.
[[nodiscard]] Config resolve_rings(Config config, const Workload& workload);

/// The full effective configuration, for reports: every key, defaults included. Interpreting it
/// gives an equal Config.
[[nodiscard]] Json effective_json(const Config& config);

} // namespace fenceline::workloads
