// A PKCS#11 module that is SoftHSM until the file named by KEYTURN_BAD_MODULE_FILE says otherwise:
// "crash", "hang", "garble", "lose" or "lack" (no such mechanism), then the function: "login",
// "generate", "encrypt", "decrypt", "random", "probe" or "mechanism"; "use" is all that need a
// login.
#include <dlfcn.h>
#include <p11-kit-1/p11-kit/pkcs11.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace {

CK_FUNCTION_LIST* g_real = nullptr;
CK_FUNCTION_LIST g_bad;

// Misbehave does what the file says for this function, if anything.
CK_RV Misbehave(const std::string& function) {
  const char* name = std::getenv("KEYTURN_BAD_MODULE_FILE");
  std::ifstream file(name != nullptr ? name : "/dev/null");
  std::string what;
  std::string where;
  file >> what >> where;
  const bool use = function == "generate" || function == "encrypt" || function == "decrypt" ||
                   function == "random";
  if (where != function && !(where == "use" && use)) return CKR_OK;
  if (what == "crash") raise(SIGSEGV);
  if (what == "hang") {
    for (;;) pause();
  }
  if (what == "garble") {
    const char noise[] = "\xff\xff\xff\xff these are no messages";
    (void)send(3, noise, sizeof(noise), MSG_NOSIGNAL);
  }
  if (what == "lack") return CKR_MECHANISM_INVALID;
  return what == "lose" ? CKR_SESSION_CLOSED : CKR_OK;
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size) {
  if (const CK_RV code = Misbehave("login")) return code;
  return g_real->C_Login(session, user, pin, size);
}

CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR wanted,
                  CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  if (const CK_RV code = Misbehave("generate")) return code;
  return g_real->C_GenerateKey(session, mechanism, wanted, count, key);
}

CK_RV Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
              CK_ULONG_PTR out_size) {
  if (const CK_RV code = Misbehave("encrypt")) return code;
  return g_real->C_Encrypt(session, in, in_size, out, out_size);
}

CK_RV Decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
              CK_ULONG_PTR out_size) {
  if (const CK_RV code = Misbehave("decrypt")) return code;
  return g_real->C_Decrypt(session, in, in_size, out, out_size);
}

CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG size) {
  if (const CK_RV code = Misbehave("random")) return code;
  return g_real->C_GenerateRandom(session, out, size);
}

CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info) {
  if (const CK_RV code = Misbehave("mechanism")) return code;
  return g_real->C_GetMechanismInfo(slot, type, info);
}

CK_RV GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
  if (const CK_RV code = Misbehave("probe")) return code;
  return g_real->C_GetSlotList(present, slots, count);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST_PTR_PTR list) {
  void* library = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&g_real) != CKR_OK) return CKR_GENERAL_ERROR;
  g_bad = *g_real;
  g_bad.C_Login = Login;
  g_bad.C_GenerateKey = GenerateKey;
  g_bad.C_Encrypt = Encrypt;
  g_bad.C_Decrypt = Decrypt;
  g_bad.C_GenerateRandom = GenerateRandom;
  g_bad.C_GetMechanismInfo = GetMechanismInfo;
  g_bad.C_GetSlotList = GetSlotList;
  *list = &g_bad;
  return CKR_OK;
}
