// The page around uploads: choose or drop files, see each on its way, pause, go on.
//
// Hooks
//   <section data-upload data-dataset="org/slug" data-api="/api/v1/uploads">   holds the rest,
//        and an <input name="csrfmiddlewaretoken"> ({% csrf_token %})
//   [data-drop]              files can be dropped here (is-over while they hover)
//   input[data-files]        files can be chosen here (multiple; webkitdirectory for folders)
//   ul[data-list]            one line a file appears here
//   [data-total]             hidden until something is under way; shows the whole
//   button[data-pause]       hidden until something is under way; Pause / Go on
//   [data-unfinished]        hidden; says which files of an earlier visit to choose again
//   [data-after]             hidden until all files have arrived
// Events on the section, bubbling: "upload-done" {file}, "upload-refused" {name, message},
// "upload-all-done" {count}.

import { Gate, Lanes, Transfer, unfinished } from "./transfer.js";

const PARTS_AT_A_TIME = 3;
const FILES_AT_A_TIME = 3;
const AUDIO = /\.(wav|wave|bwf|flac|mp3|og[ga]|opus|m4[ab]|mp4)$/i;
const TRANSCRIPT = /\.(txt|jsonl|ndjson|csv)$/i;

const stemOf = (path) => path.replace(/\.[^./]+$/, "").toLowerCase();

function sizeText(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  let number = bytes;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${unit && number < 100 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

class Line {
  constructor(transfer, remove) {
    this.transfer = transfer;
    this.box = element("li", "upload");
    this.state = element("span", "upload-state");
    this.bar = document.createElement("progress");
    this.bar.max = Math.max(1, transfer.size);
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", transfer.path);
    this.remove = element("button", "button button-quiet button-small", "Remove");
    this.remove.type = "button";
    this.remove.setAttribute("aria-label", `Remove ${transfer.path}`);
    this.remove.addEventListener("click", remove);
    this.box.append(element("span", "upload-name", transfer.path), this.remove, this.bar, this.state);
  }

  show(partner) {
    const { state, note, loaded, size } = this.transfer;
    this.bar.value = size ? loaded : Number(state === "done");
    this.box.classList.toggle("is-done", state === "done");
    this.box.classList.toggle("is-refused", state === "refused");
    this.remove.hidden = state === "active" || state === "done";
    const words = {
      waiting: `Waiting, ${sizeText(size)}`,
      active: note || `${sizeText(loaded)} of ${sizeText(size)}`,
      done: `${note}, ${sizeText(size)}`,
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
    this.settings = {
      api: section.dataset.api ?? "/api/v1/uploads",
      dataset: section.dataset.dataset,
      csrf: section.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "",
      lanes: new Lanes(PARTS_AT_A_TIME),
      gate: this.gate,
    };
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
    this.totalBar.setAttribute("aria-label", "All files");
    this.spoken = element("p", "visually-hidden");
    this.spoken.setAttribute("role", "status");
    const head = document.createElement("div");
    head.append(element("span", "", "All files"), this.totalText);
    box.classList.add("progress");
    box.append(head, this.totalBar);
    this.section.append(this.spoken);
  }

  recall() {
    const box = this.find("unfinished");
    const names = unfinished(this.settings.dataset);
    if (!box || !names.length) return;
    box.textContent = `Not finished last time: ${names.join(", ")}. Choose the same ${names.length === 1 ? "file" : "files"} again to go on where it stopped.`;
    box.hidden = false;
  }

  add(files) {
    const known = new Set([...this.lines.keys()].filter((t) => t.state !== "refused").map((t) => t.key));
    for (const file of files) {
      const transfer = new Transfer(file, this.settings, () => this.changed(transfer));
      if (known.has(transfer.key)) continue;
      this.lines.set(transfer, new Line(transfer, () => this.drop(transfer)));
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
      return partner ? "with its transcript" : "no transcript: a machine will write it down, a person will check";
    }
    if (TRANSCRIPT.test(path) && others.some((other) => AUDIO.test(other.path))) return "transcript of the recording above";
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
    this.spoken.textContent = done ? `${transfer.path} arrived whole` : `${transfer.path}: ${transfer.note}`;
    const transfers = [...this.lines.keys()];
    if (!transfers.every(({ state }) => state === "done")) return;
    const after = this.find("after");
    if (after) after.hidden = false;
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

  total() {
    const transfers = [...this.lines.keys()].filter(({ state }) => state !== "refused");
    const size = transfers.reduce((sum, transfer) => sum + transfer.size, 0);
    const loaded = transfers.reduce((sum, transfer) => sum + transfer.loaded, 0);
    const done = transfers.filter(({ state }) => state === "done").length;
    this.find("total").hidden = !transfers.length;
    this.totalBar.max = Math.max(1, size);
    this.totalBar.value = loaded;
    const paused = this.gate.closed ? ", paused" : "";
    this.totalText.textContent = `${done} of ${transfers.length} files, ${sizeText(loaded)} of ${sizeText(size)}${paused}`;
    const button = this.find("pause");
    if (!button) return;
    button.hidden = done === transfers.length;
    button.textContent = this.gate.closed ? "Go on" : "Pause";
  }
}

for (const section of document.querySelectorAll("[data-upload]")) new UploadPage(section).start();
