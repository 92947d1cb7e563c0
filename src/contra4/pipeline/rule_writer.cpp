#include "contra4/pipeline/rule_writer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/random.h"
#include "contra4/text/bert_words.h"

namespace contra4::pipeline {

namespace {

using namespace std::string_view_literals;
using Words = std::vector<std::string>;

constexpr std::size_t kMaxWordChars = 40;
constexpr std::size_t kMaxThingWords = 5;     // of a thing: "a small brown owl"
constexpr std::size_t kMaxActivityWords = 7;  // of what somebody does: "riding a wave"

template <class List>
bool is_in(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Words that end a thing or an activity, and tell nothing by themselves.
constexpr std::array kFunctionWords = {
    "a"sv,       "an"sv,         "the"sv,       "and"sv,       "or"sv,         "but"sv,
    "as"sv,      "while"sv,      "with"sv,      "without"sv,   "in"sv,         "on"sv,
    "at"sv,      "by"sv,         "to"sv,        "from"sv,      "into"sv,       "onto"sv,
    "over"sv,    "under"sv,      "for"sv,       "of"sv,        "off"sv,        "up"sv,
    "down"sv,    "out"sv,        "near"sv,      "next"sv,      "behind"sv,     "between"sv,
    "through"sv, "around"sv,     "along"sv,     "across"sv,    "against"sv,    "during"sv,
    "before"sv,  "after"sv,      "then"sv,      "when"sv,      "where"sv,      "which"sv,
    "that"sv,    "who"sv,        "whose"sv,     "is"sv,        "are"sv,        "was"sv,
    "were"sv,    "be"sv,         "been"sv,      "being"sv,     "has"sv,        "have"sv,
    "had"sv,     "having"sv,     "can"sv,       "it"sv,        "its"sv,        "this"sv,
    "these"sv,   "there"sv,      "their"sv,     "his"sv,       "her"sv,        "he"sv,
    "she"sv,     "they"sv,       "them"sv,      "him"sv,       "someone"sv,    "somebody"sv,
    "other"sv,   "another"sv,    "each"sv,      "some"sv,      "several"sv,    "two"sv,
    "three"sv,   "four"sv,       "many"sv,      "not"sv,       "followed"sv,   "accompanied"sv,
    "above"sv,   "below"sv,      "beside"sv,    "besides"sv,   "inside"sv,     "outside"sv,
    "like"sv,    "about"sv,      "together"sv,  "while"sv,     "so"sv,         "no"sv,
    "very"sv,    "just"sv,       "also"sv,      "upon"sv,      "towards"sv,    "toward"sv,
    "past"sv,    "per"sv,        "if"sv,        "because"sv,   "until"sv,      "does"sv,
    "do"sv,      "did"sv,        "back"sv,      "away"sv,      "first"sv,      "itself"sv,
    "within"sv,  "plus"sv,       "via"sv,       "amongst"sv,   "among"sv,      "how"sv,
    "what"sv,    "one"sv,        "seems"sv,     "appears"sv,   "made"sv,       "using"sv,
    "wearing"sv, "containing"sv, "featuring"sv, "including"sv, "resembling"sv, "consisting"sv,
    "making"sv,  "all"sv,        "both"sv,      "only"sv,      "once"sv,       "twice"sv,
    "again"sv,   "onto"sv,       "various"sv,   "you"sv,       "your"sv,       "i"sv,
    "we"sv,      "our"sv,        "my"sv,        "us"sv,
};

// Heads that tell nothing, and words that tell how a scene is perceived or would be struck out by
// the word filter later.
constexpr std::array kEmptyHeads = {
    "group"sv,     "couple"sv,     "bunch"sv,       "pair"sv,         "set"sv,
    "lot"sv,       "piece"sv,      "top"sv,         "side"sv,         "front"sv,
    "part"sv,      "kind"sv,       "type"sv,        "middle"sv,       "center"sv,
    "centre"sv,    "row"sv,        "number"sv,      "variety"sv,      "line"sv,
    "end"sv,       "bit"sv,        "distance"sv,    "background"sv,   "foreground"sv,
    "way"sv,       "thing"sv,      "something"sv,   "object"sv,       "item"sv,
    "structure"sv, "shape"sv,      "design"sv,      "character"sv,    "figure"sv,
    "base"sv,      "view"sv,       "color"sv,       "colour"sv,       "time"sv,
    "few"sv,       "while"sv,      "moment"sv,      "use"sv,          "look"sv,
    "series"sv,    "form"sv,       "style"sv,       "body"sv,         "area"sv,
    "man"sv,       "woman"sv,      "person"sv,      "people"sv,       "guy"sv,
    "lady"sv,      "male"sv,       "female"sv,      "boy"sv,          "girl"sv,
    "men"sv,       "women"sv,      "child"sv,       "someone"sv,      "individual"sv,
    "adult"sv,     "edge"sv,       "rate"sv,        "speed"sv,        "noise"sv,
    "others"sv,    "left"sv,       "right"sv,       "bottom"sv,       "surface"sv,
    "hand"sv,      "hands"sv,      "assortment"sv,  "collection"sv,   "combination"sv,
    "beginning"sv, "texture"sv,    "pattern"sv,     "element"sv,      "white"sv,
    "black"sv,     "red"sv,        "green"sv,       "blue"sv,         "yellow"sv,
    "brown"sv,     "grey"sv,       "gray"sv,        "pink"sv,         "purple"sv,
    "orange"sv,    "long"sv,       "small"sv,       "large"sv,        "big"sv,
    "little"sv,    "young"sv,      "old"sv,         "round"sv,        "square"sv,
    "short"sv,     "cartoon"sv,    "cartoonish"sv,  "colored"sv,      "coloured"sv,
    "wooden"sv,    "metal"sv,      "low"sv,         "high"sv,         "loud"sv,
    "quiet"sv,     "soft"sv,       "rectangular"sv, "circular"sv,     "different"sv,
    "slight"sv,    "steady"sv,     "single"sv,      "toy"sv,          "game"sv,
    "place"sv,     "new"sv,        "light"sv,       "dark"sv,         "talking"sv,
    "speaking"sv,  "saying"sv,     "standing"sv,    "looking"sv,      "sitting"sv,
    "doing"sv,     "going"sv,      "getting"sv,     "taking"sv,       "making"sv,
    "trying"sv,    "showing"sv,    "moving"sv,      "clear"sv,        "simple"sv,
    "humanoid"sv,  "machinery"sv,  "equipment"sv,   "consistently"sv, "continuously"sv,
    "constant"sv,  "constantly"sv, "beige"sv,       "golden"sv,
};
constexpr std::array kBannedParts = {
    "3d"sv,     "3-d"sv,     "model"sv,      "image"sv,     "picture"sv,  "photo"sv,
    "video"sv,  "audio"sv,   "sound"sv,      "record"sv,    "caption"sv,  "footage"sv,
    "clip"sv,   "camera"sv,  "microphone"sv, "render"sv,    "version"sv,  "represent"sv,
    "depict"sv, "animat"sv,  "movie"sv,      "film"sv,      "cloud"sv,    "scene"sv,
    "visual"sv, "quest"sv,   "text"sv,       "word"sv,      "detail"sv,   "score"sv,
    "rating"sv, "element"sv, "sentence"sv,   "descri"sv,    "action"sv,   "hear"sv,
    "noise"sv,  "similar"sv, "noun"sv,       "verb"sv,      "close-up"sv, "closeup"sv,
    "shot"sv,   "screen"sv,  "polygon"sv,    "mesh"sv,      "voice"sv,    "sex"sv,
    "naked"sv,  "nude"sv,    "cartoon"sv,    "dimension"sv,
};

// How a thing is shown, which is left out of its name.
constexpr std::array kManners = {"cartoon"sv,  "cartoonish"sv, "animated"sv, "virtual"sv,
                                 "stylized"sv, "minecraft"sv,  "digital"sv,  "lego"sv};

constexpr std::array kPeople = {
    "man"sv,     "woman"sv,      "person"sv, "people"sv,  "guy"sv,          "lady"sv,
    "boy"sv,     "girl"sv,       "men"sv,    "women"sv,   "child"sv,        "children"sv,
    "kid"sv,     "kids"sv,       "boys"sv,   "girls"sv,   "player"sv,       "players"sv,
    "someone"sv, "somebody"sv,   "chef"sv,   "singer"sv,  "surfer"sv,       "skier"sv,
    "baby"sv,    "persons"sv,    "guys"sv,   "ladies"sv,  "skateboarder"sv, "snowboarder"sv,
    "cook"sv,    "individual"sv, "male"sv,   "female"sv,  "crowd"sv,        "band"sv,
    "family"sv,  "couple"sv,     "team"sv,   "toddler"sv,
};

// What looks like the -ing form of a verb and is none.
constexpr std::array kIngNouns = {
    "building"sv, "ceiling"sv, "wing"sv,       "ring"sv,      "king"sv,     "string"sv,
    "thing"sv,    "morning"sv, "evening"sv,    "clothing"sv,  "painting"sv, "wedding"sv,
    "swing"sv,    "railing"sv, "something"sv,  "spring"sv,    "bling"sv,    "awning"sv,
    "pudding"sv,  "nothing"sv, "everything"sv, "sing"sv,      "lighting"sv, "interesting"sv,
    "parking"sv,  "dining"sv,  "living"sv,     "ping"sv,      "viking"sv,   "earring"sv,
    "sling"sv,    "drawing"sv, "topping"sv,    "including"sv, "during"sv,
};
constexpr std::array kIrregularPlurals = {"men"sv,   "women"sv, "people"sv, "children"sv, "sheep"sv,
                                          "geese"sv, "mice"sv,  "feet"sv,   "teeth"sv,    "fish"sv};

// What people are asked about when exactly one caption has a word of it.
struct Topic {
  std::initializer_list<std::string_view> words;  // stems
  std::initializer_list<std::string_view> questions;
  std::string_view reason;  // {}: the word found
};

const Topic kTopics[] = {
    {{"dog",    "puppy",  "cat",      "kitten",    "horse",   "cow",     "sheep",   "goat",
      "pig",    "bird",   "pigeon",   "duck",      "goose",   "chicken", "rooster", "owl",
      "eagle",  "parrot", "elephant", "giraffe",   "zebra",   "bear",    "lion",    "tiger",
      "monkey", "frog",   "snake",    "bee",       "insect",  "cricket", "rabbit",  "mouse",
      "rat",    "fox",    "wolf",     "deer",      "seagull", "crow",    "turtle",  "lizard",
      "spider", "animal", "dinosaur", "butterfly", "lamb",    "cattle",  "donkey",  "penguin",
      "shark",  "whale"},
     {"Which scene would please someone who is fond of animals?",
      "Which scene involves a creature that cannot speak?",
      "Which scene would fit best into a book about animals?"},
     "It is the only one with an animal: {}."},
    {{"pizza",     "cake",      "sandwich",  "burger",    "bread",  "cheese",     "banana",
      "apple",     "fruit",     "vegetable", "broccoli",  "carrot", "salad",      "soup",
      "donut",     "doughnut",  "pasta",     "rice",      "meat",   "hotdog",     "sausage",
      "egg",       "chocolate", "cookie",    "breakfast", "dinner", "lunch",      "meal",
      "food",      "tomato",    "potato",    "onion",     "pastry", "strawberry", "mushroom",
      "sushi",     "lollipop",  "cupcake",   "dessert",   "noodle", "pie",        "muffin",
      "pineapple", "watermelon"},
     {"Which scene would make a hungry guest happy?", "Which scene has to do with eating?",
      "Which scene makes one think of a full plate?"},
     "It is the only one where food comes up: {}."},
    {{"car",    "truck",    "bus",       "train",    "motorcycle", "motorbike",  "bicycle",
      "bike",   "airplane", "aeroplane", "plane",    "jet",        "helicopter", "boat",
      "ship",   "van",      "tractor",   "vehicle",  "scooter",    "taxi",       "locomotive",
      "subway", "trolley",  "ambulance", "aircraft", "tram",       "sailboat",   "canoe",
      "kayak",  "jeep",     "wagon",     "yacht",    "tank",       "spaceship"},
     {"Which scene is about getting from one place to another?",
      "Which scene has something that could carry a passenger?",
      "Which scene would interest someone who loves engines and wheels most?"},
     "It is the only one with a means of transport: {}."},
    {{"guitar",  "piano",     "violin",  "drum",      "trumpet",   "flute",    "song",     "music",
      "melody",  "orchestra", "concert", "saxophone", "harmonica", "singing",  "sing",     "cello",
      "ukulele", "banjo",     "choir",   "singer",    "harp",      "musician", "accordion"},
     {"Which scene would suit an evening of music?", "Which scene would a musician choose?",
      "Which scene is the most likely to set your foot tapping?"},
     "It is the only one that has to do with music: {}."},
    {{"rain",   "river",   "lake",         "ocean",  "sea",       "wave",
      "beach",  "stream",  "waterfall",    "pool",   "fountain",  "swimming",
      "swim",   "surfing", "surfboard",    "surfer", "pond",      "splashing",
      "splash", "water",   "thunderstorm", "shower", "underwater"},
     {"Which scene would most likely leave you wet?", "Which scene is closest to water?",
      "Which scene calls for a towel more than the others?"},
     "It is the only one with water about: {}."},
    {{"tennis",       "baseball",      "soccer",       "football",   "basketball",  "golf",
      "ski",          "skiing",        "skier",        "snowboard",  "snowboarder", "skateboard",
      "skateboarder", "skateboarding", "frisbee",      "hockey",     "wrestling",   "wrestler",
      "volleyball",   "racket",        "racquet",      "gymnastics", "boxing",      "cricketer",
      "rugby",        "athlete",       "snowboarding", "badminton"},
     {"Which scene would a sports reporter choose?", "Which scene asks for the most exercise?",
      "Which scene belongs in the sports pages?"},
     "It is the only one with sport in it: {}."},
    {{"chair", "sofa", "couch", "table", "desk", "bed", "bench", "cabinet", "dresser", "stool",
      "shelf", "bookshelf", "wardrobe", "lamp", "drawer", "mattress", "armchair", "cupboard",
      "nightstand"},
     {"Which scene would help to furnish a room?",
      "Which scene has something for a furniture shop?"},
     "It is the only one with a piece of furniture: {}."},
    {{"gun",     "sword",   "rifle",     "pistol",  "knife",    "axe",    "dagger",
      "gunshot", "gunfire", "explosion", "bomb",    "weapon",   "cannon", "missile",
      "shotgun", "spear",   "grenade",   "machete", "firework", "siren"},
     {"Which scene is the most dangerous one?", "Which scene would worry a careful parent most?",
      "Which scene should be kept out of the reach of children?"},
     "It is the only one with something dangerous: {}."},
    {{"tree", "forest", "flower", "plant", "grass", "leaf", "garden", "mountain", "meadow", "bush",
      "rock", "hill", "jungle", "cactus", "mushroom", "field", "woods"},
     {"Which scene would a friend of nature choose?",
      "Which scene shows most of what grows or lies outdoors?"},
     "It is the only one with something from nature: {}."},
    {{"hammer", "drill", "saw", "chainsaw", "screwdriver", "wrench", "machine", "drilling",
      "sawing", "hammering", "lawnmower", "sander", "shovel", "tool", "mower", "forklift",
      "excavator", "bulldozer"},
     {"Which scene would be at home in a workshop?",
      "Which scene has to do with hard work and tools?"},
     "It is the only one with a tool or machine: {}."},
    {{"helmet",  "hat",      "shirt",   "dress",  "shoe",    "boot", "jacket",
      "coat",    "tie",      "suit",    "glove",  "scarf",   "sock", "jeans",
      "sweater", "necklace", "uniform", "sandal", "sneaker", "skirt"},
     {"Which scene has something that you could wear?",
      "Which scene would interest a tailor most?"},
     "It is the only one with something to wear: {}."},
    {{"house", "building", "church", "tower", "castle", "skyscraper", "bridge", "temple", "barn",
      "hut", "tent", "palace", "lighthouse", "cottage", "cabin", "mansion", "apartment"},
     {"Which scene would an architect look at longest?",
      "Which scene has something that was built to last?"},
     "It is the only one with a building: {}."},
    {{"laugh", "laughing", "laughter", "giggling", "giggle", "smile", "smiling", "cheer",
      "cheering", "applause", "clapping", "party", "joke"},
     {"Which scene is the most cheerful one?", "Which scene could lift your mood most easily?"},
     "It is the only one with such a sign of joy: {}."},
    {{"cry", "crying", "scream", "screaming", "shout", "shouting", "yell", "yelling", "sob",
      "sobbing", "argue", "arguing", "fight", "fighting"},
     {"Which scene is the most upset one?",
      "Which scene would make you ask whether somebody needs help?"},
     "It is the only one where somebody is so stirred up: {}."},
    {{"laptop", "computer", "phone", "cellphone", "printer", "robot", "typing", "typewriter",
      "tablet", "monitor", "telephone", "smartphone", "television", "tv"},
     {"Which scene owes most to electronics?",
      "Which scene needs somebody who understands technology?"},
     "It is the only one with such a device: {}."},
    {{"toilet", "bathroom", "sink", "bathtub", "faucet", "flush", "flushing", "toothbrush", "tub"},
     {"Which scene is set where people wash?", "Which scene belongs in a bathroom?"},
     "It is the only one that belongs in a bathroom: {}."},
    {{"snow", "ice", "snowy", "winter", "iceberg", "snowman", "snowball", "icy"},
     {"Which scene is the coldest one?", "Which scene calls for a warm coat?"},
     "It is the only one with winter in it: {}."},
    {{"wind", "windy", "storm", "thunder", "lightning", "hurricane", "tornado"},
     {"Which scene has the roughest weather?", "Which scene would make you stay indoors?"},
     "It is the only one with rough weather: {}."},
};

struct Token {
  std::string text;  // as written, without the marks around it
  std::string word;  // in lower case
  std::string stem;
  bool ends_clause = false;  // a full stop or comma behind it
};

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

// As the tokenizer folds it: lower case, no accents.
std::string folded(std::string_view text) {
  std::string result;
  text::for_each_bert_word(text, kMaxWordChars, [&](const text::BertWord& word) {
    result += word.bytes;
    return true;
  });
  return result;
}

// One form for singular and plural.
std::string stem_of(std::string word) {
  if (word.size() > 4 && word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
  if (word.size() > 4 && (word.ends_with("sses") || word == "buses" || word.ends_with("xes") ||
                          word.ends_with("ches") || word.ends_with("shes"))) {
    return word.substr(0, word.size() - 2);
  }
  if (word.ends_with("ves") && word.size() > 4) return word.substr(0, word.size() - 3) + "f";
  if (word.size() > 3 && word.ends_with("s") && !word.ends_with("ss") && !word.ends_with("us") &&
      !word.ends_with("is")) {
    word.pop_back();
  }
  return word;
}

std::vector<Token> tokens_of(std::string_view caption) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < caption.size();) {
    if (std::isspace(static_cast<unsigned char>(caption[at])) != 0) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < caption.size() && std::isspace(static_cast<unsigned char>(caption[end])) == 0 &&
           (caption[end] != ',' || end == at)) {
      ++end;
    }
    std::string_view piece = caption.substr(at, end - at);
    const bool ends_clause = end < caption.size() && caption[end] == ',';
    at = end + (ends_clause ? 1 : 0);
    bool has_stop = ends_clause;
    while (!piece.empty() && !is_word_byte(piece.front())) piece.remove_prefix(1);
    while (!piece.empty() && !is_word_byte(piece.back())) {
      has_stop = has_stop || ".,;:!?()\"/"sv.find(piece.back()) != std::string_view::npos;
      piece.remove_suffix(1);
    }
    if (piece.empty()) {
      if (!tokens.empty()) tokens.back().ends_clause = true;
      continue;
    }
    Token& token = tokens.emplace_back();
    token.text = piece;
    token.word = folded(piece);
    token.stem = stem_of(token.word);
    token.ends_clause = has_stop;
  }
  // A caption in capitals says nothing about names.
  const auto num_upper = std::count_if(tokens.begin(), tokens.end(), [](const Token& token) {
    return token.text[0] >= 'A' && token.text[0] <= 'Z';
  });
  const bool is_title = tokens.size() > 2 && num_upper * 2 > static_cast<int>(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    char& first = tokens[i].text[0];
    const bool is_short_name =
        tokens[i].text.size() > 1 && tokens[i].text[1] >= 'A' && tokens[i].text[1] <= 'Z';  // "TV"
    if ((i == 0 || is_title) && !is_short_name && first >= 'A' && first <= 'Z') {
      first = static_cast<char>(first - 'A' + 'a');
    }
  }
  return tokens;
}

bool is_banned(const Token& token) {
  return std::any_of(kBannedParts.begin(), kBannedParts.end(), [&](std::string_view part) {
    return token.word.find(part) != std::string::npos;
  });
}

bool is_function(const Token& token) {
  return is_in(kFunctionWords, token.word);
}

bool is_ing(const Token& token) {
  return token.word.size() > 4 && token.word.ends_with("ing") && !is_in(kIngNouns, token.word);
}

bool is_participle(const Token& token) {
  return token.word.size() > 4 && token.word.ends_with("ed") && !token.word.ends_with("eed");
}

bool is_adverb(const Token& token) {
  return token.word.size() > 4 && token.word.ends_with("ly");
}

bool is_plural(const Token& token) {
  return token.stem != token.word || is_in(kIrregularPlurals, token.word);
}

std::string joined(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) text += (i > begin ? " " : "") + tokens[i].text;
  return text;
}

