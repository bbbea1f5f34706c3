// The names under which clients and actions share fences: who has which of them open.
//
// A name stands for a place in Containers: one party exports to it (again and again, if it likes;
// what becomes of the fence before depends on the kind), any number of others import it. Each of
// them has it open, and the container goes with the last who closes it. A new sync_file in place of
// an old one is what those who have the name open get.
//
// Ownership: refers to the containers; the parties keep their sets of open names themselves.
#pragma once

#include "fences/container.hpp"
#include "sim/wait.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fenceline::workloads::inline FENCELINE_MODE {

/// The names that one party has open, in the order in which it will close them at its end.
using OpenNames = std::set<std::string, std::less<>>;

class SharedNames {
  public:
    SharedNames(sim::Machine& machine, fences::Containers& containers)
        : machine_(machine), containers_(containers) {}

    /// Puts the fence there. Those who wait for the name have it open from now on, whatever becomes
    /// of it before they move.
    void export_fence(OpenNames& own, fences::ContainerKind kind, const std::string& name,
                      fences::FenceRef fence);
    /// Blocks until somebody has the name open, then opens it as well.
    void import(OpenNames& own, const std::string& name);
    /// False when this party does not have it open.
    bool close(OpenNames& own, const std::string& name);
    void close_all(OpenNames& own);

  private:
    void open(OpenNames& own, const std::string& name);

    sim::Machine& machine_;
    fences::Containers& containers_;
    std::map<std::string, std::uint64_t> parties_; ///< how many have it open
    struct Import {
        sim::WaitQueue queue;
        std::vector<OpenNames*> parties; ///< those who wait
    };
    std::map<std::string, Import> imports_;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
