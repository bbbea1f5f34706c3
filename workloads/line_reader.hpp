// Lines of a file of any length, through a bounded buffer.
//
// Memory: the buffer, which grows only to hold the longest line. A line is valid until the next
// call and is followed by kPadding readable bytes, as simdjson wants. Lines come in blocks: while
// next() returns lines of a block that ahead() has shown, nothing is read and nothing moves, so
// that all of the block may be looked at beforehand.
#pragma once

#include "workloads/input_file.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fenceline::workloads {

class LineReader {
  public:
    static constexpr std::size_t kPadding = 64;
    static constexpr std::size_t kLongestLine = std::size_t{256} << 20U;

    explicit LineReader(const std::string& path);

    /// The next line without its end; false when there is none.
    [[nodiscard]] bool next(std::string_view& line) {
        const char* const start = buffer_.data() + begin_;
        const void* const end = std::memchr(start, '\n', end_ - begin_);
        if (end == nullptr) [[unlikely]] {
            return next_in_part(line);
        }
        line = {start, static_cast<std::size_t>(static_cast<const char*>(end) - start)};
        begin_ += line.size() + 1;
        ++line_number_;
        return true;
    }
    /// The lines to come that are in memory, with their ends; reads (once, where that gives a whole
    /// line) when there are none. Empty at the end of the file.
    [[nodiscard]] std::string_view ahead();
    /// The number of the line that next() returned last, from 1; 0 before the first.
    [[nodiscard]] std::uint64_t line_number() const { return line_number_; }
    /// Appends everything after the line returned last.
    void append_rest(std::string& text);

    [[nodiscard]] InputFile& file() { return file_; }
    [[nodiscard]] const InputFile& file() const { return file_; }
    void rewind();

  private:
    /// next() where only a part of the line is in memory.
    bool next_in_part(std::string_view& line);
    /// Reads more behind what is there; false at the end of the file.
    bool fill();

    InputFile file_;
    std::vector<char> buffer_; ///< kPadding bytes at its end are never filled
    std::size_t begin_ = 0;    ///< first byte not yet returned
    std::size_t end_ = 0;      ///< first byte not yet read
    std::uint64_t line_number_ = 0;
    bool at_end_ = false; ///< there is nothing more to read
};

} // namespace fenceline::workloads
