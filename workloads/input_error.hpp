// What the readers throw when a document is wrong.
//
// Invariant: what() is one line of printable text, whatever the input contained, and stands in one
// of these forms:
//
//     FILE: cannot be read: No such file or directory
//     FILE:LINE:COL: found ..., expected ...            syntax
//     FILE: /json/pointer: found ..., expected ...      meaning
//     FILE:LINE: /json/pointer: found ..., expected ... meaning, in JSON Lines
//
// followed by " (did you mean 'x'?)" where a known name is close to what was found.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

class InputError : public std::runtime_error {
  public:
    /// `place` says where in the document the fault is: for each level the index of the member or
    /// element that leads to it.
    explicit InputError(std::string_view message, std::vector<std::uint32_t> place = {});

    /// Whether this fault stands before the other in the same document.
    [[nodiscard]] bool stands_before(const InputError& other) const {
        return place_ < other.place_;
    }

  private:
    std::vector<std::uint32_t> place_;
};

/// The text with everything that is not printable UTF-8 replaced, shortened to `limit` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

/// " (did you mean 'x'?)" for the candidate closest to what was found, or nothing when none is
/// close (by edit distance, with swapped neighbours as one edit).
[[nodiscard]] std::string did_you_mean(std::string_view found,
                                       std::span<const std::string_view> candidates);

} // namespace fenceline::workloads
