# The tests of the benchmarks: that a job costs no more instructions than the baseline says
# (bench/instructions.json, exact counts of callgrind), and that the scripts read and judge rightly.
find_program(PYTHON3 NAMES python3 REQUIRED)

add_test(NAME bench.scripts COMMAND ${PYTHON3} -m unittest discover -s ${CMAKE_SOURCE_DIR}/tests/bench -p "*_test.py")
set_tests_properties(bench.scripts PROPERTIES ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)

# Sanitizers count themselves.
if(NOT FENCELINE_SANITIZE)
    add_test(NAME bench.instructions
             COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tools/bench_instructions.py check ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(bench.instructions PROPERTIES SKIP_RETURN_CODE 77 LABELS instructions
                         ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
