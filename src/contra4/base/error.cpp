#include "contra4/base/error.h"

#include <fmt/format.h>

namespace contra4 {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kDataLoss:
      return "data_loss";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kResourceExhausted:
      return "resource_exhausted";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::kUnimplemented:
      return "unimplemented";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

namespace internal {

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  const std::string_view path = file;
  const auto slash = path.rfind("/src/");
  throw Exception(ErrorCode::kInternal,
                  fmt::format("[{}:{}] check failed: {}: {}; this is a bug in contra4",
                              slash == std::string_view::npos ? path : path.substr(slash + 1), line,
                              condition, message));
}

}  // namespace internal
}  // namespace contra4
