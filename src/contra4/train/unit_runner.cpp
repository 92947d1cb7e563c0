#include "contra4/train/unit_runner.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "contra4/base/error.h"

// Order of work
//
// The runs of a pass are numbered as they come. libtorch's engine takes of the nodes that are ready
// the one that was made last, so that a backward pass reaches the outputs of runs in the opposite
// order, and all that lies behind a run is done when the output of the one before is reached. There
// advance() does what is due, for every run passed on the way, reached or not: gathers and sums are
// asked for in an order that depends on the numbers alone, the same on all processes, even where a
// gradient does not come to some weight or some run. Source: torch/csrc/autograd/engine.cpp,
// CompareNodeTaskTime, libtorch 2.13.

namespace contra4::train {
namespace {

enum class Phase { kIdle, kTraining, kInference };

constexpr std::size_t kMaxReducing = 2;  // sums under way at once

// What a layer that is computed anew keeps for it.
struct Work : torch::CustomClassHolder {
  nn::BlockFunction block;
  std::function<void()> before_backward;
};

// A layer that keeps its input alone.
struct Recompute : torch::autograd::Function<Recompute> {
  // `anchor` wants a gradient: the layer's weights do, whether or not `x` does.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& /*anchor*/, const c10::intrusive_ptr<Work>& work) {
    context->save_for_backward({x});
    context->saved_data["work"] = at::IValue::make_capsule(work);
    return work->block(x);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               const torch::autograd::tensor_list& gradients) {
    const auto work =
        c10::static_intrusive_pointer_cast<Work>(context->saved_data["work"].toCapsule());
    if (work->before_backward) work->before_backward();
    const at::Tensor kept = context->get_saved_variables()[0];
    const at::Tensor x = kept.detach().set_requires_grad(kept.requires_grad());
    const at::AutoGradMode records(true);
    const at::Tensor y = work->block(x);
    if (y.requires_grad()) torch::autograd::backward({y}, {gradients[0]});
    return {x.grad(), {}, {}};
  }
};

at::Tensor run_anew_in_backward(const at::Tensor& x, const nn::BlockFunction& block,
                                std::function<void()> before_backward) {
  auto work = c10::make_intrusive<Work>();
  work->block = block;
  work->before_backward = std::move(before_backward);
  return Recompute::apply(x, at::empty({0}).set_requires_grad(true), work);
}

}  // namespace

struct UnitRunner::State : std::enable_shared_from_this<UnitRunner::State> {
  Unit* root = nullptr;
  std::map<std::string, Unit*, std::less<>> layers;
  UnitRunnerOptions options;

  Phase phase = Phase::kIdle;
  bool is_last = true;
  std::int64_t pass = 0;                            // hooks of another one are stale
  std::vector<Unit*> runs;                          // of this pass, in their order
  std::map<Phase, std::vector<Unit*>> former_runs;  // of the last such pass: what will come next
  Unit* prefetched = nullptr;
  std::size_t reached = 0;  // runs from here on have been reached by the backward pass
  std::map<Unit*, std::size_t> first_runs;
  std::vector<Unit*> reducing;
  std::set<Unit*> reduced;  // in this pass

  bool shares_all() const { return options.data_parallel == DataParallel::kShardAll; }
  Unit* find(std::string_view name) const;
  void start(Phase next);
  void finish();

  Unit* expected(std::size_t run) const;
  void enter(Unit* unit);
  void leave(Unit* unit);
  at::Tensor train(Unit* unit, const at::Tensor& x, const nn::BlockFunction& block);

  void advance(std::size_t run);
  void go_back_to(std::size_t run);
  void begin_reduce(Unit* unit);
  void finish_reduce(std::size_t num_left);
  void reduce_rest();
};

Unit* UnitRunner::State::find(std::string_view name) const {
  const auto found = layers.find(name);
  return found == layers.end() ? nullptr : found->second;
}

void UnitRunner::State::start(Phase next) {
  CONTRA4_CHECK(phase == Phase::kIdle, "the former pass has not ended");
  phase = next;
  ++pass;
  first_runs.clear();
  reduced.clear();
  if (root) root->gather();
}

// Whatever is still whole goes.
void UnitRunner::State::finish() {
  for (const auto& [name, unit] : layers) unit->release();
  if (root) root->release();
  prefetched = nullptr;
  former_runs[phase] = std::exchange(runs, {});
  reached = 0;
  phase = Phase::kIdle;
}

// The unit of a later run of this pass if it goes as the last one.
Unit* UnitRunner::State::expected(std::size_t run) const {
  const auto former = former_runs.find(phase);
  return former != former_runs.end() && run < former->second.size() ? former->second[run] : nullptr;
}

