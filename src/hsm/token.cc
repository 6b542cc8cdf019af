#include "hsm/token.h"

#include <dlfcn.h>
#include <p11-kit-1/p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "base/log.h"

namespace keyturn::hsm {
namespace {

constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kIvBytes = 12;
// Handles of keys that were found; a token's handles stay for the session.
constexpr std::size_t kHandlesMax = 4096;

Reply Outcomes(Outcome outcome, CK_RV code = CKR_OK) {
  Reply reply;
  reply.outcome = outcome;
  reply.code = code;
  return reply;
}

// OfCode: what a return value means to the server.
Reply OfCode(CK_RV code) {
  switch (code) {
    case CKR_OK:
      return Outcomes(Outcome::kOk);
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
      return Outcomes(Outcome::kPinIncorrect, code);
    case CKR_PIN_LOCKED:
      return Outcomes(Outcome::kPinLocked, code);
    case CKR_USER_PIN_NOT_INITIALIZED:
      return Outcomes(Outcome::kNoUser, code);
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_DEVICE_REMOVED:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_RECOGNIZED:
      return Outcomes(Outcome::kNoToken, code);
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
      return Outcomes(Outcome::kNotLoggedIn, code);
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
      return Outcomes(Outcome::kNoKey, code);
    case CKR_ENCRYPTED_DATA_INVALID:
    case CKR_ENCRYPTED_DATA_LEN_RANGE:
      return Outcomes(Outcome::kBadCiphertext, code);
    default:
      return Outcomes(Outcome::kFailed, code);
  }
}

CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
  // The interface has no const; modules only read a template.
  return {type, const_cast<void*>(value), static_cast<CK_ULONG>(size)};  // NOLINT
}
template <typename T>
CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, const T& value) {
  return Of(type, &value, sizeof(value));
}

constexpr CK_BBOOL kTrue = CK_TRUE;
constexpr CK_BBOOL kFalse = CK_FALSE;
constexpr CK_OBJECT_CLASS kSecretKey = CKO_SECRET_KEY;
constexpr CK_KEY_TYPE kAes = CKK_AES;
constexpr CK_ULONG kKeyBytes = 32;

}  // namespace

// Loaded: a module that is in use, with its one session.
struct Token::Loaded {
  void* library = nullptr;
  CK_FUNCTION_LIST_PTR functions = nullptr;
  bool initialized = false;
  std::optional<CK_SESSION_HANDLE> session = {};
  bool logged_in = false;
  CK_SLOT_ID slot = 0;
  std::map<std::string, CK_OBJECT_HANDLE, std::less<>> handles = {};

  ~Loaded() {
    if (initialized) functions->C_Finalize(nullptr);
    if (library != nullptr) dlclose(library);
  }

  // FindSlot looks for the token by its label, which the standard pads with blanks.
  CK_RV FindSlot(const std::string& label, bool& found) {
    CK_ULONG count = 0;
    if (const CK_RV code = functions->C_GetSlotList(CK_TRUE, nullptr, &count)) return code;
    std::vector<CK_SLOT_ID> slots(count);
    if (const CK_RV code = functions->C_GetSlotList(CK_TRUE, slots.data(), &count)) return code;
    slots.resize(std::min<std::size_t>(count, slots.size()));
    for (const CK_SLOT_ID each : slots) {
      CK_TOKEN_INFO info{};
      if (functions->C_GetTokenInfo(each, &info) != CKR_OK) continue;
      std::string name(reinterpret_cast<const char*>(info.label), sizeof(info.label));  // NOLINT
      name.erase(name.find_last_not_of(' ') + 1);
      if (name != label) continue;
      slot = each;
      found = true;
      break;
    }
    return CKR_OK;
  }

  bool HasMechanism(CK_MECHANISM_TYPE type, CK_FLAGS needed) const {
    CK_MECHANISM_INFO info{};
    return functions->C_GetMechanismInfo(slot, type, &info) == CKR_OK &&
           (info.flags & needed) == needed;
  }

