#include "runtime/connector.hpp"

#include <algorithm>

namespace ekiden::runtime {

std::vector<identity::IpAddress> interleave_families(const std::vector<identity::IpAddress>& addresses) {
  std::vector<identity::IpAddress> left = addresses;
  std::vector<identity::IpAddress> ordered;
  while (!left.empty()) {
    auto next = left.begin();
    if (!ordered.empty()) {
      const auto other = std::ranges::find_if(left, [&](const auto& a) { return a.family != ordered.back().family; });
      if (other != left.end()) next = other;
    }
    ordered.push_back(*next);
    left.erase(next);
  }
  return ordered;
}

Connector::Connector(asio::io_context& loop, identity::Endpoint endpoint, identity::LearnedFrom learned_from, Done done,
                     std::vector<identity::IpAddress> only)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      learned_from_(learned_from),
      done_(std::move(done)),
      only_(std::move(only)),
      stagger_(loop) {}

void Connector::start(Resolver& resolver) {
  if (const auto address = endpoint_.address()) {
    asio::post(loop_, [self = shared_from_this(), address = *address] { self->race({address}); });
    return;
  }
  resolver.resolve(endpoint_.host, [self = shared_from_this()](Result<std::vector<identity::IpAddress>> addresses) {
    if (addresses) {
      self->race(std::move(*addresses));
    } else if (!self->only_.empty() && addresses.error().code != Errc::limit_exceeded) {
      self->finish(std::unexpected(self->leads_elsewhere()));
    } else {
      self->finish(std::unexpected(std::move(addresses).error()));
    }
  });
}

void Connector::cancel() {
  done_ = nullptr;
  stagger_.cancel();
  attempts_.clear();
}

void Connector::race(std::vector<identity::IpAddress> addresses) {
  if (!done_) return;
  if (!only_.empty()) {
    std::erase_if(addresses, [&](const auto& address) { return std::ranges::find(only_, address) == only_.end(); });
    if (addresses.empty()) return finish(std::unexpected(leads_elsewhere()));
  }
  Status refusal = fail(Errc::refused, endpoint_.host + " has no address");
  std::erase_if(addresses, [&](const identity::IpAddress& address) {
    auto allowed = identity::check_dial(address, learned_from_);
    if (!allowed) refusal = endpoint_.address() ? std::move(allowed) : fail(endpoint_.host, std::move(allowed).error());
    return !identity::may_dial(address, learned_from_);
  });
  addresses_ = interleave_families(addresses);
  if (addresses_.size() > kMaxAttempts) addresses_.resize(kMaxAttempts);
  if (addresses_.empty()) {
    finish(std::unexpected(std::move(refusal).error()));
    return;
  }
  attempts_.reserve(addresses_.size());
  try_next();
}

Error Connector::leads_elsewhere() const {
  std::string where;
  for (const identity::IpAddress& address : only_) where += (where.empty() ? "" : " or ") + address.text();
  return {Errc::not_found, endpoint_.host + " does not resolve to " + where};
}

void Connector::try_next() {
  if (!done_ || attempts_.size() == addresses_.size()) return;
  const std::size_t attempt = attempts_.size();
  const asio::ip::tcp::endpoint to(from_ip(addresses_[attempt]), endpoint_.port);
  attempts_.emplace_back(loop_);
  attempts_.back().async_connect(
      to, [self = shared_from_this(), attempt](ErrorCode error) { self->on_connected(attempt, error); });
  if (attempts_.size() == addresses_.size()) return;
  stagger_.expires_after(kStagger);
  stagger_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->try_next();
  });
}

void Connector::on_connected(std::size_t attempt, ErrorCode error) {
  if (!done_) return;
  if (!error) {
    finish(std::move(attempts_[attempt]));
    return;
  }
  ++failed_;
  if (failed_ == addresses_.size()) {
    // Who asked names the endpoint, which may be a name with several addresses.
    const std::string where = endpoint_.address() ? std::string() : addresses_[attempt].text() + ": ";
    finish(fail(Errc::unreachable, where + error.message()));
    return;
  }
  if (failed_ == attempts_.size()) {
    stagger_.cancel();
    try_next();
  }
}

void Connector::finish(Result<Socket> result) {
  if (!done_) return;
  const Done done = std::exchange(done_, nullptr);
  stagger_.cancel();
  done(std::move(result));
  attempts_.clear();
}

}  // namespace ekiden::runtime
