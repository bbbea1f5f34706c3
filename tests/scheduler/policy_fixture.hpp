// Lifetime policies for tests: a preset with some rules changed.
#pragma once

#include "fences/lifetime.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string_view>

namespace fenceline::scheduler::testing_support {

/// The preset after `change`, which must leave a policy that can be run.
inline fences::LifetimePolicy policy(std::string_view preset,
                                     const std::function<void(fences::LifetimePolicy&)>& change) {
    fences::LifetimePolicy out = fences::find_preset(preset)->policy;
    change(out);
    EXPECT_FALSE(fences::contradiction(out));
    return out;
}

} // namespace fenceline::scheduler::testing_support
