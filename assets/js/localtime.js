// Times in the reader's own zone; UTC stays in the title.
// Hook: <time datetime="2026-03-03T14:00:00Z" data-local="minute|day">

const FORMATS = {
  minute: { dateStyle: "long", timeStyle: "short" },
  day: { dateStyle: "long" },
};

/** Rewrite every `data-local` time below `root`. */
export function localTimes(root) {
  const times = root.matches?.("time[data-local]") ? [root] : root.querySelectorAll("time[data-local]");
  for (const time of times) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
    time.textContent = new Intl.DateTimeFormat(language, FORMATS[time.dataset.local] ?? FORMATS.minute).format(when);
  }
}
