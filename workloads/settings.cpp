#include "workloads/settings.hpp"

#include "workloads/names.hpp"
#include "workloads/read_config.hpp"

#include <algorithm>

namespace fenceline::workloads {
namespace {

/// `label` says where the setting comes from, for messages.
[[noreturn]] void fail_setting(const std::string& label, const std::string& message) {
    throw InputError(label + ": " + message);
}

std::vector<std::string> split(std::string_view key, const std::string& label) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= key.size();) {
        const std::size_t end = std::min(key.find('.', begin), key.size());
        if (end == begin) {
            fail_setting(label, "found an empty part in the key, expected a dotted key such as "
                                "rings.gfx.credit_limit");
        }
        parts.emplace_back(key.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

/// The ring's object in the document, which is made where it is missing.
Json& ring_object(Json& document, const std::string& name, const std::string& label) {
    Json& rings = document["rings"];
    if (rings.is_null()) {
        rings = Json::array();
    }
    if (!rings.is_array()) {
        fail_setting(label, "found 'rings' that is not an array, expected one in the document");
    }
    for (Json& ring : rings) {
        if (ring.is_object() && ring.contains("name") && ring["name"] == name) {
            return ring;
        }
    }
    rings.push_back(Json{{"name", name}});
    return rings.back();
}

/// Puts the value where the key says. The key may be wrong: interpreting the document tells.
void put(Json& document, std::string_view key, const Json& value, const std::string& label) {
    const std::vector<std::string> parts = split(key, label);
    const std::string& first = parts.front();
    if (first == "format" || first == "version" || first == "vary") {
        fail_setting(label, "found '" + first + "', expected a key that a run depends on");
    }
    if (!document.is_object()) {
        fail_setting(label, "found a document that is not an object, expected a configuration");
    }
    if (first == "rings" && parts.size() > 1) {
        // A ring's name may have dots in it: the key is what stands after the last one.
        const std::size_t last = key.rfind('.');
        if (parts.size() < 3) {
            fail_setting(label, "found the key of a whole ring, expected one of its keys, such as "
                                "rings." +
                                    parts[1] + ".credit_limit");
        }
        ring_object(document, std::string(key.substr(6, last - 6)), label)[parts.back()] = value;
        return;
    }
    Json* at = &document;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        Json& child = (*at)[parts[i]];
        if (i == 0 && first == "lifetime" && !child.is_object()) {
            // A rule of a preset is changed: the preset becomes the base.
            const Json base = child.is_null() ? Json("split") : child;
            child = Json{{"base", base}};
        } else if (child.is_null()) {
            child = Json::object();
        } else if (!child.is_object()) {
            fail_setting(label, "found '" + parts[i] + "', which has no keys below it, expected '" +
                                    parts[i] + "' alone");
        }
        at = &child;
    }
    (*at)[parts.back()] = value;
}

/// The value on its own in an otherwise empty document: does the key exist, is the value right?
void try_alone(std::string_view key, const Json& value, const std::string& label) {
    Json probe{{"format", "fenceline/config"}, {"version", 1}};
    // What only mainline has is right for some kernel; whether for this one, the whole tells.
    if (key != "kernel") {
        probe["kernel"] = "mainline";
    }
    put(probe, key, value, label);
    (void)interpret_config(probe, label);
}

void apply(Json& document, std::string_view key, std::string_view text, const std::string& label) {
    Json value = Json(std::string(text));
    if (text.find_first_not_of(" \t") != std::string_view::npos) {
        try {
            value = parse_json(text, {"value"});
        } catch (const InputError&) {
            // Not JSON: a plain string.
        }
    }
    try {
        try_alone(key, value, label);
    } catch (const InputError&) {
        // "6.12" is JSON as well as the name of a kernel.
        const Json plain = Json(std::string(text));
        if (value.is_string()) {
            throw;
        }
        bool plain_is_right = true;
        try {
            try_alone(key, plain, label);
        } catch (const InputError&) {
            plain_is_right = false;
        }
        if (!plain_is_right) {
            throw;
        }
        value = plain;
    }
    put(document, key, value, label);
}

template <typename Enum>
std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (const EnumName<Enum>& entry : kEnumNames<Enum>) {
        names.emplace_back(entry.name);
    }
    return names;
}

/// The closed list of a key, or nothing. Where the document names no kernel, `fair` brings its own.
std::vector<std::string> closed_list(std::string_view key,
                                     std::optional<scheduler::KernelVersion> kernel) {
    std::vector<std::string> names;
    if (key == "kernel") {
        names = all_names<scheduler::KernelVersion>();
    } else if (key == "scheduler.policy") {
        names = all_names<scheduler::Policy>();
        if (kernel == scheduler::KernelVersion::v6_12) {
            std::erase(names, "fair");
        }
    } else if (key == "lifetime") {
        for (const fences::Preset& preset : fences::presets()) {
            names.emplace_back(preset.name);
        }
    }
    return names;
}

constexpr std::string_view kClosedKeys =
    "a list of values: only 'scheduler.policy', 'lifetime' and 'kernel' have an \"all\"";

} // namespace

void apply_setting(Json& document, std::string_view key, std::string_view value_text) {
    const std::string label = "--set " + printable(key, 80) + "=" + printable(value_text, 80);
    apply(document, key, value_text, label);
}

void apply_value(Json& document, std::string_view key, const Json& value,
                 const std::string& label) {
    try_alone(key, value, label);
    put(document, key, value, label);
}

std::vector<std::string> expand_vary(const std::string& key, std::vector<std::string> values,
                                     std::optional<scheduler::KernelVersion> kernel) {
    if (values.size() != 1 || values.front() != "all") {
        return values;
    }
    std::vector<std::string> all = closed_list(key, kernel);
    if (all.empty()) {
        throw InputError("--vary " + printable(key, 80) + "=all: found \"all\", expected " +
                         std::string(kClosedKeys));
    }
    return all;
}

std::vector<VaryAxis> read_vary(const Cursor& value, std::optional<scheduler::KernelVersion> kernel,
                                const Source& source) {
    std::vector<VaryAxis> axes;
    value.each_member([&](std::string_view key, const Cursor& values) {
        VaryAxis axis{std::string(key), {}};
        if (values.json() == "all") {
            axis.values = closed_list(key, kernel);
            if (axis.values.empty()) {
                values.fail(kClosedKeys);
            }
        } else if (!values.json().is_array()) {
            values.fail("an array of values, or \"all\"");
        }
        if (values.json().is_array()) {
            values.elements(
                [&](const Cursor& element) {
                    const Json& v = element.json();
                    axis.values.push_back(v.is_string() ? v.get<std::string>() : v.dump());
                    Json scratch{{"format", "fenceline/config"}, {"version", 1}};
                    try {
                        apply(scratch, key, axis.values.back(),
                              source.file + ": " + element.pointer());
                    } catch (const InputError& error) {
                        throw InputError(error.what(), element.place());
                    }
                },
                1);
        }
        axes.push_back(std::move(axis));
    });
    return axes;
}

} // namespace fenceline::workloads
