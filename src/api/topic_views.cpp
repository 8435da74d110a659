// Topics, and what is published in them, in JSON.
#include "api/views.hpp"

namespace ekiden::api {

Json topics_view(const Backend& backend) {
  const node::NodeStatus status = backend.status();
  Json json = {{"discovery", status.discovery}, {"topics", Json::array()}};
  for (const gossip::TopicStatus& topic : status.topics) {
    json["topics"].push_back({{"topic", topic.name},
                              {"realm", topic.realm},
                              {"subscribers", topic.subscribers},
                              {"neighbours", topic.neighbours},
                              {"eager", topic.eager},
                              {"known_members", topic.neighbours + topic.passive},
                              {"kept", topic.history},
                              {"counters",
                               {{"published", topic.published},
                                {"delivered", topic.delivered},
                                {"copies", topic.copies},
                                {"announcements", topic.announcements},
                                {"refused", topic.refused}}}});
  }
  return json;
}

Json topic_event(const node::TopicMessage& message, const identity::ContactBook& contacts) {
  Json json = {{"kind", "topic"}, {"topic", message.topic}, {"from", message.publisher.text()}};
  if (const auto* contact = contacts.find(message.publisher)) json["from_name"] = contact->petname;
  if (!message.realm.empty()) json["realm"] = message.realm;
  json["run"] = message.run;
  json["sequence"] = message.sequence;
  json["at"] = iso_time(message.at);
  json["hops"] = message.hops;
  put_body(json, message.payload);
  return json;
}

}  // namespace ekiden::api
