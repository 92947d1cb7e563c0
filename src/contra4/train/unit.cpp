#include "contra4/train/unit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StorageImpl.h>

#include "contra4/base/error.h"

namespace contra4::train {
namespace {

std::uint64_t num_bytes_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.storage().nbytes() : 0;
}

// Memory that can go and come back under the tensors that view it.
class FlatStorage {
 public:
  FlatStorage() = default;
  // `memory` is what all views are made of.
  explicit FlatStorage(const at::Tensor& memory)
      : storage_(memory.storage()), num_bytes_(storage_.nbytes()) {}

  // Reading a tensor on it then throws.
  void drop() {
    put(0);
    impl()->release_data_and_set_meta_custom_data_ptr_error_msg_(
        "the weights of a layer are used while they are released");
  }
  void restore() {
    if (storage_.nbytes() == num_bytes_) return;
    impl()->clear_data_ptr_access_error_msg_();
    put(num_bytes_);
  }

 private:
  void put(std::size_t size) {
    const c10::OptionalDeviceGuard guard(storage_.device());  // allocators take the current one
    impl()->set_data_ptr_noswap(impl()->allocator()->allocate(size));
    impl()->set_nbytes(size);
  }
  c10::StorageImpl* impl() const { return storage_.unsafeGetStorageImpl(); }

  c10::Storage storage_;
  std::size_t num_bytes_ = 0;
};

// A tensor of its own on the memory of `flat`: a view would share its version counter, so that a
// gather would look to autograd as if a saved tensor had changed.
at::Tensor alias(const at::Tensor& flat, std::int64_t offset,
                 const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);
  }
  return at::empty({0}, flat.options())
      .set_(flat.storage(), flat.storage_offset() + offset, shape, strides);
}

}  // namespace

std::int64_t ParameterPlan::num_elements() const {
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) elements *= size;
  return elements;
}

std::int64_t UnitPlan::num_elements() const {
  std::int64_t elements = 0;
  for (const ParameterPlan& parameter : parameters) elements += parameter.num_elements();
  return elements;
}

struct Unit::State {
  UnitPlan plan;
  UnitOptions options;
  ProcessGroup* group = nullptr;

  std::vector<std::int64_t> offsets;  // of parameters in the flat buffer
  std::int64_t num_padded = 0;
  std::int64_t decay_end = 0;
  bool is_shared = false;  // the shard is a part
  bool is_alias = false;   // the flat buffer is the shard

  at::Tensor master;    // [shard]
  at::Tensor gradient;  // [shard]
  at::Tensor flat;      // [padded], compute type
  FlatStorage flat_storage;
  std::vector<at::Tensor> weights;
  bool is_whole = false;
  at::Tensor gather_part;
  std::unique_ptr<Pending> gathering;

  at::Tensor flat_gradient;  // [padded], compute type
  at::Tensor reduce_whole;   // [padded], master type
  at::Tensor reduce_part;    // [shard]
  std::unique_ptr<Pending> reducing;

  void lay_out();
  void make_tensors();
  std::int64_t shard_size() const { return is_shared ? num_padded / group->size() : num_padded; }
  std::int64_t shard_begin() const { return is_shared ? shard_size() * group->rank() : 0; }
  bool has_one_type() const { return options.master_type == options.compute_type; }
  void bind_gradients(const at::Tensor& flat_buffer);
  void unbind_gradients();
  void add_local_gradient();
};

void Unit::State::lay_out() {
  std::ranges::stable_partition(plan.parameters, &ParameterPlan::decays);
  std::int64_t end = 0;
  for (const ParameterPlan& parameter : plan.parameters) {
    offsets.push_back(end);
    end += parameter.num_elements();
    if (parameter.decays) decay_end = end;
  }
  const std::int64_t processes = group->size();
  num_padded = (end + processes - 1) / processes * processes;
  is_shared = processes > 1 && options.data_parallel != DataParallel::kReplicated;
  is_alias = !is_shared && has_one_type();
}

void Unit::State::make_tensors() {
  const auto at_device = at::TensorOptions().device(options.device);
  master = at::zeros({shard_size()}, at_device.dtype(options.master_type));
  gradient = at::zeros({shard_size()}, at_device.dtype(options.master_type));
  const at::Tensor memory =
      is_alias ? master : at::empty({num_padded}, at_device.dtype(options.compute_type));
  flat = is_alias ? master : alias(memory, 0, {num_padded});
  for (std::size_t i = 0; i < offsets.size(); ++i)
    weights.push_back(alias(memory, offsets[i], plan.parameters[i].shape).set_requires_grad(true));
  if (is_alias) {
    is_whole = true;
    bind_gradients(gradient);
  } else {
    flat_storage = FlatStorage(memory);
    flat_storage.drop();
  }
}

void Unit::State::bind_gradients(const at::Tensor& flat_buffer) {
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i].mutable_grad() = alias(flat_buffer, offsets[i], plan.parameters[i].shape);
}

void Unit::State::unbind_gradients() {
  for (at::Tensor& weight : weights) weight.mutable_grad().reset();
  flat_gradient.reset();
}

// Of a flat buffer that is not shared.
void Unit::State::add_local_gradient() {
  if (!flat_gradient.defined()) return;
  gradient.add_(flat_gradient.to(options.master_type));
  unbind_gradients();
}

Unit::Unit(UnitPlan plan, const UnitOptions& options, ProcessGroup* group)
    : state_(std::make_unique<State>()) {
  CONTRA4_CHECK(!c10::InferenceMode::is_enabled(), "weights made here could not be trained");
  const at::NoGradGuard guard;
  state_->plan = std::move(plan);
  state_->options = options;
  state_->group = group;
  state_->lay_out();
  state_->make_tensors();
}

