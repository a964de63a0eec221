// Select words to redact, by mouse, touch or keyboard.
//
// Hooks
//   <form data-review>                       holds the rest
//   [data-words] > [data-word="0…"]          the words, as buttons
//   input[data-first], input[data-last]      receive the numbers of the first and last word
//   button[data-redact]                      enabled while words are selected; its text can hold
//                                            <span data-count></span> for how many
//   [data-clear]                             clears the selection (so does Escape)
// Event: "words-selected" on the form, detail {first, last} (null when cleared).

import { ears } from "./heard.js";
import "./review_keys.js";

class Selection {
  constructor(form) {
    this.form = form;
    this.words = [...form.querySelectorAll("[data-word]")];
    this.anchor = null;
    this.end = null;
    this.dragging = false;
  }

  start() {
    const box = this.form.querySelector("[data-words]");
    box.addEventListener("pointerdown", (event) => this.down(event));
    box.addEventListener("pointermove", (event) => this.move(event));
    window.addEventListener("pointerup", () => (this.dragging = false));
    window.addEventListener("pointercancel", () => (this.dragging = false));
    box.addEventListener("keydown", (event) => this.key(event));
    this.form.querySelector("[data-clear]")?.addEventListener("click", () => this.select(null, null));
    this.select(null, null);
  }

  at(event) {
    const element = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-word]");
    return element && this.form.contains(element) ? this.words.indexOf(element) : -1;
  }

  down(event) {
    const word = this.at(event);
    if (word < 0 || event.button > 0) return;
    const alone = this.anchor === word && this.end === word;
    if (event.shiftKey && this.anchor !== null) this.select(this.anchor, word);
    else if (event.pointerType === "touch" && this.anchor !== null && !alone) this.select(this.anchor, word);
    else this.select(alone ? null : word, alone ? null : word);
    this.dragging = this.anchor !== null && event.pointerType !== "touch";
    this.focus(word);
    if (this.dragging) event.preventDefault();
  }

  move(event) {
    if (!this.dragging) return;
    const word = this.at(event);
    if (word >= 0 && word !== this.end) this.select(this.anchor, word);
  }

  key(event) {
    const here = this.words.indexOf(event.target.closest("[data-word]"));
    if (here < 0) return;
    if (event.key === "Escape") return this.select(null, null);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const alone = this.anchor === here && this.end === here;
      return this.select(alone ? null : here, alone ? null : here);
    }
    const next = this.neighbor(event, here);
    if (next === null) return;
    event.preventDefault();
    if (event.shiftKey) this.select(this.anchor ?? here, next);
    this.focus(next);
  }

  neighbor(event, here) {
    const rtl = getComputedStyle(event.target).direction === "rtl";
    const last = this.words.length - 1;
    const next = {
      ArrowRight: here + (rtl ? -1 : 1),
      ArrowLeft: here + (rtl ? 1 : -1),
      ArrowDown: here + 5,
      ArrowUp: here - 5,
      Home: 0,
      End: last,
    }[event.key];
    return next === undefined ? null : Math.min(last, Math.max(0, next));
  }

  focus(place) {
    for (const word of this.words) word.tabIndex = -1;
    this.words[place].tabIndex = 0;
    this.words[place].focus({ preventScroll: false });
  }

  select(anchor, end) {
    this.anchor = anchor;
    this.end = end;
    const first = anchor === null ? null : Math.min(anchor, end);
    const last = anchor === null ? null : Math.max(anchor, end);
    this.words.forEach((word, place) => {
      word.setAttribute("aria-pressed", String(first !== null && place >= first && place <= last));
    });
    this.form.querySelector("[data-first]").value = first ?? "";
    this.form.querySelector("[data-last]").value = last ?? "";
    const button = this.form.querySelector("[data-redact]");
    if (button) button.disabled = first === null;
    const count = this.form.querySelector("[data-count]");
    if (count) count.textContent = first === null ? "" : String(last - first + 1);
    this.form.dispatchEvent(new CustomEvent("words-selected", { bubbles: true, detail: { first, last } }));
  }
}

const started = new WeakSet();

function startAll() {
  for (const form of document.querySelectorAll("form[data-review]")) {
    if (started.has(form) || !form.querySelector("[data-word]")) continue;
    started.add(form);
    // htmx parses an answer with scripting off, so that the fields of a <noscript> become real ones
    // there and would be sent beside the selection.
    for (const plain of form.querySelectorAll("noscript")) plain.remove();
    new Selection(form).start();
  }
}

ears();
startAll();
document.addEventListener("htmx:load", startAll);