// As written where a vowel's letter need not be heard as one ("a uniform", "an hour"); captions are
// careless otherwise.
std::string article_of(const Token& written, const Token& next) {
  if ("aei"sv.find(next.word[0]) != std::string_view::npos) return "an";
  if ("ouh"sv.find(next.word[0]) != std::string_view::npos) return written.word;
  return "a";
}

// Whether what follows `at` begins a new phrase.
bool is_boundary_after(const std::vector<Token>& tokens, std::size_t at) {
  return at + 1 >= tokens.size() || tokens[at].ends_clause || is_function(tokens[at + 1]);
}

class Finder {
 public:
  explicit Finder(std::span<const std::string_view> captions) {
    for (const std::string_view caption : captions) scenes_.push_back(tokens_of(caption));
  }

  // Each kind of finding gives the texts for {} in its sentences.
  struct Finding {
    std::string question;
    std::string reason;
  };

  std::vector<Finding> topics(std::size_t scene, Random& random) const {
    std::vector<Finding> found;
    for (const Topic& topic : kTopics) {
      std::string word;
      bool is_elsewhere = false;
      for (std::size_t i = 0; i < scenes_.size(); ++i) {
        for (const Token& token : scenes_[i]) {
          if (!is_in(topic.words, token.stem) && !is_in(topic.words, token.word)) continue;
          if (i != scene) is_elsewhere = true;
          if (i == scene && word.empty()) word = token.word;
        }
      }
      if (word.empty() || is_elsewhere) continue;
      const auto pick = random.below(topic.questions.size());
      found.push_back({std::string(*(topic.questions.begin() + static_cast<std::ptrdiff_t>(pick))),
                       fmt::format(fmt::runtime(topic.reason), word)});
    }
    return found;
  }

