// Asking a router to forward ports: what the mapper says when, and both protocols against a gateway of ours on
// loopback.
#include "runtime/port_mapper.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace ekiden::runtime {
namespace {

const identity::Endpoint kTcp{identity::Endpoint::Transport::tcp, "0.0.0.0", 7420};
const identity::Endpoint kUdp{identity::Endpoint::Transport::udp, "0.0.0.0", 7420};

/// What a mapper has said, and a way to wait for it.
class Told {
 public:
  PortMapperOptions options(std::vector<identity::Endpoint> listening) {
    PortMapperOptions options;
    options.listening = std::move(listening);
    options.mapped = [this](const identity::Endpoint& endpoint) { change([&] { mapped_.insert(endpoint.text()); }); };
    options.lost = [this](const identity::Endpoint& endpoint) { change([&] { mapped_.erase(endpoint.text()); }); };
    options.log = [this](const std::string&) { change([&] { ++lines_; }); };
    return options;
  }

  bool wait_for(const std::set<std::string>& mapped) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return mapped_ == mapped; });
  }
  bool wait_for_line() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return lines_ > 0; });
  }

 private:
  template <class Change>
  void change(Change what) {
    const std::scoped_lock lock(mutex_);
    what();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> mapped_;
  int lines_ = 0;
};

/// What a router in memory keeps; outlives it.
struct PortTable {
  std::mutex mutex;
  std::set<std::uint16_t> ports;
  bool answers = true;
  std::string address = "9.9.9.9";
};

class FakeRouter final : public Router {
 public:
  explicit FakeRouter(PortTable& table) : table_(table) {}
  std::string_view name() const override { return "fake"; }
  Result<Mapping> map(Protocol protocol, std::uint16_t port, seconds /*lifetime*/) override {
    const std::scoped_lock lock(table_.mutex);
    if (!table_.answers) return fail(Errc::timed_out, "gone");
    const auto external = static_cast<std::uint16_t>(port + (protocol == Protocol::udp ? 1 : 0));
    table_.ports.insert(external);
    return Mapping{.external = {*identity::IpAddress::parse(table_.address), external}, .lifetime = seconds(1)};
  }
  void unmap(Protocol /*protocol*/, std::uint16_t /*port*/, std::uint16_t external_port) override {
    const std::scoped_lock lock(table_.mutex);
    table_.ports.erase(external_port);
  }

 private:
  PortTable& table_;
};

PortMapperOptions with_router(PortMapperOptions options, PortTable& table) {
  options.find = {[&table]() -> Result<std::unique_ptr<Router>> { return std::make_unique<FakeRouter>(table); }};
  return options;
}

TEST(PortMapper, SaysWhatIsMappedAndTakesItBackAtTheEnd) {
  Told told;
  PortTable table;
  {
    PortMapper mapper(with_router(told.options({kTcp, kUdp}), table));
    EXPECT_TRUE(told.wait_for({"tcp://9.9.9.9:7420", "udp://9.9.9.9:7421"}));
  }
  EXPECT_TRUE(table.ports.empty());
}

TEST(PortMapper, FollowsANewAddressAndSaysWhenTheRouterIsGone) {
  Told told;
  PortTable table;
  PortMapper mapper(with_router(told.options({kTcp}), table));
  ASSERT_TRUE(told.wait_for({"tcp://9.9.9.9:7420"}));
  {
    const std::scoped_lock lock(table.mutex);
    table.address = "8.8.8.8";
  }
  EXPECT_TRUE(told.wait_for({"tcp://8.8.8.8:7420"})) << "it asks again at half of the lifetime";
  {
    const std::scoped_lock lock(table.mutex);
    table.answers = false;
  }
  EXPECT_TRUE(told.wait_for({}));
}

TEST(PortMapper, WithoutARouterItSaysSoOnce) {
  Told told;
  PortMapperOptions options = told.options({kTcp});
  options.find = {[]() -> Result<std::unique_ptr<Router>> { return fail(Errc::unreachable, "none"); }};
  PortMapper mapper(std::move(options));
  EXPECT_TRUE(told.wait_for_line());
}

