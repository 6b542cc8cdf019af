#include "cli/commands.h"

#include <array>

namespace keyturn::cli {

std::span<const AddCommands> AllCommands() {
  static constexpr std::array<AddCommands, 10> kGroups = {
      AddInitCommand,           AddServeCommand,   AddEnvCommand,      AddAdminCommands,
      AddTrailCommands,         AddPolicyCommands, AddControlCommands, AddControlShowCommand,
      AddDocumentationCommands, AddVersionCommand,
  };
  return kGroups;
}

}  // namespace keyturn::cli
