#include "contra4/nn/sequences.h"

#include <gtest/gtest.h>

namespace contra4::nn {
namespace {

TEST(Sequences, CountsRowsAndSequences) {
  const SequenceGroups groups = {{.count = 2, .length = 3}, {.count = 1, .length = 5}};
  EXPECT_EQ(num_rows(groups), 11);
  EXPECT_EQ(num_sequences(groups), 3);
  EXPECT_EQ(num_rows({}), 0);
}

}  // namespace
}  // namespace contra4::nn
