// What a Host needs for ws:// and wss://, and its certificate, which is read again while it runs.
#include <algorithm>
#include <string>
#include <utility>

#include "runtime/clock.hpp"
#include "runtime/host_impl.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::runtime {
namespace {

/// Renewals are due weeks before: what has so little left was not renewed.
constexpr Duration kEnding = days(7);

}  // namespace

Status Host::Impl::open_web() {
  const Settings& settings = options.settings;
  const auto in_data_dir = [&](const std::filesystem::path& path) {
    return path.empty() ? path : options.data_dir / path;
  };
  WebOptions web;
  web.server = {.certificate = in_data_dir(settings.tls_certificate), .key = in_data_dir(settings.tls_key)};
  web.trust = {.authorities = in_data_dir(settings.tls_ca), .verify = settings.tls_verify != "off"};
  web.proxies = Proxies::from_environment();
  // A little before the links give up, who do not know which step was waited for.
  const Duration patience_of_links = settings.node.link.connect_timeout;
  web.open_timeout = patience_of_links - patience_of_links / 10;
  EKIDEN_TRY(tcp.use(web));
  const bool listens = std::ranges::any_of(settings.listen, [](const identity::Endpoint& endpoint) {
    return endpoint.transport == identity::Endpoint::Transport::wss;
  });
  if (!listens) return {};
  certificate_stamp = tls_files_stamp(web.server);
  if (auto loaded = tcp.load_certificate(read_clocks().wall); !loaded) {
    return ekiden::fail("cannot listen on wss://", std::move(loaded).error());
  }
  certificate = std::move(web.server);
  judge_certificate();
  return {};
}

/// Says it once when the certificate is about to end, and once when it has: nobody else on this machine notices.
void Host::Impl::judge_certificate() {
  const auto end = tcp.certificate_end();
  if (!end) return;
  const WallTime now = read_clocks().wall;
  CertificateAge age = CertificateAge::fresh;
  if (*end <= now + std::chrono::duration_cast<milliseconds>(kEnding)) age = CertificateAge::ending;
  if (*end <= now) age = CertificateAge::over;
  if (std::exchange(certificate_age, age) == age) return;
  if (age == CertificateAge::ending) {
    log(node::LogLevel::warning, "tls", "the certificate of wss:// ends at " + utc_text(*end) + ": renew it");
  } else if (age == CertificateAge::over) {
    log(node::LogLevel::error, "tls",
        "the certificate of wss:// has ended at " + utc_text(*end) + ": who checks it does not connect; renew it");
  }
}

/// Looks at the files now and then. Rationale: whoever renews certificates may not know that somebody is to be told;
/// and a look costs two system calls, where a watch on directories and links would be a program of its own.
void Host::Impl::watch_certificate() {
  if (certificate == TlsFiles{}) return;
  certificate_timer.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(options.certificate_watch));
  certificate_timer.async_wait([this](ErrorCode stopped) {
    if (stopped) return;
    if (tls_files_stamp(certificate) != certificate_stamp) reload_certificate();
    judge_certificate();
    watch_certificate();
  });
}

void Host::Impl::reload_certificate() {
  if (state == State::ended || certificate == TlsFiles{}) return;
  // Taken first: what changes while it is read is seen the next time.
  certificate_stamp = tls_files_stamp(certificate);
  if (const auto loaded = tcp.load_certificate(read_clocks().wall); loaded) {
    log(node::LogLevel::info, "tls", "the certificate of wss:// was read again; new connections get it");
    judge_certificate();
  } else {
    log(node::LogLevel::error, "tls", "the certificate of wss:// stays as it was: " + loaded.error().message);
  }
}

}  // namespace ekiden::runtime
