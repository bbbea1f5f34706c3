// The shrinker: each step tries a smaller or simpler workload and keeps it if it still fails.
// Steps repeat until none of them gets anywhere.

#include "compare.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace conformance {
namespace {

// Takes elements out of a list that others refer to by index, and renumbers the references.
class Renumbering {
  public:
    explicit Renumbering(const std::vector<bool>& keep) {
        std::uint32_t next = 0;
        for (const bool kept : keep)
            places_.push_back(kept ? next++ : gone);
    }
    bool kept(std::uint32_t index) const { return places_[index] != gone; }
    void apply(std::uint32_t& index) const { index = places_[index]; }
    void apply(std::vector<std::uint32_t>& indices) const {
        std::erase_if(indices, [&](std::uint32_t i) { return !kept(i); });
        for (auto& index : indices)
            apply(index);
    }
    template <typename List>
    void filter(List& list) const {
        std::size_t next = 0;
        for (std::uint32_t i = 0; i < places_.size(); ++i)
            if (kept(i)) {
                if (next != i)
                    list[next] = std::move(list[i]);
                ++next;
            }
        list.resize(next);
    }

  private:
    static constexpr std::uint32_t gone = UINT32_MAX;
    std::vector<std::uint32_t> places_;
};

Workload without_jobs(const Workload& from, std::size_t first, std::size_t count) {
    Workload w = from;
    std::vector<bool> keep(w.jobs.size(), true);
    std::fill_n(keep.begin() + static_cast<std::ptrdiff_t>(first), count, false);
    const Renumbering renumbering(keep);
    renumbering.filter(w.jobs);
    for (auto& job : w.jobs)
        renumbering.apply(job.after);
    std::erase_if(w.actions,
                  [&](const Action& a) { return a.names_job() && !renumbering.kept(a.job); });
    for (auto& action : w.actions)
        if (action.names_job())
            renumbering.apply(action.job);
    return w;
}

Workload without_entity(const Workload& from, std::uint32_t entity) {
    Workload w = from;
    for (std::size_t i = w.jobs.size(); i-- > 0;)
        if (w.jobs[i].entity == entity)
            w = without_jobs(w, i, 1);
    std::erase_if(w.actions, [&](const Action& a) {
        return a.entity == entity && !a.names_ring() && !a.names_job();
    });
    std::vector<bool> keep(w.entities.size(), true);
    keep[entity] = false;
    const Renumbering renumbering(keep);
    renumbering.filter(w.entities);
    for (auto& job : w.jobs)
        renumbering.apply(job.entity);
    for (auto& action : w.actions) {
        if (renumbering.kept(action.entity))
            renumbering.apply(action.entity);
        else
            action.entity = 0; // an action on a ring or a job, to which it means nothing
    }
    return w;
}

bool ring_in_use(const Workload& w, std::uint32_t ring) {
    const auto names = [ring](const std::vector<std::uint32_t>& rings) {
        return std::find(rings.begin(), rings.end(), ring) != rings.end();
    };
    return std::any_of(w.entities.begin(), w.entities.end(),
                       [&](const Entity& e) { return names(e.rings); }) ||
           std::any_of(w.actions.begin(), w.actions.end(), [&](const Action& a) {
               return names(a.rings) || (a.names_ring() && a.ring == ring);
           });
}

Workload without_ring(const Workload& from, std::uint32_t ring) {
    Workload w = from;
    std::vector<bool> keep(w.rings.size(), true);
    keep[ring] = false;
    const Renumbering renumbering(keep);
    renumbering.filter(w.rings);
    for (auto& entity : w.entities)
        renumbering.apply(entity.rings);
    for (auto& action : w.actions) {
        renumbering.apply(action.rings);
        action.ring = action.ring == ring ? 0 : action.ring - (action.ring > ring ? 1u : 0u);
    }
    return w;
}

class Shrinker {
  public:
    Shrinker(Workload workload, const Predicate& still_fails)
        : best_(std::move(workload)), still_fails_(still_fails) {}

    Workload run() {
        do {
            progress_ = false;
            drop_jobs();
            drop_actions();
            drop_entities();
            simplify_entities();
            drop_rings();
            simplify_rings();
            simplify_jobs();
            simplify_times();
            simplify_run();
        } while (progress_);
        return std::move(best_);
    }

  private:
    bool attempt(Workload candidate) {
        if (candidate == best_ || !still_fails_(candidate))
            return false;
        best_ = std::move(candidate);
        return progress_ = true;
    }

    // The same workload with one value changed, where `change` says how.
    template <typename Change>
    bool attempt_change(Change change) {
        Workload candidate = best_;
        change(candidate);
        return attempt(std::move(candidate));
    }

    void drop_jobs();
    void drop_actions();
    void drop_entities();
    void simplify_entities();
    void drop_rings();
    void simplify_rings();
    void simplify_jobs();
    void simplify_job(std::size_t i);
    void simplify_times();
    void simplify_run();

