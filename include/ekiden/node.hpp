// A node in your own process.
//
// A Node runs on a thread of its own. All methods may be called from any thread; those that say "blocks" wait for that
// thread and must not be called from a callback. Callbacks run on the node's thread and should return soon. Warnings
// and errors go to standard error; of the levels in ekiden.toml, "info" counts as "warning" here.
#pragma once

#include <chrono>
#include <ekiden/contact.hpp>
#include <ekiden/error.hpp>
#include <ekiden/export.hpp>
#include <ekiden/message.hpp>
#include <ekiden/network.hpp>
#include <ekiden/realm.hpp>
#include <ekiden/registry.hpp>
#include <ekiden/topic.hpp>
#include <ekiden/trace.hpp>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ekiden {

struct NodeOptions {
  std::filesystem::path data_dir{};   ///< identity, settings and store; one running node a directory
  bool create = true;                 ///< make the directory and an identity if there is none
  std::vector<std::string> listen{};  ///< replaces the setting: "tcp://127.0.0.1:0"; port 0: any free
  std::string strangers{};            ///< replaces the setting: "queue", "accept" or "refuse" their messages
  bool lan = true;                    ///< false: no peers on the local network, whatever the settings say
};

class EKIDEN_EXPORT Node {
 public:
  /// Blocks until the node listens. Errors: not_found (no data directory and `create` is off), busy (another node runs
  /// there, a port is in use), storage_corrupt …
  static Result<Node> start(NodeOptions options);

  /// Ends the node gracefully; blocks, at most about five seconds.
  ~Node();
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;

  PeerId id() const;
  /// Where it listens, with real ports: "tcp://127.0.0.1:40123".
  std::vector<std::string> listening() const;

  /// Names a peer and where it may be dialled. An existing contact of that id is replaced. Blocks.
  Status add_contact(const std::string& name, const PeerId& id, const std::vector<std::string>& endpoints);

  /// Trusts a contact, which may then fill the inbox, or no longer. Blocks. Errors: not_found.
  Status trust(const PeerId& id, bool trusted);

  /// Strangers whose messages wait: nobody receives those before they are accepted. Blocks.
  std::vector<ContactRequest> contact_requests() const;

  /// Makes a stranger a contact: its messages arrive now, in order. Blocks. Errors: already_exists (the name is another
  /// contact's), invalid_argument, refused (it is blocked).
  Status accept(const PeerId& id, const std::string& name);

  /// Drops what this peer has in the inbox, and refuses it from now on. Blocks. Errors: limit_exceeded.
  Status block(const PeerId& id);

  /// Refuses it no longer. Blocks. Errors: not_found.
  Status unblock(const PeerId& id);

  /// Forgets the contact, not the messages that wait for it. Blocks. Errors: not_found.
  Status remove_contact(const PeerId& id);

  /// All of them, in the order of their ids. Blocks.
  std::vector<Contact> contacts() const;

  /// Accepts a message for delivery and returns its id. Durable: when it is on disk. Blocks.
  Result<std::string> send(OutgoingMessage message);

  /// The same without waiting; `done` is called once.
  void send(OutgoingMessage message, std::function<void(Result<std::string>)> done);

  /// To the best of those who offer the capability; `message.to` is not looked at. Linked peers come first, then those
  /// that a search finds and that can be reached. Blocks. Errors: not_found (nobody offers it), and those of send().
  Result<Placement> send_to_capability(const std::string& capability, OutgoingMessage message);

  /// Puts a question and waits for its answer. Blocks, for as long as its timeout. Errors: not_found (nobody offers the
  /// capability); timed_out (says how far it came); failed (the other side could not do it: the message is what it
  /// says); limit_exceeded (the outbox is full).
  Result<Answer> ask(Question question);
  /// The same without waiting.
  std::future<Result<Answer>> ask_async(Question question);
  /// The same; `done` is called once.
  void ask(Question question, std::function<void(Result<Answer>)> done);

  /// What answers requests. An Error is told to the asker, as `failed` with its message.
  using Handler = std::function<Result<Reply>(const Request&)>;
  /// Offers the capability from now on and answers its requests with `handler`, which runs on `concurrency` threads
  /// made for it (1 to 64): it may block, and must itself bear being called from all of them at once. Other requests
  /// wait in the inbox. A request is gone from there once its reply was accepted: after a crash in between it comes
  /// again. Once for each capability. Blocks until the offer is on disk. Errors: invalid_argument, already_exists,
  /// limit_exceeded.
  Status serve(const std::string& capability, std::size_t concurrency, Handler handler);
  /// Withdraws the offer, and waits for the handlers that run. Requests that wait are refused. Not from a handler.
  /// Errors: not_found.
  Status stop_serving(const std::string& capability);

  /// Calls `handler` for what is published in the topic by others from now on, once each, and first for what other
  /// members still have of the last ten minutes. A topic is named like a capability: "weather/tokyo". Once for each
  /// topic. With a `realm`, among its members, until unsubscribe() or leave_realm(). Blocks. Errors: invalid_argument
  /// (not a topic), already_exists, limit_exceeded, not_found (this node is not in the realm).
  Status subscribe(const std::string& topic, std::function<void(const TopicMessage&)> handler,
                   const std::string& realm = {});
  /// The handler is not called again once this has returned. Blocks. Errors: not_found (also: the realm was left).
  Status unsubscribe(const std::string& topic, const std::string& realm = {});
  /// Publishes in the topic, at most 16 KiB: all who subscribe hear it, once; those who are away for longer than ten
  /// minutes miss it. Blocks, up to ten seconds if there is no other member. Errors: invalid_argument, too_large,
  /// limit_exceeded, busy (the node is starting), not_found (this node is not in the realm).
  Result<Publication> publish(const std::string& topic, const std::string& body, const std::string& realm = {});

