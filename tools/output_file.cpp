#include "tools/output_file.hpp"

#include "workloads/input_error.hpp"
#include "workloads/input_file.hpp"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <new>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace fenceline::tools {
namespace {

/// Files that exist and are not complete. Only for remove_unfinished_files(): a process that is
/// told to end at once runs no destructors.
struct Unfinished {
    std::mutex mutex;
    std::vector<std::string> paths;
};
Unfinished& unfinished() {
    static auto* const list = new Unfinished; // never destroyed: threads may outlive statics
    return *list;
}

void remember(const std::string& path) {
    const std::lock_guard guard(unfinished().mutex);
    unfinished().paths.push_back(path);
}

void forget(const std::string& path) {
    const std::lock_guard guard(unfinished().mutex);
    std::erase(unfinished().paths, path);
}

/// The path with links followed, where it exists.
std::string follow_links(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real == nullptr ? path : std::string(real.get());
}

} // namespace

OutputError::OutputError(std::string_view file, int error)
    : std::runtime_error((file.empty() ? std::string("''") : workloads::printable(file)) +
                         ": cannot be written: " + std::strerror(error)) {}

struct OutputFile::Encoder {
    Encoder() : context(ZSTD_createCCtx(), &ZSTD_freeCCtx), out(ZSTD_CStreamOutSize()) {
        if (context == nullptr) {
            throw std::bad_alloc();
        }
        // The fastest level: event logs shrink to a tenth, and are written as fast as they come.
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 1);
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
        // Where zstd was built without threads it refuses, and does without.
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_nbWorkers, 1);
    }

    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context;
    std::vector<char> out;
};

OutputFile::OutputFile(const std::string& path) : name_(path == "-" ? "standard output" : path) {
    if (workloads::without_compression(path) != path) {
        encoder_ = std::make_unique<Encoder>();
    }
    if (path == "-") {
        fd_ = STDOUT_FILENO;
        return;
    }
    if (path.empty()) {
        throw OutputError(name_, ENOENT);
    }
    struct stat status {};
    const bool exists = stat(path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        throw OutputError(name_, EISDIR);
    }
    if (exists && !S_ISREG(status.st_mode)) {
        fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY); // NOLINT: variadic by POSIX
        if (fd_ < 0) {
            throw OutputError(name_, errno);
        }
        return;
    }
    // Replacing a file needs no right to write to it; who took that right away meant it.
    if (exists && access(path.c_str(), W_OK) != 0) {
        throw OutputError(name_, errno);
    }
    target_ = exists ? follow_links(path) : path;
    open_beside();
    if (exists) {
        (void)fchmod(fd_, status.st_mode & 07777U);
    }
}

void OutputFile::open_beside() {
    constexpr int kAttempts = 100;
    for (int i = 0; i < kAttempts; ++i) {
        temporary_ = target_ + ".part-" + std::to_string(getpid()) + "-" + std::to_string(i);
        // NOLINTNEXTLINE: variadic by POSIX
        fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd_ >= 0) {
            remember(temporary_);
            return;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    const int error = errno;
    temporary_.clear();
    throw OutputError(name_, error);
}

OutputFile::~OutputFile() {
    discard();
}

void OutputFile::discard() noexcept {
    if (fd_ >= 0 && fd_ != STDOUT_FILENO) {
        close(fd_);
    }
    fd_ = -1;
    if (!temporary_.empty()) {
        unlink(temporary_.c_str());
        forget(temporary_);
        temporary_.clear();
    }
}

void OutputFile::write_raw(std::string_view bytes) {
    while (!bytes.empty() && !reader_gone_) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            reader_gone_ = true;
        } else if (errno != EINTR) {
            throw OutputError(name_, errno);
        }
    }
}

void OutputFile::write_compressed(std::string_view text, bool end) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (bool more = true; more && !reader_gone_;) {
        ZSTD_outBuffer out{encoder_->out.data(), encoder_->out.size(), 0};
        const std::size_t left = ZSTD_compressStream2(encoder_->context.get(), &out, &in,
                                                      end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left) != 0) {
            throw OutputError(name_, ENOMEM); // there is no other reason for it to fail
        }
        write_raw({encoder_->out.data(), out.pos});
        more = end ? left != 0 : in.pos != in.size;
    }
}

void OutputFile::commit() {
    if (encoder_ != nullptr) {
        write_compressed({}, true);
    }
    const int fd = fd_;
    fd_ = -1;
    if (fd != STDOUT_FILENO && close(fd) != 0) {
        const int error = errno;
        discard();
        throw OutputError(name_, error);
    }
    if (temporary_.empty()) {
        return;
    }
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int error = errno;
        discard();
        throw OutputError(name_, error);
    }
    forget(temporary_);
    temporary_.clear();
}

void write_standard_output(std::string_view text) {
    OutputFile out("-");
    out.write(text);
    out.commit();
}

void remove_unfinished_files() noexcept {
    const std::lock_guard guard(unfinished().mutex);
    for (const std::string& path : unfinished().paths) {
        unlink(path.c_str());
    }
}

} // namespace fenceline::tools
