// Where a command's output goes: a file that appears only when it is complete, or standard output.
//
// A regular file is written beside its target under another name and takes the target's place at
// commit(); without commit() nothing is left behind, and what stood there before stays as it was.
// What is not a regular file (standard output, /dev/null, a pipe) is written to directly.
//
// A file whose name ends in `.zst` is compressed with zstd on the way, on a thread of zstd's own; the
// same text gives the same bytes.
//
// When the reader of a pipe has gone, what is written is dropped and reader_gone() says so: that is
// no error. Every other failure is thrown as OutputError. Owns its descriptor, except standard
// output. Belongs to one thread.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fenceline::tools {

/// "FILE: cannot be written: No space left on device", on one line.
class OutputError : public std::runtime_error {
  public:
    OutputError(std::string_view file, int error);
};

class OutputFile {
  public:
    /// Opens; `-` is standard output.
    explicit OutputFile(const std::string& path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    /// Unbuffered: hand over large pieces.
    void write(std::string_view text) {
        if (encoder_ != nullptr) {
            write_compressed(text, false);
        } else {
            write_raw(text);
        }
    }
    /// Makes what was written appear at the target. Call once, last.
    void commit();

    [[nodiscard]] bool reader_gone() const { return reader_gone_; }
    /// The file that will be replaced, links followed; empty when written to directly.
    [[nodiscard]] const std::string& target() const { return target_; }

  private:
    struct Encoder; // keeps zstd out of this header

    void open_beside();
    void write_raw(std::string_view bytes);
    void write_compressed(std::string_view text, bool end);
    void discard() noexcept;

    std::string name_;      ///< what messages call it
    std::string target_;    ///< empty: no file to be replaced
    std::string temporary_; ///< empty: none exists
    int fd_ = -1;
    bool reader_gone_ = false;
    std::unique_ptr<Encoder> encoder_; ///< of a compressed file
};

/// Writes to standard output at once.
void write_standard_output(std::string_view text);

/// Removes the unfinished files of the whole process, for an end without destructors. Any thread.
void remove_unfinished_files() noexcept;

} // namespace fenceline::tools
