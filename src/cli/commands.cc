#include "cli/commands.h"

#include <array>

namespace keyturn::cli {

std::span<const AddCommands> AllCommands() {
  static constexpr std::array<AddCommands, 13> kGroups = {
      AddInitCommand,         AddServeCommand,          AddEnvCommand,
      AddAdminCommands,       AddTrailCommands,         AddBackupCommand,
      AddPolicyCommands,      AddControlCommands,       AddControlShowCommand,
      AddEvidenceCommands,    AddDocumentationCommands, AddVersionCommand,
      AddPkcs11WorkerCommand,
  };
  return kGroups;
}

}  // namespace keyturn::cli
