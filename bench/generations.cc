// Does a Decrypt cost more on a key of 10,000 generations than on a key of one? Prints the time of
// finding the material by its id and decrypting, measured in turns in one process: ciphertexts of
// one generation, and ciphertexts of 256 different ones, for which the cipher is keyed anew.
//
//   keyturn_bench_generations [ROUNDS]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/check.h"
#include "crypto/ciphertext.h"
#include "crypto/random.h"
#include "service/keyring.h"

namespace keyturn::service {
namespace {

constexpr std::size_t kBlobs = 256;
constexpr int kDecryptsPerTurn = 20000;

// Fixture: one key, its generations, and ciphertexts of as many of them as are used.
struct Fixture {
  Fixture(std::uint32_t generations, std::size_t used, const Keyring& ring) : keyring(ring) {
    RandomSource& random = crypto::SystemRandom();
    key.id = model::KeyId::New(random, false);
    for (std::uint32_t generation = 0; generation < generations; ++generation) {
      std::array<std::uint8_t, 32> id{};
      random.Fill(id);
      SecretBytes bytes(32);
      random.Fill(bytes.reveal_mutable());
      auto material = std::make_shared<Material>();
      material->id = model::MaterialId(id);
      material->generation = generation;
      material->sealed = keyring.SealMaterial(key, material->id, bytes.reveal(), random);
      materials.Add(material);
    }
    // A stride that is prime to the number of generations spreads the used ones over all.
    constexpr std::size_t kStride = 7919;
    for (std::size_t i = 0; i < kBlobs; ++i) {
      const MaterialPtr material =
          materials.At(static_cast<std::uint32_t>((1 + i % used) * kStride % generations));
      const auto opened = keyring.Reveal(key, *material);
      KT_CHECK(opened);
      blobs.push_back(crypto::EncryptBlob(**opened, {AsBytes(key.id.text()), material->id.bytes()},
                                          {}, AsBytes("thirty-two bytes of plain text.."), random));
    }
  }

  // Turn returns nanoseconds a Decrypt.
  double Turn() const {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kDecryptsPerTurn; ++i) {
      const Bytes& blob = blobs[static_cast<std::size_t>(i) % blobs.size()];
      const auto header = crypto::ParseBlobHeader(blob);
      KT_CHECK(header);
      const MaterialPtr material = materials.Find(model::MaterialId(header->material_id));
      KT_CHECK(material != nullptr);
      const auto opened = keyring.Reveal(key, *material);
      KT_CHECK(opened && crypto::DecryptBlob(**opened, blob, {}));
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    return took.count() / kDecryptsPerTurn;
  }

  const Keyring& keyring;
  keys::Key key;
  MaterialSet materials;
  std::vector<Bytes> blobs;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Run(int rounds) {
  const Keyring keyring = Keyring::Create(crypto::SystemRandom());
  const Fixture one(1, 1, keyring);
  const Fixture many(10000, 1, keyring);
  const Fixture mixed(10000, kBlobs, keyring);
  std::vector<double> of_one, of_many, of_mixed, ratios;
  for (int round = 0; round < rounds; ++round) {
    of_one.push_back(one.Turn());
    of_many.push_back(many.Turn());
    of_mixed.push_back(mixed.Turn());
    ratios.push_back(of_many.back() / of_one.back());
  }
  fmt::print(
      "Decrypt, 1 generation: {:.0f} ns; 10,000 generations: {:.0f} ns; ratio {:.2f}; with 256 of "
      "the 10,000 in turn: {:.0f} ns\n",
      Median(of_one), Median(of_many), Median(ratios), Median(of_mixed));
}

}  // namespace
}  // namespace keyturn::service

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  if (rounds < 1) {
    std::fputs("usage: keyturn_bench_generations [ROUNDS]\n", stderr);
    return 2;
  }
  keyturn::service::Run(rounds);
  return 0;
}
