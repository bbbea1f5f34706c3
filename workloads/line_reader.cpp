#include "workloads/line_reader.hpp"

#include "workloads/input_error.hpp"

namespace fenceline::workloads {
namespace {

/// Large enough that system calls do not matter, small enough for the second-level cache together
/// with what is made of it.
constexpr std::size_t kFirstSize = std::size_t{256} << 10U;

} // namespace

LineReader::LineReader(const std::string& path) : file_(path), buffer_(kFirstSize + kPadding) {}

bool LineReader::next_in_part(std::string_view& line) {
    std::size_t searched = end_ - begin_;
    while (fill()) {
        const char* const start = buffer_.data() + begin_;
        const void* const end = std::memchr(start + searched, '\n', end_ - begin_ - searched);
        if (end != nullptr) {
            return next(line);
        }
        searched = end_ - begin_;
    }
    // The last line may lack its end.
    line = {buffer_.data() + begin_, end_ - begin_};
    begin_ = end_;
    line_number_ += line.empty() ? 0 : 1;
    return !line.empty();
}

std::string_view LineReader::ahead() {
    std::size_t searched = 0;
    for (;;) {
        const char* const start = buffer_.data() + begin_;
        const void* const end = memrchr(start + searched, '\n', end_ - begin_ - searched);
        if (end != nullptr) {
            return {start, static_cast<std::size_t>(static_cast<const char*>(end) - start) + 1};
        }
        searched = end_ - begin_;
        if (!fill()) {
            return {buffer_.data() + begin_, end_ - begin_};
        }
    }
}

bool LineReader::fill() {
    if (at_end_) {
        return false; // and nothing moves
    }
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
    at_end_ = got == 0;
    return !at_end_;
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
    at_end_ = false;
}

} // namespace fenceline::workloads
