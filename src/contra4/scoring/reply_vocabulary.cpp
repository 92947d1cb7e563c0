#include "contra4/scoring/reply_vocabulary.h"

#include <array>
#include <unordered_map>

namespace contra4::scoring {

namespace {

constexpr std::array kWords = {
    // What is chosen from.
    WordEntry{"scene", kNoun | kFiller | kField},
    WordEntry{"scenes", kNoun | kFiller},
    WordEntry{"option", kNoun | kFiller | kField},
    WordEntry{"options", kNoun | kFiller},
    WordEntry{"choice", kNoun | kAnswerNoun | kFiller | kField},
    WordEntry{"choices", kNoun | kFiller},
    WordEntry{"candidate", kNoun | kFiller},
    WordEntry{"alternative", kNoun | kFiller},
    WordEntry{"letter", kNoun | kFiller | kField},
    WordEntry{"label", kFiller | kField},
    WordEntry{"szene", kNoun | kFiller},
    WordEntry{"sz\xc3\xa8ne", kNoun | kFiller},
    WordEntry{"sc\xc3\xa8ne", kNoun | kFiller},
    WordEntry{"escena", kNoun | kFiller},
    WordEntry{"cena", kNoun | kFiller},
    WordEntry{"scena", kNoun | kFiller},
    WordEntry{"opci\xc3\xb3n", kNoun | kFiller},
    WordEntry{"op\xc3\xa7\xc3\xa3o", kNoun | kFiller},
    WordEntry{"opzione", kNoun | kFiller},
    WordEntry{"\xd1\x81\xd1\x86\xd0\xb5\xd0\xbd\xd0\xb0", kNoun | kFiller},
    WordEntry{"\xd0\xa1\xd1\x86\xd0\xb5\xd0\xbd\xd0\xb0", kNoun | kFiller},
    // What says that the answer comes.
    WordEntry{"answer", kAnswerNoun | kField},
    WordEntry{"prediction", kAnswerNoun | kField},
    WordEntry{"selection", kAnswerNoun | kField},
    WordEntry{"conclusion", kAnswerNoun},
    WordEntry{"solution", kAnswerNoun},
    WordEntry{"response", kAnswerNoun | kField},
    WordEntry{"antwort", kAnswerNoun | kField},
    WordEntry{"r\xc3\xa9ponse", kAnswerNoun | kField},
    WordEntry{"respuesta", kAnswerNoun | kField},
    WordEntry{"resposta", kAnswerNoun | kField},
    WordEntry{"risposta", kAnswerNoun | kField},
    WordEntry{"\xd0\xbe\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82", kAnswerNoun | kField},
    WordEntry{"\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82", kAnswerNoun | kField},
    WordEntry{"boxed", kAnswerNoun | kFinal},
    WordEntry{"final", kFiller | kFinal},
    WordEntry{"correct", kAdjective | kFiller},
    WordEntry{"right", kAdjective | kFiller},
    WordEntry{"best", kAdjective | kFiller},
    WordEntry{"chosen", kAdjective | kFiller},
    WordEntry{"selected", kAdjective | kChooseVerb | kFiller},
    WordEntry{"preferred", kAdjective | kFiller},
    WordEntry{"choose", kChooseVerb},
    WordEntry{"chose", kChooseVerb},
    WordEntry{"choosing", kChooseVerb},
    WordEntry{"pick", kChooseVerb},
    WordEntry{"picked", kChooseVerb},
    WordEntry{"select", kChooseVerb},
    WordEntry{"opt", kChooseVerb},
    WordEntry{"go", kChooseVerb},
    WordEntry{"therefore", kConclusion | kFiller | kConnector},
    WordEntry{"thus", kConclusion | kFiller | kConnector},
    WordEntry{"hence", kConclusion | kFiller | kConnector},
    WordEntry{"consequently", kConclusion | kFiller | kConnector},
    WordEntry{"so", kConclusion | kConnector},
    WordEntry{"think", kConclusion},
    WordEntry{"believe", kConclusion},
    WordEntry{"guess", kConclusion},
    WordEntry{"say", kConclusion},
    WordEntry{"it's", kConclusion | kFiller | kConnector},
    WordEntry{"that's", kConclusion | kConnector},
    // Between cue and letter.
    WordEntry{"is", kCopula | kFiller | kConnector},
    WordEntry{"was", kCopula | kFiller | kConnector},
    WordEntry{"be", kCopula | kFiller},
    WordEntry{"are", kCopula | kConnector},
    WordEntry{"ist", kCopula | kFiller | kConnector},
    WordEntry{"lautet", kCopula | kFiller | kConnector},
    WordEntry{"est", kCopula | kFiller | kConnector},
    WordEntry{"es", kCopula | kFiller | kConnector},
    WordEntry{"\xc3\xa9", kCopula | kFiller | kConnector},
    WordEntry{"\xc3\xa8", kCopula | kFiller | kConnector},
    WordEntry{"would", kFiller | kConnector},
    WordEntry{"should", kFiller | kConnector},
    WordEntry{"must", kFiller | kConnector},
    WordEntry{"will", kFiller | kConnector},
    WordEntry{"has", kConnector},
    WordEntry{"the", kFiller | kConnector},
    WordEntry{"my", kFiller},
    WordEntry{"number", kFiller},
    WordEntry{"likely", kFiller},
    WordEntry{"most", kFiller},
    WordEntry{"probably", kFiller},
    WordEntry{"clearly", kFiller},
    WordEntry{"definitely", kFiller},
    WordEntry{"obviously", kFiller},
    WordEntry{"indeed", kFiller},
    WordEntry{"simply", kFiller},
    WordEntry{"that", kFiller | kConnector},
    WordEntry{"it", kFiller | kConnector},
    WordEntry{"with", kFiller | kConnector},
    WordEntry{"for", kFiller | kConnector | kReason},
    WordEntry{"die", kFiller},
    WordEntry{"la", kFiller},
    // After a letter.
    WordEntry{"because", kConnector | kReason},
    WordEntry{"since", kConnector | kReason},
    WordEntry{"as", kConnector | kReason},
    WordEntry{"due", kConnector | kReason},
    WordEntry{"given", kConnector | kReason},
    WordEntry{"based", kConnector | kReason},
    WordEntry{"where", kConnector | kReason},
    WordEntry{"weil", kConnector | kReason},
    WordEntry{"car", kReason},
    WordEntry{"porque", kConnector | kReason},
    WordEntry{"this", kConnector},
    WordEntry{"in", kConnector},
    WordEntry{"which", kConnector},
    WordEntry{"while", kConnector},
    WordEntry{"but", kConnector},
    WordEntry{"shows", kConnector},
    WordEntry{"depicts", kConnector},
    WordEntry{"features", kConnector},
    WordEntry{"contains", kConnector},
    WordEntry{"involves", kConnector},
    WordEntry{"includes", kConnector},
    WordEntry{"describes", kConnector},
    WordEntry{"seems", kConnector},
    WordEntry{"appears", kConnector},
    WordEntry{"sounds", kConnector},
    WordEntry{"looks", kConnector},
    WordEntry{"explanation", kConnector | kReason},
    WordEntry{"reason", kConnector | kReason},
    WordEntry{"reasoning", kConnector | kReason},
    WordEntry{"rather", kConnector | kContrast},
    WordEntry{"instead", kConnector | kContrast},
    WordEntry{"over", kConnector | kContrast},
    WordEntry{"not", kConnector | kContrast | kNegation},
    WordEntry{"isn't", kConnector | kNegation},
    WordEntry{"neither", kNobody | kNegation},
    WordEntry{"nor", kNegation | kConnector},
    WordEntry{"than", kNegation | kConnector},
    WordEntry{"except", kNegation | kConnector},
    WordEntry{"unlike", kNegation | kConnector},
    WordEntry{"don't", kNegation},
    WordEntry{"wouldn't", kNegation},
    WordEntry{"never", kNegation},
    WordEntry{"and", kConjunction | kConnector},
    WordEntry{"or", kConjunction | kConnector},
    WordEntry{"vs", kConjunction | kConnector},
    WordEntry{"versus", kConjunction | kConnector},
    WordEntry{"und", kConjunction | kConnector},
    WordEntry{"oder", kConjunction | kConnector},
    WordEntry{"et", kConjunction | kConnector},
    WordEntry{"ou", kConjunction | kConnector},
    // Answers that are no scene.
    WordEntry{"none", kNobody},
    WordEntry{"null", kNobody},
    WordEntry{"unknown", kNobody},
    WordEntry{"unclear", kNobody},
    WordEntry{"uncertain", kNobody},
    WordEntry{"undetermined", kNobody},
    WordEntry{"cannot", kNobody},
    WordEntry{"can't", kNobody},
    WordEntry{"impossible", kNobody},
    WordEntry{"both", kEverybody},
    WordEntry{"all", kEverybody},
    WordEntry{"either", kEverybody},
    WordEntry{"if", kCondition | kConnector},
    WordEntry{"whether", kCondition},
    WordEntry{"when", kCondition | kConnector},
    WordEntry{"unless", kCondition | kConnector},
    WordEntry{"to", kActor | kFiller},
    WordEntry{"can", kActor | kConnector},
    WordEntry{"could", kActor | kConnector},
    WordEntry{"please", kActor},
    WordEntry{"i", kActor},
    WordEntry{"we", kActor},
    WordEntry{"you", kActor},
    // Counted scenes.
    WordEntry{"first", kOrdinal, 1},
    WordEntry{"second", kOrdinal, 2},
    WordEntry{"third", kOrdinal, 3},
    WordEntry{"fourth", kOrdinal, 4},
    WordEntry{"1st", kOrdinal, 1},
    WordEntry{"2nd", kOrdinal, 2},
    WordEntry{"3rd", kOrdinal, 3},
    WordEntry{"4th", kOrdinal, 4},
    WordEntry{"one", kNumber, 1},
    WordEntry{"two", kNumber, 2},
    WordEntry{"three", kNumber, 3},
    WordEntry{"four", kNumber, 4},
};

struct Ideograph {
  std::string_view part;
  std::uint32_t classes;
};

// Simplified and traditional Chinese, Japanese, Korean.
constexpr std::array kIdeographs = {
    Ideograph{"\xe7\xad\x94\xe6\xa1\x88", kAnswerNoun | kField},  // answer
    Ideograph{"\xe7\xad\x94\xe3\x81\x88", kAnswerNoun | kField},  // answer
    Ideograph{"\xec\xa0\x95\xeb\x8b\xb5", kAnswerNoun | kField},  // answer
    Ideograph{"\xeb\x8b\xb5\xeb\xb3\x80", kAnswerNoun | kField},  // answer
    Ideograph{"\xe9\x80\x89\xe6\x8b\xa9", kChooseVerb},           // choose
    Ideograph{"\xe9\x81\xb8\xe6\x93\x87", kChooseVerb},           // choose
    Ideograph{"\xe5\x9b\xa0\xe4\xb8\xba", kReason | kConnector},  // because
    Ideograph{"\xe5\x9b\xa0\xe7\x82\xba", kReason | kConnector},  // because
    Ideograph{"\xe4\xb8\x8d\xe6\x98\xaf", kNegation},             // is not
};

}  // namespace

const WordEntry* find_word(std::string_view lower) {
  static const std::unordered_map<std::string_view, const WordEntry*> by_word = [] {
    std::unordered_map<std::string_view, const WordEntry*> table;
    for (const WordEntry& entry : kWords) table.emplace(entry.word, &entry);
    return table;
  }();
  const auto found = by_word.find(lower);
  return found == by_word.end() ? nullptr : found->second;
}

std::uint32_t ideograph_classes(std::string_view run) {
  std::uint32_t classes = 0;
  for (const Ideograph& ideograph : kIdeographs) {
    if (run.find(ideograph.part) != std::string_view::npos) classes |= ideograph.classes;
  }
  return classes;
}

}  // namespace contra4::scoring
