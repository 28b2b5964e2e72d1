// List: numbers that nobody changes, shared by their copies; also those of a mapped file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace pj {

template <typename T>
class List {
 public:
  using value_type = T;
  using iterator = const T*;
  using const_iterator = const T*;

  List() = default;
  List(std::initializer_list<T> values) : List(std::vector<T>(values)) {}
  List(std::vector<T> values) {
    if (values.size() > 1) owner_ = std::make_shared<const std::vector<T>>(std::move(values));
    const auto* kept = static_cast<const std::vector<T>*>(owner_.get());
    set(kept != nullptr ? *kept : values);
  }
  // Values that `owner` keeps alive; null for those that live forever. A single one is copied.
  List(std::span<const T> values, std::shared_ptr<const void> owner) {
    if (values.size() > 1) owner_ = std::move(owner);
    set(values);
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  const T* data() const { return size_ > 1 ? many_ : &one_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  const T& operator[](size_t i) const { return data()[i]; }

  bool operator==(const List& o) const { return std::equal(begin(), end(), o.begin(), o.end()); }

 private:
  void set(std::span<const T> values) {
    size_ = values.size();
    if (size_ == 1) one_ = values[0];
    if (size_ > 1) many_ = values.data();
  }

  size_t size_ = 0;
  union {
    T one_ = {};
    const T* many_;
  };
  std::shared_ptr<const void> owner_;
};

}  // namespace pj
