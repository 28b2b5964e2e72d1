#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace pj::cli {
namespace {

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

std::string scaled(double value, std::string_view unit) {
  const char* prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t i = 0;
  for (; value >= 999.5 && i + 1 < std::size(prefixes); ++i) value /= 1000;
  // Three significant digits, but whole units are exact.
  const int decimals = i == 0 ? 0 : (value < 9.995 ? 2 : (value < 99.95 ? 1 : 0));
  const std::string suffix = fmt::format("{}{}", prefixes[i], unit);
  return fmt::format("{:.{}f}{}{}", value, decimals, suffix.empty() ? "" : " ", suffix);
}

}  // namespace

size_t display_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_code_point(c); }));
}

std::string shorten(std::string_view text, size_t width) {
  const size_t total = display_width(text);
  if (total <= width) return std::string(text);
  size_t drop = total - width + 2;  // room for ".."
  size_t begin = 0;
  for (; begin < text.size() && drop > 0; --drop) {
    ++begin;
    while (begin < text.size() && continues_code_point(text[begin])) ++begin;
  }
  return fmt::format("..{}", text.substr(begin));
}

std::string Table::to_string(int indent) const {
  std::vector<size_t> widths;
  bool titles = false;
  for (const Column& c : columns_) {
    widths.push_back(display_width(c.title));
    titles = titles || !c.title.empty();
  }
  for (const auto& row : rows_)
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));

  std::string out;
  auto line = [&](auto cell) {
    std::string text(static_cast<size_t>(indent), ' ');
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& content = cell(i);
      const std::string padding(widths[i] - display_width(content), ' ');
      if (i > 0) text += "  ";
      text += columns_[i].right ? padding + content : content + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  if (titles) line([&](size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) line([&](size_t i) -> const std::string& { return row[i]; });
  return out;
}

std::string bytes_text(int64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }
std::string count_text(int64_t count) { return scaled(static_cast<double>(count), ""); }

}  // namespace pj::cli
