// The page around uploads: choose or drop files, see each on its way, pause, go on.
//
// Hooks
//   <section data-upload data-dataset="org/slug" data-api="/api/v1/uploads">   holds the rest,
//        and an <input name="csrfmiddlewaretoken"> ({% csrf_token %})
//   [data-says]              what this script says ({% upload_words %})
//   [data-drop]              files can be dropped here (is-over while they hover)
//   input[data-files]        files can be chosen here (multiple; webkitdirectory for folders)
//   ul[data-list]            one line a file appears here
//   [data-total]             hidden until something is under way; shows the whole
//   button[data-pause]       hidden until something is under way; Pause / Go on
//   [data-unfinished]        hidden; says which files of an earlier visit to choose again
//   [data-entrance]          hidden while signed in; leads to the sign-in
//   [data-after]             hidden until all files have arrived
// Events on the section, bubbling: "upload-done" {file}, "upload-refused" {name, message},
// "upload-settled" when nothing is on its way any more, "upload-all-done" {count}.

import { Entrance } from "./entrance.js";
import { Pace } from "./pace.js";
import { Gate, Lanes, Transfer, unfinished } from "./transfer.js";
import { wordsOf } from "./words.js";

const PARTS_AT_A_TIME = 4;
const FILES_AT_A_TIME = 3;
const AUDIO = /\.(wav|wave|bwf|flac|mp3|og[ga]|opus|m4[ab]|mp4)$/i;
const TRANSCRIPT = /\.(txt|jsonl|ndjson|csv|srt|vtt)$/i;

const stemOf = (path) => path.replace(/\.[^./]+$/, "").toLowerCase();

function sizeText(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let place = 0;
  let number = bytes;
  while (number >= 1000 && place < units.length - 1) {
    number /= 1000;
    place += 1;
  }
  const digits = place && number < 100 ? 1 : 0;
  return new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: units[place],
    unitDisplay: place ? "short" : "long",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(number);
}

function timeText(seconds) {
  const [number, unit] = seconds < 60 ? [seconds, "second"] : seconds < 3600 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  const digits = unit === "hour" && number < 10 ? 1 : 0;
  return new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit,
    unitDisplay: "long",
    maximumFractionDigits: digits,
  }).format(Math.max(1, number));
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

class Line {
  constructor(transfer, say, remove) {
    this.transfer = transfer;
    this.say = say;
    this.box = element("li", "upload");
    this.state = element("span", "upload-state");
    this.bar = document.createElement("progress");
    this.bar.max = Math.max(1, transfer.size);
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", transfer.path);
    this.remove = element("button", "button button-quiet button-small", say("remove"));
    this.remove.type = "button";
    this.remove.setAttribute("aria-label", say("remove-one", { path: transfer.path }));
    this.remove.addEventListener("click", remove);
    this.box.append(element("span", "upload-name", transfer.path), this.remove, this.bar, this.state);
  }

  show(partner) {
    const { state, note, loaded, size } = this.transfer;
    this.bar.value = size ? loaded : Number(state === "done");
    this.bar.hidden = state === "refused";
    this.box.classList.toggle("is-done", state === "done");
    this.box.classList.toggle("is-refused", state === "refused");
    this.remove.hidden = state === "active" || state === "done";
    const words = {
      waiting: this.say("waiting", { size: sizeText(size) }),
      active: note || this.say("loaded", { loaded: sizeText(loaded), size: sizeText(size) }),
      done: this.say("done", { note, size: sizeText(size) }),
      refused: note,
    };
    this.state.textContent = [words[state], partner].filter(Boolean).join(" · ");
  }
}

class UploadPage {
  constructor(section) {
    this.section = section;
    this.find = (name) => section.querySelector(`[data-${name}]`);
    this.gate = new Gate();
    this.say = wordsOf(this.find("says"));
    this.settings = {
      api: section.dataset.api ?? "/api/v1/uploads",
      dataset: section.dataset.dataset,
      csrf: section.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "",
      lanes: new Lanes(PARTS_AT_A_TIME),
      gate: this.gate,
      entrance: new Entrance((closed) => this.show("entrance", closed)),
      say: this.say,
    };
    this.pace = new Pace();
    this.lines = new Map();
    this.running = 0;
  }

