// What a command throws when its arguments do not go together: exit code 2 and a hint at --help.
#pragma once

#include <stdexcept>

namespace fenceline::tools {

class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace fenceline::tools
