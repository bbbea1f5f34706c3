// Random numbers that are the same on every platform: SplitMix64, one stream per client.
//
// The state of a client's stream is the run's seed XOR the FNV-1a-64 hash of the client's name, and
// one number is drawn per drawn value, in program order: a client's draws do not depend on what
// other clients do.
#pragma once

#include <cstdint>
#include <string_view>

namespace fenceline::sim {

[[nodiscard]] constexpr std::uint64_t fnv1a64(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3u;
    }
    return hash;
}

class Random {
  public:
    explicit constexpr Random(std::uint64_t state) : state_(state) {}
    /// The stream of one client in a run.
    constexpr Random(std::uint64_t seed, std::string_view client)
        : state_(seed ^ fnv1a64(client)) {}

    constexpr std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// Uniform in [0, 1) with 53 bits.
    constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  private:
    std::uint64_t state_;
};

} // namespace fenceline::sim