  start() {
    this.makeTotal();
    const input = this.find("files");
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = "";
    });
    const drop = this.find("drop");
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("is-over");
      });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("is-over");
      this.add(event.dataTransfer.files);
    });
    this.find("pause")?.addEventListener("click", () => this.pause());
    window.addEventListener("beforeunload", (event) => {
      if (this.running && !this.gate.closed) event.preventDefault();
    });
    this.recall();
  }

  makeTotal() {
    const box = this.find("total");
    this.totalText = element("span", "");
    this.totalBar = document.createElement("progress");
    this.totalBar.setAttribute("aria-label", this.say("all"));
    this.spoken = element("p", "visually-hidden");
    this.spoken.setAttribute("role", "status");
    const head = document.createElement("div");
    head.append(element("span", "", this.say("all")), this.totalText);
    box.classList.add("progress");
    box.append(head, this.totalBar);
    this.section.append(this.spoken);
  }

  show(name, shown) {
    const box = this.find(name);
    if (box) box.hidden = !shown;
  }

  recall() {
    const box = this.find("unfinished");
    const names = unfinished(this.settings.dataset);
    if (!box || !names.length) return;
    const which = names.length === 1 ? "unfinished-one" : "unfinished-several";
    box.textContent = this.say(which, { names: names.join(", ") });
    box.hidden = false;
  }

  add(files) {
    const known = new Set([...this.lines.keys()].filter((t) => t.state !== "refused").map((t) => t.key));
    for (const file of files) {
      const transfer = new Transfer(file, this.settings, () => this.changed(transfer));
      if (known.has(transfer.key)) continue;
      this.lines.set(transfer, new Line(transfer, this.say, () => this.drop(transfer)));
    }
    this.sort();
    const box = this.find("unfinished");
    if (box) box.hidden = true;
    this.next();
  }

  /** Recordings and their transcripts stand together, by stem. */
  sort() {
    const ordered = [...this.lines.values()].sort((a, b) => {
      const [one, other] = [a.transfer.path, b.transfer.path];
      return stemOf(one).localeCompare(stemOf(other)) || TRANSCRIPT.test(one) - TRANSCRIPT.test(other);
    });
    this.find("list").append(...ordered.map((line) => line.box));
    for (const line of ordered) line.show(this.partnerOf(line.transfer));
  }

  partnerOf({ path }) {
    const others = [...this.lines.keys()].filter((t) => t.path !== path && stemOf(t.path) === stemOf(path));
    if (AUDIO.test(path)) {
      const partner = others.find((other) => TRANSCRIPT.test(other.path));
      return this.say(partner ? "with-transcript" : "no-transcript");
    }
    if (TRANSCRIPT.test(path) && others.some((other) => AUDIO.test(other.path))) return this.say("transcript");
    return "";
  }

  next() {
    for (const transfer of this.lines.keys()) {
      if (this.running >= FILES_AT_A_TIME) break;
      if (transfer.state !== "waiting") continue;
      this.running += 1;
      transfer.run().finally(() => {
        this.running -= 1;
        this.ended(transfer);
        this.next();
      });
    }
    this.total();
  }

  ended(transfer) {
    const done = transfer.state === "done";
    const detail = done ? { file: transfer.result } : { name: transfer.path, message: transfer.note };
    this.tell(done ? "upload-done" : "upload-refused", detail);
    const { path, note } = transfer;
    this.spoken.textContent = done ? this.say("arrived-one", { path }) : this.say("failed", { path, reason: note });
    const transfers = [...this.lines.keys()];
    if (transfers.every(({ state }) => state === "done" || state === "refused")) this.tell("upload-settled", {});
    if (!transfers.every(({ state }) => state === "done")) return;
    this.show("after", true);
    this.tell("upload-all-done", { count: transfers.length });
  }

  tell(name, detail) {
    this.section.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  async drop(transfer) {
    this.lines.get(transfer).box.remove();
    this.lines.delete(transfer);
    this.total();
    await transfer.abandon();
  }

  pause() {
    if (this.gate.closed) this.gate.open();
    else this.gate.close();
    this.total();
  }

  changed(transfer) {
    this.lines.get(transfer)?.show(this.partnerOf(transfer));
    this.total();
  }

  /** How fast, and how long still; nothing while too little is known. */
  paceText(loaded, size) {
    this.pace.note(loaded);
    const { speed } = this.pace;
    if (!speed) return "";
    return ` · ${this.say("pace", { speed: sizeText(speed), left: timeText((size - loaded) / speed) })}`;
  }

  total() {
    const transfers = [...this.lines.keys()].filter(({ state }) => state !== "refused");
    const size = transfers.reduce((sum, transfer) => sum + transfer.size, 0);
    const loaded = transfers.reduce((sum, transfer) => sum + transfer.loaded, 0);
    const done = transfers.filter(({ state }) => state === "done").length;
    this.find("total").hidden = !transfers.length;
    this.totalBar.max = Math.max(1, size);
    this.totalBar.value = loaded;
    const figures = { done, all: transfers.length, loaded: sizeText(loaded), size: sizeText(size) };
    this.totalText.textContent = this.say(this.gate.closed ? "total-paused" : "total", figures);
    if (!this.gate.closed && loaded < size) this.totalText.textContent += this.paceText(loaded, size);
    const button = this.find("pause");
    if (!button) return;
    button.hidden = done === transfers.length;
    button.textContent = this.say(this.gate.closed ? "go-on" : "pause");
  }
}

for (const section of document.querySelectorAll("[data-upload]")) new UploadPage(section).start();
