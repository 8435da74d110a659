#include "registry/index.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::registry {
namespace {

constexpr ByteArray<1> kCapabilityMark = {0};
constexpr ByteArray<1> kMetadataMark = {1};
constexpr ByteArray<1> kNameMark = {2};

std::uint64_t first_half(const crypto::Digest& digest) { return get_be<std::uint64_t>(digest.view()); }

}  // namespace

Index::Term Index::capability_term(std::string_view capability) const {
  return first_half(crypto::sha256({key_, kCapabilityMark, as_bytes(capability)}));
}

Index::Term Index::name_term(std::string_view name) const {
  return first_half(crypto::sha256({key_, kNameMark, as_bytes(name)}));
}

Index::Term Index::metadata_term(const Metadata& item) const {
  const ByteArray<1> size = {static_cast<Byte>(item.key.size())};
  return first_half(crypto::sha256({key_, kMetadataMark, size, as_bytes(item.key), as_bytes(item.value)}));
}

template <class Visit>
void Index::each_term(const Entry& entry, Visit&& visit) const {
  visit(name_term(entry.name));
  const std::string_view capability = entry.capability;
  for (std::size_t end = 0; end < capability.size();) {
    end = std::min(capability.find('/', end + 1), capability.size());
    visit(capability_term(capability.substr(0, end)));
  }
  for (const Metadata& item : entry.metadata) visit(metadata_term(item));
}

void Index::insert(Slot slot, const Entry& entry) {
  each_term(entry, [&](Term term) {
    Posting& posting = postings_[term];
    const auto at = std::ranges::lower_bound(posting, slot);
    if (at == posting.end() || *at != slot) posting.insert(at, slot);
  });
}

void Index::erase(Slot slot, const Entry& entry) {
  each_term(entry, [&](Term term) {
    Posting& posting = postings_[term];
    const auto at = std::ranges::lower_bound(posting, slot);
    CHECK(at != posting.end() && *at == slot);
    posting.erase(at);
    if (posting.empty()) postings_.erase(term);
  });
}

/// Goes through the rarest term and looks the others up.
std::vector<Slot> Index::find(const Query& query, Slot from, std::size_t max) const {
  std::vector<const Posting*> terms;
  if (!query.name.empty()) terms.push_back(postings_.find(name_term(query.name)));
  if (!query.capability.empty()) terms.push_back(postings_.find(capability_term(query.capability)));
  for (const Metadata& item : query.where) terms.push_back(postings_.find(metadata_term(item)));
  if (terms.empty() || std::ranges::find(terms, nullptr) != terms.end()) return {};
  std::ranges::sort(terms, {}, [](const Posting* posting) { return posting->size(); });
  const Posting& rarest = *terms.front();
  std::vector<Slot> found;
  for (auto at = std::ranges::lower_bound(rarest, from); at != rarest.end() && found.size() < max; ++at) {
    const bool in_all = std::all_of(terms.begin() + 1, terms.end(),
                                    [&](const Posting* posting) { return std::ranges::binary_search(*posting, *at); });
    if (in_all) found.push_back(*at);
  }
  return found;
}

}  // namespace ekiden::registry
