// Writes job events as JSON Lines (docs/formats.md, "Event log"):
//
//     {"t":1200,"ev":"run_job","job":1,"entity":"a/gfx","ring":"gfx","err":-3}
//
// Speed matters, a run may log tens of millions of lines: names are escaped once, up front, a line
// is put together from ready-made pieces in one buffer, nothing is allocated per event. Pieces are
// copied in steps of a fixed size, past their end into what is written next: most are one or two
// steps long, which costs less than the call of a copy of any size.
//
// A failure to write is kept, not thrown, because events come from deep inside the model: ask
// failed() while the run goes on, and finish() throws it. The file is not owned.
#pragma once

#include "scheduler/event_log.hpp"
#include "tools/output_file.hpp"

#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fenceline::tools {

class EventLogWriter final : public scheduler::EventSink {
  public:
    EventLogWriter(OutputFile& file, std::span<const std::string> entities,
                   std::span<const std::string> rings);

    void on_event(const scheduler::LoggedEvent& event) override;

    /// Whether nothing more can be written: an error, or the reader has gone.
    [[nodiscard]] bool failed() const { return failure_ != nullptr || file_.reader_gone(); }
    /// Writes what is left in the buffer. Throws what went wrong earlier.
    void finish();

  private:
    /// A piece of a line, with room behind it up to a whole number of steps.
    class Piece {
      public:
        static constexpr std::size_t kStep = 16;

        Piece() = default;
        explicit Piece(std::string text) : text_(std::move(text)), size_(text_.size()) {
            text_.resize(size_ + kStep);
        }
        /// Copies it; returns where it ends. Up to kStep bytes behind that are overwritten.
        char* put(char* to) const {
            for (std::size_t i = 0; i < size_; i += kStep) {
                std::memcpy(to + i, text_.data() + i, kStep);
            }
            return to + size_;
        }
        [[nodiscard]] std::size_t size() const { return size_; }

      private:
        std::string text_;
        std::size_t size_ = 0;
    };

    static std::size_t longest(const std::vector<Piece>& pieces);
    void set_time(sim::Time time);
    void flush() noexcept;

    OutputFile& file_;
    std::vector<Piece> entities_; ///< `,"entity":"a/gfx","ring":`
    std::vector<Piece> rings_;    ///< `"gfx"}` and the end of the line
    std::vector<Piece> kinds_;    ///< `,"ev":"run_job","job":`
    std::size_t longest_line_ = 0;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
    char time_text_[48] = {}; ///< `{"t":1200`, with room: many events share an instant
    std::size_t time_size_ = 0;
    sim::Time time_ = 0;
    std::exception_ptr failure_;
};

} // namespace fenceline::tools
