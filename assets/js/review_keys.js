// Reviewing by keyboard and by ear.
//
// Hooks
//   [data-hearing]                        holds the rest
//   audio[data-original]                  the recording
//   button[data-hear][data-from][data-to] plays that stretch of it, in milliseconds, and stops
//   [data-passage] > [data-finding]       what j and k move between (a passage only while it needs
//                                         somebody: needs-you); both carry an id that stays
//   [data-confirm], [data-keep], [data-read]   the buttons that c, x and r press
//   [data-undo]                           the button that u presses
//   [data-keys]                           hidden; says which keys there are
// Keys: j next, k before, p hear it, c redact, x keep, r it is right, u undo. After a decision the
// next thing that needs somebody is chosen; at first the one that the address names.

const REFUSALS = new Set([409, 422]);

class Hearing {
  constructor(box) {
    this.box = box;
    this.audio = box.querySelector("audio[data-original]");
    this.current = null;
    this.end = null;
    this.moveOn = false;
  }

  start() {
    const keys = this.box.querySelector("[data-keys]");
    if (keys) keys.hidden = false;
    this.box.addEventListener("click", (event) => this.click(event));
    this.audio?.addEventListener("pause", () => this.hush());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("htmx:afterSettle", () => this.settle());
    const named = document.getElementById(location.hash.slice(1));
    if (named?.matches("[data-passage]") && this.box.contains(named)) this.choose(named);
  }

  stops() {
    return [...this.box.querySelectorAll("[data-passage]")].flatMap((passage) => {
      const findings = [...passage.querySelectorAll("[data-finding]")];
      const alone = passage.classList.contains("needs-you") && (passage.querySelector("[data-read]") || !findings.length);
      return alone ? [...findings, passage] : findings;
    });
  }

  needs(stop) {
    return stop.matches("[data-finding]") ? stop.classList.contains("is-open") : true;
  }

  place(stops) {
    return stops.findIndex((stop) => stop.id === this.current);
  }

  choose(stop) {
    for (const old of this.box.querySelectorAll(".is-current")) old.classList.remove("is-current");
    if (!stop) return;
    this.current = stop.id;
    stop.classList.add("is-current");
    stop.tabIndex = -1;
    stop.focus({ preventScroll: true });
    stop.scrollIntoView({ block: "center" });
  }

  step(by) {
    const stops = this.stops();
    const here = this.place(stops);
    const next = here < 0 ? (by > 0 ? 0 : stops.length - 1) : here + by;
    if (stops[next]) this.choose(stops[next]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const press = (name) => this.press(name);
    const action = {
      j: () => this.step(1),
      k: () => this.step(-1),
      p: () => press("hear"),
      c: () => press("confirm"),
      x: () => press("keep"),
      r: () => press("read"),
      u: () => this.box.querySelector("[data-undo]")?.click(),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  press(name) {
    if (name === "hear" && this.audio && !this.audio.paused) return this.audio.pause();
    const stop = this.current && document.getElementById(this.current);
    if (stop) stop.querySelector(`[data-${name}]`)?.click();
    else this.step(1);
  }

  click(event) {
    const hear = event.target.closest("[data-hear]");
    if (hear) return this.hear(hear);
    if (event.target.closest("[data-confirm], [data-keep], [data-read]")) {
      this.current = (event.target.closest("[data-finding]") ?? event.target.closest("[data-passage]")).id;
      this.order = this.stops().map(({ id }) => id);
      this.moveOn = true;
    }
  }

  /** After a swap, go to the next thing that needs somebody, counted from where the person was. */
  settle() {
    if (!this.moveOn) return;
    this.moveOn = false;
    const stops = this.stops();
    const later = new Set(this.order.slice(this.order.indexOf(this.current) + 1));
    const waiting = stops.filter((stop) => this.needs(stop) && stop.id !== this.current);
    this.choose(waiting.find(({ id }) => later.has(id)) ?? waiting[0] ?? document.getElementById(this.current));
  }

  hear(button) {
    if (!this.audio) return;
    const again = button.classList.contains("is-playing");
    this.audio.pause();
    this.hush();
    if (again) return;
    button.classList.add("is-playing");
    this.end = Number(button.dataset.to) / 1000;
    this.audio.currentTime = Number(button.dataset.from) / 1000;
    this.audio.play().then(() => this.watch()).catch(() => this.hush());
  }

  watch() {
    if (this.end === null || this.audio.paused) return;
    if (this.audio.currentTime >= this.end) this.audio.pause();
    else requestAnimationFrame(() => this.watch());
  }

  hush() {
    this.end = null;
    for (const button of this.box.querySelectorAll(".is-playing")) button.classList.remove("is-playing");
  }
}

// A refusal comes as the same passage with the reason in it: show it. What was asked for and is gone,
// or a sign-in that ran out, needs the page anew.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  if (REFUSALS.has(xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  } else if (xhr.status === 404 || pathInfo.responsePath !== pathInfo.requestPath) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

for (const box of document.querySelectorAll("[data-hearing]")) new Hearing(box).start();
