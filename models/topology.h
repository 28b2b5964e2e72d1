// Well-known topologies with made-up weights: `builtin:NAME` where no file is needed, to measure
// speed and memory, or to have a graph for a test. Their outputs mean nothing.
//
// A name is a topology's, then in any order and all optional, after hyphens: the number type (f32,
// f16 or int8), the size of the input, the width. "mobilenet_v2", "mobilenet_v2-f32",
// "resnet18-int8-160-0.5x".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "models/builders/network.h"

namespace pj {

struct TopologySpec;

struct Topology {
  const char* name;
  const char* summary;
  // Rows and columns of the input picture, or tokens; a multiple of `step`, at most `max_size`.
  int32_t default_size, min_size, max_size, step;
  // Adds the layers and returns the output.
  Network::Value (*build)(Network& network, const TopologySpec& spec);
};

struct TopologySpec {
  const Topology* topology = nullptr;
  Numbers numbers = Numbers::kInt8;
  int32_t size = 0;
  float width = 1;

  // Channels for `channels` of the original: multiplied by the width, a multiple of 8, and at most
  // a tenth fewer than asked for.
  int32_t scaled(int32_t channels) const;
};

inline constexpr float kMinWidth = 0.1f, kMaxWidth = 2;

std::span<const Topology> topologies();
// Null if there is none of that name.
const Topology* find_topology(std::string_view name);
// The part of a full name that names the topology: "mobilenet_v2" of "mobilenet_v2-f32".
std::string_view topology_name(std::string_view name);

// Errors: kInvalidArgument, with the part that is wrong and what it may be.
Result<TopologySpec> parse_topology(std::string_view name);
// A valid graph with all shapes, named as canonical_name() says. Deterministic: the same bits on
// every machine with IEEE arithmetic. Errors: kOutOfMemory.
Result<Graph> build_topology(const TopologySpec& spec);
// With all parts: "mobilenet_v2-int8-224-1x".
std::string canonical_name(const TopologySpec& spec);

}  // namespace pj
