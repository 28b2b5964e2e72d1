#include "cli/errors.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace pj::cli {
namespace {

// Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`: Damerau's distance in
// its restricted form, row by row.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if (c < 0x20 || c == 0x7f) out[i] = '?';
    // U+0080..U+009F: some terminals take them for the beginning of a control sequence.
    if (c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0)
      out[i] = out[i + 1] = '?';
  }
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string* best = nullptr;
  // A third of the word may be wrong; more, and the guess would be noise.
  size_t limit = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // A beginning ("--dump" for "--dump-tensors") counts as one edit.
    const bool prefix = word.size() >= 3 && std::string_view(candidate).starts_with(word);
    const size_t distance = prefix ? 1 : edit_distance(word, candidate);
    if (distance >= limit) continue;
    limit = distance;
    best = &candidate;
  }
  return best != nullptr ? fmt::format("; did you mean '{}'?", printable(*best)) : std::string();
}

}  // namespace pj::cli
