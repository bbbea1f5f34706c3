// The document as a whole: its head, its entities, and the order of its parts.
#include "workloads/first_fault.hpp"
#include "workloads/workload_reader.hpp"

#include <algorithm>

namespace fenceline::workloads {
namespace {

void read_head(const Cursor& document, bool streamed, Workload& workload) {
    const auto later = [](const Cursor&) {};
    document.members({
        {"format", Need::required,
         [](const Cursor& value) {
             const std::string_view names[] = {"fenceline/workload"};
             (void)value.choice(names);
         }},
        {"version", Need::required, [](const Cursor& value) { (void)value.integer(1, 1); }},
        {"name", Need::optional, [&](const Cursor& value) { workload.name = value.name(); }},
        {"about", Need::optional, [&](const Cursor& value) { workload.about = value.text(); }},
        {"origin", Need::optional,
         [&](const Cursor& value) { workload.origin = value.json().dump(); }},
        {"entities", Need::optional, later},
        {"jobs", Need::optional,
         [&](const Cursor& value) {
             if (streamed) {
                 value.fail_found("the key 'jobs' in the first line of JSON Lines",
                                  "the jobs on the lines after it");
             }
         }},
        {"clients", Need::optional, later},
        {"actions", Need::optional, later},
    });
}

/// Collects the names that a list of steps exports, whatever else may be wrong with it.
void collect_exports(const Json& steps, NameTable& exports) {
    if (!steps.is_array()) {
        return;
    }
    const auto child = [](const Json& value, const char* key) -> const Json* {
        const auto it = value.is_object() ? value.find(key) : value.end();
        return value.is_object() && it != value.end() ? &*it : nullptr;
    };
    for (const Json& step : steps) {
        const Json* exported = child(step, "export");
        if (const Json* verb = child(step, "do"); verb != nullptr && *verb == "export") {
            exported = &step;
        }
        if (exported != nullptr) {
            const Json* const name = child(*exported, "as");
            if (name != nullptr && name->is_string()) {
                exports.intern(name->get_ref<const std::string&>());
            }
        }
        if (const Json* const loop = child(step, "loop"); loop != nullptr) {
            if (const Json* const inner = child(*loop, "steps"); inner != nullptr) {
                collect_exports(*inner, exports);
            }
        }
        if (const Json* const program = child(step, "program"); program != nullptr) {
            collect_exports(*program, exports);
        }
    }
}

/// The members of each client that belong to it: its own and those that name it as their client.
void gather_entities(Workload& workload) {
    for (ClientSpec& client : workload.clients) {
        for (std::uint32_t i = 0; i < workload.entities.size(); ++i) {
            if (workload.entities[i].client == client.name) {
                client.entities.push_back(i);
            }
        }
    }
}

/// Reads the parts in the order in which they depend on each other.
void read_parts(const Cursor& root, Reading& reading, FirstFault& faults, ReadJobs read_jobs) {
    const auto read = [&](std::string_view key, auto&& reader) {
        return !root.has(key) || faults.run([&] { reader(root.member(key), reading); });
    };
    // What names entities would, after a fault in them, only report what follows from it.
    if (!read("entities", read_entities) || !read("clients", read_clients)) {
        return;
    }
    gather_entities(reading.workload);
    for (const std::string_view key : {"clients", "actions"}) {
        if (root.has(key)) {
            collect_exports(root.member(key).json(), reading.exports);
        }
    }
    read("jobs", read_jobs);
    read("clients", read_programs);
    read("actions", read_actions);
}

} // namespace

void read_entity_spec(const Cursor& entity, std::string_view client, Reading& reading) {
    EntitySpec spec;
    bool named_client = false;
    entity.members({
        {"id", Need::required,
         [&](const Cursor& value) {
             spec.id = value.name();
             if (reading.entities.find(spec.id) != NameTable::kNone) {
                 value.fail_found(describe(value.json()) + ", the id of an earlier entity",
                                  "an id of its own");
             }
         }},
        {"client", Need::optional,
         [&](const Cursor& value) {
             spec.client = value.name();
             named_client = true;
             if (!client.empty() && spec.client != client) {
                 value.fail("the client that the entity stands in, '" + printable(client, 60) +
                            "'");
             }
         }},
        {"rings", Need::required,
         [&](const Cursor& value) { spec.rings = read_rings(value, reading); }},
        {"priority", Need::optional,
         [&](const Cursor& value) { spec.priority = value.one_of<scheduler::Priority>(); }},
        {"guilty", Need::optional, [&](const Cursor& value) { spec.guilty = value.boolean(); }},
    });
    if (!named_client) {
        // "a/gfx" belongs to "a"; an id that starts with a slash names no client before it.
        const std::size_t slash = spec.id.find('/');
        spec.client = !client.empty()                            ? std::string(client)
                      : slash == std::string::npos || slash == 0 ? spec.id
                                                                 : spec.id.substr(0, slash);
    }
    reading.clients.intern(spec.client);
    reading.entities.intern(spec.id);
    reading.workload.entities.push_back(std::move(spec));
}

void read_entities(const Cursor& list, Reading& reading) {
    list.elements([&](const Cursor& entity) { read_entity_spec(entity, {}, reading); });
}

std::vector<std::uint32_t> read_rings(const Cursor& list, Reading& reading) {
    std::vector<std::uint32_t> rings;
    list.elements(
        [&](const Cursor& value) {
            const std::uint32_t ring = reading.rings.intern(value.name());
            if (std::find(rings.begin(), rings.end(), ring) != rings.end()) {
                value.fail_found(describe(value.json()) + " a second time", "each ring once");
            }
            rings.push_back(ring);
        },
        1);
    return rings;
}

const std::string& read_exporter(const Cursor& name, Reading& reading) {
    const std::string& text = name.name();
    if (!reading.exporters.insert(text).second) {
        name.fail_found(describe(name.json()) + ", which is exported elsewhere already",
                        "one exporter for each name");
    }
    return text;
}

const std::string& read_exported(const Cursor& name, const Reading& reading) {
    const std::string& text = name.name();
    if (reading.exports.find(text) == NameTable::kNone) {
        name.fail("a name that is exported", did_you_mean(text, reading.exports.views()));
    }
    return text;
}

Reading read_document(const Json& document, const Source& source, bool streamed,
                      ReadJobs read_jobs) {
    Reading reading;
    FirstFault faults;
    const Cursor root(document, source);
    faults.run([&] { read_head(root, streamed, reading.workload); });
    if (root.is_object()) {
        read_parts(root, reading, faults, read_jobs);
    }
    faults.raise();
    reading.workload.rings = reading.rings.names();
    reading.workload.source_path = source.file;
    reading.workload.source_pointer = source.pointer;
    return reading;
}

} // namespace fenceline::workloads