TEST(PortMapper, ARouterThatIsSilentHoldsNobodyUp) {
  Told told;
  std::promise<void> answered, ended;
  PortMapperOptions options = told.options({kTcp});
  options.patience = milliseconds(1);
  options.find = {[&, go = answered.get_future().share()]() -> Result<std::unique_ptr<Router>> {
                    go.wait();
                    return fail(Errc::timed_out, "nobody");
                  },
                  [&]() -> Result<std::unique_ptr<Router>> {
                    ADD_FAILURE() << "it was stopped meanwhile";
                    return fail(Errc::timed_out, "nobody");
                  }};
  options.log = [&, keep = std::shared_ptr<void>(nullptr, [&](void*) { ended.set_value(); })](const std::string& line) {
    ADD_FAILURE() << "said after its end: " << line;
  };
  {
    PortMapper mapper(std::move(options));
  }
  answered.set_value();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(PortMapper, AsksForNothingThatIsOnLoopback) {
  EXPECT_FALSE(PortMapper::is_useful({{identity::Endpoint::Transport::tcp, "127.0.0.1", 7420},
                                      {identity::Endpoint::Transport::udp, "::1", 7420},
                                      {identity::Endpoint::Transport::wss, "0.0.0.0", 443}}));
  EXPECT_TRUE(PortMapper::is_useful({kUdp}));
}

sockaddr_in socket_address(const char* ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip, &address.sin_addr);
  return address;
}

/// A thread that serves one socket until it is destroyed.
class Server {
 public:
  Server(int kind, const char* ip, std::uint16_t port) : socket_(socket(AF_INET, kind, 0)) {
    const int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    const sockaddr_in address = socket_address(ip, port);
    is_bound_ = bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                (kind != SOCK_STREAM || listen(socket_, 4) == 0);
  }
  ~Server() {
    stop();
    close(socket_);
  }
  bool is_bound() const { return is_bound_; }
  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  template <class Serve>
  void start(Serve serve) {
    thread_ = std::jthread([this, serve](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
        if (poll(&ready, 1, 20) > 0) serve(socket_);
      }
    });
  }
  void stop() { thread_ = {}; }

 private:
  int socket_;
  bool is_bound_ = false;
  std::jthread thread_;
};

/// RFC 6886: answers with the external address 9.9.9.9, and maps each port to the one after it.
void serve_natpmp(int socket, std::atomic<int>& mapped) {
  std::array<Byte, 64> request{};
  sockaddr_in from{};
  socklen_t from_size = sizeof(from);
  const auto size = recvfrom(socket, request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
  if (size < 2) return;
  Bytes answer = {0, static_cast<Byte>(128 + request[1]), 0, 0, 0, 0, 0, 1};
  if (request[1] == 0) {
    append(answer, Bytes{9, 9, 9, 9});
  } else if (size >= 12) {
    const auto port = get_be<std::uint16_t>(ByteView(request).subspan(4));
    const auto lifetime = get_be<std::uint32_t>(ByteView(request).subspan(8));
    mapped += lifetime == 0 ? -1 : 1;
    ByteArray<8> body{};
    put_be(MutableBytes(body).first(2), port);
    put_be(MutableBytes(body).subspan(2, 2), static_cast<std::uint16_t>(port + 1));
    put_be(MutableBytes(body).last(4), lifetime);
    append(answer, body);
  }
  sendto(socket, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), from_size);
}

TEST(NatPmp, MapsAndUnmaps) {
  constexpr const char* kGateway = "127.53.51.1";
  constexpr std::uint16_t kPort = 5351;
  Server server(SOCK_DGRAM, kGateway, kPort);
  ASSERT_TRUE(server.is_bound());
  std::atomic<int> mapped = 0;
  server.start([&mapped](int socket) { serve_natpmp(socket, mapped); });
  auto router = find_natpmp_router(identity::IpAddress::parse(kGateway).value());
  ASSERT_TRUE(router) << router.error().message;
  const auto mapping = (*router)->map(Router::Protocol::udp, 7420, hours(1));
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_EQ(mapping->external.text(), "9.9.9.9:7421");
  EXPECT_EQ(mapping->lifetime, seconds(3600));
  (*router)->unmap(Router::Protocol::udp, 7420, 7421);
  EXPECT_EQ(mapped, 0);
  server.stop();
  EXPECT_FALSE((*router)->map(Router::Protocol::tcp, 7420, hours(1))) << "the gateway is gone";
}

TEST(NatPmp, WithoutAGatewayThereIsNoRouter) {
  EXPECT_FALSE(find_natpmp_router(identity::IpAddress::parse("127.53.51.2").value()));
}

std::string description_at(std::uint16_t port) {
  const std::string base = "http://127.0.0.1:" + std::to_string(port);
  return "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><URLBase>" + base +
         "</URLBase><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList>"
         "<device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device><deviceType>"
         "urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service><serviceType>"
         "urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1"
         "</serviceId><controlURL>/control</controlURL><eventSubURL>/event</eventSubURL><SCPDURL>/scpd</SCPDURL>"
         "</service></serviceList></device></deviceList></device></deviceList></device></root>";
}

