// Closed-loop clients and their programs.
#include "workloads/workload_reader.hpp"

#include "workloads/job_checker.hpp"

#include <algorithm>

namespace fenceline::workloads {
namespace {

/// Reads the program of one client. A label is bound from the submit that carries it onwards: a
/// loop runs at least once, so program order is the order of the text, and what a later step of the
/// same loop binds is not bound in its first round.
class ProgramReader {
  public:
    ProgramReader(Reading& reading, ClientSpec& client) : reading_(reading), client_(client) {}

    [[nodiscard]] std::vector<Step> steps(const Cursor& list) {
        std::vector<Step> result;
        list.elements([&](const Cursor& value) { result.push_back(step(value)); }, 1);
        return result;
    }
    /// Whether some step can let time pass, or ends the program.
    [[nodiscard]] bool pauses() const { return pauses_; }

  private:
    Step step(const Cursor& value);
    SubmitStep submit(const Cursor& value);
    LoopStep loop(const Cursor& value);
    ExportStep export_step(const Cursor& value);
    SetPriorityStep set_priority(const Cursor& value);
    SetDeadlineStep set_deadline(const Cursor& value);

    DurationSpec duration(const Cursor& value, bool may_be_forever);
    std::uint32_t own_entity(const Cursor& value) const;
    const std::string& fence(const Cursor& value) const;
    void bind(const Cursor& value, NameTable& table, const NameTable& other,
              std::string_view other_kind);
    void note_pause(const DurationSpec& duration) {
        const bool takes_time =
            duration.kind == DurationSpec::Kind::uniform ? duration.b > 0 : duration.a > 0;
        pauses_ = pauses_ || takes_time;
    }

