#include "models/topology.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "models/builders/topologies.h"
#include "models/builtin.h"
#include "runtime/base/real_number.h"

namespace pj {
namespace {

constexpr Topology kTopologies[] = {
    {"mobilenet_v1", "classifier: depthwise and 1x1 convolutions", 224, 32, 1024, 1,
     build_mobilenet_v1},
    {"mobilenet_v2", "classifier: inverted residuals", 224, 32, 1024, 1, build_mobilenet_v2},
    {"mobilenet_v3_large", "classifier: hard-swish, squeeze and excite", 224, 32, 1024, 1,
     build_mobilenet_v3_large},
    {"efficientnet_lite0", "classifier: inverted residuals, 3x3 and 5x5", 224, 32, 1024, 1,
     build_efficientnet_lite0},
    {"resnet18", "classifier: residual blocks of 3x3 convolutions", 224, 32, 1024, 1,
     build_resnet18},
    {"resnet50", "classifier: residual bottlenecks", 224, 32, 1024, 1, build_resnet50},
    {"squeezenet", "classifier 1.1: fire modules, joined by concatenation", 224, 32, 1024, 1,
     build_squeezenet},
    {"dscnn", "12 spoken words from 49x10 coefficients", 49, 49, 49, 1, build_dscnn},
    {"fastdepth", "depth of every pixel: MobileNet, then upsampling with skips", 224, 32, 1024, 32,
     build_fastdepth},
    {"transformer", "35 spoken words: attention, layer norm, GELU", 98, 8, 1024, 1,
     build_transformer},
};

constexpr struct {
  const char* name;
  Numbers numbers;
} kTypes[] = {{"f32", Numbers::kF32}, {"f16", Numbers::kF16}, {"int8", Numbers::kInt8}};

// All of `text` as a number.
bool parse_number(std::string_view text, int32_t& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

bool parse_number(std::string_view text, float& value) {
  const std::optional<double> number = real_number(text);
  if (number) value = static_cast<float>(*number);
  return number.has_value();
}

Status check_size(const Topology& t, int32_t size) {
  if (size >= t.min_size && size <= t.max_size && size % t.step == 0) return {};
  if (t.min_size == t.max_size) {
    return error(ErrorCode::kInvalidArgument, "size {}; {} has a fixed size, leave it out", size,
                 t.name);
  }
  const std::string multiple = t.step > 1 ? fmt::format("a multiple of {} ", t.step) : "";
  return error(ErrorCode::kInvalidArgument, "size {}; that of {} is {}from {} to {}", size, t.name,
               multiple, t.min_size, t.max_size);
}

Status check_width(float width) {
  // The negation also catches NaN.
  if (!(width >= kMinWidth && width <= kMaxWidth)) {
    return error(ErrorCode::kInvalidArgument, "width {}x; it is from {}x to {}x", width, kMinWidth,
                 kMaxWidth);
  }
  return {};
}

// Collects the parts after the topology's name, each kind at most once.
class SpecParser {
 public:
  explicit SpecParser(const Topology& topology) {
    spec_.topology = &topology;
    spec_.size = topology.default_size;
  }

  Status add(std::string_view part) {
    for (const auto& type : kTypes) {
      if (part != type.name) continue;
      spec_.numbers = type.numbers;
      return once(types_, part);
    }
    if (part.ends_with('x') && parse_number(part.substr(0, part.size() - 1), spec_.width)) {
      PJ_TRY(check_width(spec_.width));
      return once(widths_, part);
    }
    if (parse_number(part, spec_.size)) {
      PJ_TRY(check_size(*spec_.topology, spec_.size));
      return once(sizes_, part);
    }
    return error(ErrorCode::kInvalidArgument,
                 "'{}' is no type (f32, f16, int8), no size ({}) and no width (0.5x)", part,
                 spec_.topology->default_size);
  }

  const TopologySpec& spec() const { return spec_; }

 private:
  static Status once(int& count, std::string_view part) {
    if (++count == 1) return {};
    return error(ErrorCode::kInvalidArgument, "'{}' is the second of its kind; give one", part);
  }

  TopologySpec spec_;
  int types_ = 0, sizes_ = 0, widths_ = 0;
};

}  // namespace

int32_t TopologySpec::scaled(int32_t channels) const {
  const float wanted = static_cast<float>(channels) * width;
  const int32_t rounded = std::max(8, static_cast<int32_t>(wanted + 4) / 8 * 8);
  return static_cast<float>(rounded) < 0.9f * wanted ? rounded + 8 : rounded;
}

std::span<const Topology> topologies() { return kTopologies; }

const Topology* find_topology(std::string_view name) {
  for (const Topology& t : kTopologies)
    if (name == t.name) return &t;
  return nullptr;
}

std::string_view topology_name(std::string_view name) { return name.substr(0, name.find('-')); }

Result<TopologySpec> parse_topology(std::string_view name) {
  const std::string_view base = topology_name(name);
  const Topology* topology = find_topology(base);
  if (topology == nullptr) {
    std::string known;
    for (const BuiltinModel& m : builtin_models()) known += fmt::format(" builtin:{}", m.name);
    for (const Topology& t : kTopologies) known += fmt::format(" builtin:{}", t.name);
    return error(ErrorCode::kInvalidArgument, "there is no model '{}'; there are:{}", base, known);
  }
  SpecParser parser(*topology);
  for (std::string_view rest = name.substr(base.size()); !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('-'));
    rest.remove_prefix(part.size());
    PJ_TRY(parser.add(part));
  }
  return parser.spec();
}

std::string canonical_name(const TopologySpec& spec) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const auto& t) { return t.numbers == spec.numbers; });
  return fmt::format("{}-{}-{}-{}x", spec.topology->name, type->name, spec.size, spec.width);
}

Result<Graph> build_topology(const TopologySpec& spec) {
  Network network(canonical_name(spec), spec.numbers);
  const Network::Value output = spec.topology->build(network, spec);
  return network.finish(output);
}

}  // namespace pj
