// Reading JSON strictly: a parser that refuses what nlohmann's would let pass, and cursors that
// read values of a known kind and know where in the document they stand.
//
// Refused beyond JSON's own grammar: an empty file, a byte order mark, a key that occurs twice in
// an object, nesting deeper than kDeepest, objects with more than kMostKeys keys.
//
// Everything here throws InputError. A Cursor refers to the document, to its Source and to its
// parent cursor; it is handed to callbacks and cannot be kept.
#pragma once

#include "sim/time.hpp"
#include "workloads/input_error.hpp"
#include "workloads/json.hpp"
#include "workloads/names.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fenceline::workloads {

inline constexpr std::size_t kDeepest = 64;
inline constexpr std::size_t kMostKeys = 1024;
/// The largest integer of the formats: ids, counts and times leave room for sums.
inline constexpr std::uint64_t kLargestInteger = (std::uint64_t{1} << 63U) - 1;

/// What a document is called in messages: a file, in JSON Lines the line (from 1; else 0), and for
/// a document that stands inside another one the JSON pointer to it.
struct Source {
    std::string file;
    std::uint64_t line = 0;
    std::string pointer = {};
};

/// The document. With a line in `source` the text is that one line.
[[nodiscard]] Json parse_json(std::string_view text, const Source& source);

/// A reference to a callable that outlives the call it is passed to.
template <typename Signature>
class FunctionRef;
template <typename Result, typename... Args>
class FunctionRef<Result(Args...)> {
  public:
    template <typename Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
        FunctionRef(Callable&& callable) // NOLINT(google-explicit-constructor): a parameter type
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
          call_([](void* object, Args... args) -> Result {
              return (*static_cast<std::remove_reference_t<Callable>*>(object))(
                  std::forward<Args>(args)...);
          }) {}
    Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

  private:
    void* object_;
    Result (*call_)(void*, Args...);
};

enum class Need : std::uint8_t { required, optional };

class Cursor;

/// A key that an object may have, and what reads its value.
struct Member {
    std::string_view key;
    Need need;
    FunctionRef<void(const Cursor&)> read;
};

class Cursor {
  public:
    Cursor(const Json& document, const Source& source) : value_(document), source_(source) {}
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    [[nodiscard]] const Json& json() const { return value_; }

    // Objects and arrays.

    /// Reads an object, its members in document order. Fails at a key that is not in the table, and
    /// when one that is required is missing.
    void members(std::initializer_list<Member> table) const;
    /// The same for an object whose keys only the callback knows.
    void each_member(FunctionRef<void(std::string_view, const Cursor&)> read) const;
    /// The value of a key that the object has. This cursor must outlive it.
    [[nodiscard]] Cursor member(std::string_view key) const;
    /// Reads an array of at least `least` elements.
    void elements(FunctionRef<void(const Cursor&)> read, std::size_t least = 0) const;
    [[nodiscard]] bool is_object() const { return value_.is_object(); }
    /// Whether this is an object with this key, and what the value is if it is a string.
    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] std::string_view peek(std::string_view key) const;

    // Values.

    [[nodiscard]] const std::string& text() const;
    [[nodiscard]] const std::string& name() const; ///< a non-empty string
    [[nodiscard]] bool boolean() const;
    /// An integer from `least` to `greatest`.
    [[nodiscard]] std::uint64_t integer(std::uint64_t least = 0,
                                        std::uint64_t greatest = kLargestInteger) const;
    [[nodiscard]] std::uint32_t integer32(std::uint32_t least = 0) const {
        return static_cast<std::uint32_t>(
            integer(least, std::numeric_limits<std::uint32_t>::max()));
    }
    [[nodiscard]] sim::Time time() const;
    /// A time, or the word (`forever`, `none`), which gives kForever.
    [[nodiscard]] sim::Time time_or(std::string_view word) const;
    /// A name from an enumeration's table.
    template <typename Enum>
    [[nodiscard]] Enum one_of() const {
        std::string_view names[kEnumNames<Enum>.size()];
        for (std::size_t i = 0; i < kEnumNames<Enum>.size(); ++i) {
            names[i] = kEnumNames<Enum>[i].name;
        }
        return kEnumNames<Enum>[choice(names)].value;
    }
    /// The index of this string in the list.
    [[nodiscard]] std::size_t choice(std::span<const std::string_view> names) const;

    // Faults.

    /// "found <this value>, expected ...".
    [[noreturn]] void fail(std::string_view expected, std::string_view hint = {}) const;
    [[noreturn]] void fail_found(std::string_view found, std::string_view expected,
                                 std::string_view hint = {}) const;
    /// The same for a key of this object that nobody knows.
    [[noreturn]] void fail_unknown(std::string_view key, std::string_view expected,
                                   std::string_view hint = {}) const;
    /// The same at the end of this object, for a key that it should have.
    [[noreturn]] void fail_missing(std::string_view key) const;
    /// JSON pointer of this value in the file; empty for the whole of it.
    [[nodiscard]] std::string pointer() const;
    /// What the document is called in messages.
    [[nodiscard]] const std::string& source() const { return source_.file; }
    [[nodiscard]] std::vector<std::uint32_t> place() const;

  private:
    Cursor(const Json& value, const Cursor& parent, std::string_view key, std::size_t index)
        : value_(value), source_(parent.source_), parent_(&parent), key_(key), index_(index) {}
    [[noreturn]] void fail_at(std::vector<std::uint32_t> place, std::string_view found,
                              std::string_view expected, std::string_view hint) const;
    [[noreturn]] void unknown_key(std::string_view key, std::size_t index,
                                  std::initializer_list<Member> table) const;

    const Json& value_;
    const Source& source_;
    const Cursor* parent_ = nullptr;
    std::string_view key_; ///< the member of the parent that this is; elements have none
    std::size_t index_ = 0;
};

/// A value in few words, for messages: `"abc"`, `-1`, `an array`.
[[nodiscard]] std::string describe(const Json& value);

/// `'a', 'b', 'c'`, for messages.
[[nodiscard]] std::string quoted_list(std::span<const std::string_view> names);

} // namespace fenceline::workloads
