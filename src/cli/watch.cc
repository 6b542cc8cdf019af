// keyturn watch: the options.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/control_commands.h"
#include "cli/control_engine.h"
#include "cli/control_options.h"
#include "cli/progress.h"

namespace keyturn::cli {

void AddWatchCommandWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand(
      "watch", "Repeat the audit; metrics, a webhook, and changes within the policy's bounds");
  auto flags = std::make_shared<WatchFlags>();
  AddConnection(command, flags->connection);
  AddPolicy(command, flags->policy);
  command
      ->add_option_function<std::string>(
          "--every",
          [flags](const std::string& text) {
            if (const auto time = ParseDuration(text); !time) {
              throw CLI::ValidationError("--every", time.error().message);
            }
            flags->every = text;
          },
          "Time from one audit to the next, as 30m or 6h [6h]")
      ->type_name("TIME");
  command
      ->add_option("--jitter", flags->jitter,
                   "Share of it that is added at most, by chance, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("SHARE");
  command->add_option("--runs", flags->runs, "End after so many audits; else when it is stopped")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->type_name("N");
  command
      ->add_option("--state-dir", flags->state_directory,
                   "Directory for verdicts, events, plans and journals; is made")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--metrics-listen", flags->metrics_listen,
                   "Serve Prometheus metrics there, as 127.0.0.1:9464")
      ->type_name("ADDR:PORT");
  CLI::Option* secret = command
                            ->add_option("--webhook-secret", flags->webhook_secret,
                                         "File with the secret that signs the webhook's events")
                            ->type_name("FILE");
  CLI::Option* webhook =
      command
          ->add_option("--webhook", flags->webhook,
                       "URL that hears of changed verdicts: https, or http on loopback")
          ->needs(secret)
          ->type_name("URL");
  secret->needs(webhook);
  command->footer(
      "Examples:\n"
      "  keyturn watch --targets fleet.yaml --policy policy.yaml --state-dir "
      "/var/lib/keyturn-watch "
      "--metrics-listen 127.0.0.1:9464\n"
      "  keyturn watch --region us-east-1 --every 1h --state-dir watch --webhook "
      "https://hooks.example.com/kms --webhook-secret secret.txt\n"
      "\nThe first audit begins at once. SIGTERM and Ctrl-C end it in good order; the same command "
      "then\n"
      "goes on. It changes keys only where watch.apply of the policy file says so.\n"
      "\nExit codes: 0 stopped, or so many runs made; 1 usage or configuration.");
  command->callback([&invocation, flags, engine] {
    CheckConnection(flags->connection);
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunWatch(*flags, *engine(), terminal);
    };
  });
}

}  // namespace keyturn::cli
