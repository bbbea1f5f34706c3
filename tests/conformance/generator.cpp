#include "generator.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace conformance {
namespace {

class Generator {
  public:
    Generator(std::uint64_t seed, const GeneratorOptions& options)
        : random_(seed), options_(options) {
        workload_.name = fmt::format("random {}", seed);
    }

    Workload run() {
        choose_character();
        add_rings();
        add_entities();
        add_jobs();
        if (options_.rough)
            add_actions();
        return std::move(workload_);
    }

  private:
    void choose_character();
    void add_rings();
    void add_timeout(Ring& ring);
    void add_entities();
    void add_jobs();
    void add_actions();
    void ask_about_a_job(Action& action);
    void advance();
    std::uint64_t duration();
    std::uint32_t credits(const Entity& entity);
    std::vector<std::uint32_t> dependencies();
    std::vector<std::uint32_t> some_rings();

    Random random_;
    GeneratorOptions options_;
    Workload workload_;

    // What this workload is like.
    std::uint64_t unit_ = 1; // of time
    std::uint32_t jobs_ = 0;
    std::uint32_t together_ = 0;  // percent of jobs at the time of the one before
    std::uint32_t zero_ = 0;      // percent of jobs without duration
    std::uint32_t dependent_ = 0; // percent of jobs with dependencies
    std::uint32_t costly_ = 0;    // percent of jobs with more than one credit
    std::uint32_t balanced_ = 0;  // percent of entities with several rings
    std::uint64_t now_ = 0;
};

void Generator::choose_character() {
    constexpr std::uint64_t units[] = {1, 1, 10, 1000, 10'000, 1'000'000};
    unit_ = units[random_.below(std::size(units))];
    constexpr std::uint32_t sizes[] = {6, 12, 25, 50, 100};
    jobs_ = random_.within(1, sizes[random_.below(std::size(sizes))]);
    together_ = random_.below(101);
    zero_ = random_.chance(50) ? random_.below(40) : 0;
    dependent_ = random_.chance(70) ? random_.below(80) : 0;
    costly_ = random_.chance(60) ? random_.below(70) : 0;
    balanced_ = random_.chance(50) ? random_.below(101) : 0;
}

void Generator::add_rings() {
    const std::uint32_t count = random_.within(1, 4);
    for (std::uint32_t i = 0; i < count; ++i) {
        Ring ring{.name = fmt::format("r{}", i)};
        ring.credit_limit = random_.chance(50) ? random_.within(1, 2) : random_.within(1, 8);
        if (options_.hangs)
            add_timeout(ring);
        workload_.rings.push_back(std::move(ring));
    }
}

// Rough rings may also lose their device, or do without a timeout although jobs hang.
void Generator::add_timeout(Ring& ring) {
    ring.timeout = random_.within(1, random_.chance(50) ? 30 : 400) * unit_;
    ring.hang_limit = random_.chance(60) ? 0 : random_.within(1, 3);
    ring.on_timeout = random_.chance(80) ? ORACLE_RESET : ORACLE_RESET_NO_RESUBMIT;
    if (!options_.rough)
        return;
    if (random_.chance(10))
        ring.on_timeout = ORACLE_NO_DEVICE;
    if (random_.chance(10))
        ring.timeout = random_.chance(50) ? never : 0;
}

// A choice of distinct rings in random order; often just one.
std::vector<std::uint32_t> Generator::some_rings() {
    std::vector<std::uint32_t> rings(workload_.rings.size());
    for (std::uint32_t i = 0; i < rings.size(); ++i)
        rings[i] = i;
    for (std::size_t i = rings.size(); i > 1; --i)
        std::swap(rings[i - 1], rings[random_.below(i)]);
    const auto all = static_cast<std::uint32_t>(rings.size());
    rings.resize(random_.chance(balanced_) ? random_.within(1, all) : 1);
    return rings;
}

void Generator::add_entities() {
    const std::uint32_t count = random_.within(1, random_.chance(50) ? 4 : 16);
    const bool same_priority = random_.chance(40);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto priority =
            same_priority ? ORACLE_PRIORITY_NORMAL : static_cast<oracle_priority>(random_.below(4));
        workload_.entities.push_back({.id = fmt::format("e{}", i),
                                      .rings = some_rings(),
                                      .priority = priority,
                                      .guilty_flag = options_.hangs && random_.chance(50)});
    }
}

void Generator::advance() {
    if (random_.chance(together_))
        return;
    const std::uint32_t kind = random_.below(100);
    if (kind < 75)
        now_ += random_.within(0, 6) * unit_;
    else if (kind < 97)
        now_ += random_.within(1, 60) * unit_;
    else
        now_ += random_.within(1000, 5000) * unit_; // everything idle
}

std::uint64_t Generator::duration() {
    if (options_.hangs && random_.chance(5))
        return never;
    if (random_.chance(zero_))
        return 0;
    return (random_.chance(90) ? random_.within(1, 12) : random_.within(10, 150)) * unit_;
}

// Up to two more than the ring has: those are truncated to the limit.
std::uint32_t Generator::credits(const Entity& entity) {
    if (!random_.chance(costly_))
        return 1;
    return random_.within(1, workload_.rings[entity.rings.front()].credit_limit + 2);
}

// Earlier jobs, mostly recent ones; several of one entity and the own one included.
std::vector<std::uint32_t> Generator::dependencies() {
    std::vector<std::uint32_t> after;
    const auto jobs = static_cast<std::uint32_t>(workload_.jobs.size());
    if (!jobs || !random_.chance(dependent_))
        return after;
    for (std::uint32_t left = random_.within(1, random_.chance(60) ? 1 : 4); left; --left) {
        const std::uint32_t reach = random_.chance(80) ? std::min(jobs, 8u) : jobs;
        const std::uint32_t job = jobs - 1 - random_.below(reach);
        if (std::find(after.begin(), after.end(), job) == after.end())
            after.push_back(job);
    }
    return after;
}

void Generator::add_jobs() {
    std::uint32_t burst = 0, entity = 0;
    for (std::uint32_t i = 0; i < jobs_; ++i) {
        advance();
        if (!burst) {
            entity = random_.below(workload_.entities.size());
            burst = random_.chance(20) ? random_.within(1, 8) : 1;
        }
        --burst;
        Job job{.id = i, .at = now_, .entity = entity};
        job.duration = duration();
        job.credits = credits(workload_.entities[entity]);
        job.after = dependencies();
        if (options_.kinds && random_.chance(15))
            job.run = static_cast<oracle_run_kind>(random_.below(4));
        if (options_.via && !job.after.empty() && random_.chance(30))
            job.via = static_cast<oracle_via>(random_.below(5));
        workload_.jobs.push_back(std::move(job));
    }
}

// Its names and its status, or a deadline for it; it has been pushed by then.
void Generator::ask_about_a_job(Action& action) {
    action.kind = random_.chance(60) ? ORACLE_QUERY : ORACLE_SET_DEADLINE;
    action.job = random_.below(workload_.jobs.size());
    action.at = std::max(action.at, workload_.jobs[action.job].at);
    if (action.kind == ORACLE_SET_DEADLINE)
        action.deadline = action.at + random_.below(50) * unit_;
}

void Generator::add_actions() {
    constexpr oracle_action_kind kinds[] = {ORACLE_DESTROY_ENTITY, ORACLE_KILL_ENTITY,
                                            ORACLE_FINI_ENTITY,    ORACLE_SET_PRIORITY,
                                            ORACLE_MODIFY_SCHED,   ORACLE_RESET_RING};
    const std::uint64_t span = now_ + 20 * unit_;
    for (std::uint32_t left = random_.within(0, 4); left; --left) {
        Action action{.at = random_.next() % (span / unit_ + 1) * unit_,
                      .kind = kinds[random_.below(std::size(kinds))]};
        if (random_.chance(25) && !workload_.jobs.empty()) {
            ask_about_a_job(action);
            workload_.actions.push_back(std::move(action));
            continue;
        }
        if (random_.chance(6)) // seldom: little of a workload is left after it
            action.kind = ORACLE_FINI_SCHEDULER;
        if (action.kind == ORACLE_FINI_SCHEDULER || action.kind == ORACLE_RESET_RING)
            action.ring = random_.below(workload_.rings.size());
        else
            action.entity = random_.below(workload_.entities.size());
        if (action.kind == ORACLE_SET_PRIORITY)
            action.priority = static_cast<oracle_priority>(random_.below(4));
        if (action.kind == ORACLE_MODIFY_SCHED)
            action.rings = some_rings();
        workload_.actions.push_back(std::move(action));
    }
    if (random_.chance(10))
        workload_.until = random_.next() % (span + 1);
}

} // namespace

Workload generate(std::uint64_t seed, const GeneratorOptions& options) {
    return Generator(seed, options).run();
}

} // namespace conformance
