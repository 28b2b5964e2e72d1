#include "cli/labels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cli/errors.h"
#include "cli/table.h"
#include "cli/values.h"
#include "models/builtin.h"
#include "runtime/base/file.h"

namespace pj::cli {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> read_labels(const std::string& path) {
  const auto file = unwrap(MappedFile::open(path));
  std::vector<std::string> labels =
      split_lines({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()});
  if (labels.empty()) fail("{}: it is empty; write the name of one class a line", path);
  return labels;
}

std::vector<std::string> builtin_labels(const std::string& model_name) {
  constexpr std::string_view prefix = "builtin:";
  if (!model_name.starts_with(prefix)) return {};
  const BuiltinModel* model = find_builtin(std::string_view(model_name).substr(prefix.size()));
  return model != nullptr ? split_lines(model->labels) : std::vector<std::string>();
}

std::string top_classes_text(const Tensor& output, std::span<const std::byte> bytes,
                             const std::vector<std::string>& labels, size_t k) {
  const std::vector<double> values = real_values(output, bytes);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  // Quantised probabilities add up to 1 only roughly.
  const bool probabilities =
      std::all_of(values.begin(), values.end(), [](double v) { return v >= 0 && v <= 1; }) &&
      std::abs(sum - 1) <= 0.05;
  Table table({{"", false}, {"", true}});
  for (size_t i : top_k(values, k)) {
    const std::string name = i < labels.size() ? printable(labels[i]) : fmt::format("class {}", i);
    table.add({name, probabilities ? fmt::format("{:.1f} %", values[i] * 100)
                                   : fmt::format("{:.5g}", values[i])});
  }
  return table.to_string(2);
}

}  // namespace pj::cli
