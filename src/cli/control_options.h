// ControlOptions: options that several commands of the control have, defined once.
#pragma once

#include "cli/control_commands.h"

namespace CLI {
class App;
}  // namespace CLI

namespace keyturn::cli {

// AddConnection: which endpoint, accounts and regions, as whom, at which pace.
void AddConnection(CLI::App* command, ConnectionFlags& flags);
// CheckConnection throws what CLI11 reports when the flags do not go together.
void CheckConnection(const ConnectionFlags& flags);
// AddPolicy: what verdicts are judged by.
void AddPolicy(CLI::App* command, PolicyFlags& flags);

}  // namespace keyturn::cli
