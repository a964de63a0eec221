// Copy a digest, a command or a link whole.
// Hook: <button data-copy="text to copy">; `is-copied` and a spoken word follow, which is the body's
// data-say-copied. Where nothing can be copied, its data-say-copy-this asks to do it by hand.

import { wordsOf } from "./words.js";

const say = wordsOf(document.body);

const spoken = document.createElement("span");
spoken.className = "visually-hidden";
spoken.setAttribute("role", "status");

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("is-copied");
  spoken.textContent = say("copied");
  setTimeout(() => {
    button.classList.remove("is-copied");
    spoken.textContent = "";
  }, 1500);
}

/** Listen for clicks on any `data-copy` button, now or later in the page. */
export function copyButtons() {
  document.body.append(spoken);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    copy(button).catch(() => window.prompt(say("copy-this"), button.dataset.copy));
  });
}
