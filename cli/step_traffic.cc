#include "cli/step_traffic.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/errors.h"

namespace pj::cli {
namespace {

// The number at the start of `text`, which is cut off; nothing if it is not in [1, most].
std::optional<int64_t> take_number(std::string_view& text, int64_t most) {
  int64_t n = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (code != std::errc() || n < 1 || n > most) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return n;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<CacheSize> take_cache(std::string_view& text) {
  constexpr int64_t kMostBytes = int64_t{1} << 30, kMostWays = 64;
  const auto bytes = take_number(text, kMostBytes);
  if (!bytes || !take(text, '/')) return std::nullopt;
  const auto ways = take_number(text, kMostWays);
  if (!ways || *bytes % (*ways * kLineBytes) != 0) return std::nullopt;
  return CacheSize{*bytes, static_cast<int32_t>(*ways)};
}

}  // namespace

std::optional<Caches> parse_caches(const std::string& text) {
  if (text.empty()) return std::nullopt;
  Caches caches;
  std::string_view rest = text;
  for (size_t i = 0; i < caches.size(); ++i) {
    const auto cache = take_cache(rest);
    if (!cache) break;
    caches[i] = *cache;
    if (rest.empty()) return caches;
    if (!take(rest, ',')) break;
  }
  usage_error(
      "--caches '{}': give one to three caches as BYTES/WAYS, BYTES a multiple of 64 x WAYS, for "
      "example 32768/8,1048576/16",
      text);
}

std::vector<Traffic> step_traffic(const Session& session, const std::optional<Caches>& caches) {
  const ModelOptions& options = session.model().options();
  Target target = options.target;
  if (caches) {
    const auto& [l1, l2, l3] = *caches;
    target.l1_bytes = l1.bytes, target.l1_ways = l1.ways;
    target.l2_bytes = l2.bytes, target.l2_ways = l2.ways;
    target.l3_bytes = l3.bytes, target.l3_ways = l3.ways;
  }
  return traffic_of(session.program(), options.catalog, target);
}

Traffic total_of(const std::vector<Traffic>& traffic) {
  Traffic total;
  for (const Traffic& t : traffic) total += t;
  return total;
}

void add_traffic(Json& json, const Traffic& t) {
  json["bytes_l1"] = t.l1_bytes;
  json["bytes_l2"] = t.l2_bytes;
  json["bytes_l3"] = t.l3_bytes;
  json["bytes_dram"] = t.dram_bytes;
}

std::string kilobytes_text(int64_t bytes) {
  return fmt::format("{:.{}f}", static_cast<double>(bytes) / 1e3, bytes < 10'000 ? 1 : 0);
}

void print_traffic(const Traffic& t) {
  fmt::print("bytes of a run, by a model of the caches: kernels {} MB, L2 {} MB",
             kilobytes_text(t.l1_bytes / 1000), kilobytes_text(t.l2_bytes / 1000));
  if (t.l3_bytes > 0) fmt::print(", L3 {} MB", kilobytes_text(t.l3_bytes / 1000));
  fmt::print(", DRAM {} MB\n", kilobytes_text(t.dram_bytes / 1000));
}

}  // namespace pj::cli