    Workload best_;
    const Predicate& still_fails_;
    bool progress_ = false;
};

// Large pieces first, then single jobs; from the back, which nobody depends on.
void Shrinker::drop_jobs() {
    for (std::size_t piece = std::max<std::size_t>(best_.jobs.size() / 2, 1);; piece /= 2) {
        for (std::size_t end = best_.jobs.size(); end > 0;) {
            const std::size_t first = end > piece ? end - piece : 0;
            attempt(without_jobs(best_, first, end - first));
            end = first;
        }
        if (piece <= 1)
            break;
    }
}

void Shrinker::drop_actions() {
    for (std::size_t i = best_.actions.size(); i-- > 0;)
        attempt_change([i](Workload& w) {
            w.actions.erase(w.actions.begin() + static_cast<std::ptrdiff_t>(i));
        });
}

void Shrinker::drop_entities() {
    for (auto i = static_cast<std::uint32_t>(best_.entities.size()); i-- > 0;)
        if (best_.entities.size() > 1)
            attempt(without_entity(best_, i));
}

void Shrinker::simplify_entities() {
    for (std::size_t i = 0; i < best_.entities.size(); ++i) {
        for (std::size_t k = best_.entities[i].rings.size(); k-- > 0;)
            if (best_.entities[i].rings.size() > 1)
                attempt_change([=](Workload& w) {
                    w.entities[i].rings.erase(w.entities[i].rings.begin() +
                                              static_cast<std::ptrdiff_t>(k));
                });
        attempt_change([i](Workload& w) { w.entities[i].rings = {0}; });
        attempt_change([i](Workload& w) { w.entities[i].priority = ORACLE_PRIORITY_NORMAL; });
        attempt_change([i](Workload& w) { w.entities[i].guilty_flag = false; });
    }
}

void Shrinker::drop_rings() {
    for (auto i = static_cast<std::uint32_t>(best_.rings.size()); i-- > 0;)
        if (best_.rings.size() > 1 && !ring_in_use(best_, i))
            attempt(without_ring(best_, i));
}

void Shrinker::simplify_rings() {
    for (std::size_t i = 0; i < best_.rings.size(); ++i) {
        attempt_change([i](Workload& w) { w.rings[i].timeout = never; });
        if (best_.rings[i].timeout != never && best_.rings[i].timeout > 1000)
            attempt_change([i](Workload& w) { w.rings[i].timeout = 1000; });
        attempt_change([i](Workload& w) { w.rings[i].hang_limit = 0; });
        for (std::uint32_t limit = 1; limit < best_.rings[i].credit_limit; ++limit)
            if (attempt_change([=](Workload& w) { w.rings[i].credit_limit = limit; }))
                break;
    }
}

void Shrinker::simplify_job(std::size_t i) {
    for (std::size_t k = best_.jobs[i].after.size(); k-- > 0;)
        attempt_change([=](Workload& w) {
            w.jobs[i].after.erase(w.jobs[i].after.begin() + static_cast<std::ptrdiff_t>(k));
        });
    attempt_change([i](Workload& w) { w.jobs[i].via = ORACLE_VIA_NONE; });
    attempt_change([i](Workload& w) { w.jobs[i].run = ORACLE_RUN_NORMAL; });
    attempt_change([i](Workload& w) { w.jobs[i].entity = 0; });
    for (std::uint32_t credits = 1; credits < best_.jobs[i].credits; ++credits)
        if (attempt_change([=](Workload& w) { w.jobs[i].credits = credits; }))
            break;
    const std::uint64_t duration = best_.jobs[i].duration;
    const std::uint64_t rounded = duration == never ? 0 : duration / 100 * 100;
    const std::uint64_t halved = duration == never ? 0 : duration / 2;
    for (const std::uint64_t simpler :
         {std::uint64_t{100}, std::uint64_t{0}, std::uint64_t{1}, rounded, halved})
        if (duration != 100 && attempt_change([=](Workload& w) { w.jobs[i].duration = simpler; }))
            break;
}

void Shrinker::simplify_jobs() {
    for (std::size_t i = 0; i < best_.jobs.size(); ++i)
        simplify_job(i);
}

// Earlier is simpler: a job and all behind it move together, or it alone joins the one before.
void Shrinker::simplify_times() {
    for (std::size_t i = 0; i < best_.jobs.size(); ++i) {
        const std::uint64_t before = i ? best_.jobs[i - 1].at : 0;
        const std::uint64_t gap = best_.jobs[i].at - before;
        attempt_change([=](Workload& w) { w.jobs[i].at = before; });
        for (const std::uint64_t cut : {gap, gap / 2, std::uint64_t{gap ? 1u : 0u}}) {
            const auto shift = [=](Workload& w) {
                for (std::size_t k = i; k < w.jobs.size(); ++k)
                    w.jobs[k].at -= cut;
            };
            if (best_.jobs[i].at >= before + cut && attempt_change(shift))
                break;
        }
    }
    for (std::size_t i = 0; i < best_.actions.size(); ++i)
        for (const std::uint64_t at : {std::uint64_t{0}, best_.actions[i].at / 2})
            if (attempt_change([=](Workload& w) { w.actions[i].at = at; }))
                break;
}

void Shrinker::simplify_run() {
    attempt_change([](Workload& w) { w.until = never; });
    // New numbers for the jobs that are left.
    attempt_change([](Workload& w) {
        for (std::size_t i = 0; i < w.jobs.size(); ++i)
            w.jobs[i].id = i;
    });
}

} // namespace

Workload shrink(Workload workload, const Predicate& still_fails) {
    return Shrinker(std::move(workload), still_fails).run();
}

} // namespace conformance
