// Picojoule for C++17: the C API of pj.h with ownership, types and errors as values. Header only;
// uses no exceptions and no RTTI, and so works with and without them.
//
//   auto model = picojoule::Model::load("model.tflite");
//   if (!model) return fail(model.error());
//   auto session = model->session({2});  // two threads
//   if (!session) return fail(session.error());
//   auto x = session->input("image").as<float>();
//   if (!x) return fail(x.error());
//   std::copy(picture.begin(), picture.end(), x->begin());
//   if (auto ok = session->run(); !ok) return fail(ok.error());
//   for (float p : *session->output(0).as<float>()) ...
//
// What shapes, units, lifetimes and threads mean is in pj.h.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pj.h"

namespace picojoule {

struct Error {
  pj_status status = pj_ok;
  std::string message;  // names the thing and the fix
};

// A value or an error. Test it before `*`.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

  T& operator*() & { return assert(ok()), *value_; }
  const T& operator*() const& { return assert(ok()), *value_; }
  // By value, so that `for (float p : *session.output(0).as<float>())` keeps what it walks.
  T operator*() && { return assert(ok()), std::move(*value_); }
  T* operator->() { return assert(ok()), &*value_; }
  const T* operator->() const { return assert(ok()), &*value_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// Success or an error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  // What a call of the C API has just returned in this thread.
  static Status of(pj_status s) {
    return s == pj_ok ? Status() : Status(Error{s, pj_last_error()});
  }

  bool ok() const { return error_.status == pj_ok; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

// Elements in a row that belong to somebody else.
template <typename T>
class Span {
 public:
  Span(T* data, std::size_t size) : data_(data), size_(size) {}
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) const { return assert(i < size_), data_[i]; }

 private:
  T* data_;
  std::size_t size_;
};

struct Half {  // the bits of an IEEE 754 binary16
  std::uint16_t bits;
};

// The element type that a C++ type stands for; other types do not compile.
inline pj_dtype dtype_of(const float*) { return pj_f32; }
inline pj_dtype dtype_of(const Half*) { return pj_f16; }
inline pj_dtype dtype_of(const std::int8_t*) { return pj_i8; }
inline pj_dtype dtype_of(const std::uint8_t*) { return pj_u8; }
inline pj_dtype dtype_of(const std::int16_t*) { return pj_i16; }
inline pj_dtype dtype_of(const std::int32_t*) { return pj_i32; }
inline pj_dtype dtype_of(const std::int64_t*) { return pj_i64; }
inline pj_dtype dtype_of(const bool*) { return pj_bool; }

// An input (Bytes is void) or an output (const void) of a session, or the error of looking it up,
// which all that is asked of it returns. Valid as long as the memory is, see pj.h.
template <typename Bytes>
class Tensor {
 public:
  Tensor(const pj_tensor_info& info, Bytes* data) : info_(info), data_(data) {}
  Tensor(Error error) : status_(std::move(error)) {}

  const Status& status() const { return status_; }
  const pj_tensor_info& info() const { return info_; }
  Bytes* data() const { return data_; }
  std::size_t byte_size() const { return info_.byte_size; }

  // The elements. Errors: the tensor holds another type.
  template <typename T>
  auto as() const {
    using Element = std::conditional_t<std::is_const_v<Bytes>, const T, T>;
    using Elements = Result<Span<Element>>;
    if (!status_) return Elements(status_.error());
    const pj_dtype wanted = dtype_of(static_cast<const T*>(nullptr));
    if (info_.dtype != wanted) {
      return Elements(Error{pj_invalid_argument, std::string("tensor '") + info_.name + "' holds " +
                                                     pj_dtype_name(info_.dtype) + ", not " +
                                                     pj_dtype_name(wanted)});
    }
    return Elements(Span<Element>(static_cast<Element*>(data_), info_.byte_size / sizeof(T)));
  }

 private:
  Status status_;
  pj_tensor_info info_ = PJ_TENSOR_INFO_INIT;
  Bytes* data_ = nullptr;
};
using Input = Tensor<void>;
using Output = Tensor<const void>;

struct SessionOptions {
  std::int32_t threads = 1;
  pj_pool_kind pool_kind = pj_pool_default;
  pj_parallel parallel = nullptr;  // the caller's pool
  void* pool = nullptr;
};

// Joules with all that belongs to them. There is no conversion to a number.
class Energy {
 public:
  explicit Energy(const pj_energy* energy = nullptr) : energy_(energy) {}

  bool known() const { return energy_ != nullptr; }
  // "1.23 mJ [1.20, 1.26] measured, gross"; "unknown".
  std::string text() const { return pj_energy_text(energy_); }
  // Calls f(uj, low_uj, high_uj, source, idle_policy), in microjoules, if it is known.
  template <typename F>
  void visit(F f) const {
    double uj = 0, low = 0, high = 0;
    pj_energy_source source = pj_energy_prior;
    pj_idle_policy policy = pj_idle_gross;
    if (known() && pj_energy_values(energy_, &uj, &low, &high, &source, &policy) == pj_ok)
      f(uj, low, high, source, policy);
  }

 private:
  const pj_energy* energy_;
};

// Where time and energy went. Energies and strings are valid as long as the profile is.
class Profile {
 public:
  std::size_t step_count() const { return pj_profile_step_count(handle_.get()); }
  Result<pj_step_profile> step(std::size_t i) const {
    pj_step_profile step = PJ_STEP_PROFILE_INIT;
    const pj_status s = pj_profile_step(handle_.get(), i, &step);
    if (s != pj_ok) return Error{s, pj_last_error()};
    return step;
  }
  double time_ms() const { return pj_profile_time_ms(handle_.get()); }
  Energy energy() const { return Energy(pj_profile_energy(handle_.get())); }
  Energy step_energy(std::size_t i) const {
    return Energy(pj_profile_step_energy(handle_.get(), i));
  }
  Energy residual() const { return Energy(pj_profile_residual(handle_.get())); }
  std::string energy_origin() const { return pj_profile_energy_origin(handle_.get()); }

 private:
  friend class Session;
  struct Free {
    void operator()(pj_profile* p) const { pj_profile_free(p); }
  };
  explicit Profile(pj_profile* p) : handle_(p) {}

  std::unique_ptr<pj_profile, Free> handle_;
};

class Session {
 public:
  Status run() { return Status::of(pj_run(handle_.get())); }

  // At a fixed rate, until on_frame(std::int64_t frame) returns false; it must not throw.
  template <typename F>
  Result<pj_periodic_stats> run_periodic(double period_ms, F on_frame) {
    pj_periodic_stats stats = PJ_PERIODIC_STATS_INIT;
    const pj_status s = pj_run_periodic(
        handle_.get(), period_ms,
        [](void* f, std::int64_t frame) { return (*static_cast<F*>(f))(frame) ? 1 : 0; }, &on_frame,
        &stats);
    if (s != pj_ok) return Error{s, pj_last_error()};
    return stats;
  }

  Result<Profile> profile(const pj_profile_options& options = PJ_PROFILE_OPTIONS_INIT) {
    pj_profile* made = nullptr;
    const pj_status s = pj_session_profile(handle_.get(), &options, &made);
    if (s != pj_ok) return Error{s, pj_last_error()};
    return Profile(made);
  }

  std::size_t input_count() const { return pj_session_input_count(handle_.get()); }
  std::size_t output_count() const { return pj_session_output_count(handle_.get()); }
  Result<pj_tensor_info> input_info(std::size_t i) const { return info(pj_session_input_info, i); }
  Result<pj_tensor_info> output_info(std::size_t i) const {
    return info(pj_session_output_info, i);
  }

  // By index or by name.
  Input input(std::size_t i) {
    const auto found = input_info(i);
    if (!found) return found.error();
    return tensor<void>(*found, pj_session_input_data(handle_.get(), i));
  }
  Output output(std::size_t i) const {
    const auto found = output_info(i);
    if (!found) return found.error();
    return tensor<const void>(*found, pj_session_output_data(handle_.get(), i));
  }
  Input input(const std::string& name) {
    std::size_t i = 0;
    const Status found = Status::of(pj_session_find_input(handle_.get(), name.c_str(), &i));
    return found ? input(i) : Input(found.error());
  }
  Output output(const std::string& name) const {
    std::size_t i = 0;
    const Status found = Status::of(pj_session_find_output(handle_.get(), name.c_str(), &i));
    return found ? output(i) : Output(found.error());
  }

  Status bind_input(std::size_t i, const void* data, std::size_t size) {
    return Status::of(pj_session_bind_input(handle_.get(), i, data, size));
  }
  Status bind_output(std::size_t i, void* data, std::size_t size) {
    return Status::of(pj_session_bind_output(handle_.get(), i, data, size));
  }
  Status resize_input(std::size_t i, std::initializer_list<std::int32_t> dims) {
    return Status::of(pj_session_resize_input(handle_.get(), i, dims.begin(),
                                              static_cast<std::int32_t>(dims.size())));
  }
  // All inputs at once, where their shapes must agree.
  Status resize_inputs(std::initializer_list<std::initializer_list<std::int32_t>> shapes) {
    std::vector<const std::int32_t*> dims;
    std::vector<std::int32_t> ranks;
    for (const auto& shape : shapes) {
      dims.push_back(shape.begin());
      ranks.push_back(static_cast<std::int32_t>(shape.size()));
    }
    return Status::of(
        pj_session_resize_inputs(handle_.get(), dims.data(), ranks.data(), shapes.size()));
  }

  // For what only the C API has.
  pj_session* handle() const { return handle_.get(); }

 private:
  friend class Model;
  struct Free {
    void operator()(pj_session* s) const { pj_session_free(s); }
  };
  explicit Session(pj_session* s) : handle_(s) {}

  template <typename F>
  Result<pj_tensor_info> info(F* ask, std::size_t i) const {
    pj_tensor_info info = PJ_TENSOR_INFO_INIT;
    const pj_status s = ask(handle_.get(), i, &info);
    if (s != pj_ok) return Error{s, pj_last_error()};
    return info;
  }
  template <typename Bytes>
  static Tensor<Bytes> tensor(const pj_tensor_info& info, Bytes* data) {
    if (info.byte_size == 0 && unknown_dims(info)) return Error{pj_wrong_state, pj_last_error()};
    return {info, data};
  }
  static bool unknown_dims(const pj_tensor_info& info) {
    for (std::int32_t d = 0; d < info.rank; ++d)
      if (info.dims[d] < 0) return true;
    return false;
  }

  std::unique_ptr<pj_session, Free> handle_;
};

class Model {
 public:
  static Result<Model> load(const std::string& path,
                            const pj_model_options& options = PJ_MODEL_OPTIONS_INIT) {
    pj_model* m = nullptr;
    const pj_status s = pj_model_load(path.c_str(), &options, &m);
    return made(s, m);
  }
  static Result<Model> load_memory(const void* data, std::size_t size,
                                   const pj_model_options& options = PJ_MODEL_OPTIONS_INIT) {
    pj_model* m = nullptr;
    const pj_status s = pj_model_load_memory(data, size, &options, &m);
    return made(s, m);
  }

  Result<Session> session(const SessionOptions& options = {}) const {
    pj_session_options o = PJ_SESSION_OPTIONS_INIT;
    o.threads = options.threads;
    o.pool_kind = options.pool_kind;
    o.parallel = options.parallel;
    o.pool = options.pool;
    pj_session* made = nullptr;
    const pj_status s = pj_session_create(handle_.get(), &o, &made);
    if (s != pj_ok) return Error{s, pj_last_error()};
    return Session(made);
  }

  pj_model* handle() const { return handle_.get(); }

 private:
  struct Free {
    void operator()(pj_model* m) const { pj_model_free(m); }
  };
  explicit Model(pj_model* m) : handle_(m) {}
  static Result<Model> made(pj_status s, pj_model* m) {
    if (s != pj_ok) return Error{s, pj_last_error()};
    return Model(m);
  }

  std::unique_ptr<pj_model, Free> handle_;
};

}  // namespace picojoule