// Before a layer's forward pass.
void UnitRunner::State::enter(Unit* unit) {
  first_runs.try_emplace(unit, runs.size());
  runs.push_back(unit);
  reached = runs.size();
  unit->gather();
  if (prefetched && prefetched != unit && (shares_all() || !first_runs.contains(prefetched)))
    prefetched->release();  // the pass goes another way than the last one
  prefetched = expected(runs.size());
  if (prefetched) prefetched->begin_gather();
}

// After it. What comes next stays, and so does the last one, where the backward pass begins.
void UnitRunner::State::leave(Unit* unit) {
  if (!shares_all() && phase == Phase::kTraining) return;
  if (unit == expected(runs.size())) return;
  if (phase == Phase::kTraining && runs.size() == former_runs[phase].size()) return;
  unit->release();
}

at::Tensor UnitRunner::State::train(Unit* unit, const at::Tensor& x,
                                    const nn::BlockFunction& block) {
  if (!unit) {
    return options.recomputes && x.requires_grad() ? run_anew_in_backward(x, block, {}) : block(x);
  }
  enter(unit);
  // Weak: a graph that outlives the runner reaches nothing any more.
  const auto before_backward = [weak = weak_from_this(), run = runs.size() - 1, in = pass] {
    const auto state = weak.lock();
    if (state && state->pass == in) state->advance(run);
  };
  at::Tensor y;
  if (options.recomputes) {
    y = run_anew_in_backward(x, block, before_backward);
  } else {
    y = block(x);
    if (y.requires_grad())
      y.register_hook([=](const at::Tensor& /*gradient*/) { before_backward(); });
  }
  leave(unit);
  return y;
}

// A backward pass has reached the output of this run.
void UnitRunner::State::advance(std::size_t run) {
  while (reached > run) go_back_to(--reached);
}

void UnitRunner::State::go_back_to(std::size_t run) {
  Unit* unit = runs[run];
  Unit* next = run > 0 ? runs[run - 1] : nullptr;
  Unit* done = run + 1 < runs.size() ? runs[run + 1] : nullptr;
  if (done && first_runs[done] == run + 1) {
    begin_reduce(done);
    done->release();
  } else if (done && done != unit && done != next && shares_all()) {
    done->release();  // another run of it comes later
  }
  unit->gather();
  unit->prepare_gradients();
  if (next) next->begin_gather();
}

void UnitRunner::State::begin_reduce(Unit* unit) {
  finish_reduce(kMaxReducing - 1);
  unit->begin_reduce(is_last);
  reducing.push_back(unit);
  reduced.insert(unit);
}

void UnitRunner::State::finish_reduce(std::size_t num_left) {
  while (reducing.size() > num_left) {
    reducing.front()->finish_reduce();
    reducing.erase(reducing.begin());
  }
}

// What the backward pass did not come to: runs that the loss does not depend on, the end of the
// first one, units that were not run, the root.
void UnitRunner::State::reduce_rest() {
  advance(0);
  for (const auto& [name, unit] : layers)
    if (!reduced.contains(unit)) begin_reduce(unit);
  if (root) begin_reduce(root);
  finish_reduce(0);
}

UnitRunner::UnitRunner(Unit* root, const std::vector<Unit*>& layers,
                       const UnitRunnerOptions& options)
    : state_(std::make_shared<State>()) {
  state_->root = root;
  state_->options = options;
  for (Unit* layer : layers) state_->layers[layer->plan().name] = layer;
}

UnitRunner::~UnitRunner() = default;

void UnitRunner::begin(bool is_last) {
  state_->start(Phase::kTraining);
  state_->is_last = is_last;
  if (state_->root) state_->root->prepare_gradients();
}

at::Tensor UnitRunner::run(std::string_view name, const at::Tensor& x,
                           const nn::BlockFunction& block) {
  CONTRA4_CHECK(state_->phase != Phase::kIdle, "layers are run between begin() and end()");
  Unit* unit = state_->find(name);
  if (state_->phase == Phase::kTraining) {
    CONTRA4_CHECK(at::GradMode::is_enabled(), "a training pass records gradients");
    return state_->train(unit, x, block);
  }
  if (!unit) return block(x);
  state_->enter(unit);
  at::Tensor y = block(x);
  state_->leave(unit);
  return y;
}

void UnitRunner::end() {
  CONTRA4_CHECK(state_->phase == Phase::kTraining, "end() without begin()");
  state_->reduce_rest();
  state_->finish();
}

void UnitRunner::begin_inference() {
  state_->start(Phase::kInference);
}

void UnitRunner::end_inference() {
  CONTRA4_CHECK(state_->phase == Phase::kInference, "end_inference() without begin_inference()");
  state_->finish();
}

}  // namespace contra4::train
