// The two error channels: Result<T> for what a caller meets item by item, Exception for what ends
// the command. The code tells the reader what to do; the message says where, what was wanted, what
// was found and a hint.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace contra4 {

enum class ErrorCode {
  kInvalidArgument,    // the caller's input is wrong: mend it
  kNotFound,           // a named thing does not exist
  kDataLoss,           // a file is cut or damaged
  kUnauthenticated,    // a key is missing or refused
  kResourceExhausted,  // a limit was met: wait, or raise it
  kUnavailable,        // the other side is away: retry later
  kDeadlineExceeded,   // it took too long: retry later
  kUnimplemented,      // this build or this server cannot do it
  kCancelled,          // the user interrupted
  kInternal,           // our bug
};

// "invalid_argument" and so on, for logs and JSON.
std::string_view to_string(ErrorCode code);

struct Error {  // NOLINT(clang-analyzer-core.uninitialized.Assign): see .clang-tidy
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

class Exception : public std::runtime_error {
 public:
  Exception(ErrorCode code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  explicit Exception(const Error& error) : Exception(error.code, error.message) {}
  ErrorCode code() const { return code_; }
  Error error() const { return {code_, what()}; }

 private:
  ErrorCode code_;
};

// A value or an Error; member names as in std::expected.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Throws the error as an Exception when there is no value.
  T& value() & { return require(), std::get<0>(state_); }
  const T& value() const& { return require(), std::get<0>(state_); }
  T&& value() && { return require(), std::get<0>(std::move(state_)); }
  // Unchecked, as in std::expected.
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  void require() const {
    if (!has_value()) throw Exception(std::get<1>(state_));
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(*-explicit-*)
  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  void value() const {
    if (error_) throw Exception(*error_);
  }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

namespace internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);
}

}  // namespace contra4

// For our own mistakes, never for input: throws kInternal with file and line.
#define CONTRA4_CHECK(condition, message)                                           \
  do {                                                                              \
    if (!(condition))                                                               \
      ::contra4::internal::check_failed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
