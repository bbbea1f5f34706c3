// The document type of the readers and writers: JSON whose objects keep the order of their keys.
#pragma once

#include <nlohmann/json.hpp>

namespace fenceline::workloads {

using Json = nlohmann::ordered_json;

} // namespace fenceline::workloads
