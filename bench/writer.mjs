// Writes as the audit trail does, and nothing else: so many bytes a second to the end of a file, synced
// ten times a second. Part of bench/run.mjs: what nginx's latency is beside it tells which part of the
// server's is the disk's.
//
//   node bench/writer.mjs FILE BYTES_A_SECOND
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

const [file, bytesASecond] = process.argv.slice(2);
const fd = openSync(file, 'w', 0o600);
const chunk = Buffer.alloc(Math.ceil(Number(bytesASecond) / 100), 'x');
let due = Date.now();
let writes = 0;
function write() {
  for (; due <= Date.now(); due += 10) {
    writeSync(fd, chunk);
    writes += 1;
    if (writes % 10 === 0) fdatasyncSync(fd);
  }
  setTimeout(write, due - Date.now());
}
write();
process.on('SIGTERM', () => {
  closeSync(fd);
  process.exit(0);
});
