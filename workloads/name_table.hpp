// A table of unique names and their indices, in order of addition.
//
// Built once, then searched once per job of a stream: the lookup is one hash of the name
// and, nearly always, one comparison. It owns its names; it allocates only in intern().
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

class NameTable {
  public:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};

    /// The index of the name, or kNone. Cost: a few nanoseconds, independent of the table's size.
    [[nodiscard]] std::uint32_t find(std::string_view name) const {
        if (slots_.empty()) {
            return kNone;
        }
        for (std::size_t at = hash(name) & mask();; at = (at + 1) & mask()) {
            const std::uint32_t index = slots_[at];
            if (index == kNone || names_[index] == name) {
                return index;
            }
        }
    }

    /// The index of the name, which is added when it is new.
    std::uint32_t intern(std::string_view name) {
        if (const std::uint32_t index = find(name); index != kNone) {
            return index;
        }
        names_.emplace_back(name);
        if (names_.size() * 2 > slots_.size()) {
            grow();
        } else {
            place(static_cast<std::uint32_t>(names_.size() - 1));
        }
        return static_cast<std::uint32_t>(names_.size() - 1);
    }

    /// How many names a successful search looks at, on average: near 1.5 when names are spread well.
    [[nodiscard]] double mean_search() const {
        std::size_t looked_at = 0;
        for (const std::string& name : names_) {
            std::size_t at = hash(name) & mask();
            for (++looked_at; names_[slots_[at]] != name; ++looked_at) {
                at = (at + 1) & mask();
            }
        }
        return static_cast<double>(looked_at) / static_cast<double>(names_.size());
    }

    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    [[nodiscard]] std::vector<std::string_view> views() const {
        return {names_.begin(), names_.end()};
    }

  private:
    [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }

    template <typename Word>
    static std::uint64_t load(const char* from) {
        Word word = 0;
        std::memcpy(&word, from, sizeof word);
        return word;
    }

    /// Every byte counts, so that long names with a common start and end do not collide, wherever
    /// they differ: a product's lower bits know nothing of the upper bits of its factors, so the
    /// upper half of a second product is what is taken. What is left at the end is read with words
    /// that overlap: a copy of unknown size would be a call.
    static std::size_t hash(std::string_view name) {
        constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U;
        std::uint64_t state = name.size() * kFactor;
        const char* at = name.data();
        const char* const end = at + name.size();
        for (; end - at > 8; at += 8) {
            state = (state ^ load<std::uint64_t>(at)) * kFactor;
            state ^= state >> 32U;
        }
        std::uint64_t word = 0;
        if (name.size() >= 8) {
            word = load<std::uint64_t>(end - 8);
        } else if (name.size() >= 4) {
            word = load<std::uint32_t>(at) << 32U | load<std::uint32_t>(end - 4);
        } else if (!name.empty()) {
            word = load<std::uint8_t>(at) << 16U | load<std::uint8_t>(at + name.size() / 2) << 8U |
                   load<std::uint8_t>(end - 1);
        }
        state = (state ^ word) * kFactor;
        state = (state ^ (state >> 32U)) * kFactor;
        return static_cast<std::size_t>(state >> 32U);
    }

    void place(std::uint32_t index) {
        std::size_t at = hash(names_[index]) & mask();
        while (slots_[at] != kNone) {
            at = (at + 1) & mask();
        }
        slots_[at] = index;
    }

    void grow() {
        slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, kNone);
        for (std::uint32_t i = 0; i < names_.size(); ++i) {
            place(i);
        }
    }

    std::vector<std::string> names_;
    std::vector<std::uint32_t> slots_; ///< a power of two, at most half full
};

} // namespace fenceline::workloads
