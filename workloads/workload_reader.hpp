// The parts of the workload reader and what they share. Not for use outside the reader.
//
// A document is read in this order, because later parts name what earlier ones define: entities (of
// the document, then of the clients), listed jobs, programs, actions. Each part reports its first
// fault; read_document() throws the one that stands first in the document.
#pragma once

#include "workloads/json_reader.hpp"
#include "workloads/name_table.hpp"
#include "workloads/workload.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fenceline::workloads {

/// What is known so far while a document is read.
struct Reading {
    Workload workload;
    NameTable entities; ///< by id, the same indices as workload.entities
    NameTable rings;    ///< by name, the same indices as workload.rings will have
    NameTable clients;  ///< every name that some entity or client gives as a client
    NameTable exports;  ///< every exported name, of actions and programs alike
    std::set<std::string, std::less<>> exporters; ///< names whose exporter has been read
    /// Of those, what actions export to; several actions may add to one place.
    std::map<std::string, ExportTo, std::less<>> action_exports;
};

/// Reads the listed jobs (of a document in memory); called when the entities are known.
using ReadJobs = FunctionRef<void(const Cursor& jobs, Reading& reading)>;

/// Reads a whole document. With `streamed` it is the first line of JSON Lines and has no jobs.
[[nodiscard]] Reading read_document(const Json& document, const Source& source, bool streamed,
                                    ReadJobs read_jobs);

// The parts.

void read_entities(const Cursor& list, Reading& reading);
/// First pass: names, entities, start and repeat. Second: programs.
void read_clients(const Cursor& list, Reading& reading);
void read_programs(const Cursor& list, Reading& reading);
void read_actions(const Cursor& list, Reading& reading);

/// One entity, of the document or (with a name) of a client.
void read_entity_spec(const Cursor& entity, std::string_view client, Reading& reading);
/// A list of at least one ring, without duplicates.
[[nodiscard]] std::vector<std::uint32_t> read_rings(const Cursor& list, Reading& reading);
/// Takes note of an exported name; a second exporter is a fault.
[[nodiscard]] const std::string& read_exporter(const Cursor& name, Reading& reading);
/// Checks that somebody exports the name.
[[nodiscard]] const std::string& read_exported(const Cursor& name, const Reading& reading);

} // namespace fenceline::workloads
