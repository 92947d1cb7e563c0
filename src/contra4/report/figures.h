// How numbers are written in tables and sentences: per cent to one decimal, thousands apart.
#pragma once

#include <cstdint>
#include <string>

#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/paired.h"

namespace contra4::report {

std::string with_thousands(std::int64_t number);  // "2,335"
std::string percent(double share);                // .6707 is "67.1"
std::string signed_points(double difference);     // .115 is "+11.5"; what rounds to zero is "0.0"
std::string points(double error);                 // .0104 is "1.04"
// "65.0\u201369.1" of an accuracy; "\u2013" when nothing was counted.
std::string interval(const scoring::Accuracy& accuracy);
std::string accuracy_text(const scoring::Accuracy& accuracy);
std::string signed_interval(const scoring::PairedDifference& difference);  // "[+8.9, +14.1]"
std::string p_value(double p);                                             // "0.034", "<0.001"
// Whole when the count is whole: an expectation has one decimal.
std::string count_text(double count);

}  // namespace contra4::report
