// One file on its way to the server: the resumable upload of the native API, without any page.
//
// POST {api} → an upload with parts; each part is PUT to its signed URL with its SHA-256
// (x-amz-checksum-sha256, base64); POST {api}/{id}/complete names the SHA-256 of the whole file.
// The id is kept in the browser, so that after a reload the same file goes on where it stopped.

import { sha256 } from "@noble/hashes/sha2.js";

const TRIES = 10;
const LONGEST_WAIT_S = 30;
const QUICK_S = 2;

/** The server said no, and why; trying again would not help. */
export class Refused extends Error {}

/** The person pressed pause while this was under way. */
class Paused extends Error {}

/**
 * So many parts at a time, over all files: one on a slow line, where each that breaks off was sent
 * for nothing, and one more whenever a part was quick.
 */
export class Lanes {
  constructor(most) {
    this.most = most;
    this.count = 1;
    this.busy = 0;
    this.waiting = [];
  }

  async take() {
    if (this.busy < this.count) this.busy += 1;
    else await new Promise((resolve) => this.waiting.push(resolve));
  }

  /** A part has ended, after so many seconds; without them it was not sent, or not whole. */
  give(seconds = null) {
    this.busy -= 1;
    if (seconds !== null) this.count = seconds < QUICK_S ? Math.min(this.most, this.count + 1) : 1;
    for (; this.busy < this.count && this.waiting.length; this.busy += 1) this.waiting.shift()();
  }
}

/** Open or closed: everything waits at a closed gate. Listeners hear when it closes. */
export class Gate extends EventTarget {
  closed = false;
  waiting = [];

  close() {
    this.closed = true;
    this.dispatchEvent(new Event("closed"));
  }

