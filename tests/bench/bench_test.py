"""What the scripts of tools/bench make of results: parsing, tables, and the verdict on instructions."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))

import bench_instructions
import bench_measure
import bench_tables

INFO = {"compiler": "GNU 12.2.0", "flags": "-O3 -DNDEBUG", "processor": "x86_64"}


class Verdict(unittest.TestCase):
    def test_three_percent_more_is_allowed_and_anything_beyond_is_not(self):
        _, worse, better = bench_instructions.judge({"a": 1000.0, "b": 1000.0}, {"a": 1030.0, "b": 1031.0})
        self.assertEqual((worse, better), (["b"], []))

    def test_an_improvement_is_no_error_and_is_named(self):
        lines, worse, better = bench_instructions.judge({"a": 1000.0}, {"a": 900.0})
        self.assertEqual((worse, better), ([], ["a"]))
        self.assertEqual(lines, ["a: 900 instructions a job, baseline 1,000 (-10.0 %), better"])

    def test_a_workload_on_one_side_only_is_an_error(self):
        _, worse, _ = bench_instructions.judge({"a": 1.0, "gone": 1.0}, {"a": 1.0, "new": 1.0})
        self.assertEqual(worse, ["gone", "new"])


class Check(unittest.TestCase):
    """The check as the tests run it, with made-up counts."""

    def check(self, counted, info=INFO, valgrind="/usr/bin/valgrind"):
        with tempfile.TemporaryDirectory() as directory:
            build = pathlib.Path(directory)
            (build / "build_info.json").write_text(json.dumps(info))
            baseline = build / "instructions.json"
            baseline.write_text(json.dumps(INFO | {"instructions_per_job": {"a": 1000.0}}))
            output = io.StringIO()
            with mock.patch.object(bench_instructions, "BASELINE", baseline), \
                    mock.patch.object(bench_instructions, "measure", lambda build: {"a": counted}), \
                    mock.patch.object(bench_instructions.shutil, "which", lambda program: valgrind), \
                    contextlib.redirect_stdout(output):
                return bench_instructions.check(build), output.getvalue()

    def test_a_regression_fails_and_says_how_to_move_the_baseline(self):
        code, text = self.check(1100.0)
        self.assertEqual(code, 1)
        self.assertIn("+10.0 %), TOO MANY", text)
        self.assertIn("tools/bench --move-baseline", text)

    def test_an_improvement_passes_and_says_so(self):
        code, text = self.check(500.0)
        self.assertEqual(code, 0)
        self.assertIn("Better than the baseline", text)

    def test_the_same_cost_passes_without_advice(self):
        code, text = self.check(1001.0)
        self.assertEqual(code, 0)
        self.assertNotIn("--move-baseline", text)

    def test_another_compiler_is_skipped_and_named(self):
        code, text = self.check(5000.0, INFO | {"compiler": "GNU 13.1.0"})
        self.assertEqual(code, bench_instructions.SKIPPED)
        self.assertIn("does not apply: the baseline is for compiler 'GNU 12.2.0', this is 'GNU 13.1.0'", text)

    def test_other_flags_are_skipped(self):
        self.assertEqual(self.check(5000.0, INFO | {"flags": "-g"})[0], bench_instructions.SKIPPED)

    def test_without_valgrind_it_is_skipped_and_says_so(self):
        code, text = self.check(5000.0, valgrind=None)
        self.assertEqual(code, bench_instructions.SKIPPED)
        self.assertIn("valgrind", text)


class Counting(unittest.TestCase):
    def test_the_count_is_read_from_what_callgrind_prints(self):
        text = "==7== Events    : Ir\n==7== Collected : 81678892\n==7== \n==7== I   refs:      81,678,892\n"
        self.assertEqual(bench_instructions.parse_count(text), 81678892)

    def test_no_count_is_a_failure(self):
        with self.assertRaises(bench_instructions.Failure):
            bench_instructions.parse_count("==7== killed\n")

    def test_a_job_costs_the_difference_of_two_lengths(self):
        def counts(command):
            return 1_000_000 + 50 * int(command[1])  # starting up costs a million
        with mock.patch.object(bench_instructions, "count_instructions", counts):
            cost = bench_instructions.per_job(pathlib.Path("."), 100, 300, ["4", "fifo"])
        self.assertEqual(cost, 50)

    def test_a_program_that_fails_is_a_failure(self):
        result = mock.Mock(returncode=1, stderr="==7== Collected : 5\n")
        with mock.patch.object(bench_instructions.subprocess, "run", lambda *a, **k: result), \
                self.assertRaises(bench_instructions.Failure):
            bench_instructions.count_instructions(["program"])


class Reading(unittest.TestCase):
    def test_throughput_lines(self):
        text = ("entities  policy  kernel (jobs/s)  fenceline (jobs/s)   ratio\n"
                "       4  fifo             3900000           2900000    0.74\n"
                "    1024  rr                110000           2300000   20.91\n")
        self.assertEqual(bench_measure.parse_throughput(text),
                         [(4, "fifo", 3.9e6, 2.9e6, 0.74), (1024, "rr", 1.1e5, 2.3e6, 20.91)])

    def test_runs_are_collected_under_nested_keys(self):
        results = {}
        bench_measure.add(results, 1.5, "queue", "Fenceline", 1000)
        bench_measure.add(results, 2.5, "queue", "Fenceline", 1000)
        self.assertEqual(results, {"queue": {"Fenceline": {"1000": [1.5, 2.5]}}})

    def test_a_program_reads_what_another_writes(self):
        self.assertEqual(bench_measure.run_fed(["echo", "text"], ["cat"]), "text\n")

    def test_a_producer_or_a_consumer_that_fails_ends_the_run(self):
        for producer, consumer in ((["sh", "-c", "exit 3"], ["cat"]), (["echo"], ["sh", "-c", "cat; exit 4"])):
            with self.assertRaisesRegex(SystemExit, "failed"):
                bench_measure.run_fed(producer, consumer)

    def test_a_program_that_fails_ends_the_run(self):
        with self.assertRaises(SystemExit) as raised:
            bench_measure.run("sh", "-c", "echo reason >&2; exit 3")
        self.assertIn("reason", str(raised.exception))


class Comparing(unittest.TestCase):
    def setUp(self):
        nowhere = pathlib.Path("nowhere")
        self.bench = bench_measure.Bench(nowhere, nowhere, quick=False)
        self.bench.simulators = {"ours": (["ours"], [], False), "other": (["other"], ["variant"], False)}

    def test_simulators_that_come_to_the_same_end_may_be_compared(self):
        with mock.patch.object(bench_measure, "run", lambda *command: '{"end": 7}'):
            self.bench.same_work()

    def test_simulators_that_do_other_work_are_not_compared(self):
        ends = {"ours": 7, "other": 8}
        with mock.patch.object(bench_measure, "run", lambda program, *rest: json.dumps({"end": ends[program]})), \
                self.assertRaisesRegex(SystemExit, "do not do the same work"):
            self.bench.same_work()

    def test_rounds_end_when_time_is_up(self):
        clock = iter([0, 0, 70, 130])
        with mock.patch.object(bench_measure.time, "monotonic", lambda: next(clock)), \
                mock.patch.object(bench_measure, "say", lambda text: None):
            self.assertEqual(list(self.bench.rounds("what", 100)), [0, 1])


RESULTS = {
    "quick": True,
    "machine": {"cpu": "A processor", "cores": 2, "memory_gib": 16, "compiler": "GNU 12.2.0, -O3",
                "kernel": "6.1", "load": 0.1, "minutes": 17.5, "date": "2025-01-01", "others": {"ns-3": "3.37"}},
    "queue": {"Fenceline": {"1000": [20, 90, 22], "100000": [30]}, "other": {"1000": [44]}},
    "queue_bytes": {"100000": [19.2]},
    "distributions": {"exponential": {"1000": [20]}, "equal": {"1000": [10]}},
    "engine": {"Fenceline": {"1000": [40]}, "SystemC": {"1000": [400]}},
    "engine_bytes": {"Fenceline": {"1000": [8000], "100000": [100]}, "SystemC": {"1000": [12000]}},
    "network": {"Fenceline": [50], "simpy": [5000]},
    "kernel": {"fifo": {"4": {"kernel": [1e6, 1e6, 5e5], "ours": [4e6, 2e6, 2e6], "ratio": [4, 2, 4]},
                        "64": {"kernel": [1e6], "ours": [2e6], "ratio": [2]},
                        "1024": {"kernel": [1e5], "ours": [4e6], "ratio": [40]}}},
    "replay": {"100000": {"fifo": {"plain": {"4": [2e6, 3e6]}, "unchecked": {"4": [4e6]}}}},
    "replay_peak_kb": {jobs: {"fifo": {"plain": {"4": [4096]}, "timeouts": {"4": [peak]}}}
                       for jobs, peak in (("100000", 4096), ("1000000", 8192))},
    "contexts": {"fiber_life": [35.0]},
    "parse": {f"{parser}_{kind}": [rate] for parser, rate in (("ours", 600), ("simdjson", 1200), ("nlohmann", 50))
              for kind in ("plain", "after")},
    "files": {"100000": {"jobs_per_second": [1e6], "peak_kb": [5000]},
              "1000000": {"jobs_per_second": [1e6], "peak_kb": [9000]}},
    "long": {"4 entities": {"1000000": 8000, "100000000": 8100},
             "64 entities, JSON Lines from a pipe": {"1000000": 8000, "100000000": 8900}},
    "memory": {"job in flight": 250.0, "timer of the engine": 80.0, "entry of the queue": 19.0},
    "instructions": {"fifo, 4 entities": 1200.0},
    "flat": {"4": {"100000": 1000.0, "10000000": 1050.0}, "4096": {"100000": 1010.0, "10000000": 1290.0}},
}


class Tables(unittest.TestCase):
    def setUp(self):
        self.tables = bench_tables.all_tables(RESULTS)

    def test_cells_are_medians_and_others_have_their_ratio_to_ours(self):
        self.assertEqual(self.tables["queue"][0], "| pending | 1,000 | 100,000 |")
        self.assertEqual(self.tables["queue"][2:], ["| Fenceline | **22** | **30** |", "| other | 44 (×2) | - |"])
        self.assertIn("| simpy | 5,000 | 100 |", self.tables["network"])
        self.assertIn("| nlohmann's DOM, one field read | 50 (×0.0833) | 50 (×0.0833) |", self.tables["parse"])

    def test_memory_is_compared_at_a_size_that_all_have(self):
        self.assertIn("| SystemC | 12,000 | 1.5 |", self.tables["engine-memory"])

    def test_distributions_are_beside_smooth_times(self):
        self.assertEqual(self.tables["distributions"][2:], ["| exponential | **20** |", "| equal | 10 (×0.5) |"])

    def test_variants_of_a_replay_are_beside_the_plain_one(self):
        self.assertIn("| 4.00 (×1.6) |", self.tables["replay"][-1])

    def test_peaks_of_all_lengths_stand_side_by_side(self):
        peaks = self.tables["peaks"]
        self.assertEqual(peaks[0], "| MiB | 100,000 jobs | 1,000,000 jobs | 100,000,000 jobs | longest : shortest |")
        self.assertIn("| 4 entities | - | 7.8 | 7.9 | 1.01 |", peaks)
        self.assertIn("| 4 entities, timeouts | 4.0 | 8.0 | - | 2.00 |", peaks)

    def test_parts_are_beside_a_job_and_counts_beside_the_first(self):
        self.assertEqual(self.tables["contexts"][0], "|  | ns | of a job (400 ns) |")
        self.assertIn("| 35 | 0.0875 |", self.tables["contexts"][2])
        self.assertIn("| fifo, 4 entities, over 100,000 jobs | 1,000 | 0.833 |", self.tables["instructions"])

    def test_the_ratio_to_the_kernel_is_the_programs_own(self):
        self.assertIn("| 4 | fifo | 1,000,000 | 2,000,000 | 4 |", self.tables["kernel"])

    def test_marks_are_judged(self):
        verdict = {what: reached for what, _, _, _, reached in bench_tables.marks(RESULTS)}
        self.assertEqual(verdict, {
            "replay beside the kernel's own code, 4 entities, fifo": True,
            "replay beside the kernel's own code, 64 entities, fifo": False,
            "replay beside the kernel's own code, 1,024 entities, fifo": False,
            "instructions a job, all checks on": False,
            "instructions a job at 4 and 4,096 entities, 100,000 jobs": True,
            "instructions a job at 4 and 4,096 entities, 10,000,000 jobs": False,
            "instructions a job over 100,000 and 10,000,000 jobs, 4 entities": True,
            "instructions a job over 100,000 and 10,000,000 jobs, 4,096 entities": False,
            "event queue, HOLD with 100,000 pending": True,
            "memory per pending event": True,
            "JSON Lines read and checked into jobs": True,
            "memory per job in flight": True,
            "peak of memory, 100,000,000 jobs beside 1,000,000: 4 entities": True,
            "peak of memory, 100,000,000 jobs beside 1,000,000: 64 entities, JSON Lines from a pipe": False,
            "peak of memory, 1,000,000 jobs beside 100,000: 4 entities, timeouts": False,
            "peak of memory, 1,000,000 jobs beside 100,000: 64 entities, JSON Lines from a file": False,
        })

    def test_a_mark_says_what_was_measured_and_how_far_from_it(self):
        rows = self.tables["marks"]
        self.assertIn("| instructions a job, all checks on | at most 1,000 | 1,200 | 1.20 | **not reached** |", rows)
        self.assertIn("| event queue, HOLD with 100,000 pending | at most 80 ns | 30 ns | 0.38 | reached |", rows)
        self.assertIn("| instructions a job over 100,000 and 10,000,000 jobs, 4 entities | within 10 % | +5.0 % | 1.05 "
                      "| reached |", rows)

    def test_every_row_has_as_many_cells_as_its_head(self):
        for name, rows in self.tables.items():
            self.assertEqual({row.count("|") for row in rows}, {rows[0].count("|")}, name)

    def test_a_quick_run_says_so(self):
        self.assertIn("--quick", "\n".join(self.tables["machine"]))

    def test_without_the_kernels_source_there_are_no_such_marks(self):
        results = {key: value for key, value in RESULTS.items() if key != "kernel"}
        self.assertIn("was not there", bench_tables.all_tables(results)["kernel"][0])
        self.assertFalse([what for what, *_ in bench_tables.marks(results) if "kernel" in what])


class Document(unittest.TestCase):
    def test_tables_replace_what_stood_between_their_markers(self):
        text = "before\n<!-- a -->\nold\n<!-- /a -->\nafter\n"
        written = bench_tables.write_tables(text, {"a": ["new", r"\1"]})
        self.assertEqual(written, "before\n<!-- a -->\nnew\n\\1\n<!-- /a -->\nafter\n")

    def test_a_missing_place_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "found 0 places for the table 'b', expected 1"):
            bench_tables.write_tables("<!-- a -->\n<!-- /a -->\n", {"b": []})

    def test_the_page_has_a_place_for_every_table(self):
        page = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/performance.md"
        bench_tables.write_tables(page.read_text(), bench_tables.all_tables(RESULTS))


class Numbers(unittest.TestCase):
    def test_three_digits(self):
        self.assertEqual([bench_tables.number(v) for v in (0.74, 19.2, 412.7, 4831.2, 2_813_377)],
                         ["0.74", "19.2", "413", "4,830", "2,810,000"])


if __name__ == "__main__":
    unittest.main()