  std::vector<Finding> things(std::size_t scene, Random& random) const {
    const std::vector<Token>& tokens = scenes_[scene];
    std::vector<Finding> found;
    for (std::size_t at = 0; at < tokens.size(); ++at) {
      const std::string& word = tokens[at].word;
      const bool is_one = word == "a" || word == "an";
      const bool is_several =
          word == "two" || word == "three" || word == "four" || word == "several" || word == "many";
      if (!is_one && !is_several) continue;
      const std::size_t end = end_of_thing(tokens, at + 1, is_several);
      std::size_t begin = at + 1;  // without what tells how the thing is shown
      while (begin < end && is_in(kManners, tokens[begin].word)) ++begin;
      if (begin >= end || end - begin > kMaxThingWords) continue;
      const Token& head = tokens[end - 1];
      if (head.word.size() < 3 || is_in(kEmptyHeads, head.word) || is_in(kEmptyHeads, head.stem) ||
          is_adverb(head))
        continue;
      if (is_ing(head) || is_participle(head)) continue;
      // "a clear, round vase": the thing comes later.
      if (head.ends_clause && end < tokens.size() && end - begin == 1) continue;
      if (!is_own(scene, begin, end, true)) continue;
      const std::string article = is_one ? article_of(tokens[at], tokens[begin]) : word;
      const std::string thing = article + " " + joined(tokens, begin, end);
      found.push_back({thing_question(thing, random), thing_reason(thing)});
    }
    return found;
  }

