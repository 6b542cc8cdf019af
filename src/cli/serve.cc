// keyturn serve
#include <signal.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include "base/log.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/data_flags.h"
#include "cli/limits_file.h"
#include "cli/webhook_flags.h"
#include "console/console.h"
#include "crypto/attestation.h"
#include "crypto/process.h"
#include "crypto/random.h"
#include "report/report.h"
#include "server/outside_keys.h"
#include "server/server.h"
#include "service/files.h"
#include "service/root_key.h"

namespace keyturn::cli {
namespace {

constexpr unsigned kDrainSeconds = 20;

struct ServeFlags {
  DataFlags data;
  std::string listen = "127.0.0.1:8181";
  std::string tls_cert, tls_key;
  std::string trail_sync = "periodic";
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  bool no_io_uring = false;
  unsigned settle_seconds = 0;
  std::string limits = "off";
  std::string attestation_root;
  std::string aws_managed_keys = "by-admin";
  std::string event_webhook, event_webhook_secret;
  std::vector<std::string> hsm_clusters;
  unsigned hsm_timeout_ms = 5000;
  std::vector<std::string> xks_routes;
  unsigned xks_timeout_ms = 250;
  std::string xks_ca_file;
  bool no_console = false;
  unsigned console_idle_seconds = 900;
  unsigned console_session_seconds = 28800;
  bool dev = false;
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::string access_key_id;
  std::string secret_access_key;
};

// RenderEvidence: the console's evidence is what `keyturn audit` would have written.
std::optional<std::string> RenderEvidence(const control::AuditRun& run, std::string_view format) {
  control::AuditRun named = run;
  named.tool_version = ToolVersion();
  if (format == "json") return report::RenderJson(named);
  if (format == "csv") return report::RenderCsv(named);
  if (format == "html") return report::RenderHtml(named, {});
  return std::nullopt;
}

// InitForDevelopment makes the directory of `serve --dev` when it is not one yet.
Status InitForDevelopment(const ServeFlags& flags) {
  if (std::filesystem::exists(std::filesystem::path(flags.data.data_dir) / service::kRootKeyFile)) {
    return {};
  }
  service::InitOptions options;
  options.directory = flags.data.data_dir;
  KT_ASSIGN(options.account, ParseAccount(flags.account));
  if (!model::Region::IsValid(flags.region)) {
    return Fail(ErrorCode::kUsage, "'" + flags.region + "' is not the name of a region");
  }
  options.region = flags.region;
  if (flags.access_key_id.empty() != flags.secret_access_key.empty()) {
    return Fail(ErrorCode::kUsage, "give --access-key-id and --secret-access-key together");
  }
  options.access_key_id = flags.access_key_id;
  if (!flags.secret_access_key.empty()) {
    options.secret_access_key = SecretBytes::CopyOf(AsBytes(flags.secret_access_key));
  }
  return service::InitDataDirectory(options, SystemClock(), crypto::SystemRandom());
}

// ReadRoots reads root certificates and looks whether they are some, so that the file is named.
Result<std::string> ReadRoots(const std::string& file) {
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(file));
  std::string pem(AsText(text.reveal()));
  if (const auto roots = crypto::AttestationRoots::FromPem(pem); !roots) {
    return Fail(ErrorCode::kUsage, file + ": " + roots.error().message);
  }
  return pem;
}

Result<std::shared_ptr<service::Outside>> MakeOutside(const ServeFlags& flags, const Clock& clock) {
  server::OutsideOptions options;
  for (const std::string& text : flags.hsm_clusters) {
    KT_ASSIGN(server::ClusterSpec spec, server::ParseClusterSpec(text));
    options.clusters.push_back(std::move(spec));
  }
  options.hsm_timeout = std::chrono::milliseconds(flags.hsm_timeout_ms);
  for (const std::string& text : flags.xks_routes) {
    KT_ASSIGN(auto route, server::ParseRoute(text));
    if (!options.proxy.routes.insert(std::move(route)).second) {
      return Fail(ErrorCode::kUsage, "--xks-route " + text + ": the host has a route already");
    }
  }
  options.proxy.timeout = std::chrono::milliseconds(flags.xks_timeout_ms);
  options.proxy.ca_file = flags.xks_ca_file;
  return server::MakeOutside(options, clock);
}

Result<std::unique_ptr<server::Server>> Start(const ServeFlags& flags, const Clock& clock) {
  KT_TRY(crypto::HardenProcess());
  KT_ASSIGN(auto outside, MakeOutside(flags, clock));
  if (flags.dev) KT_TRY(InitForDevelopment(flags));
  server::Options options;
  options.data.directory = flags.data.data_dir;
  KT_ASSIGN(options.data.passphrase, ReadPassphrase(flags.data));
  options.data.trail_sync =
      flags.trail_sync == "always" ? trail::SyncMode::kAlways : trail::SyncMode::kPeriodic;
  options.data.settle_delay = std::chrono::seconds(flags.settle_seconds);
  KT_ASSIGN(options.data.quotas, ReadLimits(flags.limits));
  if (!flags.attestation_root.empty()) {
    KT_ASSIGN(options.data.attestation_roots, ReadRoots(flags.attestation_root));
  }
  options.data.aws_managed_keys_on_first_use = flags.aws_managed_keys == "on-first-use";
  if (!flags.event_webhook.empty()) {
    KT_ASSIGN(options.webhook,
              ReadWebhook("--event-webhook", flags.event_webhook, flags.event_webhook_secret));
    options.data.notifies = true;
  }
  options.data.outside = std::move(outside);
  KT_ASSIGN(const auto listen, http::SplitListen(flags.listen));
  options.http.address = listen.first;
  options.http.port = listen.second;
  options.http.threads = flags.threads;
  options.http.shares_calls = !flags.no_io_uring;
  options.http.tls_certificate_file = flags.tls_cert;
  options.http.tls_key_file = flags.tls_key;
  if (!flags.no_console) {
    console::ConsoleOptions console;
    console.sign_in.idle = std::chrono::seconds(flags.console_idle_seconds);
    console.sign_in.lifetime = std::chrono::seconds(flags.console_session_seconds);
    console.render_audit = &RenderEvidence;
    options.make_pages = [console](server::Pipeline& pipeline) {
      return console::MakeConsole(pipeline, console);
    };
  }
  KT_ASSIGN(auto server, server::Server::Start(options, clock, crypto::SystemRandom()));
  KT_TRY(service::ReplaceFile(std::filesystem::path(flags.data.data_dir) / "endpoint",
                              server->url() + "\n"));
  return server;
}

int RunServe(const ServeFlags& flags) {
  // Blocked before any thread starts, so that only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const SystemClock clock;
  auto server = Start(flags, clock);
  if (!server) return ReportError("serve", server.error());
  if (!WriteOut("ready " + (*server)->url() + "\n")) return 1;
  int received = 0;
  sigwait(&signals, &received);
  LogInfo("stopping");
  (*server)->Stop(kDrainSeconds);
  return 0;
}

void AddOutsideFlags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option("--hsm-cluster", flags.hsm_clusters,
                  "A PKCS#11 token: cluster-...,module=PATH,token=LABEL[,trust-anchor=FILE]")
      ->allow_extra_args(false)
      ->type_name("SPEC");
  command
      .add_option("--hsm-timeout-ms", flags.hsm_timeout_ms,
                  "A token that does not answer in this time has its process ended")
      ->check(CLI::Range(100U, 600000U))
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--xks-route", flags.xks_routes,
                  "Where an external key store proxy really is: HOST=https://other[:port]")
      ->allow_extra_args(false)
      ->type_name("HOST=URL");
  command
      .add_option("--xks-timeout-ms", flags.xks_timeout_ms,
                  "How long an external key store proxy may take to answer")
      ->check(CLI::Range(10U, 60000U))
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--xks-ca-file", flags.xks_ca_file,
                  "Authorities of external key store proxies, PEM; none: the system's")
      ->type_name("FILE");
}

}  // namespace

void AddServeCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("serve", "Run the key management service");
  auto flags = std::make_shared<ServeFlags>();
  AddDataFlags(*command, flags->data);
  command->add_option("--listen", flags->listen, "Address and port; port 0 takes a free one")
      ->capture_default_str()
      ->type_name("IP:PORT");
  command->add_option("--tls-cert", flags->tls_cert, "Certificate chain, PEM")->type_name("FILE");
  command->add_option("--tls-key", flags->tls_key, "Private key, PEM")->type_name("FILE");
  command
      ->add_option("--trail-sync", flags->trail_sync,
                   "When the trail reaches stable storage: periodic (200 ms) or always")
      ->check(CLI::IsMember({"periodic", "always"}))
      ->capture_default_str()
      ->type_name("MODE");
  command->add_option("--threads", flags->threads, "Event loops")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--no-io-uring", flags->no_io_uring,
                    "Receive and send by one system call for each connection");
  command
      ->add_option("--settle-seconds", flags->settle_seconds,
                   "How long transient states of keys and of custom key stores, and rotations on "
                   "demand, last at least: to test clients that wait")
      ->check(CLI::Range(0U, 86400U))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--limits", flags->limits,
                   "Quotas of keys and requests: off, aws, or a YAML file of your own numbers")
      ->capture_default_str()
      ->type_name("off|aws|FILE");
  command
      ->add_option("--attestation-root", flags->attestation_root,
                   "Root certificates, PEM, of attestation documents: allows Recipient")
      ->type_name("FILE");
  command
      ->add_option("--aws-managed-keys", flags->aws_managed_keys,
                   "When AWS managed keys are made: by-admin or on-first-use of their alias")
      ->check(CLI::IsMember({"by-admin", "on-first-use"}))
      ->capture_default_str()
      ->type_name("WHEN");
  command
      ->add_option("--event-webhook", flags->event_webhook,
                   "Where events go (rotation, deletion, expiry); https, or http on loopback")
      ->type_name("URL");
  command
      ->add_option("--event-webhook-secret", flags->event_webhook_secret,
                   "Secret that signs the events")
      ->type_name("FILE");
  AddOutsideFlags(*command, *flags);
  command->add_flag("--no-console", flags->no_console, "Serve the API alone, without the console");
  command
      ->add_option("--console-idle-seconds", flags->console_idle_seconds,
                   "A console session ends after this long without use")
      ->check(CLI::Range(1U, 86400U))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--console-session-seconds", flags->console_session_seconds,
                   "A console session ends after this long in all")
      ->check(CLI::Range(1U, 86400U))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--dev", flags->dev, "Make the data directory if it is none: for development");
  command->add_option("--account", flags->account, "With --dev: the account")
      ->capture_default_str()
      ->type_name("ID");
  command->add_option("--region", flags->region, "With --dev: the region of `keyturn env`")
      ->capture_default_str()
      ->type_name("REGION");
  command->add_option("--access-key-id", flags->access_key_id, "With --dev: a known access key")
      ->type_name("ID");
  command->add_option("--secret-access-key", flags->secret_access_key, "With --dev: its secret")
      ->type_name("S");
  command->footer(
      "Examples:\n"
      "  keyturn serve --data-dir /var/lib/keyturn --listen 127.0.0.1:8181\n"
      "  keyturn serve --dev --data-dir /tmp/kt --listen 127.0.0.1:0\n"
      "  keyturn serve --data-dir d --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem\n"
      "\nPrints one line, 'ready http://...', when it accepts requests. SIGTERM ends it in good "
      "order.");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal&) { return RunServe(*flags); };
  });
}

}  // namespace keyturn::cli
