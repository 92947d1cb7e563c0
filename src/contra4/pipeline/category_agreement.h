// How far two labellings of the same questions agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace contra4::pipeline {

struct CategoryAgreement {
  std::vector<std::string> names;  // those of `order` first, then others as they occur
  // [given][chosen], both by place in `names`; chosen has one more place: without a category.
  std::vector<std::vector<std::int64_t>> counts;
  std::int64_t total = 0;
  std::int64_t agreed = 0;

  std::int64_t given(std::size_t category) const;   // a row's sum
  std::int64_t chosen(std::size_t category) const;  // a column's sum
  // Of those given, the share that was chosen; of those chosen, the share that was given. NaN:
  // none.
  double recall(std::size_t category) const;
  double precision(std::size_t category) const;
  double agreement() const;
  // The share of the category that is given most often: what naming it always would reach.
  double commonest_share() const;
  // Cohen's kappa: 0 is what chance reaches with these shares, 1 is agreement everywhere.
  double kappa() const;
};

// Compares the categories of two files with the same rows in the same order. Rows of `given`
// without a category are left out. Throws kInvalidArgument where ids differ, or when no row has a
// category.
CategoryAgreement compare_categories(const std::filesystem::path& given,
                                     const std::filesystem::path& chosen,
                                     const std::vector<std::string>& order);

std::string to_json(const CategoryAgreement& agreement);

}  // namespace contra4::pipeline
