#include "client/profile_file.h"

#include <algorithm>
#include <set>

namespace keyturn::client {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kServicesKind = "services";

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool IsSecretName(std::string_view name) {
  return name == "aws_access_key_id" || name == "aws_secret_access_key" ||
         name == "aws_session_token" || name == "aws_security_token";
}

// CutComment takes " # ..." or " ; ..." off.
std::string_view CutComment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i) {
    if ((value[i] == '#' || value[i] == ';') && kBlanks.find(value[i - 1]) != std::string::npos) {
      return Trim(value.substr(0, i));
    }
  }
  return value;
}

std::string_view Unquote(std::string_view name) {
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') &&
      name.back() == name.front()) {
    return name.substr(1, name.size() - 2);
  }
  return name;
}

class FileParser {
 public:
  FileParser(ProfileFileKind kind, std::string_view place) : kind_(kind), place_(place) {}

  Status Line(std::string_view raw) {
    ++line_;
    const std::string_view text = Trim(raw);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    const bool indented = raw.front() == ' ' || raw.front() == '\t';
    if (!indented && text.front() == '[') return Section(text);
    if (!in_section_) return Wrong("a line before the first [section]");
    // A deeper line continues the name above: a nested map, which only services sections use.
    if (indented && !map_.empty()) return in_services_ ? NameAndValue(text, map_ + '.') : Status();
    return NameAndValue(text, {});
  }

  ProfileMap TakeProfiles() { return std::move(profiles_); }

 private:
  Status Wrong(std::string_view what) const {
    return Fail(ErrorCode::kUsage,
                std::string(place_) + ":" + std::to_string(line_) + ": " + std::string(what));
  }

  Status Section(std::string_view text) {
    map_.clear();
    const auto end = text.find(']');
    if (end == std::string_view::npos) return Wrong("a section without ']'");
    const std::string_view after = Trim(text.substr(end + 1));
    if (!after.empty() && after.front() != '#' && after.front() != ';') {
      return Wrong("text behind a section's ']'");
    }
    const std::string_view title = Trim(text.substr(1, end - 1));
    if (title.empty()) return Wrong("a section without a name");
    if (!titles_.insert(std::string(title)).second) return Wrong("this section appears twice");
    in_section_ = true;
    names_.clear();
    const std::string profile = ProfileName(title);
    in_services_ = kind_ == ProfileFileKind::kConfig && IsOfKind(title, kServicesKind);
    current_ = profile.empty() ? nullptr : &profiles_[profile];
    // Of [default] and [profile default] the last wins, whole.
    if (current_ != nullptr && profile == "default") current_->values.clear();
    return {};
  }

  // ProfileName is empty for sections that are no profile.
  std::string ProfileName(std::string_view title) const {
    if (kind_ == ProfileFileKind::kCredentials || title == "default") {
      return std::string(Unquote(title));
    }
    const auto blank = title.find_first_of(kBlanks);
    if (blank == std::string_view::npos) return {};
    const std::string name(Unquote(Trim(title.substr(blank))));
    if (IsOfKind(title, "sso-session")) return SsoSessionName(name);
    if (IsOfKind(title, kServicesKind)) return ServicesName(name);
    return IsOfKind(title, "profile") ? name : std::string();
  }

  static bool IsOfKind(std::string_view title, std::string_view kind) {
    return title.substr(0, title.find_first_of(kBlanks)) == kind && title.size() > kind.size();
  }

  // NameAndValue: prefix is the map's, of a line within one.
  Status NameAndValue(std::string_view text, const std::string& prefix) {
    const auto separator = text.find_first_of("=:");
    if (separator == std::string_view::npos) return Wrong("neither [section] nor name = value");
    const std::string own = Lower(Trim(text.substr(0, separator)));
    if (own.empty()) return Wrong("a value without a name");
    const std::string name = prefix + own;
    if (!names_.insert(name).second) return Wrong("the name '" + name + "' appears twice");
    if (prefix.empty()) map_ = name;
    const std::string_view value = Trim(text.substr(separator + 1));
    if (current_ != nullptr) {
      current_->values[name] = IsSecretName(name) ? value : CutComment(value);
    }
    return {};
  }

  const ProfileFileKind kind_;
  const std::string_view place_;
  int line_ = 0;
  bool in_section_ = false;
  bool in_services_ = false;
  std::string map_;  // the name that a deeper line belongs to
  std::set<std::string> titles_;
  std::set<std::string> names_;
  ProfileMap profiles_;
  Profile* current_ = nullptr;
};

}  // namespace

std::string_view Profile::Find(std::string_view lower_name) const {
  const auto found = values.find(lower_name);
  return found == values.end() ? std::string_view{} : std::string_view(found->second);
}

std::string SsoSessionName(std::string_view session) {
  return "sso-session " + std::string(session);
}

std::string ServicesName(std::string_view services) {
  return std::string(kServicesKind) + " " + std::string(services);
}

Result<ProfileMap> ParseProfileFile(std::string_view text, ProfileFileKind kind,
                                    std::string_view place) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  FileParser parser(kind, place);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) {
      KT_TRY(parser.Line(line));
    } else {
      KT_TRY(parser.Line(" "));
    }
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return parser.TakeProfiles();
}

}  // namespace keyturn::client
