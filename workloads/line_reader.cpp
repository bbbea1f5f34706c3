#include "workloads/line_reader.hpp"

#include "workloads/input_error.hpp"

#include <cstring>

namespace fenceline::workloads {
namespace {

/// Large enough that system calls do not matter, small enough for the second-level cache.
constexpr std::size_t kFirstSize = std::size_t{256} << 10U;

} // namespace

LineReader::LineReader(const std::string& path) : file_(path), buffer_(kFirstSize + kPadding) {}

bool LineReader::next(std::string_view& line) {
    std::size_t searched = begin_;
    for (;;) {
        const char* const start = buffer_.data() + begin_;
        const auto* const found =
            static_cast<const char*>(std::memchr(buffer_.data() + searched, '\n', end_ - searched));
        if (found != nullptr) {
            line = {start, static_cast<std::size_t>(found - start)};
            begin_ += line.size() + 1;
            ++line_number_;
            return true;
        }
        const std::size_t pending = end_ - begin_;
        if (!fill()) {
            // The last line may lack its end.
            line = {buffer_.data() + begin_, end_ - begin_};
            begin_ = end_;
            line_number_ += line.empty() ? 0 : 1;
            return !line.empty();
        }
        searched = begin_ + pending; // what was pending has moved to the front
    }
}

bool LineReader::fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (end_ == buffer_.size() - kPadding) {
        if (end_ >= kLongestLine) {
            throw InputError(file_.name() + ":" + std::to_string(line_number_ + 1) +
                             ":1: found a line longer than 256 MiB, expected a shorter one");
        }
        buffer_.resize(2 * end_ + kPadding);
    }
    const std::size_t got = file_.read(buffer_.data() + end_, buffer_.size() - kPadding - end_);
    end_ += got;
    return got != 0;
}

void LineReader::append_rest(std::string& text) {
    text.append(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
    workloads::append_rest(file_, text);
}

void LineReader::rewind() {
    file_.rewind();
    begin_ = 0;
    end_ = 0;
    line_number_ = 0;
}

} // namespace fenceline::workloads
