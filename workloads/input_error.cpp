#include "workloads/input_error.hpp"

#include <algorithm>

namespace fenceline::workloads {
namespace {

/// The length of the well-formed UTF-8 sequence at the start of the text, or 0.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    // Overlong forms, surrogates, and what lies past U+10FFFF.
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
        (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) {
        return 0;
    }
    return length;
}

/// Edits (insert, delete, replace, swap neighbours) from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> two_back(b.size() + 1);
    std::vector<std::size_t> previous(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        previous[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], two_back[j - 2] + 1);
            }
        }
        std::swap(two_back, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

} // namespace

InputError::InputError(std::string_view message, std::vector<std::uint32_t> place)
    : std::runtime_error(printable(message, 2000)), place_(std::move(place)) {}

std::string printable(std::string_view text, std::size_t limit) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (result.size() + std::max<std::size_t>(length, 1) > limit) {
            return result + "...";
        }
        const auto lead = static_cast<unsigned char>(text.front());
        // C1 controls (U+0080 to U+009F) are C2 80 to C2 9F; terminals act on them as on C0.
        const bool c1 = length == 2 && lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
        if (length == 0 || c1 || lead < 0x20 || lead == 0x7F) {
            result += '?';
        } else {
            result.append(text.substr(0, length));
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string did_you_mean(std::string_view found, std::span<const std::string_view> candidates) {
    // Longer texts are not slips of the pen, and the distance costs the product of the lengths.
    constexpr std::size_t kLongest = 64;
    if (found.empty() || found.size() > kLongest) {
        return {};
    }
    const std::size_t tolerated =
        std::max<std::size_t>(1, std::min<std::size_t>(3, found.size() / 3));
    std::size_t best_distance = tolerated + 1;
    std::string_view best;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > kLongest || candidate.size() + tolerated < found.size() ||
            found.size() + tolerated < candidate.size()) {
            continue;
        }
        const std::size_t distance = edit_distance(found, candidate);
        if (distance < best_distance && distance < candidate.size()) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best.empty() ? std::string{} : " (did you mean '" + std::string(best) + "'?)";
}

} // namespace fenceline::workloads
