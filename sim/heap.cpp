#include "sim/heap.hpp"

#include <fmt/format.h>

namespace fenceline::sim::inline FENCELINE_MODE {

void ObjectHistory::born(std::uint64_t key, const void* memory, std::size_t size) {
    lives_[key].born = machine_.here();
    machine_.wanted_born(type_, key, memory, size);
}

void ObjectHistory::died(std::uint64_t key, std::string name) {
    Life& life = lives_[key];
    life.died = machine_.here();
    machine_.wanted_dies(type_, key, name);
    life.name = std::move(name);
}

void ObjectHistory::bad(const HazardClass& kind, std::uint64_t key, std::string_view resource,
                        std::string_view what) {
    const Life life = lives_[key];
    std::string object = life.name.empty() ? std::string(type_) : life.name;
    std::string message = key == 0            ? fmt::format("no {} was ever there", type_)
                          : life.name.empty() ? fmt::format("a {} {}", type_, what)
                                              : fmt::format("{} {}", life.name, what);
    machine_.report({.kind = &kind,
                     .subject = std::string(resource),
                     .object = std::move(object),
                     .message = std::move(message),
                     .allocated = life.born,
                     .freed = life.died,
                     .pool = type_,
                     .key = key});
    throw FatalHazard(); // not reached: these classes are fatal
}

void ObjectHistory::leaked(std::size_t count, std::uint64_t key, std::string name) {
    const Life life = lives_[key];
    std::string message =
        count == 1 ? fmt::format("{} is never freed", name)
                   : fmt::format("{} objects are never freed, the first is {}", count, name);
    machine_.report({.kind = &hazards::leak,
                     .subject = std::string(type_),
                     .object = std::move(name),
                     .message = std::move(message),
                     .allocated = life.born,
                     .freed = life.died,
                     .pool = type_,
                     .key = key});
}

} // namespace fenceline::sim::inline FENCELINE_MODE
