// The two forms in which the model is compiled.
//
// DOC: one model, two forms. The same sources are compiled twice, into two inline namespaces. In
// the `timed` form a primitive is the plain operation and nothing else: that is the form in which
// millions of jobs a second are replayed. In the `instrumented` form every primitive announces what
// it is about to do (Machine::point), modelled functions keep a call chain (Frame), and the heap
// keeps histories: that is the form that explains hazards, and in which interleavings can be
// explored. What both do to the model's state is the same by construction, and tests hold it to
// that.
//
// A file that depends on the form opens its namespace as `fenceline::LAYER::inline FENCELINE_MODE`;
// the build compiles it once with FENCELINE_INSTRUMENTED and once without. Types that results are
// made of (Hazard, LoggedEvent, Config, ...) are common to both.
#pragma once

#if defined(FENCELINE_INSTRUMENTED)
#define FENCELINE_MODE instrumented
#else
#define FENCELINE_MODE timed
#endif

/// Marks a function that every job passes, and that only its own layer calls. Where a layer is
/// compiled in one piece (releases, see CMakeLists.txt) it becomes part of its caller.
#if defined(FENCELINE_ONE_UNIT)
#define FENCELINE_HOT [[gnu::always_inline]] inline
#else
#define FENCELINE_HOT
#endif

namespace fenceline::sim::inline FENCELINE_MODE {

#if defined(FENCELINE_INSTRUMENTED)
inline constexpr bool kInstrumented = true;
#else
inline constexpr bool kInstrumented = false;
#endif

/// Whether each access through a handle is checked. Only a build that measures what the checks cost
/// (FENCELINE_UNCHECKED in CMakeLists.txt) does without: it cannot tell the living from the dead.
#if defined(FENCELINE_UNCHECKED)
inline constexpr bool kChecked = false;
#else
inline constexpr bool kChecked = true;
#endif

} // namespace fenceline::sim::inline FENCELINE_MODE
