// Requests to serve() over a FakeBackend, without a server.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "api/json.hpp"
#include "api/service.hpp"
#include "unit/api/support/fake_backend.hpp"

namespace ekiden::api::test {

struct Answer {
  int status = 0;
  Json json;
  Response response;
};

class ServiceFixture : public testing::Test {
 protected:
  Answer ask(std::string_view method, std::string_view path, const std::string& body = "") {
    const auto target = *parse_target(path);
    const auto route = find_route(method, target);
    Answer answer;
    if (std::holds_alternative<Response>(route)) {
      answer.response = std::get<Response>(route);
    } else {
      serve(backend_, std::get<Route>(route), target, body,
            [&](Response response) { answer.response = std::move(response); });
    }
    answer.status = answer.response.status;
    if (!answer.response.body.empty()) answer.json = *parse_json(answer.response.body);
    return answer;
  }

  std::string detail(const Answer& answer) { return answer.json.value("detail", ""); }

  FakeBackend backend_;
  const std::string bob_ = identity_of(2).id().text();
};

}  // namespace ekiden::api::test
