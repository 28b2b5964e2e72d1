// Inputs and outputs of a session.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "bindings/c/handles.h"

namespace pj {
namespace {

static_assert(PJ_MAX_RANK == kMaxRank);

enum class Side { kInput, kOutput };

const char* name_of(Side side) { return side == Side::kInput ? "input" : "output"; }

size_t count(const pj_session& s, Side side) {
  return side == Side::kInput ? s.session->input_count() : s.session->output_count();
}

// As the model's author declared it. Unlike the session's own, it outlives every resize, so that
// names and scales can be handed out as pointers.
const Tensor& declared(const pj_session& s, Side side, size_t i) {
  const Graph& graph = s.model->graph();
  return graph.tensor((side == Side::kInput ? graph.inputs : graph.outputs)[i]);
}

const Tensor& current(const pj_session& s, Side side, size_t i) {
  return side == Side::kInput ? s.session->input(i) : s.session->output(i);
}

Status check_index(const pj_session* s, Side side, size_t i) {
  PJ_TRY(check_pointer(s, "session"));
  if (i < count(*s, side)) return {};
  return error(ErrorCode::kInvalidArgument, "there is no {} {}: the model has {}, counted from 0",
               name_of(side), i, count(*s, side));
}

Status fill_info(const pj_session* s, Side side, size_t i, pj_tensor_info* info) {
  PJ_TRY(check_index(s, side, i));
  PJ_TRY(check_pointer(info, "info"));
  PJ_TRY(check_struct(info, "pj_tensor_info"));
  const Tensor& t = declared(*s, side, i);
  const Shape& shape = current(*s, side, i).shape;
  *info = PJ_TENSOR_INFO_INIT;
  info->name = t.name.c_str();
  info->dtype = static_cast<pj_dtype>(t.dtype);
  info->rank = shape.rank();
  std::copy(shape.begin(), shape.end(), info->dims);
  if (is_static(shape)) info->byte_size = static_cast<size_t>(elements(shape)) * size_of(t.dtype);
  if (t.quant.empty()) return {};
  info->quant_count = static_cast<int32_t>(t.quant.scale.size());
  info->quant_axis = t.quant.axis;
  info->scales = t.quant.scale.data();
  info->zero_points = t.quant.zero_point.data();
  info->scale = t.quant.scale[0];
  info->zero_point = t.quant.zero_point[0];
  return {};
}

Status find(const pj_session* s, Side side, const char* name, size_t* index) {
  PJ_TRY(check_pointer(s, "session"));
  PJ_TRY(check_pointer(name, "name"));
  PJ_TRY(check_pointer(index, "index"));
  const size_t n = count(*s, side);
  for (size_t i = 0; i < n; ++i) {
    if (declared(*s, side, i).name != name) continue;
    *index = i;
    return {};
  }
  // A message is to be read: of very many names the first ones do.
  constexpr size_t kMostNames = 16;
  std::string names;
  for (size_t i = 0; i < std::min(n, kMostNames); ++i)
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", declared(*s, side, i).name);
  if (n > kMostNames) names += fmt::format(" and {} more", n - kMostNames);
  return error(ErrorCode::kInvalidArgument, "the model has no {0} '{1}'; its {0}s are: {2}",
               name_of(side), name, names);
}

Status check_binding(const pj_session* s, Side side, size_t i, const void* data) {
  PJ_TRY(check_index(s, side, i));
  PJ_TRY(check_prepared(*s));
  PJ_TRY(check_pointer(data, "data"));
  const Tensor& t = declared(*s, side, i);
  if (reinterpret_cast<uintptr_t>(data) % size_of(t.dtype) == 0) return {};
  return error(ErrorCode::kInvalidArgument,
               "memory for {} '{}' is at {}: {} elements need a multiple of {}", name_of(side),
               t.name, data, pj::name_of(t.dtype), size_of(t.dtype));
}

Status bind(pj_session* s, Side side, size_t i, void* data, size_t size) {
  PJ_TRY(check_binding(s, side, i, data));
  const std::span<std::byte> memory(static_cast<std::byte*>(data), size);
  return side == Side::kInput ? s->session->bind_input(i, memory)
                              : s->session->bind_output(i, memory);
}

Result<Shape> new_shape(const pj_session& s, size_t i, const int32_t* dims, int32_t rank) {
  const Tensor& t = declared(s, Side::kInput, i);
  if (rank != t.shape.rank()) {
    return error(ErrorCode::kInvalidArgument,
                 "input '{}' is {}: it has {} dimensions, {} were given", t.name,
                 to_string(t.shape), t.shape.rank(), rank);
  }
  if (rank > 0) PJ_TRY(check_pointer(dims, "dims"));
  Shape shape;
  for (int32_t d = 0; d < rank; ++d) {
    if (dims[d] < 1) {
      return error(ErrorCode::kInvalidArgument, "input '{}': dimension {} is {}, give at least 1",
                   t.name, d, dims[d]);
    }
    shape.push_back(dims[d]);
  }
  return shape;
}

Status resize(pj_session* s, size_t i, const int32_t* dims, int32_t rank) {
  PJ_TRY(check_index(s, Side::kInput, i));
  PJ_ASSIGN(const Shape shape, new_shape(*s, i, dims, rank));
  return s->session->resize_input(i, shape);
}

Status resize_all(pj_session* s, const int32_t* const* dims, const int32_t* ranks, size_t count) {
  PJ_TRY(check_pointer(s, "session"));
  PJ_TRY(check_pointer(dims, "dims"));
  PJ_TRY(check_pointer(ranks, "ranks"));
  if (count != s->session->input_count()) {
    return error(ErrorCode::kInvalidArgument, "the model has {} inputs, shapes of {} were given",
                 s->session->input_count(), count);
  }
  std::vector<Shape> shapes;
  for (size_t i = 0; i < count; ++i) {
    PJ_ASSIGN(const Shape shape, new_shape(*s, i, dims[i], ranks[i]));
    shapes.push_back(shape);
  }
  return s->session->resize_inputs(shapes);
}

Status check_access(const pj_session* s, Side side, size_t i) {
  PJ_TRY(check_index(s, side, i));
  return check_prepared(*s);
}

}  // namespace

Status check_prepared(const pj_session& s) {
  if (s.session->prepared()) return {};
  for (size_t i = 0; i < count(s, Side::kInput); ++i) {
    const Tensor& t = declared(s, Side::kInput, i);
    bool unknown = false;  // the first dimension aside, which has a default
    for (int32_t d = 1; d < t.shape.rank(); ++d) unknown = unknown || t.shape[d] < 0;
    if (unknown) {
      return error(ErrorCode::kWrongState,
                   "input '{}' is {}: set its unknown dimensions with pj_session_resize_input() "
                   "first, and those of all other inputs",
                   t.name, to_string(t.shape));
    }
  }
  return error(ErrorCode::kWrongState, "the session is not prepared");
}

}  // namespace pj

