// How a link comes to be: the handshake, up to the first record of the other side.
#include <utility>

#include "base/check.hpp"
#include "link/link.hpp"

namespace ekiden::link {

Link::Link(Now now, const Config& config, Handshake handshake)
    : config_(&config),
      initiator_(handshake.is_initiator()),
      handshake_(std::make_unique<Handshake>(std::move(handshake))),
      started_(now.mono),
      last_received_(now.mono),
      idle_timeout_(config.idle_timeout),
      last_message_(now.mono),
      output_moved_(now.mono),
      record_began_(now.mono),
      close_began_(now.mono),
      key_since_(now.mono) {}

std::unique_ptr<Link> Link::dial(Now now, const Config& config, LocalParty& local, const identity::PeerId& wanted,
                                 const std::optional<crypto::X25519PublicKey>& noise_key,
                                 const ByteArray<32>& entropy) {
  Bytes first_bytes;
  auto handshake = Handshake::dial(local, wanted, noise_key, entropy, first_bytes);
  std::unique_ptr<Link> link(new Link(now, config, std::move(handshake)));
  link->output_ = std::move(first_bytes);
  return link;
}

std::unique_ptr<Link> Link::accept(Now now, const Config& config, LocalParty& local, const ByteArray<32>& entropy) {
  return std::unique_ptr<Link>(new Link(now, config, Handshake::accept(local, entropy)));
}

void Link::receive_handshake(Now now, ByteView& input) {
  if (auto status = handshake_->receive(now.wall, input, output_); !status) {
    handshake_.reset();
    why_ = std::move(status).error();
    stage_ = Stage::over;  // A refusal may wait in the output.
    close_began_ = now.mono;
    return;
  }
  if (handshake_->is_finished()) finish_handshake(now);
}

void Link::finish_handshake(Now now) {
  auto ciphers = handshake_->ciphers();
  writer_.emplace(std::move(ciphers.send));
  reader_.emplace(std::move(ciphers.receive), handshake_->buffers());
  name_ = handshake_->hash();
  auto remote = handshake_->take_remote();
  handshake_.reset();
  key_since_ = now.mono;
  stage_ = Stage::confirming;
  if (!remote) {
    close(now, remote.error().tell, std::move(remote.error().why));
    return;
  }
  peer_ = remote->id;
  remote_ = std::make_unique<RemoteParty>(std::move(*remote));
  if (initiator_) ping_to_send_ = Probe{next_token_++, wanted_};
}

void Link::confirm(Now now, Outbox<LinkEvent>& events) {
  stage_ = Stage::open;
  last_message_ = now.mono;
  events.push(LinkOpened{std::move(*remote_)});
  remote_.reset();
}

}  // namespace ekiden::link
