// What an action that has to fail throws, to look at its code and its words.
#pragma once

#include <functional>

#include <gtest/gtest.h>

#include "contra4/base/error.h"

namespace contra4::testing {

// Fails the test when `action` throws nothing; exceptions of other kinds pass through.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Exception& exception) {
    return exception.error();
  }
  ADD_FAILURE() << "no exception";
  return {};
}

}  // namespace contra4::testing
