// The most memory that this process has had at once. The program itself says so: what its parent can
// ask for (ru_maxrss) includes the parent's own memory from before exec.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace fenceline::bench {

/// In KiB; 0 where the kernel does not tell.
inline std::uint64_t peak_memory_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (std::uint64_t kb = 0; word == "VmHWM:" && status >> kb)
            return kb;
    return 0;
}

} // namespace fenceline::bench
