// Building a run and driving it to its end.

#include "workloads/run.hpp"

#include "workloads/input_error.hpp"
#include "workloads/quirks.hpp"

#include <algorithm>

namespace fenceline::workloads::inline FENCELINE_MODE {

namespace {

/// Every timeline that is kept costs something at each operation.
constexpr std::ptrdiff_t kMostTimelines = 50;

/// The policy as the driver keeps it.
fences::LifetimePolicy lifetime_of(const Config& config) {
    fences::LifetimePolicy policy = config.lifetime;
    policy.keeps_contract = !config.has_quirk(kBreakContract);
    return policy;
}

} // namespace

Run::Run(const Config& config, const Workload& workload, JobSource& jobs, const RunOptions& options,
         const std::vector<sim::Hazard>* explain)
    : config_(config), workload_(workload), source_(jobs), options_(options),
      quirks_(quirk_set(config.quirks)), rcu_(machine_, config.rcu_grace_period),
      core_(machine_, rcu_, lifetime_of(config), quirks_.fences),
      sched_(machine_, core_, config.costs.wakeup, quirks_.scheduler, quirks_.odd()),
      containers_(core_), names_(machine_, containers_), statistics_(workload, sched_.figures),
      window_(sched_.jobs), named_(core_) {
    machine_.fibers_for_all = options.fibers_for_all;
    if (options.schedule != nullptr) {
        interleaver_ = std::make_unique<sim::Interleaver>(machine_, *options.schedule);
        interleaver_->record_to(options.record);
    }
    if (explain != nullptr) {
        machine_.call_witness(this);
        for (const sim::Hazard& hazard : *explain) {
            if (hazard.key != 0)
                machine_.want(hazard.pool, hazard.key);
            if (hazard.fence_key != 0 && &hazard - explain->data() < kMostTimelines)
                machine_.want(hazard.fence_pool, hazard.fence_key);
        }
    }
    sched_.sink = options.events;
    sched_.strict = options.strict;
    sched_.warn = [this](const std::string& text) {
        const auto known = std::find_if(warnings_.begin(), warnings_.end(),
                                        [&](const auto& entry) { return entry.first == text; });
        if (known != warnings_.end())
            ++known->second;
        else if (warnings_.size() < 100)
            warnings_.emplace_back(text, 1);
    };
    build_rings();
    warn_of_unused_rings();
    build_entities();
    plan_actions();
    build_programs();
    plain_submits_ = !quirks_.odd() && held_.empty() && config.lifetime.plain_jobs() &&
                     config.lifetime.public_fence == fences::PublicFence::split;
    straight_submits_ = plain_submits_ && config.costs.submit == 0;
    update_next_input();
    fetch_first_job();
}

Run::~Run() {
    interleaver_.reset(); // whoever it holds is unwound
    machine_.abandon_blocked();
}

void Run::build_rings() {
    for (std::size_t index = 0; index < config_.rings.size(); ++index) {
        const RingConfig& ring = config_.rings[index];
        auto driver = std::find_if(drivers_.begin(), drivers_.end(),
                                   [&](const auto& d) { return d->name() == ring.driver; });
        if (driver == drivers_.end()) {
            drivers_.push_back(std::make_unique<scheduler::RingDriver>(sched_, ring.driver));
            driver = drivers_.end() - 1;
        }
        std::size_t device = 0;
        while (device < (*driver)->device_count() && (*driver)->device_name(device) != ring.device)
            ++device;
        if (device == (*driver)->device_count())
            (*driver)->add_device(ring.device);
        const auto number = static_cast<std::uint32_t>(index);
        scheduler::SchedulerArgs args;
        args.name = ring.name;
        args.ring_index = number;
        args.policy = ring.policy;
        args.kernel = config_.kernel;
        args.fair.monotonic_minimum = config_.has_quirk(kFairMonotonicMinimum);
        args.credit_limit = ring.credit_limit;
        args.hang_limit = ring.hang_limit;
        args.timeout = ring.timeout;
        args.cancels_jobs = ring.cancel;
        args.run_job_cost = config_.costs.run_job;
        args.free_job_cost = config_.costs.free_job;
        args.timedout_job_cost = config_.costs.timedout_job;
        if (ring.on_timeout == scheduler::OnTimeout::no_hang && ring.timeout != sim::kForever)
            false_alarms_possible_ = true;
        rings_.push_back({driver->get(), (*driver)->rings().size()});
        (*driver)->add_ring(device,
                            {ring.name, number, ring.context_switch, ring.interrupt_latency}, args,
                            ring.on_timeout);
    }
}

/// A ring that nobody uses is most likely a misspelt one.
void Run::warn_of_unused_rings() {
    std::vector<bool> used(config_.rings.size());
    for (const EntitySpec& entity : workload_.entities)
        for (const std::uint32_t ring : entity.rings)
            used[ring] = true;
    for (const Action& action : workload_.actions)
        for (const std::uint32_t ring : action.rings)
            used[ring] = true;
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < used.size(); ++i)
        if (used[i])
            names.push_back(config_.rings[i].name);
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i])
            sched_.warn("no entity uses the ring '" + printable(config_.rings[i].name) + "'" +
                        did_you_mean(config_.rings[i].name, names));
}

