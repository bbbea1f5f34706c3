// Timed actions.
#include "workloads/workload_reader.hpp"

#include "workloads/duration.hpp"
#include "workloads/job_checker.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace fenceline::workloads {
namespace {

/// Reads the keys of one kind of action; `at` and `do` belong to every kind.
class ActionReader {
  public:
    ActionReader(const Cursor& value, Reading& reading) : value_(value), reading_(reading) {}

    [[nodiscard]] Action read() {
        if (!value_.is_object()) {
            value_.fail("an object");
        }
        if (!value_.has("do")) {
            value_.fail_missing("do");
        }
        action_.kind = value_.member("do").one_of<ActionKind>();
        read_keys();
        return std::move(action_);
    }

  private:
    void read_keys();
    void read_fence_keys();
    void note_export();
    void read_target(std::string_view first, FunctionRef<void(const Cursor&)> read_first,
                     std::string_view second, FunctionRef<void(const Cursor&)> read_second);

    void entity(const Cursor& v) { action_.entity = read_entity(v, reading_.entities); }
    void ring(const Cursor& v) { action_.ring = reading_.rings.intern(v.name()); }
    void job(const Cursor& v) { action_.job = v.integer(); }
    void client(const Cursor& v) {
        action_.client = v.name();
        if (reading_.clients.find(action_.client) == NameTable::kNone) {
            v.fail("the name of a client", did_you_mean(action_.client, reading_.clients.views()));
        }
    }
    void at(const Cursor& v) { action_.at = v.time(); }