  std::vector<Finding> activities(std::size_t scene, Random& random) const {
    const std::vector<Token>& tokens = scenes_[scene];
    std::vector<Finding> found;
    for (std::size_t at = 1; at < tokens.size(); ++at) {
      if (!is_ing(tokens[at])) continue;
      std::size_t person = at - 1;  // "a man is riding", "a man quickly riding"
      if (person > 0 && (tokens[person].word == "is" || tokens[person].word == "are" ||
                         is_adverb(tokens[person]))) {
        --person;
      }
      if (tokens[person].ends_clause || !is_in(kPeople, tokens[person].word)) continue;
      const std::size_t end = end_of_activity(tokens, at);
      if (!is_own(scene, at, end, false)) continue;
      const std::string activity = joined(tokens, at, end);
      found.push_back({activity_question(activity, random),
                       fmt::format("Only there is somebody {}.", activity)});
    }
    return found;
  }

  // "wind blowing hard", at the start of a caption or a clause of it.
  std::vector<Finding> happenings(std::size_t scene, Random& random) const {
    const std::vector<Token>& tokens = scenes_[scene];
    std::vector<Finding> found;
    for (std::size_t at = 0; at + 1 < tokens.size(); ++at) {
      const bool starts = at == 0 || tokens[at - 1].ends_clause || tokens[at - 1].word == "and" ||
                          tokens[at - 1].word == "as" || tokens[at - 1].word == "while";
      if (!starts || is_function(tokens[at]) || is_ing(tokens[at]) || !is_ing(tokens[at + 1]) ||
          is_in(kPeople, tokens[at].word) || is_adverb(tokens[at]) || tokens[at].ends_clause) {
        continue;
      }
      const std::size_t end = std::min(end_of_activity(tokens, at + 1), at + 4);
      if (!is_own(scene, at, end, false)) continue;
      const std::string happening = joined(tokens, at, end);
      constexpr std::array kQuestions = {"Which scene has {} in it?", "Which scene comes with {}?"};
      found.push_back(
          {fmt::format(fmt::runtime(kQuestions[random.below(kQuestions.size())]), happening),
           fmt::format("There is nothing like {} in the others.", happening)});
    }
    return found;
  }

