// The program under test as users meet it: arguments in, two streams and an exit code out.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fenceline::tools::testing {

struct Outcome {
    int code = -1; ///< exit code; 1000 + N: ended by signal N
    std::string out;
    std::string err;
};

/// A started program. Both streams are read by finish().
class Program {
  public:
    explicit Program(const std::vector<std::string>& arguments,
                     const std::string& in = "/dev/null") {
        std::vector<std::string> all{FENCELINE_PROGRAM};
        all.insert(all.end(), arguments.begin(), arguments.end());
        std::vector<char*> argv;
        for (std::string& argument : all) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        if (pipe(out_.data()) != 0 || pipe(err_.data()) != 0) {
            std::abort();
        }
        pid_ = fork();
        if (pid_ == 0) {
            dup2(open(in.c_str(), O_RDONLY), STDIN_FILENO);
            dup2(out_[1], STDOUT_FILENO);
            dup2(err_[1], STDERR_FILENO);
            for (const int fd : {out_[0], out_[1], err_[0], err_[1]}) {
                close(fd);
            }
            execv(argv.front(), argv.data());
            _exit(127);
        }
        close(out_[1]);
        close(err_[1]);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        close_output();
        close(err_[0]);
    }

    void send(int signal) const { kill(pid_, signal); }
    /// Nobody reads standard output any more.
    void close_output() {
        if (out_[0] >= 0) {
            close(out_[0]);
            out_[0] = -1;
        }
    }
    /// Reads standard error until it contains the text.
    void wait_for_error_text(const std::string& text) {
        char block[256];
        while (outcome_.err.find(text) == std::string::npos) {
            const ssize_t size = read(err_[0], block, sizeof block);
            if (size <= 0) {
                return;
            }
            outcome_.err.append(block, static_cast<std::size_t>(size));
        }
    }

    Outcome finish() {
        std::array<pollfd, 2> streams{{{out_[0], POLLIN, 0}, {err_[0], POLLIN, 0}}};
        while (streams[0].fd >= 0 || streams[1].fd >= 0) {
            if (poll(streams.data(), streams.size(), -1) < 0 && errno != EINTR) {
                break;
            }
            drain(streams[0], outcome_.out);
            drain(streams[1], outcome_.err);
        }
        int status = 0;
        waitpid(pid_, &status, 0);
        outcome_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        return outcome_;
    }

  private:
    static void drain(pollfd& stream, std::string& to) {
        if (stream.fd < 0 || stream.revents == 0) {
            return;
        }
        char block[4096];
        const ssize_t size = read(stream.fd, block, sizeof block);
        if (size > 0) {
            to.append(block, static_cast<std::size_t>(size));
        } else {
            stream.fd = -1;
        }
    }

    std::array<int, 2> out_{-1, -1};
    std::array<int, 2> err_{-1, -1};
    pid_t pid_ = -1;
    Outcome outcome_;
};

inline Outcome run_program(const std::vector<std::string>& arguments,
                           const std::string& in = "/dev/null") {
    return Program(arguments, in).finish();
}

} // namespace fenceline::tools::testing
