// node.idle.memory and sim.*: whole programs, as they are installed.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/rng.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/x25519.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {
namespace {

// What the nodes of scenarios/thousand.toml were counted to do: each message has a receipt, which is signed and
// verified; the others are of handshakes, new sessions and ratchet steps.
constexpr int kSimulatedReceipts = 100'000;
constexpr int kSimulatedKeyPairs = 23'000;
constexpr int kSimulatedExchanges = 60'000;

/// Discovery and timers have had their first turns by then.
constexpr auto kSettling = std::chrono::seconds(5);

/// A node as `ekiden init` makes it, on ports that are free, a while after it was ready and has been asked how it is.
Result<Pair> idle_memory(const Options& options) {
  const std::string program = beside(options, "ekiden");
  const std::string home = options.directory + "/fresh";
  std::filesystem::remove_all(home);
  {
    EKIDEN_ASSIGN(auto init, Child::start(program,
                                          {"init", "--data-dir", home, "--listen", "tcp://127.0.0.1:0", "--listen",
                                           "udp://127.0.0.1:0"},
                                          -1));
    EKIDEN_TRY(init.finish());
  }
  EKIDEN_ASSIGN(auto daemon, Child::start(program, {"up", "--data-dir", home, "--log-level", "error"}, -1));
  for (std::string line; line != "ready";) {
    EKIDEN_ASSIGN(line, daemon.line());
  }
  EKIDEN_TRY(daemon.stay_quiet(kSettling));
  {
    EKIDEN_ASSIGN(auto status, Child::start(program, {"status", "--data-dir", home, "--json"}, -1));
    EKIDEN_TRY(status.finish());
  }
  const double resident = static_cast<double>(resident_kib(daemon.pid())) / 1024;
  kill(daemon.pid(), SIGTERM);
  EKIDEN_TRY(daemon.finish());
  // The same program, loaded with its libraries, doing next to nothing.
  EKIDEN_ASSIGN(auto bare, Child::start(program, {"version"}, -1));
  EKIDEN_ASSIGN(const long bare_kib, bare.finish());
  const double baseline = static_cast<double>(bare_kib) / 1024;
  return Pair{resident, baseline};
}

/// Seconds for these operations and nothing else.
Result<double> raw_public_keys() {
  Rng rng(Rng::Seed{1});
  crypto::Ed25519Seed seed;
  rng.fill(seed.mutable_view());
  const auto signer = crypto::Ed25519KeyPair::from_seed(seed);
  const Bytes receipt(128);
  const double begin = cpu_seconds();
  for (int i = 0; i < kSimulatedReceipts; ++i) {
    if (!crypto::verify(signer.public_key(), receipt, signer.sign(receipt))) {
      return fail(Errc::internal, "a signature does not verify");
    }
  }
  crypto::X25519KeyPair pair;
  for (int i = 0; i < kSimulatedKeyPairs; ++i) {
    crypto::X25519SecretKey secret;
    rng.fill(secret.mutable_view());
    pair = crypto::X25519KeyPair::from_secret(std::move(secret));
  }
  for (int i = 0; i < kSimulatedExchanges; ++i) EKIDEN_TRY(crypto::x25519(pair.secret, pair.public_key));
  return cpu_seconds() - begin;
}

struct Simulated {
  double seconds = 0;
  double peak_mib = 0;
};

/// A thousand nodes and 100,000 messages with real cryptography.
Result<Simulated> simulate(const Options& options) {
  const double begin = seconds_now();
  EKIDEN_ASSIGN(auto sim,
                Child::start(beside(options, "ekiden-sim"), {"run", EKIDEN_SCENARIOS "/thousand.toml", "--json"}, -1));
  EKIDEN_TRY(sim.line());
  EKIDEN_ASSIGN(const long peak_kib, sim.finish());
  return Simulated{seconds_now() - begin, static_cast<double>(peak_kib) / 1024};
}

Result<Pair> simulation_time(const Options& options) {
  EKIDEN_ASSIGN(const double baseline, raw_public_keys());
  EKIDEN_ASSIGN(const auto simulated, simulate(options));
  return Pair{simulated.seconds, baseline};
}

Result<Pair> simulation_memory(const Options& options) {
  EKIDEN_ASSIGN(auto bare, Child::start(beside(options, "ekiden-sim"), {"--help"}, -1));
  EKIDEN_ASSIGN(const long bare_kib, bare.finish());
  const double baseline = static_cast<double>(bare_kib) / 1024;
  EKIDEN_ASSIGN(const auto simulated, simulate(options));
  return Pair{simulated.peak_mib, baseline};
}

}  // namespace

std::vector<Figure> process_figures() {
  return {{"node.idle.memory", "MiB", "the program printing its version", "value <= 16", idle_memory},
          {"sim.rate", "s", "its public-key operations alone", "value < 60", simulation_time},
          {"sim.memory", "MiB", "the program printing its help", "value < 1024", simulation_memory}};
}

}  // namespace ekiden::bench
