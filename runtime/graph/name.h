// Name: text that nobody changes, shared by its copies; also that of a mapped file.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pj {

class Name {
 public:
  Name() = default;
  Name(std::string text) {
    if (text.empty()) return;
    auto kept = std::make_shared<const std::string>(std::move(text));
    text_ = *kept;
    owner_ = std::move(kept);
  }
  Name(const char* text) : Name(std::string(text)) {}
  // Text that `owner` keeps alive and that a zero follows.
  Name(std::string_view text, std::shared_ptr<const void> owner)
      : text_(text), owner_(std::move(owner)) {}

  operator std::string_view() const { return text_; }
  std::string str() const { return std::string(text_); }
  const char* c_str() const { return text_.data(); }
  bool empty() const { return text_.empty(); }
  size_t size() const { return text_.size(); }

  template <std::convertible_to<std::string_view> T>
  friend bool operator==(const Name& a, const T& b) {
    return a.text_ == std::string_view(b);
  }
  friend std::string operator+(const Name& a, std::string_view b) { return a.str().append(b); }

 private:
  std::string_view text_ = "";
  std::shared_ptr<const void> owner_;
};

}  // namespace pj

template <>
struct fmt::formatter<pj::Name> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const pj::Name& name, Context& context) const {
    return fmt::formatter<std::string_view>::format(std::string_view(name), context);
  }
};