    Reading& reading_;
    ClientSpec& client_;
    NameTable labels_; ///< bound so far
    NameTable names_;  ///< exported or imported by this client so far
    bool pauses_ = false;
};

Step ProgramReader::step(const Cursor& value) {
    if (!value.is_object() || value.json().size() != 1) {
        const bool many = value.is_object() && value.json().size() > 1;
        value.fail_found(many ? "an object with " + std::to_string(value.json().size()) + " keys"
                              : describe(value.json()),
                         "an object with exactly one step, such as {\"wait\": \"label\"}");
    }
    Step result;
    const auto set = [&](auto what) { result.what = std::move(what); };
    const auto with_fence = [&](auto what, const Cursor& v) {
        what.fence = fence(v);
        set(std::move(what));
    };
    value.members({
        {"submit", Need::optional, [&](const Cursor& v) { set(submit(v)); }},
        {"wait", Need::optional,
         [&](const Cursor& v) {
             pauses_ = true;
             with_fence(WaitStep{}, v);
         }},
        {"sleep", Need::optional,
         [&](const Cursor& v) {
             const DurationSpec drawn = duration(v, false);
             note_pause(drawn);
             set(SleepStep{drawn});
         }},
        {"period", Need::optional,
         [&](const Cursor& v) {
             const PeriodStep period{v.time()};
             pauses_ = pauses_ || period.period > 0;
             set(period);
         }},
        {"loop", Need::optional, [&](const Cursor& v) { set(loop(v)); }},
        {"export", Need::optional, [&](const Cursor& v) { set(export_step(v)); }},
        {"import", Need::optional,
         [&](const Cursor& v) {
             ImportStep import{read_exported(v, reading_)};
             bind(v, names_, labels_, "a label");
             set(std::move(import));
         }},
        {"query", Need::optional, [&](const Cursor& v) { with_fence(QueryStep{}, v); }},
        {"poll", Need::optional, [&](const Cursor& v) { with_fence(PollStep{}, v); }},
        {"close", Need::optional, [&](const Cursor& v) { with_fence(CloseStep{}, v); }},
        {"terminate", Need::optional, [&](const Cursor& v) { with_fence(TerminateStep{}, v); }},
        {"set-priority", Need::optional, [&](const Cursor& v) { set(set_priority(v)); }},
        {"set-deadline", Need::optional, [&](const Cursor& v) { set(set_deadline(v)); }},
        {"exit", Need::optional,
         [&](const Cursor& v) {
             pauses_ = true;
             set(ExitStep{v.one_of<ExitKind>()});
         }},
    });
    return result;
}

SubmitStep ProgramReader::submit(const Cursor& value) {
    SubmitStep result;
    value.members({
        {"entity", Need::required, [&](const Cursor& v) { result.entity = own_entity(v); }},
        {"duration", Need::required, [&](const Cursor& v) { result.duration = duration(v, true); }},
        {"credits", Need::optional, [&](const Cursor& v) { result.credits = v.integer32(1); }},
        {"count", Need::optional, [&](const Cursor& v) { result.count = v.integer(1); }},
        {"as", Need::optional, [&](const Cursor& v) { result.as = v.name(); }},
        {"after", Need::optional,
         [&](const Cursor& v) {
             v.elements([&](const Cursor& element) { result.after.push_back(fence(element)); });
         }},
        {"via", Need::optional, [&](const Cursor& v) { result.via = v.one_of<Via>(); }},
        {"run_job", Need::optional,
         [&](const Cursor& v) { result.run_job = v.one_of<scheduler::RunJobKind>(); }},
    });
    // Only now: the step's own label is not bound in its `after`.
    if (!result.as.empty()) {
        bind(value.member("as"), labels_, names_, "a name that the client exports or imports");
    }
    return result;
}

LoopStep ProgramReader::loop(const Cursor& value) {
    LoopStep result;
    value.members({
        {"count", Need::required, [&](const Cursor& v) { result.count = v.integer(1); }},
        {"steps", Need::required, [&](const Cursor& v) { result.steps = steps(v); }},
    });
    return result;
}

ExportStep ProgramReader::export_step(const Cursor& value) {
    ExportStep result;
    value.members({
        {"fence", Need::required, [&](const Cursor& v) { result.fence = fence(v); }},
        {"to", Need::required, [&](const Cursor& v) { result.to = v.one_of<ExportTo>(); }},
        {"as", Need::required, [&](const Cursor& v) { result.as = read_exporter(v, reading_); }},
    });
    bind(value.member("as"), names_, labels_, "a label");
    return result;
}

SetPriorityStep ProgramReader::set_priority(const Cursor& value) {
    SetPriorityStep result;
    value.members({
        {"entity", Need::required, [&](const Cursor& v) { result.entity = own_entity(v); }},
        {"priority", Need::required,
         [&](const Cursor& v) { result.priority = v.one_of<scheduler::Priority>(); }},
    });
    return result;
}

SetDeadlineStep ProgramReader::set_deadline(const Cursor& value) {
    SetDeadlineStep result;
    value.members({
        {"fence", Need::required, [&](const Cursor& v) { result.fence = fence(v); }},
        {"in", Need::required, [&](const Cursor& v) { result.in = v.time(); }},
    });
    return result;
}

/// A pair of times, of which `ordered` says that the first is not the later one.
void read_pair(const Cursor& value, bool ordered, DurationSpec& spec) {
    if (!value.json().is_array() || value.json().size() != 2) {
        value.fail("an array of two times");
    }
    bool first = true;
    value.elements([&](const Cursor& element) {
        (first ? spec.a : spec.b) = element.time();
        if (!first && ordered && spec.b < spec.a) {
            element.fail("a time not below the first of the two");
        }
        first = false;
    });
}

DurationSpec ProgramReader::duration(const Cursor& value, bool may_be_forever) {
    DurationSpec spec;
    if (!value.is_object()) {
        spec.a = may_be_forever ? value.time_or("forever") : value.time();
        return spec;
    }
    if (value.json().size() != 1) {
        value.fail("an object with one of 'uniform', 'exponential', 'normal'");
    }
    value.members({
        {"uniform", Need::optional,
         [&](const Cursor& v) {
             spec.kind = DurationSpec::Kind::uniform;
             read_pair(v, true, spec);
         }},
        {"exponential", Need::optional,
         [&](const Cursor& v) {
             spec.kind = DurationSpec::Kind::exponential;
             spec.a = v.time();
             if (spec.a == 0) {
                 v.fail("a mean above 0");
             }
         }},
        {"normal", Need::optional,
         [&](const Cursor& v) {
             spec.kind = DurationSpec::Kind::normal;
             read_pair(v, false, spec);
         }},
    });
    return spec;
}

std::uint32_t ProgramReader::own_entity(const Cursor& value) const {
    const std::uint32_t index = read_entity(value, reading_.entities);
    const EntitySpec& entity = reading_.workload.entities[index];
    if (entity.client != client_.name) {
        value.fail_found(describe(value.json()) + ", an entity of client '" +
                             printable(entity.client, 60) + "'",
                         "one of client '" + printable(client_.name, 60) + "'");
    }
    return index;
}

const std::string& ProgramReader::fence(const Cursor& value) const {
    const std::string& text = value.name();
    if (labels_.find(text) == NameTable::kNone && names_.find(text) == NameTable::kNone) {
        std::vector<std::string_view> bound = labels_.views();
        const std::vector<std::string_view> names = names_.views();
        bound.insert(bound.end(), names.begin(), names.end());
        value.fail("a label that an earlier submit of this program carries, or a name that it "
                   "exported or imported earlier",
                   did_you_mean(text, bound));
    }
    return text;
}

void ProgramReader::bind(const Cursor& value, NameTable& table, const NameTable& other,
                         std::string_view other_kind) {
    if (other.find(value.text()) != NameTable::kNone) {
        value.fail_found(describe(value.json()) + ", which is " + std::string(other_kind) +
                             " already",
                         "another name");
    }
    table.intern(value.text());
}

} // namespace

void read_clients(const Cursor& list, Reading& reading) {
    NameTable names;
    list.elements([&](const Cursor& value) {
        ClientSpec client;
        // The name first, wherever it stands: the entities belong to it.
        const std::string_view name = value.peek("name");
        value.members({
            {"name", Need::required,
             [&](const Cursor& v) {
                 client.name = v.name();
                 if (names.find(client.name) != NameTable::kNone) {
                     v.fail_found(describe(v.json()) + ", the name of an earlier client",
                                  "a name of its own");
                 }
                 names.intern(client.name);
             }},
            {"entities", Need::optional,
             [&](const Cursor& v) {
                 v.elements([&](const Cursor& e) { read_entity_spec(e, name, reading); });
             }},
            {"start", Need::optional, [&](const Cursor& v) { client.start = v.time(); }},
            {"repeat", Need::optional,
             [&](const Cursor& v) {
                 const bool forever = v.json() == "forever";
                 const bool number = v.json().is_number();
                 if (!forever && !number) {
                     const std::string_view words[] = {"forever"};
                     v.fail("an integer from 1, or \"forever\"",
                            v.json().is_string() ? did_you_mean(v.text(), words) : "");
                 }
                 client.repeat = forever ? kRepeatForever : v.integer(1);
             }},
            {"program", Need::required, [](const Cursor&) {}},
        });
        reading.clients.intern(client.name);
        reading.workload.clients.push_back(std::move(client));
    });
}

void read_programs(const Cursor& list, Reading& reading) {
    std::size_t index = 0;
    list.elements([&](const Cursor& value) {
        ClientSpec& client = reading.workload.clients[index++];
        ProgramReader program(reading, client);
        client.program = program.steps(value.member("program"));
        if (client.repeat == kRepeatForever && !program.pauses()) {
            value.member("repeat").fail(
                "a number: no step of this program lets time pass or ends it");
        }
    });
}

} // namespace fenceline::workloads