  CK_RV OpenSession() {
    if (session) return CKR_OK;
    CK_SESSION_HANDLE handle = 0;
    const CK_RV code = functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                                nullptr, &handle);
    if (code == CKR_OK) session = handle;
    return code;
  }

  void DropSession() {
    if (session) functions->C_CloseSession(*session);
    session.reset();
    logged_in = false;
    handles.clear();
  }

  // Find returns the key's handle; kNoKey when the token has none or, so that none is taken for
  // another, more than one.
  Reply Find(const std::string& key, CK_OBJECT_HANDLE& handle) {
    if (const auto known = handles.find(key); known != handles.end()) {
      handle = known->second;
      return Outcomes(Outcome::kOk);
    }
    std::array<CK_ATTRIBUTE, 3> wanted = {Of(CKA_CLASS, kSecretKey), Of(CKA_KEY_TYPE, kAes),
                                          Of(CKA_ID, key.data(), key.size())};
    if (const CK_RV code = functions->C_FindObjectsInit(*session, wanted.data(), wanted.size())) {
      return OfCode(code);
    }
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    const CK_RV code = functions->C_FindObjects(*session, found.data(), found.size(), &count);
    functions->C_FindObjectsFinal(*session);
    if (code != CKR_OK) return OfCode(code);
    if (count != 1) return Outcomes(Outcome::kNoKey);
    if (handles.size() >= kHandlesMax) handles.clear();
    handles[key] = handle = found[0];
    return Outcomes(Outcome::kOk);
  }
};

Token::Token(std::string module, std::string label)
    : module_(std::move(module)), label_(std::move(label)) {}

Token::~Token() = default;

Reply Token::Load() {
  if (loaded_) return Outcomes(Outcome::kOk);
  auto loaded = std::make_unique<Loaded>();
  loaded->library = dlopen(module_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded->library == nullptr) {
    LogError("pkcs11-worker: {}", dlerror());
    return Outcomes(Outcome::kNoModule);
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(  // NOLINT
      dlsym(loaded->library, "C_GetFunctionList"));
  if (get_list == nullptr || get_list(&loaded->functions) != CKR_OK ||
      loaded->functions == nullptr) {
    LogError("pkcs11-worker: {} is no PKCS#11 module", module_);
    return Outcomes(Outcome::kNoModule);
  }
  if (const CK_RV code = loaded->functions->C_Initialize(nullptr)) {
    LogError("pkcs11-worker: {} does not start: CKR {:#x}", module_, code);
    return Outcomes(Outcome::kNoModule, code);
  }
  loaded->initialized = true;
  bool found = false;
  if (const CK_RV code = loaded->FindSlot(label_, found)) return OfCode(code);
  if (!found) return Outcomes(Outcome::kNoToken);
  if (!loaded->HasMechanism(CKM_AES_KEY_GEN, CKF_GENERATE) ||
      !loaded->HasMechanism(CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT)) {
    return Outcomes(Outcome::kNoMechanism);
  }
  loaded_ = std::move(loaded);
  return Outcomes(Outcome::kOk);
}

Reply Token::Login(const Request& request) {
  // Whoever is logged in leaves first, so that the PIN given is the one that counts.
  loaded_->DropSession();
  if (const CK_RV code = loaded_->OpenSession()) return OfCode(code);
  SecretBytes pin = SecretBytes::CopyOf(request.pin.reveal());
  const CK_RV code = loaded_->functions->C_Login(*loaded_->session, CKU_USER,
                                                 pin.reveal_mutable().data(), pin.size());
  loaded_->logged_in = code == CKR_OK;
  if (code != CKR_OK) loaded_->DropSession();
  return OfCode(code);
}

Reply Token::MakeKey(const Request& request) {
  CK_OBJECT_HANDLE handle = 0;
  if (loaded_->Find(request.key, handle).ok()) return Outcomes(Outcome::kFailed);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  std::array<CK_ATTRIBUTE, 12> wanted = {
      Of(CKA_CLASS, kSecretKey),
      Of(CKA_KEY_TYPE, kAes),
      Of(CKA_VALUE_LEN, kKeyBytes),
      Of(CKA_ID, request.key.data(), request.key.size()),
      Of(CKA_LABEL, request.key.data(), request.key.size()),
      Of(CKA_TOKEN, kTrue),
      Of(CKA_PRIVATE, kTrue),
      Of(CKA_SENSITIVE, kTrue),
      Of(CKA_EXTRACTABLE, kFalse),
      Of(CKA_ENCRYPT, kTrue),
      Of(CKA_DECRYPT, kTrue),
      Of(CKA_WRAP, kFalse),
  };
  const CK_RV code = loaded_->functions->C_GenerateKey(*loaded_->session, &mechanism, wanted.data(),
                                                       wanted.size(), &handle);
  if (code == CKR_OK) loaded_->handles[request.key] = handle;
  return OfCode(code);
}

Reply Token::FindKey(const Request& request) {
  loaded_->handles.erase(request.key);
  CK_OBJECT_HANDLE handle = 0;
  return loaded_->Find(request.key, handle);
}

Reply Token::DestroyKey(const Request& request) {
  CK_OBJECT_HANDLE handle = 0;
  const Reply found = loaded_->Find(request.key, handle);
  if (found.outcome == Outcome::kNoKey) return Outcomes(Outcome::kOk);
  if (!found.ok()) return Outcomes(found.outcome, found.code);
  const CK_RV code = loaded_->functions->C_DestroyObject(*loaded_->session, handle);
  loaded_->handles.erase(request.key);
  return OfCode(code);
}

Reply Token::Crypt(const Request& request) {
  const bool encrypt = request.action == Action::kEncrypt;
  CK_OBJECT_HANDLE handle = 0;
  if (Reply found = loaded_->Find(request.key, handle); !found.ok()) return found;
  if (request.iv.size() != kIvBytes) return Outcomes(Outcome::kFailed);
  if (!encrypt && request.data.size() < kTagBytes) return Outcomes(Outcome::kBadCiphertext);
  Reply reply;
  reply.iv = request.iv;  // a token may write its own here
  Bytes aad = request.aad;
  CK_GCM_PARAMS parameters{};
  parameters.iv_ptr = reply.iv.data();
  parameters.iv_len = kIvBytes;
  parameters.iv_bits = 8 * kIvBytes;
  parameters.aad_ptr = aad.data();
  parameters.aad_len = aad.size();
  parameters.tag_bits = 8 * kTagBytes;
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof(parameters)};
  CK_FUNCTION_LIST* const functions = loaded_->functions;
  const auto begin = encrypt ? functions->C_EncryptInit : functions->C_DecryptInit;
  const auto run = encrypt ? functions->C_Encrypt : functions->C_Decrypt;
  CK_RV code = begin(*loaded_->session, &mechanism, handle);
  if (code != CKR_OK) {
    // The key may have been deleted behind our back: look again next time.
    loaded_->handles.erase(request.key);
    return OfCode(code);
  }
  // Nothing to encrypt is not nowhere: modules refuse a null pointer.
  SecretBytes in(request.data.size() + 1);
  std::copy(request.data.reveal().begin(), request.data.reveal().end(),
            in.reveal_mutable().begin());
  // Room for a module that wants some beyond the result.
  SecretBytes out(request.data.size() + 2 * kTagBytes);
  CK_ULONG size = out.size();
  code = run(*loaded_->session, in.reveal_mutable().data(), request.data.size(),
             out.reveal_mutable().data(), &size);
  const std::size_t expected =
      encrypt ? request.data.size() + kTagBytes : request.data.size() - kTagBytes;
  if (!encrypt && code != CKR_OK && OfCode(code).outcome == Outcome::kFailed) {
    // Modules have several codes for a tag that does not fit (SoftHSM: CKR_GENERAL_ERROR).
    return Outcomes(Outcome::kBadCiphertext, code);
  }
  if (code != CKR_OK) return OfCode(code);
  if (size != expected) return Outcomes(Outcome::kFailed);
  reply.data = SecretBytes::CopyOf(out.reveal().first(expected));
  reply.outcome = Outcome::kOk;
  return reply;
}