  /// Puts an entry in the registry, or changes it: all nodes that hold the registry have it soon, and those on the
  /// other side of a split when it is over. Blocks until it is on disk. Errors: invalid_argument, not_found (no such
  /// shared name; this node is not in the realm), refused (not a writer of it; the clock is wrong), too_large,
  /// limit_exceeded, unsupported (this node holds no registry), closed (the realm was left meanwhile).
  Status put(NewEntry entry);
  /// Removes an entry of this node, everywhere; with `owner`, what it wrote under a shared name of somebody else.
  /// With a `realm`, from the registry of that. Blocks until that is on disk. Errors: not_found, refused, unsupported.
  Status remove(const std::string& name, const std::optional<PeerId>& owner = std::nullopt,
                const std::string& realm = {});
  /// What this node has heard of that matches; nobody is asked. Nothing, of a realm that it is not in. Blocks.
  std::vector<RegistryEntry> entries(const RegistryQuery& query = {}) const;
  /// Calls `handler` when what stands under a name may have changed, on the node's thread: it must not block, nor call
  /// what blocks. Of the registry of all nodes; with a `realm`, of that one's alone, also if this node enters it only
  /// later. In place of an earlier one of the same registry; an empty one ends that, which is not called again once
  /// this has returned. Blocks.
  void watch(std::function<void(const PeerId& owner, const std::string& name)> handler, const std::string& realm = {});

  /// Enters a realm from now on, also after a restart: an open one by its name, a closed one by an invitation, which
  /// also takes the place of an older one of the same realm. Being in it already is fine. Blocks until that is on disk.
  /// Errors, which never quote an invitation: malformed (an invitation that is mistyped), invalid_argument (no name of
  /// a realm), already_exists (this node is in another realm of that name, or has a newer key of it), limit_exceeded
  /// (it is in 16 realms).
  Status enter_realm(const std::string& name_or_invitation);
  /// Makes a closed realm, enters it, and returns the invitation to it, a secret: whoever has it is in, and can invite
  /// others. Blocks until that is on disk. Errors: invalid_argument (no name of a realm), already_exists (this node is
  /// in a realm of that name), limit_exceeded.
  Result<std::string> create_realm(const std::string& name);
  /// Gives a closed realm another key, and returns the invitation with it: who does not get it hears nothing more of
  /// the realm. What this node holds of its registry, and its own subscriptions there, stay. Blocks until that is on
  /// disk. Errors: not_found (this node is not in it), invalid_argument (it is open).
  Result<std::string> change_realm_key(const std::string& name);
  /// The invitation to a closed realm that this node is in, as create_realm() and change_realm_key() return it: a
  /// secret. Blocks. Errors: not_found (this node is not in it), invalid_argument (it is open; no name of a realm).
  Result<std::string> invitation(const std::string& realm) const;
  /// Leaves a realm, and forgets what its registry says; handlers of its topics are dropped. Blocks until that is on
  /// disk. Errors: not_found (this node is not in it), invalid_argument (no name of a realm).
  Status leave_realm(const std::string& name);
  /// Those that this node is in, in the order of names. Blocks.
  std::vector<Realm> realms() const;

  /// Whether the network is whole: the changes of that since the node started, the oldest first and at most 64; the
  /// last one is how it is now, with who is on the other side. Blocks.
  std::vector<NetworkChange> network() const;
  /// Calls `handler` for each change from now on, on the node's thread: it must not block, nor call the node. In place
  /// of an earlier one; an empty one ends it, and is not called again once this has returned. Blocks.
  void on_network_change(std::function<void(const NetworkChange&)> handler);

  /// The oldest message that is neither taken nor returned before by this Node, requests and replies aside. Blocks up
  /// to `timeout`. Of volatile messages that nobody receives, at most 4,096 wait. Errors: timed_out; closed, with the
  /// reason, when a failing disk has ended the node.
  Result<Message> receive(std::chrono::milliseconds timeout);

  /// We have it: it will not be given again, not even after a restart. Blocks until that is on disk.
  Status take(const Message& message);
  /// The same without waiting.
  void take(const Message& message, std::function<void(Status)> done);

  /// Calls `handler` for each message as it arrives, instead of receive(): first for those that wait in the inbox. Call
  /// at most once.
  void on_message(std::function<void(const Message&)> handler);

  /// Calls `handler` when an outgoing message changes state.
  void on_state(std::function<void(const std::string& id, MessageState state)> handler);

  /// Blocks until the message is delivered, expired or, if volatile, sent. Errors: timed_out; malformed (no UUID),
  /// not_found (not sent by this node, or too long ago); closed as receive().
  Result<MessageState> wait_settled(const std::string& id, std::chrono::milliseconds timeout);

  /// What became of a message that was sent, or came in, up to 10,000 messages back. Blocks. Errors: malformed (no
  /// UUID), not_found.
  Result<Trace> trace(const std::string& id) const;

  /// Tries now to reach the recipient of an outgoing message, instead of at the next attempt. Blocks, but not until the
  /// recipient has it: see wait_settled(). Errors: malformed (no UUID), not_found, invalid_argument (it came in).
  Status retry(const std::string& id);

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden
