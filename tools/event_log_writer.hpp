// Writes job events as JSON Lines (docs/formats.md, "Event log"):
//
//     {"t":1200,"ev":"run_job","job":1,"entity":"a/gfx","ring":"gfx","err":-3}
//
// Speed matters, a run may log tens of millions of lines: names are escaped once, up front, a line
// is put together from ready-made pieces in one buffer, nothing is allocated per event.
//
// A failure to write is kept, not thrown, because events come from deep inside the model: ask
// failed() while the run goes on, and finish() throws it. The file is not owned.
#pragma once

#include "scheduler/event_log.hpp"
#include "tools/output_file.hpp"

#include <exception>
#include <span>
#include <string>
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
    void set_time(sim::Time time);
    void flush() noexcept;

    OutputFile& file_;
    std::vector<std::string> entities_; ///< `,"entity":"a/gfx","ring":`
    std::vector<std::string> rings_;    ///< `"gfx"`
    std::vector<std::string> kinds_;    ///< `,"ev":"run_job",`
    std::size_t longest_line_ = 0;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
    char time_text_[40] = {}; ///< `{"t":1200`: many events share an instant
    std::size_t time_size_ = 0;
    sim::Time time_ = 0;
    std::exception_ptr failure_;
};

} // namespace fenceline::tools