  open() {
    this.closed = false;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  async pass() {
    while (this.closed) await new Promise((resolve) => this.waiting.push(resolve));
  }
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Whether an HTTP status may pass by itself: the server is busy or broken, or was too slow. */
const isPassing = (status) => status >= 500 || status === 408 || status === 429;

/** Read problem JSON (RFC 9457); anything else is a problem without details. */
function problemOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

async function digestOf(bytes) {
  // WebCrypto is there on https and on localhost only.
  if (globalThis.crypto?.subtle) return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return sha256(bytes);
}

async function online() {
  if (navigator.onLine !== false) return;
  await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
}

export class Transfer {
  /** `settings` holds api, dataset, csrf, lanes, gate, say; `onChange(transfer)` hears of every change. */
  constructor(file, settings, onChange) {
    this.file = file;
    this.path = file.webkitRelativePath || file.name;
    this.settings = settings;
    this.onChange = onChange;
    this.state = "waiting";
    this.note = "";
    this.sent = new Map();
    this.key = `commonhold-upload ${settings.dataset} ${file.size} ${file.lastModified} ${this.path}`;
  }

  get size() {
    return this.file.size;
  }

  get loaded() {
    let sum = 0;
    for (const bytes of this.sent.values()) sum += bytes;
    return Math.min(sum, this.size);
  }

  set(state, note = "") {
    this.state = state;
    this.note = note;
    this.onChange(this);
  }

  /** Send the file; ends with state done or refused and never rejects. */
  async run() {
    try {
      this.set("active", this.settings.say("asking"));
      this.upload = await this.begin();
      this.set("active");
      const whole = this.upload.state === "complete" ? null : await this.sendParts();
      const result = whole ? await this.finish(whole) : this.upload;
      this.sent.set(0, this.size);
      localStorage.removeItem(this.key);
      this.result = result.file ?? null;
      this.set("done", this.settings.say("arrived"));
    } catch (problem) {
      if (problem instanceof Refused) localStorage.removeItem(this.key);
      this.set("refused", problem.message);
    }
  }

  async begin() {
    const known = localStorage.getItem(this.key);
    if (known) {
      const upload = await this.ask("GET", `/${known}`).catch((problem) => {
        if (problem instanceof Refused) return null;
        throw problem;
      });
      if (upload && upload.state !== "refused") return upload;
    }
    const { dataset } = this.settings;
    const upload = await this.ask("POST", "", { dataset, path: this.path, size: this.size });
    localStorage.setItem(this.key, upload.id);
    return upload;
  }

  async sendParts() {
    const whole = sha256.create();
    const underWay = [];
    let failure = null;
    for (const part of this.upload.parts) {
      await this.settings.gate.pass();
      await this.settings.lanes.take();
      if (failure) {
        this.settings.lanes.give();
        break;
      }
      const bytes = new Uint8Array(await this.file.slice(part.offset, part.offset + part.size).arrayBuffer());
      whole.update(bytes);
      if (part.received) {
        this.sent.set(part.number, part.size);
        this.settings.lanes.give();
        this.onChange(this);
        continue;
      }
      underWay.push(
        this.sendPart(part.number, bytes)
          .catch((problem) => (failure ??= problem) && null)
          .then((seconds) => this.settings.lanes.give(seconds)),
      );
    }
    await Promise.all(underWay);
    if (failure) throw failure;
    return hex(whole.digest());
  }

  /** Send one part until it is there; resolves to the seconds that it took, which only a first try tells. */
  async sendPart(number, bytes) {
    const checksum = base64(await digestOf(bytes));
    for (let tried = 1; ; tried += 1) {
      await this.settings.gate.pass();
      await online();
      const part = this.upload.parts.find((entry) => entry.number === number);
      const begun = performance.now();
      try {
        const { status, problem } = await this.put(part, bytes, checksum);
        if (status < 300) return tried === 1 ? (performance.now() - begun) / 1000 : Infinity;
        if (status === 403 && tried < TRIES) this.upload = await this.ask("GET", `/${this.upload.id}`);
        else if (isPassing(status) || problem.code === "digest-mismatch") {
          throw new Error(problem.detail ?? this.settings.say("status", { status }));
        } else throw new Refused(problem.detail ?? this.settings.say("part-refused", { number, status }));
      } catch (problem) {
        this.sent.delete(number);
        if (problem instanceof Paused) {
          tried = 0;
          continue;
        }
        if (problem instanceof Refused) throw problem;
        if (tried >= TRIES) throw this.stopped(problem.message);
        await this.backOff(tried, problem);
      }
    }
  }

  stopped(reason) {
    return new Error(this.settings.say("stopped", { tries: TRIES, reason }));
  }

  async backOff(tried, problem) {
    const seconds = Math.min(LONGEST_WAIT_S, 2 ** (tried - 1)) * (0.75 + Math.random() / 2);
    this.set("active", this.settings.say("again", { seconds: Math.ceil(seconds), reason: problem.message }));
    await pause(seconds);
    this.set("active");
  }

  put(part, bytes, checksum) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const { gate } = this.settings;
      const stop = () => request.abort();
      gate.addEventListener("closed", stop, { once: true });
      request.open("PUT", part.url);
      request.setRequestHeader("x-amz-checksum-sha256", checksum);
      request.upload.onprogress = (event) => {
        this.sent.set(part.number, event.loaded);
        this.onChange(this);
      };
      request.onload = () => {
        if (request.status < 300) this.sent.set(part.number, part.size);
        resolve({ status: request.status, problem: problemOf(request.responseText) });
      };
      request.onerror = () => reject(new Error(this.settings.say("broke")));
      request.onabort = () => reject(new Paused());
      request.onloadend = () => gate.removeEventListener("closed", stop);
      if (gate.closed) reject(new Paused());
      else request.send(bytes);
    });
  }

  async finish(whole) {
    this.set("active", this.settings.say("checking"));
    return this.ask("POST", `/${this.upload.id}/complete`, { sha256: whole });
  }

  /** Give the unfinished upload up, here and on the server. */
  async abandon() {
    localStorage.removeItem(this.key);
    if (this.upload && this.state !== "done") await this.ask("DELETE", `/${this.upload.id}`).catch(() => null);
  }

  async ask(method, path, body) {
    let renewed = false;
    for (let tried = 1; ; tried += 1) {
      await online();
      const response = await this.fetch(method, path, body).catch(() => null);
      if (response?.ok) return response.status === 204 ? null : response.json();
      if (response && !isPassing(response.status)) {
        const problem = problemOf(await response.text());
        // 403: perhaps the form's token is that of a session that ended.
        if (response.status === 401 || (response.status === 403 && !renewed)) {
          renewed = true;
          this.settings.csrf = await this.settings.entrance.pass();
          continue;
        }
        throw new Refused(problem.detail ?? this.settings.say("refused", { status: response.status }));
      }
      const reason = response ? this.settings.say("status", { status: response.status }) : this.settings.say("broke");
      if (tried >= TRIES) throw this.stopped(reason);
      await this.backOff(tried, new Error(reason));
    }
  }

  fetch(method, path, body) {
    return fetch(this.settings.api + path, {
      method,
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": this.settings.csrf },
      body: body && JSON.stringify(body),
    });
  }
}

/** The paths of files that were begun for a dataset in this browser and not finished. */
export function unfinished(dataset) {
  const start = `commonhold-upload ${dataset} `;
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(start))
    .map((key) => key.slice(start.length).split(" ").slice(2).join(" "));
}
