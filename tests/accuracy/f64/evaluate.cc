// Compiled with double.h before it, like the reference kernels that it calls.
#include "tests/accuracy/f64/evaluate.h"

#include "kernels/reference/reference.h"

namespace pj {
namespace {

OperandDesc operand_of(const PlainTensor& t) {
  OperandDesc d;
  d.dtype = static_cast<DType>(t.dtype);
  d.shape = Shape(std::span(t.dims, static_cast<size_t>(t.rank)));
  d.scale = t.scale;
  d.zero_point = t.zero_point;
  d.present = t.present;
  return d;
}

struct Operands {
  std::vector<OperandDesc> descs;
  std::vector<std::byte*> data;

  explicit Operands(std::span<const PlainTensor> tensors) {
    for (const PlainTensor& t : tensors) {
      descs.push_back(operand_of(t));
      data.push_back(t.data);
    }
  }
};

}  // namespace

void evaluate(OpKind kind, std::span<const std::byte> fields, const Operands& in,
              const Operands& out) {
  OpParams params = params_for(kind);
  visit_fields(params, [&](const char*, auto& field) {
    std::memcpy(&field, fields.data(), sizeof(field));
    fields = fields.subspan(sizeof(field));
  });
  const std::vector<const std::byte*> inputs(in.data.begin(), in.data.end());
  run_reference(kind, params, in.descs, inputs, out.descs, out.data);
}

}  // namespace pj

void evaluate_in_double(int kind, std::span<const std::byte> fields,
                        std::span<const PlainTensor> inputs, std::span<const PlainTensor> outputs) {
  pj::evaluate(static_cast<pj::OpKind>(kind), fields, pj::Operands(inputs), pj::Operands(outputs));
}
