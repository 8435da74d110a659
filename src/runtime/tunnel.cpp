#include "runtime/tunnel.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::runtime {

Tunnel::Tunnel(std::unique_ptr<Stream> below, const Proxy& proxy, const std::string& authority)
    : below_(std::move(below)),
      name_("the proxy " + proxy.text()),
      opening_("the answer of " + name_),
      has_credentials_(proxy.credentials.has_value()),
      request_(connect_request(authority, proxy.credentials)) {}

Result<Wait> Tunnel::open(MutableBytes buffer) {
  while (sent_ < request_.size()) {
    auto outcome = below_->write(as_bytes(request_).subspan(sent_));
    if (outcome.end) return proxy_error(std::move(*outcome.end));
    if (outcome.blocked) return Wait::writable;
    sent_ += outcome.bytes;
  }
  while (!head_.whole()) {
    auto got = below_->read(buffer.first(std::min(buffer.size(), kMaxHead)));
    if (got.end) return proxy_error(std::move(*got.end));
    if (got.taken == 0) return Wait::readable;
    const auto used = head_.take(got.bytes);
    if (!used) return proxy_error(used.error());
    if (head_.whole()) EKIDEN_TRY(on_answer(got.bytes.subspan(*used)));
  }
  return Wait::nothing;
}

Status Tunnel::on_answer(ByteView behind) {
  if (auto status = check_connect_answer(head_.text(), has_credentials_); !status) {
    return fail(status.error().code, name_ + " " + status.error().message);
  }
  if (!behind.empty()) return fail(Errc::malformed, name_ + " sent more than its answer to CONNECT");
  return {};
}

std::unexpected<Error> Tunnel::proxy_error(Error why) const { return fail(name_, std::move(why)); }

}  // namespace ekiden::runtime