Unit::~Unit() {
  try {
    if (state_->gathering) state_->gathering->wait();
    if (state_->reducing) state_->reducing->wait();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): told to who waits for others
  }
}

const UnitPlan& Unit::plan() const {
  return state_->plan;
}
const std::vector<at::Tensor>& Unit::weights() const {
  return state_->weights;
}

void Unit::set(std::size_t parameter, const at::Tensor& value) {
  const at::NoGradGuard guard;
  State& state = *state_;
  const ParameterPlan& wanted = state.plan.parameters.at(parameter);
  if (value.sizes() != at::IntArrayRef(wanted.shape))
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("[set] '{}' of '{}' has the shape [{}], not [{}]", wanted.name, state.plan.name,
                    fmt::join(wanted.shape, ", "), fmt::join(value.sizes().vec(), ", ")));
  const std::int64_t offset = state.offsets[parameter];
  const std::int64_t begin = std::max(offset, state.shard_begin());
  const std::int64_t end =
      std::min(offset + value.numel(), state.shard_begin() + state.shard_size());
  if (begin >= end) return;
  const at::Tensor part = value.detach().reshape({-1}).narrow(0, begin - offset, end - begin);
  state.master.narrow(0, begin - state.shard_begin(), end - begin).copy_(part);
  touch();
}

void Unit::begin_gather() {
  const at::NoGradGuard guard;
  State& state = *state_;
  if (state.is_whole || state.gathering) return;
  state.flat_storage.restore();
  if (!state.is_shared) {
    state.flat.copy_(state.master);
    state.is_whole = true;
    return;
  }
  state.gather_part = state.master.to(state.options.compute_type);
  state.gathering = state.group->all_gather(state.flat, state.gather_part);
}

void Unit::gather() {
  begin_gather();
  State& state = *state_;
  if (state.is_whole) return;
  state.gathering->wait();
  state.gathering.reset();
  state.gather_part.reset();
  state.is_whole = true;
}

void Unit::release() {
  State& state = *state_;
  if (state.is_alias || state.options.data_parallel == DataParallel::kReplicated) return;
  if (state.gathering) gather();
  if (!state.is_whole) return;
  state.flat_storage.drop();
  state.is_whole = false;
}

bool Unit::is_whole() const {
  return state_->is_whole;
}
bool Unit::is_shared() const {
  return state_->is_shared;
}

void Unit::touch() {
  State& state = *state_;
  if (state.is_alias) return;
  CONTRA4_CHECK(!state.gathering, "weights are on their way");
  CONTRA4_CHECK(!state.is_whole || state.options.data_parallel == DataParallel::kReplicated,
                "master weights change under gathered ones");
  state.is_whole = false;
}

void Unit::prepare_gradients() {
  const at::NoGradGuard guard;
  State& state = *state_;
  if (state.is_alias || state.flat_gradient.defined()) return;
  state.flat_gradient = at::zeros({state.num_padded}, state.flat.options());
  state.bind_gradients(state.flat_gradient);
}

void Unit::begin_reduce(bool is_last) {
  const at::NoGradGuard guard;
  State& state = *state_;
  CONTRA4_CHECK(!state.reducing, "the former sum is not finished");
  if (!state.is_shared) {
    state.add_local_gradient();
    if (is_last && state.group->size() > 1)
      state.reducing = state.group->all_reduce(state.gradient);
    return;
  }
  prepare_gradients();
  state.reduce_whole = state.flat_gradient.to(state.options.master_type);
  state.unbind_gradients();
  state.reduce_part = at::empty({state.shard_size()}, state.gradient.options());
  state.reducing = state.group->reduce_scatter(state.reduce_part, state.reduce_whole);
}

void Unit::finish_reduce() {
  const at::NoGradGuard guard;
  State& state = *state_;
  if (!state.reducing) return;
  state.reducing->wait();
  state.reducing.reset();
  if (!state.is_shared) return;
  state.gradient.add_(state.reduce_part);
  state.reduce_whole.reset();
  state.reduce_part.reset();
}

const at::Tensor& Unit::master() const {
  return state_->master;
}
const at::Tensor& Unit::gradient() const {
  return state_->gradient;
}

void Unit::zero_gradient() {
  const at::NoGradGuard guard;
  state_->gradient.zero_();
}

std::int64_t Unit::shard_begin() const {
  return state_->shard_begin();
}
std::int64_t Unit::shard_size() const {
  return state_->shard_size();
}

std::int64_t Unit::num_decaying() const {
  return std::clamp<std::int64_t>(state_->decay_end - shard_begin(), 0, shard_size());
}

at::Tensor Unit::collect() const {
  const at::NoGradGuard guard;
  const State& state = *state_;
  at::Tensor whole = state.master;
  if (state.is_shared) {
    whole = at::empty({state.num_padded}, state.master.options());
    state.group->all_gather(whole, state.master)->wait();
  }
  if (state.group->rank() != 0) return {};
  const at::Tensor filled = whole.narrow(0, 0, state.plan.num_elements());
  return state.is_shared && filled.is_cpu() ? filled : filled.to(at::kCPU, false, true);
}

std::uint64_t Unit::num_bytes() const {
  const State& state = *state_;
  return num_bytes_of(state.master) + num_bytes_of(state.gradient) +
         (state.is_alias ? 0 : num_bytes_of(state.flat)) +
         (state.has_one_type() ? 0 : num_bytes_of(state.gather_part)) +
         num_bytes_of(state.flat_gradient) + num_bytes_of(state.reduce_whole) +
         num_bytes_of(state.reduce_part);
}

}  // namespace contra4::train
