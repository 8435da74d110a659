#include "link/record.hpp"

#include "base/check.hpp"

namespace ekiden::link {

Status RecordWriter::seal(Bytes& buffer) {
  CHECK(buffer.size() >= kRecordHeader && buffer.size() <= kRecordHeader + kMaxRecordPlaintext);
  const auto plaintext_size = buffer.size() - kRecordHeader;
  buffer.resize(buffer.size() + crypto::kTagSize);
  put_be(buffer, static_cast<std::uint16_t>(plaintext_size + crypto::kTagSize));
  const auto body = MutableBytes(buffer).subspan(kRecordHeader);
  return cipher_.encrypt(body.first(plaintext_size), body);
}

Result<SharedBytes> RecordReader::open(ByteView ciphertext) {
  auto plaintext = buffers_.take(ciphertext.size() - crypto::kTagSize);
  EKIDEN_TRY(cipher_.decrypt(ciphertext, *plaintext));
  return plaintext;
}

Result<SharedBytes> RecordReader::next(ByteView& input) {
  const auto header = pieces_.peek(input, kRecordHeader);
  if (!header) return nullptr;
  const std::size_t size = get_be<std::uint16_t>(*header);
  if (size < crypto::kTagSize) return fail(Errc::malformed, "a record is shorter than its 16-byte tag");
  const auto record = pieces_.take(input, kRecordHeader + size);
  if (!record) return nullptr;
  auto plaintext = open(record->subspan(kRecordHeader));
  pieces_.release();
  return plaintext;
}

}  // namespace ekiden::link