 private:
  // Where the words behind a determiner stop being one thing.
  static std::size_t end_of_thing(const std::vector<Token>& tokens, std::size_t begin,
                                  bool is_several) {
    std::size_t at = begin;
    for (; at < tokens.size() && at <= begin + kMaxThingWords; ++at) {
      const Token& token = tokens[at];
      if (is_function(token)) break;
      const bool is_first = at == begin;
      const bool ends_here = is_boundary_after(tokens, at);
      if (!is_first && (is_ing(token) || is_participle(token))) break;
      if (!is_first && is_adverb(token)) break;
      // "a dog barks": the verb of what stands before it.
      if (!is_several && !is_first && is_plural(token)) break;
      if (token.ends_clause) return at + 1;
      if (is_several && is_plural(token)) return at + 1;
      if (ends_here) return at + 1;
    }
    return at;
  }

  // Through one preposition with its thing: "riding a wave on a surfboard".
  static std::size_t end_of_activity(const std::vector<Token>& tokens, std::size_t begin) {
    std::size_t at = begin + 1;
    if (tokens[begin].ends_clause) return at;
    for (; at < tokens.size() && at < begin + kMaxActivityWords; ++at) {
      const std::string& word = tokens[at].word;
      if (word == "and" || word == "as" || word == "while" || word == "then" || word == "that" ||
          word == "which" || word == "is" || word == "are" || word == "followed" || word == "who" ||
          word == "but" || word == "or" || word == "when" || word == "before" || word == "after" ||
          word == "accompanied" || (is_ing(tokens[at]) && at > begin + 1)) {
        break;
      }
      if (tokens[at].ends_clause) {
        ++at;
        break;
      }
    }
    while (at > begin + 1 && (is_function(tokens[at - 1]))) --at;
    return at;
  }

