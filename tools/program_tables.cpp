#include "tools/program_tables.hpp"

#include "tools/human.hpp"

namespace fenceline::tools {
namespace {

using workloads::ClientResult;
using workloads::ProgramResult;

std::vector<Cell> pacing_row(const std::string& client, const ProgramResult& program) {
    std::vector<Cell> cells{{client},
                            {human_count(program.iterations)},
                            {human_number(program.iterations_per_second)},
                            {human_count(program.period_misses)}};
    const workloads::LatencySummary& interval = program.interval;
    for (const std::string& time :
         {human_mean(interval.mean), human_mean(program.interval_deviation),
          human_time(interval.p50), human_time(interval.p95), human_time(interval.p99),
          human_time(interval.max)}) {
        cells.push_back({interval.count == 0 ? "-" : time});
    }
    return cells;
}

std::vector<Cell> cycle_row(const std::string& client, const ProgramResult& program) {
    std::vector<Cell> cells{{client},
                            {!program.started ? "not started" : human_time(program.elapsed)},
                            {program.ended ? "yes" : "no"}};
    for (const workloads::Spread* spread : {&program.cycle, &program.latency}) {
        for (const std::string& time :
             {human_time(spread->min), human_mean(spread->mean), human_time(spread->max)}) {
            cells.push_back({program.iterations == 0 ? "-" : time});
        }
    }
    return cells;
}

} // namespace

std::string program_tables(const std::vector<const ClientResult*>& clients, const Style& style) {
    Table pacing({{"client", Align::left, Overflow::cut},
                  {"iterations"},
                  {"/s"},
                  {"periods\nmissed"},
                  {"interval\nmean"},
                  {"st. dev."},
                  {"p50"},
                  {"p95"},
                  {"p99"},
                  {"max"}});
    Table cycles({{"client", Align::left, Overflow::cut},
                  {"elapsed"},
                  {"ended"},
                  {"cycle\nmin"},
                  {"mean"},
                  {"max"},
                  {"latency\nmin"},
                  {"mean"},
                  {"max"}});
    for (const ClientResult* client : clients) {
        if (client->program) {
            pacing.row(pacing_row(client->name, *client->program));
            cycles.row(cycle_row(client->name, *client->program));
        }
    }
    if (pacing.empty()) {
        return {};
    }
    return "\n" + style.paint("Programs", Tone::strong) + "\n" + pacing.text(style) + "\n" +
           cycles.text(style);
}

} // namespace fenceline::tools
