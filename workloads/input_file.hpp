// A file that is read once from front to back: regular, pipe, or standard input (`-`).
//
// Every failure is an InputError that names the file. It owns the descriptor (standard input stays
// open).
#pragma once

#include <cstddef>
#include <string>

namespace fenceline::workloads {

class InputFile {
  public:
    explicit InputFile(const std::string& path);
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile();

    /// Up to `size` bytes; 0 at the end.
    [[nodiscard]] std::size_t read(char* to, std::size_t size);
    /// Whether it can be read again from the start.
    [[nodiscard]] bool rewindable() const { return regular_; }
    void rewind();
    /// What messages call it.
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    [[noreturn]] void fail(int error) const;

    std::string name_;
    int fd_ = -1;
    bool regular_ = false;
};

/// Appends what is left of the file, up to the largest size of a document.
void append_rest(InputFile& file, std::string& text);

/// The whole file.
[[nodiscard]] std::string read_text(const std::string& path);

} // namespace fenceline::workloads
