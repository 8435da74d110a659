// The handlers of an application, by the topics that they subscribe to. Of the node's thread alone.
#pragma once

#include <ekiden/topic.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "embed/convert.hpp"
#include "runtime/host.hpp"

namespace ekiden::embed {

class Topics final : public runtime::Listener {
 public:
  using Handler = std::function<void(const TopicMessage&)>;

  void on_topic_message(const node::TopicMessage& message) override {
    const auto found = handlers_.find({message.realm, message.topic});
    if (found != handlers_.end()) found->second(to_topic_message(message));
  }

  /// The node has forgotten its subscriptions there: whoever enters the realm again subscribes anew.
  void on_realm_left(const std::string& realm) override {
    std::erase_if(handlers_, [&](const auto& each) { return each.first.first == realm; });
  }

  /// False if there is one.
  bool add(const std::string& realm, const std::string& topic, Handler handler) {
    return handlers_.try_emplace({realm, topic}, std::move(handler)).second;
  }
  bool remove(const std::string& realm, const std::string& topic) { return handlers_.erase({realm, topic}) != 0; }

 private:
  std::map<std::pair<std::string, std::string>, Handler> handlers_;  ///< by realm and topic
};

}  // namespace ekiden::embed