void Run::build_entities() {
    std::unordered_map<std::string, std::uint32_t> known;
    std::vector<scheduler::SchedulerRef> list;
    for (std::size_t index = 0; index < workload_.entities.size(); ++index) {
        const EntitySpec& spec = workload_.entities[index];
        list.clear();
        for (const std::uint32_t ring : spec.rings)
            list.push_back(rings_[ring].driver->rings()[rings_[ring].slot].sched);
        scheduler::RingDriver* driver = rings_[spec.rings.front()].driver;
        entities_.push_back(sched_.entity_init(spec.id, static_cast<std::uint32_t>(index),
                                               spec.priority, list, spec.guilty));
        driver->open_entity(entities_.back(), spec.client);
        driver_of_entity_.push_back(driver);
        entity_ending_.push_back(false);
        const auto [client, is_new] =
            known.try_emplace(spec.client, static_cast<std::uint32_t>(clients_.size()));
        if (is_new) {
            clients_.emplace_back();
            clients_.back().context = std::make_unique<sim::Context>(
                sim::ContextKind::task, spec.client, machine_.next_context_id());
        }
        client_of_entity_.push_back(client->second);
        context_of_entity_.push_back(clients_[client->second].context.get());
    }
}

/// Only from here on may the run be complete.
void Run::note_last_job() {
    sched_.figures.watch_end([](void* self) { static_cast<Run*>(self)->stop_if_complete(); }, this);
}

void Run::update_next_input() {
    const sim::Time action =
        next_action_ < actions_.size() ? actions_[next_action_]->at : sim::kForever;
    const sim::Time start =
        next_start_ < starts_.size() ? starts_[next_start_]->spec().start : sim::kForever;
    next_other_ = std::min(action, start);
    next_input_ = have_job_ && next_job_->at < next_other_ ? next_job_->at : next_other_;
}

/// The normal end: no action left, every program ended, and every pushed job freed.
bool Run::complete() const {
    return !have_job_ && pushes_.empty() && next_action_ == actions_.size() &&
           actions_running_ == 0 && programs_running_ == 0 &&
           (interleaver_ == nullptr || !interleaver_->holding()) &&
           sched_.figures.total_freed() == sched_.figures.total_submitted();
}

void Run::stop_if_complete() {
    if (!in_teardown_ && complete())
        machine_.engine.stop();
}

/// Nothing is left to happen: under a schedule that must not be because somebody is held.
void Run::check_stalled() {
    if (interleaver_ != nullptr && interleaver_->holding() && machine_.engine.idle() &&
        (in_teardown_ || next_input_ == sim::kForever))
        interleaver_->stalled();
}

/// Runs up to the moment of the snapshot that was asked for; true when it has been taken, and the
/// run goes on behind it.
bool Run::take_ledger_on_the_way(bool more) {
    if (more || ledger_ || !options_.ledger || *options_.ledger >= config_.until)
        return false;
    ledger_ = snapshot();
    ledger_->at = *options_.ledger; // the clock stands at the last event
    return true;
}

RunEnd Run::run_proper() {
    if (complete()) // nothing to do at all
        return RunEnd::normal;
    for (;;) {
        bool more = true;
        try {
            const bool stop_for_ledger = options_.ledger && !ledger_;
            more = run_slice(this, stop_for_ledger ? std::min(*options_.ledger, config_.until)
                                                   : config_.until);
            if (!more)
                check_stalled();
        } catch (const sim::FatalHazard&) {
            if (!options_.keep_going)
                return RunEnd::hazard;
        }
        if (complete())
            return RunEnd::normal;
        if (take_ledger_on_the_way(more))
            continue;
        if (!more)
            break;
        if (options_.on_progress &&
            !options_.on_progress({machine_.now(), machine_.engine.executed(),
                                   sched_.figures.total_submitted(), sched_.figures.total_freed()}))
            return RunEnd::interrupted;
    }
    if (config_.until == sim::kForever || (machine_.engine.idle() && next_input_ == sim::kForever))
        return RunEnd::stuck;
    machine_.engine.advance_to(config_.until);
    return RunEnd::until;
}

void Run::run_to_idle() {
    for (;;) {
        try {
            while (run_slice(nullptr, sim::kForever)) {
            }
            check_stalled();
            return;
        } catch (const sim::FatalHazard&) {
            if (!options_.keep_going)
                throw;
        }
    }
}

/// At the end of the run proper, unless there is one already.
void Run::take_ledger(RunResult& result) {
    result.ledger = ledger_           ? std::move(ledger_)
                    : options_.ledger ? std::optional(snapshot())
                                      : std::nullopt;
}

RunResult Run::execute() {
    RunResult result;
    result.end = run_proper();
    take_ledger(result);
    result.end_time = machine_.now();
    result.jobs_unfinished = sched_.figures.total_submitted() - sched_.figures.total_finished();
    if (result.end != RunEnd::hazard && result.end != RunEnd::interrupted) {
        try {
            teardown(result.end);
            report_never_signalled();
            report_leaks();
            if (interleaver_ != nullptr)
                interleaver_->finish();
        } catch (const sim::FatalHazard&) {
            result.end = RunEnd::hazard;
            result.end_time = machine_.now();
        }
    }
    core_.account_unreleased();
    result.events = machine_.engine.executed();
    std::vector<const scheduler::Ring*> rings;
    for (const RingPlace& place : rings_)
        rings.push_back(place.driver->rings()[place.slot].ring.get());
    statistics_.fill(result, rings);
    fill_programs(result);
    fill_lifetime(result);
    result.hazards = machine_.hazards();
    result.observations = observations_;
    if (unkept_observations_ > 0)
        result.observations.push_back("... and " + std::to_string(unkept_observations_) + " more");
    for (const auto& [text, count] : warnings_)
        result.warnings.push_back(count == 1 ? text
                                             : text + " (" + std::to_string(count) + " times)");
    return result;
}

RunResult execute_run(const Config& config, const Workload& workload, JobSource& jobs,
                      const RunOptions& options, const std::vector<sim::Hazard>* explain) {
    Run run(config, workload, jobs, options, explain);
    return run.execute();
}

} // namespace fenceline::workloads::inline FENCELINE_MODE