Reply Token::Random(const Request& request) {
  Reply reply;
  reply.data = SecretBytes(request.count);
  const CK_RV code = loaded_->functions->C_GenerateRandom(
      *loaded_->session, reply.data.reveal_mutable().data(), request.count);
  if (code != CKR_OK) return OfCode(code);
  reply.outcome = Outcome::kOk;
  return reply;
}

Reply Token::Run(const Request& request) {
  if (Reply loaded = Load(); !loaded.ok()) return loaded;
  if (request.action == Action::kProbe) return Outcomes(Outcome::kOk);
  if (request.action == Action::kLogin) return Login(request);
  if (!loaded_->logged_in) return Outcomes(Outcome::kNotLoggedIn);
  Reply reply;
  switch (request.action) {
    case Action::kProbe:
    case Action::kLogin:
      break;
    case Action::kMakeKey:
      reply = MakeKey(request);
      break;
    case Action::kFindKey:
      reply = FindKey(request);
      break;
    case Action::kDestroyKey:
      reply = DestroyKey(request);
      break;
    case Action::kEncrypt:
    case Action::kDecrypt:
      reply = Crypt(request);
      break;
    case Action::kRandom:
      reply = Random(request);
      break;
  }
  if (reply.outcome == Outcome::kNotLoggedIn || reply.outcome == Outcome::kNoToken) {
    loaded_->DropSession();
  }
  return reply;
}

}  // namespace keyturn::hsm
