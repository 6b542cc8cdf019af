// Shape: how an operation's members are described, once, as constexpr data.
//
//   template <> inline constexpr auto kShape<EnableKeyRotationRequest> = std::tuple{
//       Member{"KeyId", &EnableKeyRotationRequest::key_id, kRequired, Length{1, 2048}},
//       Member{"RotationPeriodInDays", &EnableKeyRotationRequest::rotation_period_in_days,
//              Range{90, 2560}},
//   };
//
// Decoding, encoding, validation texts and what the trail may show all come from these tables
// (api/codec.h). Thread-safety: constants.
// Source: KMS API model 2014-11-01; "service bound" marks what the service enforces below it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "base/secret.h"

namespace keyturn::api {

// SecretText: a sensitive string member (passwords), kept in memory that is wiped.
struct SecretText {
  SecretBytes bytes;
};

struct Required {};
inline constexpr Required kRequired;

// NeverLogged: the trail leaves the member out, errors never echo its value.
struct NeverLogged {};
inline constexpr NeverLogged kNeverLogged;

// Length: characters of a string, decoded bytes of a blob, items of a list.
struct Length {
  std::size_t min;
  std::size_t max;
};

struct Range {
  std::int64_t min;
  std::int64_t max;
};

// Pattern: text is the model's regular expression as error messages print it; matches decides.
struct Pattern {
  std::string_view text;
  bool (*matches)(std::string_view value);
};

struct Constraint {
  static constexpr std::size_t kNoLength = std::numeric_limits<std::size_t>::max();
  bool required = false;
  bool never_logged = false;
  std::size_t length_min = 0;
  std::size_t length_max = kNoLength;
  std::int64_t range_min = std::numeric_limits<std::int64_t>::min();
  std::int64_t range_max = std::numeric_limits<std::int64_t>::max();
  const Pattern* pattern = nullptr;
  // Of the items of a list.
  std::size_t item_length_min = 0;
  std::size_t item_length_max = kNoLength;
  const Pattern* item_pattern = nullptr;

  constexpr void Add(Required) { required = true; }
  constexpr void Add(NeverLogged) { never_logged = true; }
  constexpr void Add(Length length) {
    length_min = length.min;
    length_max = length.max;
  }
  constexpr void Add(Range range) {
    range_min = range.min;
    range_max = range.max;
  }
  constexpr void Add(const Pattern* given) { pattern = given; }
};

// Each puts a constraint on the items of a list of strings.
struct Each {
  Length length;
  const Pattern* pattern = nullptr;
};

template <typename Struct, typename Field>
struct Member {
  template <typename... Options>
  constexpr Member(std::string_view wire_name, Field Struct::*member, Options... options)
      : name(wire_name), field(member) {
    (Apply(options), ...);
  }

  std::string_view name;
  Field Struct::*field;
  Constraint constraint;

 private:
  template <typename Option>
  constexpr void Apply(Option option) {
    constraint.Add(option);
  }
  constexpr void Apply(Each each) {
    constraint.item_length_min = each.length.min;
    constraint.item_length_max = each.length.max;
    constraint.item_pattern = each.pattern;
  }
};

// kShape<T>: the tuple of T's members, in model order. Only structures have one.
template <typename T>
struct NoShape {};
template <typename T>
inline constexpr NoShape<T> kShape{};

template <typename T>
inline constexpr bool kHasShape = !std::is_same_v<decltype(kShape<T>), const NoShape<T>>;

}  // namespace keyturn::api
