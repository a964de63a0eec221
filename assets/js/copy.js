// Copy a digest, a command or a link whole.
// Hook: <button data-copy="text to copy">; `is-copied` and a spoken "Copied" follow.

const spoken = document.createElement("span");
spoken.className = "visually-hidden";
spoken.setAttribute("role", "status");

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("is-copied");
  spoken.textContent = "Copied";
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
    copy(button).catch(() => window.prompt("Copy this:", button.dataset.copy));
  });
}
