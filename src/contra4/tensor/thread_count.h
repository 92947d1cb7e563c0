// How many threads one operation of libtorch may use.
#pragma once

namespace contra4::tensor {

// All cores of the machine for 0; otherwise the number itself. Throws kInvalidArgument when it is
// negative or above 1,024.
int resolve_num_threads(int num_threads);

// While it lives, operations started by the current thread use `num_threads` threads. The former
// number comes back at the end. Libtorch keeps the number per thread and takes the last one set
// anywhere as the start value of new threads: set it in each thread that matters.
class OpThreads {
 public:
  explicit OpThreads(int num_threads);
  ~OpThreads();
  OpThreads(const OpThreads&) = delete;
  OpThreads& operator=(const OpThreads&) = delete;

 private:
  int before_;
};

}  // namespace contra4::tensor
