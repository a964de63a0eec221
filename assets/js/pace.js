// How fast something goes, over its last seconds, and how long the rest will take.

const WINDOW_MS = 10_000;
const LEAST_MS = 1000;

export class Pace {
  constructor() {
    this.seen = [];
  }

  /** Note how many bytes are there now. A pause or a step back begins anew. */
  note(bytes, now = performance.now()) {
    const last = this.seen.at(-1);
    if (last && (bytes < last.bytes || now - last.at > WINDOW_MS)) this.seen = [];
    this.seen.push({ bytes, at: now });
    while (now - this.seen[0].at > WINDOW_MS) this.seen.shift();
  }

  /** Bytes a second; null while too little is known. */
  get speed() {
    const [first, last] = [this.seen[0], this.seen.at(-1)];
    if (!first || last.at - first.at < LEAST_MS || last.bytes === first.bytes) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
