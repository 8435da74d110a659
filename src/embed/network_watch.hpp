// The handler of an application for changes of the network. Of the node's thread alone.
#pragma once

#include <ekiden/network.hpp>
#include <functional>
#include <utility>

#include "embed/convert.hpp"
#include "runtime/host.hpp"

namespace ekiden::embed {

class NetworkWatch final : public runtime::Listener {
 public:
  using Handler = std::function<void(const NetworkChange&)>;

  void on_network_changed(const node::NetworkChanged& changed) override {
    if (handler_) handler_(to_network_change(changed));
  }
  void set(Handler handler) { handler_ = std::move(handler); }

 private:
  Handler handler_;
};

}  // namespace ekiden::embed
