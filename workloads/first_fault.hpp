// Documents are read part by part, in the order in which the parts depend on each other, but users
// are told the fault that stands first in the document.
#pragma once

#include "workloads/input_error.hpp"

#include <optional>

namespace fenceline::workloads {

/// Keeps the fault that stands first in the document.
class FirstFault {
  public:
    /// Runs a part and says whether it was sound; a fault of it is kept for later.
    template <typename Part>
    bool run(Part&& part) {
        try {
            part();
            return true;
        } catch (const InputError& error) {
            if (!first_ || error.stands_before(*first_)) {
                first_ = error;
            }
            return false;
        }
    }
    void raise() const {
        if (first_) {
            throw *first_;
        }
    }

  private:
    std::optional<InputError> first_;
};

} // namespace fenceline::workloads