    const Cursor& value_;
    Reading& reading_;
    Action action_;
};

void ActionReader::read_keys() {
    const auto read_at = [this](const Cursor& v) { at(v); };
    const auto ignore = [](const Cursor&) {};
    const auto read_entity_key = [this](const Cursor& v) { entity(v); };
    const auto read_ring = [this](const Cursor& v) { ring(v); };
    const Member at{"at", Need::required, read_at};
    const Member verb{"do", Need::required, ignore};
    const Member entity{"entity", Need::required, read_entity_key};
    const Member ring{"ring", Need::required, read_ring};
    const auto read_client_key = [this](const Cursor& v) { client(v); };
    const Member client{"client", Need::required, read_client_key};
    switch (action_.kind) {
    case ActionKind::destroy_entity:
    case ActionKind::kill_entity:
    case ActionKind::fini_entity:
        return value_.members({at, verb, entity});
    case ActionKind::set_priority:
        return value_.members({at, verb, entity, {"priority", Need::required, [&](const Cursor& v) {
                                                      action_.priority =
                                                          v.one_of<scheduler::Priority>();
                                                  }}});
    case ActionKind::modify_sched:
        return value_.members({at, verb, entity, {"rings", Need::required, [&](const Cursor& v) {
                                                      action_.rings = read_rings(v, reading_);
                                                  }}});
    case ActionKind::fini_scheduler:
    case ActionKind::reset_ring:
        return value_.members({at, verb, ring});
    case ActionKind::unbind_device:
        return value_.members({at, verb, {"device", Need::required, [&](const Cursor& v) {
                                              action_.device = v.name();
                                          }}});
    case ActionKind::unload_driver:
        return value_.members({at, verb, {"driver", Need::required, [&](const Cursor& v) {
                                              action_.driver = v.name();
                                          }}});
    case ActionKind::exit_client:
    case ActionKind::exit_child:
        return value_.members({at, verb, client, {"how", Need::optional, [&](const Cursor& v) {
                                                      action_.how = v.one_of<ExitKind>();
                                                  }}});
    case ActionKind::flush:
        return value_.members({at, verb, client});
    default:
        return read_fence_keys();
    }
}

void ActionReader::read_fence_keys() {
    const auto read_at = [this](const Cursor& v) { at(v); };
    const auto ignore = [](const Cursor&) {};
    const auto read_job = [this](const Cursor& v) { job(v); };
    const auto read_ring = [this](const Cursor& v) { ring(v); };
    const auto read_name = [this](const Cursor& v) { action_.name = read_exported(v, reading_); };
    const Member at{"at", Need::required, read_at};
    const Member verb{"do", Need::required, ignore};
    const Member job{"job", Need::required, read_job};
    switch (action_.kind) {
    case ActionKind::export_fence:
        value_.members(
            {at,
             verb,
             job,
             {"to", Need::required, [&](const Cursor& v) { action_.to = v.one_of<ExportTo>(); }},
             {"as", Need::required, [&](const Cursor& v) { action_.name = v.name(); }}});
        return note_export();
    case ActionKind::import_fence:
        return value_.members({at, verb, {"name", Need::required, read_name}});
    case ActionKind::set_deadline:
        return value_.members({at, verb, job, {"deadline", Need::required, [&](const Cursor& v) {
                                                   action_.deadline = v.time();
                                               }}});
    case ActionKind::terminate:
        return read_target("job", read_job, "ring", read_ring);
    default: // query, poll, wait, close
        return read_target("name", read_name, "job", read_job);
    }
}

/// Actions may export to one name again, which adds to what is there; but a name stays of one kind,
/// and a sync_file never changes.
void ActionReader::note_export() {
    const auto known = reading_.action_exports.find(action_.name);
    const bool adds = known != reading_.action_exports.end() && known->second == action_.to &&
                      action_.to != ExportTo::sync_file;
    if (!adds) {
        (void)read_exporter(value_.member("as"), reading_);
        reading_.action_exports.emplace(action_.name, action_.to);
    }
}

/// Reads an action that names its object by exactly one of two keys.
void ActionReader::read_target(std::string_view first, FunctionRef<void(const Cursor&)> read_first,
                               std::string_view second,
                               FunctionRef<void(const Cursor&)> read_second) {
    const auto read_at = [this](const Cursor& v) { at(v); };
    const auto ignore = [](const Cursor&) {};
    value_.members({{"at", Need::required, read_at},
                    {"do", Need::required, ignore},
                    {first, Need::optional, read_first},
                    {second, Need::optional, read_second}});
    const bool both = value_.has(first) && value_.has(second);
    const bool neither = !value_.has(first) && !value_.has(second);
    if (both || neither) {
        const std::string_view keys[] = {first, second};
        value_.fail_found(both ? "both " + quoted_list(keys) : "neither of " + quoted_list(keys),
                          "exactly one of them");
    }
}

/// When something happens to a name: time, then position among the actions.
using Moment = std::pair<sim::Time, std::size_t>;

std::string moment_text(const Moment& moment) {
    return "/actions/" + std::to_string(moment.second) + " at " + format_duration(moment.first);
}

/// Among actions it is known beforehand when a name is exported and closed: using it outside that
/// time can only be a slip. Names that a program exports come at a time that only the run knows.
void check_order(const Cursor& list, const std::vector<Action>& actions) {
    struct Life {
        Moment exported{sim::kForever, 0}; ///< for the first time
        std::map<Moment, bool> changes;    ///< true: exported, false: closed
    };
    std::map<std::string_view, Life> lives;
    for (std::size_t i = 0; i < actions.size(); ++i) {
        const Action& action = actions[i];
        const Moment now{action.at, i};
        if (action.kind == ActionKind::export_fence) {
            Life& life = lives[action.name];
            life.exported = std::min(life.exported, now);
            life.changes.emplace(now, true);
        } else if (action.kind == ActionKind::close && !action.name.empty()) {
            lives[action.name].changes.emplace(now, false);
        }
    }
    std::size_t index = 0;
    list.elements([&](const Cursor& value) {
        const Action& action = actions[index];
        const Moment now{action.at, index++};
        const bool use = !action.name.empty() && action.kind != ActionKind::export_fence &&
                         action.kind != ActionKind::import_fence; // import waits for the name
        const auto found = lives.find(action.name);
        if (!use || found == lives.end() || found->second.exported.first == sim::kForever) {
            return;
        }
        const Life& life = found->second;
        if (now < life.exported) {
            value.member("name").fail("a name that is exported before it is used (" +
                                      moment_text(life.exported) + " exports it)");
        }
        const auto& [moment, exported] = *std::prev(life.changes.lower_bound(now));
        if (!exported) {
            value.member("name").fail("a name that is not closed before it is used (" +
                                      moment_text(moment) + " closes it)");
        }
    });
}

} // namespace

void read_actions(const Cursor& list, Reading& reading) {
    std::vector<Action>& actions = reading.workload.actions;
    list.elements(
        [&](const Cursor& value) { actions.push_back(ActionReader(value, reading).read()); });
    check_order(list, actions);
}

} // namespace fenceline::workloads
