#include "websocket_scripts.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "websocket_server.hpp"

namespace ekiden::vectors {
namespace {

using runtime::CloseCode;
using runtime::Opcode;

/// How the octets of the frames come: all at once, frame by frame, one by one.
enum class Chop : Byte { none, frames, octets };

struct Script {
  std::vector<Bytes> frames;
  Chop chop = Chop::none;
  Bytes carried = {};                 ///< if the case breaks nothing
  std::vector<Bytes> pongs = {};      ///< their payloads
  std::size_t pongs_before_last = 0;  ///< at least so many have to be sent before the last piece comes
};

using Scripts = std::map<std::string, Script>;

Bytes octets(std::string_view words) { return to_bytes(as_bytes(words)); }
Bytes ping(const Bytes& payload) { return client_frame(0x89, payload); }
Bytes pong(const Bytes& payload) { return client_frame(0x8a, payload); }
Bytes message(const Bytes& payload) { return client_frame(0x82, payload); }
Bytes first_of(const Bytes& payload) { return client_frame(0x02, payload); }
Bytes next_of(const Bytes& payload) { return client_frame(0x00, payload); }
Bytes last_of(const Bytes& payload) { return client_frame(0x80, payload); }
Bytes close(CloseCode code, std::string_view reason = "") {
  return client_frame(0x88, runtime::close_payload(code, reason));
}

void add_pings(Scripts& scripts) {
  const Bytes binary = {0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff};
  const Bytes longest(runtime::kMaxControlPayload, 0xfe);
  const Bytes too_long(runtime::kMaxControlPayload + 1, 0xfe);
  scripts["2.1"] = {.frames = {ping({})}, .pongs = {{}}};
  scripts["2.2"] = {.frames = {ping(octets("Hello, world!"))}, .pongs = {octets("Hello, world!")}};
  scripts["2.3"] = {.frames = {ping(binary)}, .pongs = {binary}};
  scripts["2.4"] = {.frames = {ping(longest)}, .pongs = {longest}};
  scripts["2.5"] = {.frames = {ping(too_long)}};
  scripts["2.6"] = {.frames = {ping(longest)}, .chop = Chop::octets, .pongs = {longest}};
  scripts["2.7"] = {.frames = {pong({})}};
  scripts["2.8"] = {.frames = {pong(octets("unsolicited pong payload"))}};
  scripts["2.9"] = {.frames = {pong(octets("unsolicited pong payload")), ping(octets("ping payload"))},
                    .pongs = {octets("ping payload")}};
  Script ten;
  for (int i = 0; i < 10; ++i) {
    ten.pongs.push_back(octets("payload-" + std::to_string(i)));
    ten.frames.push_back(ping(ten.pongs.back()));
  }
  scripts["2.10"] = ten;
  ten.chop = Chop::octets;
  scripts["2.11"] = ten;
}

/// The same frames, chopped in each way; the ids count from `number` on.
void add_chopped(Scripts& scripts, int number, Script script) {
  for (const Chop chop : {Chop::none, Chop::frames, Chop::octets}) {
    script.chop = chop;
    scripts["5." + std::to_string(number++)] = script;
  }
}

void add_fragments(Scripts& scripts) {
  const Bytes one = octets("fragment1");
  const Bytes two = octets("fragment2");
  const Bytes both = octets("fragment1fragment2");
  const Bytes whole = octets("Hello, world!");
  const Bytes asked = octets("ping payload");
  const Bytes nothing = octets("non-continuation payload");
  scripts["5.1"] = {.frames = {client_frame(0x09, one), last_of(two)}};
  scripts["5.2"] = {.frames = {client_frame(0x0a, one), last_of(two)}};
  add_chopped(scripts, 3, {.frames = {first_of(one), last_of(two)}, .carried = both});
  add_chopped(scripts, 6, {.frames = {first_of(one), ping(asked), last_of(two)}, .carried = both, .pongs = {asked}});
  add_chopped(scripts, 9, {.frames = {last_of(nothing), message(whole)}});
  add_chopped(scripts, 12, {.frames = {next_of(nothing), message(whole)}});
  scripts["5.15"] = {.frames = {first_of(one), last_of(two), next_of(nothing), message(whole)}};
  scripts["5.16"] = {.frames = {next_of(nothing), first_of(one), last_of(two)}};
  scripts["5.17"] = {.frames = {last_of(nothing), first_of(one), last_of(two)}};
  scripts["5.18"] = {.frames = {first_of(one), message(two)}};
  const Bytes five = octets("fragment1fragment2fragment3fragment4fragment5");
  const auto part = [&](std::size_t i) { return to_bytes(ByteView(five).subspan(9 * i, 9)); };
  Script slow{.frames = {first_of(part(0)), next_of(part(1)), ping(octets("pongme 1!")), next_of(part(2)),
                         next_of(part(3)), ping(octets("pongme 2!")), last_of(part(4))},
              .chop = Chop::frames,
              .carried = five,
              .pongs = {octets("pongme 1!"), octets("pongme 2!")},
              .pongs_before_last = 2};
  scripts["5.19"] = slow;
  slow.chop = Chop::octets;
  slow.pongs_before_last = 0;
  scripts["5.20"] = slow;
}

void add_closes(Scripts& scripts) {
  const Bytes whole = octets("Hello World!");
  const Bytes good_bye = close(CloseCode::normal);
  const Bytes invalid = {0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce,
                         0xb5, 0xed, 0xa0, 0x80, 0x65, 0x64, 0x69, 0x74, 0x65, 0x64};
  const std::size_t longest = runtime::kMaxControlPayload - 2;
  scripts["7.1.1"] = {.frames = {message(whole), good_bye}, .carried = whole};
  scripts["7.1.2"] = {.frames = {good_bye, good_bye}};
  scripts["7.1.3"] = {.frames = {good_bye, ping({})}};
  scripts["7.1.4"] = {.frames = {good_bye, message(whole)}};
  scripts["7.1.5"] = {.frames = {first_of(octets("fragment1")), good_bye, last_of(octets("fragment2"))},
                      .carried = octets("fragment1")};
  const Bytes much(256 * 1024, 'B');
  scripts["7.1.6"] = {.frames = {message(much), good_bye, ping({})}, .carried = much};
  scripts["7.3.1"] = {.frames = {client_frame(0x88, {})}};
  scripts["7.3.2"] = {.frames = {client_frame(0x88, octets("a"))}};
  scripts["7.3.3"] = {.frames = {good_bye}};
  scripts["7.3.4"] = {.frames = {close(CloseCode::normal, "Hello World!")}};
  scripts["7.3.5"] = {.frames = {close(CloseCode::normal, std::string(longest, '*'))}};
  scripts["7.3.6"] = {.frames = {close(CloseCode::normal, std::string(longest + 1, '*'))}};
  scripts["7.5.1"] = {.frames = {close(CloseCode::normal, as_text(invalid))}};
}

const Scripts& scripts() {
  static const Scripts all = [] {
    Scripts made;
    add_pings(made);
    add_fragments(made);
    add_closes(made);
    return made;
  }();
  return all;
}

Heard play(const Script& script) {
  std::vector<Bytes> pieces = script.frames;
  const auto is_close = [](const Bytes& frame) { return frame[0] == 0x88; };
  if (std::ranges::none_of(pieces, is_close)) pieces.push_back(close(CloseCode::normal));
  if (script.chop == Chop::none) {
    Bytes all;
    for (const Bytes& frame : pieces) append(all, frame);
    pieces = {all};
  }
  return hear(pieces, script.chop == Chop::octets ? 1 : SIZE_MAX);
}

std::vector<Bytes> payloads(const Heard& heard, Opcode opcode) {
  std::vector<Bytes> found;
  for (const runtime::Frame& frame : heard.said) {
    if (frame.opcode() == opcode) found.push_back(frame.payload);
  }
  return found;
}

Status judge(const Script& script, bool breaks) {
  const Heard heard = play(script);
  EKIDEN_TRY(expect(payloads(heard, Opcode::pong) == script.pongs, "the pongs are others"));
  if (breaks) return expect_broken(heard);
  EKIDEN_TRY(expect(heard.payload == script.carried, "the bytes that it carries are others"));
  EKIDEN_TRY(expect(heard.said_before_last >= script.pongs_before_last, "a ping was answered too late"));
  EKIDEN_TRY(expect(payloads(heard, Opcode::close).size() == 1, "not closed once"));
  EKIDEN_TRY(expect(heard.said.back().opcode() == Opcode::close, "something was said behind the close"));
  return expect(heard.answered() == CloseCode::normal && heard.end && heard.end->code == Errc::closed,
                "not a clean end");
}

}  // namespace

std::optional<Status> run_script(const std::string& id, const std::string& expectation) {
  const auto found = scripts().find(id);
  if (found == scripts().end()) return std::nullopt;
  const auto says = [&](std::string_view words) { return expectation.find(words) != std::string::npos; };
  return judge(found->second, says("failed immediately") || says("protocol error"));
}

}  // namespace ekiden::vectors
