#include "workloads/input_file.hpp"

#include "workloads/json_reader.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fenceline::workloads {
namespace {

/// Documents are read into memory whole; jobs beyond this belong into JSON Lines.
constexpr std::size_t kLargestDocument = std::size_t{1} << 30U;

} // namespace

InputFile::InputFile(const std::string& path)
    : name_(path == "-"    ? "<stdin>"
            : path.empty() ? "''"
                           : path) {
    if (path == "-") {
        fd_ = STDIN_FILENO;
    } else if (path.find('\0') != std::string::npos) {
        fail(ENOENT); // the system would open what stands before the zero byte
    } else {
        fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY); // NOLINT: variadic by POSIX
    }
    struct stat status {};
    if (fd_ < 0 || fstat(fd_, &status) != 0) {
        fail(errno);
    }
    if (S_ISDIR(status.st_mode)) {
        const int fd = fd_;
        fd_ = -1;
        if (fd != STDIN_FILENO) {
            close(fd);
        }
        fail(EISDIR);
    }
    // Where standard input is a file, its start is not ours to go back to.
    regular_ = S_ISREG(status.st_mode) && path != "-";
}

InputFile::~InputFile() {
    if (fd_ > STDIN_FILENO) {
        close(fd_);
    }
}

void InputFile::fail(int error) const {
    throw InputError(name_ + ": cannot be read: " + std::strerror(error));
}

std::size_t InputFile::read(char* to, std::size_t size) {
    for (;;) {
        const ssize_t got = ::read(fd_, to, size);
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR) {
            fail(errno);
        }
    }
}

void InputFile::rewind() {
    if (lseek(fd_, 0, SEEK_SET) != 0) {
        fail(errno);
    }
}

void append_rest(InputFile& file, std::string& text) {
    std::array<char, 1U << 16U> block{};
    while (const std::size_t size = file.read(block.data(), block.size())) {
        text.append(block.data(), size);
        // No JSON text has a zero byte: endless devices end here, and the parser says where.
        if (std::memchr(block.data(), 0, size) != nullptr) {
            return;
        }
        if (text.size() > kLargestDocument) {
            throw InputError(file.name() + ": found more than 1 GiB, expected a smaller document "
                                           "(JSON Lines have no limit)");
        }
    }
}

std::string read_text(const std::string& path) {
    InputFile file(path);
    std::string text;
    append_rest(file, text);
    return text;
}

} // namespace fenceline::workloads
