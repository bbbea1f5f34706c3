// A file that is read once from front to back: regular, pipe, or standard input (`-`).
//
// What zstd has compressed is decompressed on the way, recognised by its first bytes (no JSON text
// begins like that), whatever the file is called.
//
// Every failure is an InputError that names the file. It owns the descriptor (standard input stays
// open). It belongs to one thread, except for stop().
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace fenceline::workloads {

class InputFile {
  public:
    explicit InputFile(const std::string& path);
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile();

    /// Up to `size` bytes (let it be some thousand at least); 0 at the end.
    [[nodiscard]] std::size_t read(char* to, std::size_t size);
    /// Whether it can be read again from the start.
    [[nodiscard]] bool rewindable() const { return regular_; }
    void rewind();
    /// What messages call it.
    [[nodiscard]] const std::string& name() const { return name_; }

    /// Makes stop() possible; false where the system refuses. Call it before another thread reads.
    [[nodiscard]] bool can_stop();
    /// From now on, and also where it waits for input, read() finds the end of the file. Any
    /// thread. rewind() takes it back.
    void stop();

  private:
    class Decoder;

    std::size_t read_raw(char* to, std::size_t size);
    /// Waits for input; false when it is to stop instead.
    [[nodiscard]] bool wait();
    [[noreturn]] void fail(int error) const;
    [[noreturn]] void fail(std::string_view reason) const;

    std::string name_;
    int fd_ = -1;
    int wake_fd_ = -1; ///< becomes readable at stop()
    bool regular_ = false;
    bool begun_ = false; ///< the first bytes have been looked at
    std::atomic<bool> stopped_{false};
    std::unique_ptr<Decoder> decoder_; ///< of a compressed file
};

/// The name without what says that it is compressed: `.zst`.
[[nodiscard]] std::string_view without_compression(std::string_view path);

/// Appends what is left of the file, up to the largest size of a document.
void append_rest(InputFile& file, std::string& text);

/// The whole file.
[[nodiscard]] std::string read_text(const std::string& path);

} // namespace fenceline::workloads
