// Names that nodes write by themselves, beside what their users put.
#pragma once

#include <string_view>

namespace ekiden::registry {

inline constexpr std::string_view kReserved = "ekiden/";
/// The peer record of the owner: whoever holds the registry reaches it without a lookup. Held and told as any entry,
/// and neither found nor listed.
inline constexpr std::string_view kRecordName = "ekiden/record";
/// What the owner offers without having put it: one entry for each capability, which is the rest of the name …
inline constexpr std::string_view kOffers = "ekiden/offer/";
/// … or, where that is too long, the rest is half its hash.
inline constexpr std::string_view kLongOffers = "ekiden/long-offer/";

inline constexpr bool is_reserved(std::string_view name) { return name.starts_with(kReserved); }

}  // namespace ekiden::registry
