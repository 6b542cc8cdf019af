// Batch: what the jobs of one commit have staged so far. Private to Writer and Txn.
#pragma once

#include <vector>

#include "service/writer.h"

namespace keyturn::service {

struct Txn::Batch {
  Writer& writer;
  std::vector<store::Change> changes;
  Delta delta;
  std::vector<Writer::Done> waiting;  // told after the commit
  bool trail_works = true;            // no record of an earlier commit waits for the trail
};

}  // namespace keyturn::service