using pj::Side;

extern "C" {

size_t pj_session_input_count(const pj_session* session) noexcept {
  const auto ok = pj::check_pointer(session, "session");
  if (!ok) pj::report(ok);
  return ok ? pj::count(*session, Side::kInput) : 0;
}

size_t pj_session_output_count(const pj_session* session) noexcept {
  const auto ok = pj::check_pointer(session, "session");
  if (!ok) pj::report(ok);
  return ok ? pj::count(*session, Side::kOutput) : 0;
}

pj_status pj_session_input_info(const pj_session* session, size_t index,
                                pj_tensor_info* info) noexcept {
  return pj::report(pj::fill_info(session, Side::kInput, index, info));
}

pj_status pj_session_output_info(const pj_session* session, size_t index,
                                 pj_tensor_info* info) noexcept {
  return pj::report(pj::fill_info(session, Side::kOutput, index, info));
}

pj_status pj_session_find_input(const pj_session* session, const char* name,
                                size_t* index) noexcept {
  return pj::report(pj::find(session, Side::kInput, name, index));
}

pj_status pj_session_find_output(const pj_session* session, const char* name,
                                 size_t* index) noexcept {
  return pj::report(pj::find(session, Side::kOutput, name, index));
}

void* pj_session_input_data(pj_session* session, size_t index) noexcept {
  const auto ok = pj::check_access(session, Side::kInput, index);
  if (!ok) pj::report(ok);
  return ok ? session->session->input_data(index).data() : nullptr;
}

const void* pj_session_output_data(const pj_session* session, size_t index) noexcept {
  const auto ok = pj::check_access(session, Side::kOutput, index);
  if (!ok) pj::report(ok);
  return ok ? session->session->output_data(index).data() : nullptr;
}

pj_status pj_session_bind_input(pj_session* session, size_t index, const void* data,
                                size_t size) noexcept {
  // Inputs are only read; inside, all operands share one pointer type.
  return pj::report(pj::bind(session, Side::kInput, index, const_cast<void*>(data), size));
}

pj_status pj_session_bind_output(pj_session* session, size_t index, void* data,
                                 size_t size) noexcept {
  return pj::report(pj::bind(session, Side::kOutput, index, data, size));
}

pj_status pj_session_resize_input(pj_session* session, size_t index, const int32_t* dims,
                                  int32_t rank) noexcept {
  return pj::report(pj::resize(session, index, dims, rank));
}

pj_status pj_session_resize_inputs(pj_session* session, const int32_t* const* dims,
                                   const int32_t* ranks, size_t count) noexcept {
  return pj::report(pj::resize_all(session, dims, ranks, count));
}

}  // extern "C"