  // Whether no other caption has these words: any of them that tells something, or, for `all`, the
  // last one, which is the thing itself.
  bool is_own(std::size_t scene, std::size_t begin, std::size_t end, bool is_thing) const {
    bool tells = false;
    for (std::size_t i = begin; i < end; ++i) {
      const Token& token = scenes_[scene][i];
      if (is_banned(token)) return false;
      if (is_function(token)) continue;
      const bool counts = is_thing ? i + 1 == end : !is_in(kEmptyHeads, token.word);
      if (counts && !is_elsewhere(scene, token)) tells = true;
      // The thing itself, or the activity's verb, may be nowhere else.
      const bool must_be_own = is_thing ? i + 1 == end : i == begin;
      if (must_be_own && is_elsewhere(scene, token)) return false;
    }
    return tells;
  }

  bool is_elsewhere(std::size_t scene, const Token& token) const {
    for (std::size_t i = 0; i < scenes_.size(); ++i) {
      if (i == scene) continue;
      for (const Token& other : scenes_[i]) {
        if (other.stem == token.stem || shares_root(other.word, token.word)) return true;
      }
    }
    return false;
  }

  // "ride", "rides", "riding".
  static bool shares_root(std::string_view a, std::string_view b) {
    constexpr std::size_t kRoot = 4;
    std::size_t same = 0;
    while (same < a.size() && same < b.size() && a[same] == b[same]) ++same;
    return same >= kRoot && std::max(a.size(), b.size()) - same <= 3;
  }

