#include "workloads/input_file.hpp"

#include "workloads/json_reader.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace fenceline::workloads {
namespace {

/// Documents are read into memory whole; jobs beyond this belong into JSON Lines.
constexpr std::size_t kLargestDocument = std::size_t{1} << 30U;

/// How a file begins that zstd has compressed.
constexpr std::string_view kZstdMark = "\x28\xB5\x2F\xFD";

/// Whether it begins so, or could, as far as it is known.
bool may_be_compressed(const char* begin, std::size_t size) {
    const std::size_t common = std::min(size, kZstdMark.size());
    return kZstdMark.substr(0, common) == std::string_view(begin, common);
}

} // namespace

/// What zstd has compressed, piece by piece.
class InputFile::Decoder {
  public:
    Decoder(InputFile& file, const char* begin, std::size_t size)
        : file_(file), context_(ZSTD_createDCtx(), &ZSTD_freeDCtx),
          raw_(begin, begin + size), in_{raw_.data(), size, 0} {
        if (context_ == nullptr) {
            file_.fail(ENOMEM);
        }
    }

    std::size_t read(char* to, std::size_t size) {
        for (;;) {
            if (in_.pos == in_.size && !more_ && !refill()) {
                return 0;
            }
            ZSTD_outBuffer out{to, size, 0};
            const std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in_);
            if (ZSTD_isError(hint) != 0) {
                file_.fail(std::string("its compressed data are damaged (") +
                           ZSTD_getErrorName(hint) + ")");
            }
            whole_ = hint == 0;
            more_ = !whole_ && out.pos == out.size;
            if (out.pos != 0) {
                return out.pos;
            }
        }
    }

  private:
    bool refill() {
        raw_.resize(ZSTD_DStreamInSize());
        in_ = {raw_.data(), file_.read_raw(raw_.data(), raw_.size()), 0};
        if (in_.size == 0 && !whole_ && !file_.stopped_) {
            file_.fail("its compressed data end too early");
        }
        return in_.size != 0;
    }

    InputFile& file_;
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
    std::vector<char> raw_;
    ZSTD_inBuffer in_;
    bool whole_ = false; ///< a frame has just ended
    bool more_ = false;  ///< there may be output without more input
};

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
    if (wake_fd_ >= 0) {
        close(wake_fd_);
    }
    if (fd_ > STDIN_FILENO) {
        close(fd_);
    }
}

void InputFile::fail(int error) const {
    fail(std::strerror(error));
}

void InputFile::fail(std::string_view reason) const {
    throw InputError(name_ + ": cannot be read: " + std::string(reason));
}

std::size_t InputFile::read(char* to, std::size_t size) {
    if (decoder_ != nullptr) {
        return decoder_->read(to, size);
    }
    std::size_t got = read_raw(to, size);
    if (begun_) [[likely]] {
        return got;
    }
    // A pipe may give the first bytes one by one.
    while (got != 0 && got < kZstdMark.size() && may_be_compressed(to, got)) {
        const std::size_t more = read_raw(to + got, size - got);
        if (more == 0) {
            break;
        }
        got += more;
    }
    begun_ = true;
    if (got < kZstdMark.size() || !may_be_compressed(to, got)) {
        return got;
    }
    decoder_ = std::make_unique<Decoder>(*this, to, got);
    return decoder_->read(to, size);
}

std::size_t InputFile::read_raw(char* to, std::size_t size) {
    for (;;) {
        if (!wait()) {
            return 0;
        }
        const ssize_t got = ::read(fd_, to, size);
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR) {
            fail(errno);
        }
    }
}

bool InputFile::wait() {
    if (wake_fd_ >= 0 && !regular_) {
        std::array<pollfd, 2> fds{{{fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
        while (poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
        }
    }
    return !stopped_;
}

bool InputFile::can_stop() {
    if (wake_fd_ < 0) {
        wake_fd_ = eventfd(0, EFD_CLOEXEC);
    }
    return wake_fd_ >= 0;
}

void InputFile::stop() {
    stopped_ = true;
    if (wake_fd_ >= 0) {
        (void)eventfd_write(wake_fd_, 1);
    }
}

void InputFile::rewind() {
    if (lseek(fd_, 0, SEEK_SET) != 0) {
        fail(errno);
    }
    decoder_.reset();
    begun_ = false;
    stopped_ = false;
}

std::string_view without_compression(std::string_view path) {
    constexpr std::string_view kEnding = ".zst";
    if (path.ends_with(kEnding)) {
        path.remove_suffix(kEnding.size());
    }
    return path;
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
