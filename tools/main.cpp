// The entry of the program. Everything it does is in the library behind run_command_line().
#include "tools/command_line.hpp"

int main(int argc, char** argv) {
    return fenceline::tools::run_command_line(argc, argv);
}
