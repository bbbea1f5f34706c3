#include "fences/ledger.hpp"

namespace fenceline::fences {

std::string_view name_of(Holder holder) {
    constexpr std::array<std::string_view, kHolderCount> names{"job",
                                                               "entity's last_scheduled",
                                                               "dependency",
                                                               "scheduler fence",
                                                               "driver",
                                                               "sync_file",
                                                               "syncobj",
                                                               "timeline syncobj",
                                                               "dma_resv",
                                                               "fence container",
                                                               "fence",
                                                               "workload",
                                                               "whoever still holds it"};
    return names[static_cast<std::size_t>(holder)];
}

double Ledger::byte_seconds(Holder holder) const {
    return static_cast<double>(byte_ns_[static_cast<std::size_t>(holder)]) * 1e-9;
}

double Ledger::byte_seconds() const {
    Wide total = 0;
    for (const Wide part : byte_ns_)
        total += part;
    return static_cast<double>(total) * 1e-9;
}

} // namespace fenceline::fences
