// A closed-loop client at work: its program, executed step by step in a task of its own.
//
// DOC: the life of a program. start() runs it in a task on a fiber, so that a step that blocks is an
// ordinary call. run() goes through the program by a stack of levels, one for the program itself and
// one for each loop that it is in: each knows its steps, the next of them, and how many rounds are
// left. A step is one function (client_steps.cpp). The program ends by itself, by an `exit` step, or
// because stop() interrupts it wherever it waits; either way its labels are let go of then. Names
// that it has exported or imported stay open, as the files of an idle process do, until the client
// exits or the run ends.
//
// Invariant: what a stopped program was waiting for does not know of it any more, and it takes no
// step after stop().
//
// Ownership: a label is one reference to the public fence of the latest job that carries it
// (Holder::workload), let go of when the label is bound anew or closed. Refers to the machine, the
// fences and its host, which outlive it.
#pragma once

#include "fences/container.hpp"
#include "scheduler/objects.hpp"
#include "sim/machine.hpp"
#include "sim/random.hpp"
#include "workloads/client_record.hpp"
#include "workloads/shared_names.hpp"
#include "workloads/workload.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fenceline::workloads::inline FENCELINE_MODE {

/// A job that a program submits.
struct ProgramJob {
    const SubmitStep& step;
    sim::Time duration;
    std::span<const fences::FenceRef> after; ///< borrowed
    bool want_fence;
};

/// What a label stands for.
struct Label {
    fences::FenceRef fence; ///< the public one, a reference; null: closed, or the submit failed
    scheduler::JobRef job;  ///< may be gone
};

/// What a program needs of the run that it is part of.
class ClientHost {
  public:
    virtual ~ClientHost() = default;
    /// A driver's submit ioctl. The label's fence is null unless wanted.
    virtual Label submit(const ProgramJob& job) = 0;
    /// A reference to what a job that comes after this one depends on; null when that has signalled
    /// and is gone. REQUIRES: the label is bound and open.
    virtual fences::FenceRef dependency_on(const Label& label) = 0;
    virtual void terminate_job(scheduler::JobRef job) = 0;
    virtual void set_priority(std::uint32_t entity, scheduler::Priority priority) = 0;
    /// Ends the client's entities, in order. May block.
    virtual void end_entities(const std::string& client, ExitKind how) = 0;
    virtual void export_fence(OpenNames& own, ExportTo to, const std::string& name,
                              fences::FenceRef fence) = 0;
    /// "driver 'd', timeline 't', status 1".
    virtual std::string describe_status(fences::FenceRef fence) = 0;
    /// What SYNC_IOC_FILE_INFO tells of what is open under the name, in the same form.
    virtual std::string query_name(const std::string& name) = 0;
    virtual void observe_step(const std::string& client, const std::string& text) = 0;
    /// The program has ended, by whatever means.
    virtual void program_ended() = 0;
};

class ClientProgram {
  public:
    struct Surroundings {
        sim::Machine& machine;
        fences::FenceCore& core;
        fences::Containers& containers;
        SharedNames& names;
        ClientHost& host;
        sim::Time submit_cost;
        std::uint64_t seed;
    };

    ClientProgram(const ClientSpec& spec, const Surroundings& around);
    ClientProgram(const ClientProgram&) = delete;
    ClientProgram& operator=(const ClientProgram&) = delete;

    /// Runs the program, now, in a task of its own. Does nothing after stop().
    void start();
    /// Ends the program: where it waits it gives up, which takes a place. One that is ending
    /// already, perhaps waiting for its queues, is left to it. At the end of the run a program is
    /// cut short, which is no end of its own.
    void stop(bool cut_short);
    /// Closes what it has exported and imported. REQUIRES: it takes no more steps.
    void close_names() { around_.names.close_all(open_); }

    [[nodiscard]] const ClientSpec& spec() const { return spec_; }
    [[nodiscard]] bool ended() const { return state_ == State::ended; }
    /// What it waits for, if nothing will ever wake it; empty when it does not wait.
    [[nodiscard]] std::string waiting_text() const;
    [[nodiscard]] const ClientRecord& record() const { return record_; }
    /// Enters the references of the program into a snapshot (holders.cpp).
    void enumerate(fences::SnapshotBuilder& out);

  private:
    enum class State : std::uint8_t { to_start, running, exiting, ended };
    struct Level {
        const std::vector<Step>* steps;
        std::size_t next;
        std::uint64_t left; ///< rounds, the present one included; kRepeatForever
        sim::Time since;    ///< when the present round began
    };

    // client_program.cpp
    void run();
    void advance();
    void end_round();
    void check_progress();
    void end();
    void release_labels();
    void sleep_until(sim::Time when);
    [[nodiscard]] sim::Time now() const { return around_.machine.now(); }

    // client_steps.cpp: one function a step
    void perform(const SubmitStep& step);
    void perform(const WaitStep& step);
    void perform(const SleepStep& step);
    void perform(const PeriodStep& step);
    void perform(const LoopStep& step);
    void perform(const ExportStep& step);
    void perform(const ImportStep& step);
    void perform(const QueryStep& step);
    void perform(const PollStep& step);
    void perform(const CloseStep& step);
    void perform(const TerminateStep& step);
    void perform(const SetPriorityStep& step);
    void perform(const SetDeadlineStep& step);
    void perform(const ExitStep& step);
    void submit_one(const SubmitStep& step, bool labelled);
    [[nodiscard]] Label* find_label(const std::string& fence);
    [[nodiscard]] fences::FenceRef take_fence(const std::string& fence);
    [[nodiscard]] fences::FenceRef take_dependency(const std::string& fence);
    void observe(const std::string& step, const std::string& fence, const std::string& text);

    const ClientSpec& spec_;
    Surroundings around_;
    sim::Random random_;
    State state_ = State::to_start;
    sim::Context* task_ = nullptr; ///< while it runs
    std::vector<Level> levels_;
    std::map<std::string, Label, std::less<>> labels_;
    OpenNames open_;
    std::vector<fences::FenceRef> after_; ///< kept for its capacity
    fences::FenceRef waited_for_;         ///< while it waits for a fence
    std::uint64_t timeless_rounds_ = 0;   ///< in a row, without time passing
    bool cut_short_ = false;
    ClientRecord record_;
};

} // namespace fenceline::workloads::inline FENCELINE_MODE
