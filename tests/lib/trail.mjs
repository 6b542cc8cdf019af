// What the trail of a data directory tells, read from its segments (docs/formats/trail.md). A group that is being
// written may have reached the file in part, so what stands behind the last line end is left out.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export function trailLines(dataDir) {
  const trail = path.join(dataDir, 'trail');
  return readdirSync(trail).filter((name) => name.endsWith('.jsonl')).sort()
    .flatMap((name) => readFileSync(path.join(trail, name), 'utf8').split('\n').slice(0, -1));
}

// trailRecords: the records, without the chain's lines.
export function trailRecords(dataDir) {
  return trailLines(dataDir).map((line) => JSON.parse(line)).filter((record) => record.eventVersion !== undefined);
}
