// Aligned text for people: tables, and numbers with units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pj::cli {

class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  // aligned to the right, for numbers
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Lines, each beginning with `indent` spaces; the titles first unless all are empty.
  std::string to_string(int indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns that `text` takes on a terminal: its code points (UTF-8).
size_t display_width(std::string_view text);
// At most `width` columns; what does not fit is cut off at the beginning, since the ends of tensor
// names tell them apart.
std::string shorten(std::string_view text, size_t width);

std::string bytes_text(int64_t bytes);  // "987 B", "12.3 kB", "4.56 MB"
std::string count_text(int64_t count);  // "987", "12.3 k", "4.56 M"

}  // namespace pj::cli
