#include "cli/dataset.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>

#include "cli/errors.h"
#include "cli/labels.h"
#include "cli/values.h"
#include "runtime/base/file.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

// Sorted, so that results do not depend on the order of a directory.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) paths.push_back(entry.path());
  if (code) fail("cannot list folder '{}': {}", folder.string(), code.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool has_extension(const fs::path& path, std::initializer_list<const char*> extensions) {
  std::string own = path.extension().string();
  for (char& c : own) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), own) != extensions.end();
}
bool is_picture(const fs::path& path) {
  return has_extension(path, {".png", ".jpg", ".jpeg", ".bmp"});
}

// --- arrays --------------------------------------------------------------------------------------

class Arrays : public Dataset {
 public:
  Arrays(std::string path, Array samples, std::vector<int64_t> labels)
      : path_(std::move(path)), samples_(std::move(samples)), labels_(std::move(labels)) {}

  size_t size() const override { return labels_.size(); }
  int64_t label(size_t i) const override { return labels_[i]; }
  void fill(size_t i, const Tensor& input, const PictureOptions& options,
            std::span<std::byte> out) const override {
    const size_t count = samples_.count() / size();
    if (count != static_cast<size_t>(elements(input.shape)))
      fail("{}: samples of {} elements ({}) do not fit input '{}' ({})", path_, count,
           to_string(samples_.shape), printable(input.name), to_string(input.shape));
    const size_t bytes = count * size_of(samples_.dtype);
    encode_elements(input, options, samples_.dtype, samples_.data.bytes.subspan(i * bytes, bytes),
                    path_, out);
  }

 private:
  std::string path_;
  Array samples_;  // the first dimension counts samples
  std::vector<int64_t> labels_;
};

std::unique_ptr<Dataset> open_arrays(const fs::path& folder) {
  const fs::path labels_path = folder / "labels.npy";
  std::vector<fs::path> others, preferred;
  for (const fs::path& path : entries(folder)) {
    const std::string name = path.filename().string();
    if (!has_extension(path, {".npy"}) || name == "labels.npy") continue;
    others.push_back(path);
    if (name.starts_with("images") || name.starts_with("inputs")) preferred.push_back(path);
  }
  const std::vector<fs::path>& candidates = preferred.empty() ? others : preferred;
  if (candidates.size() != 1)
    fail(
        "'{}' has labels.npy, but {} arrays that may be the samples; keep one images*.npy or "
        "inputs*.npy",
        folder.string(), candidates.size());
  const std::string path = candidates[0].string();
  const Array labels = unwrap(read_npy(labels_path.string()));
  Array samples = unwrap(read_npy(path));
  std::vector<int64_t> classes =
      integer_values(labels.dtype, labels.data.bytes, labels_path.string());
  const size_t count = samples.shape.empty() ? 0 : static_cast<size_t>(samples.shape[0]);
  if (classes.empty() || count != classes.size())
    fail("{}: {} labels for {} samples; the first dimension of both must be their number",
         labels_path.string(), classes.size(), count);
  return std::make_unique<Arrays>(path, std::move(samples), std::move(classes));
}

// --- pictures ------------------------------------------------------------------------------------

struct LabelledFile {
  std::string path;
  int64_t label;
};

class Pictures : public Dataset {
 public:
  explicit Pictures(std::vector<LabelledFile> files) : files_(std::move(files)) {}

  size_t size() const override { return files_.size(); }
  int64_t label(size_t i) const override { return files_[i].label; }
  void fill(size_t i, const Tensor& input, const PictureOptions& options,
            std::span<std::byte> out) const override {
    read_input(input, files_[i].path, options, out);
  }

 private:
  std::vector<LabelledFile> files_;
};

// The class number that `text` is, with nothing but spaces around it.
std::optional<int64_t> whole_number(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \"");
  const size_t end = text.find_last_not_of(" \"");
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, end - begin + 1);
  int64_t value = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

// The first two fields of a line.
std::array<std::string_view, 2> two_fields(std::string_view line) {
  const char separator = line.find(',') != std::string_view::npos    ? ','
                         : line.find('\t') != std::string_view::npos ? '\t'
                                                                     : ' ';
  const size_t first = std::min(line.find(separator), line.size());
  const std::string_view rest = line.substr(std::min(first + 1, line.size()));
  return {line.substr(0, first), rest.substr(0, rest.find(separator))};
}

// Nothing if the list is one of names alone.
std::vector<LabelledFile> read_list(const fs::path& folder, const fs::path& list) {
  std::vector<LabelledFile> files;
  const auto mapped = unwrap(MappedFile::open(list.string()));
  const std::vector<std::string> lines =
      split_lines({reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size()});
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto [name, number] = two_fields(lines[i]);
    const std::optional<int64_t> label = whole_number(number);
    if (!label && files.empty() && (i == 0 || number.empty())) continue;
    if (!label)
      fail("{}: line {} '{}' is not 'file,class number'", list.string(), i + 1,
           printable(lines[i]));
    files.push_back({(folder / name).string(), *label});
  }
  return files;
}

std::vector<LabelledFile> class_folders(const fs::path& folder) {
  std::vector<LabelledFile> files;
  int64_t label = 0;
  for (const fs::path& path : entries(folder)) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored) || path.filename().string().starts_with('.')) continue;
    for (const fs::path& file : entries(path))
      if (is_picture(file)) files.push_back({file.string(), label});
    ++label;
  }
  return files;
}

std::vector<LabelledFile> numbered_pictures(const fs::path& folder) {
  std::vector<LabelledFile> files;
  for (const fs::path& path : entries(folder)) {
    if (!is_picture(path)) continue;
    const std::string stem = path.stem().string();
    const size_t digits = std::min(stem.find_first_not_of("0123456789"), stem.size());
    const std::optional<int64_t> label = whole_number(std::string_view(stem).substr(0, digits));
    if (!label)
      fail("'{}' does not begin with a class number; add labels.csv with lines 'file,class number'",
           path.string());
    files.push_back({path.string(), *label});
  }
  return files;
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::string& name) {
  const fs::path folder(name);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail("'{}' is not a folder of labelled data (see `pj eval --help` for its forms)", name);
  if (fs::exists(folder / "labels.npy", ignored)) return open_arrays(folder);
  for (const char* list : {"labels.csv", "labels.txt"}) {
    if (!fs::exists(folder / list, ignored)) continue;
    std::vector<LabelledFile> files = read_list(folder, folder / list);
    if (!files.empty()) return std::make_unique<Pictures>(std::move(files));
  }
  std::vector<LabelledFile> files = class_folders(folder);
  if (files.empty()) files = numbered_pictures(folder);
  if (files.empty())
    fail("'{}' holds neither labels.npy with samples nor pictures (see `pj eval --help`)", name);
  return std::make_unique<Pictures>(std::move(files));
}

}  // namespace pj::cli
