// until asks again and again until the answer fits, and returns it. Without fits, any answer but
// nothing will do. why: what is said when it never comes.
import { setTimeout as sleep } from 'node:timers/promises';

export async function until(ask, fits = Boolean, { seconds = 60, every = 100, why } = {}) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (Date.now() > deadline) throw new Error(why ?? `still ${JSON.stringify(answer)}`);
    await sleep(every);
  }
}
