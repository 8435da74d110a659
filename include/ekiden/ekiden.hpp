// Ekiden: a peer-to-peer relay network for software agents. This header is the whole C++ API.
#pragma once

#include <ekiden/contact.hpp>
#include <ekiden/error.hpp>
#include <ekiden/message.hpp>
#include <ekiden/network.hpp>
#include <ekiden/node.hpp>
#include <ekiden/realm.hpp>
#include <ekiden/registry.hpp>
#include <ekiden/topic.hpp>
#include <ekiden/trace.hpp>
