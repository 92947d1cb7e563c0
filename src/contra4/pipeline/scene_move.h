// Putting the scenes of an item in another order without changing what is said about them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/scoring/scene_orders.h"

namespace contra4::pipeline {

// The order that puts scene `from` at place `to`; the others keep their sequence. As every
// SceneOrder: place k of the new item holds the old item's scene order[k].
scoring::SceneOrder moved_order(int num_scenes, int from, int to);

// Where a reply goes. Replies are listed by the order in which the item's scenes were shown,
// lexicographically. The same showing has another name once the item's own scenes have moved: entry
// k of the new list is entry list_order(...)[k] of the old one. The replies themselves stay as they
// were said, since their letters are those of the showing.
std::vector<std::size_t> list_order(const scoring::SceneOrder& order);

// The item's answer in words after the move, always in a form that every reader of data sets takes.
// "Scene B. Because it is louder than Scene A." becomes "Scene A. Because it is louder than Scene
// B." when the two change places. An explanation that may name scenes in another way ("unlike B")
// is left out, and so is an answer's wording that does not begin with the letter: "Scene A"
// remains.
std::string moved_answer(std::string_view answer, const scoring::SceneOrder& order, int old_place);

}  // namespace contra4::pipeline
