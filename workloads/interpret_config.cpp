// From the document to a Config.
#include "workloads/first_fault.hpp"
#include "workloads/json_reader.hpp"
#include "workloads/quirks.hpp"
#include "workloads/read_config.hpp"
#include "workloads/read_lifetime.hpp"
#include "workloads/read_matrix.hpp"
#include "workloads/settings.hpp"

#include <algorithm>
#include <optional>

namespace fenceline::workloads {
namespace {

using scheduler::KernelVersion;
using scheduler::OnTimeout;
using scheduler::Policy;

/// The keys of `scheduler`, which a ring may have as well.
struct SchedulerReaders {
    SchedulerKeys& keys;
    void policy(const Cursor& v) const { keys.policy = v.one_of<Policy>(); }
    void timeout(const Cursor& v) const { keys.timeout = v.time_or("none"); }
    void hang_limit(const Cursor& v) const { keys.hang_limit = v.integer32(); }
    void on_timeout(const Cursor& v) const { keys.on_timeout = v.one_of<OnTimeout>(); }
    void cancel(const Cursor& v) const { keys.cancel = v.boolean(); }
};

void read_scheduler(const Cursor& value, SchedulerKeys& keys) {
    const SchedulerReaders read{keys};
    value.members({
        {"policy", Need::optional, [&](const Cursor& v) { read.policy(v); }},
        {"timeout", Need::optional, [&](const Cursor& v) { read.timeout(v); }},
        {"hang_limit", Need::optional, [&](const Cursor& v) { read.hang_limit(v); }},
        {"on_timeout", Need::optional, [&](const Cursor& v) { read.on_timeout(v); }},
        {"cancel", Need::optional, [&](const Cursor& v) { read.cancel(v); }},
    });
}

RingConfig read_ring(const Cursor& value, const Config& config) {
    RingConfig ring;
    static_cast<SchedulerKeys&>(ring) = config.scheduler;
    const SchedulerReaders read{ring};
    value.members({
        {"name", Need::required,
         [&](const Cursor& v) {
             ring.name = v.name();
             for (const RingConfig& earlier : config.rings) {
                 if (earlier.name == ring.name) {
                     v.fail_found(describe(v.json()) + ", the name of an earlier ring",
                                  "a name of its own");
                 }
             }
         }},
        {"credit_limit", Need::optional,
         [&](const Cursor& v) { ring.credit_limit = v.integer32(1); }},
        {"context_switch", Need::optional,
         [&](const Cursor& v) { ring.context_switch = v.time(); }},
        {"interrupt_latency", Need::optional,
         [&](const Cursor& v) { ring.interrupt_latency = v.time(); }},
        {"device", Need::optional, [&](const Cursor& v) { ring.device = v.name(); }},
        {"driver", Need::optional, [&](const Cursor& v) { ring.driver = v.name(); }},
        {"policy", Need::optional, [&](const Cursor& v) { read.policy(v); }},
        {"timeout", Need::optional, [&](const Cursor& v) { read.timeout(v); }},
        {"hang_limit", Need::optional, [&](const Cursor& v) { read.hang_limit(v); }},
        {"on_timeout", Need::optional, [&](const Cursor& v) { read.on_timeout(v); }},
        {"cancel", Need::optional, [&](const Cursor& v) { read.cancel(v); }},
    });
    return ring;
}

void read_costs(const Cursor& value, Costs& costs) {
    value.members({
        {"submit", Need::optional, [&](const Cursor& v) { costs.submit = v.time(); }},
        {"wakeup", Need::optional, [&](const Cursor& v) { costs.wakeup = v.time(); }},
        {"run_job", Need::optional, [&](const Cursor& v) { costs.run_job = v.time(); }},
        {"free_job", Need::optional, [&](const Cursor& v) { costs.free_job = v.time(); }},
        {"timedout_job", Need::optional, [&](const Cursor& v) { costs.timedout_job = v.time(); }},
    });
}

void read_quirks(const Cursor& list, std::vector<std::string>& quirks) {
    std::vector<std::string_view> known;
    for (const Quirk& quirk : fenceline::workloads::quirks()) {
        known.push_back(quirk.name);
    }
    list.elements([&](const Cursor& value) {
        const std::string_view name = known[value.choice(known)];
        if (std::find(quirks.begin(), quirks.end(), name) != quirks.end()) {
            value.fail_found(describe(value.json()) + " a second time", "each quirk once");
        }
        // Those say how the timeout handler protects its job, of which there is one way at a time.
        const auto is_protection = [](std::string_view n) { return n.starts_with("timeout-"); };
        if (is_protection(name) && std::any_of(quirks.begin(), quirks.end(), is_protection)) {
            value.fail_found(describe(value.json()) + " beside another of the timeout- quirks",
                             "one of them");
        }
        quirks.emplace_back(name);
    });
}

void read_top(const Cursor& document, Config& config) {
    const auto later = [](const Cursor&) {};
    document.members({
        {"format", Need::required,
         [](const Cursor& v) {
             const std::string_view names[] = {"fenceline/config"};
             (void)v.choice(names);
         }},
        {"version", Need::required, [](const Cursor& v) { (void)v.integer(1, 1); }},
        {"workload", Need::optional, [&](const Cursor& v) { config.workload = v.name(); }},
        {"kernel", Need::optional,
         [&](const Cursor& v) { config.kernel_given = v.one_of<KernelVersion>(); }},
        {"scheduler", Need::optional,
         [&](const Cursor& v) { read_scheduler(v, config.scheduler); }},
        {"rings", Need::optional, later},
        {"lifetime", Need::optional, [&](const Cursor& v) { config.lifetime = read_lifetime(v); }},
        {"costs", Need::optional, [&](const Cursor& v) { read_costs(v, config.costs); }},
        {"rcu_grace_period", Need::optional,
         [&](const Cursor& v) { config.rcu_grace_period = v.time(); }},
        {"quirks", Need::optional, [&](const Cursor& v) { read_quirks(v, config.quirks); }},
        {"seed", Need::optional,
         [&](const Cursor& v) { config.seed = v.integer(0, ~std::uint64_t{0}); }},
        {"until", Need::optional, [&](const Cursor& v) { config.until = v.time_or("none"); }},
        {"vary", Need::optional, later},
        {"matrix", Need::optional, [](const Cursor& v) { (void)read_matrix(v); }},
    });
}

/// What only mainline has, found in the keys of `scheduler` or of one ring.
void check_keys(const Cursor& value, KernelVersion kernel) {
    if (kernel == KernelVersion::mainline) {
        return;
    }
    if (value.peek("policy") == "fair") {
        value.member("policy").fail("'fifo' or 'rr': kernel 6.12 has no fair policy");
    }
    if (value.peek("on_timeout") == "no-hang") {
        value.member("on_timeout").fail("another recovery: kernel 6.12 has no status no-hang");
    }
    if (value.has("cancel") && value.member("cancel").json() == true) {
        value.member("cancel").fail("false: kernel 6.12 has no cancel_job");
    }
}

void check_kernel(const Cursor& document, KernelVersion kernel) {
    if (document.has("scheduler")) {
        check_keys(document.member("scheduler"), kernel);
    }
    if (document.has("rings")) {
        const Cursor rings = document.member("rings");
        rings.elements([&](const Cursor& ring) { check_keys(ring, kernel); });
    }
}

/// A driver that finds no hang is asked again after the timeout; without one no time would pass.
void check_timeouts(const Cursor& document, const Config& config) {
    const auto check = [](const Cursor& value, const SchedulerKeys& keys) {
        if (keys.timeout == 0 && keys.on_timeout == scheduler::OnTimeout::no_hang)
            value.fail_found("a timeout of 0 with on_timeout \"no-hang\"",
                             "a timeout of at least 1 ns: no time would pass");
    };
    if (document.has("scheduler"))
        check(document.member("scheduler"), config.scheduler);
    if (document.has("rings")) {
        std::size_t index = 0;
        const Cursor rings = document.member("rings");
        rings.elements([&](const Cursor& ring) { check(ring, config.rings[index++]); });
    }
}

/// `fair` on any ring makes the kernel mainline where the document does not say.
KernelVersion implied_kernel(const Config& config) {
    const auto fair = [](const SchedulerKeys& keys) { return keys.policy == Policy::fair; };
    const bool any =
        fair(config.scheduler) || std::any_of(config.rings.begin(), config.rings.end(), fair);
    return any ? KernelVersion::mainline : KernelVersion::v6_12;
}

} // namespace

Config interpret_config(const Json& document, const std::string& source_name) {
    return interpret_config(document, Source{source_name});
}

Config interpret_config(const Json& document, const Source& source) {
    const Cursor root(document, source);
    Config config;
    FirstFault faults;
    faults.run([&] { read_top(root, config); });
    // Only now: a ring takes from `scheduler` what it does not say itself.
    if (root.has("rings")) {
        faults.run([&] {
            const Cursor rings = root.member("rings");
            rings.elements(
                [&](const Cursor& ring) { config.rings.push_back(read_ring(ring, config)); });
        });
    }
    config.kernel = config.kernel_given.value_or(implied_kernel(config));
    if (root.has("vary")) {
        faults.run(
            [&] { config.vary = read_vary(root.member("vary"), config.kernel_given, source); });
    }
    faults.raise();
    check_kernel(root, config.kernel);
    check_timeouts(root, config);
    config.source_path = source.file;
    config.source_pointer = source.pointer;
    return config;
}

} // namespace fenceline::workloads
