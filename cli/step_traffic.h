// The bytes that a model's steps move, as commands show them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "cli/common.h"
#include "runtime/plan/traffic.h"

namespace pj::cli {

// Data caches from the first to the last one; absent ones have no bytes.
using Caches = std::array<CacheSize, 3>;

// "BYTES/WAYS,BYTES/WAYS[,BYTES/WAYS]"; nothing for "". A usage error for anything else.
std::optional<Caches> parse_caches(const std::string& text);

// One a step, with those caches or the ones the model was planned for.
std::vector<Traffic> step_traffic(const Session& session, const std::optional<Caches>& caches);
Traffic total_of(const std::vector<Traffic>& traffic);

// bytes_l1, bytes_l2, bytes_l3, bytes_dram.
void add_traffic(Json& json, const Traffic& traffic);
std::string kilobytes_text(int64_t bytes);
void print_traffic(const Traffic& total);

}  // namespace pj::cli
