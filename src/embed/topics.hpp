// The handlers of an application, by the topics that they subscribe to. Of the node's thread alone.
#pragma once

#include <ekiden/topic.hpp>
#include <functional>
#include <map>
#include <string>

#include "embed/convert.hpp"
#include "runtime/host.hpp"

namespace ekiden::embed {

class Topics final : public runtime::Listener {
 public:
  using Handler = std::function<void(const TopicMessage&)>;

  void on_topic_message(const node::TopicMessage& message) override {
    const auto found = handlers_.find(message.topic);
    if (found != handlers_.end()) found->second(to_topic_message(message));
  }

  /// False if there is one.
  bool add(const std::string& topic, Handler handler) {
    return handlers_.try_emplace(topic, std::move(handler)).second;
  }
  bool remove(const std::string& topic) { return handlers_.erase(topic) != 0; }

 private:
  std::map<std::string, Handler> handlers_;
};

}  // namespace ekiden::embed