  std::string thing_question(const std::string& thing, Random& random) const {
    const bool is_pair = scenes_.size() == 2;
    const std::string_view others = is_pair ? "the other one" : "all the others";
    switch (random.below(6)) {
      case 0:
        return fmt::format("Which scene has {} in it?", thing);
      case 1:
        return fmt::format("Which scene would be incomplete without {}?", thing);
      case 2:
        return fmt::format("Which scene, unlike {}, involves {}?", others, thing);
      case 3:
        return fmt::format("Which scene would you choose if you were looking for {}?", thing);
      case 4:
        return fmt::format("Which scene could not do without {}?", thing);
      default:
        return fmt::format("Which scene contains {}?", thing);
    }
  }

  std::string thing_reason(const std::string& thing) const {
    return scenes_.size() == 2 ? fmt::format("The other scene does not have {}.", thing)
                               : fmt::format("None of the other scenes has {}.", thing);
  }

  static std::string activity_question(const std::string& activity, Random& random) {
    switch (random.below(4)) {
      case 0:
        return fmt::format("Which scene has somebody {}?", activity);
      case 1:
        return fmt::format("Which scene is about somebody {}?", activity);
      case 2:
        return fmt::format("Which scene would be a different one without somebody {}?", activity);
      default:
        return fmt::format("Which scene lets you meet somebody {}?", activity);
    }
  }

  std::vector<std::vector<Token>> scenes_;
};

}  // namespace

std::optional<RuleQuestion> write_by_rules(std::span<const std::string_view> captions,
                                           std::uint64_t seed) {
  Random random(seed);
  const Finder finder(captions);
  std::vector<std::size_t> order(captions.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  random.shuffle(order);  // which scene is right
  using Find = std::vector<Finder::Finding> (Finder::*)(std::size_t, Random&) const;
  std::vector<Find> kinds = {&Finder::topics, &Finder::things, &Finder::activities};
  random.shuffle(kinds);
  kinds.push_back(&Finder::happenings);  // where nothing else is found: they read worst
  for (const Find find : kinds) {
    for (const std::size_t scene : order) {
      const std::vector<Finder::Finding> found = (finder.*find)(scene, random);
      if (found.empty()) continue;
      const Finder::Finding& chosen = found[random.below(found.size())];
      RuleQuestion written;
      written.question = chosen.question;
      written.answer = static_cast<int>(scene);
      written.answer_text = fmt::format("{}. {}", scene_name(written.answer), chosen.reason);
      return written;
    }
  }
  return std::nullopt;
}

}  // namespace contra4::pipeline
