#include "runtime/exec/xnnpack/factory.h"

#include <cstring>

#include "runtime/base/half.h"
#include "runtime/exec/xnnpack/describe.h"
#include "runtime/graph/op_table.h"

namespace pj::xnn {
namespace {

// The smallest page of any CPU that we run on: bytes within one are all readable or none is.
constexpr uintptr_t kPage = 4096;

class XnnpackOp final : public PreparedOp {
 public:
  XnnpackOp(std::unique_ptr<Operator> op, size_t in_bytes)
      : operator_(std::move(op)), in_bytes_(in_bytes) {}

  Status bind(std::span<const PreparedInput> in, std::span<std::byte* const> out,
              ThreadPool& pool) override {
    const std::byte* x = in[0].data;
    copied_from_ = nullptr;
    if (!in[0].slack && next_page_is_read(x)) {
      if (copy_.size() == 0) copy_ = AlignedBuffer(in_bytes_ + kReadSlack);
      if (copy_.size() == 0)
        return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of input", in_bytes_);
      copied_from_ = x;
      x = copy_.data();
    }
    return operator_->setup(x, out[0], pool.pthreadpool());
  }

  Status run(ThreadPool& pool) override {
    if (copied_from_ != nullptr) std::memcpy(copy_.data(), copied_from_, in_bytes_);
    return operator_->run(pool.pthreadpool());
  }

 private:
  bool next_page_is_read(const std::byte* x) const {
    const uintptr_t last = reinterpret_cast<uintptr_t>(x) + in_bytes_ - 1;
    return last / kPage != (last + kReadSlack) / kPage;
  }

  std::unique_ptr<Operator> operator_;
  size_t in_bytes_;
  // Input that ends at the end of its last page is copied for each run.
  AlignedBuffer copy_;
  const std::byte* copied_from_ = nullptr;
};

// The values of a constant; f16 is widened into `wide`.
const void* values_of(const Tensor* t, std::vector<float>& wide) {
  if (t == nullptr) return nullptr;
  if (t->dtype != DType::kF16) return t->data.bytes.data();
  for (const Half h : t->as<Half>()) wide.push_back(to_float(h));
  return wide.data();
}

class Factory final : public PreparedOpFactory {
 public:
  explicit Factory(bool widen_f16) : widen_f16_(widen_f16) {}

  bool offers(const Graph& graph, const Op& op) const override {
    const std::optional<Description> d = describe(graph, op);
    if (!d || (d->weights != nullptr && d->weights->dtype == DType::kF16 && !widen_f16_))
      return false;
    return supports(d->spec);
  }

  Result<std::unique_ptr<PreparedOp>> make(const Graph& graph, const Op& op) const override {
    std::optional<Description> d = describe(graph, op);
    if (!d)
      return error(ErrorCode::kModelUnsupported, "XNNPACK has no operator for {}",
                   op.display_name());
    std::vector<float> weights, bias;
    d->spec.weights = values_of(d->weights, weights);
    d->spec.bias = values_of(d->bias, bias);
    PJ_ASSIGN(std::unique_ptr<Operator> made, Operator::create(d->spec));
    const auto bytes = static_cast<size_t>(byte_size(graph.tensor(op.inputs[0])));
    return std::make_unique<XnnpackOp>(std::move(made), bytes);
  }

  std::string kernel_name(const Op& op) const override {
    return std::string("xnnpack_") + op.display_name();
  }

 private:
  bool widen_f16_;
};

}  // namespace

const PreparedOpFactory& factory(bool widen_f16) {
  static const Factory keeping(false), widening(true);
  return widen_f16 ? widening : keeping;
}

}  // namespace pj::xnn
