// Read along: words light up while they are spoken; a word or the waveform seeks.
//
// Hooks
//   [data-player]              holds one <audio controls>
//   [data-start][data-end]     a word in it, in milliseconds; clicked or Enter: play from there
//   [data-seek] > [data-waveform][data-duration]   the waveform; clicked: seek
//   [data-playhead]            the line on it that moves
// In a form with data-review words belong to review.js and only light up here.

class Player {
  constructor(box) {
    this.box = box;
    this.audio = box.querySelector("audio");
    this.words = [...box.querySelectorAll("[data-start][data-end]")].map((element) => ({
      element,
      start: Number(element.dataset.start),
      end: Number(element.dataset.end),
    }));
    this.words.sort((a, b) => a.start - b.start);
    this.wave = box.querySelector("[data-waveform]");
    this.playhead = box.querySelector("[data-playhead]");
    this.now = null;
  }

  start() {
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("seeked", () => this.show());
    this.audio.addEventListener("ended", () => this.light(null));
    if (!this.box.closest("[data-review]")) this.listenToWords();
    const seek = this.box.querySelector("[data-seek]");
    seek?.addEventListener("click", (event) => this.seekTo(event));
  }

  listenToWords() {
    for (const { element, start } of this.words) {
      element.tabIndex = element === this.words[0].element ? 0 : -1;
      element.addEventListener("click", () => this.playFrom(start));
      element.addEventListener("keydown", (event) => this.key(event, element, start));
    }
  }

  key(event, element, start) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.playFrom(start);
      return;
    }
    const rtl = getComputedStyle(element).direction === "rtl";
    const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = this.words[this.words.findIndex((word) => word.element === element) + step];
    if (!next) return;
    element.tabIndex = -1;
    next.element.tabIndex = 0;
    next.element.focus();
  }

  async playFrom(milliseconds) {
    this.audio.currentTime = milliseconds / 1000;
    await this.audio.play().catch(() => this.show());
  }

  seekTo(event) {
    const frame = this.wave.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - frame.left) / frame.width));
    this.audio.currentTime = (share * Number(this.wave.dataset.duration)) / 1000;
    this.show();
  }

  follow() {
    this.show();
    if (!this.audio.paused && !this.audio.ended) requestAnimationFrame(() => this.follow());
  }

  show() {
    const at = this.audio.currentTime * 1000;
    this.light(this.words.findLast((word) => word.start <= at && at < word.end) ?? null);
    if (!this.playhead) return;
    const width = this.wave.viewBox.baseVal.width;
    const x = (at / Number(this.wave.dataset.duration)) * width;
    this.playhead.setAttribute("x1", x);
    this.playhead.setAttribute("x2", x);
    this.playhead.setAttribute("visibility", "visible");
  }

  light(word) {
    if (word === this.now) return;
    this.now?.element.classList.remove("is-now");
    word?.element.classList.add("is-now");
    this.now = word;
  }
}

const started = new WeakSet();

/** Start every player below `root`; one plays at a time. */
export function players(root) {
  const boxes = [...root.querySelectorAll("[data-player]")];
  if (root.matches?.("[data-player]")) boxes.push(root);
  for (const box of boxes) {
    if (started.has(box) || !box.querySelector("audio")) continue;
    started.add(box);
    new Player(box).start();
  }
}

document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  },
  true,
);
