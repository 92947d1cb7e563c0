#include "contra4/clients/secret.h"

#include <sstream>
#include <type_traits>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace contra4::clients {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };

static_assert(!Printable<Secret>);
static_assert(!Comparable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!fmt::is_formattable<Secret>::value);

TEST(Secret, IsGivenOutOnlyOnDemand) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret("sk-1").reveal(), "sk-1");
}

TEST(Redact, ReplacesEveryOccurrence) {
  const Secret key("sk-123");
  EXPECT_EQ(redact("sk-123 is wrong: sk-123sk-123.", key), "*** is wrong: ******.");
  EXPECT_EQ(redact("nothing here", key), "nothing here");
  EXPECT_EQ(redact("", key), "");
}

TEST(Redact, KeysThatLookLikeStarsEnd) {
  EXPECT_EQ(redact("****", Secret("*")), "************");
}

TEST(Redact, WithoutASecretNothingChanges) {
  EXPECT_EQ(redact("text", Secret()), "text");
}

}  // namespace
}  // namespace contra4::clients
