// The page that a data set is met with: README.md with the header that the Hugging Face hub reads.
#pragma once

#include <string>

#include "contra4/report/dataset_facts.h"

namespace contra4::report {

// YAML header and Markdown page: what it is, how it was made, counts, composition, what rules get
// that see nothing, sources and licences, limitations, how to load it, citation. What the manifests
// want known stands at the top. Depends on `facts` alone.
std::string dataset_card(const DatasetFacts& facts);

}  // namespace contra4::report
