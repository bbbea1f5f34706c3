// The hazards that only fences know.
#pragma once

#include "sim/hazard.hpp"

namespace fenceline::fences::hazards {

inline constexpr sim::HazardClass double_signal{
    "double-signal", "a fence was signalled again after it had signalled", false,
    "signalled again"};
inline constexpr sim::HazardClass private_escape{
    "private-escape",
    "a private hardware fence reached a place where public fences live on (sync_file, syncobj, "
    "dma_resv)",
    false, "put there"};
inline constexpr sim::HazardClass never_signalled{
    "never-signalled", "a public fence was armed and nothing can signal it any more", false,
    "found"};
inline constexpr sim::HazardClass released_unsignalled{
    "released-unsignalled", "the last reference went while somebody still waited for the fence",
    false, "released"};
inline constexpr sim::HazardClass nested_container{
    "nested-container",
    "a fence array or chain was put where only plain fences belong: operations on it can recurse",
    false, "put there"};
inline constexpr sim::HazardClass slab_in_use{
    "slab-in-use", "a module's slab cache was destroyed while objects of it were alive", true,
    "destroyed"};

inline constexpr sim::HazardClass unsignalled_at_teardown{
    "unsignalled-at-teardown",
    "a driver asserts at teardown that all of its fences have signalled, and one has not", true,
    "found"};
inline constexpr sim::HazardClass stack_overflow{
    "stack-overflow", "modelled functions called each other deeper than a kernel stack holds", true,
    "called"};

} // namespace fenceline::fences::hazards
