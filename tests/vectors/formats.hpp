// The formats of vector files that this program reads. Each has a source file of its own.
//
// A format is recognised by what is in a file, not by its name, so that files of the same kind from elsewhere work too.
#pragma once

#include <span>

#include "report.hpp"
#include "vector_file.hpp"

namespace ekiden::vectors {

struct Format {
  bool (*recognises)(const VectorFile&);
  void (*run)(const VectorFile&, Report&);
};

extern const Format kWycheproof;      ///< C2SP/wycheproof: X25519, Ed25519, AES-GCM, HKDF, HMAC.
extern const Format kHkdfRfc;         ///< RFC 5869 appendix A as "key = value" text.
extern const Format kNoise;           ///< The vector format of the Noise community (cacophony, snow, noise-c).
extern const Format kCborAppendix;    ///< RFC 8949 appendix A as JSON.
extern const Format kCborWg;          ///< cbor-wg/cbor-test-vectors, flattened to JSON.
extern const Format kCborMalformed;   ///< RFC 8949 appendix F as JSON.
extern const Format kCoseWg;          ///< cose-wg/Examples.
extern const Format kGluecose;        ///< gluecose/test-vectors.
extern const Format kAddresses;       ///< Address ranges that are never dialled for a remote record.
extern const Format kUtf8;            ///< Byte sequences that are or are not UTF-8.
extern const Format kWebSocketCases;  ///< Autobahn's list of cases.
extern const Format kHttpRequests;    ///< llhttp's requests, in Markdown.
extern const Format kForeign;         ///< Formats we know and have nothing to run them on; files without vectors.

/// All of them; the first one that recognises a file runs it. The last one recognises everything.
std::span<const Format* const> formats();

}  // namespace ekiden::vectors
