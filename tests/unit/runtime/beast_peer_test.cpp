// Boost.Beast's WebSocket as the other side, on a socket of its own and with all its habits: extensions that it offers,
// fragments, closes with a reason.
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "unit/runtime/web_fixture.hpp"

namespace ekiden::runtime {
namespace {

namespace websocket = boost::beast::websocket;

class BeastPeerTest : public WebTest {
 protected:
  using Peer = websocket::stream<Socket>;

  void read(Peer& peer) {
    peer.async_read(buffer_, [this, &peer](ErrorCode error, std::size_t /*size*/) {
      peer_error_ = error;
      if (!error) read(peer);
    });
  }

  std::string got() const {
    const auto data = buffer_.cdata();
    return {static_cast<const char*>(data.data()), data.size()};
  }

  std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }

  boost::beast::flat_buffer buffer_;
  ErrorCode peer_error_;
};

TEST_F(BeastPeerTest, AClientOfBeastIsServed) {
  const auto at = listen("ws://127.0.0.1:0");
  Peer peer(loop_);
  peer.next_layer().connect({asio::ip::address_v4::loopback(), at.port});
  websocket::permessage_deflate offer;
  offer.client_enable = true;
  peer.set_option(offer);
  websocket::response_type response;
  bool open = false;
  peer.async_handshake(response, "h", "/ekiden/1", [&](ErrorCode error) { open = !error; });
  ASSERT_TRUE(run_until([&] { return open; }));
  EXPECT_EQ(response.count("Sec-WebSocket-Extensions"), 0U);
  read(peer);
  peer.binary(true);
  peer.auto_fragment(true);
  peer.write_buffer_bytes(1000);
  const Bytes much = pattern(100'000);
  bool written = false;
  peer.async_write(asio::buffer(much), [&](ErrorCode error, std::size_t /*size*/) { written = !error; });
  server_.write(accepted(), much);
  ASSERT_TRUE(run_until(
      [&] { return written && server_.received[accepted()].size() == much.size() && buffer_.size() == much.size(); }));
  EXPECT_EQ(server_.received[accepted()], much);
  EXPECT_EQ(got(), text(much));

  std::string pong;
  peer.control_callback([&](websocket::frame_type type, boost::beast::string_view payload) {
    if (type == websocket::frame_type::pong) pong = std::string(payload.data(), payload.size());
  });
  peer.async_ping("beat", [](ErrorCode /*error*/) {});
  ASSERT_TRUE(run_until([&] { return pong == "beat"; }));
  server_.tcp.hang_up(accepted());
  ASSERT_TRUE(run_until([&] { return static_cast<bool>(peer_error_); }));
  EXPECT_EQ(peer_error_, websocket::error::closed);
  EXPECT_EQ(peer.reason().code, websocket::close_code::normal);
}

TEST_F(BeastPeerTest, AServerOfBeastIsDialled) {
  Acceptor acceptor(loop_, {asio::ip::address_v4::loopback(), 0});
  client_.tcp.dial(kConn, endpoint("ws://localhost:" + std::to_string(acceptor.local_endpoint().port())));
  std::unique_ptr<Peer> peer;
  bool open = false;
  acceptor.async_accept([&](ErrorCode /*error*/, Socket socket) {
    peer = std::make_unique<Peer>(std::move(socket));
    peer->async_accept([&](ErrorCode error) { open = !error; });
  });
  ASSERT_TRUE(run_until([&] { return open && !client_.connected.empty(); }));
  read(*peer);
  const Bytes much = pattern(300'000);
  client_.write(kConn, much);
  ASSERT_TRUE(run_until([&] { return buffer_.size() == much.size(); }));
  EXPECT_EQ(got(), text(much));
  EXPECT_TRUE(peer->got_binary());
  peer->binary(true);
  peer->async_write(asio::buffer(much), [](ErrorCode /*error*/, std::size_t /*size*/) {});
  ASSERT_TRUE(run_until([&] { return client_.received[kConn].size() == much.size(); }));
  EXPECT_EQ(client_.received[kConn], much);
  bool closed = false;
  peer->async_close({websocket::close_code::going_away, "so long"}, [&](ErrorCode error) { closed = !error; });
  ASSERT_TRUE(run_until([&] { return closed && client_.closed.contains(kConn); }));
  EXPECT_TRUE(mentions(client_.closed[kConn], "so long")) << client_.closed[kConn].message;
}

}  // namespace
}  // namespace ekiden::runtime
