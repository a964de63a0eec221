// “Heard” means heard: tells the site which stretches of a recording were really played.
//
// Hooks
//   audio[data-heard="{address}"][data-length]   a recording whose playing counts; it is told to
//                                   the address; its length in milliseconds as the site knows it
//   [data-heard-fault]              hidden; shown while the site can't be told
// An <input name="csrfmiddlewaretoken"> stands somewhere on the page. The answer is elements with
// ids: each takes the place of the one that has its id.
//
// A moment counts when the sound went on by itself from the one before: not sought, not muted, no
// faster than a person follows. What is not told yet is told every few seconds, at a pause, and
// when the page is left.

const EVERY_MS = 4000;
const FASTEST = 2;
// Two looks at the player's clock and at ours never fall together.
const SLACK_S = 0.15;
const MOST = 500;
const PASSING = new Set([0, 408, 429]);

class Ears {
  constructor(audio) {
    this.audio = audio;
    this.fault = document.querySelector("[data-heard-fault]");
    this.played = []; // [from, to] in seconds, not told yet
    this.now = null; // the stretch that is being played
    this.sought = 0; // where the sound goes on from
    this.looked = 0;
  }

  start() {
    const { audio } = this;
    for (const moment of ["playing", "timeupdate", "seeked"]) audio.addEventListener(moment, () => this.look());
    for (const change of ["ratechange", "volumechange"]) audio.addEventListener(change, () => this.cut());
    for (const end of ["pause", "waiting", "emptied"]) audio.addEventListener(end, () => this.stop());
    audio.addEventListener("seeking", () => this.seek());
    setInterval(() => this.tell(), EVERY_MS);
    // The last moments of a page: it is hidden before it is gone, and may never be told that it is.
    document.addEventListener("visibilitychange", () => document.hidden && this.leave());
    addEventListener("pagehide", () => this.leave());
  }

  /** Whether somebody can follow what is played. */
  get counts() {
    const { audio } = this;
    return !audio.seeking && !audio.muted && audio.volume > 0 && audio.playbackRate <= FASTEST;
  }

  look() {
    const now = performance.now();
    const at = this.audio.currentTime;
    const passed = ((now - this.looked) / 1000) * this.audio.playbackRate + SLACK_S;
    this.looked = now;
    if (!this.counts) this.cut();
    else if (this.now && this.now[1] <= at && at - this.now[1] <= passed) this.now[1] = at;
    else this.begin(at);
  }

  /** A little may have sounded since it began where it was told to. */
  begin(at) {
    this.cut();
    if (this.audio.paused) return;
    const late = at - this.sought;
    this.now = [late >= 0 && late <= SLACK_S ? this.sought : at, at];
  }

  /** What was played until now is one stretch; what comes is another. */
  cut() {
    if (!this.now) return;
    if (this.now[1] > this.now[0]) this.played.push(this.now);
    this.sought = this.now[1];
    this.now = null;
  }

  seek() {
    this.cut();
    this.sought = this.audio.currentTime;
  }

  stop() {
    if (this.now) this.look();
    if (this.now && this.audio.ended) this.toTheEnd();
    this.cut();
    this.tell();
  }

  /** Players and the site differ about a length by a few milliseconds. */
  toTheEnd() {
    const length = Number(this.audio.dataset.length) / 1000;
    if (Math.abs(length - this.now[1]) <= SLACK_S) this.now[1] = length;
  }

  leave() {
    if (this.now) this.look();
    this.tell();
  }

  /** Take what is not told yet, in whole milliseconds; what is being played goes on from there. */
  take() {
    const { now } = this;
    this.cut();
    if (now && !this.audio.paused) this.now = [now[1], now[1]];
    const taken = this.played.splice(0, MOST);
    return taken.map(([from, to]) => [Math.floor(from * 1000), Math.ceil(to * 1000)]);
  }

  tell() {
    const ranges = this.take();
    if (ranges.length) this.send(ranges);
  }

  async send(ranges) {
    const answer = await this.post(ranges).catch(() => ({ status: 0 }));
    if (PASSING.has(answer.status) || answer.status >= 500) {
      this.played.unshift(...ranges.map(([from, to]) => [from / 1000, to / 1000]));
    }
    if (this.fault) this.fault.hidden = answer.status === 200;
    if (answer.status === 200) show(await answer.text());
  }

  post(ranges) {
    return fetch(this.audio.dataset.heard, {
      method: "POST",
      keepalive: true,
      // A sign-in that ran out answers with another page: that is not an answer to this.
      redirect: "manual",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "",
      },
      body: JSON.stringify({ ranges }),
    });
  }
}

/** Put each element of an answer in the place of the one with its id. */
function show(html) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of [...answer.querySelectorAll("[id]")]) {
    document.getElementById(fresh.id)?.replaceWith(fresh);
  }
}

/** Listen to what is played on this page. */
export function ears() {
  for (const audio of document.querySelectorAll("audio[data-heard]")) new Ears(audio).start();
}