std::string soap(const std::string& action, const std::string& arguments) {
  return "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:" +
         action + "Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">" + arguments + "</u:" + action +
         "Response></s:Body></s:Envelope>";
}

std::string soap_fault(int code) {
  return "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>"
         "<faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError "
         "xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>" +
         std::to_string(code) +
         "</errorCode><errorDescription>no</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>";
}

/// What the router does: `taken` are ports outside that it forwards to somebody else.
struct Igd {
  std::atomic<int> mapped = 0;
  std::atomic<int> first_taken = 0;
  std::atomic<int> last_taken = -1;
  std::atomic<int> asked = 0;

  bool is_taken(const std::string& request) const {
    const std::string head = "<NewExternalPort>";
    const int port = std::atoi(request.c_str() + request.find(head) + head.size());
    return port >= first_taken && port <= last_taken;
  }
};

/// One request, answered and closed.
void serve_upnp(int listener, std::uint16_t port, Igd& igd) {
  const int connection = accept(listener, nullptr, nullptr);
  if (connection < 0) return;
  std::string request;
  std::array<char, 4096> part{};
  while (!request.contains("</s:Envelope>") && !(request.starts_with("GET") && request.contains("\r\n\r\n"))) {
    const auto size = recv(connection, part.data(), part.size(), 0);
    if (size <= 0) break;
    request.append(part.data(), static_cast<std::size_t>(size));
  }
  std::string body = description_at(port);
  std::string status = "200 OK";
  if (request.contains("GetExternalIPAddress")) {
    body = soap("GetExternalIPAddress", "<NewExternalIPAddress>9.9.9.9</NewExternalIPAddress>");
  } else if (request.contains("AddPortMapping")) {
    ++igd.asked;
    if (igd.is_taken(request)) {
      status = "500 Internal Server Error";
      body = soap_fault(718);
    } else {
      ++igd.mapped;
      body = soap("AddPortMapping", "");
    }
  } else if (request.contains("DeletePortMapping")) {
    --igd.mapped;
    body = soap("DeletePortMapping", "");
  }
  const std::string answer =
      "HTTP/1.1 " + status +
      "\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
      body;
  send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
  close(connection);
}

class Upnp : public ::testing::Test {
 protected:
  Upnp() : server_(SOCK_STREAM, "127.0.0.1", 0) {
    EXPECT_TRUE(server_.is_bound());
    const std::uint16_t port = server_.port();
    server_.start([this, port](int socket) { serve_upnp(socket, port, igd_); });
    auto router = find_upnp_router("http://127.0.0.1:" + std::to_string(port) + "/description.xml");
    EXPECT_TRUE(router) << router.error().message;
    router_ = std::move(*router);
  }

  std::string map(std::uint16_t port) {
    const auto mapping = router_->map(Router::Protocol::tcp, port, hours(1));
    return mapping ? mapping->external.text() : mapping.error().message;
  }

  Igd igd_;
  Server server_;  ///< Its thread ends before what it uses.
  std::unique_ptr<Router> router_;
};

TEST_F(Upnp, MapsAndUnmaps) {
  EXPECT_EQ(map(7420), "9.9.9.9:7420");
  EXPECT_EQ(igd_.mapped, 1);
  router_->unmap(Router::Protocol::tcp, 7420, 7420);
  EXPECT_EQ(igd_.mapped, 0);
}

TEST_F(Upnp, AsksForAnotherPortWhereThatIsTakenAndKeepsIt) {
  igd_.first_taken = 7420;
  igd_.last_taken = 7422;
  EXPECT_EQ(map(7420), "9.9.9.9:7423");
  igd_.last_taken = -1;
  igd_.asked = 0;
  EXPECT_EQ(map(7420), "9.9.9.9:7423") << "at half of its lifetime, though the other has become free";
  EXPECT_EQ(igd_.asked, 1);
  EXPECT_EQ(map(7425), "9.9.9.9:7425") << "each for itself";
  router_->unmap(Router::Protocol::tcp, 7420, 7423);
  EXPECT_EQ(map(7420), "9.9.9.9:7420");
}

TEST_F(Upnp, GivesUpWhereAllAreTaken) {
  igd_.first_taken = 1;
  igd_.last_taken = 65'535;
  EXPECT_TRUE(map(7420).contains("port mapping")) << map(7420);
  EXPECT_EQ(igd_.asked, 17);
  igd_.last_taken = 65'534;
  EXPECT_EQ(map(65'530), "9.9.9.9:65535");
  igd_.last_taken = 65'535;
  igd_.first_taken = 1030;
  EXPECT_EQ(map(65'531), "9.9.9.9:1024") << "after the last comes the first that needs no privilege";
}

}  // namespace
}  // namespace ekiden::runtime
