#include "tools/interrupt.hpp"

#include "tools/command_line.hpp"
#include "tools/output_file.hpp"

#include <utility> // before Boost.Asio 1.74, which uses std::exchange without saying so

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace fenceline::tools {
namespace {

/// Around the loggers, which another thread may be in the middle of.
void say(std::string_view text) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

} // namespace

/// A thread of its own, so that a run that never looks can still be ended.
struct Interrupter::Listener {
    explicit Listener(std::atomic<bool>& requested)
        : requested_(requested), signals_(context_, SIGINT, SIGTERM) {
        listen();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~Listener() {
        context_.stop();
        thread_.join();
    }

    void listen() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) {
                return;
            }
            if (requested_.exchange(true)) {
                remove_unfinished_files();
                say("\nfenceline: ended at once\n");
                _exit(kInterrupted);
            }
            say("\nfenceline: interrupted, ending with partial results (once more: at once)\n");
            listen();
        });
    }

    std::atomic<bool>& requested_;
    boost::asio::io_context context_;
    boost::asio::signal_set signals_;
    std::thread thread_;
};

Interrupter::Interrupter() : listener_(std::make_unique<Listener>(requested_)) {}

Interrupter::~Interrupter() = default;

} // namespace fenceline::tools
