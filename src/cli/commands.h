// Commands: how a group of commands joins the program.
//
// A group is one function that adds its subcommands to the CLI11 application and, in the callback
// of each, sets Invocation::run. Parsing only parses: run is called after it, outside CLI11. CLI11
// is slow to compile: include it in the .cc files that define options, never in a header.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "cli/terminal.h"

namespace CLI {
class App;
}  // namespace CLI

namespace keyturn::cli {

// Invocation: what the command line chose. run returns the exit code of the program.
struct Invocation {
  std::function<int(const Terminal&)> run;
};

using AddCommands = void (*)(CLI::App& app, Invocation& invocation);

// audit, plan, apply, verify, backout. The engine is made when a command runs, not for its help.
class ControlEngine;
using MakeEngine = std::function<std::shared_ptr<ControlEngine>()>;
void AddControlCommandsWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation);
// report, diff: of recorded runs.
void AddRecordedCommandsWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation);
// watch.
void AddWatchCommandWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation);
// evidence verify.
void AddEvidenceCommands(CLI::App& app, Invocation& invocation);
// All but the last, over the control and client rooms.
void AddControlCommands(CLI::App& app, Invocation& invocation);
// control show.
void AddControlShowCommand(CLI::App& app, Invocation& invocation);
// init, serve, env, admin, trail, backup: the server's side.
void AddInitCommand(CLI::App& app, Invocation& invocation);
void AddServeCommand(CLI::App& app, Invocation& invocation);
// pkcs11-worker: hidden; serve starts it.
void AddPkcs11WorkerCommand(CLI::App& app, Invocation& invocation);
void AddEnvCommand(CLI::App& app, Invocation& invocation);
void AddAdminCommands(CLI::App& app, Invocation& invocation);
void AddTrailCommands(CLI::App& app, Invocation& invocation);
void AddBackupCommand(CLI::App& app, Invocation& invocation);
// policy check, explain, audit, remediate, backout.
void AddPolicyCommands(CLI::App& app, Invocation& invocation);
// man, completion.
void AddDocumentationCommands(CLI::App& app, Invocation& invocation);
// version.
void AddVersionCommand(CLI::App& app, Invocation& invocation);

// AllCommands: every group of the program, in the order of its help.
std::span<const AddCommands> AllCommands();

}  // namespace keyturn::cli
