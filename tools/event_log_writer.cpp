#include "tools/event_log_writer.hpp"

#include "workloads/json.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace fenceline::tools {
namespace {

using scheduler::JobEvent;

constexpr std::size_t kBufferSize = std::size_t{1} << 20U;
/// Beside names: the keys, two 64-bit numbers, an error, what is copied past a piece.
constexpr std::size_t kFixedPart = 192;
constexpr std::string_view kLineEnd = "}\n";

std::string json_string(const std::string& name) {
    return workloads::Json(name).dump(-1, ' ', false, workloads::Json::error_handler_t::replace);
}

char* put(char* to, std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
}

template <typename Integer>
char* put_number(char* to, Integer value) {
    constexpr std::ptrdiff_t kLongest = 20;
    return std::to_chars(to, to + kLongest, value).ptr;
}

} // namespace

std::size_t EventLogWriter::longest(const std::vector<Piece>& pieces) {
    std::size_t size = 0;
    for (const Piece& piece : pieces) {
        size = std::max(size, piece.size());
    }
    return size;
}

EventLogWriter::EventLogWriter(OutputFile& file, std::span<const std::string> entities,
                               std::span<const std::string> rings)
    : file_(file) {
    for (const std::string& name : entities) {
        entities_.emplace_back(",\"entity\":" + json_string(name) + ",\"ring\":");
    }
    for (const std::string& name : rings) {
        rings_.emplace_back(json_string(name) + std::string(kLineEnd));
    }
    for (auto kind = JobEvent::queue; kind <= JobEvent::cancel_job;
         kind = static_cast<JobEvent>(static_cast<int>(kind) + 1)) {
        const bool of_ring = kind == JobEvent::reset;
        kinds_.emplace_back(",\"ev\":\"" + std::string(name_of(kind)) +
                            (of_ring ? "\",\"ring\":" : "\",\"job\":"));
    }
    longest_line_ = kFixedPart + longest(entities_) + longest(rings_);
    buffer_.resize(std::max(kBufferSize, 2 * longest_line_));
    set_time(0);
}

void EventLogWriter::set_time(sim::Time time) {
    time_ = time;
    char* end = put(time_text_, "{\"t\":");
    end = put_number(end, time);
    time_size_ = static_cast<std::size_t>(end - time_text_);
}

void EventLogWriter::on_event(const scheduler::LoggedEvent& event) {
    if (buffer_.size() - used_ < longest_line_) {
        flush();
    }
    if (event.time != time_) {
        set_time(event.time);
    }
    char* at = buffer_.data() + used_;
    std::memcpy(at, time_text_, 2 * Piece::kStep); // the longest has 25 bytes
    at += time_size_;
    at = kinds_[static_cast<std::size_t>(event.event)].put(at);
    if (event.event != JobEvent::reset) {
        at = put_number(at, event.job);
        at = entities_[event.entity].put(at);
    }
    at = rings_[event.ring].put(at);
    if (event.error != 0 && event.event != JobEvent::reset) [[unlikely]] {
        at = put(at - kLineEnd.size(), ",\"err\":");
        at = put_number(at, event.error);
        at = put(at, kLineEnd);
    }
    used_ = static_cast<std::size_t>(at - buffer_.data());
}

void EventLogWriter::flush() noexcept {
    try {
        if (!failed()) {
            file_.write({buffer_.data(), used_});
        }
    } catch (...) {
        failure_ = std::current_exception();
    }
    used_ = 0;
}

void EventLogWriter::finish() {
    flush();
    if (failure_ != nullptr) {
        std::rethrow_exception(failure_);
    }
}

} // namespace fenceline::tools
